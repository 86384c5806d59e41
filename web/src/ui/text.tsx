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

/* the code comes from elsewhere: "constructor" is no word of ours */

export function problemText(text: Strings, code = ''): string {
  const { problems, problem } = text;

  return Object.hasOwn(problems, code) ? (problems[code] ?? problem) : problem;
}
