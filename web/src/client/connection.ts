// Copyright (C) ngx_realtime contributors

/*
 * One Socket.IO socket, and what became of it in five words.
 *
 *   idle --start()--> connecting --> connected <--> reconnecting
 *                          |             |               |
 *                          +------> refused (token) <----+
 *
 * It reconnects for ever.  A refusal of the token asks a token function once
 * for another; if that is refused as well it stays "refused" until retry() or
 * setToken(), or until the page is looked at again, for the person may have
 * signed in elsewhere.  A refusal that is not the token's fault is no more than
 * a delay.  A new token goes to the open socket by auth_refresh.
 *
 * Only move() changes the state.
 */

import { io, type Socket } from 'socket.io-client';
import { decode, ignored, serverEvents, warn } from './decode.ts';
import type {
  Ack,
  ClientEvent,
  ClientEvents,
  ServerEvent,
  ServerEvents,
} from './events.ts';
import { createStore, type Store } from './store.ts';
import { readToken, type TokenReason, type TokenSource } from './token.ts';

export type Status =
  | 'idle'
  | 'connecting'
  | 'connected'
  | 'reconnecting'
  | 'refused';

export interface ConnectionState {
  status: Status;
  since: number; // ms, when the status began
  recovered: boolean; // the last connect missed nothing
  connects: number; // how often it was connected
  error?: { code: string; message: string };
  socketId?: string;
  userId?: string;
  skew: number; // ms that the server's clock is ahead
}

export interface ConnectionOptions {
  url?: string; // default: the origin of the page
  path?: string; // default: /socket.io/
  token?: TokenSource; // default: the cookie
  userId?: string; // the server refuses the token of another one
  transports?: ('websocket' | 'polling')[];
}

type Listener<E extends ServerEvent> = (payload: ServerEvents[E]) => void;

export interface Connection {
  state: Store<ConnectionState>;
  start: () => void;
  stop: () => void;
  retry: () => void;
  token: () => TokenSource | undefined;
  setToken: (token: TokenSource | undefined) => void;
  on: <E extends ServerEvent>(event: E, listener: Listener<E>) => () => void;
  onConnect: (listener: (recovered: boolean) => void) => () => void;
  emit: <E extends ClientEvent>(event: E, payload: ClientEvents[E]) => void;
  request: <T, E extends ClientEvent>(
    event: E,
    payload: ClientEvents[E],
    timeout?: number,
  ) => Promise<Ack<T>>;
  transport: () => string | undefined;
  sid: () => string | undefined; // of Engine.IO
}

const BACK_OFF_MAX = 10_000;

/* CONNECT may succeed later with the same token */

const LATER = new Set(['too_many_connections', 'busy', 'unavailable']);

/*
 * A token in a cookie or a header is checked before there is a session.  A
 * browser shows the answer where the transport is polling, which comes last.
 * Returns the code that a CONNECT would have brought.
 */

function forbidden(
  error: Error & { description?: unknown; context?: unknown },
): string | undefined {
  const { description: status, context } = error;

  if (status !== 401 && status !== 403) {
    return undefined;
  }

  const text = `${(context as XMLHttpRequest | undefined)?.responseText}`;

  return status === 401 || text.includes('Authentication')
    ? 'token_invalid'
    : 'access_denied';
}

