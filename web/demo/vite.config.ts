// Copyright (C) ngx_realtime contributors

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/* nginx serves what this makes: no inline script or style, for the CSP */

export default defineConfig({
  plugins: [react()],
  base: './',
  logLevel: 'warn',
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
