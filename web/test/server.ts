// Copyright (C) ngx_realtime contributors

/*
 * The reference Socket.IO server, with as much of the chat as the tests of
 * this package need and everything they want to see: what clients emitted,
 * what REST was asked.  The token is the id of the user.  The module itself
 * is tested in e2e/.
 */

import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { uuid7 } from '../src/client/uuid7.ts';
import type { MessageRow } from '../src/client.ts';

export const ALICE = '11111111-1111-4111-8111-111111111111';
export const BOB = '22222222-2222-4222-8222-222222222222';
export const TALK = '01900000-0000-7000-8000-000000000000';

interface Heard {
  user: string;
  event: string;
  args: unknown[];
  ack: boolean;
}

type Answer = [status: number, body: object, headers?: Record<string, string>];

export interface TestServer {
  url: string;
  io: Server;
  heard: Heard[];
  asked: string[]; // REST, "GET /api/..."
  rows: MessageRow[];
  refuse: { code: string; message: string } | null;
  forbid: string | null; // the handshake, as with a bad cookie
  ahead: number; // ms, of the clock that "connected" is stamped with
  failSend: { code: string; message: string; retryAfter?: number } | null;
  failRest: Answer | null;
  notifications: boolean; // whether REST has them
  say: (from: string, content: string) => MessageRow;
  told: (event: string) => unknown[]; // first arguments of what was emitted
  stop: () => Promise<void>;
}

function row(from: string, content: string, clientId?: string): MessageRow {
  return {
    id: uuid7(),
    conversation_id: TALK,
    sender_id: from,
    content,
    client_id: clientId ?? null,
    read_at: null,
    delivered_at: null,
    created_at: new Date().toISOString(),
    is_read: false,
  };
}

export function payload(r: MessageRow) {
  return {
    senderId: r.sender_id,
    message: r.content,
    content: r.content,
    conversationId: r.conversation_id,
    timestamp: r.created_at,
    id: r.id,
    ...(r.client_id && { clientId: r.client_id }),
  };
}

function conversation(server: TestServer, user: string) {
  const last = server.rows.at(-1);

  return {
    id: TALK,
    created_by: ALICE,
    participant_id: BOB,
    title: 'Alice and Bob',
    created_at: '2026-01-01T00:00:00.000Z',
    updated_at: last?.created_at ?? '2026-01-01T00:00:00.000Z',
    last_message: last?.content ?? null,
    last_message_at: last?.created_at ?? null,
    unread_count: server.rows.filter((r) => r.sender_id !== user && !r.is_read)
      .length,
    other_user_id: user === ALICE ? BOB : ALICE,
  };
}

function page(server: TestServer, query: URLSearchParams): Answer {
  const limit = Number(query.get('limit')) || 100;
  const before = query.get('before');
  const after = query.get('after');
  const all = server.rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const found = all.filter(
    (r) => (!before || r.id < before) && (!after || r.id > after),
  );
  const data = after ? found.slice(0, limit) : found.slice(-limit);
  const hasMore = data.length > 0 && data[0]?.id !== all[0]?.id;

  return [200, { status: 'success', data, pagination: { hasMore } }];
}

const NOT_FOUND: Answer = [
  404,
  {
    status: 'error',
    message: 'Endpoint not found',
    code: 'endpoint_not_found',
  },
];

function answer(server: TestServer, user: string, url: URL): Answer {
  const ok = (data: unknown): Answer => [
    200,
    { status: 'success', data, pagination: { hasMore: false } },
  ];

  if (server.failRest) {
    return server.failRest;
  }

  switch (url.pathname) {
    case '/api/chat/conversations':
      return ok([conversation(server, user)]);
    case `/api/chat/conversations/${TALK}`:
      return ok(conversation(server, user));
    case `/api/chat/conversations/${TALK}/messages`:
      return page(server, url.searchParams);
    case '/api/notifications':
      return server.notifications ? ok([]) : NOT_FOUND;
    case '/api/notifications/unread/count':
      return server.notifications ? ok({ unreadCount: 0 }) : NOT_FOUND;
    default:
      return NOT_FOUND;
  }
}

function serve(server: TestServer, socket: Socket): void {
  const user: string = socket.data.user;

  socket.join(`user:${user}`);
  socket.emit('connected', {
    socketId: socket.id,
    userId: user,
    timestamp: new Date(Date.now() + server.ahead).toISOString(),
  });

  socket.onAny((event: string, ...args: unknown[]) => {
    const ack = typeof args.at(-1) === 'function';

    server.heard.push({
      user,
      event,
      args: ack ? args.slice(0, -1) : args,
      ack,
    });
  });

  socket.on('message_send', ({ content, clientId }, ack) => {
    const known = server.rows.find(
      (r) => r.sender_id === user && r.client_id === clientId,
    );

    if (server.failSend) {
      ack({ status: 'error', ...server.failSend });
      return;
    }

    const stored = known ?? row(user, content, clientId);

    if (!known) {
      server.rows.push(stored);
      socket.to(`user:${user}`).emit('message_sent', payload(stored));
      socket
        .to(`user:${user === ALICE ? BOB : ALICE}`)
        .emit('message', payload(stored));
    }

    ack({ status: 'success', data: stored });
  });

  for (const event of ['mark_as_read', 'auth_refresh', 'presence']) {
    socket.on(event, (_: unknown, ack?: (reply: object) => void) => {
      ack?.({ status: 'success', data: {} });
    });
  }
}

export async function startServer(): Promise<TestServer> {
  const http: HttpServer = createServer((request, response) => {
    const user = request.headers.authorization?.split(' ')[1] ?? '';
    const url = new URL(request.url ?? '', 'http://x');
    const cors = {
      'Access-Control-Allow-Origin': request.headers.origin ?? '*',
      'Access-Control-Allow-Credentials': 'true',
      'Access-Control-Allow-Headers': 'authorization, content-type',
      'Access-Control-Allow-Methods': 'GET, POST, PUT, DELETE',
    };

    if (request.method === 'OPTIONS') {
      response.writeHead(204, cors).end();
      return;
    }

    server.asked.push(`${request.method} ${request.url}`);

    const [status, body, headers] = answer(server, user, url);

    response
      .writeHead(status, { ...cors, ...headers })
      .end(JSON.stringify(body));
  });

  const io = new Server(http, {
    cors: { origin: true, credentials: true },
    connectionStateRecovery: {},
    pingInterval: 2000,
    allowRequest: (_, answer) => answer(server.forbid, server.forbid === null),
  });

  io.use((socket, next) => {
    if (server.refuse) {
      const { code, message } = server.refuse;

      next(Object.assign(new Error(message), { data: { code } }));
      return;
    }

    socket.data.user = socket.handshake.auth.token ?? ALICE;
    next();
  });

  const server: TestServer = {
    url: '',
    io,
    heard: [],
    asked: [],
    rows: [],
    refuse: null,
    forbid: null,
    ahead: 0,
    failSend: null,
    failRest: null,
    notifications: false,

    say(from, content) {
      const said = row(from, content);

      server.rows.push(said);
      io.to(`user:${from === ALICE ? BOB : ALICE}`).emit(
        'message',
        payload(said),
      );
      return said;
    },

    told: (event) =>
      server.heard.filter((h) => h.event === event).map((h) => h.args[0]),

    async stop() {
      await io.close();
      http.closeAllConnections();
    },
  };

  io.on('connection', (socket) => serve(server, socket));

  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  server.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;

  return server;
}
