// Copyright (C) ngx_realtime contributors

/* axe, in every state that a person may meet */

import type { Page } from 'playwright-core';
import { afterAll, beforeEach, expect, type TestContext, test } from 'vitest';
import {
  freshTalk,
  openTalk,
  post,
  quit,
  say,
  texts,
  violations,
  visit,
} from './browser.ts';
import { figure } from './figure.ts';

let talk: string;

beforeEach(async () => {
  talk = await freshTalk('alice', 'bob');
});

afterAll(quit);

async function check(page: Page, { task }: TestContext): Promise<void> {
  const found = await violations(page);

  figure(task, {
    what: 'axe: rules that a state breaks',
    value: found.length,
    of: 'states',
    most: 0,
  });
  expect(found).toEqual([]);
}

test('signing in', async (context) => {
  const { page, close } = await visit('');

  await page.getByRole('link', { name: 'Alice' }).waitFor();
  await check(page, context);
  await close();
});

test('an empty conversation', async (context) => {
  const { page, close } = await visit('alice');

  await openTalk(page, 'Bob');
  await page.getByText('No messages yet. Start the conversation!').waitFor();
  await check(page, context);
  await close();
});

test('loading', async (context) => {
  const { page, close } = await visit('alice');

  await page.route('**/messages?*', () => undefined);
  await openTalk(page, 'Bob');
  await page.reload();
  await page.locator('.rt-chat').getByText('Loading messages...').waitFor();
  await check(page, context);
  await close();
});

const looks: [string, Record<string, string>, object][] = [
  ['light', {}, {}],
  ['dark', { theme: 'dark' }, {}],
  ['dark by the system', {}, { colorScheme: 'dark' }],
  ['right to left', { dir: 'rtl' }, {}],
  ['Turkish', { lang: 'tr' }, {}],
  ['320 px wide', {}, { viewport: { width: 320, height: 640 } }],
  [
    '200 % zoom',
    {},
    { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 },
  ],
  ['forced colours', {}, { forcedColors: 'active' }],
];

test.for(looks)('messages, %s', async ([, query, options], context) => {
  await post('bob', `conversations/${talk}/messages`, {
    content: 'see https://example.com/',
  });

  const { page, close } = await visit('alice', query, options);

  await page.locator('.rt-conversation', { hasText: 'Bob' }).click();
  await expect.poll(() => texts(page)).toHaveLength(1);
  await say(page, 'thanks');
  await expect.poll(() => texts(page)).toHaveLength(2);
  await check(page, context);

  const { scroll, width } = await page.evaluate(() => ({
    scroll: document.documentElement.scrollWidth,
    width: document.documentElement.clientWidth,
  }));

  expect(scroll).toBeLessThanOrEqual(width);
  await close();
});

test('offline, with a message that waits', async (context) => {
  const { page, close } = await visit('alice');

  await openTalk(page, 'Bob');
  await page.context().setOffline(true);
  await page.getByText('Not connected. Waiting...').waitFor();
  await say(page, 'later');
  await page.locator('.rt-message[data-state="queued"]').waitFor();
  await check(page, context);
  await page.context().setOffline(false);
  await close();
});

test('a message that failed', async (context) => {
  const { page, close } = await visit('alice');

  await openTalk(page, 'Bob');
  await say(page, 'no\u0000thing');
  await page.getByRole('button', { name: 'Send again' }).waitFor();
  await check(page, context);
  await page.getByRole('button', { name: 'Delete' }).click();
  await close();
});

test('the bell, open', async (context) => {
  const { page, close } = await visit('alice');

  await page.getByRole('button', { name: 'Notifications' }).click();
  await page.getByRole('dialog').waitFor();
  await check(page, context);
  await close();
});
