// Copyright (C) ngx_realtime contributors

import { type ReactElement, useId } from 'react';
import { useConversation } from '../react/useConversation.ts';
import { usePresence } from '../react/usePresence.ts';
import { useRealtime } from '../react/useRealtime.ts';
import { Announcer } from './Announcer.tsx';
import { Avatar } from './Avatar.tsx';
import { Banner } from './Banner.tsx';
import { Composer } from './Composer.tsx';
import { MessageList } from './MessageList.tsx';
import { problemText, useText } from './text.tsx';
import { relative } from './time.ts';

export interface ChatWidgetProps {
  conversationId: string;
  recipientId: string;
  recipientName: string;
  isOpen?: boolean;
  onClose?: () => void;
}

export function ChatWidget(props: ChatWidgetProps): ReactElement | null {
  return (props.isOpen ?? true) ? (
    // another conversation is another widget: its text, its place
    <Open key={props.conversationId} {...props} />
  ) : null;
}

function Header(props: ChatWidgetProps & { titleId: string }): ReactElement {
  const { recipientId, recipientName, onClose } = props;
  const { state, isOnline, lastSeen } = usePresence(recipientId);
  const text = useText();

  let words = text.offline;

  if (isOnline) {
    words = state === 'away' || state === 'busy' ? text[state] : text.online;
  }

  return (
    <header className="rt-header">
      <Avatar name={recipientName} state={state ?? 'offline'} />
      <div className="rt-who">
        <h2 id={props.titleId} dir="auto">
          {recipientName}
        </h2>
        <p>
          <span>{words}</span>
          {!isOnline && lastSeen && (
            <span> · {text.lastSeen(relative(text, lastSeen))}</span>
          )}
        </p>
      </div>
      {onClose && (
        <button
          type="button"
          className="rt-icon"
          aria-label={text.closeChat}
          onClick={onClose}
        >
          <span aria-hidden="true">×</span>
        </button>
      )}
    </header>
  );
}

function Typing(props: { userId: string; id: string; name: string }) {
  const { getTypingUsers } = useRealtime();
  const text = useText();
  const types = getTypingUsers(props.id).some((t) => t.userId === props.userId);

  return (
    <div className="rt-typing">
      {types && (
        <>
          <span className="rt-dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          <span>{text.typing(props.name)}</span>
        </>
      )}
    </div>
  );
}

function Open(props: ChatWidgetProps): ReactElement {
  const { conversationId, recipientId, recipientName } = props;
  const conversation = useConversation(conversationId);
  const { phase, messages, me, error } = conversation;
  const text = useText();
  const title = useId();

  const notes = {
    loading: text.loading,
    ready: text.empty,
    gone: text.conversationGone,
    failed: problemText(text, error?.code),
  };

  return (
    <section
      className="rt rt-chat"
      dir={text.dir}
      lang={text.locale}
      aria-labelledby={title}
    >
      <Header {...props} titleId={title} />
      <Banner />
      {messages.length > 0 ? (
        <MessageList
          messages={messages}
          me={me}
          name={recipientName}
          unreadFrom={conversation.unreadFrom}
          hasEarlier={conversation.hasEarlier}
          loadingEarlier={conversation.loadingEarlier}
          loadEarlier={conversation.loadEarlier}
          problem={error && problemText(text, error.code)}
          onTryAgain={
            phase === 'ready' ? conversation.loadEarlier : conversation.refresh
          }
          onSeen={conversation.seen}
          onRetry={conversation.retry}
          onDiscard={conversation.discard}
        />
      ) : (
        <div className="rt-note" role="status">
          <p>{notes[phase]}</p>
          {phase === 'failed' && (
            <button
              type="button"
              className="rt-button"
              onClick={conversation.refresh}
            >
              {text.tryAgain}
            </button>
          )}
        </div>
      )}
      <Typing userId={recipientId} id={conversationId} name={recipientName} />
      {phase !== 'gone' && (
        <Composer conversationId={conversationId} onSend={conversation.send} />
      )}
      {phase === 'ready' && (
        <Announcer messages={messages} me={me} name={recipientName} />
      )}
    </section>
  );
}
