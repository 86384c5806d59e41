// Copyright (C) ngx_realtime contributors

/* Which Realtime a hook talks to: the provider's, or one for the page. */

import { createContext, useContext, useEffect, useState } from 'react';
import {
  createRealtime,
  type Realtime,
  type RealtimeOptions,
  sharedRealtime,
} from '../client/realtime.ts';

export interface RealtimeContextValue {
  realtime: Realtime;
  nameOf: (userId: string) => string | undefined;
}

export const RealtimeContext: React.Context<RealtimeContextValue | null> =
  createContext<RealtimeContextValue | null>(null);

export interface UseRealtimeOptions extends RealtimeOptions {
  shared?: boolean; // false: a connection for this hook alone
}

/* connected as long as the component is there */

export function useRealtimeClient(options: UseRealtimeOptions = {}): Realtime {
  const context = useContext(RealtimeContext);
  const [own] = useState(() =>
    options.shared === false ? createRealtime(options) : null,
  );
  const realtime = own ?? context?.realtime ?? sharedRealtime(options);
  const mine = own !== null || !context;
  const { token } = options;

  useEffect(() => realtime.acquire(), [realtime]);

  useEffect(() => {
    if (mine && typeof token === 'string') {
      realtime.connection.setToken(token);
    }
  }, [mine, realtime, token]);

  return realtime;
}

const NOBODY = () => undefined;

export function useNames(): (userId: string) => string | undefined {
  return useContext(RealtimeContext)?.nameOf ?? NOBODY;
}
