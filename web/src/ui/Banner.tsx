// Copyright (C) ngx_realtime contributors

/*
 * Says when there is no connection, after two seconds: most are back before.
 * Then, for two seconds, that there is one again.
 */

import { type ReactElement, useEffect, useState } from 'react';
import { useConnection } from '../react/useConnection.ts';
import { problemText, useText } from './text.tsx';

export const BANNER_AFTER = 2000;

type Shown = 'nothing' | 'away' | 'back';

export function Banner(): ReactElement {
  const { status, error, retry } = useConnection();
  const text = useText();
  const [shown, setShown] = useState<Shown>('nothing');
  const connected = status === 'connected';

  useEffect(() => {
    if (connected) {
      setShown((now) => (now === 'away' ? 'back' : 'nothing'));
    }

    const timer = setTimeout(
      () => setShown(connected ? 'nothing' : 'away'),
      BANNER_AFTER,
    );

    return () => clearTimeout(timer);
  }, [connected]);

  const refused = status === 'refused';
  const visible = refused || shown !== 'nothing';
  const away = problemText(
    text,
    error?.code,
    refused ? text.signedOut : text.notConnected,
  );

  return (
    <div className="rt-banner" role="status" data-state={visible ? shown : ''}>
      {visible && (
        <>
          <span>{shown === 'back' && !refused ? text.backOnline : away}</span>
          {(refused || shown !== 'back') && (
            <button type="button" onClick={retry}>
              {text.tryAgain}
            </button>
          )}
        </>
      )}
    </div>
  );
}
