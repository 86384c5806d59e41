#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Clients as people have them: socket.io-client 4.8, 4.0 and 3.1,
# engine.io-client, and python3-socketio, over polling, over WebSocket, and
# from one to the other; in base64 where they are asked to.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $python = '/usr/bin/python3';

for my $workers (1, 4) {
    my $t = Test::Realtime->new(workers => $workers,
                                server => <<'EOT')->start;
        listen 127.0.0.1:%%PORT2%% reuseport;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /sio/ {
            realtime_socket echo=socketio;
            realtime_namespaces /custom;
        }

        location /eio/ {
            realtime_socket echo=engine;
        }

        location /status {
            realtime_status json;
        }
EOT

    my $url = 'http://127.0.0.1:' . $t->port2;
    my $node = $t->node('clients.js', $url);
    my $n = 0;

    while (defined(my $line = $node->line(30))) {
        is($line->{verdict}, 'ok', "$workers workers: $line->{client}");
        $n++;
    }

    is($n, 20, 'twenty clients');

    SKIP: {
        skip 'no python3-socketio', 1
            if system("$python -c 'import socketio, requests, websocket,"
                      . " aiohttp' 2>/dev/null");

        my @lines = split /\n/, qx($python t/python/client.py $url 2>/dev/null);

        is_deeply([map { s/^ok //r } @lines],
                  [map { ("threads, $_", "asyncio, $_") }
                       'any transport', 'polling', 'WebSocket'],
                  "$workers workers: python3-socketio");
    }

    # a client whose process ends before it has said so is found out by a ping

    ok(Test::Realtime::wait_for(60, sub {
        my $s = $t->get('/status')->{json};
        $s->{connections} == 0 && $s->{sockets} == 0;
    }), 'no session is left');
}

done_testing();
