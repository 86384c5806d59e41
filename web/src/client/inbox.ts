// Copyright (C) ngx_realtime contributors

/*
 * The history of notifications: what REST keeps, and what comes meanwhile.
 * A server without them is "missing", and then only those of this page are
 * here.
 */

import type { Alert } from './alerts.ts';
import type { Chat } from './chat.ts';
import { type Problem, problem } from './conversation.ts';
import type { Realtime } from './realtime.ts';
import type { NotificationRow } from './rest.ts';
import { createRetry } from './retry.ts';
import { createStore, type Store } from './store.ts';

export interface InboxState {
  phase: 'idle' | 'loading' | 'ready' | 'failed' | 'missing';
  items: Alert[]; // newest first
  unread: number;
  hasMore: boolean;
  error?: Problem;
}

export interface Inbox {
  state: Store<InboxState>;
  open: () => () => void;
  refresh: () => Promise<void>;
  loadMore: () => Promise<void>;
  markRead: (id: string) => void;
  markAllRead: () => void;
  remove: (id: string) => void;
}

const PAGE = 30;

function fromRow(row: NotificationRow): Alert {
  return {
    id: row.id,
    type: row.type,
    title: row.title,
    message: row.message,
    ...(row.data && { data: row.data }),
    timestamp: row.created_at,
    read: row.read,
  };
}

function join(a: Alert[], b: Alert[]): Alert[] {
  return [...new Map([...a, ...b].map((one) => [one.id, one])).values()].sort(
    (x, y) => (x.timestamp > y.timestamp ? -1 : 1),
  );
}

export function createInbox(realtime: Realtime, chat: Chat): Inbox {
  const { connection, alerts } = realtime;
  const { rest } = chat;
  const state = createStore<InboxState>({
    phase: 'idle',
    items: [],
    unread: 0,
    hasMore: false,
  });

  let users = 0;
  let loading: Promise<void> | undefined;
  let again = false;
  let stops: (() => void)[] = [];

  const retry = createRetry(() => refresh());

  function patch(more: Partial<InboxState>): void {
    state.set((now) => ({ ...now, ...more }));
  }

  async function load(before?: string): Promise<void> {
    if (state.get().phase === 'idle') {
      patch({ phase: 'loading' });
    }

    try {
      const [page, unread] = await Promise.all([
        rest.notifications({ limit: PAGE, before }),
        rest.unreadNotifications(),
      ]);

      patch({
        phase: 'ready',
        items: join(
          before ? state.get().items : alerts.list.get(),
          page.data.map(fromRow),
        ),
        unread,
        hasMore: page.pagination.hasMore,
        error: undefined,
      });
      retry.done();
    } catch (error) {
      const { code } = problem(error);
      const missing = code === 'endpoint_not_found' || code === 'not_found';

      patch({
        phase: missing ? 'missing' : 'failed',
        items: join(state.get().items, alerts.list.get()),
        error: missing ? undefined : problem(error),
      });

      if (users > 0 && !missing) {
        retry.later(error);
      }
    }
  }

  async function loadAll(): Promise<void> {
    do {
      again = false;
      await load();
    } while (again);
  }

  function refresh(): Promise<void> {
    again = loading !== undefined;
    loading ??= loadAll().finally(() => {
      loading = undefined;
    });
    return loading;
  }

  /* what is under way may have been answered before this happened */

  function changed(): void {
    again ||= loading !== undefined;
  }

  function mark(is: (id: string) => boolean): void {
    const { items, unread } = state.get();
    const fresh = items.filter((one) => is(one.id) && !one.read).length;

    if (fresh > 0) {
      patch({
        items: items.map((one) => (is(one.id) ? { ...one, read: true } : one)),
        unread: Math.max(0, unread - fresh),
      });
    }
  }

  /* what is not there any more needs no words */

  async function write(
    run: () => Promise<void>,
    removed?: string,
  ): Promise<void> {
    try {
      await run();
      changed();
      chat.tellTabs({ type: 'notifications', removed });
    } catch (error) {
      const why = problem(error);

      if (state.get().phase !== 'missing') {
        await refresh();

        if (why.code !== 'notification_not_found') {
          patch({ error: why });
        }
      }
    }
  }

  function drop(id: string): void {
    mark((other) => other === id);
    alerts.remove(id);
    patch({ items: state.get().items.filter((one) => one.id !== id) });
  }

  return {
    state,
    refresh,

    open() {
      if (users++ === 0) {
        refresh();
        stops = [
          connection.on('notification', (alert) => {
            const known = state.get().items.some(({ id }) => id === alert.id);

            if (!known) {
              changed();
            }

            patch({
              items: join(state.get().items, [alert]),
              unread: state.get().unread + (known ? 0 : 1),
            });
          }),
          connection.on('notification_read', ({ id, all }) => {
            const known = state.get().items.some((one) => one.id === id);

            changed();
            mark((other) => all === true || other === id);

            if (!known && !all) {
              refresh();
            }
          }),
          alerts.list.subscribe(() => {
            const read = alerts.list.get().filter((alert) => alert.read);

            mark((id) => read.some((alert) => alert.id === id));
          }),
          chat.onTabs((message) => {
            if (message.type === 'notifications') {
              if (message.removed) {
                drop(message.removed);
              }

              refresh();
            }
          }),
          connection.onConnect((recovered) => {
            if (!recovered) {
              refresh();
            }
          }),
        ];
      }

      return () => {
        if (--users === 0) {
          retry.stop();

          for (const stop of stops.splice(0)) {
            stop();
          }
        }
      };
    },

    async loadMore() {
      const { items, hasMore } = state.get();

      if (hasMore) {
        await load(items.at(-1)?.id);
      }
    },

    markRead(id) {
      mark((other) => other === id);

      if (state.get().phase === 'missing') {
        alerts.acknowledge(id);
      } else {
        write(() => rest.readNotification(id));
      }
    },

    markAllRead() {
      mark(() => true);
      patch({ unread: 0 });
      write(() => rest.readAllNotifications());
    },

    remove(id) {
      drop(id);
      write(() => rest.deleteNotification(id), id);
    },
  };
}

const inboxes = new WeakMap<Realtime, Inbox>();

export function inboxOf(realtime: Realtime, chat: Chat): Inbox {
  let inbox = inboxes.get(realtime);

  if (!inbox) {
    inbox = createInbox(realtime, chat);
    inboxes.set(realtime, inbox);
  }

  return inbox;
}
