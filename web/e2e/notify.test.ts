// Copyright (C) ngx_realtime contributors

/* notifications, from a back end to the tabs of a person */

import type { Page } from 'playwright-core';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { demo, quit, sql, user, visit } from './browser.ts';

beforeEach(() => {
  sql('delete from realtime.notifications');
});

afterAll(quit);

/* what a back end does; nginx lets this machine in */

async function notify(title: string): Promise<void> {
  const reply = await fetch(`${demo().url}realtime/api/notifications`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      userId: user('alice').id,
      type: 'system',
      title,
      message: `about ${title}`,
    }),
  });

  expect(reply.status).toBe(202);
}

const toast = (page: Page, title: string) =>
  page.locator('.rt-toast', { hasText: title });

const bell = (page: Page) =>
  page.getByRole('button', { name: /^Notifications/ });

async function connected(page: Page): Promise<void> {
  await page
    .locator('dd[data-name="Status"]', { hasText: 'connected' })
    .waitFor();
}

test('the bell counts them, in every tab, until they are read', async () => {
  await notify('first');

  const { page, close } = await visit('alice');
  const other = await page.context().newPage();

  await other.goto(`${demo().url}?user=alice`);
  await connected(page);
  await connected(other);
  await notify('second');

  for (const one of [page, other]) {
    await bell(one).locator('.rt-badge', { hasText: '2' }).waitFor();
  }

  await page.bringToFront();
  await bell(page).click();
  await page.getByRole('dialog').getByText('about second').click();
  await bell(other).locator('.rt-badge', { hasText: '1' }).waitFor();
  await page.getByRole('button', { name: 'Mark all as read' }).click();

  for (const one of [page, other]) {
    await one.locator('.rt-badge').waitFor({ state: 'detached' });
  }

  expect(
    sql('select count(*) from realtime.notifications where read_at is null'),
  ).toBe('0');
  await page.reload();
  await connected(page);
  await bell(page).click();
  await page.getByRole('dialog').getByText('about first').waitFor();
  expect(await page.locator('.rt-badge').count()).toBe(0);
  await close();
});

test('on the desktop when asked to, and once for all tabs', async () => {
  const { page, close } = await visit('alice');
  const context = page.context();
  const shown: string[] = [];

  /* the real one, and a note that it was made */

  await context.exposeFunction('wasShown', (title: string) => {
    shown.push(title);
  });
  await context.addInitScript(() => {
    const asked = { count: 0 };

    Object.assign(globalThis, { asked });
    globalThis.Notification = new Proxy(Notification, {
      construct(target, [title, options]) {
        // biome-ignore lint/suspicious/noExplicitAny: of exposeFunction
        (globalThis as any).wasShown(title);
        return new target(title, options);
      },
      get(target, name) {
        asked.count += Number(name === 'requestPermission');

        const value = Reflect.get(target, name);

        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  });
  await context.grantPermissions(['notifications']);
  await page.reload();

  const tabs = [page, await context.newPage(), await context.newPage()];

  for (const tab of tabs.slice(1)) {
    await tab.goto(`${demo().url}?user=alice`);
  }

  for (const tab of tabs) {
    await connected(tab);
    expect(
      await tab.evaluate(
        // biome-ignore lint/suspicious/noExplicitAny: of the script above
        () => (globalThis as any).asked.count,
      ),
    ).toBe(0);
  }

  /* nobody looks at one of them */

  const away = await context.newPage();

  await away.goto('about:blank');
  await away.bringToFront();

  for (const tab of tabs) {
    await tab.evaluate(() => {
      document.hasFocus = () => false;
    });
  }

  await notify('for the desktop');

  for (const tab of tabs) {
    await toast(tab, 'for the desktop').waitFor({ state: 'attached' });
  }

  await expect.poll(() => shown).toEqual(['for the desktop']);
  await tabs[0]?.waitForTimeout(1000);
  expect(shown).toEqual(['for the desktop']);
  await close();
});
