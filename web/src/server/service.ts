// Copyright (C) ngx_realtime contributors

/*
 * For back ends: the routes of "realtime_api", docs/api.md, by the names that
 * the original had.  It needs fetch and nothing else.
 *
 *   const realtime = new RealtimeService({
 *     url: 'http://127.0.0.1:8081/realtime/api', token: SERVICE_TOKEN });
 *
 *   await realtime.sendNotification(userId, { type, title, message });
 *
 * Whatever goes wrong is a ServiceError with a code: that of the server, or
 * "offline", "timeout", "unreadable".
 *
 * A call that did not get through is made again, after 503 and 429 when the
 * server says so.  A notification has its id before the first attempt, so
 * that it arrives once.  An event has none: emit() and emitWithAck() are made
 * again only where the server has refused them, and not where no reply came, nor
 * where it has sent the event and cannot tell who got it ("no_answer").
 */

export interface Notification {
  type: string; // 1 to 50 of a-z 0-9 _ . -
  title: string;
  message: string;
  data?: Record<string, unknown>;
}

export interface NotificationOptions {
  id?: string; // a UUID; default: a new one
  expiresAt?: Date | string;
  deliverAt?: Date | string;
  volatile?: boolean;
}

export interface Sent {
  id: string;
  online?: number; // receivers that have a socket; not of a job
  offline?: number;
  job?: string; // for later, or for everybody: see job()
}

export interface Job {
  id: string;
  kind: 'notify' | 'broadcast' | 'emit';
  state: 'waiting' | 'running' | 'done' | 'failed';
  done: number;
  total: number | null; // of a broadcast: once it has begun
  runAt: string;
  createdAt: string;
  finishedAt: string | null;
  error: string | null;
}

export interface UserConnection {
  userId: string;
  socketId: string;
  connectedAt: string;
  transport: 'websocket' | 'polling';
  namespace: string;
}

export interface UserStatus {
  online: boolean;
  state: 'online' | 'away' | 'busy' | 'invisible' | 'offline';
  lastSeen: string | null;
  connections: UserConnection[];
}

/* one of userId, jti, or before alone: everybody */

export interface Revocation {
  userId?: string;
  jti?: string;
  before?: Date | string | number; // a number: s since 1970
  expiresAt?: Date | string | number;
}

export interface EmitOptions {
  except?: string; // the id of a socket
  volatile?: boolean;
}

export interface AckOptions extends EmitOptions {
  timeout?: number; // ms to wait for the acks, 1 to 30000; default 5000
}

export interface Acks<Ack extends unknown[] = unknown[]> {
  acks: Ack[]; // what each socket gave its callback, as they came
  missing: number; // sockets that got the event and did not answer
}

export interface RealtimeServiceOptions {
  url: string; // of the location with realtime_api
  token?: string | (() => string | Promise<string>); // none: nginx guards it
  timeout?: number; // ms, of one attempt; default 5000
  retries?: number; // after the first attempt; default 4
  backoff?: number; // ms before the first of them, then doubled; default 200
  fetch?: typeof fetch;
}

export class ServiceError extends Error {
  override name = 'ServiceError';
  code: string;
  status: number; // 0: there was no reply
  retryAfter?: number; // s

  constructor(code: string, message: string, status = 0, retryAfter?: number) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

const BACKOFF_MAX = 10_000; // ms

export class RealtimeService {
  #options: RealtimeServiceOptions;
  #url: string;

  constructor(options: RealtimeServiceOptions) {
    this.#options = options;
    this.#url = options.url.replace(/\/+$/, '');
  }

  sendNotification(
    userId: string,
    notification: Notification,
    options: NotificationOptions = {},
  ): Promise<Sent> {
    return this.#notify({ userId }, notification, options);
  }

  broadcastNotification(
    userIds: string[],
    notification: Notification,
    options: NotificationOptions = {},
  ): Promise<Sent> {
    return this.#notify({ userIds }, notification, options);
  }

  notifyRoom(
    room: string,
    notification: Notification,
    options: NotificationOptions = {},
  ): Promise<Sent> {
    return this.#notify({ room }, notification, options);
  }

  notifyEverybody(
    notification: Notification,
    options: NotificationOptions = {},
  ): Promise<Sent> {
    return this.#notify({ all: true }, notification, options);
  }

  job(id: string): Promise<Job> {
    return this.#call('GET', `/jobs/${encodeURIComponent(id)}`);
  }

  async notifyAssessmentStarted(
    beneficiaryId: string,
    consultantId?: string,
  ): Promise<void> {
    await this.sendNotification(beneficiaryId, {
      type: 'assessment_started',
      title: 'Assessment Started',
      message: 'Your assessment has been started',
      data: { type: 'assessment_started' },
    });

    if (consultantId) {
      await this.sendNotification(consultantId, {
        type: 'new_assessment',
        title: 'New Assessment',
        message: 'A new assessment has been assigned',
        data: { beneficiaryId },
      });
    }
  }

