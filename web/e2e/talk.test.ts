// Copyright (C) ngx_realtime contributors

/* two people in two windows */

import { afterAll, beforeEach, expect, test } from 'vitest';
import {
  freshTalk,
  hasEvent,
  inspected,
  openTalk,
  quit,
  say,
  sql,
  texts,
  user,
  visit,
} from './browser.ts';

let talk: string;

beforeEach(async () => {
  talk = await freshTalk('alice', 'bob');
});

afterAll(quit);

async function both() {
  const [alice, bob] = await Promise.all([visit('alice'), visit('bob')]);

  await openTalk(alice.page, 'Bob');
  await openTalk(bob.page, 'Alice');
  return { alice, bob };
}

function rows(): string[] {
  return sql(
    `select content from realtime.messages
     where conversation_id = '${talk}' order by id`,
  ).split('\n');
}

test('what one says, the other one sees, once and in order', async () => {
  const { alice, bob } = await both();
  const said: string[] = [];

  for (let i = 0; i < 10; i++) {
    said.push(`message ${i}`);
    await say(i % 2 ? bob.page : alice.page, `message ${i}`);
    await expect.poll(() => texts(alice.page)).toEqual(said);
    await expect.poll(() => texts(bob.page)).toEqual(said);
  }

  expect(rows()).toEqual(said);
  expect(await inspected(alice.page, 'Transport')).toBe('websocket');
  await alice.close();
  await bob.close();
});

test('text is text, in any script', async () => {
  const { alice, bob } = await both();
  const said = [
    '<img src=x onerror=alert(1)><script>alert(2)</script>',
    'مرحبا 👋🏽 https://example.com/?a=b',
    'it\'s a "test" & more',
  ];

  for (const text of said) {
    await say(alice.page, text);
  }

  await expect.poll(() => texts(bob.page)).toEqual(said);
  expect(await bob.page.locator('.rt-text img').count()).toBe(0);
  await alice.close();
  await bob.close();
});

test('a reload shows the same', async () => {
  const { alice, bob } = await both();

  await say(alice.page, 'one');
  await expect.poll(() => texts(bob.page)).toEqual(['one']);
  await bob.page.reload();
  await openTalk(bob.page, 'Alice');
  await expect.poll(() => texts(bob.page)).toEqual(['one']);
  await alice.close();
  await bob.close();
});

test('a second window of the same person shows what was sent', async () => {
  const one = await visit('alice');
  const two = await visit('alice');

  await openTalk(one.page, 'Bob');
  await openTalk(two.page, 'Bob');
  await say(one.page, 'from the first');
  await expect.poll(() => texts(two.page)).toEqual(['from the first']);
  expect(await two.page.locator('.rt-message[data-own]').count()).toBe(1);
  await one.close();
  await two.close();
});

test('unread is counted until it is seen', async () => {
  const carol = await visit('carol');
  const alice = await visit('alice');

  await freshTalk('alice', 'carol');
  await carol.page.reload();
  await openTalk(carol.page, 'Alice');
  await openTalk(alice.page, 'Bob');

  const entry = alice.page
    .getByRole('navigation', { name: 'Conversations' })
    .getByRole('button', { name: /^Carol/ });

  await say(carol.page, 'psst');
  await entry.getByText('1 unread message').waitFor();

  await entry.click();
  await entry.getByText('1 unread message').waitFor({ state: 'detached' });
  await carol.page.locator('.rt-state[data-state="read"]').waitFor();
  await alice.close();
  await carol.close();
});

test('polling only, it is the same', async () => {
  const alice = await visit('alice', { transport: 'polling' });
  const bob = await visit('bob', { transport: 'polling' });

  await openTalk(alice.page, 'Bob');
  await openTalk(bob.page, 'Alice');
  await say(alice.page, 'over HTTP');
  await expect.poll(() => texts(bob.page)).toEqual(['over HTTP']);
  await say(bob.page, 'and back');
  await expect.poll(() => texts(alice.page)).toEqual(['over HTTP', 'and back']);
  expect(await inspected(alice.page, 'Transport')).toBe('polling');
  await alice.close();
  await bob.close();
});

test.runIf(hasEvent('typing'))('typing is seen while it lasts', async () => {
  const { alice, bob } = await both();

  await alice.page.locator('.rt-composer textarea').pressSequentially('hel');
  await bob.page.getByText('Alice is typing...').waitFor();
  await bob.page
    .getByText('Alice is typing...')
    .waitFor({ state: 'detached', timeout: 10_000 });
  await alice.close();
  await bob.close();
});

test.runIf(hasEvent('presence'))('who is there has a dot', async () => {
  const bob = await visit('bob');

  await openTalk(bob.page, 'Alice');

  const header = bob.page.locator('.rt-header');
  const alice = await visit('alice');

  await header.getByText('Online').waitFor();
  await alice.close();
  await header.getByText('Offline').waitFor({ timeout: 30_000 });
  await bob.close();
});

test('a conversation that is deleted while open says so', async () => {
  const id = await freshTalk('alice', 'dave');
  const dave = await visit('dave');

  await openTalk(dave.page, 'Alice');

  const { page, close } = await visit('alice');

  await page.evaluate(
    ([path, token]) =>
      fetch(path as string, {
        method: 'DELETE',
        headers: { Authorization: `Bearer ${token}` },
      }),
    [`api/chat/conversations/${id}`, user('alice').token],
  );
  await dave.page.getByText('This conversation no longer exists.').waitFor();
  await dave.close();
  await close();
});
