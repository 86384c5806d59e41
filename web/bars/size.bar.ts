// Copyright (C) ngx_realtime contributors

/* what a page has to load */

import { execFileSync } from 'node:child_process';
import { test } from 'vitest';
import { root } from '../e2e/browser.ts';
import { figure } from '../e2e/figure.ts';

interface Size {
  name: string;
  size: number; // kB, minified and compressed
  bar: number;
}

test('sizes', ({ task }) => {
  const text = execFileSync(process.execPath, ['scripts/size.js', '--json'], {
    cwd: `${root}web`,
    encoding: 'utf8',
  });

  for (const { name, size, bar } of JSON.parse(text) as Size[]) {
    figure(task, { what: name, value: size, unit: ' kB gz', most: bar });
  }
});
