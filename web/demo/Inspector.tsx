// Copyright (C) ngx_realtime contributors

/* What the connection is made of. */

import { type ReactElement, useEffect, useState } from 'react';
import { type PresenceState, useConnection } from '../src/index.ts';
import { wanted } from './people.ts';

const EVERY = 5000; // ms

/* an Engine.IO sid of the module begins with the slot of its worker */

function workerOf(sid: string | undefined): string {
  const raw = sid
    ? atob(sid.slice(0, 4).replace(/-/g, '+').replace(/_/g, '/'))
    : '';

  return raw === '' ? '–' : `slot ${raw.charCodeAt(0)}`;
}

function ago(since: number): string {
  return new Date(since).toLocaleTimeString();
}

/* how long a small event takes there and back, whatever the answer is */

function usePing(state: PresenceState): number | undefined {
  const { request, status } = useConnection();
  const [ms, setMs] = useState<number>();

  useEffect(() => {
    async function ping(): Promise<void> {
      const began = performance.now();

      await request('presence', { state });
      setMs(performance.now() - began);
    }

    if (status !== 'connected') {
      setMs(undefined);
      return;
    }

    ping();

    const timer = setInterval(ping, EVERY);

    return () => clearInterval(timer);
  }, [status, request, state]);

  return ms;
}

export function Inspector(props: { state: PresenceState }): ReactElement {
  const { status, since, socketId, recovered, connects, error, ...rest } =
    useConnection();
  const connected = status === 'connected';
  const ms = usePing(props.state);
  const polling = wanted.get('transport') === 'polling';

  const rows: [string, string][] = [
    ['Status', `${status} since ${ago(since)}`],
    ['Transport', (connected && rest.transport()) || '–'],
    ['Worker', connected ? workerOf(rest.sid()) : '–'],
    ['Round trip', ms === undefined ? '–' : `${ms.toFixed(1)} ms`],
    ['Socket', socketId ?? '–'],
    ['Connected', `${connects} ×`],
    ['Last time', recovered ? 'recovered, nothing missed' : 'a new session'],
    ['Clock', `${rest.skew >= 0 ? '+' : ''}${Math.round(rest.skew)} ms`],
  ];

  return (
    <section className="card" aria-labelledby="inspector">
      <h2 id="inspector">Connection</h2>
      <dl>
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd data-name={name}>{value}</dd>
          </div>
        ))}
      </dl>
      {error && <p>{error.message}</p>}
      <p>
        {polling ? 'Polling only. ' : 'WebSocket, or polling. '}
        Try <code>nginx -s reload</code>, or kill a worker.
      </p>
    </section>
  );
}
