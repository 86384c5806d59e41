#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A browser is told what a page of an allowed origin may do, before it does it
# and with every reply; a page of another origin is told nothing.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::JWT qw( jwt_key_pair jwt_certificate );

my $t = Test::Realtime->new(database => 1, server => <<'EOT');
        listen 127.0.0.1:%%PORT2%% ssl http2;
        ssl_certificate %%DIR%%/tls.crt;
        ssl_certificate_key %%DIR%%/tls.key;

        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_allowed_origins https://app.example.com;

        location /socket.io/ { realtime_socket; }
        location /api/chat/ { realtime_chat; }
        location /status { realtime_status; }

        location /any/ {
            realtime_allowed_origins *;
            realtime_chat;
        }

        location /any-socket/ {
            realtime_allowed_origins *;
            realtime_socket;
        }
EOT

my ($tls_key) = jwt_key_pair($t->dir, 'p256');

rename jwt_certificate($tls_key), $t->dir . '/tls.crt' or die $!;
rename $tls_key, $t->dir . '/tls.key' or die $!;

$t->start;

my ($alice, $bob) = map { $t->uuid($_) } qw( alice bob );

$t->sql("insert into users (id) values ('$alice'), ('$bob')");

my $base = '/api/chat/conversations';
my $token = $t->token($alice);
my $app = 'https://app.example.com';
my $own = 'http://localhost';
my $evil = 'https://evil.example.com';

my $polling = '/socket.io/?EIO=4&transport=polling';
my $poll = '/socket.io/?EIO=4&transport=x';

my $default = 'content-type, authorization, idempotency-key';
my $methods = 'GET,HEAD,PUT,PATCH,POST,DELETE';


# the CORS headers of a reply, by their short names

sub cors {
    my ($r) = @_;
    my %h = %{$r->{headers}};

    return { map { my $name = $_ =~ s/^access-control-(?:allow-)?//r;
                   $name => $h{$_} }
             grep { /^access-control-|^vary$/ } keys %h };
}


sub told {
    my ($r, $status, $cors, $name) = @_;

    is_deeply([$r->{status}, cors($r)], [$status, $cors], $name)
        or diag($r->{head});
}


my %none;
my %trusted = (origin => $app, credentials => 'true', vary => 'Origin');
my %any = (origin => '*', vary => 'Origin');

my %preflight = (methods => $methods, headers => $default, 'max-age' => 600,
                 vary => 'Origin, Access-Control-Request-Headers');

# preflights: path, Origin, headers asked for, status, what is told

for (
    [$base, $app, undef, 204, { %trusted, %preflight }],
    [$base, $own, undef, 204, { %trusted, %preflight, origin => $own }],
    [$base, uc $app, undef, 204,
     { %trusted, %preflight, origin => uc $app }],
    ["$base/x/messages", $app, undef, 204, { %trusted, %preflight }],
    ['/api/chat/nothing', $app, undef, 204, { %trusted, %preflight }],
    [$base, $evil, undef, 204, \%none],
    [$base, 'null', undef, 204, \%none],
    [$base, undef, undef, 204, \%none],
    [$base, "$app\r\nOrigin: $app", undef, 204, \%none],
    ['/api/chat/nothing', $evil, undef, 404, \%none],
    ['/any/conversations', $evil, undef, 204, { %any, %preflight }],
    ['/any/conversations', 'null', undef, 204, { %any, %preflight }],
    ['/any/conversations', $own, undef, 204,
     { %trusted, %preflight, origin => $own }],
    [$poll, $app, undef, 204, { %trusted, %preflight }],
    [$polling, $app, undef, 204, { %trusted, %preflight }],
    ["$polling&sid=x", $app, undef, 204, { %trusted, %preflight }],
    [$polling, $evil, undef, 400, \%none],
    [$poll, $evil, undef, 400, \%none],
    ['/any-socket/?EIO=4', $evil, 'x-a', 204,
     { %any, %preflight, headers => 'x-a' }],

    [$base, $app, 'authorization', 204,
     { %trusted, %preflight, headers => 'authorization' }],
    [$base, $app, 'X-A,content-type, x-b', 204,
     { %trusted, %preflight, headers => 'X-A,content-type, x-b' }],
    [$base, $app, "!#\$%&'*+-.^_`|~", 204,
     { %trusted, %preflight, headers => "!#\$%&'*+-.^_`|~" }],
    (map { [$base, $app, $_, 204, { %trusted, %preflight }] }
         '', 'x-a: b', 'x"a', 'x-a;b', "x\x01", "x\xc3\xa9", "x\x7f", 'a/b',
         '<script>', '(x)', 'x' x 1025),
    [$base, $app, 'x' x 1024, 204,
     { %trusted, %preflight, headers => 'x' x 1024 }],
) {
    my ($path, $origin, $asked, $status, $cors) = @$_;

    my $name = join ', ', "OPTIONS $path", $origin // 'no Origin',
                          defined $asked ? substr $asked, 0, 30 : ();
    $name =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;

    told($t->http(OPTIONS => $path, headers => {
             Origin => $origin, 'Access-Control-Request-Method' => 'POST',
             'Access-Control-Request-Headers' => $asked }),
         $status, $cors, $name);
}

