// Copyright (C) ngx_realtime contributors

/*
 * The events of the socket, as docs/events.md has them: one map for the
 * client, the hooks and the tests.
 */

export type PresenceState = 'online' | 'away' | 'busy' | 'invisible';
export type SeenState = PresenceState | 'offline';

export interface ConnectedPayload {
  socketId: string;
  userId: string;
  timestamp: string;
}

export interface MessagePayload {
  senderId: string;
  message: string;
  content: string;
  conversationId: string;
  timestamp: string;
  id: string;
  clientId?: string;
}

export interface TypingPayload {
  userId: string;
  conversationId: string;
  isTyping: boolean;
  timestamp: string;
}

export interface NotificationPayload {
  id: string;
  type: string;
  title: string;
  message: string;
  data?: Record<string, unknown>;
  timestamp: string;
}

export type NotificationReadPayload = { id?: string; all?: boolean };

export interface ReceiptPayload {
  conversationId: string;
  userId: string;
  upTo: string;
  timestamp: string;
}

export interface PresencePayload {
  userId: string;
  state: SeenState;
  lastSeen?: string;
}

export interface DeletedPayload {
  conversationId: string;
}

export interface ExpiringPayload {
  expiresAt: string;
}

export interface ErrorPayload {
  code: string;
  message: string;
  event?: string;
}

export interface ServerEvents {
  connected: ConnectedPayload;
  message: MessagePayload;
  message_sent: MessagePayload;
  user_typing: TypingPayload;
  notification: NotificationPayload;
  notification_read: NotificationReadPayload;
  message_delivered: ReceiptPayload;
  message_read: ReceiptPayload;
  conversation_read: ReceiptPayload;
  conversation_deleted: DeletedPayload;
  presence: PresencePayload;
  presence_state: PresencePayload[];
  auth_expiring: ExpiringPayload;
  error: ErrorPayload;
}

export type ServerEvent = keyof ServerEvents;

/* what a notification says, before it has an id */

export interface NotificationInput {
  type: string;
  title: string;
  message: string;
  data?: Record<string, unknown>;
}

export interface ClientEvents {
  message: {
    recipientId: string;
    message: string;
    conversationId: string;
    clientId?: string;
  };
  message_send: { conversationId: string; content: string; clientId: string };
  typing: { conversationId: string; isTyping: boolean };
  notification_ack: { notificationId: string };
  send_notification: { userId: string } & NotificationInput;
  mark_as_read: { conversationId: string; upTo?: string };
  presence: { state: PresenceState };
  auth_refresh: { token: string };
}

export type ClientEvent = keyof ClientEvents;

export interface AckError {
  status: 'error';
  code: string;
  message: string;
  retryAfter?: number;
}

export type Ack<T> = { status: 'success'; data: T } | AckError;

/* the same event may succeed later, with nothing changed */

const TRANSIENT = new Set([
  'offline',
  'timeout',
  'ack_invalid',
  'busy',
  'unavailable',
  'internal',
  'rate_limited',
  'token_missing',
  'token_invalid',
  'token_expired',
]);

export function isTransient({ code, retryAfter }: AckError): boolean {
  return TRANSIENT.has(code) || retryAfter !== undefined;
}
