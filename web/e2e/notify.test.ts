// Copyright (C) ngx_realtime contributors

/* notifications, from a back end to the tabs of a person */

import type { Page } from 'playwright-core';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { backEnd, connected, demo, quit, sql, user, visit } from './browser.ts';

beforeEach(() => {
  sql('delete from realtime.notifications');
});

afterAll(quit);

function notify(title: string): Promise<void> {
  return backEnd('notifications', {
    userId: user('alice').id,
    type: 'system',
    title,
    message: `about ${title}`,
  });
}

/* the same by hand, in the panel of the demo */

async function notifyByHand(
  page: Page,
  to: string,
  title: string,
): Promise<void> {
  const office = page.getByRole('region', { name: 'Back office' });

  await office.getByLabel(/^To/).selectOption(to);
  await office.getByLabel(/^Type/).selectOption('recommendation');
  await office.getByRole('textbox', { name: 'Title' }).fill(title);
  await office.getByRole('textbox', { name: 'Message' }).fill(`about ${title}`);
  await office.getByRole('button', { name: 'Notify' }).click();
  await office.getByRole('status').getByText(/^Sent/).waitFor();
}

const toast = (page: Page, title: string) =>
  page.locator('.rt-toast', { hasText: title });

const bell = (page: Page) =>
  page.getByRole('button', { name: /^Notifications/ });

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

const badge = (page: Page, count: number) =>
  bell(page)
    .locator('.rt-badge', { hasText: `${count}` })
    .waitFor();

test('the back office to somebody in another window: a toast, and the bell', async () => {
  const alice = await visit('alice');
  const bob = await visit('bob');

  await connected(bob.page);
  await notifyByHand(alice.page, 'Bob', 'a book');
  await toast(bob.page, 'a book').getByText('about a book').waitFor();
  await badge(bob.page, 1);
  expect(await toast(bob.page, 'a book').getAttribute('data-color')).toBe(
    'green',
  );
  expect(await toast(alice.page, 'a book').count()).toBe(0);

  /* it goes by itself, and is still to be had */

  await toast(bob.page, 'a book').waitFor({ state: 'detached' });
  await badge(bob.page, 1);
  await bell(bob.page).click();
  await bob.page.getByRole('dialog').getByText('about a book').waitFor();
  await alice.close();
  await bob.close();
});

test('who is away gets it at the next visit, until it was closed', async () => {
  const alice = await visit('alice');

  await notifyByHand(alice.page, 'Bob', 'for later');

  const bob = await visit('bob');

  await toast(bob.page, 'for later').waitFor();
  await badge(bob.page, 1);
  await bob.page.reload();
  await toast(bob.page, 'for later')
    .getByRole('button', { name: 'Close notification' })
    .click();
  await bell(bob.page).locator('.rt-badge').waitFor({ state: 'detached' });
  await expect
    .poll(() =>
      sql('select count(*) from realtime.notifications where read_at is null'),
    )
    .toBe('0');
  await bob.page.reload();
  await connected(bob.page);
  await bell(bob.page).click();
  await bob.page.getByRole('dialog').getByText('about for later').waitFor();
  expect(await toast(bob.page, 'for later').count()).toBe(0);
  await alice.close();
  await bob.close();
});

test('closed in one tab it leaves the other', async () => {
  const { page, close } = await visit('alice');
  const other = await page.context().newPage();

  await other.goto(`${demo().url}?user=alice`);
  await connected(page);
  await connected(other);

  /* nothing leaves by itself while the pointer is there */

  await other.locator('.rt-toasts').dispatchEvent('mouseover');
  await notifyByHand(page, 'Alice', 'twice');
  await toast(other, 'twice').waitFor();
  await badge(other, 1);
  await toast(page, 'twice')
    .getByRole('button', { name: 'Close notification' })
    .click();
  await toast(other, 'twice').waitFor({ state: 'detached' });
  await bell(other).locator('.rt-badge').waitFor({ state: 'detached' });
  await close();
});

test('on the desktop when asked to, and once for all tabs', async () => {
  const { page, close } = await visit('alice', {}, { desktop: true });
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
