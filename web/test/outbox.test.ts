// Copyright (C) ngx_realtime contributors

import { beforeEach, expect, test, vi } from 'vitest';
import type { Ack } from '../src/client/events.ts';
import {
  createOutbox,
  type Outbox,
  type OutboxDeps,
  type OutboxEntry,
} from '../src/client/outbox.ts';
import type { MessageRow } from '../src/client/rest.ts';
import { createStorage } from '../src/client/storage.ts';
import { createTabs } from '../src/client/tabs.ts';
import { uuid7 } from '../src/client/uuid7.ts';

let scope: string;
let ready: boolean;
let sent: string[];
let reply: (entry: OutboxEntry) => Ack<MessageRow> | Promise<Ack<MessageRow>>;
let log: string[];

const ok = (): Ack<MessageRow> => ({
  status: 'success',
  data: {} as MessageRow,
});
const refusal = (code: string): Ack<MessageRow> => ({
  status: 'error',
  code,
  message: code,
});

function open(more: Partial<OutboxDeps> = {}): Outbox {
  return createOutbox({
    storage: createStorage(scope),
    lock: (run) => run(),
    ready: () => ready,
    async send(entry) {
      sent.push(entry.content);
      return reply(entry);
    },
    changed: (entry, state) => log.push(`${entry.content} ${state}`),
    ...more,
  });
}

function entry(content: string): OutboxEntry {
  return { clientId: uuid7(), conversationId: 'c', content, at: '' };
}

beforeEach(() => {
  scope = uuid7();
  ready = true;
  sent = [];
  log = [];
  reply = ok;
});

test('what is written is sent at once, and then forgotten', async () => {
  const outbox = open();

  await outbox.add(entry('a'));

  expect(log).toEqual(['a queued', 'a sending', 'a sent']);
  expect(await outbox.load()).toEqual([]);
});

test('without a connection it waits, and goes out in its order', async () => {
  const outbox = open();

  ready = false;
  await outbox.add(entry('a'));
  await outbox.add(entry('b'));
  expect(sent).toEqual([]);

  ready = true;
  await outbox.drain();
  expect(sent).toEqual(['a', 'b']);
});

test('it survives a reload', async () => {
  ready = false;
  await open().add(entry('a'));

  ready = true;
  await open().drain();
  expect(sent).toEqual(['a']);
});

test('what another user wrote here is not sent', async () => {
  ready = false;
  await open().add(entry('a'));

  ready = true;
  scope = uuid7();
  await open().drain();
  expect(sent).toEqual([]);
});

test('the next one waits for the ack of the last', async () => {
  const outbox = open();
  const acks: (() => void)[] = [];

  reply = () => new Promise((resolve) => acks.push(() => resolve(ok())));

  outbox.add(entry('a'));
  outbox.add(entry('b'));

  await vi.waitFor(() => expect(acks).toHaveLength(1));
  expect(sent).toEqual(['a']);

  acks[0]?.();
  await vi.waitFor(() => expect(sent).toEqual(['a', 'b']));
});

test('a lost ack is asked for again, with the same clientId', async () => {
  const outbox = open();
  const ids: string[] = [];

  reply = ({ clientId }) => {
    ids.push(clientId);
    ready = ids.length > 1;
    return ready ? ok() : refusal('timeout');
  };

  await outbox.add(entry('a'));
  ready = true;
  await outbox.drain();

  expect(ids).toHaveLength(2);
  expect(ids[0]).toBe(ids[1]);
});

test('a server that is busy gets it again later, before the next', async () => {
  const outbox = open();
  let busy = 2;

  reply = () => (busy-- > 0 ? refusal('busy') : ok());

  await outbox.add(entry('a'));
  await vi.waitFor(() => expect(log).toContain('a sent'), 5000);
  expect(sent).toEqual(['a', 'a', 'a']);
});

test('what is refused stays, as failed, and the next one goes on', async () => {
  const outbox = open();

  reply = ({ content }) =>
    content === 'a' ? refusal('content_too_long') : ok();

  await outbox.add(entry('a'));
  await outbox.add(entry('b'));
  await outbox.drain();

  expect(sent).toEqual(['a', 'b']);
  expect(await outbox.load()).toMatchObject([
    { content: 'a', error: { code: 'content_too_long' } },
  ]);
});

test('it can be sent again, or thrown away', async () => {
  const outbox = open();

  reply = () => refusal('content_invalid');
  await outbox.add(entry('a'));

  const [failed] = await outbox.load();

  reply = ok;
  await outbox.retry(failed as OutboxEntry);
  expect(log.at(-1)).toBe('a sent');

  reply = () => refusal('content_invalid');
  await outbox.add(entry('b'));
  await outbox.discard((await outbox.load())[0] as OutboxEntry);
  expect(await outbox.load()).toEqual([]);
  expect(log.at(-1)).toBe('b discarded');
});

test('two tabs send what waits once', async () => {
  const locks = new Map<string, Promise<unknown>>();

  /* as navigator.locks: in turn, for each name */

  vi.stubGlobal('navigator', {
    locks: {
      request(name: string, run: () => Promise<void>) {
        const turn = (locks.get(name) ?? Promise.resolve()).then(run);

        locks.set(name, turn);
        return turn;
      },
    },
  });

  const tabs = [1, 2].map(() => createTabs(scope, () => undefined));
  const [one, two] = tabs.map((tab) =>
    open({ lock: (run) => tab.lock('outbox', run) }),
  ) as [Outbox, Outbox];

  ready = false;

  for (let i = 0; i < 20; i++) {
    await (i % 2 ? one : two).add(entry(`${i}`));
  }

  ready = true;
  reply = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return ok();
  };
  await Promise.all([one.drain(), two.drain()]);

  expect(sent).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
  tabs.forEach((tab) => {
    tab.close();
  });
  vi.unstubAllGlobals();
});

test('a page that ends at once leaves what was written', async () => {
  const commit = vi.spyOn(IDBTransaction.prototype, 'commit');
  const outbox = open();

  ready = false;
  await outbox.add(entry('a'));

  /* not left to the answer, which the page may not live to see */

  expect(commit).toHaveBeenCalledTimes(1);
  expect(await createStorage(scope).all()).toHaveLength(1);
  commit.mockRestore();
});

test('without IndexedDB it works as long as the page is there', async () => {
  vi.spyOn(IDBFactory.prototype, 'open').mockImplementation(() => {
    throw new Error('no');
  });
  vi.resetModules();

  const { createStorage: fresh } = await import('../src/client/storage.ts');
  const outbox = open({ storage: fresh(scope) });

  ready = false;
  await outbox.add(entry('a'));
  ready = true;
  await outbox.drain();

  expect(sent).toEqual(['a']);
});
