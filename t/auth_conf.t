#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A key or setting that cannot be right stops nginx with a sentence that says
# what to do, and without the secret.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::JWT;

my $t = Test::Realtime->new;

my %kind = (rsa => 'rsa', weak => 'rsa1024', p256 => 'p256', p384 => 'p384',
            k256 => 'k256', ed25519 => 'ed25519', ed448 => 'ed448',
            pss384 => 'pss384');

for my $name (keys %kind) {
    my ($private, $public) = jwt_key_pair($t->dir, $kind{$name});
    rename $private, $t->dir . "/$name.key";
    rename $public, $t->dir . "/$name.pem";
}

rename jwt_certificate($t->dir . '/p256.key'), $t->dir . '/p256.crt';

$t->file('empty', '');
$t->file('newline', "\n");
$t->file('crlf', "\r\n");
$t->file('binary', join '', map { chr } 0 .. 255);
$t->file('large', 'x' x 70000);
$t->file('broken', "-----BEGIN PUBLIC KEY-----\nAAAA\n"
                   . "-----END PUBLIC KEY-----\n");

my $long = 'secret:' . 's3' x 32;
my $curve = qr/wrong curve: ES256 needs P-256/;
my $none = qr/holds neither a PEM public key .* nor a PEM certificate/;
my ($rsa, $ec) = (qr/does not hold an RSA key/, qr/does not hold an EC key/);

# undef: nginx starts, without a warning

my @cases = (
    # HMAC
    ["key HS256 $long", undef],
    ['key HS256 file:binary', undef],
    ["key HS512 $long kid=a", undef],
    ['key HS256 file:empty', qr/secret of the HS256 key is empty/],
    ['key HS256 file:newline', qr/secret of the HS256 key is empty/],
    ['key HS256 file:crlf', qr/secret of the HS256 key is empty/],
    ['key HS256 secret:', qr/secret of the HS256 key is empty/],
    ['key HS256 file:', qr/needs the path of a key file/],
    ['key HS256 file:absent', qr/cannot open the key file ".*absent" \(2:/],
    ['key HS256 file:/', qr/is not a regular file/],
    ['key HS256 file:large', qr/larger than 65536 bytes/],
    ['key HS256 s3s3', qr/must be file:PATH or secret:TEXT/],
    ['key HS256 file:rsa.pem', qr/is a PEM key or certificate/],
    ['key HS256 file:rsa.key', qr/is a PEM key or certificate/],
    ['key HS256 secret:s3s3', qr/has 4 bytes, .* at least 32/],
    ["key HS384 secret:" . 's3' x 23, qr/has 46 bytes, .* at least 48/],

    # public keys
    ['key RS256 file:rsa.pem', undef],
    ['key PS512 file:rsa.pem kid=2024-01', undef],
    ['key PS384 file:pss384.pem', undef],
    ['key ES256 file:p256.pem', undef],
    ['key ES256 file:p256.crt', undef],
    ['key EdDSA file:ed25519.pem', undef],
    ['key RS256 secret:s3s3', qr/must be file:PATH of a PEM public key/],
    ['key RS256 file:rsa.key', qr/holds a private key: give the public key/],
    ['key EdDSA file:ed25519.key', qr/holds a private key/],
    ['key RS256 file:weak.pem', qr/RSA key of less than 2048 bits/],
    ['key RS256 file:p256.pem', $rsa],
    ['key PS256 file:ed25519.pem', $rsa],
    ['key RS384 file:pss384.pem', $rsa],
    ['key PS256 file:pss384.pem', qr/OpenSSL cannot use with this/],
    ['key ES256 file:rsa.pem', $ec],
    ['key ES256 file:p384.pem', $curve],
    ['key ES384 file:p256.pem', $curve],
    ['key ES256 file:k256.pem', $curve],
    ['key EdDSA file:ed448.pem', qr/does not hold an Ed25519 key/],
    ['key EdDSA file:p256.pem', qr/does not hold an Ed25519 key/],
    ['key RS256 file:empty', $none],
    ['key RS256 file:binary', $none],
    ['key RS256 file:broken', $none],

    # the rest of the line
    (map { ["key $_ $long", qr/does not know the algorithm "$_"/] }
         qw( none hs256 HS255 ES256K RSA )),
    ["key HS256 $long id=a", qr/third argument .* must be kid=ID/],
    ["key HS256 $long kid=", qr/third argument .* must be kid=ID/],
    ["key HS256 $long kid=a; realtime_jwt_key HS256 $long kid=a",
     qr/another HS256 key with the kid "a"/],
    ["key HS256 $long kid=a; realtime_jwt_key HS512 $long kid=a", undef],
    [join('; realtime_jwt_', ("key HS256 $long") x 17),
     qr/more than 16 keys/],
    ['key HS256', qr/invalid number of arguments/],

    # claims
    ['user_claim uid', undef],
    ['user_claim ""', qr/has an empty claim name/],
    ['user_claim a; realtime_jwt_user_claim b', qr/is duplicate/],
    ['require iss=a aud=b leeway=1m exp=required', undef],
    ['require iss=', qr/iss= is empty/],
    ['require aud=', qr/aud= is empty/],
    ['require iss=a; realtime_jwt_require iss=b', qr/iss= is given twice/],
    ['require leeway=1s leeway=2s', qr/leeway= is given twice/],
    ['require leeway=x', qr/leeway=x must be a time/],
    ['require leeway=2h', qr/must be a time of at most 1h/],
    ['require exp=yes', qr/does not know "exp=yes"/],
    ['require sub=alice', qr/does not know "sub=alice"/],
);

# directives of another prefix

push @cases, map { [$_->[0], $_->[1], 'token'] } (
    ['source query=t cookie=c bearer auth', undef],
    ['source header', qr/"header" is not a token source/],
    ['source cookie=', qr/the name in "cookie=" must be letters/],
    ['source "cookie=a b"', qr/the name in "cookie=a b" must be/],
    ['source query=a&b', qr/the name in "query=a&b" must be/],
    ['source cookie cookie=x', qr/has the source of "cookie=x" twice/],
    ['source bearer; realtime_token_source auth', qr/is duplicate/],
);

plan tests => scalar @cases;

for my $case (@cases) {
    my ($line, $expected, $prefix) = @$case;

    $t->{server} = 'realtime_' . ($prefix // 'jwt') . "_$line;\n";

    my ($status, $text) = $t->check_conf;
    my $name = length $line < 70 ? $line : substr($line, 0, 66) . '...';

    if (!defined $expected) {
        ok($status == 0 && $text !~ /\[(?:warn|emerg)\]/, "taken: $name")
            or diag($text);

    } else {
        ok($text =~ $expected && $text !~ /s3s3/
           && ($status != 0 || $text =~ /\[warn\]/), "refused: $name")
            or diag("looked for $expected in: $text");
    }
}

# what nginx said is no news by now

$t->allow(qr/\[emerg\]/);
