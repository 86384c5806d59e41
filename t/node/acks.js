'use strict';

/*
 * Stock clients that are asked for an ack, and a back end that asks often.
 *
 *   node acks.js URL
 *
 * It reads {"open": {"token", "number", "options", "how"}}, "options" being
 * those of io(), and prints {"connect": sid} for each, {"disconnect": sid}.
 * What they do with the callback of an event "ask" is "how":
 *
 *   answer   callback(sid, ...arguments)     late    the same, 1 s later
 *   twice    the same, two times             never   nothing
 *   binary   callback(Buffer)                leave   socket.disconnect()
 *
 * {"calls": {"path", "number", "body"}} makes so many calls at the same time
 * and prints {"status": {200: n, ...}} when all are answered, {"busy": code}
 * for the first one that is refused.  {"stream": {"url", "path", "body"}} makes
 * one over HTTP/2, and "reset" takes it back and keeps the connection.
 * {"close": true} ends all clients.
 */

const http = require('node:http');
const http2 = require('node:http2');
const { createInterface } = require('node:readline');
const { io } = require('socket.io-client');

const url = process.argv[2];

let sockets = [];
let stream;

function print(value) {
  process.stdout.write(JSON.stringify(value) + '\n');
}

const ways = {
  answer: (socket, args, callback) => callback(socket.id, ...args),
  twice: (socket, args, callback) => {
    callback(socket.id, ...args);

    /* the callback itself works once */
    socket.io.engine.write(`3${socket.asked}["twice"]`);
  },
  late: (socket, args, callback) => {
    setTimeout(() => callback(socket.id, ...args), 1000);
  },
  never: () => {},
  binary: (socket, args, callback) => callback(Buffer.from([1, 2, 3])),
  leave: (socket) => socket.disconnect(),
};

function open({ token, number, options, how }) {
  for (let i = 0; i < number; i++) {
    const socket = io(url, {
      auth: { token }, forceNew: true, reconnection: false, ...options,
    });
    const { ack } = socket;
    let sid;

    socket.ack = (id) => {
      socket.asked = id;

      return ack.call(socket, id);
    };

    socket.on('connect', () => {
      sid = socket.id;
      print({ connect: sid });
    });
    socket.on('disconnect', () => print({ disconnect: sid }));
    socket.on('ask', (...args) => {
      ways[how](socket, args.slice(0, -1), args.at(-1));
    });
    sockets.push(socket);
  }
}

function call(path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(url + path, {
      method: 'POST', agent: false,
      headers: { 'Content-Type': 'application/json' },
    }, (response) => {
      let text = '';

      response.on('data', (data) => { text += data; });
      response.on('end', () => resolve([response.statusCode, text]));
    });

    request.on('error', reject);
    request.end(JSON.stringify(body));
  });
}

async function calls({ path, number, body }) {
  const status = {};
  let refused = false;

  await Promise.all(Array.from({ length: number }, async () => {
    const [code, text] = await call(path, body);

    status[code] = (status[code] ?? 0) + 1;

    if (code !== 200 && !refused) {
      refused = true;
      print({ busy: JSON.parse(text).code });
    }
  }));

  print({ status });
}

function openStream({ url: h2, path, body }) {
  stream = http2.connect(h2).request({
    ':method': 'POST', ':path': path, 'content-type': 'application/json',
  });
  stream.on('error', () => {});
  stream.end(JSON.stringify(body));
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line);

  if (command.open) {
    open(command.open);
  } else if (command.calls) {
    calls(command.calls);
  } else if (command.stream) {
    openStream(command.stream);
  } else if (command.reset) {
    stream.close(http2.constants.NGHTTP2_CANCEL);
  } else {
    sockets.forEach((socket) => socket.off('disconnect').disconnect());
    sockets = [];
    print({ closed: true });
  }
}).on('close', () => process.exit(0));
