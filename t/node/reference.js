'use strict';

/*
 * The reference servers, with what the public conformance suites ask for.
 *
 *   node reference.js engine | socketio [OPTIONS]
 *
 * OPTIONS are a JSON object, of engine.io.  It prints {"port": n}, and ends
 * with its standard input.
 */

const http = require('node:http');
const { Server: Engine } = require('engine.io');
const { Server: SocketIo } = require('socket.io');

const server = http.createServer((req, res) => {
  res.writeHead(404).end();
});

const options = {
  pingInterval: 300, pingTimeout: 200, maxHttpBufferSize: 1e6,
  ...JSON.parse(process.argv[3] ?? '{}'),
};


function engine() {
  const io = new Engine(options);

  io.attach(server, { path: '/engine/' });

  io.on('connection', (socket) => {
    socket.on('data', (data) => socket.send(data));
  });
}


function socketio() {
  const io = new SocketIo(server, {
    ...options, path: '/socketio/', connectTimeout: 1000,
  });

  const serve = (socket) => {
    socket.emit('auth', socket.handshake.auth);
    socket.on('message', (...args) => socket.emit('message-back', ...args));
    socket.on('message-with-ack', (...args) => args.pop()(...args));
  };

  /* an event without the ack that it promises is not worth a crash */
  process.on('uncaughtException', () => {});

  io.on('connection', serve);
  io.of('/custom').on('connection', serve);
}


({ engine, socketio })[process.argv[2]]();

server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: server.address().port }));
});

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
