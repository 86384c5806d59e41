// Copyright (C) ngx_realtime contributors

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  type Connection,
  type ConnectionOptions,
  createConnection,
} from '../src/client/connection.ts';
import { readToken } from '../src/client/token.ts';
import { ALICE, startServer, type TestServer } from './server.ts';

let server: TestServer;
let connection: Connection;

const status = () => connection.state.get().status;

function open(options: ConnectionOptions = {}): void {
  connection = createConnection({ url: server.url, token: ALICE, ...options });
  connection.start();
}

beforeEach(async () => {
  server = await startServer();
});

afterEach(async () => {
  connection.stop();
  await server.stop();
});

test('from idle to connected, with the user that the server names', async () => {
  open();

  expect(status()).toBe('connecting');
  await vi.waitFor(() => expect(connection.state.get().userId).toBe(ALICE));
  expect(connection.state.get()).toMatchObject({
    status: 'connected',
    connects: 1,
    recovered: false,
  });
  expect(connection.transport()).toBe('websocket');

  connection.stop();
  expect(status()).toBe('idle');
});

test('a network that breaks is recovered, by the same socket', async () => {
  open();
  await vi.waitFor(() => expect(status()).toBe('connected'));

  const { socketId } = connection.state.get();

  for (const socket of server.io.of('/').sockets.values()) {
    socket.conn.close();
  }

  await vi.waitFor(() => expect(status()).toBe('reconnecting'));
  await vi.waitFor(() => expect(status()).toBe('connected'), 5000);
  expect(connection.state.get()).toMatchObject({
    connects: 2,
    recovered: true,
    socketId,
  });
});

test.each([
  ['late', 3_600_000],
  ['early', -3_600_000],
])('the clock of this machine may be an hour %s', async (_, ahead) => {
  server.ahead = ahead;
  open();
  await vi.waitFor(() => expect(connection.state.get().userId).toBe(ALICE));

  const { skew } = connection.state.get();

  expect(Math.abs(skew - ahead)).toBeLessThan(60_000);
});

test('the way of a message is no difference of the clocks', async () => {
  server.io.use((_, next) => setTimeout(next, 300));
  open();
  await vi.waitFor(() => expect(connection.state.get().userId).toBe(ALICE));
  expect(connection.state.get().skew).toBe(0);
});

test('it comes back after the server has sent it away', async () => {
  open();
  await vi.waitFor(() => expect(status()).toBe('connected'));

  server.io.disconnectSockets();
  await vi.waitFor(() => expect(status()).toBe('reconnecting'));
  await vi.waitFor(() => expect(connection.state.get().connects).toBe(2), 5000);
});

test('a token that is refused is asked for once more', async () => {
  const reasons: string[] = [];

  server.refuse = { code: 'token_invalid', message: 'Authentication error' };
  open({
    token: (reason) => {
      reasons.push(reason);

      if (reason === 'refused') {
        server.refuse = null;
      }

      return ALICE;
    },
  });

  await vi.waitFor(() => expect(status()).toBe('connected'));
  expect(reasons).toEqual(['connect', 'refused']);
});

test('refused for good it says why, and waits for a new token', async () => {
  server.refuse = {
    code: 'token_invalid',
    message: 'Authentication error: Invalid or expired token',
  };
  open();

  await vi.waitFor(() => expect(status()).toBe('refused'));
  expect(connection.state.get().error).toEqual({
    code: 'token_invalid',
    message: 'Authentication error: Invalid or expired token',
  });

  server.refuse = null;
  connection.setToken('another');
  await vi.waitFor(() => expect(connection.state.get().userId).toBe('another'));
});

test('a token function that fails is no crash', async () => {
  open({ token: () => Promise.reject(new Error('no network')) });

  await vi.waitFor(() => expect(status()).toBe('connected'));
});

test('a token that expires is renewed on the open socket', async () => {
  const reasons: string[] = [];

  open({
    token: (reason) => {
      reasons.push(reason);
      return `token-${reason}`;
    },
  });
  await vi.waitFor(() => expect(status()).toBe('connected'));

  server.io.emit('auth_expiring', { expiresAt: '2030-01-01T00:00:00.000Z' });

  await vi.waitFor(() =>
    expect(server.told('auth_refresh')).toEqual([{ token: 'token-expiring' }]),
  );
  expect(reasons).toEqual(['connect', 'expiring']);
  expect(connection.state.get().connects).toBe(1);
});

test('a new token goes to the open socket', async () => {
  open();
  await vi.waitFor(() => expect(status()).toBe('connected'));

  connection.setToken('new');
  await vi.waitFor(() =>
    expect(server.told('auth_refresh')).toEqual([{ token: 'new' }]),
  );
});