export function createConnection(options: ConnectionOptions): Connection {
  const state = createStore<ConnectionState>({
    status: 'idle',
    since: Date.now(),
    recovered: false,
    connects: 0,
    skew: 0,
  });

  const connectListeners = new Set<(recovered: boolean) => void>();
  const listeners = new Map<ServerEvent, Set<Listener<never>>>();

  let source = options.token;
  let reason: TokenReason = 'connect';
  let socket: Socket | undefined;
  let refusals = 0;
  let asked = 0; // ms, when CONNECT was sent
  let turn = 0; // of the CONNECTs
  const unknown = new Set<string>(); // events that were told of
  let timer: ReturnType<typeof setTimeout> | undefined;

  function move(status: Status, more: Partial<ConnectionState> = {}): void {
    state.set((now) => ({
      ...now,
      error: undefined,
      ...more,
      status,
      since: now.status === status ? now.since : Date.now(),
    }));
  }

  function later(run: () => void, delay: number): void {
    clearTimeout(timer);
    timer = setTimeout(run, delay * (0.5 + Math.random()));
  }

  /* a function that fails is as good as no token: the server's word counts */

  function auth(give: (data: object) => void): void {
    const why = reason;
    const mine = ++turn;

    reason = 'connect';
    readToken(source, why)
      .catch(() => undefined)
      .then((token) => {
        // a second CONNECT for one session would end it
        if (mine !== turn) {
          return;
        }

        asked = Date.now();
        give({
          ...(token && { token }),
          ...(options.userId && { userId: options.userId }),
        });
      });
  }

  function dispatch<E extends ServerEvent>(event: E, raw: unknown): void {
    const payload = decode(event, raw);

    if (payload === undefined) {
      return;
    }

    for (const listener of [...(listeners.get(event) ?? [])]) {
      (listener as Listener<E>)(payload);
    }
  }

  function refused(error: Error & { data?: { code?: string } }): void {
    const { message, data } = error;

    if (data?.code !== undefined && LATER.has(data.code)) {
      move(state.get().connects > 0 ? 'reconnecting' : 'connecting', {
        error: { code: data.code, message },
      });
      later(() => socket?.connect(), BACK_OFF_MAX);
      return;
    }

    if (typeof source === 'function' && refusals++ === 0) {
      reason = 'refused';
      socket?.connect();
      return;
    }

    move('refused', { error: { code: data?.code ?? 'refused', message } });
  }

  async function refresh(): Promise<void> {
    const token = await readToken(source, 'expiring').catch(() => undefined);

    if (token) {
      // refused or not: at its end the socket is closed, and connects anew
      await connection.request('auth_refresh', { token });
    }
  }

  /* the network is back or the page is looked at: no need to sit out a delay */

  function nudge(): void {
    const { status } = state.get();

    if (document.visibilityState === 'hidden') {
      return;
    }

    if (status === 'reconnecting') {
      again();
    } else if (status === 'refused' && typeof source !== 'string') {
      connection.retry();
    }
  }

  function again(): void {
    socket?.disconnect();
    socket?.connect();
  }

  function watch(sk: Socket): void {
    sk.on('connect', () => {
      refusals = 0;
      clearTimeout(timer);
      move('connected', {
        recovered: !!sk.recovered,
        connects: state.get().connects + 1,
        socketId: sk.id,
      });

      for (const listener of [...connectListeners]) {
        listener(!!sk.recovered);
      }
    });

    sk.on('disconnect', (why) => {
      if (state.get().status === 'idle') {
        return;
      }

      move('reconnecting');

      if (why === 'io server disconnect') {
        later(() => sk.connect(), 1000);
      }
    });

    sk.on('connect_error', (error) => {
      const code = forbidden(error);

      if (code) {
        sk.disconnect();
        refused(Object.assign(error, { data: { code } }));
        return;
      }

      if (sk.active === false) {
        refused(error);
        return;
      }

      move(state.get().connects > 0 ? 'reconnecting' : 'connecting', {
        error: { code: 'unreachable', message: error.message },
      });
    });

    for (const event of serverEvents) {
      sk.on(event, (payload: unknown) => dispatch(event, payload));
    }

    sk.onAny((event: string) => {
      const known = (serverEvents as string[]).includes(event);

      if (!known && !unknown.has(event) && unknown.size < 100) {
        unknown.add(event);
        ignored(event, 'unknown');
      }
    });
  }

  const connection: Connection = {
    state,

    start() {
      if (state.get().status !== 'idle') {
        return;
      }

      move('connecting');

      if (socket) {
        socket.connect();
      } else {
        socket = io(options.url ?? '', {
          path: options.path ?? '/socket.io/',
          auth,
          transports: options.transports ?? ['websocket', 'polling'],
          tryAllTransports: true,
          withCredentials: true,
          forceNew: true,
          reconnection: true,
          reconnectionAttempts: Number.POSITIVE_INFINITY,
          reconnectionDelay: 500,
          reconnectionDelayMax: BACK_OFF_MAX,
          randomizationFactor: 0.5,
        });
        watch(socket);
      }

      if (typeof window !== 'undefined') {
        window.addEventListener('online', nudge);
        document.addEventListener('visibilitychange', nudge);
      }
    },

    stop() {
      if (state.get().status === 'idle') {
        return;
      }

      clearTimeout(timer);
      move('idle');
      socket?.disconnect();

      if (typeof window !== 'undefined') {
        window.removeEventListener('online', nudge);
        document.removeEventListener('visibilitychange', nudge);
      }
    },

    retry() {
      const { status, connects } = state.get();

      if (status === 'idle' || status === 'connected') {
        return;
      }

      refusals = 0;
      reason = status === 'refused' ? 'refused' : 'connect';
      move(connects > 0 ? 'reconnecting' : 'connecting');
      again();
    },

    token: () => source,

    setToken(token) {
      if (token === source) {
        return;
      }

      source = token;

      if (state.get().status === 'connected') {
        refresh();
      } else {
        connection.retry();
      }
    },

    on(event, listener) {
      const set = listeners.get(event) ?? new Set();

      listeners.set(event, set.add(listener as Listener<never>));
      return () => {
        set.delete(listener as Listener<never>);
      };
    },

    onConnect(listener) {
      connectListeners.add(listener);
      return () => {
        connectListeners.delete(listener);
      };
    },

    emit(event, payload) {
      socket?.emit(event, payload);
    },

    request(event, payload, timeout = 10_000) {
      return new Promise((resolve) => {
        const failed = (code: string, message: string) =>
          resolve({ status: 'error', code, message });

        if (state.get().status !== 'connected' || !socket) {
          failed('offline', 'Socket not connected');
          return;
        }

        socket
          .timeout(timeout)
          .emit(event, payload, (error: Error, ack: Ack<never>) => {
            if (error) {
              failed('timeout', 'No answer');
            } else if (ack?.status === 'success' || ack?.status === 'error') {
              resolve(ack);
            } else {
              failed('ack_invalid', 'Unknown answer');
            }
          });
      });
    },

    transport: () => socket?.io.engine?.transport?.name,
    sid: () => socket?.io.engine?.id,
  };

  /*
   * The server wrote its time between the CONNECT and now: what the two clocks
   * may differ by for that reason alone is no difference.
   */

  connection.on('connected', ({ userId, timestamp }) => {
    const half = (Date.now() - asked) / 2;
    const ahead = Date.parse(timestamp) - asked - half;

    state.set((now) => ({
      ...now,
      userId,
      skew: Math.abs(ahead) > half ? ahead : 0,
    }));
  });

  connection.on('auth_expiring', () => {
    refresh();
  });

  /* of what has no ack, and so nobody who could say it to the person */

  connection.on('error', ({ code, message, event }) => {
    warn(event ? `event "${event}" refused: ${code}` : message);
  });

  return connection;
}
