// Copyright (C) ngx_realtime contributors

import {
  type ReactElement,
  type ReactNode,
  useEffect,
  useMemo,
  useRef,
} from 'react';
import {
  createRealtime,
  type Realtime,
  type RealtimeOptions,
} from '../client/realtime.ts';
import { type TokenSource, userOf } from '../client/token.ts';
import { RealtimeContext } from './context.ts';

export interface RealtimeProviderProps extends RealtimeOptions {
  client?: Realtime; // made by createRealtime(); the options are not read then
  nameOf?: (userId: string) => string | undefined;
  children: ReactNode;
}

/*
 * One connection for everything below.  Another user is another connection;
 * another token of the same user goes to the open one, and a token function
 * may be a new one at each render.
 */

export function RealtimeProvider(props: RealtimeProviderProps): ReactElement {
  const { client, url, path, api, userId, token, children } = props;
  const latest = useRef(props);
  const isFunction = typeof token === 'function';
  const user = userId ?? (isFunction ? undefined : userOf(token));

  useEffect(() => {
    latest.current = props;
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new token is no new connection
  const realtime = useMemo(() => {
    const source: TokenSource | undefined = isFunction
      ? (reason) => {
          const now = latest.current.token;

          return typeof now === 'function' ? now(reason) : now;
        }
      : token;

    return (
      client ??
      createRealtime({
        url,
        path,
        api,
        userId,
        token: source,
        transports: props.transports,
      })
    );
  }, [client, url, path, api, user, isFunction]);

  useEffect(() => {
    if (!client && typeof token === 'string') {
      realtime.connection.setToken(token);
    }
  }, [client, realtime, token]);

  useEffect(() => realtime.acquire(), [realtime]);

  const value = useMemo(
    () => ({
      realtime,
      nameOf: (id: string) => latest.current.nameOf?.(id),
    }),
    [realtime],
  );

  return (
    <RealtimeContext.Provider value={value}>
      {children}
    </RealtimeContext.Provider>
  );
}
