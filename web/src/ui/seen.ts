// Copyright (C) ngx_realtime contributors

/*
 * Which messages were really looked at: at least half of one in sight, for
 * half a second, in a window that is visible and has the focus.
 */

import { createContext } from 'react';

export const SEEN_AFTER = 500;

export interface Seen {
  watch: (element: Element, id: string) => () => void;
  stop: () => void;
}

export const SeenContext: React.Context<Seen | null> =
  createContext<Seen | null>(null);

interface Watched {
  id: string;
  inSight: boolean;
  timer?: ReturnType<typeof setTimeout>;
}

export function createSeen(
  root: Element | null,
  report: (id: string) => void,
): Seen {
  const watched = new Map<Element, Watched>();

  function judge(one: Watched): void {
    const looking =
      one.inSight &&
      document.visibilityState === 'visible' &&
      document.hasFocus();

    if (!looking) {
      clearTimeout(one.timer);
      one.timer = undefined;
    } else {
      one.timer ??= setTimeout(() => report(one.id), SEEN_AFTER);
    }
  }

  function judgeAll(): void {
    for (const one of watched.values()) {
      judge(one);
    }
  }

  const observer =
    typeof IntersectionObserver === 'function'
      ? new IntersectionObserver(
          (entries) => {
            for (const entry of entries) {
              const one = watched.get(entry.target);

              if (one) {
                const screen = entry.rootBounds?.height ?? 0;

                // half of it, or half of the screen for a very long one
                one.inSight =
                  entry.intersectionRatio >= 0.5 ||
                  (screen > 0 && entry.intersectionRect.height >= screen / 2);
                judge(one);
              }
            }
          },
          { root, threshold: [0, 0.1, 0.25, 0.5, 0.75, 1] },
        )
      : null;

  window.addEventListener('focus', judgeAll);
  window.addEventListener('blur', judgeAll);
  document.addEventListener('visibilitychange', judgeAll);

  return {
    watch(element, id) {
      watched.set(element, { id, inSight: false });
      observer?.observe(element);

      return () => {
        clearTimeout(watched.get(element)?.timer);
        watched.delete(element);
        observer?.unobserve(element);
      };
    },

    stop() {
      observer?.disconnect();
      window.removeEventListener('focus', judgeAll);
      window.removeEventListener('blur', judgeAll);
      document.removeEventListener('visibilitychange', judgeAll);

      for (const one of watched.values()) {
        clearTimeout(one.timer);
      }
    },
  };
}
