import { copyFile } from 'node:fs/promises';
import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: ['src/{index,client,hook,chat,notifications}.ts', 'src/locales/*.ts'],
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  dts: true,
  sourcemap: true,
  outputOptions: {
    banner: (chunk) => (chunk.fileName.endsWith('.js') ? "'use client';" : ''),
  },
  hooks: {
    'build:done': () => copyFile('src/ui/styles.css', 'dist/styles.css'),
  },
  logLevel: 'warn',
});
