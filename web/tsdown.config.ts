import { copyFile } from 'node:fs/promises';
import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: [
    'src/{index,client,hook,chat,notifications,server}.ts',
    'src/locales/*.ts',
  ],
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  dts: true,
  sourcemap: true,
  outputOptions: {
    banner: (chunk) =>
      /^(?!server).*\.js$/.test(chunk.fileName) ? "'use client';" : '',
  },
  hooks: {
    'build:done': () => copyFile('src/ui/styles.css', 'dist/styles.css'),
  },
  logLevel: 'warn',
});
