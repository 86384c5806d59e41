#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A handshake that is none is answered as Engine.IO does: a status, and its
# message bare where an upgrade was asked for, in JSON where not.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::Bad;

my $t = Test::Realtime->new(server => <<'EOT')->start;
        listen 127.0.0.1:%%PORT2%% http2;

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

my @messages = ('Transport unknown', 'Session ID unknown',
                'Bad handshake method', 'Bad request', 'Forbidden',
                'Unsupported protocol version');

my ($TRANSPORT, $SID, $METHOD, $REQUEST, $FORBIDDEN, $VERSION) = 0 .. 5;

my %plain = (Upgrade => undef, Connection => 'close');


sub path { '/socket.io/?' . join '&', @_ }
sub headers { path => path('EIO=4', 'transport=websocket'),
              headers => {@_} }


# status, type, body, and what the client must do to be right

sub answer {
    my $ws = $t->ws(@_);
    my %h = %{$ws->headers};

    return 'open' if $ws->status == 101 && $ws->recv->{payload} =~ /^0\{/;

    return join ' | ', $ws->status, $h{'content-type'} // 'no type',
                       $ws->body, $h{'sec-websocket-version'} // ();
}


sub refused {
    my ($name, $code, $why, @request) = @_;

    my %o = (headers => {}, @request);
    my $upgrade = !exists $o{headers}{Upgrade} || $o{headers}{Upgrade};
    my $body = $o{method} && $o{method} eq 'HEAD' ? '' : $upgrade
               ? $messages[$code]
               : qq({"code":$code,"message":"$messages[$code]"});
    my $status = $why =~ /is not 13/ ? 426
                 : $code == $FORBIDDEN ? 403 : 400;

    $bad->case($name, join(' | ', $status,
                           $upgrade ? 'text/html' : 'application/json', $body,
                           $status == 426 ? 13 : ()),
               'handshakes_refused', "handshake refused: $why",
               sub { answer(@request) });
}


my $transport = 'transport is neither "polling" nor "websocket"';

for (
    ['no query', $TRANSPORT, $transport, path => '/socket.io/'],
    ['an empty query', $TRANSPORT, $transport, path => '/socket.io/?'],
    ['no transport', $TRANSPORT, $transport, path => path('EIO=4')],
    map({ ["transport \"$_\"", $TRANSPORT, $transport,
           path => path('EIO=4', "transport=$_")] }
        '', 'flashsocket', 'websockets', 'WebSocket', 'web%73ocket', '%00'),
    ['an unknown transport without an upgrade', $TRANSPORT, $transport,
     path => path('EIO=4', 'transport=x'), headers => {%plain}],

    map({ ["Origin with \\x" . unpack('H2', $_), $REQUEST,
           'control characters in Origin',
           headers(Origin => "http://a${_}b")] } "\x01", "\x1f", "\x7f"),
    ['the second of two Origins', $REQUEST, 'control characters in Origin',
     headers(Origin => "http://a\r\nOrigin: \x02")],

    ['a sid', $SID, 'a sid of no session here',
     path => path('EIO=4', 'transport=websocket', 'sid=' . 'x' x 20)],
    ['a sid without an upgrade', $SID, 'a sid that no session has',
     path => path('EIO=4', 'transport=websocket', 'sid=x'),
     headers => {%plain}],

    map({ [$_, $METHOD, 'the handshake is not a GET', headers(),
           method => $_] } qw( POST PUT DELETE HEAD OPTIONS PATCH )),
    ['POST without an upgrade', $METHOD, 'the handshake is not a GET',
     headers(%plain), method => 'POST'],

    map({ ['EIO ' . ($_ // 'missing'), $VERSION, 'EIO is not 4',
           path => path('transport=websocket', defined ? "EIO=$_" : ())] }
        undef, '', 3, 5, 44, '4x', '04'),

    map({ ["Origin $_", $FORBIDDEN, 'Origin not allowed',
           headers(Origin => $_)] }
        '', 'null', 'https://localhost', "http://\xc3\xa9"),

    ['no Upgrade', $REQUEST,
     'transport is "websocket", but there is no Upgrade', headers(%plain)],
    ['Upgrade to something else', $REQUEST, 'no "Upgrade: websocket"',
     headers(Upgrade => 'h2c')],
    ['Upgrade to nearly the same', $REQUEST, 'no "Upgrade: websocket"',
     headers(Upgrade => 'websocket2, xwebsocket, web socket')],
    ['no Connection', $REQUEST, 'no "Connection: Upgrade"',
     headers(Connection => undef)],
    ['Connection: keep-alive', $REQUEST, 'no "Connection: Upgrade"',
     headers(Connection => 'keep-alive')],
    ['Connection: close, upgraded', $REQUEST, 'no "Connection: Upgrade"',
     headers(Connection => 'close, upgraded')],

    map({ ['version ' . ($_ // 'missing'), $REQUEST,
           'Sec-WebSocket-Version is not 13',
           headers('Sec-WebSocket-Version' => $_)] }
        undef, '', 12, 8, 0, 113, '13, 8', 'x'),
    ['the version twice', $REQUEST, 'Sec-WebSocket-Version is not 13',
     headers('Sec-WebSocket-Version' =>
             "13\r\nSec-WebSocket-Version: 13")],

    map({ ["key $_->[0]", $REQUEST,
           'Sec-WebSocket-Key is not 16 bytes in base64',
           headers('Sec-WebSocket-Key' => $_->[1])] }
        ['missing', undef], ['empty', ''],
        ['of 15 bytes', 'AAAAAAAAAAAAAAAAAAAA'],
        ['of 17 bytes', 'AAAAAAAAAAAAAAAAAAAAAAA='],
        ['of 18 bytes', 'A' x 24], ['cut off', 'A' x 22],
        ['not base64', '?' x 22 . '=='], ['in base64url', '_' x 22 . '=='],
        ['too long', 'A' x 4000],
        ['twice', 'A' x 22 . "==\r\nSec-WebSocket-Key: " . 'B' x 21
                  . 'A==']),

    ['HTTP/1.0', $REQUEST, 'a WebSocket handshake needs HTTP/1.1', headers(),
     version => '1.0'],
    ['a body', $REQUEST, 'a WebSocket handshake with a body',
     headers('Content-Length' => 5), first => 'hello'],
    ['a body in chunks', $REQUEST, 'a WebSocket handshake with a body',
     headers('Transfer-Encoding' => 'chunked'), first => "0\r\n\r\n"],
    ['a body that never comes', $REQUEST, 'a WebSocket handshake with a body',
     headers('Content-Length' => 9)],

    ['transport is looked at first', $TRANSPORT, $transport,
     path => path('EIO=3', 'transport=x', 'sid=x'), method => 'PUT',
     headers => { Origin => "\x01" }],
    ['then Origin', $REQUEST, 'control characters in Origin',
     path => path('EIO=3', 'transport=websocket', 'sid=x'), method => 'PUT',
     headers => { Origin => "\x01" }],
    ['then sid', $SID, 'a sid that no session has', method => 'PUT',
     path => path('EIO=3', 'transport=websocket', 'sid=x')],
    ['then Upgrade', $REQUEST,
     'transport is "websocket", but there is no Upgrade',
     path => path('EIO=3', 'transport=websocket'),
     headers => {%plain, Origin => 'http://a'}],
    ['then where Origin is', $FORBIDDEN, 'Origin not allowed',
     path => path('EIO=3', 'transport=websocket'),
     headers => { Origin => 'http://a' }],
    ['then the method', $METHOD, 'the handshake is not a GET',
     path => path('EIO=3', 'transport=websocket'), method => 'PUT'],
) {
    refused(@$_);
}

# what is odd but right

for (
    ['any case', headers(Upgrade => 'WEBSOCKET', Connection => 'UPGRADE')],
    ['an empty sid', path => path('EIO=4', 'transport=websocket', 'sid=')],
    ['a list over two lines', headers(Connection =>
     "keep-alive\r\nConnection: Upgrade")],
    ['lists', headers(Upgrade => 'h2c ,websocket',
                      Connection => 'keep-alive,, Upgrade')],
    ['names in lower case', headers(Upgrade => undef, Connection => undef,
     upgrade => 'websocket', connection => 'upgrade')],
    ['a long query', path => path('EIO=4', 'transport=websocket',
                                  't=' . 'x' x 7000)],
    ['the query in another order', path => path('&&x', 'transport=websocket',
                                                '=', 'EIO=4&')],
    ['an empty body', headers('Content-Length' => 0)],
    ['a hundred headers', headers(map { ("X-$_" => $_) } 1 .. 100)],
    ['the own Origin', headers(Origin => 'http://localhost')],
) {
    my ($name, @request) = @$_;

    $bad->case($name, 'open', undef, undef, sub { answer(@request) });
}

# what nginx refuses itself

$bad->case('a query over the header buffer', 414, undef, undef,
    sub { $t->ws(path => path('x' x 9000))->status });
$bad->case('Origin with NUL', 400, undef, undef,
    sub { $t->ws(headers(Origin => "a\0b"))->status });

# HTTP/2 has no Upgrade

$bad->case('HTTP/2', '400 {"code":3,"message":"Bad request"}',
    'handshakes_refused', 'handshake refused: transport is "websocket", but '
    . 'there is no Upgrade', sub {
        my $url = 'http://127.0.0.1:' . $t->port2
                  . path('EIO=4', 'transport=websocket');

        return join ' ', reverse split /\n/,
            qx(curl -sS --http2-prior-knowledge -w '\n%{http_code}' '$url');
    });

done_testing();
