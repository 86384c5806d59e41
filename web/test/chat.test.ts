// Copyright (C) ngx_realtime contributors

/* the chat of two people, each with a browser, on one server */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createConversation } from '../src/client/conversation.ts';
import { createRest } from '../src/client/rest.ts';
import { type Chat, createChat, createRealtime } from '../src/client.ts';
import { ALICE, BOB, startServer, TALK, type TestServer } from './server.ts';

let server: TestServer;
let stops: (() => void)[];

function browse(user: string): Chat {
  const chat = createChat(
    createRealtime({ url: server.url, token: user, userId: user }),
  );

  stops.push(chat.start());
  return chat;
}

function talk(chat: Chat) {
  const conversation = chat.conversation(TALK);

  stops.push(conversation.open());
  return {
    texts: () => conversation.state.get().messages.map((m) => m.content),
    states: () => conversation.state.get().messages.map((m) => m.state),
    state: conversation.state.get,
    conversation,
  };
}

beforeEach(async () => {
  stops = [];
  server = await startServer();
});

afterEach(async () => {
  for (const stop of stops) {
    stop();
  }

  await server.stop();
});

test('history, then what comes', async () => {
  server.say(BOB, 'old');

  const { texts } = talk(browse(ALICE));

  await vi.waitFor(() => expect(texts()).toEqual(['old']));
  await vi.waitFor(() => expect(server.io.of('/').sockets.size).toBe(1));
  server.say(BOB, 'new');
  await vi.waitFor(() => expect(texts()).toEqual(['old', 'new']));
});

test('a message is stored once and seen by both', async () => {
  const alice = browse(ALICE);
  const one = talk(alice);
  const two = talk(browse(BOB));

  await vi.waitFor(() => expect(one.state().phase).toBe('ready'));
  await vi.waitFor(() => expect(server.io.of('/').sockets.size).toBe(2));
  alice.send(TALK, 'hi');
  expect(one.texts()).toEqual(['hi']);

  await vi.waitFor(() => expect(two.texts()).toEqual(['hi']));
  await vi.waitFor(() => expect(one.states()).toEqual(['sent']));
  expect(server.rows).toHaveLength(1);
});

test('receipts go forward, for the messages of the one who sent them', async () => {
  const alice = browse(ALICE);
  const { states } = talk(alice);

  alice.send(TALK, 'a');
  await vi.waitFor(() => expect(states()).toEqual(['sent']));

  const upTo = server.rows[0]?.id;
  const receipt = { conversationId: TALK, userId: BOB, upTo, timestamp: '' };

  server.io.emit('message_delivered', receipt);
  await vi.waitFor(() => expect(states()).toEqual(['delivered']));
  server.io.emit('message_read', receipt);
  await vi.waitFor(() => expect(states()).toEqual(['read']));
  server.io.emit('message_delivered', receipt);
  server.say(BOB, 'end');
  await vi.waitFor(() => expect(states()).toEqual(['read', 'sent']));
});

test('what was missed while away is fetched, after the last one', async () => {
  server.say(BOB, 'first');

  const { texts } = talk(browse(ALICE));

  await vi.waitFor(() => expect(texts()).toEqual(['first']));
  await vi.waitFor(() => expect(server.io.of('/').sockets.size).toBe(1));

  /* a restart: nothing of the session is left, 60 messages later */

  server.io.disconnectSockets();

  for (let i = 0; i < 60; i++) {
    server.say(BOB, `missed ${i}`);
  }

  await vi.waitFor(() => expect(texts()).toHaveLength(61), 5000);
  expect(texts()[1]).toBe('missed 0');
  expect(server.asked.some((url) => url.includes('after='))).toBe(true);
});

test('a very large gap is left for scrolling', async () => {
  server.say(BOB, 'first');

  const { texts, state, conversation } = talk(browse(ALICE));

  await vi.waitFor(() => expect(texts()).toEqual(['first']));
  server.io.disconnectSockets();

  for (let i = 0; i < 1500; i++) {
    server.say(BOB, `missed ${i}`);
  }

  await vi.waitFor(() => expect(texts().at(-1)).toBe('missed 1499'), 5000);
  expect(texts()).toHaveLength(50);
  expect(state().hasEarlier).toBe(true);

  await conversation.loadEarlier();
  expect(texts()).toHaveLength(100);
  expect(texts()[0]).toBe('missed 1400');
});

test('seen: the server hears it once a second at most, others at once', async () => {
  const chat = browse(ALICE);
  const { states } = talk(chat);

  stops.push(chat.conversations.open());
  await vi.waitFor(() => expect(server.io.of('/').sockets.size).toBe(1));

  const ids = ['a', 'b', 'c'].map((text) => server.say(BOB, text).id);
  const unread = () => chat.conversations.state.get().rows[0]?.unread_count;

  await vi.waitFor(() => expect(states()).toHaveLength(3));
  await vi.waitFor(() => expect(unread()).toBe(3));

  for (const id of ids) {
    chat.seen(TALK, id);
  }

  expect(states()).toEqual(['read', 'read', 'read']);
  expect(unread()).toBe(0);
  await vi.waitFor(
    () =>
      expect(server.told('mark_as_read')).toEqual([
        { conversationId: TALK, upTo: ids[2] },
      ]),
    3000,
  );
});

