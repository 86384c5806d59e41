#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A token with a good signature is accepted only in its time, from its issuer,
# for its audience, and with a user.

use strict;
use warnings;
use utf8;

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
        realtime_jwt_require leeway=20s;

        location /socket.io/ {
            realtime_socket;
        }

        location /plain/ {
            realtime_chat;
        }

        location /strict/ {
            realtime_jwt_require iss=https://id.example/ aud=chat;
            realtime_jwt_require exp=required leeway=0s;
            realtime_chat;
        }

        location /uid/ {
            realtime_jwt_user_claim https://id.example/uid username;
            realtime_chat;
        }
EOT

my $now = time;

my $text = sub { jwt_encode({ alg => 'HS256', key => $t->secret }, @_) };

# claims beside those that make a good token; undef leaves one out

my $with = sub {
    my %c = (id => 'alice', exp => $now + 600, @_);
    delete @c{grep { !defined $c{$_} } keys %c};
    return $text->(\%c);
};

my $strict = sub { $with->(iss => 'https://id.example/', aud => 'chat', @_) };

my ($late, $early, $type) = ('has expired', 'not valid yet', 'not a number');
my $issued = 'in the future';
my ($iss, $aud) = ('iss is not', 'aud does not');
my ($nobody, $long, $control) = ('no claim', 'longer than', 'control');

