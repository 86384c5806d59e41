import { defineConfig } from 'vitest/config';

/* REACT=18: with the oldest React that the package works with */

const old = process.env.REACT === '18';

export default defineConfig({
  resolve: {
    alias: old ? { 'react-dom': 'react-dom-18', react: 'react-18' } : {},
  },
  test: {
    environment: 'jsdom',
    include: ['test/**/*.test.{ts,tsx}'],
    setupFiles: [...(old ? ['test/react18.ts'] : []), 'test/setup.ts'],
    restoreMocks: true,
    testTimeout: 30_000,
    server: { deps: { inline: old ? [/@testing-library/, /virtua/] : [] } },
  },
});
