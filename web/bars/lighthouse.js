// Copyright (C) ngx_realtime contributors

/*
 * One run of Lighthouse, in a browser of its own, as JSON: the scores, 0 to
 * 100, and some times in ms.  What keeps a score from 100 goes to stderr.
 *
 *   node web/bars/lighthouse.js URL
 */

import { launch } from 'chrome-launcher';
import lighthouse from 'lighthouse';

const TIMES = ['largest-contentful-paint', 'total-blocking-time'];

const chrome = await launch({
  chromePath: '/usr/bin/chromium-headless-shell',
  chromeFlags: ['--no-sandbox', '--disable-gpu'],
  logLevel: 'error',
});

try {
  const result = await lighthouse(process.argv[2], {
    port: chrome.port,
    logLevel: 'error',
    onlyCategories: ['performance', 'accessibility', 'best-practices'],
  });
  const { audits, categories, runtimeError } = result.lhr;

  if (runtimeError) {
    throw new Error(runtimeError.message);
  }

  const figures = {};

  for (const { id, score, auditRefs } of Object.values(categories)) {
    figures[id] = Math.round(score * 100);

    for (const { id: audit, weight } of auditRefs) {
      const { score: part, title, displayValue = '' } = audits[audit];

      if (weight > 0 && part !== null && part < 0.9) {
        console.error(`${id}: ${title} ${displayValue}`);
      }
    }
  }

  for (const id of TIMES) {
    figures[id] = audits[id].numericValue;
  }

  console.log(JSON.stringify(figures));
} finally {
  await chrome.kill();
}
