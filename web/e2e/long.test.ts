// Copyright (C) ngx_realtime contributors

/* a conversation of ten thousand messages */

import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest';
import {
  freshTalk,
  openTalk,
  quit,
  say,
  sql,
  user,
  type Visit,
  visit,
} from './browser.ts';
import { figure } from './figure.ts';

const COUNT = 10_000;

let alice: Visit;

beforeAll(async () => {
  const talk = await freshTalk('alice', 'bob');

  /* ids of version 7, a second apart; lines of different length */

  sql(`insert into realtime.messages
         (id, conversation_id, sender_id, content, created_at, read_at)
       select (lpad(to_hex(ms), 12, '0') || '7000800000000000'
               || lpad(to_hex(i), 4, '0'))::uuid,
              '${talk}',
              (case when i % 3 = 0 then '${user('alice').id}'
                    else '${user('bob').id}' end)::uuid,
              'number ' || i || repeat(' and some more', i % 17),
              to_timestamp(ms / 1000.0), to_timestamp(ms / 1000.0)
       from generate_series(1, ${COUNT}) i,
            lateral (select 1700000000000 + i * 1000::bigint as ms) t`);

  alice = await visit('alice');
  await openTalk(alice.page, 'Bob');
});

afterAll(async () => {
  await alice.close();
  await quit();
});

const rows = () => alice.page.locator('.rt-message').count();
const scroller = () => alice.page.locator('.rt-scroll');

/* the place of the first message in sight, and which one it is */

function place() {
  return scroller().evaluate((box) => {
    const top = box.getBoundingClientRect().top;
    const first = [...box.querySelectorAll<HTMLElement>('.rt-message')].find(
      (row) => row.getBoundingClientRect().top >= top,
    );

    return {
      key: first?.dataset.key ?? '',
      index: first?.closest('[aria-posinset]')?.ariaPosInSet ?? '',
      y: first?.getBoundingClientRect().top ?? 0,
    };
  });
}

function fewRows(task: TestContext['task'], value: number): void {
  figure(task, {
    what: 'rows in the document',
    value,
    of: `looks at ${COUNT} messages`,
    below: 60,
  });
  expect(value).toBeLessThan(60);
}

test('it opens at its end, with few rows', async ({ task }) => {
  await scroller().getByText(`number ${COUNT} `).waitFor();
  fewRows(task, await rows());
});

/* what was asked to be drawn is */

function drawn(): Promise<void> {
  return alice.page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        requestAnimationFrame(() => requestAnimationFrame(() => resolve()));
      }),
  );
}

/* a slow machine gets sizes late, and some of them together */

test.for([1, 7])(
  'what is put in above does not move what is in sight, %i times slower',
  async (rate, { task }) => {
    const { page } = alice;
    const devtools = await page.context().newCDPSession(page);
    const held: (() => void)[] = [];
    let drift = 0;
    let most = 0;

    await devtools.send('Emulation.setCPUThrottlingRate', { rate });

    /* older ones stay away until the place is known */

    await page.route(/messages\?.*before=/, async (route) => {
      await new Promise<void>((resolve) => {
        held.push(resolve);
      });
      await route.continue();
    });

    for (let i = 0; i < 8; i++) {
      await scroller().evaluate((box) => {
        box.scrollTop = 300;
      });
      await expect.poll(() => held.length).toBe(1);
      await drawn();

      const before = await place();

      held.pop()?.();
      await page.waitForFunction(
        ({ key, index }) =>
          document
            .querySelector(`[data-key="${key}"]`)
            ?.closest('[aria-posinset]')?.ariaPosInSet !== index,
        before,
      );
      await drawn();

      const after = await page
        .locator(`[data-key="${before.key}"]`)
        .evaluate((row) => row.getBoundingClientRect().top);

      drift = Math.max(drift, Math.abs(after - before.y));
      most = Math.max(most, await rows());
    }

    figure(task, {
      what: `what is in sight moves when more is put in above, CPU / ${rate}`,
      value: drift,
      unit: ' px',
      of: '8 pages',
      most: 1,
    });
    expect(drift).toBeLessThanOrEqual(1);
    fewRows(task, most);

    await page.unroute(/messages\?.*before=/);
    await devtools.detach();
  },
);

test('what comes meanwhile is a pill, and a click goes there', async () => {
  const bob = await visit('bob');

  await openTalk(bob.page, 'Alice');
  await say(bob.page, 'look here');
  await alice.page.getByRole('button', { name: '1 new message' }).click();
  await scroller().getByText('look here').waitFor();
  await expect
    .poll(() =>
      scroller().evaluate(
        (box) => box.scrollHeight - box.scrollTop - box.clientHeight,
      ),
    )
    .toBeLessThan(2);
  await bob.close();
});
