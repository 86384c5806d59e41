'use strict';

/*
 * What the conformance scripts share: requests that each take a connection
 * of their own, a WebSocket that is read message by message, and run(), which
 * prints a line per case: {"case": name, "verdict": "ok" or why not}.
 *
 *   node SCRIPT URL [URL] [CASE ...]     all cases, or these
 */

const assert = require('node:assert');
const http = require('node:http');
const { WebSocket } = require('ws');

const [url, ...more] = process.argv.slice(2);
const chosen = more.filter((name) => !name.startsWith('http:'));

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));


function request(method, query, { body, headers, signal } = {}) {
  return new Promise((resolve, reject) => {
    const req = http.request(`${url}?${query}`, {
      method, signal, agent: false,
      headers: {
        ...(body === undefined ? {} : { 'content-length':
                                        Buffer.byteLength(body) }),
        ...headers,
      },
    }, (res) => {
      const chunks = [];

      res.on('data', (chunk) => chunks.push(chunk));
      res.on('error', reject);
      res.on('end', () => resolve({
        status: res.statusCode,
        headers: res.headers,
        body: Buffer.concat(chunks).toString(),
      }));
    });

    req.setTimeout(5000, () => req.destroy(new Error('no response')));
    req.on('error', reject);
    req.end(body);
  });
}


/* next() gives a string, a Buffer, or { closed: code } */

class Socket {
  constructor(query) {
    this.queue = [];
    this.waiting = [];
    this.ws = new WebSocket(`${url.replace('http', 'ws')}?${query}`,
                            { perMessageDeflate: false });

    this.ws.on('message', (data, binary) => {
      this.push(binary ? data : data.toString());
    });
    this.ws.on('error', () => {});
    this.ws.on('close', (code) => this.push({ closed: code }));
    this.opened = new Promise((resolve) => {
      this.ws.on('open', () => resolve(true));
      this.ws.on('close', () => resolve(false));
    });
  }

  push(value) {
    const resolve = this.waiting.shift();

    if (resolve) {
      resolve(value);
    } else {
      this.queue.push(value);
    }
  }

  next(timeout = 3000) {
    if (this.queue.length) {
      return Promise.resolve(this.queue.shift());
    }

    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting = this.waiting.filter((w) => w !== done);
        reject(new Error('nothing came'));
      }, timeout);

      const done = (value) => {
        clearTimeout(timer);
        resolve(value);
      };

      this.waiting.push(done);
    });
  }

  message(timeout) { return message(this, timeout); }

  send(data) { this.ws.send(data); }
  end() { this.ws.terminate(); }
}


/* the next one that is no ping; those are answered */

async function message(client, timeout) {
  for ( ; ; ) {
    const value = await client.next(timeout);

    if (value === '2') {
      client.send('3');

    } else if (value !== '6') {
      return value;
    }
  }
}


function open(body) {
  assert.strictEqual(body[0], '0');
  return JSON.parse(body.slice(1));
}


const polling = 'EIO=4&transport=polling';
const websocket = 'EIO=4&transport=websocket';


async function pollingSession() {
  const res = await request('GET', polling);

  assert.strictEqual(res.status, 200);

  return `${polling}&sid=${open(res.body).sid}`;
}


async function websocketSession() {
  const socket = new Socket(websocket);

  open(await socket.next());

  return socket;
}


async function upgrade(session) {
  const socket = new Socket(session.replace('polling', 'websocket'));

  assert.ok(await socket.opened);
  socket.send('2probe');
  assert.strictEqual(await socket.next(), '3probe');
  socket.send('5');

  return socket;
}


/*
 * One after the other, but for those that mostly wait.  A verdict is "ok", or
 * what the case says it has seen, or how it failed.
 */

async function run(cases) {
  const late = async () => {
    await sleep(10000);
    throw new Error('no end');
  };

  const one = async (name) => {
    let verdict;

    try {
      verdict = await Promise.race([cases[name](), late()]) ?? 'ok';
    } catch (error) {
      verdict = error.message.split('\n').slice(0, 8).join(' ');
    }

    console.log(JSON.stringify({ case: name, verdict }));
  };

  const names = chosen.length ? chosen : Object.keys(cases);
  const workers = [1, 2, 3, 4].map(async () => {
    while (names.length) {
      await one(names.shift());
    }
  });

  await Promise.all(workers);
  process.exit(0);
}


module.exports = {
  assert, sleep, request, message, Socket, open, polling, websocket,
  pollingSession, websocketSession, upgrade, run,
};
