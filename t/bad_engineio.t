#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# What is no packet of Engine.IO, or not the client's to send, or does not
# come in time, ends the session with a Close that has no status, as that of
# the reference server.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::Bad;

my $t = Test::Realtime->new(server => <<'EOT')->start;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
            realtime_message_relay on;
        }

        location /connect/ {
            realtime_socket;
            realtime_connect_timeout 300ms;
        }

        location /ping/ {
            realtime_socket;
            realtime_ping_interval 200ms;
            realtime_ping_timeout 100ms;
        }

        location /status {
            realtime_status;
        }
EOT

my $good = $t->connect('good');

my $bad = Test::Realtime::Bad->new($t, sub {
    $good->ask(message => { recipientId => 'nobody', conversationId => 'c',
                            message => 'x' })->{status};
});

my $connect = '40' . Test::Realtime::encode({ token => $t->token('bob') });


# What came back, to the answer of a last ping or the end.  A packet is a
# text message, or the options of any frame.

sub answers {
    my ($path, @packets) = @_;

    my $ws = $t->ws(path => "$path?EIO=4&transport=websocket");
    my @answers;

    $ws->recv->{payload} =~ /^0\{/ or return 'no session';
    ref ? $ws->frame(%$_) : $ws->send($_) for @packets;
    $ws->ping('last');

    while (my $f = $ws->recv(2)) {
        my $p = $f->{payload};

        return join ' ', @answers if $f->{opcode} == 10;
        return join ' ', @answers, 'end' if $f->{eof};

        push @answers, $f->{opcode} == 8 ? 'close ' . ($f->{code} // 1005)
                       : $p =~ /^(40|42\["\w+")/ ? $1 : $p;

        $ws->close if $f->{opcode} == 8;
    }

    return join ' ', @answers, 'silence';
}


my $none = 'not an Engine.IO packet';
my $odd = 'unexpected Engine.IO packet';
my $heartbeat = 'invalid heartbeat direction';
my $binary = 'an attachment that no packet announced';

my @cases = (
    ['an empty packet', $none, ''],
    ['an empty packet in fragments', $none, { fin => 0 }, { opcode => 0 }],
    map({ ['a packet of type ' . ($_ =~ /[!-~]/ ? $_ : sprintf '\\x%02x',
           ord), $none, "${_}x"] } qw( 7 8 9 x / : ), "\0", ' ', "\n",
        "\x7f", '{', '"', '-'),
    ['a type of two bytes', $none, "\xc3\xa94"],
    ['white space before a message', $none, " $connect"],
    ['the separator of polling', $none, "\x1e$connect"],
    ['a ping', $heartbeat, '2'],
    ['a probe', $heartbeat, '2probe'],
    ['a ping with much behind it', $heartbeat, '2' . 'x' x 100000],
    ['an OPEN', $odd, '0'],
    ['an OPEN with a session', $odd, '0{"sid":"x","upgrades":[]}'],
    ['an UPGRADE', $odd, '5'],
    ['a binary frame', $binary, { opcode => 2, payload => "\1\2" }],
    ['an empty binary frame', $binary, { opcode => 2 }],
    ['a CONNECT in a binary frame', $binary, { opcode => 2,
                                               payload => $connect }],
    ['a binary frame in fragments', $binary, { opcode => 2, fin => 0 },
     { opcode => 0, payload => 'x' }],
    ['base64 as in polling', $binary, 'bAQIDBA=='],
    map({ ["base64 \"$_\"", 'an attachment that is no base64', $_] }
        'b!', 'bA', 'bAQID=', "bAQID\x1e4", "bAQID\x1e", 'bb'),
    ['a message of nothing', 'unknown packet type', '4'],
);

# before CONNECT and after it; what stands behind it is not looked at

for (@cases) {
    my ($name, $why, @packets) = @$_;

    $bad->case($name, 'close 1005 end', 'protocol_errors',
               "session refused: $why",
               sub { answers('/socket.io/', @packets, '7', $connect) });

    $bad->case("$name, after CONNECT", '40 42["connected" close 1005 end',
               'protocol_errors', "session refused: $why",
               sub { answers('/socket.io/', $connect, @packets, $connect) });
}

for (
    ['a pong nobody asked for', '', '3'],
    ['many of them', '', ('3') x 1000],
    ['a pong with something behind it', '', '3probe'],
    ['a NOOP', '', '6'],
    ['a long NOOP', '', '6' . 'x' x 100000],
    ['a close', 'close 1005 end', '1'],
    ['a close with something behind it', 'close 1005 end', '1bye'],
    ['two closes', 'close 1005 end', '1', '1'],
    ['packets behind a close', 'close 1005 end', '1', '7', $connect],
) {
    my ($name, $answer, @packets) = @$_;

    $bad->case($name, $answer, undef, undef,
               sub { answers('/socket.io/', @packets) });
}


# what the session says by itself until it ends

sub silence {
    my ($path, $first, @answers) = @_;

    my $ws = $t->ws(path => "$path?EIO=4&transport=websocket");
    my @said;

    $ws->send($first) if defined $first;

    while (my $f = $ws->recv(2)) {
        my $p = $f->{payload};

        last if $f->{eof};

        $ws->close if $f->{opcode} == 8;
        push @said, $f->{opcode} == 8 ? 'close ' . ($f->{code} // 1005)
                    : $p =~ /^(0|40|42\["\w+")/ ? $1 : $p;
        $ws->send(shift @answers) if $p eq '2' && @answers;
    }

    return join ' ', @said;
}


my $late = 'session closed: no pong in time';

$bad->case('no CONNECT in time', '0 close 1005', 'connect_timeouts',
           'session closed: no CONNECT in time',
           sub { silence('/connect/') });
$bad->case('a packet instead of a CONNECT', '0 close 1005',
           'connect_timeouts', 'session closed: no CONNECT in time',
           sub { silence('/connect/', '3') });
$bad->case('no pong, no CONNECT', '0 2 close 1005', 'ping_timeouts', $late,
           sub { silence('/ping/') });
$bad->case('no pong', '0 40 42["connected" 2 close 1005', 'ping_timeouts',
           $late, sub { silence('/ping/', $connect) });
$bad->case('the second pong is missing',
           '0 40 42["connected" 2 2 close 1005', 'ping_timeouts', $late,
           sub { silence('/ping/', $connect, '3') });
$bad->case('other packets are no pong', '0 40 42["connected" 2 close 1005',
           'ping_timeouts', $late, sub { silence('/ping/', $connect, '6') });
$bad->case('a pong ahead of the ping is none', '0 2 close 1005',
           'ping_timeouts', $late, sub { silence('/ping/', '3') });

done_testing();
