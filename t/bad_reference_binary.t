#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Packets of Socket.IO 5 with attachments that are too many, too few or not
# theirs, over both transports: nginx beside the reference server; and with
# the chat as with the echo.

use strict;
use warnings;

use lib 't/lib';
use Test::Realtime::Raw qw( text binary );
use Test::Realtime::Reference;

my $r = Test::Realtime::Reference->new('socketio');

my $closed = 'close 1005 end';

sub holder { my ($num) = @_; qq({"_placeholder":true,"num":$num}) }

my ($zero, $one) = (holder(0), holder(1));


# packets of a connected client; an attachment is a reference to its bytes

sub behind {
    my ($name, $packets, @ours) = @_;

    my $send = sub { my ($c) = @_; my ($ws, $no) = $c->connected;
        $no // $c->hear($ws, join '', map { ref ? binary($$_) : text($_) }
                                      @$packets) };

    $r->case($name, $send, @ours);
    $r->chat($name, $send);
}


# "message" with these arguments, and one attachment

sub with {
    my ($args, @ours) = @_;

    behind("1: $args", [qq(451-["message",$args]), \"\1"], @ours);
}


my $strict = 'a number in another spelling: rt_sio.c';
my $kept = 'the packet comes back as it was, which reads the same';
my $count = 'no digits: rt_sio.c';

# placeholders

with($_) for $zero, qq({"a":[[{"b":$zero}]]}), qq("x",$zero),
    qq({"_placeholder":$zero,"num":0}), map({ holder($_) } 1, -1, '1e0',
    '"0"', 'null', '[0]', 'true', '{}', '9' x 20, '10'),
    '{"_placeholder":true}', '{"_placeholder":true,"Num":0}';
with(holder($_), $closed, $strict) for '-0', '0.0', '0.5', '0e0';
with($_, "451-[\"message-back\",$_] binary 01 lives", $kept) for
    '1', "$zero,$zero", '{"_placeholder":true,"num":0,"a":1}',
    '{"num":0,"_placeholder":true}', '{"_placeholder":true,"num":5,"num":0}',
    '{"_placeholder":false,"num":0}', '{"_placeholder":1,"num":0}',
    '{"_placeholder":"true","num":0}', '{"_placeholder":null,"num":0}',
    '{"_Placeholder":true,"num":0}';

behind('for the name', ["451-[$zero]", \"\1"]);
behind('two', [qq(452-["message",$zero,$one]), \"\1", \"\2"]);
behind('two, swapped', [qq(452-["message",$one,$zero]), \"\1", \"\2"],
       qq(452-["message-back",$one,$zero] binary 01 binary 02 lives), $kept);
behind('one in another', [qq(452-["message",{"_placeholder":true,"num":0,)
                          . qq("x":$one}]), \"\1", \"\2"],
       qq(452-["message-back",{"_placeholder":true,"num":0,"x":$one}] )
       . 'binary 01 binary 02 lives', $kept);
behind('an empty attachment', [qq(451-["message",$zero]), \""]);
behind('in an event without any', [qq(42["message",$zero])]);
behind('a hundred times the same',
       ['451-["message",' . join(',', ($one) x 100) . ']', \"\1"]);

# how many

behind("45$_", [qq(45$_\["message",$zero]), \"\1"]) for '0-', '00-', '11-',
    '-1-', '1', '01-', '', '-', '1--', 'x-', '10-', '9' x 20 . '-', '1,-';
behind("45$_", [qq(45$_\["message",$zero]), \"\1"], $closed, $count)
    for '1.0-', '+1-', '1e0-', ' 1-', '0x1-';

my @ten = map { my $byte = chr; \$byte } 0 .. 9;

behind('ten', ['4510-["message",' . join(',', map { holder($_) } 0 .. 9) . ']',
               @ten]);
behind('eleven', ['4511-["message",' . join(',', map { holder($_) } 0 .. 10)
                  . ']', @ten, \"x"]);
behind('nine of ten', ['4510-["message"]', @ten[0 .. 8]]);
behind('one too many', [qq(451-["message",$zero]), \"\1", \"\2"],
       qq(451-["message-back",$zero] binary 01 close 1005 end),
       'what was whole is answered first');
