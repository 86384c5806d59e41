// Copyright (C) ngx_realtime contributors

/*
 * REST, as docs/rest.md has it.  Whatever goes wrong is a RestError with a
 * code: that of the server, or "offline", "timeout", "unreadable".
 *
 * A 401 asks a token function once for another token.  A 503 says when to
 * come back; that is the caller's affair, see retry.ts.
 */

import { readToken, type TokenSource } from './token.ts';

export interface ConversationRow {
  id: string;
  created_by: string;
  participant_id: string;
  title: string;
  created_at: string;
  updated_at: string;
  last_message: string | null;
  last_message_at: string | null;
  unread_count: number;
  other_user_id: string;
}

export interface MessageRow {
  id: string;
  conversation_id: string;
  sender_id: string;
  content: string;
  client_id: string | null;
  read_at: string | null;
  delivered_at: string | null;
  created_at: string;
  is_read: boolean;
}

export interface NotificationRow {
  id: string;
  user_id: string;
  type: string;
  title: string;
  message: string;
  data: Record<string, unknown> | null;
  read: boolean;
  read_at: string | null;
  created_at: string;
}

export interface Pagination {
  hasMore: boolean;
  nextBefore?: string | null;
  nextCursor?: string | null;
  hasNewer?: boolean;
  nextAfter?: string | null;
}

export interface Page<T> {
  data: T[];
  pagination: Pagination;
}

export interface PageOptions {
  limit?: number;
  before?: string;
  after?: string;
  around?: string;
}

export class RestError extends Error {
  override name = 'RestError';
  code: string;
  status: number;
  retryAfter?: number; // seconds

  constructor(code: string, message: string, status = 0, retryAfter?: number) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

export interface RestOptions {
  url?: string;
  api?: string;
  token?: () => TokenSource | undefined;
  timeout?: number; // ms
}

type Query = Record<string, string | number | undefined>;

interface Envelope {
  status?: string;
  data?: unknown;
  message?: string;
  code?: string;
  pagination?: Pagination;
}

export interface Rest {
  conversations: (q?: {
    limit?: number;
    cursor?: string;
  }) => Promise<Page<ConversationRow>>;
  conversation: (id: string) => Promise<ConversationRow>;
  startConversation: (
    participantId: string,
    title?: string,
  ) => Promise<ConversationRow>;
  deleteConversation: (id: string) => Promise<void>;
  messages: (id: string, q?: PageOptions) => Promise<Page<MessageRow>>;
  markAsRead: (id: string, upTo?: string) => Promise<void>;
  notifications: (q?: {
    limit?: number;
    before?: string;
  }) => Promise<Page<NotificationRow>>;
  unreadNotifications: () => Promise<number>;
  readNotification: (id: string) => Promise<void>;
  readAllNotifications: () => Promise<void>;
  deleteNotification: (id: string) => Promise<void>;
}

/* of whoever stands before the API and answers with a page of his own */

const CODES: Record<number, string> = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'access_denied',
  404: 'not_found',
  413: 'body_too_large',
  429: 'too_many_requests',
  502: 'bad_gateway',
  503: 'service_unavailable',
  504: 'gateway_timeout',
};

function envelope(text: string): Envelope | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function createRest(options: RestOptions): Rest {
  const base = (options.url ?? '') + (options.api ?? '/api');

  async function once(
    method: string,
    path: string,
    body: object | undefined,
    reason: 'connect' | 'refused',
  ): Promise<Envelope> {
    const token = await readToken(options.token?.(), reason).catch(
      () => undefined, // as good as none: the server's word counts
    );
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), options.timeout ?? 15_000);

    try {
      const reply = await fetch(base + path, {
        method,
        credentials: 'include',
        signal: stop.signal,
        headers: {
          ...(token && { Authorization: `Bearer ${token}` }),
          ...(body && { 'Content-Type': 'application/json' }),
        },
        body: body && JSON.stringify(body),
      });
      const answer = envelope(await reply.text()); // half of one: it is thrown

      if (reply.ok && answer?.status === 'success') {
        return answer;
      }

      throw new RestError(
        answer?.code ??
          (reply.ok ? 'unreadable' : (CODES[reply.status] ?? 'http_error')),
        answer?.message ?? `HTTP ${reply.status}`,
        reply.status,
        Number(reply.headers.get('Retry-After')) || undefined,
      );
    } catch (error) {
      if (error instanceof RestError) {
        throw error;
      }

      throw stop.signal.aborted
        ? new RestError('timeout', 'No answer')
        : new RestError('offline', 'The server cannot be reached');
    } finally {
      clearTimeout(timer);
    }
  }

  async function call(
    method: string,
    path: string,
    body?: object,
  ): Promise<Envelope> {
    try {
      return await once(method, path, body, 'connect');
    } catch (error) {
      if (
        error instanceof RestError &&
        error.status === 401 &&
        typeof options.token?.() === 'function'
      ) {
        return once(method, path, body, 'refused');
      }

      throw error;
    }
  }

  function query(q: Query = {}): string {
    const parts = Object.entries(q)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${encodeURIComponent(`${value}`)}`);

    return parts.length > 0 ? `?${parts.join('&')}` : '';
  }

  async function page<T>(path: string): Promise<Page<T>> {
    const { data, pagination } = await call('GET', path);

    if (!Array.isArray(data)) {
      throw new RestError('unreadable', 'Unknown answer', 200);
    }

    return { data, pagination: pagination ?? { hasMore: false } };
  }

  async function row<T>(
    method: string,
    path: string,
    body?: object,
  ): Promise<T> {
    const { data } = await call(method, path, body);

    if (typeof data !== 'object' || data === null) {
      throw new RestError('unreadable', 'Unknown answer', 200);
    }

    return data as T;
  }

  async function done(
    method: string,
    path: string,
    body?: object,
  ): Promise<void> {
    await call(method, path, body);
  }

  const chat = (id: string, rest = '') =>
    `/chat/conversations/${encodeURIComponent(id)}${rest}`;
  const notification = (id: string) =>
    `/notifications/${encodeURIComponent(id)}`;

  return {
    conversations: (q) => page(`/chat/conversations${query(q)}`),
    conversation: (id) => row('GET', chat(id)),
    startConversation: (participantId, title) =>
      row('POST', '/chat/conversations', { participantId, title }),
    deleteConversation: (id) => done('DELETE', chat(id)),
    messages: (id, q) => page(chat(id, `/messages${query({ ...q })}`)),
    markAsRead: (id, upTo) => done('POST', chat(id, '/mark-as-read'), { upTo }),
    notifications: (q) => page(`/notifications${query(q)}`),
    async unreadNotifications() {
      const { unreadCount } = await row<{ unreadCount: number }>(
        'GET',
        '/notifications/unread/count',
      );

      return Number(unreadCount) || 0;
    },
    readNotification: (id) => done('PUT', `${notification(id)}/read`),
    readAllNotifications: () => done('PUT', '/notifications/read-all'),
    deleteNotification: (id) => done('DELETE', notification(id)),
  };
}
