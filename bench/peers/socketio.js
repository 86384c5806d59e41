/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The peer: Socket.IO with its ws engine, doing what a relay needs and no
 * more.  node socketio.js PORT KEYFILE [WORKERS [polling]]
 *
 * The key is a KeyObject: jsonwebtoken tries to parse a plain string as a
 * PEM on each verify, which would double the price of a connection.
 */

'use strict';

const cluster = require('node:cluster');
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');

const jwt = require('jsonwebtoken');
const { Server } = require('socket.io');
const adapter = require('@socket.io/cluster-adapter');

const [port, keyFile, workers, polling] = process.argv.slice(2);


function serve() {
    const key = crypto.createSecretKey(fs.readFileSync(keyFile));
    const server = http.createServer((request, response) => {
        response.end('ok');                     // "/plain"
    });

    const io = new Server(server, {
        transports: polling ? ['polling', 'websocket'] : ['websocket'],
    });

    if (cluster.isWorker) {
        io.adapter(adapter.createAdapter());
    }

    io.use((socket, next) => {
        const header = socket.handshake.headers.authorization || '';

        try {
            const claims = jwt.verify(header.slice('Bearer '.length), key,
                                      { algorithms: ['HS256'] });
            socket.data.user = claims.id;
            next();

        } catch (err) {
            next(new Error('Authentication error: ' + err.message));
        }
    });

    io.on('connection', (socket) => {
        const user = socket.data.user;

        socket.join('user:' + user);

        socket.on('message', (m, ack) => {
            io.to('user:' + m.recipientId).emit('message', {
                senderId: user,
                message: m.message,
                conversationId: m.conversationId,
                timestamp: new Date().toISOString(),
            });

            if (ack) {
                ack({ status: 'success' });
            }
        });

        socket.emit('connected', {
            socketId: socket.id,
            userId: user,
            timestamp: new Date().toISOString(),
        });
    });

    server.listen(Number(port), '127.0.0.1');
}


if (Number(workers) > 1 && cluster.isPrimary) {
    adapter.setupPrimary();

    for (let i = 0; i < Number(workers); i++) {
        cluster.fork();
    }

} else {
    serve();
}