test('a request without a connection, or an answer, is an error', async () => {
  open();
  expect(await connection.request('presence', { state: 'away' })).toMatchObject(
    {
      code: 'offline',
    },
  );

  await vi.waitFor(() => expect(status()).toBe('connected'));
  expect(
    await connection.request(
      'typing',
      { conversationId: 'c', isTyping: true },
      50,
    ),
  ).toMatchObject({ status: 'error', code: 'timeout' });
});

test('an answer that is none is an error', async () => {
  server.io.on('connection', (socket) => {
    socket.on('typing', (_: unknown, ack: (reply: unknown) => void) =>
      ack('ok'),
    );
  });
  open();
  await vi.waitFor(() => expect(status()).toBe('connected'));

  expect(
    await connection.request('typing', { conversationId: 'c', isTyping: true }),
  ).toMatchObject({ status: 'error', code: 'ack_invalid' });
});

test('a server that is not there yet is waited for', async () => {
  const { url } = server;

  await server.stop();
  open({ url });
  await vi.waitFor(
    () => expect(connection.state.get().error?.code).toBe('unreachable'),
    5000,
  );
  expect(status()).toBe('connecting');
});

test('polling, where it is asked for', async () => {
  open({ transports: ['polling'] });

  await vi.waitFor(() => expect(status()).toBe('connected'));
  expect(connection.transport()).toBe('polling');
});

test('a cookie that is refused is no network that is gone', async () => {
  server.forbid = 'Authentication error: Invalid or expired token';
  open({ token: undefined });

  await vi.waitFor(() => expect(status()).toBe('refused'), 5000);
  expect(connection.state.get().error?.code).toBe('token_invalid');

  /* signed in again in another tab: this one is looked at */

  server.forbid = null;
  document.dispatchEvent(new Event('visibilitychange'));
  await vi.waitFor(() => expect(status()).toBe('connected'), 5000);
});

test('a page of another origin is told so', async () => {
  server.forbid = 'Forbidden';
  open({ token: undefined });

  await vi.waitFor(() => expect(status()).toBe('refused'), 5000);
  expect(connection.state.get().error?.code).toBe('access_denied');
});

test('too many connections are no refusal of the token', async () => {
  const reasons: string[] = [];

  vi.spyOn(Math, 'random').mockReturnValue(-0.4);
  server.refuse = {
    code: 'too_many_connections',
    message: 'Too many connections',
  };
  open({
    token: (reason) => {
      reasons.push(reason);
      return ALICE;
    },
  });

  await vi.waitFor(() =>
    expect(connection.state.get().error?.code).toBe('too_many_connections'),
  );
  expect(status()).toBe('connecting');
  server.refuse = null;
  await vi.waitFor(() => expect(status()).toBe('connected'), 5000);
  expect(reasons).toEqual(['connect', 'connect']);
});

test('a slow token makes one CONNECT, however often the network breaks', async () => {
  const gives: (() => void)[] = [];
  const raw: { close: () => void }[] = [];
  let connects = 0;

  server.io.engine.on('connection', (one) => raw.push(one));
  server.io.use((_, next) => {
    connects++;
    next();
  });
  open({
    token: () =>
      new Promise((resolve) => {
        gives.push(() => resolve(ALICE));
      }),
  });
  await vi.waitFor(() => expect(gives).toHaveLength(1));

  const sid = connection.sid();

  raw[0]?.close();
  await vi.waitFor(() => expect(connection.sid() ?? sid).not.toBe(sid), 5000);

  for (const give of gives) {
    give();
  }

  await vi.waitFor(() => expect(status()).toBe('connected'), 5000);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(connects).toBe(1);
});

test('who asks at the same time shares the answer', async () => {
  const reasons: string[] = [];
  const source = async (reason: string) => {
    reasons.push(reason);
    await new Promise((resolve) => setTimeout(resolve, 20));
    return ALICE;
  };

  await Promise.all([
    readToken(source, 'refused'),
    readToken(source, 'refused'),
    readToken(source, 'connect'),
  ]);
  expect(reasons).toEqual(['refused', 'connect']);
  await readToken(source, 'refused');
  expect(reasons).toHaveLength(3);
});

test('one line for each event that nobody knows, in development', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);

  open();
  await vi.waitFor(() => expect(status()).toBe('connected'));

  for (const event of ['news', 'news', 'weather', 'toString']) {
    server.io.emit(event, {});
  }

  await vi.waitFor(() => expect(warn).toHaveBeenCalledTimes(3));
  expect(warn).toHaveBeenCalledWith('realtime: event "news" ignored: unknown');
});

test('a refusal without an ack is a line in development', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);

  open();
  await vi.waitFor(() => expect(status()).toBe('connected'));
  server.io.emit('error', {
    code: 'recipient_invalid',
    message: 'no',
    event: 'message',
  });

  await vi.waitFor(() =>
    expect(warn.mock.calls).toEqual([
      ['realtime: event "message" refused: recipient_invalid'],
    ]),
  );
});
