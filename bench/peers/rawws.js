/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The ws library without Socket.IO, in the protocol of floor.c:
 * node rawws.js PORT.  GET /NNNNNNNN names a connection, "NNNNNNNN" before
 * a message the receivers.
 */

'use strict';

const { WebSocketServer } = require('ws');

const names = new Map();
const server = new WebSocketServer({
    host: '127.0.0.1',
    port: Number(process.argv[2]),
    perMessageDeflate: false,
});

server.on('connection', (socket, request) => {
    const name = request.url.slice(1);
    const own = names.get(name) || new Set();

    own.add(socket);
    names.set(name, own);

    socket.on('message', (data) => {
        const payload = data.toString('latin1', 8);

        for (const to of names.get(data.toString('latin1', 0, 8)) || []) {
            to.send(payload);
        }
    });

    socket.on('close', () => {
        own.delete(socket);

        if (own.size === 0) {
            names.delete(name);
        }
    });
});