my $r = $t->http(OPTIONS => $base, headers => { Origin => $app });

told($r, 204, \%trusted, 'OPTIONS that is no preflight');
is($r->{headers}{allow}, 'GET, HEAD, POST, OPTIONS', 'has Allow');
told($t->http(OPTIONS => $base, body => 'x' x 100, headers => {
         Origin => $app, 'Access-Control-Request-Method' => 'PUT' }),
     204, { %trusted, %preflight }, 'a preflight with a body');

# replies: who, method, path, body, status

for (
    [$token, GET => $base, undef, 200],
    [$token, HEAD => $base, undef, 200],
    [$token, POST => $base, { participantId => $bob }, 201],
    [$token, POST => $base, { participantId => $bob }, 200],
    [$token, POST => $base, {}, 400],
    [undef, GET => $base, undef, 401],
    ['x', GET => $base, undef, 401],
    [$token, GET => "$base/x", undef, 404],
    [$token, GET => '/api/chat/x', undef, 404],
    [$token, PUT => $base, {}, 405],
    [$token, POST => "$base/x/messages", { content => 'x' x 10001 }, 413],
) {
    my ($as, $method, $path, $json, $status) = @$_;

    for ([$app, \%trusted], [$own, { %trusted, origin => $own }],
         [$evil, \%none], [undef, \%none])
    {
        my ($origin, $cors) = @$_;

        # what is created is created once

        my $is = $status == 201 && ($origin // '') ne $app ? 200 : $status;

        told($t->http($method, $path, token => $as,
                      defined $json ? (json => $json) : (),
                      headers => { Origin => $origin }),
             $is, $cors, "$status: $method $path, " . ($origin // 'none'));
    }
}

told($t->post($base, cookie => "accessToken=$token", json => {},
              headers => { Origin => $evil }), 403, \%none,
     'a write of another origin');
told($t->post($base, cookie => "accessToken=$token",
              json => { participantId => $bob },
              headers => { Origin => $app }), 200, \%trusted,
     'a write of a listed one, by its cookie');

# handshakes that fail; the status page is none of this

told($t->get($poll, headers => { Origin => $app }), 400, \%trusted,
     'an unknown transport');
told($t->get($poll, headers => { Origin => $evil }), 400, \%none,
     'to another origin');
told($t->get('/status', headers => { Origin => $app }), 200, \%none,
     'the status page');

# polling: from the handshake to the error of nginx

my $refusal = '{"code":4,"message":"Forbidden"}';

$r = $t->get($polling, headers => { Origin => $app });
told($r, 200, \%trusted, 'a polling handshake');

my ($sid) = $r->{body} =~ /"sid":"([^"]+)"/;
my $session = "$polling&sid=$sid";

for my $method (qw( GET POST )) {
    $r = $t->http($method => $session, headers => { Origin => $evil },
                  $method eq 'POST' ? (body => '40') : ());

    told($r, 403, \%none, "$method in that session, from another origin");
    is($r->{body}, $refusal, 'and what it says');
}

told($t->post($session, body => '40', headers => { Origin => $app }), 200,
     \%trusted, 'POST in that session');
told($t->get($session, headers => { Origin => $app }), 200, \%trusted,
     'GET in that session');
told($t->get("${session}x", headers => { Origin => $app }), 400, \%trusted,
     'an error of Engine.IO');
told($t->post($session, body => 'x' x 2000000,
              headers => { Origin => $app, 'Content-Length' => 2000000 }),
     413, \%trusted, 'a body that nginx refuses');

$r = $t->get($polling, headers => { Origin => $evil });
told($r, 403, \%none, 'a handshake of another origin');
is($r->{body}, $refusal, 'and what it says');
is($r->{headers}{'content-type'}, 'application/json', 'in JSON');

my $ws = $t->ws(headers => { Origin => $app });

is($ws->status, 101, 'a handshake');
is_deeply(cors({ headers => $ws->headers }), \%none, 'has none of this');

# TLS and HTTP/2: the own origin is https, and Host is ":authority"

my $tls = 'https://localhost:' . $t->port2;

for ([$tls, 1], ["http://localhost:" . $t->port2, 0],
     ['https://localhost', 0], [$app, 1])
{
    my ($origin, $allowed) = @$_;

    for my $version ('--http1.1', '--http2') {
        my $port = $t->port2;
        my $head = qx(curl -sSk $version --resolve localhost:$port:127.0.0.1 \\
                      -m 10 -o /dev/null -D - -H "Origin: $origin" $tls$base);

        my ($is) = $head =~ /^access-control-allow-origin: (.*?)\r/mi;

        is($is, $allowed ? $origin : undef, "TLS, $version: $origin");
        like($head, qr/^HTTP\S+ 401/, 'and the reply');
    }
}

done_testing();
