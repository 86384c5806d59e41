// Copyright (C) ngx_realtime contributors

import type { Connection, ConnectionState } from '../client/connection.ts';
import { useRealtimeClient } from './context.ts';
import { useStore } from './useStore.ts';

export type UseConnection = ConnectionState &
  Pick<Connection, 'retry' | 'request' | 'transport' | 'sid'>;

export function useConnection(): UseConnection {
  const { connection } = useRealtimeClient();
  const state = useStore(connection.state);
  const { retry, request, transport, sid } = connection;

  return { ...state, retry, request, transport, sid };
}
