#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A frame that breaks RFC 7692, or inflates to what is not allowed, is answered
# with its close code; what only looks odd is a message.

use strict;
use warnings;

use Compress::Raw::Zlib;
use Test::More;

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::Bad;

my $t = Test::Realtime->new(server => <<'EOT')->start;
        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_max_payload 70k;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
            realtime_message_relay on;
        }

        location /on/ {
            realtime_socket echo=engine;
            realtime_compression on;
        }

        location /off/ {
            realtime_socket echo=engine;
        }

        location /status {
            realtime_status;
        }
EOT

my $max = 70 * 1024;
my $good = $t->connect('good');

my $bad = Test::Realtime::Bad->new($t, sub {
    $good->ask(message => { recipientId => 'nobody', conversationId => 'c',
                            message => 'x' })->{status};
});


# bytes of frames; z() is a whole message

sub frame   { Test::Realtime::WebSocket->encode(@_) }
sub deflate { Test::Realtime::WebSocket->deflate(@_) }
sub raw     { frame(rsv => 4, payload => @_) }
sub z       { raw(deflate(@_)) }
sub begin   { frame(rsv => 4, fin => 0, payload => @_) }
sub more    { frame(opcode => 0, fin => 0, payload => @_) }
sub end     { frame(opcode => 0, payload => @_) }
sub bin     { frame(rsv => 4, opcode => 2, payload => @_) }


# with context takeover: the second of two equal messages points at the first

sub second {
    my ($message) = @_;

    my ($d) = Compress::Raw::Zlib::Deflate->new(WindowBits => -15);
    my $out;

    for (1 .. 2) {
        $d->deflate($message, $out);
        $d->flush(my $rest, Z_SYNC_FLUSH);
        $out .= $rest;
    }

    return substr $out, 0, -4;
}


sub connected {
    my ($path, %o) = @_;

    my $ws = $t->ws(path => "$path?EIO=4&transport=websocket", %o);

    $ws->recv;

    return $ws;
}


# the code of the Close, or what came back first

sub answer {
    my ($ws, $bytes) = @_;

    $ws->raw($bytes);

    my $f = $ws->recv // return 'nothing';

    return "opcode $f->{opcode}, $f->{payload}" if $f->{opcode} < 8;
    return $f->{eof} ? 0 : 'open' if $f->{opcode} != 8;
    my $code = $f->{code} // 1005;

    return $ws->closed ? $code : "$code, but open";
}


# of a megabyte of zeroes 1 kB is left

my $bomb = deflate('4' . "\0" x (1 << 20));
my $cut = substr deflate('4' . join ',', 1 .. 2000), 0, -1;
my $empty_block = "\0\0\0\xff\xff";
my $second = second('4' . join ',', 1 .. 200);
my $half = deflate('4' . 'x' x 1000);

