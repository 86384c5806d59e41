#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# The token of a request is looked for where the configuration says, in its
# order, and nowhere else.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::JWT;

# nobody gets as far as the database

my $HTTP = <<'EOT';
    realtime_zone main 16m;
    realtime_database "host=%%DIR%% dbname=none";
EOT

my $t = Test::Realtime->new(http => $HTTP, level => 'info',
                            server => <<'EOT');
        realtime_jwt_key HS256 file:%%KEY%%;

        location /default/ {
            realtime_chat;
        }

        location /bearer/ {
            realtime_token_source bearer cookie;
            realtime_chat;
        }

        location /session/ {
            realtime_token_source cookie=app.session;
            realtime_chat;
        }

        location /query/ {
            realtime_token_source bearer query=access_token;
            realtime_chat;
        }

        location /auth/ {
            realtime_token_source auth;
            realtime_chat;
        }
EOT

my $good = $t->token('alice');
my $bad = 'x.y.z';

my $cookie = sub { { cookie => $_[0] } };
my $header = sub { { headers => { Authorization => $_[0] } } };
my $both = sub { { cookie => "accessToken=$_[0]", token => $_[1] } };

my @cases = (
    ['nothing', '/default', {}, 'missing'],

    # cookies
    ['cookie', '/default', $cookie->("accessToken=$good"), 'ok'],
    ['cookie among others', '/default',
     $cookie->("a=1; accessToken=$good; z=2"), 'ok'],
    ['cookies without spaces', '/default',
     $cookie->("a=1;accessToken=$good;z=2"), 'ok'],
    ['cookie in quotes', '/default', $cookie->("accessToken=\"$good\""),
     'ok'],
    ['cookie in two headers', '/default',
     $cookie->("a=1\r\nCookie: accessToken=$good"), 'ok'],
    ['cookie name in another case', '/default',
     $cookie->("accesstoken=$good"), 'missing'],
    ['cookie name longer', '/default', $cookie->("accessToken2=$good"),
     'missing'],
    ['cookie name shorter', '/default', $cookie->("accessToke=$good"),
     'missing'],
    ['cookie name at an end', '/default', $cookie->("xaccessToken=$good"),
     'missing'],
    ['cookie name within a value', '/default',
     $cookie->("a=accessToken=$good"), 'missing'],
    ['cookie name alone', '/default', $cookie->('accessToken'), 'missing'],
    ['cookie empty', '/default', $cookie->('accessToken='), 'missing'],
    ['cookie of empty quotes', '/default', $cookie->('accessToken=""'),
     'missing'],
    ['cookie empty, then another of its name', '/default',
     $cookie->("accessToken=; accessToken=$good"), 'ok'],
    ['the first cookie counts', '/default',
     $cookie->("accessToken=$bad; accessToken=$good"), 'invalid'],
    ['cookie header of semicolons', '/default', $cookie->(';;; ;=;==;'),
     'missing'],
    ['cookie of one quote', '/default', $cookie->('accessToken="'),
     'invalid', 'three parts'],
    ['another cookie name', '/session', $cookie->("app.session=$good"),
     'ok'],
    ['the default name where it is another', '/session',
     $cookie->("accessToken=$good"), 'missing'],

    # Authorization
    ['Bearer', '/default', $header->("Bearer $good"), 'ok'],
    ['bearer', '/default', $header->("bearer $good"), 'ok'],
    ['BEARER and two spaces', '/default', $header->("BEARER  $good"), 'ok'],
    ['Bearer without token', '/default', $header->('Bearer'), 'invalid',
     'empty'],
    ['Bearer of two words', '/default', $header->("Bearer $good $good"),
     'invalid'],
    ['Bearer of a list', '/default', $header->("Bearer $good, $good"),
     'invalid'],
    ['Bearer joined to the token', '/default', $header->("Bearer$good"),
     'missing'],
    ['Basic', '/default', $header->('Basic YTpi'), 'missing'],
    ['the token alone', '/default', $header->($good), 'missing'],
    ['Authorization empty', '/default', $header->(''), 'missing'],

    # order
    ['a bad cookie is not excused', '/default', $both->($bad, $good),
     'invalid'],
    ['a good cookie excuses the header', '/default', $both->($good, $bad),
     'ok'],
    ['an empty cookie is none', '/default', $both->('', $good), 'ok'],
    ['Bearer first', '/bearer', $both->($bad, $good), 'ok'],
    ['Bearer first, and bad', '/bearer', $both->($good, $bad), 'invalid'],
    ['Basic first, then the cookie', '/bearer',
     { cookie => "accessToken=$good",
       headers => { Authorization => 'Basic YTpi' } }, 'ok'],
    ['Bearer where only the cookie counts', '/session', $good, 'missing'],
    ['cookie where only the query counts', '/query',
     $cookie->("accessToken=$good"), 'missing'],
    ['neither where only auth counts', '/auth', $both->($good, $good),
     'missing'],

    # the query
    (map { ["?$_->[0]", "/$_->[1]", { query => $_->[0] }, $_->[2]] }
         ["token=$good", 'default', 'missing'],
         ["access_token=$good", 'query', 'ok'],
         ["a=1&access_token=$good&b=2", 'query', 'ok'],
         ["access_token=", 'query', 'missing'],
         ["access_token=$bad", 'query', 'invalid'],
         ["xaccess_token=$good", 'query', 'missing'],
         ["token=$good", 'query', 'missing']),
);

plan tests => 1 + @cases;

$t->start;

try_tokens($t, @cases);

my $r = $t->http_raw("GET /default/nothing HTTP/1.1\r\nHost: localhost\r\n"
                     . "Connection: close\r\nAuthorization: Bearer $good\r\n"
                     . "Authorization: Bearer $good\r\n\r\n");

is($r->{status}, 400, 'two Authorization headers');
