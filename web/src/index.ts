// Copyright (C) ngx_realtime contributors

/* ngx-realtime: hooks and components; see also client.ts, hook.ts */

export * from './chat.ts';
export * from './client.ts';
export * from './notifications.ts';
export type { UseRealtimeOptions } from './react/context.ts';
export {
  RealtimeProvider,
  type RealtimeProviderProps,
} from './react/RealtimeProvider.tsx';
export { useChat } from './react/useChat.ts';
export { type UseConnection, useConnection } from './react/useConnection.ts';
export {
  type UseConversation,
  useConversation,
} from './react/useConversation.ts';
export {
  type UseConversations,
  useConversations,
} from './react/useConversations.ts';
export {
  type UseNotifications,
  useNotifications,
} from './react/useNotifications.ts';
export { type UsePresence, usePresence } from './react/usePresence.ts';
export { type UseRealtime, useRealtime } from './react/useRealtime.ts';
export { type UseTyping, useTyping } from './react/useTyping.ts';
export { Banner } from './ui/Banner.tsx';
export { en, type Strings } from './ui/strings.ts';
export { TextProvider, type TextProviderProps } from './ui/text.tsx';
