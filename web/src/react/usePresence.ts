// Copyright (C) ngx_realtime contributors

import { useMemo } from 'react';
import type { PresenceState, SeenState } from '../client/events.ts';
import { useRealtimeClient } from './context.ts';
import { useStore } from './useStore.ts';

export interface UsePresence {
  state: SeenState | undefined; // undefined: the server has not said
  isOnline: boolean;
  lastSeen: string | undefined;
  setPresence: (state: PresenceState) => void; // one's own
}

export function usePresence(userId?: string): UsePresence {
  const { people, connection } = useRealtimeClient();
  const person = useStore(people).get(userId ?? '');
  const setPresence = useMemo(
    () => (state: PresenceState) => connection.emit('presence', { state }),
    [connection],
  );

  return {
    state: person?.state,
    isOnline:
      person !== undefined &&
      person.state !== 'offline' &&
      person.state !== 'invisible',
    lastSeen: person?.lastSeen,
    setPresence,
  };
}
