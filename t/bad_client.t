#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A client that leaves without a word, or that does not read, costs nobody
# anything: no session stays, and no memory beyond realtime_send_limit.

use strict;
use warnings;

use Socket qw( SOL_SOCKET SO_LINGER );
use Test::More;
use Time::HiRes qw( sleep );

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::Bad;

# a small send buffer: what the client does not read stays with the worker

my $t = Test::Realtime->new(server => <<'EOT')->start;
        listen 127.0.0.1:%%PORT2%% sndbuf=16k;

        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
            realtime_message_relay on;
            realtime_send_limit 100k;
        }

        location /status {
            realtime_status;
        }
EOT

my $good = $t->connect('good');


sub relay {
    my ($to, $text) = @_;

    return $good->ask(message => { recipientId => $to, message => $text,
                                   conversationId => 'c' })->{status};
}


my $bad = Test::Realtime::Bad->new($t, sub { relay('nobody', 'x') });


sub text { Test::Realtime::WebSocket->encode(opcode => 1, payload => @_) }
sub ping { Test::Realtime::WebSocket->encode(opcode => 9, payload => @_) }


sub alone {
    return Test::Realtime::wait_for(5, sub {
        $bad->status->{connections} == 1 }) ? 'gone' : 'still there';
}


my $connect = text('40' . Test::Realtime::encode({ token => $t->token('bob')
                                                 }));

for (['nothing', ''], ['half a header', substr $connect, 0, 5],
     ['half a message', substr $connect, 0, 30],
     ['half a fragmented message', "\x01\x81\0\0\0\0004"],
     ['half a ping', "\x89"], ['a CONNECT', $connect])
{
    my ($name, $bytes) = @$_;

    $bad->case("half-close after $name", 'gone', undef, undef, sub {
        my $ws = $t->ws;
        $ws->raw($bytes);
        shutdown $ws->socket, 1;
        return $ws->closed ? alone() : 'not closed';
    });

    $bad->case("reset after $name", 'gone', undef, undef, sub {
        my $ws = $t->ws;
        $ws->raw($bytes);
        sleep 0.02;
        setsockopt $ws->socket, SOL_SOCKET, SO_LINGER, pack 'll', 1, 0;
        $ws->abort;
        return alone();
    });
}

$bad->case('a reset behind the request', 'gone', undef, undef, sub {
    my $s = $t->tcp;
    syswrite $s, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
        . "Host: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
        . "Sec-WebSocket-Version: 13\r\n"
        . "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n$connect";
    setsockopt $s, SOL_SOCKET, SO_LINGER, pack 'll', 1, 0;
    close $s;
    return alone();
});


# clients that do not read: the kernel takes some 100 kB for them


sub memory {
    my ($pid) = $t->workers;

    open my $fh, '<', "/proc/$pid/smaps_rollup" or die $!;

    return (map { /^Private_Dirty:\s+(\d+)/ } <$fh>)[0];
}


# what came after all, and whether the connection is at its end

sub drain {
    my ($ws) = @_;
    my $n = 0;

    while (my $f = $ws->recv(1)) {
        return ($n, 'end') if $f->{eof};
        $n++;
    }

    return ($n, 'open');
}


my $slow = 'WebSocket closed: the client reads too slowly';
my %deaf = (port => $t->port2);

# a sanitizer keeps what was freed

sub memory_since {
    my ($before) = @_;

    return $ENV{TEST_NGINX_ASAN} ? 0 : memory() - $before;
}


for (['20000 pings', 20000, 'x' x 125], ['400000 empty pings', 400000, '']) {
    my ($name, $n, $payload) = @$_;

    $bad->case("$name, and no pong is read", 'some, then all', undef, undef,
               sub {
        my $ws = $t->ws(%deaf);
        my $before = memory();

        $ws->raw(ping($payload) x ($n / 100)) for 1 .. 100;
        relay('nobody', 'x');

        my $grown = memory_since($before);
        my ($pongs, $end) = drain($ws);

        return "grown by $grown kB" if $grown > 1024;
        return "$pongs pongs, $end" unless $pongs > 100 && $pongs < $n;

        $ws->raw(ping('a'));
        return $ws->recv->{payload} eq 'a' ? 'some, then all' : 'none';
    });
}

$bad->case('messages, and none is read', 'end', 'slow_consumers', $slow, sub {
    my $ws = $t->ws(%deaf);
    my $before = memory();

    $ws->raw($connect);
    sleep 0.1;
    relay('bob', 'x' x 9000) for 1 .. 200;

    my $grown = memory_since($before);

    return $grown > 1024 ? "grown by $grown kB" : (drain($ws))[1];
});

$bad->case('events, and no ack is read', 'end', 'slow_consumers', $slow, sub {
    my $ws = $t->ws(%deaf);

    $ws->raw($connect);
    sleep 0.1;
    $ws->raw(text('420' . Test::Realtime::encode(['message', {
        recipientId => 'bob', message => 'x' x 9000,
        conversationId => 'c' }])) x 10) for 1 .. 20;

    return (drain($ws))[1];
});

done_testing();
