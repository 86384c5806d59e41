// Copyright (C) ngx_realtime contributors

/*
 * The pictures of the README, of a demo that runs and where nothing was said
 * yet but what is here.
 *
 *   export DEMO_DIR=$(mktemp -d); chmod 755 $DEMO_DIR
 *   ./dev demo --detach; (cd web; node scripts/screenshots.js); ./dev demo stop
 */

import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { url, users } = JSON.parse(
  readFileSync(`${process.env.DEMO_DIR ?? `${root}.demo`}/demo.json`, 'utf8'),
);
const talk = [
  ['Alice', 'Did the reload go through? I did not notice anything.'],
  ['Bob', 'That was the idea. Both workers are new, our sessions are not.'],
  ['Alice', 'And if one is killed?'],
  ['Bob', 'Try it. What you write meanwhile waits in your browser.'],
  ['Alice', 'Done. It went out a second later, once.'],
  ['Bob', 'Good. Now kill Postgres: https://www.postgresql.org/'],
];

async function call(name, path, body) {
  const reply = await fetch(`${url}api/chat/${path}`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${users.find((u) => u.name === name).token}`,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify(body),
  });

  return (await reply.json()).data;
}

/* to herself: the others do not get what the reader does not see sent */

async function notify(page) {
  const office = page.getByRole('region', { name: 'Back office' });

  await office.getByLabel(/^To/).selectOption('Alice');
  await office.getByRole('button', { name: 'Notify' }).click();
  await office.getByText('Sent.').waitFor();
  await page.locator('.rt-toast').waitFor();
}

async function picture(browser, file, query, options) {
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  const page = await context.newPage();

  await page.goto(`${url}?${query}`);
  await page.locator('.rt-conversation', { hasText: 'Bob' }).click();
  await page.getByText('Now kill Postgres').last().waitFor();
  await page.locator('.rt-header').getByText('Online').waitFor();

  if (await page.getByRole('button', { name: 'Notify' }).isVisible()) {
    await notify(page);
  }

  await page.mouse.move(0, 0);
  await page.locator('.rt-toast').waitFor({ state: 'detached' });

  /* not while the machine has other things to do */

  await page.waitForFunction(
    () =>
      Number.parseFloat(
        document.querySelector('[data-name="Round trip"]')?.textContent ?? '',
      ) < 10,
    undefined,
    { timeout: 120_000 },
  );
  await page.screenshot({ path: `${root}docs/images/${file}` });
  await context.close();
}

const bob = users.find((u) => u.name === 'Bob');
const { id } = await call('Alice', 'conversations', { participantId: bob.id });

for (const [name, content] of talk) {
  await call(name, `conversations/${id}/messages`, { content });
}

const carol = await call('Carol', 'conversations', {
  participantId: users.find((u) => u.name === 'Alice').id,
});

await call('Carol', `conversations/${carol.id}/messages`, {
  content: 'Lunch at noon?',
});

mkdirSync(`${root}docs/images`, { recursive: true });

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
const there = await browser.newPage();

await there.goto(`${url}?user=bob`);
await there.locator('.rt-conversation', { hasText: 'Alice' }).click();
await picture(browser, 'demo.png', 'user=alice&theme=light', {
  viewport: { width: 1180, height: 730 },
});
await picture(browser, 'demo-dark.png', 'user=alice&theme=dark', {
  viewport: { width: 390, height: 720 },
});
await browser.close();