my @cases = (
    # exp
    ['no exp', '/plain', $with->(exp => undef), 'ok'],
    ['exp a second ago, leeway 20 s', '/plain', $with->(exp => $now - 1),
     'ok'],
    ['exp a second ago, no leeway', '/strict', $strict->(exp => $now - 1),
     'invalid', $late],
    ['exp now', '/strict', $strict->(exp => $now), 'invalid', $late],
    ['exp 60 s ago', '/plain', $with->(exp => $now - 60), 'invalid', $late],
    ['exp in milliseconds', '/plain', $with->(exp => $now * 1000), 'ok'],
    ['exp with a fraction', '/plain', $with->(exp => $now + 600.5), 'ok'],
    ['exp 0', '/plain', $with->(exp => 0), 'invalid', $late],
    ['exp negative', '/plain', $with->(exp => -1), 'invalid', $late],
    ['exp 1e300', '/plain', $text->('{"id":"a","exp":1e300}'), 'ok'],
    ['exp -1e300', '/plain', $text->('{"id":"a","exp":-1e300}'), 'invalid',
     $late],
    ['exp 1e400', '/plain', $text->('{"id":"a","exp":1e400}'), 'invalid'],
    ['exp NaN', '/plain', $text->('{"id":"a","exp":NaN}'), 'invalid'],
    ['exp of 19 digits', '/plain',
     $text->('{"id":"a","exp":9223372036854775807}'), 'ok'],
    (map { ["exp $_", '/plain', $text->("{\"id\":\"a\",\"exp\":$_}"),
            'invalid', $type] }
         '"' . ($now + 600) . '"', 'null', 'true', '[]', '{}', '""'),
    ['exp required and absent', '/strict', $strict->(exp => undef),
     'invalid', 'has no exp'],

    # nbf, iat
    ['nbf now', '/plain', $with->(nbf => $now), 'ok'],
    ['nbf in 10 s, leeway 20 s', '/plain', $with->(nbf => $now + 10), 'ok'],
    ['nbf in 60 s', '/plain', $with->(nbf => $now + 60), 'invalid', $early],
    ['nbf a string', '/plain', $with->(nbf => "$now"), 'invalid', $type],
    ['nbf 1e300', '/plain', $text->('{"id":"a","nbf":1e300}'), 'invalid',
     $early],
    ['nbf negative', '/plain', $with->(nbf => -5), 'ok'],
    ['iat now', '/plain', $with->(iat => $now), 'ok'],
    ['iat in 60 s', '/plain', $with->(iat => $now + 60), 'invalid',
     $issued],
    ['iat a list', '/plain', $with->(iat => [$now]), 'invalid', $type],

    # iss, aud
    ['iss and aud as required', '/strict', $strict->(), 'ok'],
    ['iss and aud not required', '/plain', $with->(iss => 1, aud => {}),
     'ok'],
    ['iss absent', '/strict', $strict->(iss => undef), 'invalid', $iss],
    ['iss longer', '/strict', $strict->(iss => 'https://id.example/x'),
     'invalid', $iss],
    ['iss shorter', '/strict', $strict->(iss => 'https://id.example'),
     'invalid', $iss],
    ['iss a list', '/strict', $strict->(iss => ['https://id.example/']),
     'invalid', $iss],
    ['aud absent', '/strict', $strict->(aud => undef), 'invalid', $aud],
    ['aud another', '/strict', $strict->(aud => 'Chat'), 'invalid', $aud],
    ['aud a list with it', '/strict', $strict->(aud => ['x', 1, 'chat']),
     'ok'],
    ['aud a list without it', '/strict', $strict->(aud => ['x', ['chat']]),
     'invalid', $aud],
    ['aud an empty list', '/strict', $strict->(aud => []), 'invalid', $aud],
    ['aud an object', '/strict', $strict->(aud => { chat => 1 }), 'invalid',
     $aud],

    # the payload
    (map { ["payload $_", '/plain', $text->($_), 'invalid'] }
         '[]', '"id"', '1', 'null', '{"id":"a"', '{"id":"a"} x', "\xff",
         '{"id":"a","x":' . '[' x 200 . ']' x 200 . '}'),
    ['exp twice: the last one counts', '/plain',
     $text->("{\"id\":\"a\",\"exp\":9e9,\"exp\":1}"), 'invalid', $late],

    # the user
    ['sub for want of id', '/plain', $with->(id => undef, sub => 'bob'),
     'ok'],
    ['sub for want of text in id', '/plain', $with->(id => '', sub => 'b'),
     'ok'],
    ['sub where id is a number', '/plain', $with->(id => 7, sub => 'b'),
     'ok'],
    ['id goes before sub', '/plain',
     $with->(id => 'x' x 129, sub => 'bob'), 'payload', $long],
    ['a refresh token: only userId', '/plain',
     $with->(id => undef, userId => 'alice'), 'payload', $nobody],
    ['no user at all', '/plain', $text->('{}'), 'payload', $nobody],
    (map { ["id $_", '/plain', $text->("{\"id\":$_}"), 'payload', $nobody] }
         '7', '""', 'null', 'true', '["alice"]', '{"id":"alice"}'),
    ['id of 128 bytes', '/plain', $with->(id => 'x' x 128), 'ok'],
    ['id of 129 bytes', '/plain', $with->(id => 'x' x 129), 'payload',
     $long],
    ['id of 65 letters, 130 bytes', '/plain', $with->(id => 'é' x 65),
     'payload', $long],
    ['id with a space and quotes', '/plain', $with->(id => 'a "b" <c>'),
     'ok'],
    ['id beyond ASCII', '/plain', $with->(id => 'Zoë 日本 🙂'), 'ok'],
    (map { ["id with $_", '/plain', $text->("{\"id\":\"a${_}b\"}"),
            'payload', $control] } '\n', '\t', '\u0001', '\u007f'),
    ['id with a lone surrogate', '/plain', $text->('{"id":"a\ud800"}'),
     'invalid'],
    ['id with a NUL', '/plain', $text->('{"id":"a\u0000b"}'), 'invalid'],
    ['another claim', '/uid', $with->('https://id.example/uid' => 'u'),
     'ok'],
    ['the second claim', '/uid', $with->(username => 'u'), 'ok'],
    ['id where it does not count', '/uid', $with->(sub => 'alice'),
     'payload', $nobody],
    ['expired and without user', '/plain', $with->(id => undef, exp => 1),
     'invalid', $late],
);

my $name = 'Zoë "日本" 🙂';

my @users = (
    [{ id => 'alice', sub => 'bob' }, 'alice'],
    [{ id => '', sub => 'bob' }, 'bob'],
    [{ id => $name }, $name],
);

plan tests => @cases + @users;

$t->start;

try_tokens($t, @cases);

for my $user (@users) {
    my $c = $t->connect(undef, token => $text->($user->[0]));
    my ($hello) = $c->event('connected', 5);

    is($hello->{userId}, $user->[1], 'the user of the socket');
}
