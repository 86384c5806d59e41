'use strict';

/*
 * The stock clients lose their connections: see t/recovery_clients.t.
 *
 *   node recovery.js URL FILE
 *
 * FILE is JSON: { "tokens": { name: [id, token] }, "expired": a token of dan,
 * "conversation": of eve and sam, which are stored }.  It prints
 * {"claim": text, "verdict": "ok" or why not} for each.
 */

const assert = require('node:assert');
const { readFileSync } = require('node:fs');
const { io, Manager } = require('socket.io-client');
const { network } = require('./proxy.js');

const [url, file] = process.argv.slice(2);
const { tokens, expired, conversation } =
  JSON.parse(readFileSync(file, 'utf8'));

const older = {
  '4.0': require('socket.io-client-4.0'),
  '3.1': require('socket.io-client-3'),
};

const choices = {
  'any transport': ['polling', 'websocket'],
  'polling': ['polling'],
  'WebSocket': ['websocket'],
};

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const random = (n) => Math.floor(Math.random() * n);

let number = 0;


async function until(done, what) {
  const end = Date.now() + 10000;

  while (!done()) {
    if (Date.now() > end) {
      throw new Error(`no ${what}`);
    }

    await sleep(10);
  }
}


/* a client in a network of its own, that notes what happens to it */

async function client(name, transports, { start = io, path = '/relay/' }) {
  const proxy = await network(url);
  const socket = start(proxy.url, {
    path, transports, forceNew: true, auth: { token: tokens[name][1] },
    reconnectionDelay: 10, reconnectionDelayMax: 100,
  });
  const self = {
    socket, proxy, id: tokens[name][0], got: [], ids: [], recovered: [],
    drops: 0,
  };

  const note = (m) => self.got.push(m.content);

  socket.on('message', note);
  socket.on('message_sent', note);
  socket.on('connected', (c) => self.ids.push(c.socketId));
  socket.on('connect', () => self.recovered.push(socket.recovered));
  socket.on('disconnect', () => self.drops++);

  await until(() => self.ids.length === 1, '"connected"');

  return self;
}


async function ask(socket, name, payload) {
  const answer = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no ack')), 8000);

    socket.emit(name, payload, (value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });

  assert.strictEqual(answer.status, 'success', JSON.stringify(answer));
}


/* what they are called */

async function say(from, c, n) {
  const texts = [...Array(n)].map(() => `m${++number}`);

  for (const text of texts) {
    await ask(from.socket, 'message', {
      recipientId: c.id, message: text, conversationId: 'c',
    });
  }

  return texts;
}


async function store(from, c, n) {
  const texts = [...Array(n)].map(() => `m${++number}`);

  for (const text of texts) {
    await ask(from.socket, 'message_send', {
      conversationId: conversation, content: text, clientId: text,
    });
  }

  return texts;
}


/*
 * A client that closes in the middle of an upgrade keeps what it gets in that
 * very moment, and gets it again when it comes back: that is its own doing.
 * One that is polling may have no connection when its network goes; and one
 * that has just stopped polling, for an upgrade, does not begin again, and
 * waits for a ping that it cannot get.
 */

const drops = {
  'closes the engine': async (c) => {
    do {
      await until(() => !c.socket.io.engine.upgrading, 'end of the upgrade');
      await sleep(1);
    } while (c.socket.io.engine.upgrading);

    c.socket.io.engine.close();
  },

  'loses its network': async (c) => {
    const { drops: before } = c;

    await until(() => {
      if (c.drops > before || !c.socket.connected) {
        return true;
      }

      c.proxy.cut();
      return false;
    }, 'disconnection');
  },
};


/* each time the same socket, and in the end each message once, in order */

async function comes_back(from, c, drop, tell = say, rounds = 8) {
  const all = [];

  for (let round = 1; round <= rounds; round++) {
    all.push(...await tell(from, c, random(3)));
    await drop(c);
    all.push(...await tell(from, c, 1 + random(4)));
    await until(() => c.recovered.length > round && c.socket.connected,
                'reconnection');
  }

  all.push(...await tell(from, c, 1));
  await until(() => c.got.length >= all.length, 'more messages');
  await sleep(50);

  assert.deepStrictEqual(c.got, all);
  assert.deepStrictEqual(new Set(c.recovered.slice(1)), new Set([true]));
  assert.deepStrictEqual(new Set(c.ids), new Set([c.socket.id]));

  c.socket.disconnect();
}


/*
 * The network goes at some moment between the probe and after the move.  A
 * client that has just stopped polling waits for the ping timeout then, and
 * the server can tell of 127 events whether it got them: no more are under way.
 */

