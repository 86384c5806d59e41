#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A worker remembers which tokens it has verified; what it must not remember is
# anything else: each is shown twice, and only what holds at that moment counts.

use strict;
use warnings;

use MIME::Base64 qw( decode_base64url encode_base64url );
use Test::More;

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::JWT;

my $OTHER = 'another secret, of 32 bytes and m';

my $t = Test::Realtime->new(workers => 1, level => 'info',
                            server => <<'EOT')->start;
        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_jwt_require leeway=0;

        location /socket.io/ {
            realtime_socket;
        }

        location /other/ {
            realtime_jwt_key HS256 "secret:another secret, of 32 bytes and m";
            realtime_socket;
        }

        location /issuer/ {
            realtime_jwt_require leeway=0 iss=home;
            realtime_socket;
        }
EOT


sub status {
    my ($path, $token) = @_;

    return $t->http(GET => "/$path/?EIO=4&transport=polling",
                    headers => { Authorization => "Bearer $token" })->{status};
}


sub twice {
    my ($path, $token, $expected, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is(status($path, $token), $expected, $name) for 1, 2;
}


# whom a token names, as the log has it

sub user {
    my ($token) = @_;
    my $c = $t->connect(undef, token => $token);

    $t->wait_log(qr/socket: "\Q@{[$c->sid]}\E"/);

    my ($user) = $t->log =~ /user: "([^"]*)"[^\n]*socket: "\Q@{[$c->sid]}\E"/;

    $c->close;

    return $user;
}


my $token = $t->token('alice');
my ($text, $signature) = $token =~ /^(.*)\.(.*)$/;
my $spoilt = decode_base64url($signature);
substr($spoilt, -1) ^= "\1";

twice('socket.io', $token, 200, 'a token');
twice('socket.io', "$text." . encode_base64url($spoilt), 403,
      'its signature spoilt');
twice('socket.io', "$text.", 403, 'without a signature');
twice('other', $token, 403, 'where there is another key');
twice('issuer', $token, 403, 'where an issuer is required, and the same key');
twice('other', jwt_encode({ alg => 'HS256', key => $OTHER },
                          { id => 'alice', exp => time + 600 }), 200,
      'a token of the other key');
twice('socket.io', jwt_encode({ alg => 'HS256', key => $OTHER },
                              { id => 'alice', exp => time + 600 }), 403,
      'elsewhere');

my $short = $t->token('alice', exp => time + 3);

is(status('socket.io', $short), 200, 'a token of 3 seconds');
ok(Test::Realtime::wait_for(10, sub { status('socket.io', $short) == 403 }),
   'is known, and over');

my $soon = $t->token('alice', nbf => time + 3);

is(status('socket.io', $soon), 403, 'a token of the future');
ok(Test::Realtime::wait_for(10, sub { status('socket.io', $soon) == 200 }),
   'is good when it is time');

# more than the table has places for

my @many = map { $t->token("user $_") } 1 .. 1500;

is(scalar(grep { status('socket.io', $_) != 200 } @many), 0, 'many tokens');
is(scalar(grep { status('socket.io', $_) != 200 } @many), 0, 'again');

# and whom they name

my @few = map { $t->token("somebody $_") } 1 .. 40;

is_deeply([map { user($_) } @few, @few],
          [map { "somebody $_" } 1 .. 40, 1 .. 40],
          'a known token names whom it named');

# a reload takes the key away

open my $key, '>', $t->key_file or die "key: $!\n";
print $key 'a new secret, of at least 32 bytes';
close $key;

$t->reload;
twice('socket.io', $token, 403, 'after its key was replaced');

done_testing();
