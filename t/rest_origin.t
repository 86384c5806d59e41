#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A write that a cookie vouches for must come from the site itself; a token
# in a header vouches for itself, and reading needs no origin.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(database => 1)->start;

my ($alice, $bob) = map { $t->uuid($_) } qw( alice bob );

$t->sql("insert into users (id) values ('$alice'), ('$bob')");

my $base = '/api/chat/conversations';
my $token = $t->token($alice);
my $cookie = "other=1; accessToken=$token";

my $own = 'http://localhost';

my @cases = (
    [{}, 403, 'no word about the origin'],
    [{ Origin => $own }, 200, 'the own origin'],
    [{ Origin => 'HTTP://LOCALHOST' }, 200, 'in capitals'],
    [{ Origin => 'https://localhost' }, 403, 'another scheme'],
    [{ Origin => "$own:8080" }, 403, 'another port'],
    [{ Origin => "$own.example.com" }, 403, 'a longer host'],
    [{ Origin => 'http://example.com' }, 403, 'another host'],
    [{ Origin => 'http://' }, 403, 'no host'],
    [{ Origin => 'null' }, 403, 'null'],
    [{ Origin => '' }, 403, 'an empty one'],
    [{ Origin => "$own:80", Host => 'localhost:80' }, 200, 'with a port'],
    [{ 'Sec-Fetch-Site' => 'same-origin' }, 200, 'the word of the browser'],
    [{ 'Sec-Fetch-Site' => 'same-site' }, 403, 'a neighbour'],
    [{ 'Sec-Fetch-Site' => 'cross-site' }, 403, 'a stranger'],
    [{ 'Sec-Fetch-Site' => 'none' }, 403, 'nobody'],
    [{ 'Sec-Fetch-Site' => 'cross-site', Origin => 'http://example.com' },
     403, 'a stranger who says so'],
);

$t->post($base, token => $token, json => { participantId => $bob });

for (@cases) {
    my ($headers, $status, $name) = @$_;

    my $r = $t->post($base, cookie => $cookie, headers => $headers,
                     json => { participantId => $bob });

    is($r->{status}, $status, "cookie and $name");
    is($r->{json}{code} // '', $status == 403 ? 'origin_not_allowed' : '',
       'code');
}

is($t->post($base, token => $token, json => { participantId => $bob },
            headers => { Origin => 'http://example.com' })->{status}, 200,
   'Bearer from anywhere');
is($t->get($base, cookie => $cookie)->{status}, 200, 'reading');
is($t->http(HEAD => $base, cookie => $cookie)->{status}, 200, 'HEAD');
is($t->post($base, cookie => "accessToken=$token", token => 'x',
            json => { participantId => $bob })->{status}, 403,
   'a cookie comes before Bearer');

done_testing();
