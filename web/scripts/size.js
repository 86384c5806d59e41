// Copyright (C) ngx_realtime contributors

/*
 * What a page has to load: minified, gzip -9, React left out.  Fails when a
 * bar is passed.  After "npm run build".
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

let bad = false;

function print(name, size, bar) {
  const over = size > bar;

  bad ||= over;
  process.stdout.write(
    `${name.padEnd(32)}${size.toFixed(1).padStart(6)} kB gz  ` +
      `(bar ${bar.toFixed(1)})${over ? '  TOO BIG' : ''}\n`,
  );
}

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

  print(name, gz(outputFiles[0].contents), bar);
}

const css = await build({
  entryPoints: ['dist/styles.css'],
  minify: true,
  write: false,
});

print('styles.css', gz(css.outputFiles[0].contents), 6.0);

for (const locale of ['fr', 'tr', 'es']) {
  print(
    `locales/${locale}`,
    gz(readFileSync(`dist/locales/${locale}.js`)),
    2.0,
  );
}

process.exit(bad ? 1 : 0);
