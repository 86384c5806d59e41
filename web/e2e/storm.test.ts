// Copyright (C) ngx_realtime contributors

/*
 * Sends while workers are killed, the network is cut and the page is loaded
 * again, at random: each is stored once, in the order in which it was
 * written.  SENDS=1000 is for a release; STORM is the number that a run
 * which failed has printed.
 */

import { afterAll, expect, type TestContext, test } from 'vitest';
import {
  freshTalk,
  openTalk,
  quit,
  say,
  sql,
  texts,
  visit,
  workers,
} from './browser.ts';
import { figure } from './figure.ts';

const SENDS = Number(process.env.SENDS ?? 60);
const seed = Number(process.env.STORM ?? Date.now() % 1_000_000);

afterAll(quit);

/* the same numbers from the same seed */

function random(): () => number {
  let state = seed;

  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function record(
  task: TestContext['task'],
  said: string[],
  stored: string[],
): void {
  const there = new Set(stored);
  const count = (what: string, value: number) =>
    figure(task, {
      what: `storm: ${what}`,
      value,
      of: `${said.length} sends, seed ${seed}`,
      most: 0,
    });

  count('lost', said.filter((text) => !there.has(text)).length);
  count('stored twice', stored.length - there.size);
  count(
    'out of order',
    stored.filter((text, i) => Number(text) < Number(stored[i - 1] ?? -1))
      .length,
  );
}

test(
  `${SENDS} sends in a storm: each once, in order`,
  async ({ task }) => {
    const talk = await freshTalk('alice', 'bob');
    const alice = await visit('alice');
    const bob = await visit('bob');
    const { page } = alice;
    const next = random();
    const said: string[] = [];
    let cut = 0; // sends until the network is back

    process.stderr.write(`STORM=${seed}\n`);
    await openTalk(page, 'Bob');
    await openTalk(bob.page, 'Alice');

    for (let i = 0; i < SENDS; i++) {
      const dice = next();

      said.push(`${i}`);
      await say(page, `${i}`);

      if (cut > 0) {
        if (--cut === 0) {
          await page.context().setOffline(false);
        }
      } else if (dice < 0.04) {
        const pids = workers();
        const pid = pids[Math.floor(next() * pids.length)];

        /* none, if nginx is not yet done with the last ones */

        if (pid) {
          process.kill(pid, 9);
        }
      } else if (dice < 0.08) {
        cut = 1 + Math.floor(next() * 10);
        await page.context().setOffline(true);
      } else if (dice < 0.1) {
        await page.reload();
        await openTalk(page, 'Bob');
      }
    }

    await page.context().setOffline(false);

    const stored = () =>
      sql(
        `select content from realtime.messages
         where conversation_id = '${talk}' order by id`,
      ).split('\n');

    try {
      await expect
        .poll(stored, { timeout: 120_000 + SENDS * 100, interval: 250 })
        .toEqual(said);
    } finally {
      record(task, said, stored());
    }

    /* both see the end of it */

    for (const one of [alice, bob]) {
      await expect
        .poll(() => texts(one.page).then((all) => all.at(-1)), {
          timeout: 60_000,
        })
        .toBe(`${SENDS - 1}`);
    }

    await alice.close();
    await bob.close();
  },
  400_000 + SENDS * 1000,
);
