// Copyright (C) ngx_realtime contributors

/* ChatWidget and ConversationList, as a person uses them */

import {
  act,
  fireEvent,
  render,
  screen,
  waitFor,
} from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import axe from 'axe-core';
import type { ReactElement } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  ChatWidget,
  ConversationList,
  RealtimeProvider,
  TextProvider,
} from '../src/index.ts';
import { ar } from './arabic.ts';
import { ALICE, BOB, startServer, TALK, type TestServer } from './server.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startServer();
});

afterEach(async () => {
  await server.stop();
});

function show(element: ReactElement, user = ALICE) {
  return render(
    <RealtimeProvider
      url={server.url}
      token={user}
      userId={user}
      nameOf={(id) => (id === BOB ? 'Bob' : undefined)}
    >
      {element}
    </RealtimeProvider>,
  );
}

const bob = {
  conversationId: TALK,
  recipientId: BOB,
  recipientName: 'Bob',
};

const field = () => screen.getByPlaceholderText('Type a message...');
const online = () =>
  waitFor(() => expect(server.io.of('/').sockets.size).toBe(1));

async function openWidget(props = {}) {
  show(<ChatWidget {...bob} {...props} />);
  await screen.findByText('No messages yet. Start the conversation!');
  await online();
}

async function violations(): Promise<string[]> {
  const { violations: found } = await axe.run(document.body, {
    rules: { region: { enabled: false }, 'color-contrast': { enabled: false } },
  });

  return found.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

test('the published words: loading, then empty', async () => {
  show(<ChatWidget {...bob} />);

  expect(screen.getByText('Loading messages...')).toBeTruthy();
  await screen.findByText('No messages yet. Start the conversation!');
  expect(screen.getByRole('heading', { name: 'Bob' })).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Send message' }).textContent).toBe(
    'Send',
  );
  expect(await violations()).toEqual([]);
});

test('closed it is not there, and asks for nothing', async () => {
  const { container } = show(<ChatWidget {...bob} isOpen={false} />);

  await online();
  expect(container.innerHTML).toBe('');
  expect(server.asked).toEqual([]);
});

test('the button that closes is there if somebody listens', async () => {
  const onClose = vi.fn();

  await openWidget({ onClose });
  await userEvent.click(screen.getByRole('button', { name: 'Close chat' }));
  expect(onClose).toHaveBeenCalledTimes(1);
});

test.each(['{Enter}', '{Control>}{Enter}{/Control}'])(
  '%s sends, and empties the field',
  async (keys) => {
    await openWidget();
    await userEvent.type(field(), `hello${keys}`);

    expect((field() as HTMLTextAreaElement).value).toBe('');
    await screen.findByText('hello');
    await screen.findByText('Sent');
    expect(server.rows.map((r) => r.content)).toEqual(['hello']);
  },
);

test('Shift+Enter is a new line', async () => {
  await openWidget();
  await userEvent.type(field(), 'a{Shift>}{Enter}{/Shift}b');

  expect((field() as HTMLTextAreaElement).value).toBe('a\nb');
  expect(server.heard.some((h) => h.event === 'message_send')).toBe(false);
});

test.each([
  ['isComposing', { isComposing: true }],
  ['keyCode 229', { keyCode: 229 }],
])('Enter of an input method (%s) does not send', async (_, how) => {
  await openWidget();
  fireEvent.change(field(), { target: { value: 'にほん' } });
  fireEvent.keyDown(field(), { key: 'Enter', ...how });

  expect((field() as HTMLTextAreaElement).value).toBe('にほん');
});

test('what is empty or too long is not sent', async () => {
  await openWidget();

  const button = screen.getByRole('button', { name: 'Send message' });

  expect(button).toHaveProperty('disabled', true);
  fireEvent.change(field(), { target: { value: '  \n ' } });
  expect(button).toHaveProperty('disabled', true);
  fireEvent.change(field(), { target: { value: 'x'.repeat(10_001) } });
  expect(button).toHaveProperty('disabled', true);
  expect(screen.getByText('Too long: 10001 of 10000 characters')).toBeTruthy();
  fireEvent.change(field(), { target: { value: '😀'.repeat(10_000) } });
  expect(button).toHaveProperty('disabled', false);
});

