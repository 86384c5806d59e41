// Copyright (C) ngx_realtime contributors

/* a demo for the tests, if there is none already */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { root } from './browser.ts';

export default function setup(): (() => void) | undefined {
  if (existsSync(`${root}.demo/demo.json`)) {
    return undefined;
  }

  const run = (...args: string[]) =>
    execFileSync(`${root}dev`, ['demo', ...args], { stdio: 'inherit' });

  run('--detach', '--workers', '2');
  return () => run('stop');
}
