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

export async function readToken(
  source: TokenSource | undefined,
  reason: TokenReason,
): Promise<string | undefined> {
  const token = typeof source === 'function' ? await source(reason) : source;

  return token || undefined;
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
