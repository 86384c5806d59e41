// Copyright (C) ngx_realtime contributors

/*
 * One message with what stands above it: the day where it changes, the mark
 * where the unread ones begin.
 */

import { memo, type ReactElement, useContext, useEffect, useRef } from 'react';
import type { ChatMessage } from '../client/timeline.ts';
import { MessageText } from './MessageText.tsx';
import { SeenContext } from './seen.ts';
import type { Strings } from './strings.ts';
import { problemText, useText } from './text.tsx';
import { clock, dayLabel } from './time.ts';

export interface MessageProps {
  message: ChatMessage;
  own: boolean;
  author: string;
  newDay: boolean;
  unread: boolean; // the first of them
  grouped: boolean; // the one above is of the same person
  showState: boolean; // in words: the last one of mine
  focusable: boolean;
  onRetry: (message: ChatMessage) => void;
  onDiscard: (message: ChatMessage) => void;
}

const MARK = {
  queued: '◷',
  sending: '◷',
  sent: '✓',
  delivered: '✓✓',
  read: '✓✓',
  failed: '!',
} as const;

function Actions(props: MessageProps & { text: Strings }): ReactElement {
  const { message, text } = props;

  return (
    <span className="rt-actions">
      <span className="rt-why">{problemText(text, message.error?.code)}</span>
      <button type="button" onClick={() => props.onRetry(message)}>
        {text.resend}
      </button>
      <button
        type="button"
        onClick={() => navigator.clipboard?.writeText(message.content)}
      >
        {text.copy}
      </button>
      <button type="button" onClick={() => props.onDiscard(message)}>
        {text.discard}
      </button>
    </span>
  );
}

function State({ message, showState }: MessageProps): ReactElement {
  const { state: words } = useText();
  const { state } = message;
  const spoken = showState || state === 'failed';

  return (
    <span className="rt-state" data-state={state}>
      <span aria-hidden="true">{MARK[state]}</span>{' '}
      <span className={spoken ? undefined : 'rt-hidden'}>{words[state]}</span>
    </span>
  );
}

export const Message: React.NamedExoticComponent<MessageProps> = memo(
  function Message(props: MessageProps) {
    const { message, own, author } = props;
    const text = useText();
    const seen = useContext(SeenContext);
    const ref = useRef<HTMLDivElement>(null);
    const unseen = !own && message.state !== 'read' ? message.id : undefined;

    useEffect(
      () =>
        unseen && ref.current ? seen?.watch(ref.current, unseen) : undefined,
      [seen, unseen],
    );

    return (
      <div className="rt-row" data-grouped={props.grouped || undefined}>
        {props.newDay && (
          <div className="rt-day">{dayLabel(text, message.timestamp)}</div>
        )}
        {props.unread && <div className="rt-unread">{text.unread}</div>}
        <article
          ref={ref}
          className="rt-message"
          data-own={own || undefined}
          data-state={message.state}
          data-key={message.key}
          aria-label={own ? text.you : author}
          tabIndex={props.focusable ? 0 : -1}
        >
          <MessageText text={message.content} />
          <span className="rt-meta">
            <time dir="auto" dateTime={message.timestamp}>
              {clock(text, message.timestamp)}
            </time>
            {own && <State {...props} />}
          </span>
          {message.state === 'failed' && <Actions {...props} text={text} />}
        </article>
      </div>
    );
  },
);
