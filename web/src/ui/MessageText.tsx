// Copyright (C) ngx_realtime contributors

import type { ReactElement } from 'react';

/* What people wrote: text nodes, and links for what is a web address. */

const ADDRESS = /(https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]}])/g;

export function MessageText({ text }: { text: string }): ReactElement {
  return (
    <span className="rt-text" dir="auto">
      {text.split(ADDRESS).map((part, i) =>
        i % 2 === 1 ? (
          <a
            // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text
            key={i}
            href={part}
            target="_blank"
            rel="noopener noreferrer nofollow"
          >
            {part}
          </a>
        ) : (
          part
        ),
      )}
    </span>
  );
}
