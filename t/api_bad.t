#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Who has no business with "realtime_api" learns so, and what a back end gets
# wrong has an answer that says what.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::JWT qw( jwt_encode );

my $t = Test::Realtime->new(workers => 2, server => <<'EOT')->start;
        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_max_payload 100k;

        location /socket.io/ {
            realtime_socket;
        }

        location /realtime/api/ {
            realtime_api;
            realtime_api_key HS256 "secret:the secret of the back end: 32 bytes+";
            realtime_api_role service;
            client_max_body_size 200k;
        }

        location /both/ {
            realtime_api;
            realtime_api_role service claim=roles;
        }

        location /open/ {
            realtime_api;
            realtime_api_access nginx;
        }

        location /guarded/ {
            realtime_api;
            realtime_api_access nginx;
            deny all;
        }

        location ~ ^/v\d+/back {
            realtime_api;
            realtime_api_access nginx;
        }

        location /status {
            realtime_status json;
        }
EOT

sub service {
    my ($claims, %o) = @_;

    return jwt_encode({ alg => 'HS256', %o,
                        key => $o{key} // 'the secret of the back end: 32 bytes+' },
                      $claims // {});
}

my $good = service();


# -- who may: a path, what the request has, status, code

my @who = (
    ['no token', '/realtime/api', {}, 401, 'token_missing'],
    ['an empty one', '/realtime/api',
     { headers => { Authorization => 'Bearer ' } }, 403,
     'service_not_allowed'],
    ['another scheme', '/realtime/api',
     { headers => { Authorization => 'Basic YTpi' } }, 401, 'token_missing'],
    ['a cookie with a good one', '/realtime/api',
     { cookie => "accessToken=$good" }, 401, 'token_missing'],
    ['one in the query', '/realtime/api', { query => "?token=$good" }, 401,
     'token_missing'],
    ['nonsense', '/realtime/api', { token => 'x' }, 403,
     'service_not_allowed'],
    ['another secret', '/realtime/api',
     { token => service({}, key => 'x' x 40) }, 403, 'service_not_allowed'],
    ['another algorithm', '/realtime/api',
     { token => service({}, alg => 'HS512') }, 403, 'service_not_allowed'],
    ['"none"', '/realtime/api',
     { token => 'eyJhbGciOiJub25lIn0.e30.' }, 403, 'service_not_allowed'],
    ['an expired one', '/realtime/api',
     { token => service({ exp => time - 60 }) }, 403, 'service_not_allowed'],
    ['one for later', '/realtime/api',
     { token => service({ nbf => time + 60 }) }, 403, 'service_not_allowed'],
    ['a user', '/realtime/api', { token => $t->token('ann') }, 403,
     'service_not_allowed'],
    ['a user with another role', '/realtime/api',
     { token => $t->token('ann', role => 'services') }, 403,
     'service_not_allowed'],
    ['a role that is no string', '/realtime/api',
     { token => $t->token('ann', role => { service => 1 }) }, 403,
     'service_not_allowed'],
    ['the role in another claim', '/both',
     { token => $t->token('ann', role => 'service') }, 403,
     'service_not_allowed'],
    ['a key of another location', '/both', { token => $good }, 403,
     'service_not_allowed'],
    ['whom nginx denies', '/guarded', { token => $good }, 403,
     'access_denied'],

    ['a service', '/realtime/api', { token => $good }, 200],
    ['one with claims', '/realtime/api',
     { token => service({ sub => 'billing', exp => time + 60 }) }, 200],
    ['a user with the role', '/realtime/api',
     { token => $t->token('ann', role => 'service') }, 200],
    ['a list of roles', '/both',
     { token => $t->token('ann', roles => ['a', 'service']) }, 200],
    ['whom nginx lets in', '/open', {}, 200],
    ['a regular expression', '/v1/back', {}, 200],
);

for (@who) {
    my ($name, $base, $o, $status, $code) = @$_;

    check($name, $t->http(GET => "$base/users/count" . ($o->{query} // ''),
                          %$o), $status, $code);
}


# -- what they ask: method, path, body, status, code

my $long = 'x' x 129;
my $json = 'application/json';

my @bad = (
    ['an unknown path', GET => '/nothing', undef, 404, 'endpoint_not_found'],
    ['no path', GET => '/', undef, 404, 'endpoint_not_found'],
    ['no user', GET => '/users/', undef, 404, 'endpoint_not_found'],
    ['more than a user', GET => '/users/a/b', undef, 404,
     'endpoint_not_found'],
    ['chat is elsewhere', GET => '/conversations', undef, 404,
     'endpoint_not_found'],
    ['a wrong method', POST => '/users/a', '{}', 405, 'method_not_allowed'],
    ['GET instead of POST', GET => '/rooms/user:a/emit', undef, 405,
     'method_not_allowed'],
    ['DELETE', DELETE => '/users/a', undef, 405, 'method_not_allowed'],
    ['a long user id', GET => "/users/$long", undef, 400, 'user_invalid'],
    ['a user id with a control', GET => '/users/a%07b', undef, 400,
     'user_invalid'],
    ['the longest user id', GET => '/users/' . 'x' x 128, undef, 200],
    ['a user id with everything', GET => '/users/%C3%A9%20%22%3C%25,%2Fa',
     undef, 404, 'endpoint_not_found'],
    ['a user id with most', GET => '/users/%C3%A9%20%22%3C%25,a', undef, 200],

    ['no JSON', POST => '/users/a/disconnect', '{', 400, 'json_malformed'],
    ['a list', POST => '/users/a/disconnect', '[]', 400, 'payload_invalid'],
    ['bad UTF-8', POST => '/users/a/disconnect', "{\"reason\":\"\xff\"}", 400,
     'json_malformed'],
    ['deep JSON', POST => '/users/a/disconnect',
     '{"a":' . '[' x 100 . ']' x 100 . '}', 400, 'json_malformed'],
    ['a reason that is a number', POST => '/users/a/disconnect',
     '{"reason":1}', 400, 'reason_invalid'],
    ['a long reason', POST => '/users/a/disconnect',
     '{"reason":"' . 'x' x 201 . '"}', 400, 'reason_invalid'],
    ['a reason of half a surrogate pair', POST => '/users/a/disconnect',
     '{"reason":"\ud800"}', 400, 'reason_invalid'],
    ['a long user to disconnect', POST => "/users/$long/disconnect", '{}',
     400, 'user_invalid'],
    ['no body to disconnect', POST => '/users/a/disconnect', '', 202],
    ['a reason that is null', POST => '/users/a/disconnect',
     '{"reason":null,"more":1}', 202],
    ['another type', POST => '/users/a/disconnect', 'a=b', 415,
     'unsupported_media_type', 'text/plain'],

    ['another room', POST => '/rooms/room/emit', '{"event":"x"}', 400,
     'room_invalid'],
    ['a room of nobody', POST => '/rooms/user:/emit', '{"event":"x"}', 400,
     'room_invalid'],
    ['a room of a long user', POST => "/rooms/user:$long/emit",
     '{"event":"x"}', 400, 'room_invalid'],
    ['a conversation', POST => '/rooms/conversation:1/emit',
     '{"event":"x"}', 400, 'room_invalid'],
    ['no event', POST => '/rooms/user:a/emit', '{}', 400, 'event_invalid'],
    ['an empty event', POST => '/rooms/user:a/emit', '{"event":""}', 400,
     'event_invalid'],
    ['an event that is a number', POST => '/rooms/user:a/emit',
     '{"event":1}', 400, 'event_invalid'],
    ['a long event', POST => '/rooms/user:a/emit', "{\"event\":\"$long\"}",
     400, 'event_invalid'],
    (map { ["the event $_", POST => '/rooms/user:a/emit',
            "{\"event\":\"$_\"}", 400, 'event_invalid'] }
         'connect', 'connect_error', 'disconnect', 'disconnecting',
         'newListener', 'removeListener', 'dis\u0063onnect'),
    ['args that are an object', POST => '/rooms/user:a/emit',
     '{"event":"x","args":{}}', 400, 'args_invalid'],
    ['args and a payload', POST => '/rooms/user:a/emit',
     '{"event":"x","args":[],"payload":1}', 400, 'args_invalid'],
    ['a number to except', POST => '/rooms/user:a/emit',
     '{"event":"x","except":1}', 400, 'except_invalid'],
    ['nobody to except', POST => '/rooms/user:a/emit',
     '{"event":"x","except":""}', 400, 'except_invalid'],
    ['a long one to except', POST => '/rooms/user:a/emit',
     "{\"event\":\"x\",\"except\":\"$long\"}", 400, 'except_invalid'],
    ['volatile, in words', POST => '/rooms/user:a/emit',
     '{"event":"x","volatile":"yes"}', 400, 'volatile_invalid'],
    (map { ["an ackTimeout of $_", POST => '/rooms/user:a/emit',
            "{\"event\":\"x\",\"ackTimeout\":$_}", 400,
            'ack_timeout_invalid'] }
         '0', '-1', '-0', '1.5', '1.0', '1e3', '"5"', 'null', 'true', '[5]',
         '{}', '30001', '4294967297', '99999999999999999999999'),
    (map { ["an ackTimeout of $_", POST => '/rooms/user:a/emit',
            "{\"event\":\"x\",\"ackTimeout\":$_}", 200] } '1', ' 30000 '),
    ['of two the last one counts', POST => '/rooms/user:a/emit',
     '{"event":"x","ackTimeout":0,"ackTimeout":1}', 200],
    ['a large event with an ack', POST => '/rooms/user:a/emit',
     '{"event":"x","ackTimeout":9,"payload":"' . 'x' x 110_000 . '"}', 413,
     'event_too_large'],
    ['a large event', POST => '/rooms/user:a/emit',
     '{"event":"x","payload":"' . 'x' x 110_000 . '"}', 413,
     'event_too_large'],
    ['a megabyte', POST => '/rooms/user:a/emit',
     '{"event":"x","payload":"' . 'x' x 1_000_000 . '"}', 413,
     'body_too_large'],
    ['no arguments', POST => '/rooms/user:a/emit',
     '{"event":"x","args":[]}', 202],
    ['a payload that is null', POST => '/rooms/user:a/emit',
     ' {"event":"x","payload":null,"except":null} ', 202],

    ['nobody to revoke', POST => '/tokens/revoke', '{}', 400,
     'revoke_invalid'],
    ['two to revoke', POST => '/tokens/revoke', '{"userId":"a","jti":"b"}',
     400, 'revoke_invalid'],
    ['an empty jti', POST => '/tokens/revoke', '{"jti":""}', 400,
     'revoke_invalid'],
    ['a jti that is a number', POST => '/tokens/revoke', '{"jti":1}', 400,
     'revoke_invalid'],
    ['an empty user', POST => '/tokens/revoke', '{"userId":""}', 400,
     'user_invalid'],
    ['a user that is a number', POST => '/tokens/revoke', '{"userId":1}',
     400, 'user_invalid'],
    (map { ["before $_", POST => '/tokens/revoke',
            "{\"userId\":\"a\",\"before\":$_}", 400, 'before_invalid'] }
         '"soon"', 'true', '-1', '1.5', '1e3', '99999999999', '"2026"',
         '"2026-13-01T00:00:00Z"', '"2026-01-01T00:00:00+01:00"',
         '"2126-01-01T00:00:00.000Z"', '999999999999999999999'),
    (map { ["expiresAt $_", POST => '/tokens/revoke',
            "{\"userId\":\"a\",\"expiresAt\":$_}", 400, 'expires_invalid'] }
         '"never"', '1', '"2020-01-01T00:00:00Z"', '"2999-01-01T00:00:00Z"'),
    ['OPTIONS', OPTIONS => '/users/a', undef, 204],
    ['HEAD', HEAD => '/users/a', undef, 200],
);

for (@bad) {
    my ($name, $method, $path, $body, $status, $code, $type) = @$_;

    my $r = $t->http($method, "/realtime/api$path", token => $good,
                     defined $body ? (body => $body, headers => {
                         'Content-Type' => $type // $json }) : ());

    check($name, $r, $status, $code);
}


# -- no page has business here

my $r = $t->http(OPTIONS => '/realtime/api/users/a', headers => {
    Origin => 'http://localhost', 'Access-Control-Request-Method' => 'GET' });

is($r->{status}, 401, 'a preflight is not answered');

$r = $t->get('/realtime/api/users/a', token => $good,
             headers => { Origin => 'http://localhost' });
is((grep { /^access-control/ } keys %{$r->{headers}}), 0,
   'no reply says that a page may read it');

is($t->get('/realtime/api/users/count')->{headers}{'www-authenticate'},
   'Bearer', 'what is missing');
like($t->http(PUT => '/realtime/api/users/a', token => $good)
        ->{headers}{allow}, qr/^GET, HEAD, OPTIONS$/, 'what is allowed');
cmp_ok($t->get('/status')->{json}{http_refused}, '>', 50,
       'refusals are counted');
like($t->log, qr/request refused: the token has not the role of a service/,
     'and in the log');

is(scalar(() = $t->log =~ /exited on signal/g), 0, 'nothing broke');

done_testing();


sub check {
    my ($name, $r, $status, $code) = @_;

    is($r->{status}, $status, "$name: $status") or diag($r->{body});

    if ($code) {
        is($r->{json}{code}, $code, "  $code");
    }
}
