#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# How a session ends by itself: no pong, no CONNECT, an expired token, a client
# that does not read.

use strict;
use warnings;

use Socket qw( SOL_SOCKET SO_RCVBUF );
use Test::More;
use Time::HiRes qw( sleep time );

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(server => <<'EOT');
        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_jwt_require leeway=1s;
        realtime_message_relay on;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
            realtime_connect_timeout 400ms;
            realtime_send_limit 256k;
        }

        location /pings/ {
            realtime_socket;
            realtime_chat;
            realtime_ping_interval 300ms;
            realtime_ping_timeout 200ms;
        }

        location /status {
            realtime_status json;
        }
EOT

$t->start;


my $pings = '/pings/?EIO=4&transport=websocket';

sub status { $t->get('/status')->{json} }


# heartbeat: a client that answers lives, one that does not ends

my $alive = $t->connect('alive', path => $pings);

is($alive->open->{pingInterval}, 300, 'the interval is in the handshake');
is($alive->open->{pingTimeout}, 200, 'and the timeout');

my $ws = $t->ws(path => $pings, headers => { Authorization => 'Bearer ' . $t->token('mute') });
$ws->send('40');

my ($start, $n, $end) = (time, 0, undef);

while (my $f = $ws->recv(3)) {
    if ($f->{eof} || $f->{opcode} == 8) {
        $end = time - $start;
        last;
    }

    $n++ if $f->{payload} eq '2';
    $alive->packet(0);
}

is($n, 1, 'one ping, and no second without an answer');
cmp_ok($end, '>', 0.35, 'the end comes after interval and timeout, nearly');
cmp_ok($end, '<', 1.5, 'and not much later');
is(status()->{ping_timeouts}, 1, 'it is counted');

my $until = time + 1.5;

while (time < $until) {
    $alive->packet(0.05);
}

is($alive->ask('message', { recipientId => 'x', message => 'y',
                            conversationId => 'c' })->{status}, 'success',
   'the one that answers lives on');

$alive->close;

my $calm = $t->connect('calm');


# a session without CONNECT

$ws = $t->ws;
$ws->recv;
$start = time;

my $f = $ws->recv(3);

ok($f->{eof} || $f->{opcode} == 8, 'no CONNECT ends a session');
cmp_ok(time - $start, '<', 1.5, 'at realtime_connect_timeout');
is(status()->{connect_timeouts}, 1, 'it is counted');


# a token's end is the socket's

for my $via (qw( auth bearer )) {
    my $short = $t->connect('short', via => $via,
                            token => $t->token('short', exp => time + 1));
    $start = time;

    my ($error) = $short->event('error', 6);

    is($error->{code}, 'token_expired', "$via: the socket is told");
    is($short->packet(2), '', 'and closed');
    is($short->code, 1008, 'with 1008, policy');
    cmp_ok(time - $start, '<', 5, 'at exp and leeway');
}

is(status()->{auth_expired}, 2, 'both are counted');


# a client that does not read is given up, and costs no more than the limit

my $deaf = $t->connect('deaf');

setsockopt($deaf->ws->{s}, SOL_SOCKET, SO_RCVBUF, 4096);

my $big = 'x' x 9000;
my $sent = 0;

$until = time + 15;

while (!status()->{slow_consumers} && time < $until) {
    for (1 .. 20) {
        $calm->emit('message', { recipientId => 'deaf', message => $big,
                                  conversationId => 'c' });
        $sent++;
    }

    $calm->events(0);
}

is(status()->{slow_consumers}, 1, "given up after $sent messages");
ok(Test::Realtime::wait_for(3, sub { status()->{sockets} == 1 }),
   'and gone');
like($t->log, qr/WebSocket closed: the client reads too slowly/,
     'the log says why');
is($calm->ask('message', { recipientId => 'x', message => 'y',
                            conversationId => 'c' })->{status}, 'success',
   'the sender has not noticed');

done_testing();
