#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Payloads of polling, packet by packet: nginx beside the reference server,
# and what becomes of the session.

use strict;
use warnings;

use lib 't/lib';
use Test::Realtime::Reference;

my $r = Test::Realtime::Reference->new('engine');

my $gone = '400 html, gone';

my $said = 'it ends there too, and is told so at the next request';
my $none = 'no client sends it, and the reference server overlooks it';
my $base64 = 'no base64: rt_eio.c';
my $utf8 = 'no UTF-8, for which a WebSocket is closed there too';


sub name { map { s/([^ -~])/sprintf '\\x%02x', ord $1/ger } @_ }

sub posted {
    my ($body, @ours) = @_;

    $r->case('POST ' . (name($body))[0], sub { my ($c) = @_; $c->session;
        $c->post($body), $c->fate }, @ours);
}


# types

posted($_) for '4', '4x', "4\0", "4\xe2\x82\xac", '3', '3probe', '6', '6x',
               '4b', '1';
posted($_, $gone, $said) for '', '2', '2probe', '7', '9', 'a', 'B', ' 4x',
    "\n4x", "\xef\xbb\xbf4x", '-4', '2:40', '{"a":1}', 'null', 'd=4hello',
    '1x', "\xe2\x82\xac";
posted($_, $gone, $none) for '0', '0{"sid":"x"}', '5', '5x', '5:40{}';

# separators

posted($_) for "4a\x1e4b", "4a\x1e3\x1e6\x1e4b", "4a\x1f4b",
    "4a\x1ebAQ==\x1e4b", "4a\x1ebAQ", "bAQI=\x1e4a", "b\x1eb", "3\x1e3\x1e3";
posted($_, $gone, $said) for "\x1e", "\x1e\x1e", "4a\x1e", "\x1e4a",
    "4a\x1e\x1e4b", "4a\x1e2\x1e4b", "4a\x1e7\x1e4b", "bAQ==\x1e",
    "4a\x1e 4b";
posted("4a\x1e1\x1e4b");

# base64

posted($_) for 'b', 'bAQ', 'bAQ==', 'bAQI', 'bAQI=', 'bAQIDBA', 'bAR==';
posted($_, $gone, $base64) for 'b=', 'b====', 'bA', 'bA=', 'bAQ=', 'bAQ===',
    'bAQI==', 'b-_-_', 'b AQI=', "bAQ==\n", 'bAQ==AQ==', 'bAQ==x', 'b!!!!',
    'bb', "b\xc3\xa9", "bAQI\0";

# UTF-8

posted($_, $gone, $utf8) for "4\xff", "4\xed\xa0\x80", "4\xf0\x9f\x98",
    "4\xc0\x80", "4\xf4\x90\x80\x80";


# the same with a GET that waits

my $along = 'the answer that echoes has the Close, too';

for (['', '1', $said], ['2', '1', $said], ['7', '1', $said],
     ["4a\x1e7", '4a|1', $along], ["4a\x1e2", '4a|1', $along],
     ['b!', '1', $base64], ["4\xff", '1', $utf8])
{
    my ($body, $heard, $why) = @$_;

    $r->case('parked, then ' . (name($body))[0], sub { my ($c) = @_;
        $c->session->park; $c->post($body), $c->parked, $c->fate },
        "400 html, parked 200 text $heard, gone", $why);
}

for my $body ('3', '6', '3probe') {
    $r->case("parked, then $body", sub { my ($c) = @_; $c->session->park;
        $c->post($body), $c->post('4x'), $c->parked, $c->fate });
}

$r->case('parked, then a Close', sub { my ($c) = @_; $c->session->park;
    $c->post('1'), $c->parked, $c->fate });
$r->case('parked, then a Close in a payload', sub { my ($c) = @_;
    $c->session->park; $c->post("4a\x1e1\x1e4b"), $c->parked, $c->fate },
    '200 html ok, parked 200 text 4a|6, gone', 'one answer has both');
$r->case('a Close, then a POST', sub { my ($c) = @_; $c->session;
    $c->post('1'), $c->post('4x'), $c->get });


# other requests of the session

my $lives = '200 html ok, 200 text 4x, lives';
my $first = 'the first of an argument counts in nginx, the last in Node.js';

for (
    ['EIO=3', { EIO => 3 }, $lives, 'the handshake has said it'],
    ['EIO=5', { EIO => 5 }, $lives, 'the handshake has said it'],
    ['no EIO', { EIO => undef }, $lives, 'the handshake has said it'],
    ['transport=websocket', { transport => 'websocket' }],
    ['transport=x', { transport => 'x' }],
    ['no transport', { transport => undef }],
    ['b64=1', { b64 => 1 }], ['t=x', { t => 'x' x 5000 }],
    ['j=0', { j => 0 }],
) {
    my ($name, $query, @ours) = @$_;

    $r->case("GET with $name", sub { my ($c) = @_; $c->session;
        $c->post('4x'), $c->get(%$query), $c->fate }, @ours);
}

$r->case('a second sid', sub { my ($c) = @_; $c->session; $c->post('4x'),
    $c->http($c->request(GET => $c->query . '&sid=' . 'A' x 20)), $c->fate },
    $lives, $first);

for my $edit (sub { lc }, sub { uc }, sub { "${_}A" }, sub { substr $_, 1 },
              sub { "$_%20" }, sub { "%20$_" }, sub { "$_\%00" },
              sub { scalar reverse }, sub { tr/A-Za-z/B-ZAb-za/r })
{
    $r->case('a sid that is nearly one', sub { my ($c) = @_; $c->session;
        my ($sid) = map { $edit->() } $c->sid; $c->get(sid => $sid), $c->fate
                                             });
}

$r->case('a GET that says Upgrade', sub { my ($c) = @_; $c->session;
    $c->post('4x'), $c->http($c->request(GET => $c->query, headers => {
        Upgrade => 'websocket', Connection => 'upgrade' })), $c->fate },
    $lives, 'transport says what it is');

$r->done;