  async notifyRecommendation(
    userId: string,
    title: string,
    description: string,
  ): Promise<void> {
    await this.sendNotification(userId, {
      type: 'recommendation',
      title: 'New Recommendation',
      message: title,
      data: { description },
    });
  }

  getUser(userId: string): Promise<UserStatus> {
    return this.#call('GET', `/users/${encodeURIComponent(userId)}`);
  }

  async isUserOnline(userId: string): Promise<boolean> {
    return (await this.getUser(userId)).online;
  }

  async getUserConnections(userId: string): Promise<UserConnection[]> {
    return (await this.getUser(userId)).connections;
  }

  async getOnlineUsersCount(): Promise<number> {
    const { count } = await this.#call<{ count: number }>(
      'GET',
      '/users/count',
    );

    return count;
  }

  /* how many sockets there were */

  async disconnectUser(userId: string, reason?: string): Promise<number> {
    const { sockets } = await this.#call<{ sockets: number }>(
      'POST',
      `/users/${encodeURIComponent(userId)}/disconnect`,
      { reason },
    );

    return sockets;
  }

  async revokeTokens(revocation: Revocation): Promise<void> {
    await this.#call('POST', '/tokens/revoke', revocation);
  }

  /* how many sockets the room had */

  async emit(
    room: string,
    event: string,
    args: unknown[] = [],
    options: EmitOptions = {},
  ): Promise<number> {
    const { sockets } = await this.#call<{ sockets: number }>(
      'POST',
      `/rooms/${encodeURIComponent(room)}/emit`,
      { ...options, event, args },
      false,
    );

    return sockets;
  }

  /* the acks of all sockets of the room: see docs/api.md for who is missing */

  emitWithAck<Ack extends unknown[] = unknown[]>(
    room: string,
    event: string,
    args: unknown[] = [],
    { timeout = 5000, ...options }: AckOptions = {},
  ): Promise<Acks<Ack>> {
    return this.#call(
      'POST',
      `/rooms/${encodeURIComponent(room)}/emit`,
      { ...options, event, args, ackTimeout: timeout },
      false,
      timeout,
    );
  }

  #notify(
    to: object,
    { type, title, message, data }: Notification,
    options: NotificationOptions,
  ): Promise<Sent> {
    return this.#call('POST', '/notifications', {
      ...to,
      type,
      title,
      message,
      data,
      ...options,
      id: options.id ?? crypto.randomUUID(),
    });
  }

  /* repeatable: made again also when it may have been done; longer: ms that the
     server may take more than usual */

  async #call<T>(
    method: string,
    path: string,
    body?: object,
    repeatable = true,
    longer = 0,
  ): Promise<T> {
    const { retries = 4, backoff = 200 } = this.#options;
    const text = body && JSON.stringify(body);

    for (let n = 0; ; n++) {
      try {
        return await this.#attempt<T>(method, path, text, longer);
      } catch (error) {
        if (
          n >= retries ||
          !(error instanceof ServiceError) ||
          !mayRepeat(error, repeatable)
        ) {
          throw error;
        }

        const wait = Math.min(backoff * 2 ** n, BACKOFF_MAX);

        await sleep(
          Math.max(
            (error.retryAfter ?? 0) * 1000,
            wait * (0.5 + Math.random() / 2),
          ),
        );
      }
    }
  }

  async #attempt<T>(
    method: string,
    path: string,
    body: string | undefined,
    longer: number,
  ): Promise<T> {
    const { token, timeout = 5000, fetch = globalThis.fetch } = this.#options;
    const bearer = typeof token === 'function' ? await token() : token;
    const headers: Record<string, string> = {};

    if (bearer !== undefined) {
      headers.Authorization = `Bearer ${bearer}`;
    }

    if (body !== undefined) {
      headers['Content-Type'] = 'application/json';
    }

    let response: Response;
    let text: string;

    try {
      response = await fetch(this.#url + path, {
        method,
        headers,
        body,
        signal: AbortSignal.timeout(timeout + longer),
      });
      text = await response.text();
    } catch (error) {
      throw (error as Error).name === 'TimeoutError'
        ? new ServiceError('timeout', 'No reply in time')
        : new ServiceError('offline', 'No connection to the server');
    }

    return read<T>(response, text);
  }
}

function read<T>(response: Response, text: string): T {
  const retryAfter = Number(response.headers.get('Retry-After')) || undefined;
  let reply: { data?: unknown; code?: unknown; message?: unknown } | null;

  try {
    reply = JSON.parse(text);
  } catch {
    reply = null;
  }

  if (response.ok && reply) {
    return reply.data as T;
  }

  throw new ServiceError(
    typeof reply?.code === 'string' ? reply.code : 'unreadable',
    typeof reply?.message === 'string'
      ? reply.message
      : 'The reply is not that of realtime_api',
    response.status,
    retryAfter,
  );
}

function mayRepeat(error: ServiceError, repeatable: boolean): boolean {
  if (error.status === 503 || error.status === 429) {
    return repeatable || error.code !== 'no_answer';
  }

  return repeatable && (error.status === 0 || error.status >= 502);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
