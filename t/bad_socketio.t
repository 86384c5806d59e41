#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# What is no packet of Socket.IO 5, or comes out of turn, is answered as the
# reference server answers it: a Close without a status, or CONNECT_ERROR.
# Stricter than it on purpose: see rt_sio.c and rt_json.h.

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

        location /status {
            realtime_status;
        }
EOT

my $good = $t->connect('good');

my $bad = Test::Realtime::Bad->new($t, sub {
    $good->ask(message => { recipientId => 'nobody', conversationId => 'c',
                            message => 'x' })->{status};
});

my $auth = Test::Realtime::encode({ token => $t->token('bob') });
my $CONNECT = "40$auth";
my $closed = 'close 1005';

my $unknown = '42["error",{"code":"event_unknown","message":'
              . '"Unknown event"}]';


# What came back, to the answer of a last ping or a Close; "40" and the event
# "connected" are left out behind a CONNECT that is right.

sub answers {
    my (@packets) = @_;

    my $ws = $t->ws;
    my @answers;

    $ws->send($_) for @packets;
    $ws->ping('last');

    while (my $f = $ws->recv) {
        my $p = $f->{payload} =~ s/,"[\w-]{11}"\]\z/]/r;     # the offset

        return join ' ', @answers, $closed if $f->{opcode} == 8;
        last if $f->{opcode} == 10;

        push @answers, $p =~ /^43(\d+)\[\{"status":"success"/ ? "acked $1"
                       : $p unless $p =~ /^(0|40|42\["connected")/;
    }

    return join ' ', @answers;
}


sub refused {
    my ($name, $why, @packets) = @_;

    $bad->case($name, $closed, 'protocol_errors', "session refused: $why",
               sub { answers(@packets) });
}


my $turn = 'a packet for a namespace that is not joined';
my $payload = 'invalid payload';
my $json = 'malformed JSON';
my $attachments = 'illegal attachments';
my $server = 'a packet that only servers send';

for (
    ['type 7', 'unknown packet type', '47'],
    ['type x', 'unknown packet type', '4x'],
    ['a type of two bytes', 'unknown packet type', "4\xc3\xa9"],

    map({ ["$_ before CONNECT", $turn, "4$_"] } '2["x"]', '1', '31[]',
        '4{"message":"x"}', '2/nope,["x"]'),
    ['an event after DISCONNECT', $turn, $CONNECT, '41', '42["x"]'],
    ['a second CONNECT', 'a second CONNECT', $CONNECT, $CONNECT],
    ['a second CONNECT without a token', 'a second CONNECT', $CONNECT, '40'],
    map({ ["$_ for another namespace", $turn, $CONNECT, "4$_"] }
        '2/nope,["x"]', '1/nope,', '1/nope', '3/nope,1[]', '2/["x"]'),
    ['a namespace of 256', 'namespace too long', '40/' . 'a' x 255],
    ['a namespace that never ends', 'namespace too long',
     '40/' . 'a' x 100000],

    map({ ["CONNECT with $_", $payload, "40$_"] } '[]', '"token"', '-1',
        'null', 'true', "[$auth]"),
    ['CONNECT with half an object', $json, '40{"token":'],
    ['CONNECT with a query', $json, '40?token=x'],
    ['DISCONNECT with a payload', $payload, $CONNECT, '41{}'],
    ['DISCONNECT with a reason', $payload, $CONNECT, '41"bye"'],
    ['CONNECT_ERROR', $server, $CONNECT, '44{"message":"x"}'],
    ['CONNECT_ERROR with a text', $server, $CONNECT, '44"x"'],
    ['CONNECT_ERROR with a list', $payload, $CONNECT, '44[]'],
    ['CONNECT_ERROR with nothing', $payload, $CONNECT, '44'],

    map({ ["EVENT $_", $payload, $CONNECT, "42$_"] } '', '{}', '[]', '"x"',
        'null', 'true', '[null]', '[{}]', '[["x"]]', '[true]', '7'),
    map({ ["EVENT $_", 'reserved event name', $CONNECT, qq(42["$_",{}])] }
        qw( connect connect_error disconnect disconnecting newListener
            removeListener \u0063onnect )),

    map({ ["EVENT of id $_", 'ack id too large', $CONNECT, qq(42$_\["x"])] }
        '9007199254740992', '18446744073709551617', '9' x 100000),
    ['EVENT of id -1', $json, $CONNECT, '42-1["x"]'],
    ['EVENT of id 1.5', $json, $CONNECT, '421.5["x"]'],
    ['a space after the id', 'white space before the payload', $CONNECT,
     '421 ["x"]'],
    map({ ["ACK $_", $payload, $CONNECT, "43$_"] } '1', '1{}', '1"x"',
        '1null', ''),

    map({ ['EVENT ' . substr($_, 0, 30), $json, $CONNECT, "42$_"] }
        '["x"', '["x",', '["x",]', '["x"]]', '["x"]1', "['x']", '[x]', ']',
        '["x" "y"]', '["x",{]}', '["x",{"a"}]', '["x",{a:1}]', '["x',
        '["x\\"]', '["x",01]', '["x",1.]', '["x",.5]', '["x",+1]',
        '["x",NaN]', '["x",tru]', '["x",/**/1]', '["\\x"]', '["\\u12"]',
        "[\"x\0\"]",
        "[\"x\n\"]", "[\"x\"]\0", "\xef\xbb\xbf[\"x\"]"),
    map({ ["EVENT of depth $_->[0]", $json, $CONNECT, "42$_->[1]"] }
        [65, '[' x 65 . ']' x 65], [100000, '[' x 100000 . ']' x 100000],
        ['100000, of objects', '["x",' . '{"a":' x 1e5 . '1' . '}' x 1e5],
        ['100000, not closed', '[' x 100000],
        ['65, behind a string', '["\\"[",' . '[' x 64 . ']' x 65]),

    map({ ["binary $_", $attachments, $CONNECT, "4$_"] } '5["x"]',
        '5-["x"]', '51["x"]', '50-["x"]', '5x-["x"]', '5 1-["x"]', '5',
        '51', '6[]', '6-[]'),
    map({ ["a packet behind 4$_", 'a packet between another one and its '
           . 'attachments', $CONNECT, "4$_", '42["x"]'] }
        '51-["x",{"_placeholder":true,"num":0}]', '61-1[]', '510-[]',
        '51-/nope,["x"]', '51-'),
    map({ ["$_ attachments", 'too many attachments', $CONNECT,
           "45$_-[\"x\"]"] } 11, 99, '9' x 1000),
) {
    refused(@$_);
}

# a namespace that is not served: the session goes on

my $ping = '42007["message",{"recipientId":"x","conversationId":"c",'
           . '"message":"y"}]';

for (
    ['/nope', '/nope,'], ['/nope,', '/nope,'],
    ['/nope,{"token":"x"}', '/nope,'], ['/nope,1{}', '/nope,'],
    ['/a"b\\c,', '/a"b\\c,'], ["/\xc3\xa9,", "/\xc3\xa9,"], ['//,', '//,'],
    ['/?token=x,', '/?token=x,'], ['/' . 'a' x 254, '/' . 'a' x 254 . ','],
) {
    my ($nsp, $echo) = @$_;

    $bad->case('CONNECT ' . substr($nsp, 0, 20),
               qq(44$echo\{"message":"Invalid namespace"} acked 7),
               'connects_refused', 'CONNECT refused: unknown namespace',
               sub { answers("40$nsp", $CONNECT, $ping) });
}

# an event that nobody knows, and nothing worse

for (
    map({ ["EVENT $_", "42$_"] } '[1]', '[-1.5]', '[1e300]', '[""]', '["x"]',
        '["x"] ', '["Message",{}]', '["message\\u0000",{}]', '["error"]',
        '["x","\\u0000"]', '["x","\\ud83d\\ude00"]', '["x",{"a":1,"a":2}]',
        '["x",{"_placeholder":true,"num":0}]', "[\"x\"]\n",
        '["x",' . '9' x 30 . ']', '["x",-' . '9' x 300 . ']',
        '["x",' . '[' x 63 . ']' x 63 . ']', '["x"' . ',0' x 10000 . ']',
        '["' . 'x' x 10000 . '"]', '["x","' . '[' x 1000 . '"]',
        '["x",1e999]', '["x",-1e999]', '["\\ud800"]', '["\\udc00"]',
        '["\\ud800\\u0041"]', '["x",{"\\u0000":1}]', '/,["x"]'),
) {
    my ($name, $packet) = @$_;

    $bad->case(substr($name, 0, 40), "$unknown acked 7", 'events_refused',
               'unknown event: event_unknown',
               sub { answers($CONNECT, $packet, $ping) });
}

# what is odd but right

for (
    ['an ACK of an unknown id', '43999[]'], ['an ACK without an id', '43[]'],
    ['an ACK of the largest id', '439007199254740991["x"]'],
    ['DISCONNECT and CONNECT', '41', $CONNECT],
    ['DISCONNECT with an id', '411', $CONNECT],
    ['DISCONNECT of "/"', '41/,', $CONNECT],
) {
    my ($name, @packets) = @$_;

    $bad->case($name, 'acked 7', undef, undef,
               sub { answers($CONNECT, @packets, $ping) });
}

done_testing();
