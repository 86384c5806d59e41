#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Where a request may come from is one decision, and the WebSocket handshake,
# a write that a cookie vouches for, and the CORS headers all keep to it.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::Bad;

my $t = Test::Realtime->new(database => 1, http => <<'EOH',
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=1;
    realtime_message_relay on;
    realtime_jwt_key HS256 file:%%KEY%%;
EOH
    server => <<'EOS')->start;
        location /own/ {
            realtime_socket;
            realtime_chat;

            location /own/rest/ { realtime_chat; }
        }

        location /listed/ {
            realtime_allowed_origins https://app.example.com
                http://localhost:3000 https://*.example.org:8443
                HTTPS://Up.Example.NET https://b.test:443
                http://[2001:db8::1]:3000 capacitor://localhost;
            realtime_socket;
            realtime_chat;

            location /listed/rest/ { realtime_chat; }
        }

        location /any/ {
            realtime_allowed_origins *;
            realtime_socket;
            realtime_chat;

            location /any/rest/ { realtime_chat; }
        }

        location /null/ {
            realtime_allowed_origins null https://app.example.com;
            realtime_socket;
            realtime_chat;

            location /null/rest/ { realtime_chat; }
        }

        location /status { realtime_status; }
EOS

my $token = $t->token('alice');

sub path { "/$_[0]/?EIO=4&transport=websocket" }


