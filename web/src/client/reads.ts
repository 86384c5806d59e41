// Copyright (C) ngx_realtime contributors

/*
 * What the person has really seen.  The server is told once a second at
 * most, the other tabs at once.  Without a connection it waits for the next; a
 * server that cannot write it now is told again, later and later.
 */

import { type Ack, isTransient } from './events.ts';

const BATCH = 1000; // ms
const BATCH_MAX = 30_000;

export interface Reads {
  seen: (conversationId: string, upTo: string) => boolean;
  flush: () => void;
  stop: () => void;
}

export function createReads(
  tell: (conversationId: string, upTo: string) => Promise<Ack<unknown>>,
): Reads {
  const seen = new Map<string, string>(); // how far, in each conversation
  const waiting = new Set<string>();

  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;

    for (const id of waiting) {
      const upTo = seen.get(id) as string;

      waiting.delete(id);

      const ack = await tell(id, upTo);

      if (ack.status === 'success' || !isTransient(ack)) {
        failures = 0;
        continue;
      }

      waiting.add(id);

      if (ack.code !== 'offline') {
        const delay = Math.min(BATCH * 2 ** failures++, BATCH_MAX);

        timer ??= setTimeout(
          flush,
          (ack.retryAfter ?? 0) * 1000 + delay * (0.5 + Math.random() / 2),
        );
      }

      return;
    }
  }

  return {
    seen(conversationId, upTo) {
      if (upTo <= (seen.get(conversationId) ?? '')) {
        return false;
      }

      seen.set(conversationId, upTo);
      waiting.add(conversationId);
      timer ??= setTimeout(flush, BATCH);
      return true;
    },

    flush,

    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
