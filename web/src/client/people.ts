// Copyright (C) ngx_realtime contributors

/*
 * Who is there, and who types.  Who is there is the last word of the server,
 * which says it anew at each connect.  Typing ends with the connection, and by
 * itself: the event that would end it may never come.
 */

import type { Connection } from './connection.ts';
import type { PresencePayload, TypingPayload } from './events.ts';
import { createStore, type Store } from './store.ts';

export const TYPING_TTL = 6000;

export type TypingUsers = ReadonlyMap<string, TypingPayload>;
export type People = ReadonlyMap<string, PresencePayload>;

export interface PeopleStores {
  people: Store<People>;
  onlineUsers: Store<Set<string>>;
  typingUsers: Store<TypingUsers>;
}

export function createPeople(connection: Connection): PeopleStores {
  const people = createStore<People>(new Map());
  const onlineUsers = createStore<Set<string>>(new Set());
  const typingUsers = createStore<TypingUsers>(new Map());
  const timers = new Map<string, ReturnType<typeof setTimeout>>();

  function showPeople(list: Iterable<PresencePayload>): void {
    const map = new Map([...list].map((person) => [person.userId, person]));

    people.set(map);
    onlineUsers.set(
      new Set(
        [...map.values()]
          .filter((p) => p.state !== 'offline' && p.state !== 'invisible')
          .map((p) => p.userId),
      ),
    );
  }

  function stops(key: string): void {
    clearTimeout(timers.get(key));
    timers.delete(key);
    typingUsers.set((now) => {
      if (!now.has(key)) {
        return now;
      }

      const next = new Map(now);

      next.delete(key);
      return next;
    });
  }

  connection.on('presence_state', showPeople);

  connection.on('presence', (person) => {
    showPeople([...people.get().values(), person]);
  });

  connection.on('user_typing', (typing) => {
    const key = `${typing.userId}-${typing.conversationId}`;

    stops(key);

    if (typing.isTyping) {
      timers.set(key, setTimeout(stops, TYPING_TTL, key));
      typingUsers.set((now) => new Map(now).set(key, typing));
    }
  });

  /* a message is the end of its typing */

  connection.on('message', (m) => stops(`${m.senderId}-${m.conversationId}`));

  connection.state.subscribe(() => {
    if (connection.state.get().status !== 'connected') {
      [...timers.keys()].forEach(stops);
    }
  });

  return { people, onlineUsers, typingUsers };
}
