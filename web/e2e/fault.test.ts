// Copyright (C) ngx_realtime contributors

/* the network, a worker, or the configuration goes away under two people */

import { randomUUID } from 'node:crypto';
import { afterAll, beforeEach, expect, test } from 'vitest';
import {
  backEnd,
  demo,
  freshTalk,
  inspected,
  master,
  openTalk,
  quit,
  say,
  sql,
  texts,
  tokenOf,
  user,
  type Visit,
  violations,
  visit,
  workers,
} from './browser.ts';

let alice: Visit;
let bob: Visit;
let talk: string;

beforeEach(async () => {
  talk = await freshTalk('alice', 'bob');
  [alice, bob] = await Promise.all([visit('alice'), visit('bob')]);
  await openTalk(alice.page, 'Bob');
  await openTalk(bob.page, 'Alice');
});

afterAll(quit);

async function end(): Promise<void> {
  await alice.close();
  await bob.close();
}

async function stored(): Promise<string[]> {
  return sql(
    `select content from realtime.messages
     where conversation_id = '${talk}' order by id`,
  ).split('\n');
}

async function connects(visited: Visit): Promise<number> {
  return Number.parseInt(await inspected(visited.page, 'Connected'), 10);
}

test('offline: what is written waits, what is said is caught up', async () => {
  await alice.page.context().setOffline(true);
  await alice.page.getByText('Not connected. Waiting...').waitFor();

  await say(alice.page, 'written offline 1');
  await say(alice.page, 'written offline 2');
  await say(bob.page, 'said meanwhile');
  await expect.poll(() => texts(bob.page)).toEqual(['said meanwhile']);
  expect(
    await alice.page.locator('.rt-message[data-state="queued"]').count(),
  ).toBe(2);

  await alice.page.context().setOffline(false);

  const all = ['said meanwhile', 'written offline 1', 'written offline 2'];

  await expect.poll(() => texts(alice.page), { timeout: 20_000 }).toEqual(all);
  await expect.poll(() => texts(bob.page)).toEqual(all);
  expect(await stored()).toEqual(all);
  await alice.page.getByText('Not connected').waitFor({ state: 'detached' });
  await end();
});

test('what was written offline survives a reload', async () => {
  const { page } = alice;

  /* the page itself can be had, what it asks for cannot */

  let cut = true;

  await page.route('**/socket.io/**', (route) =>
    cut ? route.abort() : route.continue(),
  );
  await page.routeWebSocket('**/socket.io/**', (socket) => {
    if (cut) {
      socket.close();
    } else {
      socket.connectToServer();
    }
  });
  await page.reload();
  await openTalk(page, 'Bob');
  await say(page, 'kept');
  await page.locator('.rt-message[data-state="queued"]').waitFor();

  cut = false;
  await page.reload();
  await openTalk(page, 'Bob');
  await expect
    .poll(() => texts(bob.page), { timeout: 20_000 })
    .toEqual(['kept']);
  expect(await stored()).toEqual(['kept']);
  await end();
});

test('a worker that is killed loses nothing', async () => {
  const before = [await connects(alice), await connects(bob)];

  await say(alice.page, 'before');
  await expect.poll(() => texts(bob.page)).toEqual(['before']);

  for (const pid of workers()) {
    process.kill(pid, 'SIGKILL');
  }

  await say(alice.page, 'after');
  await expect
    .poll(() => texts(bob.page), { timeout: 20_000 })
    .toEqual(['before', 'after']);
  await expect
    .poll(async () => [await connects(alice), await connects(bob)], {
      timeout: 20_000,
    })
    .toEqual(before.map((n) => n + 1));
  expect(await stored()).toEqual(['before', 'after']);
  await end();
});

test('a reload of nginx while typing takes nothing away', async () => {
  const field = alice.page.locator('.rt-composer textarea');

  await field.pressSequentially('half a sen');
  process.kill(master(), 'SIGHUP');
  await field.pressSequentially('tence');
  expect(await field.inputValue()).toBe('half a sentence');
  await field.press('Enter');

  await expect
    .poll(() => texts(bob.page), { timeout: 20_000 })
    .toEqual(['half a sentence']);
  expect(await stored()).toEqual(['half a sentence']);
  await end();
});

test('a token that has run out: said in words', async () => {
  const { page } = alice;

  await page.route('**/demo.json', (route) =>
    route.fulfill({
      json: { users: [{ ...user('alice'), token: tokenOf('alice', -3600) }] },
    }),
  );
  await page.goto(`${demo().url}?user=alice`);
  await page.getByText('You are no longer signed in.').first().waitFor();
  expect(await violations(page)).toEqual([]);
  await end();
});

test('a token that is revoked: said in words, and on with the next', async () => {
  const { page } = alice;
  const jti = randomUUID();
  let token = tokenOf('alice', 3600, { jti });

  await page.route('**/demo.json', (route) =>
    route.fulfill({
      json: { users: [{ ...user('alice'), token }, user('bob')] },
    }),
  );
  await page.goto(`${demo().url}?user=alice`);
  await openTalk(page, 'Bob');
  await say(page, 'before');
  await expect.poll(() => texts(bob.page)).toEqual(['before']);

  await backEnd('tokens/revoke', { jti });
  await page.getByText('You are no longer signed in.').first().waitFor();
  expect(await violations(page)).toEqual([]);
  await say(page, 'written meanwhile');
  await page.locator('.rt-message[data-state="queued"]').waitFor();

  token = user('alice').token;
  await page
    .locator('.rt-banner')
    .getByRole('button', { name: 'Try again' })
    .click();
  await expect
    .poll(() => texts(bob.page), { timeout: 20_000 })
    .toEqual(['before', 'written meanwhile']);
  await page.getByText('You are no longer').waitFor({ state: 'detached' });
  expect(await stored()).toEqual(['before', 'written meanwhile']);
  await end();
});
