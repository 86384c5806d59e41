#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# The routes follow whatever location carries them, over whatever HTTP, and
# the table of users is the one that the configuration names.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $http = <<'EOT';
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=1;
    realtime_users app.People user_id;

    server {
        listen 127.0.0.1:%%PORT2%% http2;
        realtime_jwt_key HS256 file:%%KEY%%;
        location /api/chat/ { realtime_chat; }
    }
EOT

my $t = Test::Realtime->new(database => 1, http => $http,
                            server => <<'EOT')->start;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /api/chat/ { realtime_chat; }
        location /short { realtime_chat; }
        location ~ ^/v\d/chat/ { realtime_chat; }

        location /nested/ {
            if ($arg_x) { set $x 1; }
            realtime_chat;
        }
EOT

my ($alice, $bob) = map { $t->uuid($_) } qw( alice bob );

$t->sql("create schema app; create table app.\"People\" (user_id uuid);
         grant usage on schema app to chat;
         grant select on app.\"People\" to chat");
$t->sql("insert into app.\"People\" values ('$bob')");

my $token = $t->token($alice);

for (['/api/chat', 200], ['/short', 200], ['/v1/chat', 200],
     ['/nested', 200], ['/shorter', 404], ['/short/x', 404])
{
    my ($prefix, $status) = @$_;

    is($t->get("$prefix/conversations?x=1", token => $token)->{status},
       $status, $prefix);
}

my $base = '/api/chat/conversations';

is($t->post($base, token => $token, json => { participantId => $bob })
   ->{status}, 201, 'a user of the named table');
is($t->post($base, token => $token, json => { participantId => $t->uuid(1) })
   ->{status}, 404, 'a user that is not in it');

SKIP: {
    my $curl = "curl -s --http2-prior-knowledge -m 10"
               . " -H 'Authorization: Bearer $token'"
               . " -w ' %{http_version} %{http_code}'"
               . " http://127.0.0.1:" . $t->port2 . $base;

    skip 'no curl with HTTP/2', 3 unless `curl -V 2>&1` =~ /HTTP2/;

    like(qx($curl), qr/^\{"status":"success","data":\[\{.* 2 200$/s,
         'HTTP/2');
    my $json = "-H 'Content-Type: application/json'";

    like(qx($curl $json -d '{"participantId":"$bob"}'),
         qr/"participant_id":"$bob".* 2 200$/s, 'a body over HTTP/2');
    like(qx($curl $json -d x), qr/json_malformed.* 2 400$/s,
         'a refusal over HTTP/2');
}

$t->allow(qr/cannot be the name of the users'/);

for ('users;drop', 'a.b.c', '1users', '.users', 'app.', '"users"', 'x y') {
    $t->{http} = $http =~ s/app\.People/'$_'/r;

    my ($status, $text) = $t->check_conf;

    isnt($status, 0, "realtime_users $_");
    like($text, qr/cannot be the name of the users' table/, 'says why');
}

$t->{http} = $http =~ s/user_id/a.b/r;

like(($t->check_conf)[1], qr/cannot be the name of the users' column/,
     'realtime_users app.People a.b');

done_testing();
