// Copyright (C) ngx_realtime contributors

/*
 * One open conversation: its newest messages, more of them on request, and
 * what is missing after a connection that was not recovered.
 *
 * It loads when the first one opens it and keeps what it has when the last
 * one leaves, until it is opened again.
 */

import { type Rest, RestError } from './rest.ts';
import { createRetry } from './retry.ts';
import { createStore, type Store } from './store.ts';
import {
  advance,
  type ChatMessage,
  fromRow,
  lastId,
  merge,
  remove,
  type Timeline,
} from './timeline.ts';

export interface Problem {
  code: string;
  message: string;
}

export interface ConversationState {
  phase: 'loading' | 'ready' | 'failed' | 'gone';
  messages: Timeline;
  hasEarlier: boolean;
  loadingEarlier: boolean;
  error?: Problem;
  unreadFrom?: string; // id of the first unread one when it was opened
}

export interface Conversation {
  id: string;
  state: Store<ConversationState>;
  open: () => () => void;
  isOpen: () => boolean;
  refresh: () => Promise<void>;
  loadEarlier: () => Promise<void>;
  apply: (messages: readonly ChatMessage[]) => void;
  forget: (clientId: string) => void;
  receipt: (
    is: (senderId: string) => boolean,
    upTo: string,
    state: 'delivered' | 'read',
  ) => void;
  gone: () => void;
}

export const PAGE = 50;

const GAP_PAGE = 200;
const GAP_PAGES = 5;
const KEPT = 200;

export function problem(error: unknown): Problem {
  return error instanceof RestError
    ? { code: error.code, message: error.message }
    : { code: 'internal', message: String(error) };
}

export function createConversation(
  id: string,
  rest: Rest,
  me: () => string | undefined,
): Conversation {
  const state = createStore<ConversationState>({
    phase: 'loading',
    messages: [],
    hasEarlier: false,
    loadingEarlier: false,
  });

  let users = 0;
  let divided = false;
  let loading: Promise<void> | undefined;
  let again = false;

  const retry = createRetry(() => fetchAll());

  function patch(more: Partial<ConversationState>): void {
    state.set((now) => ({ ...now, ...more }));
  }

  function gone(): void {
    retry.stop();
    patch({ phase: 'gone', messages: [], hasEarlier: false });
  }

  function apply(messages: readonly ChatMessage[]): void {
    if (state.get().phase !== 'gone' && messages.length > 0) {
      patch({ messages: merge(state.get().messages, messages) });
    }
  }

  /*
   * The newest page repairs read marks too, and is mostly enough.  If it does
   * not reach what is here, the messages between are fetched, or, if they are
   * very many, what is here is given up for them.
   */

  async function fillGap(from: string, to: string): Promise<boolean> {
    let after = from;

    for (let i = 0; i < GAP_PAGES; i++) {
      const { data } = await rest.messages(id, { after, limit: GAP_PAGE });
      const last = data.at(-1)?.id;

      apply(data.map(fromRow));

      if (last === undefined || last <= after || last >= to) {
        return true;
      }

      after = last;
    }

    return false;
  }

  async function fetchNewest(): Promise<void> {
    const { data, pagination } = await rest.messages(id, { limit: PAGE });
    const newest = data.map(fromRow);
    const { phase, messages } = state.get();
    const from = phase === 'ready' ? lastId(messages) : undefined;
    const first = newest[0]?.id;
    let whole = from === undefined || first === undefined || first <= from;

    if (from !== undefined && first !== undefined && !whole) {
      whole = await fillGap(from, first);
    }

    if (from !== undefined && whole) {
      apply(newest);
      return;
    }

    /* deleted, or written in, while that was under way */

    const now = state.get();

    if (now.phase === 'gone') {
      return;
    }

    const last = newest.at(-1)?.id ?? '';

    patch({
      phase: 'ready',
      error: undefined,
      messages: merge(
        newest,
        now.messages.filter((m) => !m.id || m.id > last),
      ),
      hasEarlier: pagination.hasMore,
    });
  }

  /* where the unread ones begin: found once, when it is opened */

  function divide(): void {
    if (divided) {
      return;
    }

    divided = true;
    patch({
      unreadFrom: state
        .get()
        .messages.find((m) => m.senderId !== me() && m.state !== 'read')?.id,
    });
  }

  async function load(): Promise<void> {
    try {
      await fetchNewest();
      retry.done();
      divide();
    } catch (error) {
      const { phase } = state.get();

      if (problem(error).code === 'conversation_not_found') {
        gone();
        return;
      }

      if (phase === 'loading' || phase === 'failed') {
        patch({ phase: 'failed', error: problem(error) });
      }

      if (users > 0 && phase !== 'gone') {
        retry.later(error);
      }
    }
  }

  async function loadAll(): Promise<void> {
    do {
      again = false;
      await load();
    } while (again);
  }

  /* what is under way may have been answered before what is missing came */

  function fetchAll(): Promise<void> {
    again = loading !== undefined;
    loading ??= loadAll().finally(() => {
      loading = undefined;
    });
    return loading;
  }

  function refresh(): Promise<void> {
    if (state.get().phase === 'failed') {
      patch({ phase: 'loading', error: undefined });
    }

    return fetchAll();
  }

  return {
    id,
    state,
    apply,
    refresh,
    gone,
    isOpen: () => users > 0,

    open() {
      if (users++ === 0 && state.get().phase !== 'gone') {
        refresh();
      }

      return () => {
        if (--users === 0) {
          retry.stop();
          queueMicrotask(() => {
            const { messages, hasEarlier } = state.get();

            if (users === 0) {
              divided = false;
              patch({
                messages: messages.slice(-KEPT),
                hasEarlier: hasEarlier || messages.length > KEPT,
                unreadFrom: undefined,
              });
            }
          });
        }
      };
    },

    async loadEarlier() {
      const { hasEarlier, loadingEarlier, messages } = state.get();
      const before = messages.find((m) => m.id)?.id;

      if (!hasEarlier || loadingEarlier || !before) {
        return;
      }

      patch({ loadingEarlier: true });

      try {
        const { data, pagination } = await rest.messages(id, {
          before,
          limit: PAGE,
        });

        const { phase, messages: now } = state.get();

        /* deleted, or others are the first ones now: it would leave a hole */

        if (phase === 'gone' || now.find((m) => m.id)?.id !== before) {
          patch({ loadingEarlier: false });
          return;
        }

        patch({
          messages: merge(now, data.map(fromRow)),
          hasEarlier: pagination.hasMore && data.length > 0,
          loadingEarlier: false,
          error: undefined,
        });
      } catch (error) {
        patch({ loadingEarlier: false, error: problem(error) });
      }
    },

    forget(clientId) {
      patch({ messages: remove(state.get().messages, clientId) });
    },

    receipt(is, upTo, to) {
      patch({ messages: advance(state.get().messages, is, upTo, to) });
    },
  };
}
