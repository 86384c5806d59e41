// Copyright (C) ngx_realtime contributors

/*
 * The tabs of one user in one browser: what one of them did, and a lock for
 * what only one may do at a time.  Where the browser has neither, each tab is
 * alone, and clientId still keeps a message from being stored twice.
 */

import type { OutboxEntry } from './outbox.ts';

export type TabMessage =
  | { type: 'outbox'; entry: OutboxEntry; state: 'queued' | 'failed' }
  | { type: 'sending'; conversationId: string; clientId: string }
  | { type: 'discarded'; conversationId: string; clientId: string }
  | { type: 'seen'; conversationId: string; upTo: string; unread?: number }
  | { type: 'notifications'; removed?: string };

export interface Tabs {
  post: (message: TabMessage) => void;
  lock: (name: string, run: () => Promise<void>) => Promise<void>;
  close: () => void;
}

export function createTabs(
  scope: string,
  receive: (message: TabMessage) => void,
): Tabs {
  const name = `ngx-realtime:${scope}`;
  const channel =
    typeof BroadcastChannel === 'function' ? new BroadcastChannel(name) : null;

  channel?.addEventListener('message', (event) => receive(event.data));

  return {
    post: (message) => channel?.postMessage(message),

    async lock(what, run) {
      if (typeof navigator !== 'undefined' && navigator.locks) {
        await navigator.locks.request(`${name}:${what}`, run);
      } else {
        await run();
      }
    },

    close: () => channel?.close(),
  };
}