test('typing is told at the first key, and ends on sending', async () => {
  await openWidget();
  await userEvent.type(field(), 'hello{Enter}');

  await waitFor(() =>
    expect(server.told('typing')).toEqual([
      { conversationId: TALK, isTyping: true },
      { conversationId: TALK, isTyping: false },
    ]),
  );
});

test('typing ends two seconds after the last key', async () => {
  await openWidget();
  await userEvent.type(field(), 'h');
  await waitFor(() => expect(server.told('typing')).toHaveLength(1));
  await waitFor(() => expect(server.told('typing')).toHaveLength(2), {
    timeout: 4000,
  });
  expect(server.told('typing')[1]).toEqual({
    conversationId: TALK,
    isTyping: false,
  });
});

test('"is typing" is for the one who types here', async () => {
  await openWidget();

  const typing = (userId: string, conversationId: string) =>
    server.io.emit('user_typing', {
      userId,
      conversationId,
      isTyping: true,
      timestamp: '',
    });

  typing('another', TALK);
  typing(BOB, 'another');
  typing(BOB, TALK);
  await screen.findByText('Bob is typing...');
  server.say(BOB, 'done');
  await waitFor(() =>
    expect(screen.queryByText('Bob is typing...')).toBeNull(),
  );
});

test('the header tells of the other one, not of oneself', async () => {
  await openWidget();
  expect(screen.getByText('Offline')).toBeTruthy();

  server.io.emit('presence_state', [{ userId: BOB, state: 'online' }]);
  await screen.findByText('Online');

  server.io.emit('presence', {
    userId: BOB,
    state: 'offline',
    lastSeen: new Date(Date.now() - 5 * 60_000).toISOString(),
  });
  await screen.findByText(/Last seen 5 minutes ago/);
});

test('mine and theirs are told apart', async () => {
  server.say(BOB, 'theirs');
  server.say(ALICE, 'mine');
  show(<ChatWidget {...bob} />);

  const theirs = (await screen.findByText('theirs')).closest('article');
  const mine = screen.getByText('mine').closest('article');

  expect(theirs?.getAttribute('aria-label')).toBe('Bob');
  expect(mine?.getAttribute('aria-label')).toBe('You');
  expect(screen.getByText('Today')).toBeTruthy();
  expect(screen.getByText('New')).toBeTruthy();
  expect(await violations()).toEqual([]);
});

test('what people write is text, and web addresses are links', async () => {
  const evil = '<img src=x onerror="alert(1)"> see https://example.com/a?b=c.';

  server.say(BOB, evil);
  show(<ChatWidget {...bob} />);

  const link = await screen.findByRole('link');

  expect(link.getAttribute('href')).toBe('https://example.com/a?b=c');
  expect(link.closest('.rt-text')?.textContent).toBe(evil);
  expect(document.querySelector('img')).toBeNull();
});

test('a message of javascript: is no link', async () => {
  server.say(BOB, 'javascript:alert(1)');
  show(<ChatWidget {...bob} />);

  await screen.findByText('javascript:alert(1)');
  expect(screen.queryByRole('link')).toBeNull();
});

test('a message that failed: in words, with what can be done', async () => {
  await openWidget();
  server.failSend = { code: 'content_invalid', message: 'no' };
  await userEvent.type(field(), 'hello{Enter}');

  await screen.findByText('The message has characters that cannot be sent.');
  expect(screen.getByText('Not sent')).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Copy' })).toBeTruthy();
  expect(await violations()).toEqual([]);

  server.failSend = null;
  await userEvent.click(screen.getByRole('button', { name: 'Send again' }));
  await screen.findByText('Sent');
});

test('a message that failed can be deleted', async () => {
  await openWidget();
  server.failSend = { code: 'content_invalid', message: 'no' };
  await userEvent.type(field(), 'hello{Enter}');
  await userEvent.click(await screen.findByRole('button', { name: 'Delete' }));
  await screen.findByText('No messages yet. Start the conversation!');
});

