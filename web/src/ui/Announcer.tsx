// Copyright (C) ngx_realtime contributors

/*
 * Tells a screen reader what came, in one sentence for all of a while: a live
 * region apart from the virtual list, which would be read again and again.
 */

import { type ReactElement, useEffect, useRef, useState } from 'react';
import type { Timeline } from '../client/timeline.ts';
import { useText } from './text.tsx';

export interface AnnouncerProps {
  messages: Timeline;
  me: string | undefined;
  name: string;
}

const GATHER = 1000;

export function Announcer(props: AnnouncerProps): ReactElement {
  const { messages, me, name } = props;
  const text = useText();
  const said = useRef<string>(undefined); // id of the last one told of
  const [words, setWords] = useState('');

  const last = messages.findLast((m) => m.id)?.id;

  useEffect(() => {
    if (said.current === undefined || last === undefined) {
      said.current = last;
      return;
    }

    const timer = setTimeout(() => {
      const fresh = messages.filter(
        (m) => m.id && m.id > (said.current ?? '') && m.senderId !== me,
      );
      const only = fresh.length === 1 ? `: ${fresh[0]?.content}` : '';

      said.current = last;

      if (fresh.length > 0) {
        setWords(text.messagesFrom(fresh.length, name) + only);
      }
    }, GATHER);

    return () => clearTimeout(timer);
  }, [messages, last, me, name, text]);

  return (
    <div className="rt-hidden" role="status" aria-live="polite">
      {words}
    </div>
  );
}
