// Copyright (C) ngx_realtime contributors

/*
 * What every part of a page shares: the connection, the people, and the
 * notifications as they come.  Chat (chat.ts) is built upon it.
 */

import { type Alerts, createAlerts } from './alerts.ts';
import {
  type Connection,
  type ConnectionOptions,
  createConnection,
} from './connection.ts';
import { createPeople, type PeopleStores } from './people.ts';
import { userOf } from './token.ts';

export interface RealtimeOptions extends ConnectionOptions {
  api?: string; // where REST begins, default /api
}

export interface Realtime extends PeopleStores {
  options: RealtimeOptions;
  connection: Connection;
  alerts: Alerts;
  acquire: () => () => void;
}

/* pages listen for it without knowing of this package */

export const MESSAGE_EVENT = 'realtime:message';

export function createRealtime(options: RealtimeOptions = {}): Realtime {
  const connection = createConnection(options);
  let users = 0;

  connection.on('message', (detail) => {
    if (typeof window !== 'undefined') {
      window.dispatchEvent(new CustomEvent(MESSAGE_EVENT, { detail }));
    }
  });

  return {
    options,
    connection,
    alerts: createAlerts(connection),
    ...createPeople(connection),

    /*
     * Connected as long as somebody wants it.  The last one who leaves may be
     * replaced in the same breath (a route changes, StrictMode mounts twice):
     * so the end comes a little later.
     */

    acquire() {
      let held = true;

      users++;
      connection.start();

      return () => {
        if (!held) {
          return;
        }

        held = false;
        users--;
        queueMicrotask(() => {
          if (users === 0) {
            connection.stop();
          }
        });
      };
    },
  };
}

/* one for a page, for each url and identity */

const shared = new Map<string, Realtime>();

export function sharedRealtime(options: RealtimeOptions = {}): Realtime {
  const { url = '', path = '', api = '', userId = '', token } = options;
  const who =
    userId || (typeof token === 'string' ? (userOf(token) ?? token) : '');
  const key = [url, path, api, who].join('\n');

  let realtime = shared.get(key);

  if (!realtime) {
    realtime = createRealtime(options);
    shared.set(key, realtime);
  }

  return realtime;
}
