// Copyright (C) ngx_realtime contributors

/*
 * What has to survive a reload: IndexedDB, or this page's memory where there
 * is none (a private window, a full disk).
 */

import { createStore, del, entries, type UseStore } from 'idb-keyval';

export interface Storage<T> {
  all: () => Promise<T[]>; // in the order of their keys
  put: (key: string, value: T) => Promise<void>;
  del: (key: string) => Promise<void>;
}

let database: UseStore | undefined;

export function createStorage<T>(scope: string): Storage<T> {
  const memory = new Map<string, T>();
  const prefix = `${scope}\n`;

  async function idb<R>(
    run: (store: UseStore) => Promise<R>,
  ): Promise<R | null> {
    try {
      database ??= createStore('ngx-realtime', 'outbox');
      return await run(database);
    } catch {
      return null;
    }
  }

  return {
    async all() {
      const stored = (await idb((store) => entries<string, T>(store))) ?? [];
      const mine = stored
        .filter(([key]) => `${key}`.startsWith(prefix))
        .map(([key, value]): [string, T] => [key.slice(prefix.length), value]);

      return [...new Map([...mine, ...memory])]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, value]) => value);
    },

    async put(key, value) {
      const done = await idb((store) =>
        store('readwrite', (objects) => {
          const { transaction } = objects;

          objects.put(value, prefix + key);

          // at once: a page that ends before the answer takes back the rest

          transaction.commit?.();
          return new Promise<boolean>((resolve, reject) => {
            transaction.oncomplete = () => resolve(true);
            transaction.onabort = () => reject(transaction.error);
          });
        }),
      );

      if (!done) {
        memory.set(key, value);
      }
    },

    async del(key) {
      memory.delete(key);
      await idb((store) => del(prefix + key, store));
    },
  };
}
