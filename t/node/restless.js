'use strict';

/*
 * Clients that talk to each other without a pause and lose their connections
 * all the time: see t/recovery_stress.t.
 *
 *   node restless.js URL TOKENS SECONDS
 *
 * TOKENS is the name of a file with a JSON array of [user, token], one for
 * each client; a user may be in it more than once.  It prints
 *
 *   {"connected": n}     once, when all are there
 *   {"result": {...}}    at the end: counts, and what was wrong, in words
 */

const { readFileSync } = require('node:fs');
const { Raw } = require('./raw.js');

const [url, tokens, seconds] = process.argv.slice(2);
const people = JSON.parse(readFileSync(tokens, 'utf8'));

const kinds = ['websocket', 'websocket', 'polling', 'upgrade'];
const drops = ['hard', 'hard', 'silent', 'goodbye', 'moving'];
const hot = 6;                          // this many users get 40 % of it
const flying = 3;                       // messages without an ack, each

const acked = new Map();                // "from to" => numbers
const wrong = [];
const counts = {
  sent: 0, acked: 0, got: 0, recovered: 0, refused: 0, failed: 0, twice: 0,
};
const closes = {};

let sending = true;


function bad(text) {
  if (wrong.length < 20) {
    wrong.push(text);
  }
}


function random(n) {
  return Math.floor(Math.random() * n);
}


class Client {

  constructor(id, user, token) {
    Object.assign(this, { id, user, token });

    this.epoch = 0;                     // connections so far
    this.asked = new Map();             // ack id => [to, number]
    this.ack = 0;
    this.sid = null;
    this.connects = 0;
    this.refused = 0;
    this.heard = new Map();             // "name from to" => list, set
    this.connect();
  }


  connect(kind = kinds[random(kinds.length)]) {
    this.epoch++;
    this.up = false;
    this.asked.clear();

    const raw = new Raw(url, kind, {
      packet: (text) => raw === this.raw && this.packet(text),
      closed: (why) => {
        closes[why] = (closes[why] ?? 0) + 1;

        if (raw === this.raw) {
          this.again(20 + random(100));
        }
      },

      /* at the worst moment */
      moved: () => raw === this.raw && this.dropAtMove && this.drop('lost'),
    });

    this.raw = raw;
  }


  again(ms, kind) {
    this.dropAtMove = false;
    this.raw = null;
    this.up = false;
    setTimeout(() => this.connect(kind), ms);
  }


  packet(text) {
    if (text[0] === '0') {
      this.raw.send('40' + JSON.stringify({
        token: this.token,
        ...(this.pid && { pid: this.pid }),
        ...(this.offset && { offset: this.offset }),
      }));

    } else if (text.startsWith('40{')) {
      this.connected(JSON.parse(text.slice(2)));

    } else if (text.startsWith('42[')) {
      this.event(JSON.parse(text.slice(2)));

    } else if (text.startsWith('43')) {
      this.answered(text);

    } else {
      bad(`client ${this.id}: ${text}`);
    }
  }


  connected({ sid, pid }) {
    this.connects++;
    this.up = true;

    if (this.pid) {
      if (pid === this.pid && sid === this.sid) {
        counts.recovered++;
      } else {
        counts.refused++;
        this.refused++;
        delete this.offset;
      }
    }

    this.sid = sid;
    this.pid = pid;
  }


  event([name, data, offset]) {
    if (typeof offset !== 'string') {
      bad(`client ${this.id}: "${name}" without an offset`);
    }

    this.offset = offset;

    if (name === 'connected') {
      return;
    }

    const [from, epoch, to, number] = data.content.split(' ');
    const key = `${name} ${from} ${to}`;

    if (!this.heard.has(key)) {
      this.heard.set(key, { list: [], set: new Set(), epochs: new Map() });
    }

    const h = this.heard.get(key);
    const n = Number(number);

    counts.got++;

    if (name === 'message' ? to !== this.user
        : clients[from].user !== this.user || clients[from] === this) {
      bad(`client ${this.id}: ${key} is somebody else's`);
    }

    if (h.set.has(n)) {
      counts.twice++;
      bad(`client ${this.id}: ${key} ${n} came twice`);
    }

    if (n <= (h.epochs.get(epoch) ?? -1)) {
      bad(`client ${this.id}: ${key} ${n} after ${h.epochs.get(epoch)}`);
    }

    h.set.add(n);
    h.list.push(n);
    h.epochs.set(epoch, n);
  }


