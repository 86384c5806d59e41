#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Stock clients come back: socket.io-client 4.8 as the same socket, with all
# that it missed, over each transport and in the middle of an upgrade; those
# that do not know of recovery as a new one.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => $ENV{TEST_WORKERS} // 4, database => 1,
                            server => <<'EOT')->start;
        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_namespaces /admin;
        realtime_ping_interval 1s;
        realtime_ping_timeout 1s;

        location /relay/ {
            realtime_socket;
            realtime_chat;
            realtime_message_relay on;
        }

        location /chat/ {
            realtime_socket;
            realtime_chat;
        }

        location /api/chat/ {
            realtime_chat;
        }

        location /status {
            realtime_status json;
        }
EOT

my %id = map { $_ => $t->uuid($_) } qw( ann bob cat dan eve sam );

$t->sql("insert into users (id) values ('$_')") for values %id;

my $r = $t->post('/api/chat/conversations', token => $t->token($id{sam}),
                 json => { participantId => $id{eve} });

my $file = $t->file('people.json', Test::Realtime::encode({
    tokens => { map { $_ => [$id{$_}, $t->token($id{$_})] } keys %id },
    expired => $t->token($id{dan}, exp => time - 3600),
    conversation => $r->{json}{data}{id},
}));

my $node = $t->node('recovery.js', $t->url, $file);
my $n = 0;

while (defined(my $line = $node->line(60))) {
    is($line->{verdict}, 'ok', $line->{claim});
    $n++;
}

is($n, 21, 'as many claims as there are');

my @refused = map { /not recovered: ([^,]*)/ } split /\n/, $t->log;

is_deeply(\@refused, ['the pid of somebody else'],
          'one of them was to start anew');

SKIP: {
    my $python = '/usr/bin/python3';

    skip 'no python3-socketio', 1
        if system("$python -c 'import socketio, requests, websocket'"
                  . " 2>/dev/null");

    my $url = $t->url;
    my $token = $t->token($id{bob});
    my $sam = $t->token($id{sam});

    my @lines = split /\n/,
        qx($python t/python/recovery.py $url $token $id{bob} $sam 2>&1);

    is_deeply(\@lines, [map { "ok $_" } 'any transport', 'polling',
                                        'WebSocket'],
              'python3-socketio starts anew');
}

cmp_ok($t->get('/status')->{json}{recoveries}, '>', 90,
       'recoveries are counted');

done_testing();
