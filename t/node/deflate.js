'use strict';

/*
 * Clients of the npm world that compress: socket.io-client of each generation
 * and ws, each with whatever options may change what is negotiated.
 *
 *   node deflate.js URL ...     each with echo=socketio at /sio/ and
 *                               echo=engine at /eio/
 *
 * It prints {"client": name, "verdict": "ok" or why not} for each.
 */

const assert = require('node:assert');
const { randomBytes } = require('node:crypto');
const WebSocket = require('ws');

const packages = {
  '4.8': require('socket.io-client'),
  '4.0': require('socket.io-client-4.0'),
  '3.1': require('socket.io-client-3'),
};

const choices = {
  'any transport': ['polling', 'websocket'],
  'WebSocket': ['websocket'],
};

/* options of ws, and whether something is agreed on */

const offers = [
  [{}, true],
  [{ clientNoContextTakeover: true, serverNoContextTakeover: true }, true],
  [{ clientMaxWindowBits: 9 }, true],
  [{ clientMaxWindowBits: 15, serverMaxWindowBits: 15 }, true],
  [{ serverMaxWindowBits: 12 }, true],
  [{ serverMaxWindowBits: 9 }, false],
  [{ zlibDeflateOptions: { level: 9, memLevel: 9 } }, true],
  [{ zlibDeflateOptions: { level: 0 } }, true],
];

const sizes = [1, 2, 125, 126, 1023, 1024, 4096, 65535, 65536, 300000];


function once(emitter, event) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event}`)), 8000);

    emitter.once(event, (...args) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
}


/* text, what deflate makes small of it, and what it does not */

const json = (n) => JSON.stringify(Array.from({ length: n },
  (x, i) => ({ id: i, text: `größer <b>${i % 7}</b>` })));
const binary = [Buffer.alloc(0), Buffer.alloc(70000, 7), randomBytes(5000)];


async function talk(socket) {
  const args = [json(500), { deep: [{ b: binary[1] }] }, ...binary, ''];
  const back = once(socket, 'message-back');

  socket.emit('message', ...args);
  assert.deepStrictEqual(await back, args);

  const ack = await new Promise((resolve) => {
    socket.emit('message-with-ack', ...args, (...answer) => resolve(answer));
  });

  assert.deepStrictEqual(ack, args);
}


async function client({ io, url, transports }) {
  const socket = io(url, {
    path: '/sio/', forceNew: true, transports, rejectUnauthorized: false,
    perMessageDeflate: { threshold: 0 },
  });

  await once(socket, 'auth');

  const { engine } = socket.io;

  /* some of it while the transport changes */

  await talk(socket);

  while (engine.transport.name !== 'websocket') {
    await once(engine, 'upgrade');
  }

  await talk(socket);
  assert.match(engine.transport.ws.extensions, /deflate/);

  const left = once(socket, 'disconnect');

  socket.disconnect();
  await left;
}


async function echo(socket, data, isBinary) {
  const back = once(socket, 'message');

  socket.send(data, { binary: isBinary });
  assert.deepStrictEqual(await back, [data, isBinary]);
}


async function raw({ url, offer, agreed }) {
  const socket = new WebSocket(url.replace('http', 'ws')
    + '/eio/?EIO=4&transport=websocket', {
    rejectUnauthorized: false, perMessageDeflate: { threshold: 0, ...offer },
  });

  await once(socket, 'message');
  assert.strictEqual(socket.extensions !== '', agreed);

  for (const n of sizes) {
    await echo(socket, Buffer.from('4' + json(n / 40).slice(0, n - 1)), false);
    await echo(socket, Buffer.alloc(n, 'ab'), true);
    await echo(socket, randomBytes(n), true);
  }

  /* in fragments, with a ping between them */

  const text = '4' + json(300);
  const back = once(socket, 'message');
  const pong = once(socket, 'pong');

  for (let i = 0; i < 10; i++) {
    socket.send(text.slice(i * 500, (i + 1) * 500), { fin: false });
    socket.ping(String(i));
  }

  socket.send(text.slice(5000), { fin: true });

  assert.strictEqual(String(await pong), '0');
  assert.strictEqual(String((await back)[0]), text);

  /* without waiting for each other */

  const all = Array.from({ length: 200 }, (x, i) => '4' + i + json(i));
  const got = [];

  socket.on('message', (data) => got.push(String(data)));
  all.forEach((message) => socket.send(message));

  while (got.length < all.length) {
    await once(socket, 'message');
  }

  assert.deepStrictEqual(got, all);

  /* the server takes these in turns */

  got.length = 0;
  all.splice(40);
  all.forEach((x, i) => socket.send('4' + String(i).repeat(60000)));

  while (got.length < all.length) {
    await once(socket, 'message');
  }

  assert.ok(got.every((x, i) => x === '4' + String(i).repeat(60000)));

  const closed = once(socket, 'close');

  socket.close(1000);
  assert.strictEqual((await closed)[0], 1000);
}


async function run(name, test, options) {
  const verdict = await test(options).then(() => 'ok', (e) => e.stack);

  console.log(JSON.stringify({ client: name, verdict }));
}


async function main() {
  for (const url of process.argv.slice(2)) {
    const { protocol } = new URL(url);

    for (const [version, io] of Object.entries(packages)) {
      for (const [choice, transports] of Object.entries(choices)) {
        await run(`${protocol} socket.io-client ${version}, ${choice}`,
          client, { io: io.io ?? io, url, transports });
      }
    }

    for (const [offer, agreed] of offers) {
      await run(`${protocol} ws ${JSON.stringify(offer)}`, raw,
        { url, offer, agreed });
    }
  }

  process.exit(0);
}

main();
