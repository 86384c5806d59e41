// Copyright (C) ngx_realtime contributors

/* ngx-realtime/chat: the widget and the list of conversations */

export { ChatWidget, type ChatWidgetProps } from './ui/ChatWidget.tsx';
export {
  ConversationList,
  type ConversationListProps,
} from './ui/ConversationList.tsx';
