// Copyright (C) ngx_realtime contributors

import {
  act,
  fireEvent,
  render,
  screen,
  waitFor,
} from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import type { ReactElement } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  NotificationBell,
  RealtimeNotifications,
  RealtimeProvider,
} from '../src/index.ts';
import { ALICE, startServer, type TestServer } from './server.ts';

let server: TestServer;
let number = 0;

beforeEach(async () => {
  server = await startServer();
});

afterEach(async () => {
  await server.stop();
});

async function show(element: ReactElement) {
  render(
    <RealtimeProvider url={server.url} token={ALICE} userId={ALICE}>
      {element}
    </RealtimeProvider>,
  );
  await waitFor(() => expect(server.io.of('/').sockets.size).toBe(1));
}

function notify(title: string, type = 'system'): void {
  server.io.emit('notification', {
    id: `n${++number}`,
    type,
    title,
    message: `about ${title}`,
    timestamp: new Date(Date.now() + number).toISOString(),
  });
}

const toast = (title: string) => screen.queryByText(title)?.closest('li');

test('title and message, for a while', async () => {
  await show(<RealtimeNotifications duration={300} />);
  notify('tea');

  await screen.findByText('about tea');
  await waitFor(() => expect(toast('tea')).toBeUndefined());
});

test.each([
  ['assessment_started', 'blue'],
  ['recommendation', 'green'],
  ['message', 'purple'],
  ['system', 'grey'],
  ['new_assessment', 'blue'],
  ['toString', 'blue'],
])('%s is %s', async (type, color) => {
  await show(<RealtimeNotifications />);
  notify('tea', type);

  await screen.findByText('tea');
  expect(toast('tea')?.dataset).toMatchObject({ type, color });
});

test('it stays as long as the pointer is on it', async () => {
  await show(<RealtimeNotifications duration={300} />);
  notify('tea');
  await screen.findByText('tea');

  fireEvent.mouseEnter(screen.getByRole('region'));
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(toast('tea')).toBeTruthy();

  fireEvent.mouseLeave(screen.getByRole('region'));
  await waitFor(() => expect(toast('tea')).toBeUndefined());
});

test('it stays as long as the page is hidden', async () => {
  const visibility = vi.spyOn(document, 'visibilityState', 'get');

  visibility.mockReturnValue('hidden');
  await show(<RealtimeNotifications duration={300} />);
  notify('tea');
  await screen.findByText('tea');
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(toast('tea')).toBeTruthy();

  visibility.mockReturnValue('visible');
  fireEvent(document, new Event('visibilitychange'));
  await waitFor(() => expect(toast('tea')).toBeUndefined());
});

test('closing it acknowledges it', async () => {
  await show(<RealtimeNotifications />);
  notify('tea');
  await userEvent.click(
    await screen.findByRole('button', { name: 'Close notification' }),
  );

  expect(toast('tea')).toBeUndefined();
  await waitFor(() =>
    expect(server.told('notification_ack')).toEqual([
      { notificationId: `n${number}` },
    ]),
  );
});

test('five at once, the others wait', async () => {
  await show(<RealtimeNotifications />);

  for (const title of ['a', 'b', 'c', 'd', 'e', 'f']) {
    notify(title);
  }

  await waitFor(() => expect(screen.getAllByRole('listitem')).toHaveLength(5));
  expect(toast('a')).toBeTruthy();
  expect(toast('f')).toBeUndefined();
});

test('the bell counts, and keeps what came', async () => {
  await show(<NotificationBell />);
  notify('tea');
  notify('coffee');

  await waitFor(() =>
    expect(screen.getByRole('button').textContent).toContain('2'),
  );
  await userEvent.click(screen.getByRole('button'));
  expect(screen.getAllByRole('listitem')[0]?.textContent).toContain('coffee');

  await userEvent.click(screen.getByText('tea'));
  await waitFor(() => expect(server.told('notification_ack')).toHaveLength(1));
  expect(screen.getByRole('button', { expanded: true }).textContent).toContain(
    '1',
  );

  await userEvent.keyboard('{Escape}');
  expect(screen.queryByRole('dialog')).toBeNull();
  expect(document.activeElement).toBe(screen.getByRole('button'));
});

test('the bell asks REST, where the server has notifications', async () => {
  server.notifications = true;
  await show(<NotificationBell />);

  await waitFor(() =>
    expect(server.asked).toContain('GET /api/notifications/unread/count'),
  );
  await userEvent.click(screen.getByRole('button'));
  await screen.findByText('Nothing new.');
});

test('nobody is asked for the desktop before they ask for it', async () => {
  const requestPermission = vi.fn(async () => 'granted');

  vi.stubGlobal(
    'Notification',
    Object.assign(vi.fn(), { permission: 'default', requestPermission }),
  );
  await show(<NotificationBell />);
  notify('tea');
  await waitFor(() =>
    expect(screen.getByRole('button').textContent).toContain('1'),
  );
  expect(requestPermission).not.toHaveBeenCalled();

  await userEvent.click(screen.getByRole('button'));
  await userEvent.click(screen.getByText('Show them on the desktop'));
  expect(requestPermission).toHaveBeenCalledTimes(1);
  vi.unstubAllGlobals();
});

test('one that had the focus and was read elsewhere holds up no other', async () => {
  await show(<RealtimeNotifications duration={300} />);
  notify('tea');

  const close = await screen.findByRole('button', {
    name: 'Close notification',
  });

  act(() => close.focus());
  server.io.emit('notification_read', { id: `n${number}` });
  await waitFor(() => expect(toast('tea')).toBeUndefined());
  notify('coffee');
  await screen.findByText('coffee');
  await waitFor(() => expect(toast('coffee')).toBeUndefined(), {
    timeout: 3000,
  });
});

test('what is old is in the bell, and not on the desktop', async () => {
  const shown: string[] = [];

  vi.spyOn(document, 'hasFocus').mockReturnValue(false);
  vi.stubGlobal(
    'Notification',
    class {
      static permission = 'granted';
      addEventListener = () => undefined;

      constructor(title: string) {
        shown.push(title);
      }
    },
  );
  await show(<NotificationBell />);

  const at = (ago: number, title: string) =>
    server.io.emit('notification', {
      id: title,
      type: 'system',
      title,
      message: '',
      timestamp: new Date(Date.now() - ago).toISOString(),
    });

  at(3_600_000, 'old');
  at(0, 'new');
  await waitFor(() =>
    expect(screen.getByRole('button').textContent).toContain('2'),
  );
  await waitFor(() => expect(shown).toEqual(['new']));
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(shown).toEqual(['new']);
  vi.unstubAllGlobals();
});
