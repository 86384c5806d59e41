// Copyright (C) ngx_realtime contributors

/*
 * What comes from the server is looked at before anything relies on it.  An
 * event that is malformed is dropped, with one line on the console while
 * developing; unknown keys are left out.
 *
 * A shape has a word for each key: what it is, and "?" if it may be missing
 * or null.  The types of events.ts and these words say the same thing; a key
 * that is only here, or only there, does not compile.
 */

import type { ServerEvent, ServerEvents } from './events.ts';

type Kind = 'id' | 'text' | 'boolean' | 'object';
type Word = Kind | `${Kind}?`;
type Item<T> = T extends (infer U)[] ? U : T;
type Shape<T> = { [K in keyof Required<T>]: Word };

const is: Record<Kind, (value: unknown) => boolean> = {
  id: (value) => typeof value === 'string' && value !== '',
  text: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  object: isObject,
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const message = {
  senderId: 'id',
  message: 'text?',
  content: 'text?',
  conversationId: 'id',
  timestamp: 'text',
  id: 'id',
  clientId: 'text?',
} as const;

const receipt = {
  conversationId: 'id',
  userId: 'id',
  upTo: 'id',
  timestamp: 'text',
} as const;

const presence = { userId: 'id', state: 'id', lastSeen: 'text?' } as const;

const shapes: { [E in ServerEvent]: Shape<Item<ServerEvents[E]>> } = {
  connected: { socketId: 'id', userId: 'id', timestamp: 'text' },
  message,
  message_sent: message,
  user_typing: {
    userId: 'id',
    conversationId: 'id',
    isTyping: 'boolean',
    timestamp: 'text',
  },
  notification: {
    id: 'id',
    type: 'text',
    title: 'text',
    message: 'text',
    data: 'object?',
    timestamp: 'text',
  },
  notification_read: { id: 'text?', all: 'boolean?' },
  message_delivered: receipt,
  message_read: receipt,
  conversation_read: receipt,
  conversation_deleted: { conversationId: 'id' },
  presence,
  presence_state: presence,
  auth_expiring: { expiresAt: 'text' },
  error: { code: 'text', message: 'text', event: 'text?' },
};

export const serverEvents: ServerEvent[] = Object.keys(shapes) as ServerEvent[];

/* of Node.js and bundlers; not there in a page without one */

declare const process: { env: { NODE_ENV?: string } } | undefined;

export function warn(text: string): void {
  if (typeof process !== 'undefined' && process.env.NODE_ENV !== 'production') {
    console.warn(`realtime: ${text}`);
  }
}

export function ignored(event: string, reason: string): undefined {
  warn(`event "${event}" ignored: ${reason}`);
}

function decodeOne(
  event: ServerEvent,
  raw: unknown,
): Record<string, unknown> | undefined {
  const out: Record<string, unknown> = {};

  if (!isObject(raw)) {
    return ignored(event, 'not an object');
  }

  for (const [key, word] of Object.entries(shapes[event])) {
    const kind = word.replace('?', '') as Kind;
    const value = raw[key];

    if (is[kind](value)) {
      out[key] = value;
    } else if (kind === word || (value !== undefined && value !== null)) {
      return ignored(event, `"${key}" is no ${kind}`);
    }
  }

  return out;
}

export function decode<E extends ServerEvent>(
  event: E,
  raw: unknown,
): ServerEvents[E] | undefined {
  let out: unknown;

  if (event === 'presence_state') {
    out = Array.isArray(raw)
      ? raw.map((one) => decodeOne(event, one)).filter(Boolean)
      : ignored(event, 'not an array');
  } else {
    out = decodeOne(event, raw);
  }

  /* published servers have the one or the other */

  if (isObject(out) && shapes[event] === message) {
    const text = out.content ?? out.message;

    if (text === undefined) {
      return ignored(event, 'no content');
    }

    out.content = text;
    out.message = text;
  }

  return out as ServerEvents[E] | undefined;
}
