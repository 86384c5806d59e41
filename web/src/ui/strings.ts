// Copyright (C) ngx_realtime contributors

/*
 * Every word that a person sees.  English is here because the published names
 * are; other languages are in locales/, each a file of its own.
 */

export interface Strings {
  locale: string; // for dates and numbers
  dir: 'ltr' | 'rtl';
  chatWith: (name: string) => string;
  messages: string;
  loading: string;
  loadingEarlier: string;
  empty: string;
  placeholder: string;
  send: string;
  sendLabel: string;
  tooLong: (length: number, most: number) => string;
  notConnected: string;
  backOnline: string;
  signedOut: string;
  tryAgain: string;
  typing: (name: string) => string;
  online: string;
  away: string;
  busy: string;
  offline: string;
  lastSeen: (when: string) => string;
  closeChat: string;
  you: string;
  today: string;
  yesterday: string;
  unread: string;
  newMessages: (count: number) => string;
  messagesFrom: (count: number, name: string) => string;
  state: Record<
    'queued' | 'sending' | 'sent' | 'delivered' | 'read' | 'failed',
    string
  >;
  resend: string;
  copy: string;
  discard: string;
  conversationGone: string;
  conversations: string;
  noConversations: string;
  unreadCount: (count: number) => string;
  loadMore: string;
  notifications: string;
  noNotifications: string;
  closeNotification: string;
  markRead: string;
  markAllRead: string;
  remove: string;
  desktop: string;
  problem: string; // where there is no better word for a code
  problems: Record<string, string>;
}

export const en: Strings = {
  locale: 'en',
  dir: 'ltr',
  chatWith: (name) => `Chat with ${name}`,
  messages: 'Messages',
  loading: 'Loading messages...',
  loadingEarlier: 'Loading earlier messages...',
  empty: 'No messages yet. Start the conversation!',
  placeholder: 'Type a message...',
  send: 'Send',
  sendLabel: 'Send message',
  tooLong: (length, most) => `Too long: ${length} of ${most} characters`,
  notConnected: 'Not connected. Waiting...',
  backOnline: 'Back online',
  signedOut: 'You are no longer signed in.',
  tryAgain: 'Try again',
  typing: (name) => `${name} is typing...`,
  online: 'Online',
  away: 'Away',
  busy: 'Busy',
  offline: 'Offline',
  lastSeen: (when) => `Last seen ${when}`,
  closeChat: 'Close chat',
  you: 'You',
  today: 'Today',
  yesterday: 'Yesterday',
  unread: 'New',
  newMessages: (n) => (n === 1 ? '1 new message' : `${n} new messages`),
  messagesFrom: (n, name) =>
    n === 1 ? `New message from ${name}` : `${n} new messages from ${name}`,
  state: {
    queued: 'Waiting to be sent',
    sending: 'Sending',
    sent: 'Sent',
    delivered: 'Delivered',
    read: 'Seen',
    failed: 'Not sent',
  },
  resend: 'Send again',
  copy: 'Copy',
  discard: 'Delete',
  conversationGone: 'This conversation no longer exists.',
  conversations: 'Conversations',
  noConversations: 'No conversations yet.',
  unreadCount: (n) => (n === 1 ? '1 unread message' : `${n} unread messages`),
  loadMore: 'Show more',
  notifications: 'Notifications',
  noNotifications: 'Nothing new.',
  closeNotification: 'Close notification',
  markRead: 'Mark as read',
  markAllRead: 'Mark all as read',
  remove: 'Remove',
  desktop: 'Show them on the desktop',
  problem: 'Something went wrong.',
  problems: {
    offline: 'The server cannot be reached.',
    timeout: 'The server does not answer.',
    unavailable: 'The server cannot store messages at the moment.',
    busy: 'The server is busy.',
    token_missing: 'You are not signed in.',
    token_invalid: 'You are no longer signed in.',
    token_payload: 'You are no longer signed in.',
    conversation_not_found: 'This conversation no longer exists.',
    content_too_long: 'The message is too long.',
    content_invalid: 'The message has characters that cannot be sent.',
    content_required: 'The message is empty.',
    rate_limited: 'Too many messages at once.',
    too_many_requests: 'Too many requests at once.',
    origin_not_allowed: 'This page may not use the chat.',
    user_not_uuid: 'This account cannot use the chat.',
    event_unknown: 'This server has no chat.',
    endpoint_not_found: 'This server has no chat.',
    request_refused: 'This page may be out of date. Please load it again.',
    conflict: 'This message was sent before, with other words.',
    too_many_connections: 'It is open in too many windows.',
    user_not_found: 'There is no such person.',
  },
};
