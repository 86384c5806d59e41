// Copyright (C) ngx_realtime contributors

import { type ReactElement, useEffect, useMemo, useState } from 'react';
import { RealtimeProvider, type Strings, TextProvider } from '../src/index.ts';
import { Desk } from './Desk.tsx';
import { linkTo, type Person, tokenOf, wanted } from './people.ts';

const LANGUAGES: Record<string, () => Promise<Strings>> = {
  fr: async () => (await import('../src/locales/fr.ts')).fr,
  tr: async () => (await import('../src/locales/tr.ts')).tr,
  es: async () => (await import('../src/locales/es.ts')).es,
};

function SignIn({ people }: { people: Person[] }): ReactElement {
  return (
    <main className="sign-in">
      <h1>ngx_realtime</h1>
      <p>
        Chat, presence and notifications, served by nginx itself. Open one
        window as each of two people.
      </p>
      <ul aria-label="Sign in as">
        {people.map(({ id, name }) => (
          <li key={id}>
            <a href={linkTo({ user: name.toLowerCase() })}>{name}</a>
          </li>
        ))}
      </ul>
    </main>
  );
}

function useWords(): Partial<Strings> {
  const [words, setWords] = useState<Partial<Strings>>({});

  useEffect(() => {
    LANGUAGES[wanted.get('lang') ?? '']?.().then(setWords);
  }, []);

  return useMemo(
    () => (wanted.get('dir') === 'rtl' ? { ...words, dir: 'rtl' } : words),
    [words],
  );
}

export function App({ people }: { people: Person[] }): ReactElement {
  const name = wanted.get('user');
  const me = people.find((person) => person.name.toLowerCase() === name);
  const words = useWords();

  useEffect(() => {
    document.documentElement.dir = words.dir ?? 'ltr';
  }, [words]);

  if (!me) {
    return <SignIn people={people} />;
  }

  return (
    <TextProvider strings={words}>
      <RealtimeProvider
        token={(reason) => tokenOf(me.id, reason)}
        userId={me.id}
        transports={
          wanted.get('transport') === 'polling' ? ['polling'] : undefined
        }
        nameOf={(id) => people.find((person) => person.id === id)?.name}
      >
        <Desk me={me} people={people} />
      </RealtimeProvider>
    </TextProvider>
  );
}
