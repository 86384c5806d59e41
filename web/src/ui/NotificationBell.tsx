// Copyright (C) ngx_realtime contributors

import {
  type KeyboardEvent,
  type ReactElement,
  useEffect,
  useId,
  useRef,
  useState,
} from 'react';
import type { Alert } from '../client/alerts.ts';
import {
  type UseNotifications,
  useNotifications,
} from '../react/useNotifications.ts';
import { problemText, useText } from './text.tsx';
import { relative } from './time.ts';

export interface NotificationBellProps {
  onOpen?: (notification: Alert) => void; // a click on one
}

function Entry(props: {
  alert: Alert;
  onOpen: () => void;
  onRemove: () => void;
}): ReactElement {
  const { alert, onOpen, onRemove } = props;
  const text = useText();

  return (
    <li data-type={alert.type} data-read={alert.read || undefined}>
      <button type="button" className="rt-entry" onClick={onOpen}>
        <strong dir="auto">{alert.title}</strong>
        <span dir="auto">{alert.message}</span>
        <time dir="auto" dateTime={alert.timestamp}>
          {relative(text, alert.timestamp)}
        </time>
        {!alert.read && <span className="rt-hidden">{text.unread}</span>}
      </button>
      <button
        type="button"
        className="rt-icon"
        aria-label={`${text.remove}: ${alert.title}`}
        onClick={onRemove}
      >
        <span aria-hidden="true">×</span>
      </button>
    </li>
  );
}

function Panel(
  props: UseNotifications & NotificationBellProps & { id: string },
): ReactElement {
  const { items, phase, error, hasMore, unread, markRead } = props;
  const text = useText();

  return (
    <div
      className="rt-panel"
      id={props.id}
      role="dialog"
      aria-label={text.notifications}
    >
      <div className="rt-tools">
        {unread > 0 && (
          <button type="button" onClick={props.markAllRead}>
            {text.markAllRead}
          </button>
        )}
        {props.desktop === 'default' && (
          <button type="button" onClick={props.askForDesktop}>
            {text.desktop}
          </button>
        )}
      </div>
      {error && (
        <div className="rt-note" role="status">
          <p>{problemText(text, error.code)}</p>
          <button type="button" className="rt-button" onClick={props.refresh}>
            {text.tryAgain}
          </button>
        </div>
      )}
      {items.length === 0 && !error && (
        <p className="rt-note">
          {phase === 'loading' ? text.loading : text.noNotifications}
        </p>
      )}
      <ul>
        {items.map((alert) => (
          <Entry
            key={alert.id}
            alert={alert}
            onOpen={() => {
              markRead(alert.id);
              props.onOpen?.(alert);
            }}
            onRemove={() => props.remove(alert.id)}
          />
        ))}
      </ul>
      {hasMore && (
        <button type="button" className="rt-more" onClick={props.loadMore}>
          {text.loadMore}
        </button>
      )}
    </div>
  );
}

export function NotificationBell(props: NotificationBellProps): ReactElement {
  const notifications = useNotifications();
  const { unread } = notifications;
  const text = useText();
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();

  /* a click elsewhere closes it */

  useEffect(() => {
    function outside(event: Event): void {
      if (!box.current?.contains(event.target as Node)) {
        setOpen(false);
      }
    }

    if (!open) {
      return;
    }

    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [open]);

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'Escape' && open) {
      event.stopPropagation();
      setOpen(false);
      button.current?.focus();
    }
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes what is inside
    <div
      className="rt rt-bell"
      dir={text.dir}
      lang={text.locale}
      ref={box}
      onKeyDown={onKeyDown}
    >
      <button
        type="button"
        className="rt-icon"
        ref={button}
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M12 3a6 6 0 0 0-6 6v4l-2 4h16l-2-4V9a6 6 0 0 0-6-6zm-2.5 16a2.5 2.5 0 0 0 5 0z" />
        </svg>
        <span className="rt-hidden">{text.notifications}</span>
        {unread > 0 && (
          <span className="rt-badge">
            <span aria-hidden="true">{unread > 99 ? '99+' : unread}</span>
            <span className="rt-hidden">{unread}</span>
          </span>
        )}
      </button>
      {open && <Panel {...notifications} {...props} id={id} />}
    </div>
  );
}
