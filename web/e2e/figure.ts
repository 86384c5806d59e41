// Copyright (C) ngx_realtime contributors

/*
 * What a test has measured.  Nobody sees it in a test run; "tools/web bars"
 * makes its table of them, see bars/report.ts.  Figures of the same name, from
 * several tests, become one line with the worst of them.
 */

import type { TaskMeta } from 'vitest';

export interface Figure {
  what: string;
  value: number;
  unit?: string; // " ms"
  of?: string; // what it was taken of, "300 sends"; "states" is counted
  least?: number; // what is asked; of some nothing is
  most?: number;
  below?: number;
}

declare module 'vitest' {
  interface TaskMeta {
    figures?: Figure[];
  }
}

export function figure(task: { meta: TaskMeta }, one: Figure): void {
  task.meta.figures = [...(task.meta.figures ?? []), one];
}

/* the smallest value that a part of all, 0.99 for example, does not exceed */

export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);

  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}
