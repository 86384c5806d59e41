// Copyright (C) ngx_realtime contributors

import type { ReactElement } from 'react';
import type { SeenState } from '../client/events.ts';

/* the first letters, and a dot whose shape says as much as its colour */

export interface AvatarProps {
  name: string;
  state?: SeenState;
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = [words[0], words.length > 1 ? words.at(-1) : ''].map((word) =>
    [...(word ?? '')].slice(0, 1).join(''),
  );

  return letters.join('').toUpperCase();
}

export function Avatar({ name, state }: AvatarProps): ReactElement {
  return (
    <span className="rt-avatar" aria-hidden="true">
      {initials(name)}
      {state && <span className="rt-dot" data-state={state} />}
    </span>
  );
}
