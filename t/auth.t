#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A token is accepted only with the algorithm, the key and the form that the
# configuration pins.

use strict;
use warnings;

use MIME::Base64 qw( encode_base64 encode_base64url decode_base64url );
use Test::More;

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::JWT;

# nobody gets as far as the database

my $HTTP = <<'EOT';
    realtime_zone main 16m;
    realtime_database "host=%%DIR%% dbname=none";
    large_client_header_buffers 4 16k;
EOT

my $t = Test::Realtime->new(http => $HTTP, level => 'info',
                            server => <<'EOT');
        realtime_jwt_key HS256 file:%%KEY%%;

        location /hs/ {
            realtime_chat;
        }

        location /rs/ {
            realtime_jwt_key RS256 file:rsa.pem;
            realtime_chat;
        }

        location /all/ {
            realtime_jwt_key HS256 file:%%KEY%%;
            realtime_jwt_key HS384 file:%%KEY%%;
            realtime_jwt_key HS512 file:%%KEY%%;
            realtime_jwt_key RS256 file:rsa.pem;
            realtime_jwt_key RS384 file:rsa.pem;
            realtime_jwt_key RS512 file:rsa.crt;
            realtime_jwt_key PS256 file:rsa.pem;
            realtime_jwt_key PS384 file:pss384.pem;
            realtime_jwt_key PS512 file:rsa.pem;
            realtime_jwt_key ES256 file:p256.pem;
            realtime_jwt_key ES384 file:p384.pem;
            realtime_jwt_key ES512 file:p521.pem;
            realtime_jwt_key EdDSA file:ed25519.pem;
            realtime_chat;
        }

        location /kid/ {
            realtime_jwt_key HS256 "secret:January, a secret of 32 bytes"
                             kid=jan;
            realtime_jwt_key HS256 "secret:February, a secret of 32 bytes"
                             kid=feb;
            realtime_jwt_key HS384 "secret:always, a secret of 32 bytes";
            realtime_chat;
        }
EOT

my %key;

for my $kind (qw( rsa p256 p384 p521 ed25519 pss384 )) {
    my ($private, $public) = jwt_key_pair($t->dir, $kind);
    rename $public, $t->dir . "/$kind.pem";
    $key{$kind} = $private;
}

rename jwt_certificate($key{rsa}), $t->dir . '/rsa.crt';

my $pem = $t->slurp('rsa.pem');
my $now = time;
my %claims = (id => 'alice', exp => $now + 600);

sub hs  { jwt_encode({ alg => 'HS256', key => $t->secret, @_ }, \%claims) }
sub rs  { jwt_encode({ alg => 'RS256', key => $key{rsa}, @_ }, \%claims) }
sub by  { jwt_encode({ alg => $_[0], key => $_[1] }, \%claims) }
sub kid { jwt_encode({ alg => $_[0], key => "$_[1], a secret of 32 bytes",
                       header => { kid => $_[2] } }, \%claims) }

my ($head, $body, $sig) = split /\./, hs();
my ($rhead, $rbody, $rsig) = split /\./, rs();
my (undef, $body2) = split /\./, jwt_encode({ alg => 'none' },
                                            { %claims, id => 'bob' });

# base64url of 32 bytes ends with 4 data bits and 2 unused ones: set those

my $last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
(my $loose = $rsig) =~ s/(.)$/substr $last, index($last, $1) + 1, 1/e;
my $ebody = join '.', (split /\./, by('ES256', $key{p256}))[0, 1];
my $esig = jwt_sign('ES256', $key{p256}, $ebody);

my @accepted = map { ["$_->[0]", '/all', by(@$_), 'ok'] } (
    (map { [$_, $t->secret] } qw( HS256 HS384 HS512 )),
    (map { [$_, $key{rsa}] } qw( RS256 RS384 RS512 PS256 PS512 )),
    ['PS384', $key{pss384}], ['ES256', $key{p256}], ['ES384', $key{p384}],
    ['ES512', $key{p521}], ['EdDSA', $key{ed25519}],
);

