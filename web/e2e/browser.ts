// Copyright (C) ngx_realtime contributors

/*
 * Debian's Chromium, and the demo that global.ts has started.
 *
 *   const { page, close } = await visit('alice');
 *
 * A page that throws, that the console has an error of, or that breaks the
 * content security policy, fails the test when it is closed.
 */

import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';

export interface Demo {
  url: string;
  database: string;
  users: { id: string; name: string; token: string }[];
  jwt_key_file: string;
  nginx_pid_file: string;
}

export const root: string = fileURLToPath(new URL('../..', import.meta.url));

export function demo(): Demo {
  return JSON.parse(readFileSync(`${process.env.DEMO_DIR}/demo.json`, 'utf8'));
}

export function user(name: string): Demo['users'][number] {
  const found = demo().users.find((u) => u.name.toLowerCase() === name);

  if (!found) {
    throw new Error(`no ${name} in the demo`);
  }

  return found;
}

/* one that ends soon; tools/demo gives them a week */

export function tokenOf(
  name: string,
  seconds: number,
  more: object = {},
): string {
  const exp = Math.floor(Date.now() / 1000) + seconds;
  const text = [{ alg: 'HS256' }, { id: user(name).id, exp, ...more }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = createHmac('sha256', readFileSync(demo().jwt_key_file));

  return `${text}.${signature.update(text).digest('base64url')}`;
}

export function sql(text: string): string {
  return execFileSync('psql', ['-qAtX', '-d', demo().database, '-c', text], {
    encoding: 'utf8',
  }).trim();
}

/* the two have nothing said between them, and the id of their conversation */

export async function freshTalk(one: string, two: string): Promise<string> {
  const id = await startTalk(one, two);

  sql(`delete from realtime.messages where conversation_id = '${id}'`);
  return id;
}

export async function startTalk(one: string, two: string): Promise<string> {
  const { id } = await post(one, 'conversations', {
    participantId: user(two).id,
  });

  return id;
}

/* what a person does who has no page open */

export async function post(
  name: string,
  path: string,
  body: object,
): Promise<{ id: string }> {
  const reply = await fetch(`${demo().url}api/chat/${path}`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${user(name).token}`,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify(body),
  });
  const { data } = (await reply.json()) as { data: { id: string } };

  return data;
}

/* what a back end does: nginx lets this machine in, without a token */

export async function backEnd(path: string, body: object): Promise<void> {
  const reply = await fetch(`${demo().url}realtime/api/${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });

  if (!reply.ok) {
    throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  }
}

/* docs/events.md has exactly the events of the module: t/docs.t sees to it */

export function hasEvent(event: string): boolean {
  return readFileSync(`${root}docs/events.md`, 'utf8').includes(
    `\n| \`${event}\` |`,
  );
}

export function master(): number {
  return Number(readFileSync(demo().nginx_pid_file, 'utf8'));
}

export function workers(): number[] {
  return execFileSync('ps', ['-o', 'pid=,args=', '--ppid', `${master()}`], {
    encoding: 'utf8',
  })
    .split('\n')
    .filter((line) => /worker process$/.test(line.trimEnd()))
    .map((line) => Number.parseInt(line, 10));
}

/*
 * One without the windows of a desktop, which cost more than the pages in
 * them; it has no notifications of the desktop.
 */

const SHELL = '/usr/bin/chromium-headless-shell';
const DESKTOP = '/usr/bin/chromium';

const browsers = new Map<string, Promise<Browser>>();

function launch(path: string): Promise<Browser> {
  const known = browsers.get(path);

  if (known) {
    return known;
  }

  const browser = chromium.launch({
    executablePath: path,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

  browsers.set(path, browser);
  return browser;
}

export async function quit(): Promise<void> {
  for (const browser of browsers.values()) {
    await (await browser).close();
  }

  browsers.clear();
}

export interface Visit {
  page: Page;
  faults: string[];
  close: () => Promise<void>;
}

/* what a network that is cut says on the console is no fault of the page */

const NETWORK = /net::ERR_|WebSocket connection to|Failed to load resource/;

export async function visit(
  name: string,
  query: Record<string, string> = {},
  { desktop, ...options }: BrowserContextOptions & { desktop?: boolean } = {},
): Promise<Visit> {
  const browser = await launch(desktop ? DESKTOP : SHELL);
  const context = await browser.newContext({
    locale: 'en-GB',
    viewport: { width: 1280, height: 800 },
    ...options,
  });
  const page = await context.newPage();
  const faults: string[] = [];

  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !NETWORK.test(message.text())) {
      faults.push(message.text());
    }
  });

  await page.goto(
    `${demo().url}?${new URLSearchParams({ ...(name && { user: name }), ...query })}`,
  );

  return {
    page,
    faults,
    async close() {
      await context.close();

      if (faults.length > 0) {
        throw new Error(`${name}'s page: ${faults.join('\n')}`);
      }
    },
  };
}

export async function openTalk(page: Page, name: string): Promise<void> {
  await page
    .getByRole('navigation', { name: 'Conversations' })
    .getByRole('button', { name: new RegExp(`^${name}`) })
    .click();
  await page.getByRole('heading', { name, level: 2 }).waitFor();
}

export async function say(page: Page, text: string): Promise<void> {
  const field = page.locator('.rt-composer textarea');

  await field.fill(text);
  await field.press('Enter');
}

/* the texts that are drawn, without what is kept out of sight */

export function texts(page: Page): Promise<string[]> {
  return page.locator('.rt-message .rt-text').allInnerTexts();
}

export async function connected(page: Page): Promise<void> {
  await page
    .locator('dd[data-name="Status"]', { hasText: 'connected' })
    .waitFor();
}

export async function inspected(page: Page, name: string): Promise<string> {
  return (await page.locator(`dd[data-name="${name}"]`).textContent()) ?? '';
}

/* rules that a page breaks, in the state that it is in */

export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);

  const { violations: found } = await page.evaluate(() =>
    // biome-ignore lint/suspicious/noExplicitAny: of the script just put in
    (globalThis as any).axe.run(document, {
      runOnly: [
        'wcag2a',
        'wcag2aa',
        'wcag21a',
        'wcag21aa',
        'wcag22aa',
        'best-practice',
      ],
    }),
  );

  return found.map(
    (v: { id: string; nodes: { html: string; failureSummary: string }[] }) =>
      `${v.id}: ${v.nodes[0]?.html}\n${v.nodes[0]?.failureSummary}`,
  );
}
