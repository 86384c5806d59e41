// Copyright (C) ngx_realtime contributors

/*
 * Two tabs of one person: how long one still counts as unread what the other
 * shows as read.
 */

import type { Page } from 'playwright-core';
import { afterAll, expect, test } from 'vitest';
import {
  demo,
  freshTalk,
  openTalk,
  post,
  quit,
  startTalk,
  visit,
} from '../e2e/browser.ts';
import { figure, percentile } from '../e2e/figure.ts';

const MESSAGES = 40;

afterAll(quit);

declare global {
  var badgeGone: number[]; // when the badge of Bob has gone, each time
}

function watchBadge(page: Page): Promise<void> {
  return page.evaluate(() => {
    const list = document.querySelector('.rt-conversations') as HTMLElement;
    const unread = () =>
      [...list.querySelectorAll('.rt-conversation')].some(
        (row) =>
          row.querySelector('.rt-name')?.textContent === 'Bob' &&
          row.querySelector('.rt-badge'),
      );
    let before = unread();

    globalThis.badgeGone = [];

    new MutationObserver(() => {
      const now = unread();

      if (before && !now) {
        globalThis.badgeGone.push(performance.timeOrigin + performance.now());
      }

      before = now;
    }).observe(list, { childList: true, subtree: true, characterData: true });
  });
}

const readAt = (page: Page) => page.evaluate(() => globalThis.badgeGone);

test('two tabs agree on what is read', async ({ task }) => {
  const talk = await freshTalk('alice', 'bob');

  await startTalk('alice', 'carol');

  const { page, close } = await visit('alice');
  const other = await page.context().newPage();

  await other.goto(`${demo().url}?user=alice`);
  await openTalk(other, 'Carol');
  await page.bringToFront();
  await openTalk(page, 'Bob');
  await watchBadge(page);
  await watchBadge(other);

  for (let i = 1; i <= MESSAGES; i++) {
    await post('bob', `conversations/${talk}/messages`, { content: `${i}` });

    for (const tab of [page, other]) {
      await expect
        .poll(async () => (await readAt(tab)).length, { timeout: 10_000 })
        .toBe(i);
    }
  }

  const here = await readAt(page);
  const there = await readAt(other);
  const apart = here.map((at, i) => Math.abs((there[i] ?? Number.NaN) - at));
  const of = `${MESSAGES} messages`;

  figure(task, {
    what: 'read in one tab to read in the other, p50',
    value: percentile(apart, 0.5),
    unit: ' ms',
    of,
  });
  figure(task, {
    what: 'read in one tab to read in the other, longest',
    value: Math.max(...apart),
    unit: ' ms',
    of,
    most: 300,
  });
  await close();
});
