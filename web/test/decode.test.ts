// Copyright (C) ngx_realtime contributors

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { decode } from '../src/client/decode.ts';
import type { ServerEvent } from '../src/client/events.ts';

const message = {
  senderId: 'a',
  message: 'hi',
  content: 'hi',
  conversationId: 'c',
  timestamp: '2026-01-01T00:00:00.000Z',
  id: 'm',
};

beforeEach(() => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

test('a good event comes through, without keys that nobody knows', () => {
  expect(decode('message', { ...message, extra: 1 })).toEqual(message);
  expect(console.warn).not.toHaveBeenCalled();
});

test.each([
  ['message', { content: undefined }],
  ['content', { message: undefined }],
])('a message with %s only has both', (_, without) => {
  expect(decode('message', { ...message, ...without })).toEqual(message);
});

test('null is as good as missing where a key may be missing', () => {
  expect(decode('message', { ...message, clientId: null })).toEqual(message);
});

const bad: [string, ServerEvent, unknown][] = [
  ['nothing', 'message', undefined],
  ['null', 'message', null],
  ['a string', 'message', 'hi'],
  ['an array', 'message', [message]],
  ['no id', 'message', { ...message, id: undefined }],
  ['an empty id', 'message', { ...message, id: '' }],
  ['a number for text', 'message', { ...message, content: 5 }],
  ['no text', 'message', { ...message, content: null, message: null }],
  [
    'a text for a boolean',
    'user_typing',
    { userId: 'a', conversationId: 'c', isTyping: 'yes', timestamp: '' },
  ],
  [
    'an array for data',
    'notification',
    { id: 'n', type: 't', title: '', message: '', timestamp: '', data: [] },
  ],
];

test.each(bad)(
  '%s is ignored, with one line on the console',
  (_, event, raw) => {
    expect(decode(event, raw)).toBeUndefined();
    expect(console.warn).toHaveBeenCalledTimes(1);
  },
);

test('nothing is said in production', () => {
  vi.stubEnv('NODE_ENV', 'production');

  expect(decode('message', null)).toBeUndefined();
  expect(console.warn).not.toHaveBeenCalled();
});

test('of a list of people the good ones count', () => {
  const good = { userId: 'a', state: 'online' };

  expect(decode('presence_state', [good, 7, { userId: '' }])).toEqual([good]);
});

test('what is no list of people takes nobody away', () => {
  expect(decode('presence_state', 'all')).toBeUndefined();
  expect(console.warn).toHaveBeenCalledTimes(1);
});
