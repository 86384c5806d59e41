#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Frames that break RFC 6455, or bend it, and packets in them: nginx beside
# the reference server, which is ws.

use strict;
use warnings;

use lib 't/lib';
use Test::Realtime::Raw qw( text binary frame );
use Test::Realtime::Reference;

my $r = Test::Realtime::Reference->new('engine');

my $max = 10000;
my $refused = 'close 1002 end';


sub begin { frame(opcode => 1, fin => 0, payload => @_) }
sub more  { frame(opcode => 0, fin => 0, payload => @_) }
sub end   { frame(opcode => 0, payload => @_) }
sub ping  { frame(opcode => 9, payload => $_[0] // '') }
sub pong  { frame(opcode => 10, payload => $_[0] // '') }
sub close_frame { frame(opcode => 8, payload => $_[0]) }
sub code { close_frame(pack('n', $_[0]) . ($_[1] // '')) }


sub said {
    my ($name, $bytes, @ours) = @_;

    $r->case($name, sub { my ($c) = @_; my ($ws, $no) = $c->opened;
        $no // $c->hear($ws, $bytes) }, @ours);
}


# masks and fragments

said(@$_) for
    ['masked with 0', frame(payload => '4x', key => "\0\0\0\0")],
    ['byte by byte', [split //, text('4a') . binary("\1\2") . begin('4')
                                . more('') . end('z')]],
    ['not masked', frame(mask => 0, payload => '4x')],
    ['not masked, behind one that is', text('4a') . frame(mask => 0,
                                                          payload => '4x')],
    ['a Close that is not masked', frame(mask => 0, opcode => 8)],
    ['fragments', begin('4a') . more('b') . more('') . end('c')],
    ['an empty fragment first', begin('') . more('4') . end('x')],
    ['nothing but empty ones', begin('') . more('') . end('')],
    ['500 empty ones', begin('4') . more('') x 500 . end('x')],
    ['binary in fragments', frame(opcode => 2, fin => 0, payload => "\1")
                            . end("\2")],
    ['a ping between fragments', begin('4a') . ping('p') . end('b')],
    ['a pong between fragments', begin('4a') . pong('p') . end('b')],
    ['a Close between fragments', begin('4a') . code(1000) . end('b')],
    ['a continuation of nothing', end('4x')],
    ['a message in a message', begin('4a') . text('4b')],
    ['binary in a text', begin('4a') . frame(opcode => 2, payload => 'x')],
    ['text and binary in turn', text('4a') . binary("\1") . text('4b')
                                . binary('')];

# reserved bits and opcodes, control frames

said("reserved bits $_", frame(rsv => $_, payload => '4x')) for 1 .. 7;
said('a reserved bit of an empty frame', frame(rsv => 4));
said('a reserved bit of a ping', frame(rsv => 4, opcode => 9));
said("opcode $_", frame(opcode => $_, payload => '4x')) for 3 .. 7, 11 .. 15;
said(@$_) for
    ['an empty ping', ping()], ['a ping of 125', ping('x' x 125)],
    ['a ping of bytes', ping("\xff\xfe\0")], ['an unasked pong', pong('x')],
    ['ten pings', join '', map { ping("p$_") } 0 .. 9],
    ['a ping of 126', ping('x' x 126)],
    ['a ping in fragments', frame(opcode => 9, fin => 0)],
    ['a Close in fragments', frame(opcode => 8, fin => 0)];

# lengths

my $minimal = 'RFC 6455, 5.2: the shortest form must be used';

said(@$_) for
    ['125 bytes', text('4' . 'x' x 124)], ['126 bytes', text('4' . 'x' x 125)],
    ['as long as may be', text('4' . 'x' x ($max - 1))],
    ['one byte more', text('4' . 'x' x $max)],
    ['as long as may be, binary', binary('x' x $max)],
    ['one byte more, binary', binary('x' x ($max + 1))],
    ['as long as may be, in two', begin('4' . 'x' x 4999) . end('x' x 5000)],
    ['one byte more, in two', begin('4' . 'x' x 5000) . end('x' x 5000)],
    ['2^32', frame(length => 2 ** 32)],
    ['2^63', frame(length => 2 ** 63), $refused,
     'RFC 6455, 5.2: the first bit must be 0'],
    ['2 in 16 bits', frame(width => 16, payload => '4x'), $refused, $minimal],
    ['2 in 64 bits', frame(width => 64, payload => '4x'), $refused, $minimal];

# UTF-8

said("text $_->[0]", text("4$_->[1]")) for
    ['with NUL', "\0"], ['with U+FFFE', "\xef\xbf\xbe"],
    ['with U+10FFFF', "\xf4\x8f\xbf\xbf"], ['with a BOM', "\xef\xbb\xbf"],
    ['over U+10FFFF', "\xf4\x90\x80\x80"],
    ['of 5 bytes', "\xf8\x88\x80\x80\x80"],
    ['with a surrogate', "\xed\xa0\x80"], ['overlong, of 3', "\xe0\x80\x80"],
    ['overlong, of 4', "\xf0\x80\x80\x80"], ['that goes on', "\x80"],
    ['that is cut off', "\xe2\x82"];
said(@$_) for
    ['a character in two frames', begin("4\xe2") . end("\x82\xac")],
    ['in four frames', begin("4\xf0") . more("\x9f") . more("\x98")
                       . end("\x80")],
    ['with a ping inside', begin("4\xe2") . ping('p') . end("\x82\xac")],
    ['half of it', begin("4\xe2\x82") . end('')],
    ['half, and another', begin("4\xe2\x82") . end("\xe2")];

# Close

my $silent = 'the code comes back, the reason does not';

said("close $_", code($_)) for 0, 1, 999, 1000 .. 1016, 2999, 3000, 4999, 5000,
    65535;
said(@$_) for
    ['close without a code', close_frame('')],
    ['close with half a code', close_frame("\3")],
    ['a reason', code(1000, 'bye'), 'close 1000 end', $silent],
    ['a reason of 123', code(1000, 'x' x 123), 'close 1000 end', $silent],
    ['a reason of 124', code(1000, 'x' x 124)],
    ['a reason that is no text', code(1000, "\xff")],
    ['a reason that is cut off', code(1000, "\xe2\x82")],
    ['two of them', code(1000) . code(1001)],
    ['a message behind it', code(1000) . text('4x')],
    ['junk behind it', code(1000) . "\xff\xff"];

# what is something else

said(@$_) for
    ['HTTP', "GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ['TLS', "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" . 'x' x 50];


# packets of Engine.IO

my $none = 'no client sends it, and the reference server overlooks it';
my $closed = 'close 1005 end';

said("packet $_", text($_)) for '4', '4x', '3', '3probe', '6', '6x', 'b',
    'bAQ==', 'bAQ', '', '2', '2probe', '7', ' 4x', "4a\x1e4b", "\x1e4a", '-4';
said("packet $_", text($_), $closed, $none) for '0', '0{}', '5', '5x';
said("packet $_", text($_), $closed, 'no base64: rt_eio.c') for 'b!', 'bA',
    "bAQ==\x1e4a";
said('a Close', text('1') . text('4x'), $closed,
     'the reference server forgets about it until the ping times out');
said('twenty messages', join '', map { text("4$_") } 1 .. 20);
said('an empty binary frame', binary(''));

$r->case('a client that asks for base64', sub { my ($c) = @_;
    my ($ws, $no) = $c->opened(query => { b64 => 1 });
    $no // $c->hear($ws, binary("\1") . text('bAg==')) },
    'binary 01 binary 02 lives', 'it reads bytes as well');

$r->done;
