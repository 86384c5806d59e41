// Copyright (C) ngx_realtime contributors

/*
 * The table of what the tests have measured, to the console, and with
 * BARS_WRITE=1 into bench/README.md.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { basename } from 'node:path';
import type { Reporter, TestCase } from 'vitest/node';
import type { Figure } from '../e2e/figure.ts';
import { files } from './vitest.config.ts';

interface Line extends Figure {
  count: number; // figures that it stands for
  file: number; // its place in the table
}

const readme = new URL('../../bench/README.md', import.meta.url);
const load = loadavg()[0] ?? 0;

function met({ value, least, most, below }: Figure): boolean {
  return (
    value >= (least ?? Number.NEGATIVE_INFINITY) &&
    value <= (most ?? Number.POSITIVE_INFINITY) &&
    value < (below ?? Number.POSITIVE_INFINITY)
  );
}

function worse(a: Figure, b: Figure): boolean {
  return a.least === undefined ? a.value > b.value : a.value < b.value;
}

function digits(value: number): string {
  return Number.isInteger(value) ? `${value}` : value.toFixed(1);
}

function asked(one: Figure): string {
  const { least, most, below } = one;
  const bars = [
    least === undefined ? '' : `>= ${least}`,
    most === undefined ? '' : `<= ${most}`,
    below === undefined ? '' : `< ${below}`,
  ].filter(Boolean);

  return bars.join(', ') + (met(one) ? '' : ', **missed**');
}

function row(line: Line): string {
  const { what, value, unit = '', of = '' } = line;
  const many = line.count > 1 ? `${line.count} ${of}` : of;

  return `| ${what} | ${digits(value)}${unit} | ${asked(line)} | ${many} |`;
}

export default class Bars implements Reporter {
  private lines = new Map<string, Line>();
  private failed: string[] = [];

  onTestCaseResult(test: TestCase): void {
    const { figures = [] } = test.meta();
    const file = files.findIndex((name) => test.module.moduleId.endsWith(name));

    for (const one of figures) {
      const known = this.lines.get(one.what);
      const worst = known && !worse(one, known) ? known : one;

      this.lines.set(one.what, {
        ...worst,
        count: (known?.count ?? 0) + 1,
        file,
      });
    }

    if (test.result().state === 'failed') {
      this.failed.push(`${basename(test.module.moduleId)}: ${test.fullName}`);
    }
  }

  onTestRunEnd(): void {
    const lines = [...this.lines.values()].sort((a, b) => a.file - b.file);
    const table = [
      `Load average before: ${load.toFixed(2)}.`,
      '',
      '| | | asked | of |',
      '|---|---:|---|---|',
      ...lines.map(row),
    ].join('\n');

    process.stdout.write(`\n${table}\n\n`);

    if (this.failed.length > 0) {
      process.stdout.write(`Failed, not all is in the table:\n`);
      process.stdout.write(`${this.failed.join('\n')}\n`);
      return;
    }

    if (process.env.BARS_WRITE) {
      const text = readFileSync(readme, 'utf8');
      const place = /(<!-- web -->\n)[\s\S]*?(<!-- \/web -->)/;

      if (!place.test(text)) {
        throw new Error('bench/README.md has no place for the table');
      }

      writeFileSync(
        readme,
        text.replace(place, (_, begin, end) => `${begin}${table}\n${end}`),
      );
    }
  }
}
