'use strict';

/*
 * RealtimeService of the package, told what to do in lines of JSON.
 *
 *   node service.js FILE OPTIONS
 *
 * FILE is the package's server.js, OPTIONS are those of the constructor.  It
 * reads [method, argument, ...] and prints {"result": ...} or
 * {"error": code, "status": status}.
 */

const { createInterface } = require('node:readline');

const [file, options] = process.argv.slice(2);

function print(value) {
  process.stdout.write(JSON.stringify(value) + '\n');
}

import(file).then(({ RealtimeService }) => {
  const service = new RealtimeService(JSON.parse(options));

  createInterface({ input: process.stdin }).on('line', async (line) => {
    const [method, ...args] = JSON.parse(line);

    try {
      print({ result: (await service[method](...args)) ?? null });
    } catch (error) {
      print({ error: error.code ?? error.message, status: error.status });
    }
  }).on('close', () => process.exit(0));
});