sub headers_of {
    my ($row) = @_;

    return (Host => $row->[3] // 'localhost', Origin => $row->[1]);
}


sub name {
    my ($where, $origin, undef, $host) = @{$_[0]};

    $origin //= 'no Origin';
    $origin =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;
    $origin = substr($origin, 0, 60) . '...' if length $origin > 60;

    return "$where, $origin" . ($host ? " at $host" : '');
}


# what the two doors say to a request with the token in its cookie

sub handshake {
    my ($where, %headers) = @_;

    my $ws = $t->ws(path => path($where), headers =>
                    { Cookie => "accessToken=$token", %headers });

    return $ws->status == 101 ? 'open' : $ws->status . ' ' . $ws->body;
}


sub rest {
    my ($where, %headers) = @_;

    my $r = $t->post("/$where/rest/conversations", body => 'x', cookie => "accessToken=$token",
                     headers => \%headers);
    my $h = $r->{headers};

    return join ' | ', $r->{json}{code} // $r->{body},
                       $h->{'access-control-allow-origin'} // '-',
                       $h->{'access-control-allow-credentials'} // '-',
                       $h->{vary} // '-';
}


# the verdicts: handshake, REST; a media type is what a trusted one gets wrong

my $forbidden = '403 Forbidden';

my %verdict = (
    trusted => ['open', 'unsupported_media_type | %s | true | Origin'],
    any     => ['open', 'token_missing | * | - | Origin'],
    null    => ['open', 'token_missing | null | - | Origin'],
    foreign => [$forbidden, 'origin_not_allowed | - | - | -'],
    none    => ['open', 'origin_not_allowed | - | - | -'],
    control => ['400 Bad request', 'origin_not_allowed | - | - | -'],
);

my $app = 'https://app.example.com';
my $long = join '.', ('x' x 60) x 4;

my @rows = (
    # location, Origin, verdict, Host if it is not localhost
    ['own', undef, 'none'],
    ['own', 'http://localhost', 'trusted'],
    ['own', 'HTTP://LocalHost', 'trusted'],
    ['own', 'http://localhost:80', 'trusted'],
    ['own', 'http://localhost', 'trusted', 'localhost:80'],
    ['own', 'http://localhost', 'trusted', 'LOCALHOST'],
    ['own', 'http://localhost:8080', 'trusted', 'localhost:8080'],
    ['own', 'http://[::1]:81', 'trusted', '[::1]:81'],
    ['own', 'http://a.test.', 'trusted', 'a.test.'],
    ['own', 'http://a.test.', 'foreign', 'a.test'],
    ['own', 'http://a.test', 'foreign', 'a.test.'],
    ['own', 'http://localhost', 'foreign', 'localhost:8080'],
    ['own', 'http://localhost:8080', 'foreign'],
    ['own', 'https://localhost', 'foreign'],
    ['own', 'https://localhost:80', 'foreign'],
    ['own', 'ws://localhost', 'foreign'],
    ['own', $app, 'foreign'],
    ['own', 'null', 'foreign'],
    ['own', '', 'foreign'],
    ['own', 'localhost', 'foreign'],
    ['own', '//localhost', 'foreign'],
    ['own', '://localhost', 'foreign'],
    ['own', 'http:/localhost', 'foreign'],
    ['own', 'http:localhost', 'foreign'],
    ['own', 'http://', 'foreign'],
    ['own', 'http://:80', 'foreign'],
    ['own', '1http://localhost', 'foreign'],
    ['own', 'http://localhost/', 'foreign'],
    ['own', 'http://localhost?', 'foreign'],
    ['own', 'http://localhost#', 'foreign'],
    ['own', 'http://localhost\\@evil.test', 'foreign'],
    ['own', 'http://evil@localhost', 'foreign'],
    ['own', 'http://localhost@evil.test', 'foreign'],
    ['own', 'http://localhost:80@evil.test', 'foreign'],
    ['own', 'http://local%68ost', 'foreign'],
    ['own', 'http://localhost.', 'foreign'],
    ['own', 'http://localhost..', 'foreign'],
    ['own', 'http://.localhost', 'foreign'],
    ['own', 'http://xlocalhost', 'foreign'],
    ['own', 'http://localhostx', 'foreign'],
    ['own', 'http://localhost:', 'foreign'],
    ['own', 'http://localhost:080', 'foreign'],
    ['own', 'http://localhost:0', 'foreign'],
    ['own', 'http://localhost:65616', 'foreign'],
    ['own', 'http://localhost:4294967376', 'foreign'],
    ['own', 'http://localhost:+80', 'foreign'],
    ['own', 'http://localhost:-80', 'foreign'],
    ['own', 'http://localhost:80:80', 'foreign'],
    ['own', 'http://localhost:8o', 'foreign'],
    ['own', 'http://localhost http://localhost', 'foreign'],
    ['own', 'http://localhost, http://localhost', 'foreign'],
    ['own', "http://localhost\r\nOrigin: http://localhost", 'foreign'],
    ['own', "http://localhost\r\norigin: $app", 'foreign'],
    ['own', "http://localhost\xc3\xa9", 'foreign'],
    ['own', "http://localhost\x01", 'control'],
    ['own', "\x1fhttp://localhost", 'control'],
    ['own', "http://local\thost", 'control'],
    ['own', "http://localhost\x7f", 'control'],
    ['own', "http://$long", 'trusted', $long],
    ['own', "http://$long.0123456789abc", 'foreign', "$long.0123456789abc"],
    ['own', 'http://' . 'a' x 7000, 'foreign'],
    ['own', 'http://localhost:' . '8' x 7000, 'foreign'],
    ['own', 'http://[::1', 'foreign', '[::1]'],
    ['own', 'http://[::1]x', 'foreign', '[::1]'],
    ['own', 'http://[]', 'foreign', '[::1]'],
    ['own', 'http://[::1%25lo]', 'foreign', '[::1]'],

    ['listed', undef, 'none'],
    ['listed', $app, 'trusted'],
    ['listed', 'HTTPS://APP.EXAMPLE.COM', 'trusted'],
    ['listed', "$app:443", 'trusted'],
    ['listed', 'http://localhost', 'trusted'],
    ['listed', 'http://localhost:3000', 'trusted'],
    ['listed', 'https://up.example.net', 'trusted'],
    ['listed', 'https://b.test', 'trusted'],
    ['listed', 'capacitor://localhost', 'trusted'],
    ['listed', 'http://[2001:DB8::1]:3000', 'trusted'],
    ['listed', 'https://a.example.org:8443', 'trusted'],
    ['listed', 'https://a.b.EXAMPLE.org:8443', 'trusted'],
    ['listed', 'https://example.org:8443', 'foreign'],
    ['listed', 'https://.example.org:8443', 'foreign'],
    ['listed', 'https://a..example.org:8443', 'foreign'],
    ['listed', 'https://*.example.org:8443', 'foreign'],
    ['listed', 'https://aexample.org:8443', 'foreign'],
    ['listed', 'https://evil.test?.example.org:8443', 'foreign'],
    ['listed', 'https://evil.test/.example.org:8443', 'foreign'],
    ['listed', 'https://evil.test@a.example.org:8443', 'foreign'],
    ['listed', 'https://a.example.org.:8443', 'foreign'],
    ['listed', 'https://a.example.org', 'foreign'],
    ['listed', 'https://a.example.org:443', 'foreign'],
    ['listed', 'http://a.example.org:8443', 'foreign'],
    ['listed', 'https://a.example.org:8443.evil.test', 'foreign'],
    ['listed', 'http://app.example.com', 'foreign'],
    ['listed', 'http://app.example.com:443', 'foreign'],
    ['listed', "$app.", 'foreign'],
    ['listed', "$app.evil.test", 'foreign'],
    ['listed', 'https://x.app.example.com', 'foreign'],
    ['listed', 'https://example.com', 'foreign'],
    ['listed', 'capacitor://localhost:80', 'foreign'],
    ['listed', 'null', 'foreign'],
    ['listed', '*', 'foreign'],
    ['listed', "$app\r\nOrigin: $app", 'foreign'],

    ['any', undef, 'none'],
    ['any', $app, 'any'],
    ['any', 'null', 'any'],
    ['any', 'file://', 'any'],
    ['any', 'http://localhost', 'trusted'],
    ['any', "$app\r\nOrigin: $app", 'foreign'],
    ['any', "http://a\x01", 'control'],

    ['null', 'null', 'null'],
    ['null', 'NULL', 'foreign'],
    ['null', 'null.', 'foreign'],
    ['null', 'nullnull', 'foreign'],
    ['null', $app, 'trusted'],
    ['null', 'https://b.test', 'foreign'],
);

# a control byte below * has no say: there is nothing to believe

for (@rows) {
    my ($where, $origin, $verdict, $host) = @$_;

    my $reply = $verdict{$verdict eq 'control' && $where eq 'any'
                         ? 'any' : $verdict}[1];

    is(rest($where, headers_of($_)),
       $reply =~ s/%s/$origin/r, 'REST: ' . name($_));
}

my $good = $t->connect('good', path => path('own'));

my $bad = Test::Realtime::Bad->new($t, sub {
    $good->ask(message => { recipientId => 'nobody', conversationId => 'c',
                            message => 'x' })->{status};
});

for (@rows) {
    my ($where, $origin, $verdict) = @$_;
    my $row = $_;
    my $open = $verdict{$verdict}[0];

    my $line = $open eq 'open' ? undef : 'handshake refused: '
               . ($verdict eq 'control' ? 'control characters in Origin'
                                        : 'Origin not allowed');

    $bad->case('socket: ' . name($row), $open,
               $line && 'handshakes_refused', $line,
               sub { handshake($where, headers_of($row)) });
}

done_testing();