const statuses: [number, string, string][] = [
  [400, 'bad_request', 'This page may be out of date. Please load it again.'],
  [
    400,
    'json_malformed',
    'This page may be out of date. Please load it again.',
  ],
  [401, 'token_missing', 'You are not signed in.'],
  [401, 'token_invalid', 'You are no longer signed in.'],
  [401, 'unauthorized', 'You are no longer signed in.'],
  [403, 'origin_not_allowed', 'This page may not use the chat.'],
  [403, 'access_denied', 'This page may not use the chat.'],
  [403, 'user_not_uuid', 'This account cannot use the chat.'],
  [404, 'endpoint_not_found', 'This server has no chat.'],
  [404, 'not_found', 'This server has no chat.'],
  [
    405,
    'method_not_allowed',
    'This page may be out of date. Please load it again.',
  ],
  [409, 'conflict', 'This message was sent before, with other words.'],
  [413, 'body_too_large', 'The message is too long.'],
  [
    415,
    'unsupported_media_type',
    'This page may be out of date. Please load it again.',
  ],
  [
    422,
    'request_refused',
    'This page may be out of date. Please load it again.',
  ],
  [429, 'too_many_requests', 'Too many requests at once.'],
  [429, 'rate_limited', 'Too many messages at once.'],
  [500, 'internal', 'Something went wrong.'],
  [502, 'bad_gateway', 'The server cannot be reached.'],
  [503, 'unavailable', 'The server cannot store messages at the moment.'],
  [503, 'service_unavailable', 'The server is busy.'],
  [504, 'gateway_timeout', 'The server does not answer.'],
  [507, 'server_error', 'Something went wrong.'],
];

test.each(statuses)(
  '%i, %s, is told in words, with a way on',
  async (status, code, words) => {
    server.failRest = [status, { status: 'error', message: 'x', code }];
    show(<ChatWidget {...bob} />);

    await screen.findByText(words);
    await online();

    /* it asks by itself when it is connected: then the button is gone */

    const button = await screen.findByRole('button', { name: 'Try again' });

    server.failRest = null;
    fireEvent.click(button);
    await screen.findByText('No messages yet. Start the conversation!');
  },
);

test.each([
  [401, 'You are no longer signed in.'],
  [403, 'This page may not use the chat.'],
  [404, 'This server has no chat.'],
  [429, 'Too many requests at once.'],
  [502, 'The server cannot be reached.'],
  [503, 'The server is busy.'],
  [504, 'The server does not answer.'],
  [418, 'Something went wrong.'],
])(
  '%i of somebody in between, who answers with a page of his',
  async (...of) => {
    const [status, words] = of;

    server.failRest = [status, '<html>no</html>' as never];
    show(<ChatWidget {...bob} />);
    await screen.findByText(words);
  },
);

test('a network that is gone: in words, and it goes on by itself', async () => {
  vi.spyOn(globalThis, 'fetch').mockRejectedValueOnce(new TypeError('gone'));
  show(<ConversationList onSelect={() => undefined} />);

  await screen.findByText('The server cannot be reached.');
  await screen.findByRole('button', { name: /Bob/ });
  expect(screen.queryByText('The server cannot be reached.')).toBeNull();
});

test('an answer that is none is told in words', async () => {
  server.failRest = [200, { status: 'success', data: 'none' }];
  show(<ChatWidget {...bob} />);
  await screen.findByText(
    'This page may be out of date. Please load it again.',
  );
});

test.each(statuses)(
  'the list of conversations: %i, %s, with a way on',
  async (status, code, words) => {
    server.failRest = [status, { status: 'error', message: 'x', code }];
    show(<ConversationList onSelect={() => undefined} />);

    await screen.findByText(words);
    await online();

    const button = await screen.findByRole('button', { name: 'Try again' });

    server.failRest = null;
    fireEvent.click(button);
    await screen.findByRole('button', { name: /Bob/ });
    expect(screen.queryByText(words)).toBeNull();
  },
);

