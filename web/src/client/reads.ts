// Copyright (C) ngx_realtime contributors

/*
 * What the person has really seen.  The server is told once a second at
 * most, the other tabs at once; without a connection it waits for the next.
 */

import type { Ack } from './events.ts';

const BATCH = 1000;

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

  let timer: ReturnType<typeof setTimeout> | undefined;

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;

    for (const id of waiting) {
      const upTo = seen.get(id) as string;

      waiting.delete(id);

      const ack = await tell(id, upTo);

      if (ack.status === 'error' && ['offline', 'timeout'].includes(ack.code)) {
        waiting.add(id);
        return;
      }
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
    stop: () => clearTimeout(timer),
  };
}