async function in_the_upgrade(from) {
  const c = await client('cat', choices['any transport'], {});
  let upgrades = 0;

  const watch = () => c.socket.io.engine.once('upgrading', () => {
    upgrades++;
    setTimeout(() => c.proxy.cut(), random(12));
  });

  c.socket.io.on('open', watch);

  const all = [];
  await drops['loses its network'](c);

  for (const end = Date.now() + 30000; upgrades < 25; ) {
    assert(Date.now() < end, `${upgrades} upgrades only`);
    all.push(...await say(from, c, 1));
    await until(() => all.length - c.got.length < 80, 'client that hears');
    await sleep(random(10));
  }

  c.socket.io.off('open', watch);
  all.push(...await say(from, c, 1));
  await until(() => c.got.length >= all.length, 'more messages');
  await sleep(50);

  assert.deepStrictEqual(c.got, all);
  assert.deepStrictEqual(new Set(c.recovered.slice(1)), new Set([true]));
  c.socket.disconnect();
}


/* both sockets of one connection */

async function namespaces(transports) {
  const proxy = await network(url);
  const auth = { token: tokens.bob[1] };
  const manager = new Manager(proxy.url, {
    path: '/relay/', transports, reconnectionDelay: 10,
  });
  const sockets = ['/', '/admin'].map((nsp) => manager.socket(nsp, { auth }));
  const ids = sockets.map(() => []);

  const c = { socket: sockets[0], proxy, drops: 0 };

  sockets.forEach((s, i) => {
    s.on('connect', () => ids[i].push([s.id, s.recovered]));
    s.connect();
  });

  c.socket.on('disconnect', () => c.drops++);

  for (let round = 1; round < 6; round++) {
    await until(() => sockets.every((s) => s.connected), 'connection');
    await drops['loses its network'](c);
  }

  await until(() => sockets.every((s) => s.connected), 'connection');

  for (const list of ids) {
    assert.deepStrictEqual(list,
      [[list[0][0], false], ...Array(5).fill([list[0][0], true])]);
  }

  assert.notStrictEqual(ids[0][0][0], ids[1][0][0]);
  sockets.forEach((s) => s.disconnect());
}


/* the sender's other socket hears what he says, also afterwards */

async function other_socket(from) {
  const c = await client('sam', choices.WebSocket, {});

  await comes_back(from, c, drops['loses its network'],
                   (who, _, n) => say(who, { id: 'nobody' }, n));
}


async function refused_token() {
  const c = await client('dan', choices.WebSocket, {});
  const errors = [];
  const { id } = c.socket;

  c.socket.on('connect_error', (e) => errors.push(e.message));
  c.socket.auth = { token: expired };
  await drops['loses its network'](c);
  await until(() => errors.length, 'refusal');
  assert.match(errors[0], /^Authentication error/);

  /* in time, with a good one */

  c.socket.auth = { token: tokens.dan[1] };
  c.socket.connect();
  await until(() => c.socket.connected, 'connection');
  assert.deepStrictEqual([c.socket.recovered, c.socket.id], [true, id]);

  /* another user's */

  c.socket.auth = { token: tokens.ann[1] };
  await drops['loses its network'](c);
  await until(() => c.recovered.length === 3, 'connection');
  assert.strictEqual(c.socket.recovered, false);
  assert.notStrictEqual(c.socket.id, id);
  c.socket.disconnect();
}


/* clients that know of no recovery: a new socket, and it works */

async function older_client(from, start, transports) {
  const c = await client('ann', transports, { start });
  const all = await say(from, c, 2);

  for (let round = 2; round < 6; round++) {
    await until(() => c.got.length >= all.length, 'more messages');
    await drops['loses its network'](c);
    await until(() => c.ids.length === round && c.socket.connected,
                'new socket');
    all.push(...await say(from, c, 2));
  }

  await until(() => c.got.length >= all.length, 'more messages');
  await sleep(50);
  assert.deepStrictEqual(c.got, all);
  assert.strictEqual(new Set(c.ids).size, 5);
  c.socket.disconnect();
}


async function verdict(claim, work) {
  let text = 'ok';

  try {
    await work();
  } catch (error) {
    text = error.message.slice(0, 1000);
  }

  console.log(JSON.stringify({ claim, verdict: text }));
}


(async () => {
  const from = await client('sam', choices.WebSocket, {});
  const stored = await client('sam', choices.WebSocket, { path: '/chat/' });

  for (const [choice, transports] of Object.entries(choices)) {
    for (const [how, drop] of Object.entries(drops)) {
      await verdict(`4.8, ${choice}, ${how}`, async () => {
        await comes_back(from, await client('ann', transports, {}), drop);
      });
    }

    await verdict(`stored messages, ${choice}`, async () => {
      await comes_back(stored,
                       await client('eve', transports, { path: '/chat/' }),
                       drops['loses its network'], store);
    });

    await verdict(`two namespaces, ${choice}`, () => namespaces(transports));

    for (const [version, { io: start }] of Object.entries(older)) {
      await verdict(`${version}, ${choice}`,
                    () => older_client(from, start, transports));
    }
  }

  await verdict('in the middle of an upgrade', () => in_the_upgrade(from));
  await verdict("the sender's other socket", () => other_socket(from));
  await verdict('a token that is refused', refused_token);

  process.exit(0);
})();
