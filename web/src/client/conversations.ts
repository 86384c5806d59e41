// Copyright (C) ngx_realtime contributors

/* The conversations of the user, newest first, with what is unread in each. */

import { type Problem, problem } from './conversation.ts';
import type { MessagePayload } from './events.ts';
import type { ConversationRow, Rest } from './rest.ts';
import { createRetry } from './retry.ts';
import { createStore, type Store } from './store.ts';

export interface ConversationsState {
  phase: 'idle' | 'loading' | 'ready' | 'failed';
  rows: ConversationRow[];
  hasMore: boolean;
  error?: Problem;
}

export interface Conversations {
  state: Store<ConversationsState>;
  open: () => () => void;
  refresh: () => Promise<void>;
  loadMore: () => Promise<void>;
  start: (participantId: string, title?: string) => Promise<ConversationRow>;
  message: (event: MessagePayload, own: boolean) => void;
  unread: (id: string, change: (count: number) => number) => void;
  update: (id: string) => Promise<void>;
  remove: (id: string) => void;
}

function newest(a: ConversationRow, b: ConversationRow): number {
  const at = (row: ConversationRow) => row.last_message_at ?? row.updated_at;

  return at(a) > at(b) ? -1 : Number(at(a) < at(b));
}

function join(rows: ConversationRow[], more: ConversationRow[]) {
  const byId = new Map([...rows, ...more].map((row) => [row.id, row]));

  return [...byId.values()].sort(newest);
}

export function createConversations(rest: Rest): Conversations {
  const state = createStore<ConversationsState>({
    phase: 'idle',
    rows: [],
    hasMore: false,
  });

  let cursor: string | undefined;
  let users = 0;
  let loading: Promise<void> | undefined;
  let more: Promise<void> | undefined;

  const retry = createRetry(() => once());

  function patch(more: Partial<ConversationsState>): void {
    state.set((now) => ({ ...now, ...more }));
  }

  function find(id: string): ConversationRow | undefined {
    return state.get().rows.find((row) => row.id === id);
  }

  function change(id: string, more: Partial<ConversationRow>): void {
    const row = find(id);

    if (row) {
      patch({ rows: join(state.get().rows, [{ ...row, ...more }]) });
    }
  }

  /* what has failed stays on the screen until it is known to be better */

  async function load(from?: string): Promise<void> {
    if (state.get().phase === 'idle') {
      patch({ phase: 'loading' });
    }

    try {
      const { data, pagination } = await rest.conversations({ cursor: from });

      cursor = pagination.nextCursor ?? undefined;
      patch({
        phase: 'ready',
        rows: from ? join(state.get().rows, data) : data.toSorted(newest),
        hasMore: pagination.hasMore,
        error: undefined,
      });
      retry.done();
    } catch (error) {
      patch({
        phase: state.get().phase === 'ready' ? 'ready' : 'failed',
        error: problem(error),
      });

      if (users > 0 && !from) {
        retry.later(error);
      }
    }
  }

  function once(from?: string): Promise<void> {
    loading ??= load(from).finally(() => {
      loading = undefined;
    });
    return loading;
  }

  async function next(): Promise<void> {
    await loading;

    if (state.get().hasMore && cursor) {
      await once(cursor);
    }
  }

  async function update(id: string): Promise<void> {
    try {
      const row = await rest.conversation(id);

      patch({ rows: join(state.get().rows, [row]) });
    } catch {
      // the next refresh has it
    }
  }

  return {
    state,
    update,

    open() {
      if (users++ === 0) {
        once();
      }

      return () => {
        if (--users === 0) {
          retry.stop();
        }
      };
    },

    /* what is under way may have been answered before what is missing came */

    async refresh() {
      if (users > 0) {
        if (state.get().phase === 'failed') {
          patch({ phase: 'loading', error: undefined });
        }

        await loading;
        await once();
      }
    },

    loadMore() {
      more ??= next().finally(() => {
        more = undefined;
      });
      return more;
    },

    async start(participantId, title) {
      const row = await rest.startConversation(participantId, title);

      patch({ rows: join(state.get().rows, [row]) });
      return row;
    },

    message(event, own) {
      const row = find(event.conversationId);

      if (row) {
        change(row.id, {
          last_message: event.content,
          last_message_at: event.timestamp,
          updated_at: event.timestamp,
          unread_count: row.unread_count + (own ? 0 : 1),
        });
      } else if (users > 0) {
        update(event.conversationId);
      }
    },

    unread(id, count) {
      const row = find(id);

      if (row) {
        change(id, { unread_count: Math.max(0, count(row.unread_count)) });
      }
    },

    remove(id) {
      patch({ rows: state.get().rows.filter((row) => row.id !== id) });
    },
  };
}
