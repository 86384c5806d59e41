#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Bodies of POST that are none, are too long, or belong elsewhere: nginx
# beside the reference server, and what becomes of the session.

use strict;
use warnings;

use lib 't/lib';
use Test::Realtime::Reference;

my $r = Test::Realtime::Reference->new('engine');

my $max = 10000;
my $lives = '200 html ok, lives 4x';

my $unseen = 'nginx refuses the request, and the session sees nothing of it';
my $rest = 'nginx closes instead of reading the rest';
my $empty = 'what is no payload is refused in its own answer';


# types, which do not matter but for one

for my $type ('application/json', 'application/x-www-form-urlencoded',
              'multipart/form-data; boundary=x', 'text/plain;charset=UTF-16',
              'Application/Octet-Stream', 'x', '',
              'application/octet-stream; charset=x')
{
    $r->case("Content-Type: $type", sub { my ($c) = @_; $c->session;
        $c->post('4x', 'Content-Type' => $type), $c->fate });
}

$r->case('octets', sub { my ($c) = @_; $c->session;
    $c->post('4x', 'Content-Type' => 'application/octet-stream'), $c->fate },
    '400 html, gone', 'as there, with a type');
$r->case('octets, and a GET is parked', sub { my ($c) = @_; $c->session->park;
    $c->post('4x', 'Content-Type' => 'application/octet-stream'), $c->parked },
    '400 html, parked 200 text 1', 'as there, with a type');
$r->case("Content-Encoding: $_->[0]", $_->[1])
    for map { my $e = $_; [$e, sub { my ($c) = @_; $c->session;
        $c->post('4x', 'Content-Encoding' => $e), $c->fate }] }
        'gzip', 'identity';


# how long a body is

for (
    ['as long as it may be', '4' . 'x' x ($max - 1)],
    ['a byte longer', '4' . 'x' x $max, '413 close, lives', $rest],
    ['characters, not bytes, fit', '4' . "\xe2\x82\xac" x 3334,
     '413 close, lives', $rest],
    ['base64 that fits', 'b' . 'A' x ($max - 4)],
    ['base64 that fits when decoded', 'b' . 'A' x $max, '413 close, lives',
     $rest],
    ['packets that fit', join "\x1e", ('4x') x 3333],
    ['one packet more', join("\x1e", ('4x') x 3334), '413 close, lives',
     $rest],
) {
    my ($name, $body, @ours) = @$_;

    $r->case($name, sub { my ($c) = @_; $c->session; $c->post($body), $c->fate
                        }, @ours);
}

$r->case('over the limit, and a GET is parked', sub {
    my ($c) = @_;

    $c->session->park;
    $c->post('4' . 'x' x 20000), $c->post('4y'), $c->parked, $c->fate;
}, '413 close, 200 html ok, parked 200 text 4y, lives', $rest);


# chunks

for (
    ['a chunk', "2\r\n4x\r\n0\r\n\r\n"],
    ['many', join '', "1\r\n4\r\n", "1\r\nx\r\n" x 500, "0\r\n\r\n"],
    ['an extension', "2;a=b\r\n4x\r\n0\r\n\r\n"],
    ['a trailer', "2\r\n4x\r\n0\r\nX: y\r\n\r\n"],
    ['size x', "x\r\n4x\r\n0\r\n\r\n", '400 close, lives', $unseen],
    ['size -2', "-2\r\n4x\r\n0\r\n\r\n", '400 close, lives', $unseen],
    ['size 0x2', "0x2\r\n4x\r\n0\r\n\r\n", '400 close, lives', $unseen],
    ['size over 64 bits', 'F' x 17 . "\r\n4x\r\n0\r\n\r\n",
     '400 close, lives', $unseen],
    ['a wrong size', "2\r\n4xyz\r\n0\r\n\r\n", '400 close, lives', $unseen],
    ['bare LF', "2\n4x\n0\n\n", $lives, 'RFC 9112, 2.2'],
    ['no bytes', "0\r\n\r\n", '400 html, gone', $empty],
    ['as many as there may be', "2710\r\n4" . 'x' x ($max - 1)
     . "\r\n0\r\n\r\n"],
    ['one more', "2711\r\n4" . 'x' x $max . "\r\n0\r\n\r\n",
     '413 close, lives', $rest],
) {
    my ($name, $body, @ours) = @$_;

    $r->case("in chunks: $name", sub { my ($c) = @_; $c->session;
        $c->http($c->request(POST => $c->query, body => $body,
                 headers => { 'Transfer-Encoding' => 'chunked' })), $c->fate
                               }, @ours);
}


