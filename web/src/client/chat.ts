// Copyright (C) ngx_realtime contributors

/*
 * Chat of one user: conversations, their messages, the outbox and the read
 * marks, kept together by the events of the socket and by the other tabs.
 *
 *   socket event --+                       +--> conversation.ts (open ones)
 *   ack, REST -----+--> here, by its id ---+--> conversations.ts (the list)
 *   other tabs ----+                       +--> reads.ts, outbox.ts
 *
 * There is one for a Realtime: chatOf().  The outbox begins when the user is
 * known, because what is kept in the browser is kept for that user.
 */

import { type Conversation, createConversation } from './conversation.ts';
import { type Conversations, createConversations } from './conversations.ts';
import type { Ack, MessagePayload, ReceiptPayload } from './events.ts';
import { createOutbox, type Outbox, type OutboxEntry } from './outbox.ts';
import { createReads } from './reads.ts';
import type { Realtime } from './realtime.ts';
import { createRest, type MessageRow, type Rest } from './rest.ts';
import { createStorage } from './storage.ts';
import { createStore, type Store } from './store.ts';
import { createTabs, type TabMessage, type Tabs } from './tabs.ts';
import { type ChatMessage, fromEvent, fromRow } from './timeline.ts';
import { readToken, userOf } from './token.ts';
import { uuid7 } from './uuid7.ts';

export interface Chat {
  rest: Rest;
  me: Store<string | undefined>;
  conversations: Conversations;
  conversation: (id: string) => Conversation;
  send: (conversationId: string, content: string) => void;
  retry: (message: ChatMessage) => void;
  discard: (message: ChatMessage) => void;
  seen: (conversationId: string, upTo: string) => void;
  onTabs: (listener: (message: TabMessage) => void) => () => void;
  tellTabs: (message: TabMessage) => void;
  start: () => () => void;
}

/* what is kept for a user once it is known who it is */

interface Kept {
  user: string;
  outbox: Outbox;
  tabs: Tabs;
}

