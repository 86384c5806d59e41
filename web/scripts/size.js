// Copyright (C) ngx_realtime contributors

/*
 * What a page has to load: minified, gzip -9, React left out.  Fails when a
 * bar is passed; with --json it only prints.  After "npm run build".
 */

import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const widget = `export { ChatWidget } from './dist/chat.js';
  export { RealtimeNotifications } from './dist/notifications.js';
  export { RealtimeProvider, useRealtime } from './dist/index.js';`;

const bars = [
  ['hook, with socket.io-client', `export * from './dist/hook.js'`, 17.0],
  [
    'hook and notifications',
    `export { useRealtime } from './dist/hook.js';
     export { RealtimeNotifications } from './dist/notifications.js'`,
    21.0,
  ],
  ['widget, hook and notifications', widget, 42.0],
  ['everything', `export * from './dist/index.js'`, 42.0],
];

const gz = (bytes) => gzipSync(bytes, { level: 9 }).length / 1000;

const json = process.argv[2] === '--json';
const sizes = [];

for (const [name, contents, bar] of bars) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: process.cwd() },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    external: ['react', 'react-dom', 'react/jsx-runtime'],
    define: { 'process.env.NODE_ENV': '"production"' },
    conditions: ['production', 'browser'],
    logLevel: 'error',
  });

  sizes.push({ name, size: gz(outputFiles[0].contents), bar });
}

const css = await build({
  entryPoints: ['dist/styles.css'],
  minify: true,
  write: false,
});

sizes.push({
  name: 'styles.css',
  size: gz(css.outputFiles[0].contents),
  bar: 6.0,
});

for (const locale of ['fr', 'tr', 'es']) {
  const text = readFileSync(`dist/locales/${locale}.js`);

  sizes.push({ name: `locales/${locale}`, size: gz(text), bar: 2.0 });
}

const over = ({ size, bar }) => size > bar;

function line(one) {
  const { name, size, bar } = one;

  return (
    `${name.padEnd(32)}${size.toFixed(1).padStart(6)} kB gz  ` +
    `(bar ${bar.toFixed(1)})${over(one) ? '  TOO BIG' : ''}`
  );
}

console.log(json ? JSON.stringify(sizes) : sizes.map(line).join('\n'));
process.exit(sizes.some(over) && !json ? 1 : 0);
