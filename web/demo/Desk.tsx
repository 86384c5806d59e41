// Copyright (C) ngx_realtime contributors

/* The signed-in page: conversations, the open one, and what is behind it. */

import { type ReactElement, useEffect, useState } from 'react';
import {
  ChatWidget,
  ConversationList,
  type ConversationRow,
  NotificationBell,
  type PresenceState,
  RealtimeNotifications,
  useConnection,
  useConversations,
} from '../src/index.ts';
import { BackOffice } from './BackOffice.tsx';
import { Inspector } from './Inspector.tsx';
import { useMedia } from './media.ts';
import { linkTo, type Person, wanted } from './people.ts';

export interface DeskProps {
  me: Person;
  people: Person[];
}

const STATES: PresenceState[] = ['online', 'away', 'busy', 'invisible'];

interface TopProps {
  me: Person;
  state: PresenceState;
  onState: (state: PresenceState) => void;
}

function Top({ me, state, onState }: TopProps): ReactElement {
  const dark = document.documentElement.dataset.theme === 'dark';

  return (
    <header className="top">
      <h1>{me.name}</h1>
      <label>
        <span className="unseen">Your state</span>
        <select
          value={state}
          onChange={(event) => onState(event.target.value as PresenceState)}
        >
          {STATES.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
      <span className="gap" />
      <label>
        <span className="unseen">Language</span>
        <select
          defaultValue={wanted.get('lang') ?? 'en'}
          onChange={(event) => {
            location.search = linkTo({ lang: event.target.value });
          }}
        >
          <option value="en">English</option>
          <option value="fr">Français</option>
          <option value="tr">Türkçe</option>
          <option value="es">Español</option>
        </select>
      </label>
      <a href={linkTo({ theme: dark ? 'light' : 'dark' })}>
        {dark ? 'Light' : 'Dark'}
      </a>
      <NotificationBell />
      <a href={linkTo({ user: '' })}>Sign out</a>
    </header>
  );
}

/* those with whom there is no conversation yet */

function Others(props: DeskProps & { onStart: (id: string) => void }) {
  const { rows, phase } = useConversations();
  const known = new Set(rows.map((row) => row.other_user_id));
  const others = props.people.filter(
    ({ id }) => id !== props.me.id && !known.has(id),
  );

  if (phase !== 'ready' || others.length === 0) {
    return null;
  }

  return (
    <div className="others">
      <h2>Start a conversation</h2>
      {others.map(({ id, name }) => (
        <button key={id} type="button" onClick={() => props.onStart(id)}>
          {name}
        </button>
      ))}
    </div>
  );
}

export function Desk(props: DeskProps): ReactElement {
  const { me, people } = props;
  const { rows, start } = useConversations();
  const { status, request } = useConnection();
  const [selected, setSelected] = useState<ConversationRow>();
  const [state, setState] = useState<PresenceState>('online');
  const wide = useMedia('(min-width: 44rem)');
  const widest = useMedia('(min-width: 70.01rem)');
  const nameOf = (id: string) =>
    people.find((person) => person.id === id)?.name ?? id;

  useEffect(() => {
    document.title = `${me.name} – ngx_realtime demo`;
  }, [me]);

  /* to a new session, too: it begins as online */

  useEffect(() => {
    if (status === 'connected') {
      request('presence', { state });
    }
  }, [status, request, state]);

  /* there is room for both: the newest one is open at once */

  useEffect(() => {
    if (wide && !selected && rows[0]) {
      setSelected(rows[0]);
    }
  }, [wide, selected, rows]);

  return (
    <div className="desk" data-open={selected ? '' : undefined}>
      <Top me={me} state={state} onState={setState} />
      <section className="list" aria-label="People">
        <ConversationList selectedId={selected?.id} onSelect={setSelected} />
        <Others
          {...props}
          onStart={(id) => {
            start(id).then(setSelected, () => undefined);
          }}
        />
      </section>
      <main className="talk">
        {selected ? (
          <ChatWidget
            conversationId={selected.id}
            recipientId={selected.other_user_id}
            recipientName={nameOf(selected.other_user_id)}
            onClose={wide ? undefined : () => setSelected(undefined)}
          />
        ) : (
          <p className="nothing">Choose a conversation.</p>
        )}
      </main>
      {widest && (
        <aside className="behind" aria-label="Behind it">
          <Inspector state={state} />
          <BackOffice {...props} />
        </aside>
      )}
      <RealtimeNotifications />
    </div>
  );
}
