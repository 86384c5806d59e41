// Copyright (C) ngx_realtime contributors

/*
 * The published hook.  What it emits and returns is a contract with pages
 * that were written for it: no key more, no ack.
 */

import { useMemo } from 'react';
import type { Alert } from '../client/alerts.ts';
import type { NotificationInput, TypingPayload } from '../client/events.ts';
import type { TypingUsers } from '../client/people.ts';
import type { Realtime } from '../client/realtime.ts';
import { type UseRealtimeOptions, useRealtimeClient } from './context.ts';
import { useStore } from './useStore.ts';

export interface UseRealtime {
  isConnected: boolean;
  notifications: Alert[];
  onlineUsers: Set<string>;
  typingUsers: TypingUsers;
  sendMessage: (
    recipientId: string,
    message: string,
    conversationId: string,
  ) => void;
  sendTypingIndicator: (conversationId: string, isTyping: boolean) => void;
  sendNotification: (userId: string, notification: NotificationInput) => void;
  acknowledgeNotification: (id: string) => void;
  clearNotifications: () => void;
  removeNotification: (id: string) => void;
  getTypingUsers: (conversationId: string) => TypingPayload[];
}

function actions({ connection, alerts, typingUsers }: Realtime) {
  const connected = () => connection.state.get().status === 'connected';

  return {
    sendMessage(recipientId: string, message: string, conversationId: string) {
      if (connected()) {
        connection.emit('message', { recipientId, message, conversationId });
      } else {
        console.warn('Socket not connected');
      }
    },

    sendTypingIndicator(conversationId: string, isTyping: boolean) {
      if (connected()) {
        connection.emit('typing', { conversationId, isTyping });
      }
    },

    sendNotification(userId: string, notification: NotificationInput) {
      if (connected()) {
        connection.emit('send_notification', { userId, ...notification });
      }
    },

    acknowledgeNotification: alerts.acknowledge,
    clearNotifications: alerts.clear,
    removeNotification: alerts.remove,

    getTypingUsers: (conversationId: string) =>
      [...typingUsers.get().values()].filter(
        (typing) => typing.conversationId === conversationId,
      ),
  };
}

export function useRealtime(options?: UseRealtimeOptions): UseRealtime {
  const realtime = useRealtimeClient(options);
  const { status } = useStore(realtime.connection.state);
  const notifications = useStore(realtime.alerts.list);
  const onlineUsers = useStore(realtime.onlineUsers);
  const typingUsers = useStore(realtime.typingUsers);
  const functions = useMemo(() => actions(realtime), [realtime]);

  return {
    isConnected: status === 'connected',
    notifications,
    onlineUsers,
    typingUsers,
    ...functions,
  };
}