# The same with the last bytes of the signature spoilt.

my @spoilt = map {
    my ($name, $path, $token) = @$_;
    my ($text, $s) = $token =~ /^(.*)\.(.*)$/;
    my $bytes = decode_base64url($s);
    substr($bytes, -1) ^= "\1";
    ["$name, spoilt", $path, "$text." . encode_base64url($bytes), 'invalid',
     'signature'];
} @accepted;

my $key_word = 'no configured key';
my $part = 'not base64url';
my $dots = 'three parts';
my $json = 'header is not a JSON object';

my @cases = (
    @accepted, @spoilt,

    # keys that are not the ones, algorithms that are not pinned
    ['HS256 with another secret', '/hs', hs(key => 'x' x 32), 'invalid',
     'signature'],
    ['RS256 with another key', '/rs',
     by('RS256', (jwt_key_pair($t->dir, 'rsa'))[0]), 'invalid', 'signature'],
    ['HS256 where a location has a key of its own', '/rs', hs(), 'invalid',
     $key_word],
    ['HS256 made with the public key', '/rs', hs(key => $pem), 'invalid',
     $key_word],
    ['the same, all algorithms configured', '/all', hs(key => $pem),
     'invalid', 'signature'],
    ['HS256 said to be RS256', '/rs',
     hs(key => $pem, header => { alg => 'RS256' }), 'invalid', 'signature'],
    ['PS256 where RS256 is pinned', '/rs', by('PS256', $key{rsa}),
     'invalid', $key_word],
    ['PS256 said to be RS256', '/rs',
     jwt_encode({ alg => 'PS256', key => $key{rsa},
                  header => { alg => 'RS256' } }, \%claims), 'invalid',
     'signature'],
    ['HS512 where HS256 is pinned', '/hs', by('HS512', $t->secret),
     'invalid', $key_word],
    ['ES256 as DER', '/all',
     "$ebody." . encode_base64url("0E\2!\0" . substr($esig, 0, 32) . "\2 "
                                  . substr $esig, 32), 'invalid',
     'signature'],
    ['ES256 of zeros', '/all', "$ebody." . encode_base64url("\0" x 64),
     'invalid', 'signature'],
    ['ES256 with a byte more', '/all', "$ebody."
     . encode_base64url("$esig\0"), 'invalid', 'signature'],

    (map { ["alg $_", '/all', hs(header => { alg => $_ }), 'invalid',
            $key_word] } qw( none None nOnE NONE hs256 ), 'HS256 ', '',
            "HS256\0", 'ES256K', 'HS256,none'),
    ['alg none without signature', '/all',
     by('none') . encode_base64url('x'), 'invalid', $key_word],
    ['alg a list', '/hs', hs(header => { alg => ['HS256'] }), 'invalid',
     'alg is not a string'],
    ['alg null', '/hs', hs(header => { alg => undef }), 'invalid',
     'alg is not a string'],
    ['alg absent', '/hs', hs(header_text => '{"typ":"JWT"}'), 'invalid',
     'alg is not a string'],
    ['alg twice', '/hs', hs(header_text => '{"alg":"HS256","alg":"none"}'),
     'invalid', $key_word],

    # headers
    ['header a list', '/hs', hs(header_text => '["HS256"]'), 'invalid',
     $json],
    ['header not JSON', '/hs', hs(header_text => '{"alg":"HS256"'),
     'invalid', $json],
    ['header with a NUL after it', '/hs',
     hs(header_text => "{\"alg\":\"HS256\"}\0"), 'invalid', $json],
    ['header not UTF-8', '/hs',
     hs(header_text => "{\"alg\":\"HS256\",\"x\":\"\xff\"}"), 'invalid',
     $json],
    ['header of depth 1000', '/hs', hs(header_text => '{"x":' . '[' x 1000
     . ']' x 1000 . ',"alg":"HS256"}'), 'invalid', $json],
    ['crit', '/hs', hs(header => { crit => ['exp'] }), 'invalid',
     'critical'],
    ['crit empty', '/hs', hs(header => { crit => [] }), 'invalid',
     'critical'],
    ['no typ', '/hs', hs(header_text => '{"alg":"HS256"}'), 'ok'],
    ['typ at+jwt', '/rs', rs(header => { typ => 'at+jwt' }), 'ok'],
    ['jwk and jku of the sender', '/rs',
     hs(key => 'x', header => { alg => 'RS256', jku => 'http://x/',
                                jwk => { kty => 'oct', k => 'eA' } }),
     'invalid', 'signature'],

    # kid
    ['kid jan', '/kid', kid('HS256', 'January', 'jan'), 'ok'],
    ['kid feb', '/kid', kid('HS256', 'February', 'feb'), 'ok'],
    ['kid of the other key', '/kid', kid('HS256', 'January', 'feb'),
     'invalid', 'signature'],
    ['kid unknown', '/kid', kid('HS256', 'January', 'mar'), 'invalid',
     $key_word],
    ['kid with a NUL', '/kid', kid('HS256', 'January', "jan\0"), 'invalid'],
    ['kid a number', '/kid', kid('HS256', 'January', 1), 'invalid',
     'kid is not a string'],
    ['kid null', '/kid', kid('HS256', 'January', undef), 'invalid',
     'kid is not a string'],
    ['any kid for a key without', '/kid', kid('HS384', 'always', '../..'),
     'ok'],
    ['no kid: every key is tried', '/kid',
     by('HS256', 'February, a secret of 32 bytes'), 'ok'],

    # the form
    ['another payload under the signature', '/hs', "$head.$body2.$sig",
     'invalid', 'signature'],
    ['one part', '/hs', $head, 'invalid', $dots],
    ['two parts', '/hs', "$head.$body", 'invalid', $dots],
    ['four parts', '/hs', "$head.$body.$sig.$sig", 'invalid', $dots],
    ['five parts, as JWE', '/hs', "$head.$body.$sig.$sig.$sig", 'invalid',
     $dots],
    ['dots only', '/hs', '..', 'invalid', $part],
    ['no header', '/hs', ".$body.$sig", 'invalid', $part],
    ['no payload', '/hs', "$head..$sig", 'invalid', $part],
    ['no signature', '/hs', "$head.$body.", 'invalid', $part],
    ['signature with padding', '/hs', "$head.$body.$sig=", 'invalid', $part],
    ['signature of 4n + 1', '/hs', "$head.$body.${sig}AA", 'invalid', $part],
    ['signature cut', '/hs', "$head.$body." . substr($sig, 0, 20),
     'invalid', 'signature'],
    ['signature with unused bits set', '/rs', "$rhead.$rbody.$loose",
     'invalid', $part],
    ['base64 instead of base64url', '/hs', "$head.$body." . '+/' x 20,
     'invalid', $part],
    ['foreign characters', '/hs', "$head.$body.\xe2\x80\x8b$sig", 'invalid',
     $part],
    ['a space within', '/hs', "$head. $body.$sig", 'invalid', $part],
    ['a NUL escaped', '/hs', "$head.$body%00.$sig", 'invalid', $part],
    ['just under 8 kB', '/hs',
     jwt_encode({ alg => 'HS256', key => $t->secret },
                { %claims, x => 'y' x 5900 }), 'ok'],
    ['over 8 kB', '/hs',
     jwt_encode({ alg => 'HS256', key => $t->secret },
                { %claims, x => 'y' x 6200 }), 'invalid', 'longer than'],
    ['8 kB of dots', '/hs', '.' x 8000, 'invalid', $dots],
    ['8 kB of A', '/hs', ('A' x 4000) . '.' . ('A' x 4000) . '.AAAA',
     'invalid', $json],
);

plan tests => scalar @cases;

$t->start;

try_tokens($t, @cases);
