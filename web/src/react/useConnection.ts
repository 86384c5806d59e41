// Copyright (C) ngx_realtime contributors

import type { ConnectionState } from '../client/connection.ts';
import { useRealtimeClient } from './context.ts';
import { useStore } from './useStore.ts';

export interface UseConnection extends ConnectionState {
  retry: () => void;
  transport: () => string | undefined;
}

export function useConnection(): UseConnection {
  const { connection } = useRealtimeClient();
  const state = useStore(connection.state);

  return { ...state, retry: connection.retry, transport: connection.transport };
}
