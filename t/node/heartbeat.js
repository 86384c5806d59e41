'use strict';

/*
 * Many clients of Engine.IO at once.
 *
 *   node heartbeat.js answer | mute URL PATH COUNT PINGS
 *
 * COUNT clients for each transport.  Those that answer are engine.io-clients,
 * which close by themselves when a ping is late, and stay for PINGS of them.
 * Those that are mute go on until the server ends them.  It prints a line for
 * each transport:
 *
 *   {"transport", "pings": of each client, "firsts": milliseconds from open to
 *    the first ping, if it answers, "ends": {reason: how many}}
 */

const http = require('node:http');
const { Socket } = require('engine.io-client');
const WebSocket = require('ws');

const [mode, url, path, count, enough] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });


/* each of them calls ping(), and resolves with the reason of its end */

const answer = {};

for (const transport of ['polling', 'websocket']) {
  answer[transport] = (ping) => new Promise((resolve) => {
    const socket = new Socket(url, { path, transports: [transport], agent });
    let opened;

    socket.on('open', () => { opened = performance.now(); });
    socket.on('ping', () => {
      if (ping(opened) === Number(enough)) {
        resolve('enough');
        socket.close();
      }
    });
    socket.on('close', resolve);
  });
}


function get(query) {
  return new Promise((resolve, reject) => {
    http.get(`${url}${path}?EIO=4&${query}`, { agent }, (res) => {
      let text = '';

      res.setEncoding('utf8');
      res.on('data', (part) => { text += part; });
      res.on('end', () => resolve(text));
    }).on('error', reject);
  });
}


const mute = {
  websocket: (ping) => new Promise((resolve) => {
    const ws = new WebSocket(`${url.replace('http', 'ws')}${path}?EIO=4`
                             + '&transport=websocket');

    ws.on('message', (data) => { if (`${data}` === '2') ping(); });
    ws.on('close', (code) => resolve(`close ${code}`));
  }),

  polling: async (ping) => {
    const { sid } = JSON.parse((await get('transport=polling')).slice(1));

    for (;;) {
      const text = await get(`transport=polling&sid=${sid}`);

      if (text !== '2') return text;

      ping();
    }
  },
};


async function all(transport) {
  const clients = Array.from({ length: count }, async () => {
    const client = { pings: 0, first: null };

    client.end = await ({ answer, mute })[mode][transport]((opened) => {
      client.first ??= Math.round(performance.now() - opened);
      return ++client.pings;
    });

    return client;
  });

  const report = { transport, pings: [], firsts: [], ends: {} };

  for (const client of await Promise.all(clients)) {
    report.pings.push(client.pings);
    report.firsts.push(client.first);
    report.ends[client.end] = (report.ends[client.end] ?? 0) + 1;
  }

  console.log(JSON.stringify(report));
}


/* those that have had enough still have to say so */

Promise.all(['polling', 'websocket'].map(all))
  .then(() => setTimeout(() => process.exit(0), 500));
