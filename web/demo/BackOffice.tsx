// Copyright (C) ngx_realtime contributors

/* Notifications as a back office would send them. */

import { type FormEvent, type ReactElement, useState } from 'react';
import { useConnection } from '../src/index.ts';
import type { DeskProps } from './Desk.tsx';

const TYPES = [
  'system',
  'message',
  'recommendation',
  'assessment_started',
  'new_assessment',
];

export function BackOffice({ people }: DeskProps): ReactElement {
  const { request } = useConnection();
  const [result, setResult] = useState('');

  async function send(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();

    const form = new FormData(event.currentTarget);
    const text = (name: string) => `${form.get(name)}`;
    const ack = await request('send_notification', {
      userId: text('userId'),
      type: text('type'),
      title: text('title'),
      message: text('message'),
    });

    if (ack.status === 'success') {
      setResult('Sent.');
    } else if (ack.code === 'event_unknown') {
      setResult('This server has no notifications.');
    } else {
      setResult(ack.message);
    }
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
