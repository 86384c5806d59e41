#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Requests that are none, or ask for what is not there: nginx beside the
# reference server.  prove -v prints what both say.

use strict;
use warnings;

use lib 't/lib';
use Test::Realtime::Reference;

my $r = Test::Realtime::Reference->new('engine');

my $open = '200 text OPEN["websocket"]';

sub error {
    my ($code, $text) = @_;

    return qq(400 json {"code":$code,"message":"$text"});
}


my $transport = error(0, 'Transport unknown');
my $sid = error(1, 'Session ID unknown');
my $method = error(2, 'Bad handshake method');
my $version = error(5, 'Unsupported protocol version');

my $core = 'nginx refuses it before the module';
my $first = 'the first of an argument counts in nginx, the last in Node.js';
my $plain = 'arguments are compared as they stand';
my $case = 'in nginx the case of an argument does not matter';


# first lines, and headers with their empty line

my $path = '/engine/?EIO=4&transport=polling';
my $host = "Host: x\r\n";
my $end = " HTTP/1.1\r\n$host\r\n";

for (
    ['HTTP/1.0', "GET $path HTTP/1.0\r\n\r\n"],
    ['HTTP/1.0, alive', "GET $path HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"],
    ['HTTP/1.2', "GET $path HTTP/1.2\r\n$host\r\n", $open,
     'RFC 9110, 2.5: it is answered as 1.1'],
    ['HTTP/2.0 that is not', "GET $path HTTP/2.0\r\n$host\r\n", '505 close',
     $core],
    ['HTTP/2 where it is not spoken', "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ['http/1.1', "GET $path http/1.1\r\n$host\r\n"],
    ['two spaces', "GET  $path$end"],
    ['bare LF', "GET $path HTTP/1.1\nHost: x\n\n", $open,
     'RFC 9112, 2.2: it may be taken for a line'],
    ['empty lines before', "\r\n\r\nGET $path$end"],
    ['no Host', "GET $path HTTP/1.1\r\n\r\n"],
    ['two Hosts', "GET $path HTTP/1.1\r\n$host$host\r\n", '400 close',
     'RFC 9112, 3.2'],
    ['a space before the colon', "GET $path HTTP/1.1\r\n${host}X : y\r\n\r\n"],
    ['a folded header', "GET $path HTTP/1.1\r\n${host}X: y\r\n z\r\n\r\n"],
    ['a header without a colon', "GET $path HTTP/1.1\r\n${host}X\r\n\r\n",
     $open, 'nginx skips the line: ignore_invalid_headers'],
    ['NUL in a header', "GET $path HTTP/1.1\r\n${host}X: a\0b\r\n\r\n"],
    ['a header of 9000', "GET $path HTTP/1.1\r\n${host}X: " . 'a' x 9000
     . "\r\n\r\n", '400 close', 'over large_client_header_buffers'],
    ['two hundred headers', "GET $path HTTP/1.1\r\n$host"
     . join('', map { "X$_: a\r\n" } 1 .. 200) . "\r\n"],

    ['a method of nobody', "FOO $path$end", $method,
     'told as with every other method'],
    ['get', "get $path$end"],
    ['TRACE', "TRACE $path$end", '405 close', $core],
    map({ [$_, "$_ $path HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n"] }
        qw( OPTIONS PUT DELETE PATCH POST PROPFIND )),

    ['an absolute URL', "GET http://x$path$end", $open,
     'RFC 9112, 3.2.2: servers must take it'],
    ['no slash behind the path', 'GET /engine?EIO=4&transport=polling' . $end],
    ['more behind the path', 'GET /engine/a/b?EIO=4&transport=polling' . $end],
    ['two slashes', "GET /$path$end", $open, 'nginx: merge_slashes'],
    ['a path with dots', "GET /engine/..$path$end"],
    ['a path out of the root', "GET /engine/../../..$path$end", '400 close',
     $core],
    ['a path in percents', "GET /%65ngine/?EIO=4&transport=polling$end",
     $open, 'nginx decodes a path'],
    ['NUL in the path', "GET /engine/%00?EIO=4&transport=polling$end",
     '400 close', $core],
    ['a fragment', "GET $path#x$end"],
    ['OPTIONS *', "OPTIONS *$end", '400 close', $core],
    ['two handshakes in a pipeline', "GET $path$end" x 2],
) {
    my ($name, $bytes, @ours) = @$_;

    $r->case($name, sub { $_[0]->http($bytes, $bytes =~ /HTTP.*HTTP/s ? 2 : 1)
                        }, @ours);
}

$r->case('HEAD', sub { $_[0]->http("HEAD $path$end", 1, head => 1) });


# queries

for (
    ['', undef], ['?', undef],
    ['EIO=3&EIO=4&transport=polling', $version, $first],
    ['EIO=4&EIO=3&transport=polling', $open, $first],
    ['EIO=4&transport=x&transport=polling', $transport, $first],
    ['EIO=4&transport=polling&transport=x', $open, $first],
    ['EIO=4&transport=poll%69ng', $transport, $plain],
    ['E%49O=4&transport=polling', $version, $plain],
    ['eio=4&transport=polling', $open, $case],
    ['EIO=4&TRANSPORT=polling', $open, $case],
    map({ [$_] } 'EIO=+4&transport=polling', 'EIO=4%00&transport=polling',
        'EIO=4;transport=polling', '?EIO=4&transport=polling',
        'EIO=4&transport=polling?', 'EIO=4&transport=POLLING',
        'EIO=4.0&transport=polling', 'EIO=0x4&transport=polling',
        'EIO[]=4&transport=polling', 'EIO=4&transport[]=polling',
        'EIO=5&transport=polling', 'EIO=4&transport=webtransport',
        'transport=constructor&EIO=4', 'transport=polling', 'EIO=4',
        'EIO=4&transport=polling&b64=1', 'EIO=4&transport=polling&x=%zz%&%',
        'EIO=4&transport=polling&supportsBinary=false',
        'EIO=4&transport=polling&t=' . 'x' x 7000,
        'EIO=4&transport=polling&sid=', 'EIO=4&transport=polling&sid',
        'EIO=4&transport=polling&sid=__proto__',
        'EIO=4&transport=polling&sid=' . 'A' x 7000,
        'EIO=4&transport=polling&sid=%41%00'),
    ['EIO=4&transport=polling&sid=' . "\xc3\xa9" x 10, $sid,
     'nginx takes bytes over 0x7f in a URL'],
    ['EIO=4&transport=polling&j=0', $open,
     'no client of Engine.IO 4 reads JSONP, and any site could'],
    ['EIO=4&transport=polling&j=<b>', $open, 'so nothing of it comes back'],
) {
    my ($query, @ours) = @$_;

    $r->case('?' . substr($query, 0, 50), sub {
        $_[0]->http("GET /engine/?$query$end");
    }, @ours);
}

# the same over HTTP/2 as the reference server says in HTTP/1.1

for my $query ('EIO=4&transport=x', 'EIO=3&transport=polling',
               'EIO=4&transport=polling&sid=x', 'EIO=4&transport=websocket')
{
    $r->http2("HTTP/2: ?$query", "/engine/?$query");
    $r->http2("HTTP/2: DELETE ?$query", "/engine/?$query", '-X', 'DELETE');
}

$r->done;
