# Copyright (C) ngx_realtime contributors

# python3-socketio as Debian has it: both of its clients, the one with threads
# and the one with asyncio, over each choice of transports.
#
#   python3 client.py URL        an echo=socketio at /sio/
#
# It prints "ok NAME" or "not ok NAME: why" for each.

import asyncio
import queue
import sys

import socketio

URL = sys.argv[1]
CHOICES = {
    'any transport': None, 'polling': ['polling'], 'WebSocket': ['websocket']
}
ARGS = ('text', {'a': [1, None, 2.5]}, b'\x01\x02\x03', b'x' * 70000)


def same(got, expected, what):
    if tuple(got) != tuple(expected):
        raise Exception('%s: %.200r' % (what, got))


def threads(transports):
    got = queue.Queue()
    sio = socketio.Client(reconnection_delay=0.1, randomization_factor=0)

    for name in '/', '/custom':
        sio.on('auth', lambda auth, name=name: got.put((name, auth)), name)
        sio.on('message-back', lambda *a, name=name: got.put((name, *a)), name)

    sio.connect(URL, socketio_path='/sio/', transports=transports,
                auth={'token': 't'}, namespaces=['/', '/custom'])

    auths = sorted([got.get(timeout=8), got.get(timeout=8)])
    same(auths, [('/', {'token': 't'}), ('/custom', {'token': 't'})], 'auth')

    for name in '/', '/custom':
        sio.emit('message', ARGS, namespace=name)
        same(got.get(timeout=8), (name, *ARGS), 'message-back')
        same(sio.call('message-with-ack', ARGS, namespace=name, timeout=8),
             ARGS, 'ack')

    sio.disconnect()
    sio.wait()


async def asynchronous(transports):
    got = asyncio.Queue()
    sio = socketio.AsyncClient()

    async def back(*args):
        await got.put(args)

    sio.on('message-back', back)
    await sio.connect(URL, socketio_path='/sio/', transports=transports)
    await sio.emit('message', ARGS)
    same(await asyncio.wait_for(got.get(), 8), ARGS, 'message-back')
    same(await sio.call('message-with-ack', ARGS, timeout=8), ARGS, 'ack')
    await sio.disconnect()


def verdict(name, work):
    try:
        work()
        print('ok', name, flush=True)
    except Exception as e:
        print('not ok %s: %r' % (name, e), flush=True)


for choice, transports in CHOICES.items():
    verdict('threads, ' + choice, lambda: threads(transports))
    verdict('asyncio, ' + choice,
            lambda: asyncio.run(asynchronous(transports)))
