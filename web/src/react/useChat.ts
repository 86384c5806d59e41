// Copyright (C) ngx_realtime contributors

import { useEffect } from 'react';
import { type Chat, chatOf } from '../client/chat.ts';
import { useRealtimeClient } from './context.ts';

export function useChat(): Chat {
  const chat = chatOf(useRealtimeClient());

  useEffect(() => chat.start(), [chat]);

  return chat;
}
