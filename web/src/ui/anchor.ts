// Copyright (C) ngx_realtime contributors

/*
 * What is in sight stays where it is while rows that were put in above it
 * get their sizes.
 *
 *   hold()     rows go in above: remember the first row in sight
 *   placed()   the list has moved to make room for them
 *   moved()    somebody scrolled: that row is elsewhere, and rightly
 *   settle()   sizes are known: put the row back
 *   rest()     nobody scrolls any more: once sizes are known, let it go
 *   drop()     the list goes to another place
 *
 * The virtual list keeps the distance to its end when rows are put in above,
 * until scrolling ends.  On slow machines that goes wrong in two ways: a row
 * below the sight gets its size in the same frame, and moves all above it;
 * or scrolling ends before the frame in which the first row of old has lost
 * its day, and what is below moves up.
 */

import { type RefObject, useMemo } from 'react';

export interface Anchor {
  hold: () => void;
  placed: () => void;
  moved: () => void;
  settle: () => void;
  rest: () => void;
  drop: () => void;
}

function topOf(row: HTMLElement): number {
  return row.getBoundingClientRect().top;
}

export function createAnchor(box: () => HTMLElement | null): Anchor {
  let key: string | undefined;
  let top = 0; // of the row, in the window
  let scrolled = 0; // the box, as far as is accounted for
  let turn = 0; // of holds

  const rows = () => [
    ...(box()?.querySelectorAll<HTMLElement>('.rt-message') ?? []),
  ];

  return {
    hold() {
      const edge = box()?.getBoundingClientRect().top ?? 0;
      const row = rows().find((one) => topOf(one) >= edge);

      turn++;
      key = row?.dataset.key;
      top = row ? topOf(row) : 0;
    },

    placed() {
      scrolled = box()?.scrollTop ?? 0;
    },

    moved() {
      const now = box()?.scrollTop ?? 0;

      top -= now - scrolled;
      scrolled = now;
    },

    settle() {
      const element = box();
      const row =
        key === undefined
          ? undefined
          : rows().find((one) => one.dataset.key === key);

      if (element && row) {
        const by = topOf(row) - top;

        if (Math.abs(by) >= 1) {
          element.scrollTop += by;
        }

        scrolled = element.scrollTop;
      }
    },

    /* sizes are known at the end of a frame: that of the next one, at most */

    rest() {
      const mine = turn;

      requestAnimationFrame(() =>
        requestAnimationFrame(() => {
          if (turn === mine) {
            key = undefined;
          }
        }),
      );
    },

    drop() {
      key = undefined;
    },
  };
}

export function useAnchor(scroller: RefObject<HTMLElement | null>): Anchor {
  return useMemo(() => createAnchor(() => scroller.current), [scroller]);
}
