// Copyright (C) ngx_realtime contributors

/* useRealtime as published: what it emits and returns, and nothing else */

import { act, render, renderHook, waitFor } from '@testing-library/react';
import { type ReactNode, StrictMode } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RealtimeProvider, useRealtime } from '../src/index.ts';
import { ALICE, BOB, startServer, TALK, type TestServer } from './server.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startServer();
});

afterEach(async () => {
  await server.stop();
});

async function connected(user = ALICE) {
  const hook = renderHook(() => useRealtime({ url: server.url, token: user }));

  await waitFor(() => expect(hook.result.current.isConnected).toBe(true));
  return hook;
}

test('it returns exactly what is published', async () => {
  const { result } = await connected();

  expect(Object.keys(result.current).sort()).toEqual([
    'acknowledgeNotification',
    'clearNotifications',
    'getTypingUsers',
    'isConnected',
    'notifications',
    'onlineUsers',
    'removeNotification',
    'sendMessage',
    'sendNotification',
    'sendTypingIndicator',
    'typingUsers',
  ]);
  expect(result.current.onlineUsers).toBeInstanceOf(Set);
  expect(result.current.typingUsers).toBeInstanceOf(Map);
  expect(result.current.notifications).toEqual([]);
});

test('it emits exactly what is published, without an ack', async () => {
  const { result } = await connected();
  const note = { type: 'system', title: 't', message: 'm' };

  result.current.sendMessage(BOB, 'hi', TALK);
  result.current.sendTypingIndicator(TALK, true);
  result.current.sendNotification(BOB, note);
  act(() => result.current.acknowledgeNotification('n1'));

  await waitFor(() => expect(server.heard).toHaveLength(4));
  expect(server.heard.map((h) => [h.event, h.ack, h.args])).toEqual([
    [
      'message',
      false,
      [{ recipientId: BOB, message: 'hi', conversationId: TALK }],
    ],
    ['typing', false, [{ conversationId: TALK, isTyping: true }]],
    ['send_notification', false, [{ userId: BOB, ...note }]],
    ['notification_ack', false, [{ notificationId: 'n1' }]],
  ]);
});

test('without a connection a message warns, the rest is silent', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const { result } = renderHook(() =>
    useRealtime({ url: server.url, token: ALICE, shared: false }),
  );

  result.current.sendMessage(BOB, 'hi', TALK);
  result.current.sendTypingIndicator(TALK, true);
  result.current.sendNotification(BOB, { type: 't', title: '', message: '' });

  expect(warn.mock.calls).toEqual([['Socket not connected']]);
  await waitFor(() => expect(result.current.isConnected).toBe(true));
  expect(server.heard).toEqual([]);
});

test('a message comes as an event of the window, too', async () => {
  const details: unknown[] = [];
  const listen = (e: Event) => details.push((e as CustomEvent).detail);

  window.addEventListener('realtime:message', listen);
  await connected();

  const { id } = server.say(BOB, 'hi');

  await waitFor(() => expect(details).toHaveLength(1));
  expect(details[0]).toMatchObject({ id, message: 'hi', content: 'hi' });
  window.removeEventListener('realtime:message', listen);
});

test('notifications: newest first, each once, removed and cleared', async () => {
  const { result } = await connected();
  const note = (id: string) => ({
    id,
    type: 'system',
    title: id,
    message: 'm',
    timestamp: '',
  });

  for (const id of ['1', '2', '2', '3']) {
    server.io.emit('notification', note(id));
  }

  const ids = () => result.current.notifications.map((n) => n.id);

  await waitFor(() => expect(ids()).toEqual(['3', '2', '1']));
  act(() => result.current.removeNotification('2'));
  expect(ids()).toEqual(['3', '1']);
  act(() => result.current.clearNotifications());
  expect(ids()).toEqual([]);
});

test('what was taken away does not come back with the next connection', async () => {
  const { result } = await connected();
  const note = (id: string) =>
    server.io.emit('notification', {
      id,
      type: 'system',
      title: id,
      message: 'm',
      timestamp: '',
    });
  const ids = () => result.current.notifications.map((n) => n.id);

  note('1');
  note('2');
  await waitFor(() => expect(ids()).toEqual(['2', '1']));
  act(() => result.current.removeNotification('1'));
  act(() => result.current.clearNotifications());

  /* the server gives what is unread again */

  for (const id of ['1', '2', '3']) {
    note(id);
  }

  await waitFor(() => expect(ids()).toEqual(['3']));
});

test('what was read elsewhere is read here', async () => {
  const { result } = await connected();

  for (const id of ['1', '2']) {
    server.io.emit('notification', {
      id,
      type: 't',
      title: '',
      message: '',
      timestamp: '',
    });
  }

  server.io.emit('notification_read', { id: '1' });
  await waitFor(() =>
    expect(result.current.notifications.map((n) => n.read)).toEqual([
      undefined,
      true,
    ]),
  );

  server.io.emit('notification_read', { all: true });
  await waitFor(() => expect(result.current.notifications[0]?.read).toBe(true));
});

