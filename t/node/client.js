'use strict';

/*
 * The stock socket.io-client, told what to do in lines of JSON.
 *
 *   node client.js URL [OPTIONS [PACKAGE]]
 *
 * OPTIONS are those of io(), as JSON; PACKAGE is "socket.io-client" or one
 * of the older ones in package.json.
 *
 * It reads   {"emit": [event, ...]}    {"ask": [event, ...]}
 *            {"do": "connect" | "disconnect" | "drop" | "exit"}
 * It prints  {"event": name, "args": [...]} for what the server sends,
 *            {"ack": [...]}, {"timeout": true},
 *            {"connect": sid, "recovered": true if it was},
 *            {"connect_error": message, "data": ...}, {"disconnect": reason}
 */

const { createInterface } = require('node:readline');

const [url, options = '{}', name = 'socket.io-client'] =
  process.argv.slice(2);
const client = require(name);
const io = client.io ?? client;

const socket = io(url, {
  transports: ['websocket'],
  reconnectionDelay: 50,
  reconnectionDelayMax: 200,
  ...JSON.parse(options),
});


function print(value) {
  process.stdout.write(JSON.stringify(value) + '\n');
}


/* an ack within five seconds; timeout() is not in the older clients */

function ask(args) {
  const timer = setTimeout(() => print({ timeout: true }), 5000);

  socket.emit(...args, (...answer) => {
    clearTimeout(timer);
    print({ ack: answer });
  });
}


const verbs = {
  connect: () => socket.connect(),
  disconnect: () => socket.disconnect(),

  /* what a lost network looks like */
  drop: () => socket.io.engine.close(),

  exit: () => process.exit(0),
};


socket.on('connect', () => {
  print({ connect: socket.id, ...(socket.recovered && { recovered: true }) });
});
socket.on('disconnect', (reason) => print({ disconnect: reason }));
socket.on('connect_error', (error) => {
  print({ connect_error: error.message, data: error.data });
});
socket.onAny((event, ...args) => print({ event, args }));

createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line);

  if (command.emit) {
    socket.emit(...command.emit);
  } else if (command.ask) {
    ask(command.ask);
  } else {
    verbs[command.do]();
  }
}).on('close', verbs.exit);
