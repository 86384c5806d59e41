// Copyright (C) ngx_realtime contributors

/*
 * Notifications of the desktop, after the person has asked for them.  All
 * tabs hear of the same thing: a lock with its name lets one of them show it,
 * and none if the person is looking at one.
 */

export type Permission = NotificationPermission | 'unsupported';

export function desktopPermission(): Permission {
  return typeof Notification === 'function'
    ? Notification.permission
    : 'unsupported';
}

/* only from a click: browsers refuse it elsewhere, and rightly */

export async function askForDesktop(): Promise<Permission> {
  return typeof Notification === 'function'
    ? Notification.requestPermission()
    : 'unsupported';
}

const HEAD_START = 100; // ms, for the tab that is looked at
const HELD = 3000; // ms, longer than the others may be late

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export async function showOnDesktop(
  id: string,
  title: string,
  body: string,
): Promise<void> {
  if (desktopPermission() !== 'granted') {
    return;
  }

  const looking = document.visibilityState === 'visible' && document.hasFocus();

  async function show(): Promise<void> {
    if (looking) {
      return;
    }

    try {
      const shown = new Notification(title, { body, tag: id });

      shown.addEventListener('click', () => {
        window.focus();
        shown.close();
      });
    } catch {
      // Android shows them only from a service worker
    }
  }

  if (!looking) {
    await wait(HEAD_START);
  }

  if (!navigator.locks) {
    await show();
    return;
  }

  await navigator.locks.request(
    `ngx-realtime:desktop:${id}`,
    { ifAvailable: true },
    async (lock) => {
      if (lock) {
        await show();
        await wait(HELD);
      }
    },
  );
}