export function createChat(realtime: Realtime): Chat {
  const { connection, options } = realtime;
  const rest = createRest({ ...options, token: connection.token });
  const me = createStore<string | undefined>(undefined);
  const conversations = createConversations(rest);
  const open = new Map<string, Conversation>();
  const tabListeners = new Set<(message: TabMessage) => void>();

  let kept: Kept | undefined;
  let unsaved: OutboxEntry[] = []; // written before the user was known
  let users = 0;
  let stops: (() => void)[] = [];

  const ready = () => connection.state.get().status === 'connected';
  const mine = (senderId: string) => senderId === me.get();
  const others = (senderId: string) => senderId !== me.get();
  const now = () => Date.now() + connection.state.get().skew;

  function conversation(id: string): Conversation {
    let found = open.get(id);

    if (!found) {
      found = createConversation(id, rest, me.get);
      open.set(id, found);
      kept?.outbox.load().then((entries) => {
        found?.apply(
          entries.filter((e) => e.conversationId === id).map(unsent),
        );
      });
    }

    return found;
  }

  /* -- outbox */

  function unsent(entry: OutboxEntry): ChatMessage {
    return {
      key: entry.clientId,
      clientId: entry.clientId,
      conversationId: entry.conversationId,
      senderId: me.get() ?? '',
      content: entry.content,
      timestamp: entry.at,
      state: entry.error ? 'failed' : 'queued',
      error: entry.error,
    };
  }

  function changed(
    entry: OutboxEntry,
    state: 'queued' | 'sending' | 'failed' | 'sent' | 'discarded',
    row?: MessageRow,
  ): void {
    const { conversationId, clientId } = entry;
    const to = open.get(conversationId);

    switch (state) {
      case 'queued':
      case 'failed':
        to?.apply([{ ...unsent(entry), state }]);
        kept?.tabs.post({ type: 'outbox', entry, state });
        break;

      case 'sending':
        to?.apply([{ ...unsent(entry), state }]);
        break;

      case 'discarded':
        to?.forget(clientId);
        kept?.tabs.post({ type: 'discarded', conversationId, clientId });
        break;

      case 'sent':
        if (row) {
          stored(row, clientId);
        }
        break;
    }
  }

  /* the row of an ack: the server tells it to the other sockets, not to this */

  function stored(row: MessageRow, clientId: string): void {
    open
      .get(row.conversation_id)
      ?.apply([{ ...fromRow(row), clientId: row.client_id ?? clientId }]);
    conversations.message(
      {
        id: row.id,
        senderId: row.sender_id,
        conversationId: row.conversation_id,
        content: row.content,
        message: row.content,
        timestamp: row.created_at,
      },
      true,
    );
  }

  function fromTab(message: TabMessage): void {
    switch (message.type) {
      case 'outbox':
        open
          .get(message.entry.conversationId)
          ?.apply([{ ...unsent(message.entry), state: message.state }]);
        break;

      case 'discarded':
        open.get(message.conversationId)?.forget(message.clientId);
        kept?.outbox.forget(message.clientId);
        break;

      case 'seen':
        open.get(message.conversationId)?.receipt(others, message.upTo, 'read');
        conversations.unread(
          message.conversationId,
          (count) => message.unread ?? count,
        );
        break;
    }

    for (const listener of [...tabListeners]) {
      listener(message);
    }
  }

  function setUser(user: string | undefined): void {
    if (!user || kept?.user === user) {
      return;
    }

    close();
    me.set(user);

    const scope = `${options.url ?? ''} ${user}`;
    const tabs = createTabs(scope, fromTab);
    const outbox = createOutbox({
      storage: createStorage(scope),
      lock: (run) => tabs.lock('outbox', run),
      ready,
      send: ({ conversationId, content, clientId }) =>
        connection.request<MessageRow, 'message_send'>('message_send', {
          conversationId,
          content,
          clientId,
        }),
      changed,
    });

    kept = { user, outbox, tabs };

    outbox.load().then((entries) => {
      for (const entry of entries) {
        open.get(entry.conversationId)?.apply([unsent(entry)]);
      }

      for (const entry of unsaved.splice(0)) {
        open.get(entry.conversationId)?.forget(entry.clientId);
        outbox.add(entry);
      }

      outbox.drain();
    });
  }

  function close(): void {
    kept?.outbox.stop();
    kept?.tabs.close();
    kept = undefined;
  }

  /* -- read marks */

  const reads = createReads(async (conversationId, upTo) => {
    const ack = await connection.request('mark_as_read', {
      conversationId,
      upTo,
    });

    if (ack.status === 'error' && ack.code === 'event_unknown') {
      await rest.markAsRead(conversationId, upTo).catch(() => undefined);
    }

    return ack as Ack<unknown>;
  });

  function seen(conversationId: string, upTo: string): void {
    if (!reads.seen(conversationId, upTo)) {
      return;
    }

    const { messages } = conversation(conversationId).state.get();
    const fresh = messages.filter(
      (m) => m.id && m.id <= upTo && others(m.senderId) && m.state !== 'read',
    ).length;
    const last = messages.findLast((m) => m.id && others(m.senderId))?.id;

    const all = last !== undefined && last <= upTo;

    conversation(conversationId).receipt(others, upTo, 'read');
    conversations.unread(conversationId, (count) => (all ? 0 : count - fresh));

    const row = conversations.state
      .get()
      .rows.find(({ id }) => id === conversationId);

    /* a page without the list does not know how many are left */

    kept?.tabs.post({
      type: 'seen',
      conversationId,
      upTo,
      unread: all ? 0 : row?.unread_count,
    });
  }

  /* -- events */

  function message(event: MessagePayload): void {
    open.get(event.conversationId)?.apply([fromEvent(event)]);
    conversations.message(event, mine(event.senderId));
  }

  function receipt(event: ReceiptPayload, state: 'delivered' | 'read'): void {
    open
      .get(event.conversationId)
      ?.receipt((sender) => sender !== event.userId, event.upTo, state);
  }

  function listen(): (() => void)[] {
    return [
      connection.on('message', message),
      connection.on('message_sent', message),
      connection.on('message_delivered', (e) => receipt(e, 'delivered')),
      connection.on('message_read', (e) => receipt(e, 'read')),

      /* read in another browser of the same person */

      connection.on('conversation_read', (event) => {
        const to = open.get(event.conversationId);
        const row = conversations.state
          .get()
          .rows.find(({ id }) => id === event.conversationId);

        to?.receipt((sender) => sender !== event.userId, event.upTo, 'read');

        if (row && row.unread_count > 0) {
          conversations.update(row.id);
        }
      }),

      connection.on('conversation_deleted', ({ conversationId }) => {
        open.get(conversationId)?.gone();
        conversations.remove(conversationId);
      }),

      connection.on('connected', ({ userId }) => {
        setUser(userId);
      }),

      connection.onConnect((recovered) => {
        kept?.outbox.drain();
        reads.flush();

        if (recovered) {
          return;
        }

        conversations.refresh();

        for (const one of open.values()) {
          if (one.isOpen()) {
            one.refresh();
          }
        }
      }),
    ];
  }

  async function guessUser(): Promise<void> {
    const { userId } = connection.state.get();
    const token = await readToken(connection.token(), 'connect').catch(
      () => undefined,
    );

    if (users > 0) {
      setUser(userId ?? options.userId ?? userOf(token));
    }
  }

  return {
    rest,
    me,
    conversations,
    conversation,
    seen,

    start() {
      if (users++ === 0 && stops.length === 0) {
        stops = [realtime.acquire(), ...listen()];
        guessUser();
      }

      return () => {
        users--;
        queueMicrotask(() => {
          if (users === 0) {
            for (const stop of stops.splice(0)) {
              stop();
            }

            reads.flush();
            close();
          }
        });
      };
    },

    send(conversationId, content) {
      const entry = {
        clientId: uuid7(),
        conversationId,
        content,
        at: new Date(now()).toISOString(),
      };

      if (kept) {
        kept.outbox.add(entry);
      } else {
        unsaved = [...unsaved, entry];
        conversation(conversationId).apply([unsent(entry)]);
      }
    },

    retry({ clientId, conversationId, content, timestamp }) {
      if (clientId) {
        kept?.outbox.retry({
          clientId,
          conversationId,
          content,
          at: timestamp,
        });
      }
    },

    discard({ clientId, conversationId, content, timestamp }) {
      if (clientId) {
        kept?.outbox.discard({
          clientId,
          conversationId,
          content,
          at: timestamp,
        });
      }
    },

    onTabs(listener) {
      tabListeners.add(listener);
      return () => {
        tabListeners.delete(listener);
      };
    },

    tellTabs: (m) => kept?.tabs.post(m),
  };
}

const chats = new WeakMap<Realtime, Chat>();

export function chatOf(realtime: Realtime): Chat {
  let chat = chats.get(realtime);

  if (!chat) {
    chat = createChat(realtime);
    chats.set(realtime, chat);
  }

  return chat;
}
