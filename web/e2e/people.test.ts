// Copyright (C) ngx_realtime contributors

/* people who have no mouse, other languages, several tabs, no wish to see
 * things move */

import { afterAll, beforeEach, expect, test } from 'vitest';
import {
  demo,
  freshTalk,
  hasEvent,
  openTalk,
  post,
  quit,
  startTalk,
  texts,
  visit,
} from './browser.ts';

let talk: string;

beforeEach(async () => {
  talk = await freshTalk('alice', 'bob');
});

afterAll(quit);

test('with the keyboard alone: choose, write, send, look back', async () => {
  await post('bob', `conversations/${talk}/messages`, { content: 'hello' });

  const { page, close } = await visit('alice');
  const focus = () =>
    page.evaluate(() => document.activeElement?.textContent ?? '');

  await page.locator('.rt-conversation').first().waitFor();

  for (let i = 0; i < 20 && !/^B?Bob/.test(await focus()); i++) {
    await page.keyboard.press('Tab');
  }

  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Bob', level: 2 }).waitFor();

  for (let i = 0; i < 20; i++) {
    if (await page.locator('.rt-composer textarea:focus').count()) {
      break;
    }

    await page.keyboard.press('Tab');
  }

  await page.keyboard.type('by hand');
  await page.keyboard.press('Enter');
  await expect.poll(() => texts(page)).toEqual(['hello', 'by hand']);
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Home');
  await expect.poll(focus).toContain('hello');
  await close();
});

test.each([
  ['fr', 'fr'],
  ['tr', 'tr'],
  ['es', 'es'],
])('in %s nothing is left in English', async (lang, locale) => {
  const { page, close } = await visit('alice', { lang });

  await page.locator('.rt-conversation', { hasText: 'Bob' }).click();

  const chat = page.locator('.rt-chat');

  await expect.poll(() => chat.getAttribute('lang')).toBe(locale);
  await chat.locator('.rt-note').waitFor();
  expect(await chat.textContent()).not.toMatch(/No messages|Offline|Send/);
  await close();
});

test('what is read in one tab is read in the other', async () => {
  const { page, close } = await visit('alice');
  const other = await page.context().newPage();
  const unread = other
    .getByRole('navigation', { name: 'Conversations' })
    .getByRole('button', { name: /^Bob/ })
    .getByText('1 unread message');

  await startTalk('alice', 'carol');
  await openTalk(page, 'Carol');
  await other.goto(`${demo().url}?user=alice`);
  await openTalk(other, 'Carol');
  await post('bob', `conversations/${talk}/messages`, { content: 'hello' });
  await unread.waitFor({ state: 'attached' });
  await page.bringToFront();
  await openTalk(page, 'Bob');
  await unread.waitFor({ state: 'detached' });
  await close();
});

test.runIf(hasEvent('typing'))(
  'who wants nothing to move sees no dots jump',
  async () => {
    const bob = await visit('bob', {}, { reducedMotion: 'reduce' });
    const alice = await visit('alice');

    await openTalk(bob.page, 'Alice');
    await openTalk(alice.page, 'Bob');
    await alice.page.locator('.rt-composer textarea').pressSequentially('hel');
    await bob.page.locator('.rt-dots i').first().waitFor({ state: 'attached' });
    expect(
      await bob.page
        .locator('.rt-dots i')
        .first()
        .evaluate((dot) => getComputedStyle(dot).animationName),
    ).toBe('none');
    await alice.close();
    await bob.close();
  },
);