test('history that cannot be had is said above what was written', async () => {
  server.failRest = [403, { status: 'error', code: 'access_denied' }];
  server.failSend = { code: 'unavailable', message: 'no' };
  show(<ChatWidget {...bob} />);
  await screen.findByText('This page may not use the chat.');
  await online();
  await userEvent.type(field(), 'hello{Enter}');
  await screen.findByText('hello');

  expect(screen.getByRole('alert').textContent).toContain(
    'This page may not use the chat.',
  );
  expect(await violations()).toEqual([]);
  server.failRest = null;
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  await waitFor(() => expect(screen.queryByRole('alert')).toBeNull());
});

test('earlier messages that cannot be had: in words, and not for ever', async () => {
  for (let i = 0; i < 60; i++) {
    server.say(BOB, `number ${i}`);
  }

  show(<ChatWidget {...bob} />);
  await screen.findByText('number 59');
  await online();

  const asked = () => server.asked.filter((url) => url.includes('before='));
  const box = screen.getByRole('group', { name: 'Messages' });

  server.failRest = [503, { status: 'error', code: 'unavailable' }];
  fireEvent.scroll(box);
  await screen.findByRole('alert');

  for (let i = 0; i < 5; i++) {
    fireEvent.scroll(box);
  }

  expect(asked()).toHaveLength(1);
  server.failRest = null;
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  await screen.findByText('number 0');
  expect(screen.queryByRole('alert')).toBeNull();
});

test('new ones are counted while one of mine waits below them', async () => {
  server.say(BOB, 'old');
  show(<ChatWidget {...bob} />);
  await screen.findByText('old');
  await online();
  server.failSend = { code: 'unavailable', message: 'no' };
  await userEvent.type(field(), 'mine{Enter}');
  await screen.findByText('mine');

  /* somebody reads further up */

  const box = screen.getByRole('group', { name: 'Messages' });

  Object.defineProperty(box, 'scrollHeight', { value: 5000 });
  Object.defineProperty(box, 'clientHeight', { value: 500 });
  fireEvent.scroll(box);
  server.say(BOB, 'one');
  await screen.findByRole('button', { name: '1 new message' });
  server.say(BOB, 'two');
  await screen.findByRole('button', { name: '2 new messages' });
});

test('the first message of all is told to a screen reader', async () => {
  await openWidget();
  server.say(BOB, 'one');
  await screen.findByText('New message from Bob: one', undefined, {
    timeout: 3000,
  });
});

test('who never stops writing is heard, too', async () => {
  await openWidget();

  const timer = setInterval(() => server.say(BOB, 'more'), 300);

  await screen.findByText(/new messages from Bob/, undefined, {
    timeout: 3000,
  });
  clearInterval(timer);
});

test('too many windows: in words, not as a lost session', async () => {
  server.refuse = { code: 'too_many_connections', message: 'no' };
  show(<ChatWidget {...bob} />);

  await screen.findByText('It is open in too many windows.', undefined, {
    timeout: 5000,
  });
  expect(screen.queryByText('You are no longer signed in.')).toBeNull();
});

test('a token that is revoked: in words, and on with the next', async () => {
  render(
    <RealtimeProvider url={server.url} userId={ALICE} token={() => ALICE}>
      <ChatWidget {...bob} />
    </RealtimeProvider>,
  );
  await screen.findByText('No messages yet. Start the conversation!');
  await online();

  server.refuse = {
    code: 'token_invalid',
    message: 'Authentication error: Invalid or expired token',
  };
  server.io.emit('error', { code: 'token_revoked', message: 'Token revoked' });

  server.io.disconnectSockets(true);

  await screen.findByText('You are no longer signed in.', undefined, {
    timeout: 5000,
  });
  await userEvent.type(field(), 'kept{Enter}');
  await screen.findByText('kept');
  server.refuse = null;
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  await waitFor(() =>
    expect(server.rows.map((r) => r.content)).toEqual(['kept']),
  );
  expect(screen.queryByText('You are no longer signed in.')).toBeNull();
});

