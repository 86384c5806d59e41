// Copyright (C) ngx_realtime contributors

/*
 * State outside React: get() and subscribe() are what useSyncExternalStore
 * wants.  A value is replaced and never changed in place.
 */

export interface Store<T> {
  get: () => T;
  subscribe: (listener: () => void) => () => void;
}

export interface WritableStore<T> extends Store<T> {
  set: (next: T | ((now: T) => T)) => void;
}

export function createStore<T>(initial: T): WritableStore<T> {
  const listeners = new Set<() => void>();
  let value = initial;

  return {
    get: () => value,

    set(next) {
      const to =
        typeof next === 'function' ? (next as (now: T) => T)(value) : next;

      if (Object.is(to, value)) {
        return;
      }

      value = to;

      for (const listener of [...listeners]) {
        listener();
      }
    },

    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
