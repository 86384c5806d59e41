// Copyright (C) ngx_realtime contributors

/*
 * Where the token comes from.  A page with the cookie needs none; others give
 * a string, or a function that is asked at every connect and again when the
 * token expires or was refused.
 */

export type TokenReason = 'connect' | 'expiring' | 'refused';

export type TokenSource =
  | string
  | ((
      reason: TokenReason,
    ) => string | null | undefined | Promise<string | null | undefined>);

/*
 * The socket and several calls may want one at the same time: a function is
 * asked once for all of them.  Who renews a token twice may void the first.
 */

type Asked = Map<TokenReason, Promise<string | undefined>>;

const asked = new WeakMap<object, Asked>();

export async function readToken(
  source: TokenSource | undefined,
  reason: TokenReason,
): Promise<string | undefined> {
  if (typeof source !== 'function') {
    return source || undefined;
  }

  const under = asked.get(source) ?? (new Map() as Asked);
  const answer =
    under.get(reason) ??
    (async () => (await source(reason)) || undefined)().finally(() => {
      under.delete(reason);
    });

  asked.set(source, under.set(reason, answer));
  return answer;
}

/*
 * The user of a token, without any check: it only names what is kept in this
 * browser.  Who the user is, the server says.
 */

export function userOf(token: string | undefined): string | undefined {
  try {
    const part = token?.split('.')[1]?.replace(/-/g, '+').replace(/_/g, '/');
    const claims = JSON.parse(atob(part ?? ''));

    for (const user of [claims.id, claims.sub]) {
      if (typeof user === 'string' && user !== '') {
        return user;
      }
    }
  } catch {
    // no JWT: the user is known after "connected"
  }

  return undefined;
}
