// Copyright (C) ngx_realtime contributors

/*
 * Notifications as a back office would send them: nginx lets this machine in,
 * without a token.  A server that has no such location shows no such form.
 */

import { type FormEvent, type ReactElement, useEffect, useState } from 'react';
import type { DeskProps } from './Desk.tsx';

const API = 'realtime/api/notifications';
const PROBE = 'realtime/api/users/count';

const TYPES = [
  'system',
  'message',
  'recommendation',
  'assessment_started',
  'new_assessment',
];

function useIsThere(): boolean {
  const [there, setThere] = useState(false);

  useEffect(() => {
    fetch(PROBE).then(
      ({ ok }) => setThere(ok),
      () => undefined,
    );
  }, []);

  return there;
}

async function notify(body: object): Promise<string> {
  try {
    const reply = await fetch(API, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });

    return reply.ok ? 'Sent.' : (await reply.json()).message;
  } catch {
    return 'The server cannot be reached.';
  }
}

export function BackOffice({ people }: DeskProps): ReactElement | null {
  const there = useIsThere();
  const [result, setResult] = useState('');

  async function send(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();

    const form = new FormData(event.currentTarget);

    setResult(await notify(Object.fromEntries(form)));
  }

  if (!there) {
    return null;
  }

  return (
    <section className="card" aria-labelledby="office">
      <h2 id="office">Back office</h2>
      <form onSubmit={send}>
        <label>
          To
          <select name="userId">
            {people.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          Type
          <select name="type">
            {TYPES.map((type) => (
              <option key={type}>{type}</option>
            ))}
          </select>
        </label>
        <label>
          Title
          <input name="title" defaultValue="Coffee" required />
        </label>
        <label>
          Message
          <input name="message" defaultValue="It is ready." required />
        </label>
        <button type="submit">Notify</button>
        <p role="status">{result}</p>
      </form>
    </section>
  );
}
