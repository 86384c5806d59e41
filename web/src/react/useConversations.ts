// Copyright (C) ngx_realtime contributors

import { useEffect } from 'react';
import type {
  Conversations,
  ConversationsState,
} from '../client/conversations.ts';
import { useChat } from './useChat.ts';
import { useStore } from './useStore.ts';

export interface UseConversations extends ConversationsState {
  unread: number;
  refresh: () => Promise<void>;
  loadMore: () => Promise<void>;
  start: Conversations['start'];
}

export function useConversations(): UseConversations {
  const { conversations } = useChat();
  const state = useStore(conversations.state);
  const { refresh, loadMore, start } = conversations;

  useEffect(() => conversations.open(), [conversations]);

  return {
    ...state,
    unread: state.rows.reduce((sum, row) => sum + row.unread_count, 0),
    refresh,
    loadMore,
    start,
  };
}
