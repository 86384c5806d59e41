'use strict';

/*
 * The stock clients of each generation, with each choice of transports: they
 * connect, emit, are acknowledged, exchange binary data in two namespaces,
 * and come back after their transport was closed under them.
 *
 *   node clients.js URL       an echo=socketio at /sio/, echo=engine at /eio/
 *
 * It prints {"client": name, "verdict": "ok" or why not} for each.
 */

const assert = require('node:assert');
const { Socket } = require('engine.io-client');

const url = process.argv[2];

const packages = {
  '4.8': require('socket.io-client'),
  '4.0': require('socket.io-client-4.0'),
  '3.1': require('socket.io-client-3'),
};

const choices = {
  'any transport': {},
  'polling': { transports: ['polling'] },
  'WebSocket': { transports: ['websocket'] },
  'any transport, base64': { forceBase64: true },
  'WebSocket, base64': { transports: ['websocket'], forceBase64: true },
};

const binary = [Buffer.from([1, 2, 3]), Buffer.alloc(0),
                Buffer.alloc(70000, 7)];


function once(emitter, event) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event}`)), 8000);

    emitter.once(event, (...args) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
}


function ask(socket, ...args) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no ack')), 8000);

    socket.emit('message-with-ack', ...args, (...answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
  });
}


async function talk(socket) {
  const args = ['text', 4.5, { deep: [{ b: binary[0] }], none: null },
                ...binary];
  const back = once(socket, 'message-back');

  socket.emit('message', ...args);
  assert.deepStrictEqual(await back, args);
  assert.deepStrictEqual(await ask(socket, ...args), args);
  assert.deepStrictEqual(await ask(socket), []);
}


async function client(io, choice) {
  const options = {
    path: '/sio/', forceNew: true, reconnectionDelay: 50,
    auth: { token: 't' }, ...choice,
  };
  const manager = new io.Manager(url, options);
  const socket = manager.socket('/', options);
  const custom = manager.socket('/custom', options);
  const unknown = manager.socket('/unknown', options);

  const auth = once(socket, 'auth');
  const refused = once(unknown, 'connect_error');

  [socket, custom, unknown].forEach((s) => s.connected || s.connect());

  assert.deepStrictEqual(await auth, [{ token: 't' }]);
  assert.strictEqual((await refused)[0].message, 'Invalid namespace');

  /* some of it while the transport changes */

  await Promise.all([talk(socket), talk(custom)]);

  const { id } = socket;
  const gone = once(socket, 'disconnect');
  const again = once(socket, 'auth');

  manager.engine.close();
  assert.strictEqual((await gone)[0], 'forced close');
  await again;
  assert.notStrictEqual(socket.id, id);
  await Promise.all([talk(socket), talk(custom)]);

  const left = once(socket, 'disconnect');

  socket.disconnect();
  custom.disconnect();
  unknown.disconnect();
  assert.strictEqual((await left)[0], 'io client disconnect');
}


async function engine(choice) {
  const socket = new Socket(url, { path: '/eio/', ...choice });
  const got = [];

  socket.binaryType = 'nodebuffer';
  await once(socket, 'open');
  socket.on('message', (data) => got.push(data));
  socket.on('error', () => {});

  for (let i = 0; i < 300; i++) {
    socket.send(i % 3 ? `${i}` : Buffer.from(`${i}`));
    await new Promise((resolve) => setTimeout(resolve, i % 10 ? 0 : 2));
  }

  for (let i = 0; i < 400 && got.length < 300; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }

  assert.deepStrictEqual(got.map((d, i) => {
    assert.strictEqual(Buffer.isBuffer(d), i % 3 === 0, `the type of ${i}`);
    return Number(d.toString());
  }), [...Array(300).keys()]);

  const closed = once(socket, 'close');

  socket.close();
  assert.strictEqual((await closed)[0], 'forced close');

  return socket.transport.name;
}


async function verdict(client, work) {
  try {
    await work;
    console.log(JSON.stringify({ client, verdict: 'ok' }));
  } catch (error) {
    console.log(JSON.stringify({
      client, verdict: error.message.slice(0, 500),
    }));
  }
}


(async () => {
  for (const [name, choice] of Object.entries(choices)) {
    for (const [version, io] of Object.entries(packages)) {
      await verdict(`socket.io-client ${version}, ${name}`,
                    client(io, choice));
    }

    await verdict(`engine.io-client, ${name}`, engine(choice));
  }

  process.exit(0);
})();
