#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# However oddly a good frame is delivered, it is understood.

use strict;
use warnings;

use Socket qw( IPPROTO_TCP TCP_NODELAY );
use Test::More;
use Time::HiRes qw( sleep );

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::Bad;

my $t = Test::Realtime->new(server => <<'EOT')->start;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
            realtime_message_relay on;
            realtime_max_payload 70k;
        }

        location /status {
            realtime_status;
        }
EOT

my $good = $t->connect('good');
my $connect = '40' . Test::Realtime::encode({ token => $t->token('bob') });


sub relay {
    my ($to, $text) = @_;

    return $good->ask(message => { recipientId => $to, message => $text,
                                   conversationId => 'c' })->{status};
}


my $bad = Test::Realtime::Bad->new($t, sub { relay('nobody', 'x') });


sub frame { Test::Realtime::WebSocket->encode(@_) }
sub text  { frame(opcode => 1, payload => @_) }
sub begin { frame(opcode => 1, fin => 0, payload => @_) }
sub more  { frame(opcode => 0, fin => 0, payload => @_) }
sub end   { frame(opcode => 0, payload => @_) }
sub ping  { frame(opcode => 9, payload => @_) }


# each of the segments as one write, with the answers until there is none

sub answers {
    my ($ws, @segments) = @_;

    setsockopt $ws->socket, IPPROTO_TCP, TCP_NODELAY, 1;

    for (@segments) {
        $ws->raw($_);
        sleep 0.001 if @segments > 1;
    }

    my @answers;

    while (my $f = $ws->recv(@answers ? 0.1 : 5)) {
        my $p = $f->{payload};

        push @answers, $f->{eof} ? 'end' : $f->{opcode} == 10 ? "pong $p"
                       : $f->{opcode} == 8 ? 'close'
                       : $p =~ /^(0|40|42\["\w+")/ ? $1 : $p;

        last if $f->{eof};
    }

    return join ' ', @answers;
}


my $hello = '0 40 42["connected"';
my @bytes = unpack '(a1)*', text($connect);
my $noop = text('6' . 'x' x 200);

for (
    ['a byte at a time', $hello, @bytes],
    ['a ping a byte at a time', '0 pong abc', unpack '(a1)*', ping('abc')],
    ['in two, at every place of a header', $hello,
     map({ (substr($noop, 0, $_), substr($noop, $_)) } 1 .. 9),
     text($connect)],
    ['in one segment', '0 pong a 40 42["connected" pong b',
     ping('a') . text($connect) . ping('b')],
    ['many in one segment', "0 pong x" . ' pong x' x 999, ping('x') x 1000],
    ['two, cut in the second', "$hello pong a",
     unpack 'a' . (3 + length text($connect)) . 'a*',
     text($connect) . ping('a')],
    ['in fragments of a byte', $hello, join '', begin(''),
     map({ more($_) } unpack '(a1)*', $connect), end('')],
    ['a ping between fragments', "0 pong in 40 42[\"connected\"",
     begin(substr $connect, 0, 20) . ping('in') . more('') . more('')
     . end(substr $connect, 20)],
    ['a ping within a character', '0 pong a', begin("6\xc3") . ping('a')
     . end("\xa9")],
    ['a ping of nothing', '0 pong ', ping('')],
    ['a ping of 125 bytes', '0 pong ' . "\x00\xff" x 62 . 'x',
     ping("\x00\xff" x 62 . 'x')],
    ['a pong nobody asked for', '0 pong a', frame(opcode => 10,
     payload => 'x') . ping('a')],
    ['a message at the limit', '0 pong a', text('6' . 'x' x (70 * 1024 - 1))
     . ping('a')],
    ['a message at the limit in fragments', '0 pong a', begin('6' . 'x' x 9)
     . more('x' x 40000) . end('x' x (70 * 1024 - 40010)) . ping('a')],
    ['messages at the limit, one after the other', '0 pong a',
     text('6' . 'x' x (70 * 1024 - 1)) x 30 . ping('a')],
    ['masked with zeros', $hello, frame(key => "\0\0\0\0",
                                        payload => $connect)],
) {
    my ($name, $answer, @segments) = @$_;

    $bad->case($name, $answer, undef, undef,
               sub { answers($t->ws, @segments) });
}

# behind the request, in the buffer of its header, a small and a large one

for my $query ('', '&t=' . 'x' x 5000) {
    $bad->case('glued to a request of ' . length($query), "$hello pong a",
               undef, undef, sub {
        answers($t->ws(first => text($connect) . ping('a'),
                path => "/socket.io/?EIO=4&transport=websocket$query"));
    });
}

$bad->case('glued, and wrong', 1002, 'protocol_errors',
           'WebSocket refused: reserved opcode',
           sub { $t->ws(first => frame(opcode => 3))->close_code });

done_testing();