test("a clock that is wrong moves nothing: order and days are the server's", async () => {
  server.ahead = 3_600_000;
  await openWidget();
  server.failSend = { code: 'unavailable', message: 'no' };
  await userEvent.type(field(), 'mine{Enter}');

  const time = (await screen.findByText('mine'))
    .closest('article')
    ?.querySelector('time');

  expect(
    Math.abs(
      Date.parse(time?.getAttribute('datetime') ?? '') -
        (Date.now() + server.ahead),
    ),
  ).toBeLessThan(60_000);
});

test('a conversation that is deleted while open says so', async () => {
  await openWidget();
  server.io.emit('conversation_deleted', { conversationId: TALK });

  await screen.findByText('This conversation no longer exists.');
  expect(screen.queryByRole('textbox')).toBeNull();
});

test('the banner comes after two seconds, and goes', async () => {
  server.refuse = { code: 'x', message: 'no' };

  const { unmount } = show(<ChatWidget {...bob} />);

  await screen.findByText('You are no longer signed in.');
  expect(await violations()).toEqual([]);
  server.refuse = null;
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  await waitFor(() =>
    expect(screen.queryByText('You are no longer signed in.')).toBeNull(),
  );
  await online();

  await server.stop();
  await screen.findByText('Not connected. Waiting...', undefined, {
    timeout: 4000,
  });
  unmount();
});

test('a screen reader hears of several messages in one sentence', async () => {
  server.say(BOB, 'old');
  show(<ChatWidget {...bob} />);
  await screen.findByText('old');
  await online();

  server.say(BOB, 'one');
  await screen.findByText('New message from Bob: one', undefined, {
    timeout: 3000,
  });
  server.say(BOB, 'two');
  server.say(BOB, 'three');
  await screen.findByText('2 new messages from Bob', undefined, {
    timeout: 3000,
  });
});

test('the arrow keys go from message to message', async () => {
  for (const text of ['a', 'b', 'c']) {
    server.say(BOB, text);
  }

  show(<ChatWidget {...bob} />);

  const at = (text: string) => screen.getByText(text).closest('article');
  const last = (await screen.findByText('c')).closest('article');

  expect(last?.tabIndex).toBe(0);
  act(() => last?.focus());
  await userEvent.keyboard('{ArrowUp}');
  await waitFor(() => expect(document.activeElement).toBe(at('b')));
  await userEvent.keyboard('{Home}');
  await waitFor(() => expect(document.activeElement).toBe(at('a')));
  await userEvent.keyboard('{End}');
  await waitFor(() => expect(document.activeElement).toBe(at('c')));
});

test('another language, right to left', async () => {
  show(
    <TextProvider strings={ar}>
      <ChatWidget {...bob} />
    </TextProvider>,
  );

  const widget = await screen.findByRole('region', { name: 'Bob' });

  expect(widget.getAttribute('dir')).toBe('rtl');
  expect(screen.getByText('غير متصل')).toBeTruthy();
  expect(await violations()).toEqual([]);
});

test('the list of conversations: who, what, how many are unread', async () => {
  const onSelect = vi.fn();

  server.say(BOB, 'hello');
  show(<ConversationList onSelect={onSelect} />);

  const button = await screen.findByRole('button', { name: /Bob.*hello/ });

  expect(screen.getByText('1 unread message')).toBeTruthy();
  await online();
  server.say(BOB, 'again');
  await screen.findByText('2 unread messages');
  await userEvent.click(button);
  expect(onSelect.mock.calls[0]?.[0]).toMatchObject({ id: TALK });
  expect(await violations()).toEqual([]);
});

test('without IntersectionObserver nothing is told as read', async () => {
  server.say(BOB, 'hello');
  show(<ChatWidget {...bob} />);
  await screen.findByText('hello');
  await online();
  await new Promise((resolve) => setTimeout(resolve, 1200));

  expect(server.told('mark_as_read')).toEqual([]);
});
