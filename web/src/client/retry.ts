// Copyright (C) ngx_realtime contributors

/*
 * Asks again, by itself, for what the server could not give: later and later,
 * up to half a minute, not before the server said, and not in all browsers at
 * the same moment.  What will be refused again is left to the person.
 */

import { RestError } from './rest.ts';

export interface Retry {
  later: (error: unknown) => void;
  done: () => void; // it has succeeded
  stop: () => void; // nobody waits for it any more
}

const FIRST = 1000; // ms
const MAX = 30_000;

function mayPass(error: unknown): error is RestError {
  return (
    error instanceof RestError &&
    (error.status === 0 || error.status === 429 || error.status >= 500)
  );
}

export function createRetry(run: () => void): Retry {
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  return {
    later(error) {
      clearTimeout(timer);

      if (mayPass(error)) {
        const delay = Math.min(FIRST * 2 ** failures++, MAX);

        timer = setTimeout(
          run,
          (error.retryAfter ?? 0) * 1000 + delay * (0.5 + Math.random() / 2),
        );
      }
    },

    done() {
      clearTimeout(timer);
      failures = 0;
    },

    stop: () => clearTimeout(timer),
  };
}
