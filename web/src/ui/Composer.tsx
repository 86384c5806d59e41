// Copyright (C) ngx_realtime contributors

import {
  type FormEvent,
  type KeyboardEvent,
  type ReactElement,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import { useTyping } from '../react/useTyping.ts';
import { useText } from './text.tsx';

export interface ComposerProps {
  conversationId: string;
  onSend: (content: string) => void;
}

export const MOST = 10_000; // characters, as the server counts them

const grows =
  typeof CSS === 'object' && CSS.supports?.('field-sizing', 'content');

/* Enter sends, Shift+Enter is a new line; both belong to an input method first */

export function Composer(props: ComposerProps): ReactElement {
  const text = useText();
  const typing = useTyping(props.conversationId);
  const [content, setContent] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  const note = useId();

  const length = content.length > MOST ? [...content.trim()].length : 0;
  const tooLong = length > MOST;

  // biome-ignore lint/correctness/useExhaustiveDependencies: as high as what is in it
  useLayoutEffect(() => {
    if (!grows && field.current) {
      field.current.style.height = 'auto';
      field.current.style.height = `${field.current.scrollHeight}px`;
    }
  }, [content]);

  function send(event: FormEvent): void {
    event.preventDefault();

    if (content.trim() === '' || tooLong) {
      return;
    }

    typing.stop();
    props.onSend(content);
    setContent('');
    field.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent): void {
    const composing = event.nativeEvent.isComposing || event.keyCode === 229;

    if (event.key === 'Enter' && !event.shiftKey && !composing) {
      send(event);
    }
  }

  return (
    <form className="rt-composer" onSubmit={send}>
      <textarea
        ref={field}
        rows={1}
        dir="auto"
        value={content}
        placeholder={text.placeholder}
        aria-label={text.placeholder}
        aria-invalid={tooLong}
        aria-describedby={tooLong ? note : undefined}
        onKeyDown={onKeyDown}
        onChange={(event) => {
          setContent(event.target.value);

          if (event.target.value.trim() === '') {
            typing.stop();
          } else {
            typing.key();
          }
        }}
      />
      <button
        type="submit"
        className="rt-button"
        aria-label={text.sendLabel}
        disabled={content.trim() === '' || tooLong}
      >
        {text.send}
      </button>
      {tooLong && (
        <p className="rt-why" id={note}>
          {text.tooLong(length, MOST)}
        </p>
      )}
    </form>
  );
}
