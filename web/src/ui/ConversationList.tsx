// Copyright (C) ngx_realtime contributors

import type { KeyboardEvent, ReactElement } from 'react';
import type { ConversationRow } from '../client/rest.ts';
import { useNames } from '../react/context.ts';
import { useConversations } from '../react/useConversations.ts';
import { usePresence } from '../react/usePresence.ts';
import { Avatar } from './Avatar.tsx';
import { problemText, useText } from './text.tsx';
import { moment } from './time.ts';

export interface ConversationListProps {
  selectedId?: string;
  onSelect: (conversation: ConversationRow) => void;
  nameOf?: (userId: string) => string | undefined; // default: the provider's
}

interface RowProps {
  row: ConversationRow;
  name: string;
  selected: boolean;
  onSelect: ConversationListProps['onSelect'];
}

function Row({ row, name, selected, onSelect }: RowProps): ReactElement {
  const text = useText();
  const { state } = usePresence(row.other_user_id);

  return (
    <li>
      <button
        type="button"
        className="rt-conversation"
        aria-current={selected || undefined}
        onClick={() => onSelect(row)}
      >
        <Avatar name={name} state={state ?? 'offline'} />
        <span className="rt-what">
          <span className="rt-name" dir="auto">
            {name}
          </span>
          <span className="rt-last" dir="auto">
            {row.last_message ?? ''}
          </span>
        </span>
        <span className="rt-aside">
          {row.last_message_at && (
            <time dir="auto" dateTime={row.last_message_at}>
              {moment(text, row.last_message_at)}
            </time>
          )}
          {row.unread_count > 0 && (
            <span className="rt-badge">
              <span aria-hidden="true">{row.unread_count}</span>
              <span className="rt-hidden">
                {text.unreadCount(row.unread_count)}
              </span>
            </span>
          )}
        </span>
      </button>
    </li>
  );
}

/* up and down go from one to the next, as in any list */

function onKeyDown(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];

  if (step) {
    const buttons = [...event.currentTarget.querySelectorAll('button')];
    const at = buttons.indexOf(event.target as HTMLButtonElement);

    event.preventDefault();
    buttons[at + step]?.focus();
  }
}

export function ConversationList(props: ConversationListProps): ReactElement {
  const { phase, rows, hasMore, error, refresh, loadMore } = useConversations();
  const names = useNames();
  const text = useText();
  const nameOf = (row: ConversationRow) =>
    (props.nameOf ?? names)(row.other_user_id) ?? row.title;

  return (
    <nav
      className="rt rt-conversations"
      dir={text.dir}
      lang={text.locale}
      aria-label={text.conversations}
      onKeyDown={onKeyDown}
    >
      {rows.length === 0 && phase !== 'failed' && (
        <p className="rt-note" role="status">
          {phase === 'ready' ? text.noConversations : text.loading}
        </p>
      )}
      {error && (
        <div className="rt-note" role="status">
          <p>{problemText(text, error.code)}</p>
          <button type="button" className="rt-button" onClick={refresh}>
            {text.tryAgain}
          </button>
        </div>
      )}
      <ul>
        {rows.map((row) => (
          <Row
            key={row.id}
            row={row}
            name={nameOf(row)}
            selected={row.id === props.selectedId}
            onSelect={props.onSelect}
          />
        ))}
      </ul>
      {hasMore && (
        <button type="button" className="rt-more" onClick={loadMore}>
          {text.loadMore}
        </button>
      )}
    </nav>
  );
}
