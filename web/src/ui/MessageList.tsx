// Copyright (C) ngx_realtime contributors

/*
 * The list: virtual, because a conversation may have ten thousand messages.
 *
 *   at the end (80 px)   follows what comes
 *   elsewhere            stays, and counts what came in a pill
 *   near the top         fetches earlier ones; they are put in above, and
 *                        what is in sight stays where it is ("shift")
 *
 * A virtual list makes a bad live region: what is new is said elsewhere
 * (Announcer), and the list is read one by one with the arrow keys.
 */

import {
  createContext,
  forwardRef,
  type KeyboardEvent,
  type ReactElement,
  useCallback,
  useContext,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import {
  type CustomItemComponentProps,
  Virtualizer,
  type VirtualizerHandle,
} from 'virtua';
import { type ChatMessage, lastId, type Timeline } from '../client/timeline.ts';
import { useAnchor } from './anchor.ts';
import { Message } from './Message.tsx';
import { createSeen, type Seen, SeenContext } from './seen.ts';
import { useText } from './text.tsx';
import { dayOf } from './time.ts';

export interface MessageListProps {
  messages: Timeline;
  me: string | undefined;
  name: string; // of the other one
  unreadFrom: string | undefined;
  hasEarlier: boolean;
  loadingEarlier: boolean;
  loadEarlier: () => void;
  problem: string | undefined; // why there are no more of them
  onTryAgain: () => void;
  onSeen: (id: string) => void;
  onRetry: (message: ChatMessage) => void;
  onDiscard: (message: ChatMessage) => void;
}

const NEAR_END = 80;
const NEAR_TOP = 400;
const GROUP = 5 * 60_000; // ms between messages that belong together

const SizeContext = createContext(0);

const Item = forwardRef<HTMLLIElement, CustomItemComponentProps>(function Item(
  { style, index, children },
  ref,
) {
  const size = useContext(SizeContext);

  return (
    <li ref={ref} style={style} aria-posinset={index + 1} aria-setsize={size}>
      {children}
    </li>
  );
});

/* a page without layout, as in a test, gets the whole list */

const hasLayout = typeof ResizeObserver === 'function';

function near(a: ChatMessage, b: ChatMessage): boolean {
  return (
    a.senderId === b.senderId &&
    Math.abs(Date.parse(b.timestamp) - Date.parse(a.timestamp)) < GROUP
  );
}

function useSeen(
  root: React.RefObject<HTMLElement | null>,
  onSeen: (id: string) => void,
): Seen | null {
  const [seen, setSeen] = useState<Seen | null>(null);

  useEffect(() => {
    const made = createSeen(root.current, onSeen);

    setSeen(made);
    return made.stop;
  }, [root, onSeen]);

  return seen;
}

export function MessageList(props: MessageListProps): ReactElement {
  const { messages, me, name, unreadFrom, hasEarlier, loadEarlier } = props;
  const text = useText();
  const scroller = useRef<HTMLDivElement>(null);
  const handle = useRef<VirtualizerHandle>(null);
  const atEnd = useRef(true);
  const placed = useRef(false);
  const previous = useRef<Timeline>([]);
  const [missed, setMissed] = useState(0);
  const [active, setActive] = useState<string>();
  const seen = useSeen(scroller, props.onSeen);

  const size = messages.length;
  const own = (m: ChatMessage) => m.senderId === me || !m.id;

  /* true in the very render that puts messages in above */

  const first = previous.current[0]?.key;
  const shift =
    first !== undefined &&
    messages[0]?.key !== first &&
    size > previous.current.length;
  const anchor = useAnchor(scroller);

  if (shift) {
    anchor.hold();
  }

  useLayoutEffect(() => {
    if (shift) {
      anchor.placed();
    }
  }, [shift, anchor]);

  const toEnd = useCallback(
    (smooth = false) => {
      const box = scroller.current;

      anchor.drop();
      atEnd.current = true;
      setMissed(0);

      if (handle.current) {
        handle.current.scrollToIndex(previous.current.length - 1, {
          align: 'end',
          smooth,
        });
      } else if (box) {
        box.scrollTop = box.scrollHeight;
      }
    },
    [anchor],
  );

  useLayoutEffect(() => {
    const last = messages.at(-1);
    const before = previous.current;
    const known = lastId(before) ?? '';
    const fresh = messages.filter(
      (m) => m.id && m.id > known && m.senderId !== me,
    ).length;
    const sameEnd = last?.key === before.at(-1)?.key;

    previous.current = messages;

    if (!last || (sameEnd && fresh === 0)) {
      return;
    }

    if (!placed.current) {
      const unread = messages.findIndex((m) => m.id === unreadFrom);

      placed.current = true;

      if (unread > 0 && handle.current) {
        atEnd.current = false;
        handle.current.scrollToIndex(unread, { align: 'start' });
      } else {
        toEnd();
      }
    } else if (atEnd.current || (!sameEnd && last.senderId === me)) {
      toEnd();
    } else {
      setMissed((n) => n + fresh);
    }
  }, [messages, me, unreadFrom, toEnd]);

  const more = hasEarlier && !props.problem;

  const onScroll = useCallback(() => {
    const box = scroller.current;

    if (!box) {
      return;
    }

    const below = box.scrollHeight - box.scrollTop - box.clientHeight;

    anchor.moved();
    atEnd.current = below <= NEAR_END;

    if (atEnd.current) {
      setMissed(0);
    }

    if (more && placed.current && box.scrollTop < NEAR_TOP) {
      loadEarlier();
    }
  }, [anchor, more, loadEarlier]);

  /* the window, the composer, or a message got another size */

  const onResize = useCallback(() => {
    if (atEnd.current) {
      toEnd();
    } else {
      anchor.settle();
    }
  }, [anchor, toEnd]);

  const at = active ? messages.findIndex((m) => m.key === active) : -1;
  const focusAt = at >= 0 ? at : size - 1;
  const keep = useMemo(() => [focusAt], [focusAt]);

  function move(to: number): void {
    const key = messages[Math.max(0, Math.min(to, size - 1))]?.key;

    if (key === undefined) {
      return;
    }

    anchor.drop();
    setActive(key);
    handle.current?.scrollToIndex(
      messages.findIndex((m) => m.key === key),
      { align: 'nearest' },
    );
    requestAnimationFrame(() => {
      const rows =
        scroller.current?.querySelectorAll<HTMLElement>('.rt-message');

      [...(rows ?? [])]
        .find((row) => row.dataset.key === key)
        ?.focus({ preventScroll: true });
    });
  }

  function onKeyDown(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const steps: Record<string, number> = {
      ArrowUp: focusAt - 1,
      ArrowDown: focusAt + 1,
      PageUp: focusAt - 10,
      PageDown: focusAt + 10,
      Home: 0,
      End: size - 1,
    };
    const to = steps[event.key];

    if (to !== undefined && target.matches('.rt-message')) {
      event.preventDefault();
      move(to);
    } else if (event.key === 'Enter' && target.matches('.rt-message')) {
      target.querySelector('button')?.focus();
    } else if (event.key === 'Escape' && target.closest('.rt-actions')) {
      target.closest<HTMLElement>('.rt-message')?.focus();
    }
  }

  const lastOwn = messages.findLast(own)?.key;

  function draw(message: ChatMessage, i: number): ReactElement {
    const above = messages[i - 1];
    const newDay =
      !above || dayOf(above.timestamp) !== dayOf(message.timestamp);
    const unread = message.id !== undefined && message.id === unreadFrom;

    return (
      <Message
        key={message.key}
        message={message}
        own={own(message)}
        author={name}
        newDay={newDay}
        unread={unread}
        grouped={!newDay && !unread && near(above, message)}
        showState={message.key === lastOwn}
        focusable={i === focusAt}
        onRetry={props.onRetry}
        onDiscard={props.onDiscard}
      />
    );
  }

  return (
    <div className="rt-list">
      {props.loadingEarlier && (
        <p className="rt-earlier">{text.loadingEarlier}</p>
      )}
      {props.problem && (
        <p className="rt-earlier" role="alert">
          {props.problem}{' '}
          <button type="button" onClick={props.onTryAgain}>
            {text.tryAgain}
          </button>
        </p>
      )}
      {/* biome-ignore lint/a11y/useSemanticElements: no fields in it */}
      <div
        className="rt-scroll"
        role="group"
        aria-label={text.messages}
        ref={scroller}
        onScroll={onScroll}
        onKeyDown={onKeyDown}
        onFocus={(event) => {
          const key = (event.target as HTMLElement).dataset.key;

          if (key) {
            setActive(key);
          }
        }}
      >
        <SeenContext.Provider value={seen}>
          <SizeContext.Provider value={hasEarlier ? -1 : size}>
            {hasLayout ? (
              <Virtualizer
                ref={handle}
                scrollRef={scroller}
                as="ol"
                item={Item}
                data={messages}
                shift={shift}
                keepMounted={keep}
                onResize={onResize}
                onScrollEnd={anchor.rest}
              >
                {draw}
              </Virtualizer>
            ) : (
              <ol>
                {messages.map((message, i) => (
                  <li key={message.key}>{draw(message, i)}</li>
                ))}
              </ol>
            )}
          </SizeContext.Provider>
        </SeenContext.Provider>
      </div>
      {missed > 0 && (
        <button type="button" className="rt-pill" onClick={() => toEnd(true)}>
          {text.newMessages(missed)}
        </button>
      )}
    </div>
  );
}
