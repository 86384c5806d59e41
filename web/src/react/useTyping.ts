// Copyright (C) ngx_realtime contributors

/*
 * Tells the other one that this one types: at the first key, again every 3 s
 * while it goes on, and the end 2 s after the last key.
 */

import { useEffect, useMemo } from 'react';
import type { Connection } from '../client/connection.ts';
import { useRealtimeClient } from './context.ts';

export const TYPING_IDLE = 2000;
export const TYPING_REPEAT = 3000;

export interface UseTyping {
  key: () => void;
  stop: () => void;
}

function createTyping(
  connection: Connection,
  conversationId: string,
): UseTyping {
  let said = 0; // when, ms; 0: not typing
  let timer: ReturnType<typeof setTimeout> | undefined;

  function say(isTyping: boolean): void {
    said = isTyping ? Date.now() : 0;

    if (connection.state.get().status === 'connected') {
      connection.emit('typing', { conversationId, isTyping });
    }
  }

  function stop(): void {
    clearTimeout(timer);

    if (said !== 0) {
      say(false);
    }
  }

  return {
    stop,

    key() {
      clearTimeout(timer);
      timer = setTimeout(stop, TYPING_IDLE);

      if (Date.now() - said >= TYPING_REPEAT) {
        say(true);
      }
    },
  };
}

export function useTyping(conversationId: string): UseTyping {
  const { connection } = useRealtimeClient();
  const typing = useMemo(
    () => createTyping(connection, conversationId),
    [connection, conversationId],
  );

  useEffect(() => typing.stop, [typing]);

  return typing;
}
