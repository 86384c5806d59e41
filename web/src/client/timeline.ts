// Copyright (C) ngx_realtime contributors

/*
 * The messages of one conversation, in their order, each once: pure functions
 * on an array that is never changed in place.
 *
 * A message comes up to four times: from the outbox, as an ack, as an event
 * and in a page of history.  Its id, or before it has one its clientId, says
 * that it is the same.  Ids are UUIDv7, so their order is the order of the
 * conversation; what has none yet stands at the end, as it was written.
 *
 *   queued -> sending -> sent -> delivered -> read
 *        ^        |
 *        +----- failed
 */

import type { MessagePayload } from './events.ts';
import type { MessageRow } from './rest.ts';

export type Delivery =
  | 'queued'
  | 'sending'
  | 'failed'
  | 'sent'
  | 'delivered'
  | 'read';

export interface ChatMessage {
  key: string; // stays the same from the outbox to the end
  id?: string; // once it is stored
  clientId?: string;
  conversationId: string;
  senderId: string;
  content: string;
  timestamp: string;
  state: Delivery;
  error?: { code: string; message: string };
}

export type Timeline = readonly ChatMessage[];

const RANK: Record<Delivery, number> = {
  failed: 0,
  queued: 0,
  sending: 0,
  sent: 1,
  delivered: 2,
  read: 3,
};

export function fromRow(row: MessageRow): ChatMessage {
  let state: Delivery = row.delivered_at ? 'delivered' : 'sent';

  if (row.is_read || row.read_at) {
    state = 'read';
  }

  return {
    key: row.id,
    id: row.id,
    clientId: row.client_id ?? undefined,
    conversationId: row.conversation_id,
    senderId: row.sender_id,
    content: row.content,
    timestamp: row.created_at,
    state,
  };
}

export function fromEvent(event: MessagePayload): ChatMessage {
  return {
    key: event.id,
    id: event.id,
    clientId: event.clientId,
    conversationId: event.conversationId,
    senderId: event.senderId,
    content: event.content,
    timestamp: event.timestamp,
    state: 'sent',
  };
}

function order(a: ChatMessage, b: ChatMessage): number {
  if (a.id && b.id) {
    return a.id < b.id ? -1 : Number(a.id > b.id);
  }

  if (a.id || b.id) {
    return a.id ? -1 : 1;
  }

  return (a.clientId ?? '') < (b.clientId ?? '') ? -1 : 1;
}

/* what is stored does not become unsent, what is read does not become unread */

function replace(old: ChatMessage, now: ChatMessage): ChatMessage {
  if (old.id && !now.id) {
    return old;
  }

  const state = RANK[old.state] > RANK[now.state] ? old.state : now.state;

  return { ...now, key: old.key, state };
}

export function merge(
  list: Timeline,
  incoming: readonly ChatMessage[],
): Timeline {
  const byId = new Map<string, number>();
  const byClient = new Map<string, number>();
  const name = (m: ChatMessage) => `${m.senderId} ${m.clientId}`;

  list.forEach((m, i) => {
    if (m.id) {
      byId.set(m.id, i);
    }

    if (m.clientId) {
      byClient.set(name(m), i);
    }
  });

  const next = [...list];
  let sorted = true;

  for (const message of incoming) {
    const at =
      byId.get(message.id ?? '') ??
      (message.clientId ? byClient.get(name(message)) : undefined);
    const old = at === undefined ? undefined : next[at];

    if (old && at !== undefined) {
      next[at] = replace(old, message);
      sorted &&= old.id === next[at].id;
      continue;
    }

    const last = next.at(-1);

    sorted &&= !last || order(last, message) < 0;
    byId.set(message.id ?? '', next.length);
    byClient.set(name(message), next.length);
    next.push(message);
  }

  return sorted ? next : next.sort(order);
}

export function remove(list: Timeline, clientId: string): Timeline {
  return list.filter((m) => m.id !== undefined || m.clientId !== clientId);
}

/* everything up to an id that one side sent has got that far */

export function advance(
  list: Timeline,
  is: (senderId: string) => boolean,
  upTo: string,
  state: 'delivered' | 'read',
): Timeline {
  let changed = false;

  const next = list.map((m) => {
    if (
      !m.id ||
      m.id > upTo ||
      !is(m.senderId) ||
      RANK[m.state] >= RANK[state]
    ) {
      return m;
    }

    changed = true;
    return { ...m, state };
  });

  return changed ? next : list;
}

export function lastId(list: Timeline): string | undefined {
  return list.findLast((m) => m.id)?.id;
}
