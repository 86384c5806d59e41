// Copyright (C) ngx_realtime contributors

/*
 * Tells a screen reader what came, in one sentence for all of a while: a live
 * region apart from the virtual list, which would be read again and again.  It
 * is there once the history is: that is no news.
 */

import { type ReactElement, useEffect, useRef, useState } from 'react';
import { lastId, type Timeline } from '../client/timeline.ts';
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
  const [words, setWords] = useState('');
  const last = lastId(messages) ?? '';
  const said = useRef(last); // id of the last one told of
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const tell = useRef<() => void>(undefined);

  useEffect(() => {
    tell.current = () => {
      const fresh = messages.filter(
        (m) => m.id && m.id > said.current && m.senderId !== me,
      );
      const only = fresh.length === 1 ? `: ${fresh[0]?.content}` : '';

      timer.current = undefined;
      said.current = last;

      if (fresh.length > 0) {
        setWords(text.messagesFrom(fresh.length, name) + only);
      }
    };

    // not put off by what comes meanwhile: there may be no end of it
    if (last > said.current) {
      timer.current ??= setTimeout(() => tell.current?.(), GATHER);
    }
  });

  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );

  return (
    <div className="rt-hidden" role="status" aria-live="polite">
      {words}
    </div>
  );
}
