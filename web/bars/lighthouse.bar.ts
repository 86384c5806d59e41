// Copyright (C) ngx_realtime contributors

/* Lighthouse, as on a telephone: the page of Alice, three times */

import { execFileSync } from 'node:child_process';
import { beforeAll, test } from 'vitest';
import { demo, freshTalk, post, root } from '../e2e/browser.ts';
import { figure, percentile } from '../e2e/figure.ts';

const RUNS = 3;
const LONGEST = 120_000; // ms, of one

type Result = Record<string, number>;

beforeAll(async () => {
  const talk = await freshTalk('alice', 'bob');

  for (const content of ['hello', 'see https://example.com/', 'and you?']) {
    await post('bob', `conversations/${talk}/messages`, { content });
  }
});

test('Lighthouse', { timeout: RUNS * LONGEST }, ({ task }) => {
  const runs: Result[] = [];

  for (let i = 0; i < RUNS; i++) {
    const text = execFileSync(
      process.execPath,
      [`${root}web/bars/lighthouse.js`, `${demo().url}?user=alice`],
      { encoding: 'utf8', timeout: LONGEST, maxBuffer: 2 ** 24 },
    );

    runs.push(JSON.parse(text));
  }

  const median = (name: string) =>
    percentile(
      runs.map((run) => run[name] ?? Number.NaN),
      0.5,
    );
  const score = (what: string, name: string, least: number) =>
    figure(task, {
      what: `Lighthouse, mobile: ${what}`,
      value: median(name),
      of: `${RUNS} runs, median`,
      least,
    });
  const time = (what: string, name: string) =>
    figure(task, {
      what: `... ${what}`,
      value: Math.round(median(name)),
      unit: ' ms',
    });

  score('performance', 'performance', 95);
  time('largest contentful paint', 'largest-contentful-paint');
  time('total blocking time', 'total-blocking-time');
  score('accessibility', 'accessibility', 100);
  score('best practices', 'best-practices', 100);
});
