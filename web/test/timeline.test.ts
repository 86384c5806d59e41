// Copyright (C) ngx_realtime contributors

import { expect, test } from 'vitest';
import {
  advance,
  type ChatMessage,
  lastId,
  merge,
  remove,
} from '../src/client/timeline.ts';
import { uuid7 } from '../src/client/uuid7.ts';

function stored(id: string, more: Partial<ChatMessage> = {}): ChatMessage {
  return {
    key: id,
    id,
    conversationId: 'c',
    senderId: 'a',
    content: id,
    timestamp: '',
    state: 'sent',
    ...more,
  };
}

function unsent(clientId: string): ChatMessage {
  return {
    ...stored('', { key: clientId, clientId }),
    id: undefined,
    state: 'queued',
  };
}

const texts = (list: readonly ChatMessage[]) => list.map((m) => m.key);

test('messages stand in the order of their ids, however they come', () => {
  const list = merge(merge([], [stored('3'), stored('1')]), [stored('2')]);

  expect(texts(list)).toEqual(['1', '2', '3']);
});

test('what is not stored yet stands at the end, as it was written', () => {
  const list = merge([unsent('x1'), unsent('x2')], [stored('9'), stored('1')]);

  expect(texts(list)).toEqual(['1', '9', 'x1', 'x2']);
});

test('a message that comes twice is there once', () => {
  const list = merge([stored('1')], [stored('1'), stored('1')]);

  expect(list).toHaveLength(1);
});

test('an ack takes the place of what was written, under the same key', () => {
  const list = merge([unsent('x1')], [stored('5', { clientId: 'x1' })]);

  expect(list).toMatchObject([{ key: 'x1', id: '5', state: 'sent' }]);
  expect(merge(list, [unsent('x1')])).toEqual(list);
});

test('the clientId of somebody else is not mine', () => {
  const list = merge(
    [unsent('x1')],
    [stored('5', { clientId: 'x1', senderId: 'b' })],
  );

  expect(list).toHaveLength(2);
});

test('what was read does not become unread', () => {
  const read = merge([], [stored('1', { state: 'read' })]);

  expect(merge(read, [stored('1')])[0]?.state).toBe('read');
});

test('a receipt is for all up to an id, of one side only', () => {
  const list = merge(
    [],
    [stored('1'), stored('2', { senderId: 'b' }), stored('3'), unsent('x')],
  );
  const read = advance(list, (sender) => sender === 'a', '2', 'read');

  expect(read.map((m) => m.state)).toEqual(['read', 'sent', 'sent', 'queued']);
  expect(advance(read, (sender) => sender === 'a', '2', 'delivered')).toBe(
    read,
  );
});

test('only what is not stored can be taken out', () => {
  const list = merge([unsent('x')], [stored('1', { clientId: 'y' })]);

  expect(texts(remove(remove(list, 'x'), 'y'))).toEqual(['1']);
});

test('lastId is that of the last one stored', () => {
  expect(lastId(merge([unsent('x')], [stored('1')]))).toBe('1');
  expect(lastId([])).toBeUndefined();
});

test('ids of version 7 sort by the order of making', () => {
  const ids = Array.from({ length: 2000 }, () => uuid7());

  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(2000);
  expect(ids[0]).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
});
