#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Packets of Socket.IO 5 that are none, or come out of turn: nginx beside the
# reference server; and with the chat as with the echo.

use strict;
use warnings;

use lib 't/lib';
use Test::Realtime::Raw qw( text binary );
use Test::Realtime::Reference;

my $r = Test::Realtime::Reference->new('socketio');

my $closed = 'close 1005 end';


# packets of a client that has not said CONNECT, and of one that has

sub first {
    my ($name, @ours) = @_;

    my @packets = ref $ours[0] ? @{shift @ours} : $name;

    my $send = sub { my ($c) = @_; my ($ws, $no) = $c->opened;
        $no // $c->hear($ws, join('', map { text($_) } @packets),
                        last => 'ping') };

    $r->case("first: $name", $send, @ours);
    $r->chat("first: $name", $send);
}


sub behind {
    my ($name, @ours) = @_;

    my @packets = ref $ours[0] ? @{shift @ours} : $name;

    my $send = sub { my ($c) = @_; my ($ws, $no) = $c->connected;
        $no // $c->hear($ws, join '', map { text($_) } @packets) };

    $r->case("behind: $name", $send, @ours);
    $r->chat("behind: $name", $send);
}


my $space = 'white space where a digit may stand: rt_sio.c';
my $nothing = 'a packet without what it needs: rt_sio.c';
my $double = 'over 2^53, a double cannot hold it';
my $written = 'the JSON is passed on as it was written';

# before CONNECT, and what asks for no namespace that is served

first($_) for '42["message",1]', '41', '41/custom,', '43[]', '430[]', '46',
    '44{"message":"x"}', '4', '47', '40[]', '40"x"', '40null', '40true',
    '40{"a":', '40,', '40custom', '40/a,b,', '40/custom,[]', '40/nope,[]',
    '40/custom,{', '40[1', '40-1';
first($_) for map { "40$_" } '/nope', '/nope,', '/nope,{"a":1}', '/nope,1{}',
    '/custom?x=1,', '/CUSTOM,', '/custom/,', '//custom,', '//', '/"a"\\,',
    "/\xc3\xa9,", "/\0,", '/__proto__,', '/constructor', '/custom1{"a":1}',
    '/ ,', '/custom ,', '/*,', '/%2F,';
first('unknown twice', ['40/nope,', '40/nope,']);
first('unknown 20 times', [('40/nope,') x 20]);
first('an attachment that is still to come',
      ['451-["message",{"_placeholder":true,"num":0}]']);
first($_, $closed, $space) for '40 {}', '401 2';
first('a namespace of 300', ['40/' . 'a' x 299 . ','], $closed,
      'over RT_SIO_NSP_MAX');


# behind CONNECT: events

behind($_) for map { "42$_" } '["message"]', '["message"] ', '[1,"x"]',
    '[1.5]', '[-1]', '[""]', '["toString",1]', '["__proto__",1]', '["Connect"]',
    '["message-with-ack"]', '["error"]', '["ping"]', '["connecting"]',
    '/,["message",1]', '/,7["message-with-ack",1]', '["mes\\u0073age",1]',
    '["message\\u0000",1]', '["message","\\ud800"]', '["message", 1]',
    '["message",{"__proto__":{"x":1}}]', '["message",[[[[{}]]]]]',
    '["message",{"constructor":1,"toString":2}]',
    '["message",{"_placeholder":true,"num":0}]';
behind($_) for map { "42$_" } '[]', '["message",]', '[null]', '[true]',
    '[["message"]]', '[{}]', '{"0":"message"}', '"message"', 'message', 'null',
    '["message"]x', '["message"][1]', '/["message",1]',
    '/custom,["message",1]', '/nope,["message",1]', ',["message",1]',
    '7,["message",1]', '["message","\\u12"]', "[\"message\",\"\t\"]",
    '["message",01]', '["message",NaN]', '["message",undefined]',
    '["message",/**/1]', "['message']", '["message",1', '["message"]]',
    '["message",.5]', '["message",+1]', "[\"message\"]\0", '{';
behind($_, $closed, $nothing) for '42', '427';
behind($_, $closed, $space) for '42 ["message"]', "42\n[\"message\"]",
    '42 1["message"]', '421 ["message"]';
behind(@$_, $written) for
    ['42["message",1e999]', '42["message-back",1e999] lives'],
    ['42["message",-0]', '42["message-back",-0] lives'],
    ['42["message",0.1e1]', '42["message-back",0.1e1] lives'],
    ['42["message","\\ud83d\\ude00"]',
     '42["message-back","\\ud83d\\ude00"] lives'],
    ['42["message",{"a":1,"a":2}]', '42["message-back",{"a":1,"a":2}] lives'],
    ['42["message",12345678901234567890]',
     '42["message-back",12345678901234567890] lives'];
behind("42[\"$_\"]") for qw( connect connect_error disconnect disconnecting
    newListener removeListener \u0063onnect );
behind("of depth $_", ['42["message",' . '[' x $_ . ']' x $_ . ']'])
    for 10, 63;
behind("of depth $_", ['42["message",' . '[' x $_ . ']' x $_ . ']'], $closed,
       'over RT_JSON_DEPTH') for 64, 1000;

# ids

behind("42$_\[\"message-with-ack\",1]") for 0, '00', '007', 7, 4294967296,
    '9007199254740991', '-1', '+1', '1.5', '1e3', '0x1', 'a', '1a';
behind("42$_\[\"message-with-ack\",1]", $closed, $double) for
    '9007199254740992', '9' x 22;
behind('an id twice', [('427["message-with-ack",1]') x 2]);
behind('two ids', ['429["message-with-ack",1]', '421["message-with-ack",2]']);
behind('an event with an id that is not for one', ['420["message",1]'],
       '42["message-back",1] lives',
       'there the application emits its ack function as null, with an id');

# acks

behind("43$_") for '[]', '0[]', '0["x"]', '7[1,{"a":2}]', '/,0[]', '0{}',
    '0null', '0"x"', '0[1,2', '-1[]', '/custom,0[]', '/nope,0[]', '0[]x';
behind($_, $closed, $nothing) for '430', '43';
behind('an ack of an id over 2^64', ['43' . '9' x 20 . '[]'], $closed, $double);
behind('an ack twice', ['430[]', '430[]']);

# the other types

behind($_) for '47', '48[]', '4a', '4/', '4-', '4', '4 2["message"]', '44{}',
    '44{"message":"x"}', '44"x"', '44[]', '44', '40', '40{}', '41{}', '41[]',
    '41"bye"', '41/custom,', '41/nope,', '41null', '40/nope,';
behind("$_, then an event", [$_, '42["message",1]']) for '41', '411', '41/,',
    '41/';
behind('41 twice', ['41', '41']);
behind('41, then an ack', ['41', '430[]']);
behind('41, then 40', ['41', '40'], '40{"sid":"S"} 42["auth",{}] lives',
       'the reference server is done with 41 a little later');
behind('40 twice', ['41', '40', '40'], '40{"sid":"S"} close 1005 end',
       'a second CONNECT ends a session, however soon it comes');

$r->done;
