// Copyright (C) ngx_realtime contributors

/* lists that could not be fetched, or are answered late */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  type Conversation,
  createConversation,
} from '../src/client/conversation.ts';
import { createConversations } from '../src/client/conversations.ts';
import { inboxOf } from '../src/client/inbox.ts';
import { createRest, type Rest, RestError } from '../src/client/rest.ts';
import { createRetry } from '../src/client/retry.ts';
import { fromEvent } from '../src/client/timeline.ts';
import { createChat, createRealtime } from '../src/client.ts';
import {
  ALICE,
  BOB,
  payload,
  startServer,
  TALK,
  type TestServer,
} from './server.ts';

let server: TestServer;
let rest: Rest;
let stops: (() => void)[];

beforeEach(async () => {
  stops = [];
  server = await startServer();
  rest = createRest({ url: server.url, token: () => ALICE });
});

afterEach(async () => {
  for (const stop of stops) {
    stop();
  }

  await server.stop();
});

const down = (status: number, code: string): TestServer['failRest'] => [
  status,
  { status: 'error', message: '', code },
];

/* an answer that is held back until it is let go */

function held<A extends unknown[], R>(run: (...args: A) => Promise<R>) {
  const waiting: (() => void)[] = [];

  return {
    waiting,
    async call(...args: A): Promise<R> {
      const answer = await run(...args);

      await new Promise<void>((resolve) => {
        waiting.push(resolve);
      });
      return answer;
    },
  };
}

test.each([
  [500, 'internal'],
  [502, 'bad_gateway'],
  [429, 'too_many_requests'],
])(
  'the list of conversations asks again by itself after %i',
  async (...why) => {
    server.failRest = down(...why);

    const { state, open } = createConversations(rest);

    stops.push(open());
    await vi.waitFor(() => expect(state.get().phase).toBe('failed'));
    expect(state.get().error?.code).toBe(why[1]);
    server.failRest = null;
    await vi.waitFor(() => expect(state.get().rows).toHaveLength(1), 4000);
    expect(state.get()).toMatchObject({ phase: 'ready', error: undefined });
  },
);

test('it asks again by itself when there was no network', async () => {
  const { url } = server;

  await server.stop();

  const { state, open } = createConversations(createRest({ url }));

  stops.push(open());
  await vi.waitFor(() => expect(state.get().error?.code).toBe('offline'));

  /* nobody is there: it would have to ask that port again */

  const fetched = vi.spyOn(globalThis, 'fetch');

  await vi.waitFor(() => expect(fetched).toHaveBeenCalled(), 4000);
});

test('what is refused for good is not asked for again and again', async () => {
  server.failRest = down(403, 'origin_not_allowed');

  const { state, open } = createConversations(rest);

  stops.push(open());
  await vi.waitFor(() => expect(state.get().phase).toBe('failed'));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(server.asked).toHaveLength(1);
});

test('a list that nobody shows asks for nothing', async () => {
  server.failRest = down(500, 'internal');

  const { state, open } = createConversations(rest);
  const close = open();

  await vi.waitFor(() => expect(state.get().phase).toBe('failed'));
  close();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(server.asked).toHaveLength(1);
});

