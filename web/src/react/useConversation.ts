// Copyright (C) ngx_realtime contributors

import { useEffect, useMemo } from 'react';
import type { ConversationState } from '../client/conversation.ts';
import type { ChatMessage } from '../client/timeline.ts';
import { useChat } from './useChat.ts';
import { useStore } from './useStore.ts';

export interface UseConversation extends ConversationState {
  me: string | undefined;
  send: (content: string) => void;
  retry: (message: ChatMessage) => void;
  discard: (message: ChatMessage) => void;
  seen: (messageId: string) => void; // the person has looked at it
  loadEarlier: () => Promise<void>;
  refresh: () => Promise<void>;
}

/* open as long as it is mounted, and only while "active" */

export function useConversation(
  conversationId: string,
  active = true,
): UseConversation {
  const chat = useChat();
  const conversation = chat.conversation(conversationId);
  const state = useStore(conversation.state);
  const me = useStore(chat.me);

  useEffect(
    () => (active ? conversation.open() : undefined),
    [active, conversation],
  );

  const functions = useMemo(
    () => ({
      send(content: string) {
        const text = content.trim();

        if (text !== '') {
          chat.send(conversationId, text);
        }
      },
      retry: chat.retry,
      discard: chat.discard,
      seen: (messageId: string) => chat.seen(conversationId, messageId),
      loadEarlier: conversation.loadEarlier,
      refresh: conversation.refresh,
    }),
    [chat, conversation, conversationId],
  );

  return { ...state, me, ...functions };
}
