// Copyright (C) ngx_realtime contributors

/*
 * From the key that sends a message until the other window has painted it.
 * Both windows are on this machine and read the same clock; the first frame
 * after the message is in the document is waited for, and drawn.
 */

import type { Page } from 'playwright-core';
import { afterAll, expect, test } from 'vitest';
import { freshTalk, openTalk, quit, say, visit } from '../e2e/browser.ts';
import { figure, percentile } from '../e2e/figure.ts';

const SENDS = 300;
const PAUSE = 50; // ms between sends, and as much again at random

afterAll(quit);

type Times = Record<string, number>; // by the text of the message

declare global {
  var stamps: Times;
}

/* when the key was pressed */

function watchKeys(page: Page): Promise<void> {
  return page.evaluate(() => {
    globalThis.stamps = {};

    document.addEventListener(
      'keydown',
      (event) => {
        if (event.key === 'Enter') {
          const { value } = event.target as HTMLTextAreaElement;

          globalThis.stamps[value] = performance.timeOrigin + performance.now();
        }
      },
      true,
    );
  });
}

/* when the frame was drawn that shows it */

function watchPaint(page: Page): Promise<void> {
  return page.evaluate(() => {
    const seen = new Set<string>();
    const chat = document.querySelector('.rt-chat') as HTMLElement;

    function painted(text: string): void {
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();

        port1.onmessage = () => {
          globalThis.stamps[text] = performance.timeOrigin + performance.now();
        };
        port2.postMessage(0);
      });
    }

    globalThis.stamps = {};

    new MutationObserver(() => {
      const rows = [...chat.querySelectorAll('.rt-message .rt-text')].slice(-5);

      for (const row of rows) {
        const text = row.textContent;

        if (!seen.has(text)) {
          seen.add(text);
          painted(text);
        }
      }
    }).observe(chat, { childList: true, subtree: true, characterData: true });
  });
}

const times = (page: Page) => page.evaluate(() => globalThis.stamps);

test('what one sends is painted in the window of the other', async ({
  task,
}) => {
  await freshTalk('alice', 'bob');

  const [alice, bob] = await Promise.all([visit('alice'), visit('bob')]);

  await openTalk(alice.page, 'Bob');
  await openTalk(bob.page, 'Alice');
  await watchKeys(alice.page);
  await watchPaint(bob.page);

  for (let i = 0; i < SENDS; i++) {
    await say(alice.page, `number ${i}`);
    await alice.page.waitForTimeout(PAUSE * (1 + Math.random()));
  }

  await expect
    .poll(async () => Object.keys(await times(bob.page)).length)
    .toBe(SENDS);

  const sent = await times(alice.page);
  const delays = Object.entries(await times(bob.page)).map(
    ([text, at]) => at - (sent[text] ?? Number.NaN),
  );
  const what = 'send to paint in the other window';
  const of = `${SENDS} sends`;

  figure(task, {
    what: `${what}, p50`,
    value: percentile(delays, 0.5),
    unit: ' ms',
    of,
  });
  figure(task, {
    what: `${what}, p99`,
    value: percentile(delays, 0.99),
    unit: ' ms',
    of,
    below: 60,
  });
  await alice.close();
  await bob.close();
});