# what stands for the length, and how many answers that gives

my $coding = 'nginx knows no coding but "chunked"';
my $chunk = "2\r\n4x\r\n0\r\n\r\n";
my $get = "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";

for (
    ['two lengths', 1, "Content-Length: 2\r\n" x 2, '4x'],
    ['two different ones', 1, "Content-Length: 2\r\nContent-Length: 3\r\n",
     '4xy'],
    ['a length and chunks', 1, "Content-Length: 2\r\n"
     . "Transfer-Encoding: chunked\r\n", $chunk],
    map({ ["length \"$_\"", 1, "Content-Length: $_\r\n", '4x'] }
        '2, 2', '+2', '-2', '2x', '0x2', '', '1e1', '9' x 20),
    ['chunked twice', 1, "Transfer-Encoding: chunked\r\n" x 2, $chunk],
    ['gzip, chunked', 1, "Transfer-Encoding: gzip, chunked\r\n", $chunk,
     '501 close, lives', $coding],
    ['xchunked', 1, "Transfer-Encoding: xchunked\r\n", $chunk,
     '501 close, lives', $coding],
    ['identity', 1, "Transfer-Encoding: identity\r\nContent-Length: 2\r\n",
     '4x', '501 close, lives', $coding],
    ['a request behind the body', 2, "Content-Length: 2\r\n", "4x$get"],
    ['more than the length says', 2, "Content-Length: 2\r\n", "4x4y\r\n\r\n",
     '200 html ok + 400 close, lives 4x', 'the answer to the first comes too'],
    ['Expect: 100-continue', 2, "Expect: 100-continue\r\nContent-Length: 2\r\n"
     . "Connection: close\r\n", '4x'],
    ['Expect: something else', 1, "Expect: 200-ok\r\nContent-Length: 2\r\n",
     '4x', $lives, 'nginx takes what it does not know for nothing'],
    ['Expect, over the limit', 1, "Expect: 100-continue\r\nContent-Length: "
     . "20000\r\n", '', '413 close, lives',
     'who asks is told before the body'],
    ['Upgrade', 1, "Content-Length: 2\r\nUpgrade: websocket\r\nConnection: "
     . "upgrade\r\n", '4x', $lives, 'proxies say so with every request'],
    ['Upgrade: h2c', 1, "Content-Length: 2\r\nUpgrade: h2c\r\nConnection: "
     . "upgrade\r\n", '4x', $lives, 'RFC 9110, 7.8: it may be ignored'],
) {
    my ($name, $n, $headers, $body, @ours) = @$_;

    $r->case($name, sub { my ($c) = @_; $c->session;
        $c->http('POST ' . $c->query . " HTTP/1.1\r\nHost: x\r\n$headers\r\n"
                 . $body, $n), $c->fate }, @ours);
}


# bodies where none belongs

$r->case('a handshake with a body', sub { my ($c) = @_;
    $c->http($c->request(GET => $c->query, body => 'hello') . $get, 2) });
$r->case('a GET with a body', sub { my ($c) = @_; $c->session;
    $c->post('4x'),
    $c->http($c->request(GET => $c->query, body => '4y') . $get, 2),
    $c->fate });

for my $method (qw( PUT DELETE PATCH OPTIONS PROPFIND )) {
    $r->case("$method to a session", sub { my ($c) = @_; $c->session;
        $c->http($c->request($method => $c->query, body => '4x')), $c->fate },
        '400 json {"code":2,"message":"Bad handshake method"}, lives',
        'a 500 would be counted as a fault of the server');
}

$r->done;
