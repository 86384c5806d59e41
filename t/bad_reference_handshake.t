#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# WebSocket handshakes that are none: nginx beside the reference server.

use strict;
use warnings;

use lib 't/lib';
use Test::Realtime::Raw qw( text );
use Test::Realtime::Reference;

my $r = Test::Realtime::Reference->new('engine');

my $bad = '400 html close Bad request';
my $old = '426 html close 13 Bad request';

my $ours = 'engine.io has the words of ws here, and we its own';
my $twice = 'a list over two lines, RFC 9110, 5.3';
my $upgrade = 'RFC 9110, 7.8: it lists what the client would take';
my $only = 'RFC 6455, 4.2.2: 426, and 13 is the only one';
my $opened = 'it is refused before it is open, not after';
my $body = 'what is behind a handshake are frames, and never a body';
my $unused = 'we speak none, whatever is offered';

my %h = (Host => 'x', Upgrade => 'websocket', Connection => 'Upgrade',
         'Sec-WebSocket-Version' => 13,
         'Sec-WebSocket-Key' => 'AAAAAAAAAAAAAAAAAAAAAA==');


sub handshake {
    my ($c, %o) = @_;

    my $method = $o{method} // 'GET';

    return $c->request($method => $c->query(transport => 'websocket',
                                            %{$o{query} // {}}),
                       headers => { %h, %{$o{headers} // {}} },
                       version => $o{version}) . ($o{first} // '');
}


sub refused {
    my ($name, $request, @ours) = @_;

    $r->case($name, sub { my ($c) = @_;
        $c->http(handshake($c, %$request), 1) }, @ours);
}


sub headers { return { headers => {@_} } }
sub query   { return { query => {@_} } }

my $key = 'Sec-WebSocket-Key';
my $version = 'Sec-WebSocket-Version';
my $protocol = 'Sec-WebSocket-Protocol';
my $extensions = 'Sec-WebSocket-Extensions';

# headers

refused(@$_) for
    ['nothing wrong', {}],
    ['Upgrade: WebSocket', headers(Upgrade => 'WebSocket')],
    ['Upgrade: h2c, websocket', headers(Upgrade => 'h2c, websocket'), '101',
     $upgrade],
    ['Upgrade: websocket/13', headers(Upgrade => 'websocket/13'), $bad, $ours],
    ['Upgrade twice', headers(Upgrade => "websocket\r\nUpgrade: h2c"), '101',
     $upgrade],
    ['no Upgrade', headers(Upgrade => undef)],
    ['Connection: Upgrade in the second',
     headers(Connection => "keep-alive\r\nConnection: Upgrade")],
    ['Connection: Upgrade in the first',
     headers(Connection => "Upgrade\r\nConnection: keep-alive")],
    ['Connection: close, Upgrade', headers(Connection => 'close, Upgrade')],
    ['no Connection', headers(Connection => undef), $bad,
     'who says Upgrade is answered as a WebSocket'],
    ['Connection: close', headers(Connection => 'close'), $bad,
     'who says Upgrade is answered as a WebSocket'],

    ['a key with spaces', headers($key => " $h{$key} ")],
    ['a key with bits left over', headers($key => 'A' x 21 . 'B==')],
    ['no key', headers($key => undef), $bad, $ours],
    ['an empty key', headers($key => ''), $bad, $ours],
    ['a short key', headers($key => 'AAAA'), $bad, $ours],
    ['the key twice', headers($key => "$h{$key}\r\n$key: $h{$key}"), $bad,
     $ours],

    ['version " 13"', headers($version => ' 13')],
    ['version 8', headers($version => 8), $old, $only],
    ['version 013', headers($version => '013'), $old, $only],
    ['no version', headers($version => undef), $old, $only],
    map({ ["version \"$_\"", headers($version => $_), $old, $only] }
        7, 12, 14, '13, 8', ''),
    ['the version twice', headers($version => "13\r\n$version: 13"), $old,
     $only],

    ['protocols', headers($protocol => 'chat, superchat')],
    ['a protocol twice', headers($protocol => 'a, a'), '101', $unused],
    ['no protocols', headers($protocol => 'a,,b;'), '101', $unused],
    map({ ["extensions $_", headers($extensions => $_)] }
        'permessage-deflate', 'permessage-deflate; server_max_window_bits=99',
        'x-webkit-deflate-frame', ';;="');

# method, version, body

refused("$_, Upgrade", { method => $_ }) for qw( POST PUT OPTIONS DELETE );
refused(@$_) for
    ['HTTP/1.0', { version => '1.0' }, $bad, 'RFC 6455, 4.1: 1.1 or higher'],
    ['Content-Length: 0', headers('Content-Length' => 0)],
    ['a body', { %{headers('Content-Length' => 5)}, first => 'hello' }, $bad,
     $body],
    ['a body in chunks', { %{headers('Transfer-Encoding' => 'chunked')},
                           first => "0\r\n\r\n" }, $bad, $body];

# query

refused(@$_) for
    ['transport=x', query(transport => 'x')],
    ['no transport', query(transport => undef)],
    ['transport=polling', query(transport => 'polling'),
     '200 text OPEN["websocket"]', 'transport says what it is'],
    ['EIO=3', query(EIO => 3), '400 html close Unsupported protocol version',
     $opened],
    ['EIO=5', query(EIO => 5), '400 html close Unsupported protocol version',
     $opened],
    ['no EIO', query(EIO => undef),
     '400 html close Unsupported protocol version', $opened],
    ['an empty sid', query(sid => '')], ['j=1', query(j => 1)],
    ['a sid of nobody', query(sid => 'A' x 20)],
    ['a short sid', query(sid => 'x')], ['b64=1', query(b64 => 1)];

# of a session, which goes on

for (
    ['nothing wrong', {}], ['no Upgrade', headers(Upgrade => undef)],
    ['Upgrade: h2c', headers(Upgrade => 'h2c'), "$bad, lives", $ours],
    ['no version', headers($version => undef),
     '400 html close 13 Bad request, lives', $ours],
    ['a short key', headers($key => 'AAAA'), "$bad, lives", $ours],
    ['POST', { method => 'POST' }, "$bad, lives", $ours],
    ['EIO=3', query(EIO => 3), '101, lives', 'the first handshake has said it'],
) {
    my ($name, $request, @ours) = @$_;

    $r->case("for a session: $name", sub { my ($c) = @_; $c->session;
        $c->http(handshake($c, %$request)), $c->fate }, @ours);
}

# behind other requests, and before other bytes

my $get = "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";

$r->case('behind a GET', sub { my ($c) = @_; $c->http($get . handshake($c), 2)
                             });
$r->case('behind a handshake of polling', sub { my ($c) = @_;
    $c->http($c->request(GET => $c->query) . handshake($c), 2) },
    '200 text OPEN["websocket"] + 101', 'answers come in the order asked for');
$r->case('behind a GET that waits', sub { my ($c) = @_; $c->session;
    my $s = $c->tcp;
    syswrite $s, $c->request(GET => $c->query) . handshake($c, query => {
        sid => undef });
    $c->post('4x'), $c->answers($s, 2) },
    '200 html ok, 200 text 4x, 101', 'answers come in the order asked for');
$r->case('with frames behind it', sub { my ($c) = @_;
    my ($ws, $no) = $c->opened(first => text('4a') . text('4b'));
    $no // $c->hear($ws, '') }, '4a 4b lives',
    'the reference server loses what it did not wait for');
$r->case('with half a frame behind it', sub { my ($c) = @_;
    my $frame = text('4abc');
    my ($ws, $no) = $c->opened(first => substr $frame, 0, 4);
    $no // $c->hear($ws, substr $frame, 4) });
$r->case('with a bad frame behind it', sub { my ($c) = @_;
    my ($ws, $no) = $c->opened(first => "\xff\xff");
    $no // $c->hear($ws, '') }, 'close 1002 end',
    'the reference server leaves the connection open');

$r->done;
