// Copyright (C) ngx_realtime contributors

/*
 * What comes, at the top right, for five seconds that do not run while the
 * pointer or the focus is on it or the page is hidden.  The region is there
 * before the first one, or a screen reader would miss it.
 */

import {
  type ReactElement,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import type { Alert } from '../client/alerts.ts';
import { useRealtime } from '../react/useRealtime.ts';
import { useText } from './text.tsx';

export interface RealtimeNotificationsProps {
  duration?: number; // ms
  max?: number; // at once; the others wait
}

/* a map: the type comes from elsewhere, and may be "constructor" */

const LOOKS = new Map([
  ['assessment_started', ['▶', 'blue']],
  ['recommendation', ['★', 'green']],
  ['message', ['✉', 'purple']],
  ['system', ['⚙', 'grey']],
]);

function watchVisibility(listener: () => void): () => void {
  document.addEventListener('visibilitychange', listener);
  return () => document.removeEventListener('visibilitychange', listener);
}

interface ToastProps {
  alert: Alert;
  duration: number;
  paused: boolean;
  onEnd: () => void;
  onClose: () => void;
}

function Toast(props: ToastProps): ReactElement {
  const { alert, duration, paused } = props;
  const [icon, color] = LOOKS.get(alert.type) ?? ['ℹ', 'blue'];
  const text = useText();
  const left = useRef(duration);
  const end = useRef(props.onEnd);

  useEffect(() => {
    end.current = props.onEnd;
  });

  useEffect(() => {
    if (paused) {
      return;
    }

    const began = Date.now();
    const timer = setTimeout(() => end.current(), left.current);

    return () => {
      clearTimeout(timer);
      left.current = Math.max(0, left.current - (Date.now() - began));
    };
  }, [paused]);

  return (
    <li className="rt-toast" data-type={alert.type} data-color={color}>
      <span className="rt-symbol" aria-hidden="true">
        {icon}
      </span>
      <div className="rt-what" dir="auto">
        <strong>{alert.title}</strong>
        <p>{alert.message}</p>
      </div>
      <button
        type="button"
        className="rt-icon"
        aria-label={text.closeNotification}
        onClick={props.onClose}
      >
        <span aria-hidden="true">×</span>
      </button>
    </li>
  );
}

export function RealtimeNotifications(
  props: RealtimeNotificationsProps,
): ReactElement {
  const { duration = 5000, max = 5 } = props;
  const { notifications, removeNotification, acknowledgeNotification } =
    useRealtime();
  const text = useText();
  const region = useRef<HTMLElement>(null);
  const [held, setHeld] = useState(0); // pointer, focus: two reasons
  const hidden = useSyncExternalStore(
    watchVisibility,
    () => document.visibilityState === 'hidden',
    () => false,
  );

  const waiting = notifications.filter((alert) => !alert.read);
  const shown = waiting.slice(Math.max(0, waiting.length - max));
  const count = shown.length;

  /* what had the focus, or lay under the pointer, may have gone untold */

  // biome-ignore lint/correctness/useExhaustiveDependencies: looked at when it changes
  useEffect(() => {
    if (!region.current?.contains(document.activeElement)) {
      setHeld((now) => (count > 0 ? now & ~2 : 0));
    }
  }, [count, notifications]);

  const hold = (bit: number) => () => setHeld((now) => now | bit);
  const release = (bit: number) => () => setHeld((now) => now & ~bit);

  return (
    <section
      className="rt rt-toasts"
      dir={text.dir}
      lang={text.locale}
      aria-label={text.notifications}
      ref={region}
      onMouseEnter={hold(1)}
      onMouseLeave={release(1)}
      onFocus={hold(2)}
      onBlur={release(2)}
    >
      <ol aria-live="polite" aria-relevant="additions">
        {shown.map((alert) => (
          <Toast
            key={alert.id}
            alert={alert}
            duration={duration}
            paused={held !== 0 || hidden}
            onEnd={() => removeNotification(alert.id)}
            onClose={() => {
              setHeld(0);
              acknowledgeNotification(alert.id);
              removeNotification(alert.id);
            }}
          />
        ))}
      </ol>
    </section>
  );
}
