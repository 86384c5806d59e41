import { defineConfig } from 'vitest/config';

/* in the order of the table */

export const files: string[] = [
  'bars/size.bar.ts',
  'e2e/states.test.ts',
  'bars/lighthouse.bar.ts',
  'e2e/long.test.ts',
  'bars/paint.bar.ts',
  'bars/tabs.bar.ts',
  'e2e/storm.test.ts',
];

export default defineConfig({
  test: {
    root: `${import.meta.dirname}/..`,
    include: files,
    globalSetup: ['e2e/global.ts'],
    reporters: ['dot', './bars/report.ts'],
    fileParallelism: false,

    /* it is a bound for what never comes: a busy machine is slow */

    expect: { poll: { timeout: 20_000 } },
    testTimeout: 180_000,
    hookTimeout: 60_000,
  },
});
