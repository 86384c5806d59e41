// Copyright (C) ngx_realtime contributors

/* react-dom-18 requires "react", as everything does: here that is react-18 */

import Module from 'node:module';

const modules = Module as unknown as {
  _resolveFilename: (name: string, ...rest: unknown[]) => string;
};
const resolve = modules._resolveFilename;

modules._resolveFilename = (name, ...rest) =>
  resolve(name.replace(/^react(-dom)?(?=$|\/)/, 'react$1-18'), ...rest);