test('two tabs agree on what is unread', async () => {
  const [one, two] = [browse(ALICE), browse(ALICE)];

  for (const chat of [one, two]) {
    talk(chat);
    stops.push(chat.conversations.open());
  }

  const unread = (chat: Chat) =>
    chat.conversations.state.get().rows[0]?.unread_count;

  await vi.waitFor(() => expect(server.io.of('/').sockets.size).toBe(2));

  const { id } = server.say(BOB, 'a');

  await vi.waitFor(() => expect([unread(one), unread(two)]).toEqual([1, 1]));
  one.seen(TALK, id);
  await vi.waitFor(() => expect([unread(one), unread(two)]).toEqual([0, 0]));
});

test('a conversation that is deleted while open says so', async () => {
  const chat = browse(ALICE);
  const { state } = talk(chat);

  stops.push(chat.conversations.open());
  await vi.waitFor(() =>
    expect(chat.conversations.state.get().rows).toHaveLength(1),
  );
  await vi.waitFor(() => expect(state().phase).toBe('ready'));
  server.io.emit('conversation_deleted', { conversationId: TALK });

  await vi.waitFor(() => expect(state().phase).toBe('gone'));
  expect(chat.conversations.state.get().rows).toEqual([]);
});

test('a conversation that does not exist says so', async () => {
  server.failRest = [
    404,
    { status: 'error', message: '', code: 'conversation_not_found' },
  ];

  const { state } = talk(browse(ALICE));

  await vi.waitFor(() => expect(state().phase).toBe('gone'));
});

test('a server that is unavailable is asked again when it said', async () => {
  server.say(BOB, 'old');
  server.failRest = [
    503,
    { status: 'error', message: '', code: 'unavailable' },
    { 'Retry-After': '1', 'Access-Control-Expose-Headers': 'Retry-After' },
  ];

  const { state, texts } = talk(browse(ALICE));

  await vi.waitFor(() => expect(state().phase).toBe('failed'));
  expect(state().error?.code).toBe('unavailable');
  server.failRest = null;
  await vi.waitFor(() => expect(texts()).toEqual(['old']), 4000);
});

test('a message that is refused can be sent again', async () => {
  const chat = browse(ALICE);
  const { state, states } = talk(chat);

  server.failSend = { code: 'content_invalid', message: 'no' };
  chat.send(TALK, 'a');
  await vi.waitFor(() => expect(states()).toEqual(['failed']));

  server.failSend = null;
  chat.retry(state().messages[0] as never);
  await vi.waitFor(() => expect(states()).toEqual(['sent']));
  expect(server.rows).toHaveLength(1);
});

test('a message that is refused can be thrown away', async () => {
  const chat = browse(ALICE);
  const { state, states } = talk(chat);

  server.failSend = { code: 'content_invalid', message: 'no' };
  chat.send(TALK, 'a');
  await vi.waitFor(() => expect(states()).toEqual(['failed']));
  chat.discard(state().messages[0] as never);
  await vi.waitFor(() => expect(states()).toEqual([]));
});

test('what was written offline goes out after a reload, once', async () => {
  server.refuse = { code: 'token_invalid', message: 'Authentication error' };

  const before = createChat(
    createRealtime({ url: server.url, token: ALICE, userId: ALICE }),
  );
  const stop = before.start();

  before.send(TALK, 'a');
  before.send(TALK, 'b');
  await new Promise((resolve) => setTimeout(resolve, 100));
  stop();
  expect(server.rows).toEqual([]);

  server.refuse = null;

  const { states, texts } = talk(browse(ALICE));

  await vi.waitFor(() => expect(states()).toEqual(['sent', 'sent']));
  expect(texts()).toEqual(['a', 'b']);
  expect(server.rows.map((r) => r.content)).toEqual(['a', 'b']);
});

test('a page that is under way does not stand for what came after it', async () => {
  const rest = createRest({ url: server.url, token: () => ALICE });
  let answered = 0;
  let release: () => void = () => undefined;

  const late = new Promise<void>((resolve) => {
    release = resolve;
  });
  const conversation = createConversation(
    TALK,
    {
      ...rest,
      async messages(...asked) {
        const page = await rest.messages(...asked);

        answered++;
        await late;
        return page;
      },
    },
    () => ALICE,
  );

  server.say(BOB, 'old');
  stops.push(conversation.open());
  await vi.waitFor(() => expect(answered).toBe(1));
  server.say(BOB, 'missed');
  conversation.refresh();
  release();
  await vi.waitFor(() =>
    expect(conversation.state.get().messages.map((m) => m.content)).toEqual([
      'old',
      'missed',
    ]),
  );
});