test('onlineUsers has who is there', async () => {
  const { result } = await connected();
  const online = () => [...result.current.onlineUsers].sort();

  server.io.emit('presence_state', [
    { userId: 'a', state: 'online' },
    { userId: 'b', state: 'busy' },
    { userId: 'c', state: 'offline', lastSeen: '2026-01-01T00:00:00.000Z' },
  ]);
  await waitFor(() => expect(online()).toEqual(['a', 'b']));

  server.io.emit('presence', { userId: 'a', state: 'offline' });
  await waitFor(() => expect(online()).toEqual(['b']));
});

test('typing is known by user and conversation, and ends by itself', async () => {
  const { result } = await connected();
  const typing = (isTyping: boolean) =>
    server.io.emit('user_typing', {
      userId: BOB,
      conversationId: TALK,
      isTyping,
      timestamp: '',
    });

  typing(true);
  await waitFor(() =>
    expect([...result.current.typingUsers.keys()]).toEqual([`${BOB}-${TALK}`]),
  );
  expect(result.current.getTypingUsers(TALK)).toMatchObject([{ userId: BOB }]);
  expect(result.current.getTypingUsers('other')).toEqual([]);

  typing(false);
  await waitFor(() => expect(result.current.typingUsers.size).toBe(0));

  typing(true);
  await waitFor(() => expect(result.current.typingUsers.size).toBe(1));
  await waitFor(() => expect(result.current.typingUsers.size).toBe(0), {
    timeout: 8000,
  });
}, 15_000);

test('malformed events change nothing and break nothing', async () => {
  const { result } = await connected();
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);

  for (const event of ['message', 'notification', 'presence', 'user_typing']) {
    for (const payload of [undefined, null, 1, 'x', [], {}]) {
      server.io.emit(event, payload);
    }
  }

  server.io.emit('no_such_event', {});
  server.io.emit('notification', {
    id: 'n',
    type: 't',
    title: '',
    message: '',
    timestamp: '',
  });

  await waitFor(() => expect(result.current.notifications).toHaveLength(1));
  expect(warn).toHaveBeenCalledTimes(25); // one of them for the unknown one
});

test('all hooks of a page share a connection, to the last one', async () => {
  const one = await connected();
  const two = await connected();

  expect(server.io.of('/').sockets.size).toBe(1);
  one.unmount();
  expect(two.result.current.isConnected).toBe(true);
  two.unmount();
  await waitFor(() => expect(server.io.of('/').sockets.size).toBe(0));
});

test('shared: false has one of its own', async () => {
  await connected();

  const { result } = renderHook(() =>
    useRealtime({ url: server.url, token: ALICE, shared: false }),
  );

  await waitFor(() => expect(result.current.isConnected).toBe(true));
  expect(server.io.of('/').sockets.size).toBe(2);
});

test('StrictMode mounts twice and connects once', async () => {
  let connections = 0;

  server.io.on('connection', () => connections++);

  const wrapper = ({ children }: { children: ReactNode }) => (
    <StrictMode>
      <RealtimeProvider url={server.url} token={ALICE}>
        {children}
      </RealtimeProvider>
    </StrictMode>
  );
  const { result } = renderHook(() => useRealtime(), { wrapper });

  await waitFor(() => expect(result.current.isConnected).toBe(true));
  expect(connections).toBe(1);
});

/* as nginx would have it: the user is in the token, and nowhere else */

function Inside() {
  useRealtime();
  return null;
}

const jwt = (id: string, more = {}) =>
  `x.${btoa(JSON.stringify({ id, ...more }))}.x`;

test('the token of another user is another connection', async () => {
  const names = () =>
    [...server.io.of('/').sockets.values()].map((s) => s.data.user);
  const at = (token: string) => (
    <RealtimeProvider url={server.url} token={token}>
      <Inside />
    </RealtimeProvider>
  );
  const { rerender } = render(at(jwt(ALICE)));

  await waitFor(() => expect(names()).toEqual([jwt(ALICE)]));
  rerender(at(jwt(BOB)));
  await waitFor(() => expect(names()).toEqual([jwt(BOB)]));
  expect(server.told('auth_refresh')).toEqual([]);

  rerender(at(jwt(BOB, { n: 2 })));
  await waitFor(() =>
    expect(server.told('auth_refresh')).toEqual([
      { token: jwt(BOB, { n: 2 }) },
    ]),
  );
  expect(names()).toEqual([jwt(BOB)]);
});

test('without a provider, too, a new token goes to the open socket', async () => {
  const { rerender, result } = renderHook(
    ({ token }) => useRealtime({ url: server.url, token }),
    { initialProps: { token: jwt(ALICE) } },
  );

  await waitFor(() => expect(result.current.isConnected).toBe(true));
  rerender({ token: jwt(ALICE, { n: 2 }) });
  await waitFor(() =>
    expect(server.told('auth_refresh')).toEqual([
      { token: jwt(ALICE, { n: 2 }) },
    ]),
  );
  expect(server.io.of('/').sockets.size).toBe(1);
});
