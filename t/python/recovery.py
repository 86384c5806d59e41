# Copyright (C) ngx_realtime contributors

# python3-socketio as Debian has it, which knows of no recovery: its network is
# cut, it comes back as a new socket, and goes on.
#
#   python3 recovery.py URL TOKEN USER SENDER     TOKEN is the user's, SENDER
#                                                 that of who writes to him
#
# It prints "ok NAME" or "not ok NAME: why" for each choice of transports.

import os
import queue
import socket
import sys
import threading
import urllib.parse

import socketio

URL, TOKEN, USER, SENDER = sys.argv[1:5]
CHOICES = {
    'any transport': None, 'polling': ['polling'], 'WebSocket': ['websocket']
}


# connections to the port of URL that can be cut

class Network:
    def __init__(self):
        self.open = []
        self.listen = socket.create_server(('127.0.0.1', 0))
        self.url = 'http://127.0.0.1:%d' % self.listen.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        to = urllib.parse.urlparse(URL)
        while True:
            near = self.listen.accept()[0]
            far = socket.create_connection((to.hostname, to.port))
            self.open += [near, far]
            for ends in (near, far), (far, near):
                threading.Thread(target=self.pipe, args=ends,
                                 daemon=True).start()

    def pipe(self, source, to):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                to.sendall(data)
        except OSError:
            pass
        for end in source, to:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        for end in self.open:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.open = []


def client(url, token, transports, got):
    sio = socketio.Client(reconnection_delay=0.05, randomization_factor=0)
    sio.on('connected', lambda c, *offset: got.put(('id', c['socketId'])))
    sio.on('message', lambda m, *offset: got.put(('message', m['content'])))
    sio.connect(url, socketio_path='/relay/', transports=transports,
                auth={'token': token})
    return sio


def expect(got, kind):
    value = got.get(timeout=10)
    if value[0] != kind:
        raise Exception('%r instead of %s' % (value, kind))
    return value[1]


def anew(transports):
    network = Network()
    got = queue.Queue()
    sio = client(network.url, TOKEN, transports, got)
    sender = client(URL, SENDER, ['websocket'], queue.Queue())
    lost = threading.Event()
    sio.on('disconnect', lost.set)
    ids = {expect(got, 'id')}

    for n in range(4):
        text = 'text %d' % n
        sender.call('message', {'recipientId': USER, 'message': text,
                                'conversationId': 'c'}, timeout=8)
        if expect(got, 'message') != text:
            raise Exception('not ' + text)
        if n < 3:
            lost.clear()
            while not lost.wait(0.1):
                network.cut()
            ids.add(expect(got, 'id'))

    if len(ids) != 4:
        raise Exception('the ids: %r' % ids)

    sio.disconnect()
    sender.disconnect()


for choice, transports in CHOICES.items():
    try:
        anew(transports)
        print('ok', choice, flush=True)
    except Exception as e:
        print('not ok %s: %r' % (choice, e), flush=True)

# its threads may try to come back for ever

os._exit(0)
