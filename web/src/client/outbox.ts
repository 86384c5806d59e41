// Copyright (C) ngx_realtime contributors

/*
 * What was written and is not yet known to be stored.
 *
 *   add -> IndexedDB -> [ lock: one tab at a time ]
 *                         oldest first, each waits for the ack of the last
 *                           success   -> deleted here, shown as sent
 *                           transient -> stays; again on connect or later
 *                           refused   -> stays as failed until the person
 *                                        sends it again or deletes it
 *
 * Whoever gets the lock sends for all tabs, also for one that was closed.  A
 * send is repeated with the same clientId: the server stores it once.
 */

import { type Ack, isTransient } from './events.ts';
import type { MessageRow } from './rest.ts';
import type { Storage } from './storage.ts';

export interface OutboxEntry {
  clientId: string; // UUIDv7: its order is the order of writing
  conversationId: string;
  content: string;
  at: string;
  error?: { code: string; message: string };
}

export interface OutboxDeps {
  storage: Storage<OutboxEntry>;
  lock: (run: () => Promise<void>) => Promise<void>;
  ready: () => boolean;
  send: (entry: OutboxEntry) => Promise<Ack<MessageRow>>;
  changed: (
    entry: OutboxEntry,
    state: 'queued' | 'sending' | 'failed' | 'sent' | 'discarded',
    row?: MessageRow,
  ) => void;
}

export interface Outbox {
  add: (entry: OutboxEntry) => Promise<void>;
  retry: (entry: OutboxEntry) => Promise<void>;
  discard: (entry: OutboxEntry) => Promise<void>;
  forget: (clientId: string) => void; // another tab discarded it
  drain: () => Promise<void>;
  load: () => Promise<OutboxEntry[]>;
  stop: () => void;
}

const TRIES = 10;
const DELAY_MAX = 30_000;

export function createOutbox(deps: OutboxDeps): Outbox {
  const { storage, changed } = deps;
  const gone = new Set<string>();

  let running: Promise<void> | undefined;
  let again = false;
  let stopped = false;
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function later(seconds: number): void {
    const delay = Math.min(500 * 2 ** failures, DELAY_MAX);

    clearTimeout(timer);
    timer = setTimeout(
      outbox.drain,
      seconds * 1000 + delay * (0.5 + Math.random() / 2),
    );
  }

  /* returns whether the next one may be sent */

  async function sendOne(entry: OutboxEntry): Promise<boolean> {
    changed(entry, 'sending');

    const ack = await deps.send(entry);

    if (ack.status === 'success') {
      failures = 0;
      await storage.del(entry.clientId);
      changed(entry, 'sent', ack.data);
      return true;
    }

    if (isTransient(ack) && (!deps.ready() || ++failures < TRIES)) {
      changed(entry, 'queued');

      if (deps.ready()) {
        later(ack.retryAfter ?? 0);
      }

      return false;
    }

    failures = 0;

    if (!gone.has(entry.clientId)) {
      const { code, message } = ack;
      const failed = { ...entry, error: { code, message } };

      await storage.put(entry.clientId, failed);
      changed(failed, 'failed');
    }

    return true;
  }

  async function pass(): Promise<void> {
    for (const entry of await storage.all()) {
      if (stopped || !deps.ready()) {
        return;
      }

      if (entry.error || gone.has(entry.clientId)) {
        continue;
      }

      if (!(await sendOne(entry))) {
        return;
      }
    }
  }

  async function run(): Promise<void> {
    do {
      again = false;

      if (!stopped && deps.ready()) {
        await deps.lock(pass);
      }
    } while (again);
  }

  const outbox: Outbox = {
    async add(entry) {
      // kept before it is drawn: who sees it may close the page
      const kept = storage.put(entry.clientId, entry);

      changed(entry, 'queued');
      await kept;
      await outbox.drain();
    },

    async retry({ error: _, ...entry }) {
      await outbox.add(entry);
    },

    async discard(entry) {
      gone.add(entry.clientId);
      await storage.del(entry.clientId);
      changed(entry, 'discarded');
    },

    forget(clientId) {
      gone.add(clientId);
    },

    drain() {
      again = true;
      running ??= run().finally(() => {
        running = undefined;
      });
      return running;
    },

    load: () => storage.all(),

    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };

  return outbox;
}
