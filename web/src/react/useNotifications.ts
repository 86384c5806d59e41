// Copyright (C) ngx_realtime contributors

import { useEffect, useState } from 'react';
import {
  askForDesktop,
  desktopPermission,
  type Permission,
  showOnDesktop,
} from '../client/desktop.ts';
import { type Inbox, type InboxState, inboxOf } from '../client/inbox.ts';
import { useRealtimeClient } from './context.ts';
import { useChat } from './useChat.ts';
import { useStore } from './useStore.ts';

const FRESH = 5 * 60_000; // ms, more than a recovery goes back

export interface UseNotifications extends InboxState {
  desktop: Permission;
  askForDesktop: () => Promise<void>; // call it from a click
  refresh: Inbox['refresh'];
  loadMore: Inbox['loadMore'];
  markRead: Inbox['markRead'];
  markAllRead: Inbox['markAllRead'];
  remove: Inbox['remove'];
}

export function useNotifications(): UseNotifications {
  const realtime = useRealtimeClient();
  const inbox = inboxOf(realtime, useChat());
  const state = useStore(inbox.state);
  const [desktop, setDesktop] = useState(desktopPermission);
  const { refresh, loadMore, markRead, markAllRead, remove } = inbox;

  useEffect(() => inbox.open(), [inbox]);

  /* at each connect comes all that is unread: what is old is in the bell */

  useEffect(() => {
    const { on, state: connection } = realtime.connection;

    return on('notification', ({ id, title, message, timestamp }) => {
      const now = Date.now() + connection.get().skew;

      if (!(Date.parse(timestamp) < now - FRESH)) {
        showOnDesktop(id, title, message);
      }
    });
  }, [realtime]);

  return {
    ...state,
    desktop,
    async askForDesktop() {
      setDesktop(await askForDesktop());
    },
    refresh,
    loadMore,
    markRead,
    markAllRead,
    remove,
  };
}
