// Copyright (C) ngx_realtime contributors

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Ack } from '../src/client/events.ts';
import { createReads } from '../src/client/reads.ts';

let told: string[];
let ack: Ack<unknown>;

const reads = () =>
  createReads(async (id, upTo) => {
    told.push(`${id} ${upTo}`);
    return ack;
  });

const error = (code: string, retryAfter?: number): Ack<unknown> => ({
  status: 'error',
  code,
  message: '',
  retryAfter,
});

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  ack = { status: 'success', data: {} };
});

afterEach(() => {
  vi.useRealTimers();
});

test('once a second, how far it went', async () => {
  const { seen } = reads();

  expect(seen('a', '1')).toBe(true);
  expect(seen('a', '2')).toBe(true);
  expect(seen('a', '1')).toBe(false);
  await vi.advanceTimersByTimeAsync(1000);
  expect(told).toEqual(['a 2']);
});

test.each(['timeout', 'unavailable', 'busy', 'internal'])(
  'after %s it is told again, later and later',
  async (code) => {
    const { seen } = reads();

    ack = error(code);
    seen('a', '1');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told.length).toBeGreaterThan(2);
    expect(told.length).toBeLessThan(7);

    ack = { status: 'success', data: {} };
    await vi.advanceTimersByTimeAsync(30_000);

    const { length } = told;

    await vi.advanceTimersByTimeAsync(60_000);
    expect(told).toHaveLength(length);
  },
);

test('not before the server said', async () => {
  const { seen } = reads();

  ack = error('rate_limited', 20);
  seen('a', '1');
  await vi.advanceTimersByTimeAsync(20_000);
  expect(told).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(3000);
  expect(told).toHaveLength(2);
});

test('without a connection it waits for the next', async () => {
  const { seen, flush } = reads();

  ack = error('offline');
  seen('a', '1');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told).toHaveLength(1);

  ack = { status: 'success', data: {} };
  flush();
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual(['a 1', 'a 1']);
});

test('what is refused is not told again', async () => {
  const { seen } = reads();

  ack = error('conversation_not_found');
  seen('a', '1');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told).toHaveLength(1);
});