my @cases = (
    ['garbage', raw("\xff\xff\xff\xff"), 1007, 'compressed message is broken'],
    ['text as it is', raw('4hello'), 1007, 'compressed message is broken'],
    ['a reserved type of block', raw("\x07"), 1007,
     'compressed message is broken'],
    ['a stored block whose length is wrong', raw("\x00\x05\x00\x05\x00abcde"),
     1007, 'compressed message is broken'],
    ['with the context of an earlier one', raw($second), 1007,
     'compressed message is broken'],
    ['cut off', raw($cut), 1007, 'compressed message is broken'],
    ['cut off by half', raw(substr $cut, 0, length($cut) / 2), 1007,
     'compressed message is broken'],
    ['cut off in its first byte', raw(substr $cut, 0, 1), 1007,
     'compressed message is broken'],
    ['garbage behind the message', raw(deflate('4x') . "\xff\xff"), 1007,
     'compressed message is broken'],
    ['garbage in a binary one', bin("\xff\xff\xff\xff"), 1007,
     'compressed message is broken'],
    ['garbage in fragments', begin(substr $half, 0, 5) . more("\xff" x 9)
     . end("\xff"), 1007, 'compressed message is broken'],
    ['a fragment that is compressed by itself', begin(deflate('4x'))
     . end('hello'), 1007, 'compressed message is broken'],
    ['the header of gzip', raw("\x1f\x8b\x08\0\0\0\0\0\0\xff"), 1007,
     'compressed message is broken'],

    ['no UTF-8', z("4\xff"), 1007, 'compressed text is not UTF-8'],
    ['text cut off', z("4\xe2\x82"), 1007, 'compressed text is not UTF-8'],
    ['no UTF-8 in fragments', begin(substr deflate("4\xff\xfe"), 0, 2)
     . end(substr deflate("4\xff\xfe"), 2), 1007,
     'compressed text is not UTF-8'],

    ['a bomb', raw($bomb), 1009, 'message too big when inflated'],
    ['a binary one', bin($bomb), 1009, 'message too big when inflated'],
    ['a bomb in fragments', begin(substr $bomb, 0, 100)
     . end(substr $bomb, 100), 1009, 'message too big when inflated'],
    ['one byte too much', z('4' . 'x' x $max), 1009,
     'message too big when inflated'],
    ['too much before it is broken', raw($bomb . "\xff\xff"), 1009,
     'message too big when inflated'],
    ['too much on the wire', z('4' . join('', map { chr int rand 128 }
     1 .. $max), 0), 1009, 'message too big'],
    ['too much on the wire, which inflates to nothing',
     begin($empty_block x 10000) . end($empty_block x 5000), 1009,
     'message too big'],

    ['RSV1 in a continuation', begin(substr $half, 0, 5)
     . frame(rsv => 4, opcode => 0, payload => substr $half, 5), 1002,
     'reserved bit set'],
    ['RSV1 in the continuation of a plain message', frame(fin => 0,
     payload => '4') . frame(rsv => 4, opcode => 0, payload => $half), 1002,
     'reserved bit set'],
    map({ ["RSV1 in a $_->[0]", frame(rsv => 4, opcode => $_->[1],
           payload => $_->[2] // ''), 1002, 'reserved bit set'] }
        ['ping', 9, deflate('x')], ['pong', 10],
        ['close', 8, pack 'n', 1000]),
    ['RSV1 in a ping inside a message', begin(substr $half, 0, 5)
     . frame(rsv => 4, opcode => 9), 1002, 'reserved bit set'],
    map({ ["reserved bits $_", frame(rsv => $_, payload => deflate('4x')),
           1002, 'reserved bit set'] } 1, 2, 3, 5, 6, 7),
    ['opcode 3, compressed', frame(rsv => 4, opcode => 3), 1002,
     'reserved opcode'],
    ['compressed, not masked', frame(rsv => 4, mask => 0,
     payload => deflate('4x')), 1002, 'frame is not masked'],
    ['a new message inside a compressed one', begin(deflate('4x')) . z('4y'),
     1002, 'new message inside a message'],
);

for (@cases) {
    my ($name, $bytes, $code, $why) = @$_;

    $bad->case($name, $code, 'protocol_errors', "WebSocket refused: $why",
               sub { answer(connected('/on/', deflate => 1), $bytes) });
}

# where nobody agreed on it

for (['not offered', '/on/'], ['not configured', '/off/', deflate => 1],
     ['an offer that was declined', '/on/', headers => {
          'Sec-WebSocket-Extensions' => 'permessage-deflate; x' }])
{
    my ($name, $path, @offer) = @$_;

    $bad->case("RSV1, $name", 1002, 'protocol_errors',
               'WebSocket refused: reserved bit set',
               sub { answer(connected($path, @offer), z('4x')) });
}


# these are messages

my $x = deflate('4x');

my @good = (
    ['level 0', z('4x', 0), '4x'],
    ['of the largest size', z('4' . 'x' x ($max - 1)), '4' . 'x' x ($max - 1)],
    ['plain between compressed ones', frame(payload => '4plain'), '4plain'],
    ['with the tail that is left out', raw("$x\0\0\xff\xff\0"), '4x'],
    ['with empty blocks', raw($empty_block x 50 . "$x\0\0\xff\xff"
     . $empty_block x 50 . "\0"), '4x'],
    ['in a final block', raw("\x33\xa9\x00\x00"), '4x'],
    ['a byte in each frame', begin('') . join('', map { more($_) } split //,
     $x) . end(''), '4x'],
    ['with a ping inside', begin(substr $x, 0, 1)
     . frame(opcode => 9, payload => 'p') . end(substr $x, 1), '4x'],
    ['UTF-8', z("4\xe2\x82\xac"), "4\xe2\x82\xac"],
    ['UTF-8 cut between frames', begin(substr deflate("4\xe2\x82\xac"), 0, 3)
     . end(substr deflate("4\xe2\x82\xac"), 3), "4\xe2\x82\xac"],
);

for (@good) {
    my ($name, $bytes, $payload) = @$_;

    $bad->case($name, $payload, undef, undef, sub {
        my $ws = connected('/on/', deflate => 1);

        $ws->raw($bytes);

        while (my $f = $ws->recv) {
            return $f->{payload} if $f->{opcode} != 10;
        }
    });
}

$bad->case('binary', "opcode 2, \0\xff", undef, undef, sub {
    answer(connected('/on/', deflate => 1), bin(deflate("\0\xff")))
});

# an empty message is no packet of Engine.IO, compressed or not

for ([plain => frame(payload => '')], ['no byte' => raw('')],
     ['an empty block' => raw("\0")], ['an empty final block' => raw("\3\0")])
{
    my ($name, $bytes) = @$_;

    $bad->case("an empty message: $name", 1005, 'protocol_errors',
               'session refused: not an Engine.IO packet',
               sub { answer(connected('/on/', deflate => 1), $bytes) });
}

done_testing();