  /* numbers of a client to a user go up, and are never used again */

  say() {
    if (!this.up || this.asked.size >= flying) {
      return;
    }

    const users = random(10) < 4 ? hot : people.length;
    const to = people[random(users)][0];
    const id = this.ack++;

    this.said ??= new Map();
    const number = this.said.get(to) ?? 0;
    this.said.set(to, number + 1);

    this.asked.set(id, [to, number]);
    counts.sent++;

    this.raw.send(`42${id}` + JSON.stringify(['message', {
      recipientId: to, conversationId: 'c',
      message: `${this.id} ${this.epoch} ${to} ${number}`,
    }]));
  }


  answered(text) {
    const [, id, json] = text.match(/^43(\d+)(\[.*)/s);
    const asked = this.asked.get(Number(id));

    if (!asked) {
      bad(`client ${this.id}: an ack of another connection`);
      return;
    }

    this.asked.delete(Number(id));

    if (JSON.parse(json)[0].status !== 'success') {
      bad(`client ${this.id}: ${json}`);
      return;
    }

    const key = `${this.id} ${asked[0]}`;

    acked.set(key, [...(acked.get(key) ?? []), asked[1]]);
    counts.acked++;
  }


  /* the network is gone, or the client leaves; it comes back at once, or not
     so soon */

  drop(how = drops[random(drops.length)]) {
    const { raw } = this;

    if (!raw || !this.up) {
      return;
    }

    counts[how] = (counts[how] ?? 0) + 1;

    if (how === 'moving') {
      raw.abandon();
      this.again(0, 'upgrade');
      this.dropAtMove = true;
      return;
    }

    raw.abandon(how);

    if (how === 'silent') {
      setTimeout(() => raw.abandon(), 1000 + random(3000));
    }

    this.again(how === 'lost' || random(2) ? 0 : random(400));
  }


  complete() {
    return this.up && this.asked.size === 0 && this.missing().length === 0;
  }


  /* who was told so has to refetch */

  missing() {
    const missing = [];

    if (this.refused) {
      return missing;
    }

    for (const [key, numbers] of acked) {
      const [from, to] = key.split(' ');
      const names = [];

      if (to === this.user) {
        names.push('message');
      }

      if (clients[from].user === this.user && clients[from] !== this) {
        names.push('message_sent');
      }

      for (const name of names) {
        const h = this.heard.get(`${name} ${key}`);

        for (const n of numbers) {
          if (!h?.set.has(n)) {
            missing.push(`client ${this.id}: ${name} ${key} ${n} is missing`);
          }
        }
      }
    }

    return missing;
  }


  /* what was acknowledged came in the order of the acks */

  order() {
    for (const [key, h] of this.heard) {
      const numbers = new Set(acked.get(key.split(' ').slice(1).join(' ')));
      let last = -1;

      for (const n of h.list.filter((x) => numbers.has(x))) {
        if (n < last) {
          bad(`client ${this.id}: ${key} ${n} after ${last}, another `
              + 'connection');
        }

        last = n;
      }
    }
  }
}


const clients = [];
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));


async function until(done, ms) {
  const end = Date.now() + ms;

  while (!done() && Date.now() < end) {
    await sleep(50);
  }
}


async function main() {
  for (const [user, token] of people) {
    clients.push(new Client(clients.length, user, token));
  }

  await until(() => clients.every((c) => c.up), 20000);
  console.log(JSON.stringify({
    connected: clients.filter((c) => c.up).length,
  }));

  const timers = clients.map((c) => setInterval(() => {
    if (sending) {
      c.say();
    }

    if (sending && random(60) === 0) {
      c.drop();
    }
  }, 50));

  await sleep(seconds * 1000);

  sending = false;
  await until(() => clients.every((c) => c.complete()), 20000);
  timers.forEach(clearInterval);

  /* now: one may be drained, and come back, while the rest is waited for */
  counts.failed = clients.filter((c) => !c.complete()).length;

  /* nothing more may come */
  await sleep(1000);

  for (const c of clients) {
    c.missing().forEach(bad);
    c.order();
  }

  console.log(JSON.stringify({ result: { ...counts, closes, wrong } }));
  process.exit(0);
}


main();
