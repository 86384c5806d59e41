// Copyright (C) ngx_realtime contributors

/* ngx-realtime/client: everything but React */

export { type Chat, chatOf, createChat } from './client/chat.ts';
export type {
  Connection,
  ConnectionOptions,
  ConnectionState,
  Status,
} from './client/connection.ts';
export type {
  Conversation,
  ConversationState,
  Problem,
} from './client/conversation.ts';
export type {
  Conversations,
  ConversationsState,
} from './client/conversations.ts';
export type * from './client/events.ts';
export { createInbox, type Inbox, type InboxState } from './client/inbox.ts';
export {
  createRealtime,
  MESSAGE_EVENT,
  type Realtime,
  type RealtimeOptions,
  sharedRealtime,
} from './client/realtime.ts';
export * from './client/rest.ts';
export type { Store } from './client/store.ts';
export type { ChatMessage, Delivery, Timeline } from './client/timeline.ts';
export type { TokenReason, TokenSource } from './client/token.ts';
