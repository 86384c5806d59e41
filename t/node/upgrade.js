'use strict';

/*
 * Stock clients that begin with polling and upgrade to WebSocket, one after
 * the other, while messages are sent to them without a pause.
 *
 *   node upgrade.js URL TOKENS ROUNDS
 *
 * TOKENS is a JSON object: sender, and receivers in a list of [id, token].
 * Each round connects a new client as the next receiver; the sender sends it
 * numbered messages all the time, by "message" in relay mode.  It prints per
 * round {"round": n, "transport": ..., "upgraded": ms, "got": k, "wrong": ...}
 */

const { io } = require('socket.io-client');

const [url, tokens, rounds] = process.argv.slice(2);
const { sender, receivers } = JSON.parse(tokens);

const send = io(url, {
  auth: { token: sender }, transports: ['websocket'], forceNew: true,
});

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));


async function round(n) {
  const [id, token] = receivers[n % receivers.length];
  const client = io(url, { auth: { token }, forceNew: true });

  let next = null;
  let got = 0;
  let upgraded = null;
  let wrong = null;
  let last = -1;

  client.on('message', (m) => {
    const i = Number(m.message);

    if (next !== null && i !== next) {
      wrong ??= `${i} instead of ${next}`;
    }

    next = i + 1;
    last = i;
    got++;
  });

  await new Promise((resolve, reject) => {
    client.on('connected', resolve);
    client.on('connect_error', reject);
    setTimeout(() => reject(new Error('no connection')), 10000).unref();
  });

  const start = Date.now();

  if (client.io.engine.transport.name === 'websocket') {
    upgraded = 0;
  }

  client.io.engine.on('upgrade', () => { upgraded = Date.now() - start; });

  let i = 0;
  let running = true;

  const pump = (async () => {
    while (running) {
      for (let k = 0; k < 3; k++) {
        send.emit('message',
          { recipientId: id, message: String(i++), conversationId: 'c' });
      }

      await sleep(1);
    }
  })();

  const end = Date.now() + 5000;

  while (upgraded === null && Date.now() < end) {
    await sleep(2);
  }

  await sleep(20);
  running = false;
  await pump;

  /* the rest is on its way */

  for (let k = 0; k < 250 && last !== i - 1; k++) {
    await sleep(20);
  }

  if (got !== i) {
    wrong ??= `${got} of ${i}`;
  }

  const transport = client.io.engine.transport.name;

  client.disconnect();

  return { round: n, transport, upgraded, got, wrong };
}


send.on('connected', async () => {
  for (let n = 0; n < Number(rounds); n++) {
    console.log(JSON.stringify(await round(n)));
  }

  process.exit(0);
});

send.on('connect_error', (error) => {
  console.log(JSON.stringify({ error: error.message }));
  process.exit(1);
});