test('later and later, not before the server said, not all at once', () => {
  vi.useFakeTimers();

  const run = vi.fn();
  const retry = createRetry(run);
  const delays = new Set<number>();

  for (let i = 0; i < 20; i++) {
    const began = Date.now();
    const error = new RestError('busy', '', 503, 2);

    retry.later(error);
    vi.advanceTimersToNextTimer();

    const delay = Date.now() - began;

    expect(delay).toBeGreaterThanOrEqual(2000 + Math.min(500 * 2 ** i, 15_000));
    expect(delay).toBeLessThanOrEqual(2000 + Math.min(1000 * 2 ** i, 30_000));
    delays.add(delay);
  }

  expect(run).toHaveBeenCalledTimes(20);
  expect(delays.size).toBeGreaterThan(10);
  retry.later(new RestError('busy', '', 503));
  retry.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

test('"show more" during another answer is not forgotten', async () => {
  const row = (await rest.conversations()).data[0] as never as object;
  const first = held(async () => ({
    data: [{ ...row, id: 'first' } as never],
    pagination: { hasMore: true, nextCursor: 'c' },
  }));
  const asked: (string | undefined)[] = [];
  const list = createConversations({
    ...rest,
    async conversations(q) {
      asked.push(q?.cursor);
      return q?.cursor
        ? {
            data: [{ ...row, id: 'second' } as never],
            pagination: { hasMore: false },
          }
        : first.call();
    },
  });

  stops.push(list.open());
  await vi.waitFor(() => expect(first.waiting).toHaveLength(1));
  first.waiting.pop()?.();
  await vi.waitFor(() => expect(list.state.get().hasMore).toBe(true));
  list.refresh();
  await vi.waitFor(() => expect(first.waiting).toHaveLength(1));

  const more = list.loadMore();

  first.waiting.pop()?.();
  await more;
  expect(asked).toEqual([undefined, undefined, 'c']);
  expect(list.state.get().rows).toHaveLength(2);
});

/* -- one conversation */

function open(more: Partial<Rest>): Conversation {
  const conversation = createConversation(
    TALK,
    { ...rest, ...more },
    () => ALICE,
  );

  stops.push(conversation.open());
  return conversation;
}

const texts = (one: Conversation) =>
  one.state.get().messages.map((m) => m.content);

test('deleted while earlier ones are under way, it stays deleted', async () => {
  for (let i = 0; i < 60; i++) {
    server.say(BOB, `${i}`);
  }

  const earlier = held(rest.messages);
  const conversation = open({
    messages: (id, q) =>
      q?.before ? earlier.call(id, q) : rest.messages(id, q),
  });

  await vi.waitFor(() => expect(texts(conversation)).toHaveLength(50));

  const loading = conversation.loadEarlier();

  await vi.waitFor(() => expect(earlier.waiting).toHaveLength(1));
  conversation.gone();
  earlier.waiting[0]?.();
  await loading;
  expect(conversation.state.get()).toMatchObject({
    phase: 'gone',
    messages: [],
    loadingEarlier: false,
  });
});

test('deleted while a gap is filled, it stays deleted', async () => {
  server.say(BOB, 'first');

  const gap = held(rest.messages);
  const conversation = open({
    messages: (id, q) => (q?.after ? gap.call(id, q) : rest.messages(id, q)),
  });

  await vi.waitFor(() => expect(texts(conversation)).toEqual(['first']));

  for (let i = 0; i < 1500; i++) {
    server.say(BOB, `${i}`);
  }

  const refreshed = conversation.refresh();

  await vi.waitFor(() => expect(gap.waiting).toHaveLength(1));
  conversation.gone();

  for (let i = 0; i < 5; i++) {
    await vi.waitFor(() => expect(gap.waiting).toHaveLength(1));
    gap.waiting.pop()?.();
  }

  await refreshed;
  expect(conversation.state.get()).toMatchObject({
    phase: 'gone',
    messages: [],
  });
});

test('what comes while a large gap is given up is kept', async () => {
  server.say(BOB, 'first');

  const gap = held(rest.messages);
  const conversation = open({
    messages: (id, q) => (q?.after ? gap.call(id, q) : rest.messages(id, q)),
  });

  await vi.waitFor(() => expect(texts(conversation)).toEqual(['first']));

  for (let i = 0; i < 1500; i++) {
    server.say(BOB, `${i}`);
  }

  const refreshed = conversation.refresh();

  await vi.waitFor(() => expect(gap.waiting).toHaveLength(1));
  conversation.apply([fromEvent(payload(server.say(BOB, 'just now')))]);

  for (let i = 0; i < 5; i++) {
    await vi.waitFor(() => expect(gap.waiting).toHaveLength(1));
    gap.waiting.pop()?.();
  }

  await refreshed;
  expect(texts(conversation).slice(-2)).toEqual(['1499', 'just now']);
});

test('earlier ones of what was given up leave no hole', async () => {
  for (let i = 0; i < 60; i++) {
    server.say(BOB, `old ${i}`);
  }

  const earlier = held(rest.messages);
  const conversation = open({
    messages: (id, q) =>
      q?.before ? earlier.call(id, q) : rest.messages(id, q),
  });

  await vi.waitFor(() => expect(texts(conversation)).toHaveLength(50));

  const loading = conversation.loadEarlier();

  await vi.waitFor(() => expect(earlier.waiting).toHaveLength(1));

  for (let i = 0; i < 1500; i++) {
    server.say(BOB, `${i}`);
  }

  await conversation.refresh();
  expect(texts(conversation)[0]).toBe('1450');
  earlier.waiting[0]?.();
  await loading;
  expect(texts(conversation)[0]).toBe('1450');
  expect(conversation.state.get().hasEarlier).toBe(true);
});

/* -- notifications */

function inbox(more: Partial<Rest>) {
  const realtime = createRealtime({
    url: server.url,
    token: ALICE,
    userId: ALICE,
  });
  const chat = createChat(realtime);
  const made = inboxOf(realtime, { ...chat, rest: { ...rest, ...more } });

  stops.push(chat.start(), made.open());
  return made;
}

const note = (id: string) => ({
  id,
  type: 'system',
  title: id,
  message: '',
  timestamp: new Date().toISOString(),
});

test('the bell asks again by itself', async () => {
  server.notifications = true;
  server.failRest = down(503, 'unavailable');

  const { state } = inbox({});

  await vi.waitFor(() => expect(state.get().phase).toBe('failed'));
  server.failRest = null;
  await vi.waitFor(() => expect(state.get().phase).toBe('ready'), 4000);
});

test('one that comes while they are counted is counted', async () => {
  let unread = 0;
  const count = held(async () => unread);
  const { state } = inbox({
    notifications: async () => ({ data: [], pagination: { hasMore: false } }),
    unreadNotifications: count.call,
  });

  await vi.waitFor(() => expect(server.io.of('/').sockets.size).toBe(1));
  await vi.waitFor(() => expect(count.waiting.length).toBeGreaterThan(0));
  unread = 1;
  server.io.emit('notification', note('n'));
  await vi.waitFor(() => expect(state.get().unread).toBe(1));

  const timer = setInterval(() => count.waiting.pop()?.(), 10);

  stops.push(() => clearInterval(timer));
  await vi.waitFor(() => expect(state.get().phase).toBe('ready'));
  await vi.waitFor(() => expect(state.get().unread).toBe(1));
});

test('what cannot be written is said, and not wiped out', async () => {
  server.notifications = true;

  const refuse = async () => {
    throw new RestError('unavailable', '', 503);
  };
  const { state, markAllRead } = inbox({ readAllNotifications: refuse });

  await vi.waitFor(() => expect(state.get().phase).toBe('ready'));
  markAllRead();
  await vi.waitFor(() => expect(state.get().error?.code).toBe('unavailable'));
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(state.get().error?.code).toBe('unavailable');
});