behind('for an event that is not binary', [qq(42["message",$zero]), \"\1"],
       qq(42["message-back",$zero] close 1005 end),
       'what was whole is answered first');
behind('of nobody', [\"\1"]);

# in between

for (['an event', '42["message",1]'], ['41', '41'], ['40', '40'],
     ['another head', qq(451-["message",$zero])], ['an ack', '430[]'],
     ['40/custom,', '40/custom,'], ['a ping', '2'], ['OPEN', '7'])
{
    my ($name, $packet) = @$_;

    behind("$name in between", [qq(451-["message",$zero]), $packet, \"\1"]);
}

for (['a pong', '3'], ['NOOP', '6']) {
    my ($name, $packet) = @$_;

    behind("$name in between", [qq(451-["message",$zero]), $packet, \"\1"]);
}

# other packets

behind(@$_) for
    ['with an id', [qq(451-7["message-with-ack",$zero]), \"\1"]],
    ['with an id for two', [qq(452-0["message-with-ack",$zero,$one]), \"\1",
                            \"\2"]],
    ['with an id of -1', [qq(451--1["message-with-ack",$zero]), \"\1"]],
    ['in /', [qq(451-/,["message",$zero]), \"\1"]],
    ['in a namespace that is not joined', [qq(451-/custom,["message",$zero]),
                                           \"\1"]],
    ['in one of nobody', [qq(451-/nope,["message",$zero]), \"\1"]],
    ['a reserved name', [qq(451-["disconnect",$zero]), \"\1"]],
    ['JSON cut off', [qq(451-["message",$zero), \"\1"]],
    ['an object', ["451-$zero", \"\1"]],
    ['no JSON', ['451-', \"\1"], $closed, 'a packet without what it needs'],
    ['an ack', ["461-7[$zero]", \"\1"]],
    ['an ack without an id', ["461-[$zero]", \"\1"]],
    ['an ack of an object', ['461-7{}', \"\1"]],
    ['an ack with a wrong number', ["461-7[$one]", \"\1"]],
    ['an ack in a namespace that is not joined', ["461-/custom,7[$zero]",
                                                  \"\1"]];


# over polling: one POST, and base64 in it

sub posted {
    my ($name, $payload, @ours) = @_;

    $r->case("POST: $name", sub { my ($c) = @_; $c->session;
        $c->post('40'), $c->get, $c->post($payload =~ s/\|/\x1e/gr), $c->fate },
        map { ref ? '200 html ok, 200 text 40{"sid":"S"}|42["auth",{}], '
                    . $$_ : $_ } @ours);
}


my $told = 'the POST is told already';

posted(@$_) for
    ['one', qq(451-["message",$zero]|bAQ==)],
    ['between others', qq(42["message",1]|451-["message",$zero]|bAQ==|)
                       . '42["message",2]'],
    ['without padding', qq(451-["message",$zero]|bAQ)],
    ['an empty one', qq(451-["message",$zero]|b)],
    ['a pong in between', qq(451-["message",$zero]|3|bAQ==)],
    ['an event in between', qq(451-["message",$zero]|42["message"]|bAQ==),
     \'400 html, gone', $told],
    ['an attachment of nobody', 'bAQ==', \'400 html, gone', $told],
    ['no base64', qq(451-["message",$zero]|b!), \'400 html, gone',
     'no base64: rt_eio.c'],
    ['eleven', '4511-["message"]' . '|bAQ==' x 11, \'400 html, gone', $told];

$r->case('POST: in two', sub { my ($c) = @_; $c->session; $c->post('40');
    $c->get, $c->post(qq(451-["message",$zero])), $c->post('bAQ=='),
    $c->fate });
$r->case('POST: an event in between, in three', sub { my ($c) = @_;
    $c->session; $c->post('40');
    $c->get, $c->post(qq(451-["message",$zero])), $c->post('42["message"]'),
    $c->post('bAQ=='), $c->fate }, '200 text 40{"sid":"S"}|42["auth",{}], '
    . '200 html ok, 400 html, 400 json {"code":1,"message":"Session ID '
    . 'unknown"}, gone', $told);

$r->done;
