#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A token that auth_refresh does not take is refused as anywhere else, and
# leaves the socket as it was.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::Bad;
use Test::Realtime::JWT;

my $t = Test::Realtime->new(server => <<'EOT')->start;
        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_jwt_require leeway=1s;

        location /socket.io/ {
            realtime_socket;
        }

        location /strict/ {
            realtime_jwt_key HS256 "secret:another one, of 32 bytes or more";
            realtime_jwt_require exp=required aud=chat;
            realtime_socket;
        }

        location /status {
            realtime_status json;
        }
EOT

my $bad = Test::Realtime::Bad->new($t, sub {
    my $c = $t->connect('good');
    my ($connected) = $c->event('connected');
    $c->close;
    return $connected->{userId};
});

my $hour = int(time) + 3600;
my $strict = 'another one, of 32 bytes or more';

sub strict {
    jwt_encode({ alg => 'HS256', key => $strict },
               { id => 'ann', exp => $hour, aud => 'chat', @_ });
}

my $ann = $t->connect('ann');
my $there = $t->connect('ann', token => strict(),
                        path => '/strict/?EIO=4&transport=websocket');

my %texts = (
    payload_invalid => 'The payload must be an object',
    token_invalid => 'Invalid or expired token',
    token_missing => 'Missing authentication token',
    token_payload => 'Invalid token payload',
);


# the arguments as JSON; with an ack id, and without

sub refused {
    my ($name, $args, $code, $why, $c) = @_;

    my %answer = (code => $code, message => $texts{$code});
    my $counters = $code =~ /^token/ ? [qw( auth_refused events_refused )]
                                     : 'events_refused';

    $c //= $ann;

    $bad->case($name, { status => 'error', %answer }, $counters,
               "auth_refresh: " . ($why // $code), sub {
        my $id = $c->{ack}++;
        $c->ws->send(qq(42${id}["auth_refresh"$args]));
        return $c->ack($id, 2);
    });

    $bad->case("$name, without an ack", { %answer, event => 'auth_refresh' },
               $counters, "auth_refresh: " . ($why // $code), sub {
        $c->ws->send(qq(42["auth_refresh"$args]));
        return $c->event('error', 2);
    });
}


sub token_refused {
    my ($name, $token, @rest) = @_;

    refused($name, qq(,{"token":"$token"}), @rest);
}


refused('no payload', '', 'payload_invalid');
refused("payload $_", ",$_", 'payload_invalid')
    for 'null', '1', '"x"', '[]', 'true';
refused('the token itself', ',"' . $t->token('ann') . '"', 'payload_invalid');

refused('no token', ',{}', 'token_missing');
refused('another key', ',{"Token":"x"}', 'token_missing');
refused('null', ',{"token":null}', 'token_missing');
refused('empty', ',{"token":""}', 'token_missing');

refused("token $_", qq(,{"token":$_}), 'token_invalid',
        'the token is no string')
    for 1, 'true', '[]', '{}', '["' . $t->token('ann') . '"]',
        '"half a pair \ud800"';

my ($head, $body, $sig) = split /\./, $t->token('ann');
my $signature = 'the signature does not match';
my $key = 'no configured key has the alg and kid of the token';

token_refused('a word', 'x', 'token_invalid',
              'the token is not three parts with dots between');
token_refused('with a NUL', "$head.$body.$sig\\u0000", 'token_invalid',
              'a part of the token is empty or not base64url');
token_refused('of 100 kB', 'x' x 100_000, 'token_invalid',
              'the token is longer than 8192 bytes');
token_refused('of 100 kB in escapes', '\u0041' x 16_000, 'token_invalid',
              'the token is longer than 8192 bytes');
token_refused('alg none', jwt_encode({ alg => 'none' }, { id => 'ann' }) . 'eA',
              'token_invalid', $key);
token_refused('with the signature of another',
              "$head.$body." . (split /\./, $t->token('bob'))[2],
              'token_invalid', $signature);
token_refused('of another location', strict(), 'token_invalid', $signature);

token_refused('expired', $t->token('ann', exp => int(time) - 2),
              'token_invalid', 'the token has expired');
token_refused('not yet valid', $t->token('ann', nbf => $hour),
              'token_invalid', 'the token is not valid yet');
token_refused('of another user', $t->token('bob'), 'token_payload',
              'the token names another user');
token_refused('of a longer name', $t->token('ann '), 'token_payload',
              'the token names another user');
token_refused('of the name in capitals', $t->token('Ann'), 'token_payload',
              'the token names another user');
token_refused('of nobody', $t->token(undef), 'token_payload',
              'no claim names a user');

token_refused('of the server', $t->token('ann'), 'token_invalid', $signature,
              $there);
token_refused('without the exp that is required', strict(exp => undef),
              'token_invalid', 'exp, nbf or iat is not a number', $there);
token_refused('for another audience', strict(aud => 'x'), 'token_invalid',
              'aud does not name the required audience', $there);

is($there->ask('auth_refresh', { token => strict() })->{status}, 'success',
   'and its own is good');


# the socket ends when it would have

$ann = $t->connect('ann', token => $t->token('ann', exp => int(time) + 1));

is($ann->ask('auth_refresh', { token => $t->token('bob') })->{code},
   'token_payload', 'refused just before the end');
is($ann->event('error', 5)->{code}, 'token_expired', 'which comes');

done_testing();
