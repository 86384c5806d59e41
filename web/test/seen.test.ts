// Copyright (C) ngx_realtime contributors

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createSeen, SEEN_AFTER, type Seen } from '../src/ui/seen.ts';

let tell: (ratio: number, height?: number) => void;
let focus: boolean;
let reported: string[];
let seen: Seen;
let unwatch: () => void;

/* jsdom has no layout: what is in sight is told by hand */

class Observer {
  constructor(callback: (entries: object[]) => void) {
    tell = (intersectionRatio, height = 0) =>
      callback([
        {
          target: document.body,
          intersectionRatio,
          intersectionRect: { height },
          rootBounds: { height: 400 },
        },
      ]);
  }
  observe() {}
  unobserve() {}
  disconnect() {}
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('IntersectionObserver', Observer);
  vi.spyOn(document, 'hasFocus').mockImplementation(() => focus);
  focus = true;
  reported = [];
  seen = createSeen(null, (id) => reported.push(id));
  unwatch = seen.watch(document.body, 'm');
});

afterEach(() => {
  seen.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('half of it for half a second is seen', () => {
  tell(0.5);
  vi.advanceTimersByTime(SEEN_AFTER - 1);
  expect(reported).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(reported).toEqual(['m']);
});

test('less than half is not', () => {
  tell(0.49);
  vi.advanceTimersByTime(5000);
  expect(reported).toEqual([]);
});

test('of a very long one half of the screen is enough', () => {
  tell(0.05, 200);
  vi.advanceTimersByTime(SEEN_AFTER);
  expect(reported).toEqual(['m']);
});

test('what is scrolled past is not seen', () => {
  tell(1);
  vi.advanceTimersByTime(SEEN_AFTER - 1);
  tell(0);
  vi.advanceTimersByTime(5000);
  expect(reported).toEqual([]);
});

test('a window without the focus sees nothing, until it has it', () => {
  focus = false;
  tell(1);
  vi.advanceTimersByTime(5000);
  expect(reported).toEqual([]);

  focus = true;
  window.dispatchEvent(new Event('focus'));
  vi.advanceTimersByTime(SEEN_AFTER);
  expect(reported).toEqual(['m']);
});

test('what is gone is not seen', () => {
  tell(1);
  unwatch();
  vi.advanceTimersByTime(5000);
  expect(reported).toEqual([]);
});
