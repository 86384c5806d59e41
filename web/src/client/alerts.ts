// Copyright (C) ngx_realtime contributors

/*
 * The notifications that came while the page is open, newest first, each
 * once; the history of all is in inbox.ts.  What is unread the server gives
 * again at each connect: what was taken away here stays away.
 */

import type { Connection } from './connection.ts';
import type { NotificationPayload } from './events.ts';
import { createStore, type Store } from './store.ts';

export type Alert = NotificationPayload & { read?: boolean };

export interface Alerts {
  list: Store<Alert[]>;
  acknowledge: (id: string) => void;
  remove: (id: string) => void;
  clear: () => void;
}

const KEPT = 100;
const REMEMBERED = 1000;

export function createAlerts(connection: Connection): Alerts {
  const list = createStore<Alert[]>([]);
  const unsent = new Set<string>(); // acknowledged without a connection
  const removed = new Set<string>(); // the oldest first

  function read(is: (id: string) => boolean): void {
    list.set((now) =>
      now.some((a) => is(a.id) && !a.read)
        ? now.map((a) => (is(a.id) ? { ...a, read: true } : a))
        : now,
    );
  }

  function forget(ids: string[]): void {
    for (const id of ids) {
      removed.add(id);
    }

    for (const id of removed) {
      if (removed.size <= REMEMBERED) {
        break;
      }

      removed.delete(id);
    }

    list.set((now) => now.filter((a) => !ids.includes(a.id)));
  }

  function flush(): void {
    if (connection.state.get().status === 'connected') {
      for (const notificationId of unsent) {
        unsent.delete(notificationId);
        connection.emit('notification_ack', { notificationId });
      }
    }
  }

  connection.on('notification', (alert) => {
    if (removed.has(alert.id)) {
      return;
    }

    list.set((now) =>
      [alert, ...now.filter((a) => a.id !== alert.id)].slice(0, KEPT),
    );
  });

  connection.on('notification_read', ({ id, all }) => {
    read((other) => all === true || other === id);
  });

  connection.onConnect(flush);

  return {
    list,

    acknowledge(id) {
      unsent.add(id);
      flush();
      read((other) => other === id);
    },

    remove: (id) => forget([id]),
    clear: () => forget(list.get().map((a) => a.id)),
  };
}
