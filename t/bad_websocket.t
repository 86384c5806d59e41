#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A frame that breaks RFC 6455 is answered with its close code.

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
            realtime_max_payload 70k;
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


# bytes of frames

sub frame { Test::Realtime::WebSocket->encode(@_) }
sub text  { frame(opcode => 1, payload => @_) }
sub begin { frame(opcode => 1, fin => 0, payload => @_) }
sub more  { frame(opcode => 0, fin => 0, payload => @_) }
sub end   { frame(opcode => 0, payload => @_) }
sub ping  { frame(opcode => 9, payload => @_) }
sub close_frame { frame(opcode => 8, payload => @_) }


# what the server says to the bytes: the code of its Close, the first for ever

sub close_code {
    my ($bytes) = @_;

    my $ws = $t->ws;

    $ws->raw($bytes);

    my $code = $ws->close_code // 'open';

    return $ws->closed ? $code : "$code, but open";
}


my @cases = (
    ['not masked', frame(mask => 0, payload => '3'), 1002,
     'frame is not masked'],
    ['a ping that is not masked', frame(mask => 0, opcode => 9), 1002,
     'frame is not masked'],

    map({ ["reserved bits $_", frame(rsv => $_, payload => '3'), 1002,
           'reserved bit set'] } 1, 2, 4, 7),
    ['reserved bit of a ping', frame(rsv => 4, opcode => 9), 1002,
     'reserved bit set'],
    ['reserved bit of a continuation', begin('4')
     . frame(rsv => 4, opcode => 0), 1002, 'reserved bit set'],

    map({ ["opcode $_", frame(opcode => $_), 1002, 'reserved opcode'] }
        3 .. 7, 11 .. 15),
    ['opcode 3 inside a message', begin('4') . frame(opcode => 3), 1002,
     'reserved opcode'],

    ['close in fragments', frame(fin => 0, opcode => 8), 1002,
     'fragmented control frame'],
    ['ping in fragments', frame(fin => 0, opcode => 9), 1002,
     'fragmented control frame'],
    ['pong in fragments', frame(fin => 0, opcode => 10), 1002,
     'fragmented control frame'],
    ['ping of 126', ping('x' x 126), 1002, 'control frame too long'],
    ['ping of 65536', ping('x' x 65536), 1002, 'control frame too long'],
    ['pong of 126', frame(opcode => 10, payload => 'x' x 126), 1002,
     'control frame too long'],
    ['close of 126', close_frame(pack('n', 1000) . 'x' x 124), 1002,
     'control frame too long'],
    ['ping with a long length', frame(opcode => 9, width => 16), 1002,
     'control frame too long'],

    ['continuation of nothing', end('40'), 1002,
     'continuation without a message'],
    ['continuation of a whole message', text('3') . end('x'), 1002,
     'continuation without a message'],
    ['continuation of a message that ended', begin('3') . end('')
     . more('x'), 1002, 'continuation without a message'],
    ['text inside a message', begin('4') . text('0'), 1002,
     'new message inside a message'],
    ['binary inside a message', begin('4') . frame(opcode => 2), 1002,
     'new message inside a message'],

    ['5 in 16 bits', frame(width => 16, payload => '3xxxx'), 1002,
     'length is not minimal'],
    ['125 in 16 bits', frame(width => 16, payload => 'x' x 125), 1002,
     'length is not minimal'],
    ['126 in 64 bits', frame(width => 64, payload => 'x' x 126), 1002,
     'length is not minimal'],
    ['65535 in 64 bits', frame(width => 64, payload => 'x' x 65535), 1002,
     'length is not minimal'],
    ['length 2^63', frame(length => 2 ** 63), 1002,
     'length has its top bit set'],
    ['length 2^64 - 1', frame(length => ~0), 1002,
     'length has its top bit set'],

    ['length 2^63 - 1', frame(length => ~0 >> 1), 1009, 'message too big'],
    ['a header alone over the limit', frame(length => $max + 1), 1009,
     'message too big'],
    ['a whole message over the limit', text('x' x ($max + 1)), 1009,
     'message too big'],
    ['a binary one', frame(opcode => 2, length => $max + 1), 1009,
     'message too big'],
    ['fragments over the limit', begin('3' . 'x' x 40000)
     . end('x' x ($max - 40000)), 1009, 'message too big'],
    ['fragments that wrap around', begin('3') . frame(opcode => 0,
     length => ~0 >> 1), 1009, 'message too big'],
    ['a thousand fragments', begin('3') . more('x' x 100) x 717, 1009,
     'message too big'],

    ['text of a byte alone', text("3\xff"), 1007, 'text is not UTF-8'],
    ['overlong', text("3\xc0\x80"), 1007, 'text is not UTF-8'],
    ['half a surrogate pair', text("3\xed\xa0\x80"), 1007,
     'text is not UTF-8'],
    ['over U+10FFFF', text("3\xf4\x90\x80\x80"), 1007, 'text is not UTF-8'],
    ['over two frames', begin("3\xe2\x82") . end("("), 1007,
     'text is not UTF-8'],
    ['at once, not at the end', begin("3\xff"), 1007, 'text is not UTF-8'],
    ['text cut off', text("3\xe2\x82"), 1007,
     'text ends inside a character'],
    ['text cut off in an empty end', begin("3\xf0\x9f\x98") . end(''), 1007,
     'text ends inside a character'],

    ['close of 1 byte', close_frame("\x03"), 1002, 'close payload of 1 byte'],
    map({ ["close $_", close_frame(pack 'n', $_), 1002, 'invalid close code']
        } 0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535),
    ['close with a reason that is no text', close_frame(pack('n', 1000)
     . "\xff"), 1007, 'close reason is not UTF-8'],
    ['the first of two faults', frame(opcode => 3) . text("3\xff"), 1002,
     'reserved opcode'],
    ['HTTP', "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1002, 'reserved bit set'],
);

for (@cases) {
    my ($name, $bytes, $code, $why) = @$_;

    $bad->case($name, $code, 'protocol_errors', "WebSocket refused: $why",
               sub { close_code($bytes) });
}

# a peer may close as it likes; its code comes back

for my $code (1000, 1001, 1003, 1007, 1011, 1014, 3000, 3999, 4000, 4999) {
    $bad->case("close $code", $code, undef, undef,
               sub { close_code(close_frame(pack('n', $code) . 'bye')) });
}

$bad->case('close without a code', 1005, undef, undef,
           sub { close_code(close_frame('')) });
$bad->case('data after close is not looked at', 1000, undef, undef,
           sub { close_code(close_frame(pack 'n', 1000) . frame(rsv => 7)) });

done_testing();
