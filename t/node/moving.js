'use strict';

/*
 * Many stock clients that begin with polling and move to a WebSocket, and do
 * not come back by themselves.
 *
 *   node moving.js URL NUMBER
 *
 * It reads {"token": t}: all of them connect with it, and "end": they are
 * closed.  It prints {"connect": n}, {"disconnect": n, "reason": why},
 * {"refused": n}, and {"ended": true}.
 */

const { createInterface } = require('node:readline');
const { io } = require('socket.io-client');

const [url, number] = process.argv.slice(2);

let sockets = [];

function print(value) {
  process.stdout.write(JSON.stringify(value) + '\n');
}

function open(token, n) {
  const socket = io(url, { auth: { token }, forceNew: true,
                           reconnection: false });

  socket.on('connect', () => print({ connect: n }));
  socket.on('disconnect', (reason) => print({ disconnect: n, reason }));
  socket.on('connect_error', () => print({ refused: n }));

  return socket;
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line);

  if (command.token) {
    sockets = Array.from({ length: number }, (_, n) => open(command.token, n));
    return;
  }

  for (const socket of sockets) {
    socket.off();
    socket.disconnect();
  }

  print({ ended: true });
}).on('close', () => process.exit(0));
