// Copyright (C) ngx_realtime contributors

/* Whether a media query holds, also after the window got another size. */

import { useCallback, useMemo, useSyncExternalStore } from 'react';

export function useMedia(query: string): boolean {
  const list = useMemo(() => matchMedia(query), [query]);
  const subscribe = useCallback(
    (listener: () => void) => {
      list.addEventListener('change', listener);
      return () => list.removeEventListener('change', listener);
    },
    [list],
  );

  return useSyncExternalStore(subscribe, () => list.matches);
}
