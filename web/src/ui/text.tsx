// Copyright (C) ngx_realtime contributors

import {
  createContext,
  type ReactElement,
  type ReactNode,
  useContext,
  useMemo,
} from 'react';
import { en, type Strings } from './strings.ts';

const Text = createContext<Strings>(en);

export interface TextProviderProps {
  strings: Partial<Strings>; // a file of locales/, or some words of your own
  children: ReactNode;
}

export function TextProvider(props: TextProviderProps): ReactElement {
  const above = useContext(Text);
  const value = useMemo(
    () => ({ ...above, ...props.strings }),
    [above, props.strings],
  );

  return <Text.Provider value={value}>{props.children}</Text.Provider>;
}

export function useText(): Strings {
  return useContext(Text);
}

/* codes that are the same to a person */

const SAME = new Map([
  ['unauthorized', 'token_invalid'],
  ['token_expired', 'token_invalid'],
  ['token_revoked', 'token_invalid'],
  ['access_denied', 'origin_not_allowed'],
  ['forbidden', 'origin_not_allowed'],
  ['not_found', 'endpoint_not_found'],
  ['not_found_or_unauthorized', 'conversation_not_found'],
  ['body_too_large', 'content_too_long'],
  ['bad_gateway', 'offline'],
  ['gateway_timeout', 'timeout'],
  ['no_answer', 'timeout'],
  ['service_unavailable', 'busy'],
  ['bad_request', 'request_refused'],
  ['json_malformed', 'request_refused'],
  ['method_not_allowed', 'request_refused'],
  ['unsupported_media_type', 'request_refused'],
  ['unreadable', 'request_refused'],
]);

/* the code comes from elsewhere: "constructor" is no word of ours */

export function problemText(
  { problems, problem }: Strings,
  code = '',
  otherwise: string = problem,
): string {
  const name = Object.hasOwn(problems, code) ? code : (SAME.get(code) ?? '');

  return Object.hasOwn(problems, name)
    ? (problems[name] ?? otherwise)
    : otherwise;
}
