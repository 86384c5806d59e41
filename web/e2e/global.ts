// Copyright (C) ngx_realtime contributors

/*
 * A demo of the tests' own: they kill its workers and delete what was said.
 * DEMO_DIR names one that is there already, and is left as it is.
 */

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './browser.ts';

export default function setup(): (() => void) | undefined {
  if (process.env.DEMO_DIR) {
    return undefined;
  }

  const dir = mkdtempSync(join(tmpdir(), 'ngx_realtime.'));
  const run = (...args: string[]) =>
    execFileSync(`${root}dev`, ['demo', ...args], { stdio: 'inherit' });

  /* Postgres and the workers run as other users */

  chmodSync(dir, 0o755);
  process.env.DEMO_DIR = dir;
  run('--detach', '--workers', '2');

  return () => {
    run('stop');
    rmSync(dir, { recursive: true });
  };
}
