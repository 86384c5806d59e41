#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# An origin that everybody can have is let in without its cookies; a list is
# inherited whole and replaced whole; a foreign origin learns nothing more.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(database => 1, http => <<'EOH',
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=1;
    realtime_jwt_key HS256 file:%%KEY%%;
    realtime_allowed_origins https://http.example.com;
EOH
    server => <<'EOS')->start;
        location /http/ { realtime_socket; }
        location /http/rest/ { realtime_chat; }

        location /any/ {
            realtime_allowed_origins *;
            realtime_socket;
            location /any/rest/ { realtime_chat; }
        }

        location /null/ {
            realtime_allowed_origins null https://app.example.com;
            realtime_socket;
            location /null/rest/ { realtime_chat; }
        }
    }

    server {
        listen 127.0.0.1:%%PORT2%%;
        realtime_allowed_origins https://server.example.com;

        location /server/rest/ { realtime_chat; }

        location /location/ {
            realtime_allowed_origins https://location.example.com;
            location /location/rest/ { realtime_chat; }
        }
EOS

my $alice = $t->uuid('alice');
my $token = $t->token($alice);
my $app = 'https://app.example.com';

for (['any', $app], ['any', 'null'], ['null', 'null']) {
    my ($where, $origin) = @$_;

    my %o = (path => path($where), headers => { Origin => $origin });
    my %cookie = (cookie => "accessToken=$token", headers => $o{headers});
    my $rest = "/$where/rest/conversations";
    my $name = "$where, $origin";

    like($t->connect($alice, via => 'cookie', %o)->error->{message},
         qr/^Authentication error: No access token/,
         "$name: no socket by its cookie");
    ok($t->connect($alice, %o)->sid, "$name: one by the token of CONNECT");
    ok($t->connect($alice, via => 'bearer', %o)->sid, "$name: and by Bearer");

    is($t->get($rest, %cookie)->{status}, 401, "$name: no GET by its cookie");
    is($t->get($rest, %cookie, token => $token)->{status}, 200,
       "$name: one by Bearer, cookie or not");
    is($t->post($rest, %cookie, json => {})->{status}, 401,
       "$name: no POST by its cookie");
    is($t->post($rest, %cookie, token => $token, json => {})->{json}{code},
       'participant_required', "$name: one by Bearer");
}

for (['any', 'http://localhost'], ['null', $app], ['http', undef],
     ['http', 'https://http.example.com'])
{
    my ($where, $origin) = @$_;
    my $name = "$where, " . ($origin // 'no Origin');

    ok($t->connect($alice, via => 'cookie', path => path($where),
                   headers => { Origin => $origin })->sid,
       "$name: a socket by its cookie");
    is($t->get("/$where/rest/conversations",
               cookie => "accessToken=$token",
               headers => { Origin => $origin })->{status}, 200,
       "$name: a GET");
}

for (['http', $t->port, { map { $_ => $_ eq 'http' }
                          qw( http server location ) }],
     ['server', $t->port2, { map { $_ => $_ eq 'server' }
                             qw( http server location ) }],
     ['location', $t->port2, { map { $_ => $_ eq 'location' }
                               qw( http server location ) }])
{
    my ($where, $port, $allowed) = @$_;

    for my $name (sort keys %$allowed) {
        my $origin = "https://$name.example.com";
        my $r = $t->get("/$where/rest/conversations", port => $port,
                        token => $token, headers => { Origin => $origin });

        is($r->{headers}{'access-control-allow-origin'},
           $allowed->{$name} ? $origin : undef, "$name in $where");
        is($r->{status}, 200, 'Bearer from anywhere');
    }
}

# a foreign origin is refused where allowRequest() of engine.io refuses it

is($t->ws(path => path('http'), headers => { Origin => $app,
          Cookie => 'accessToken=x' })->body, 'Forbidden',
   'before its token is looked at');
is($t->ws(path => '/http/?EIO=3&transport=websocket',
          headers => { Origin => $app })->body, 'Forbidden',
   'and before its version');
is($t->ws(path => '/http/?EIO=4&transport=x', headers => { Origin => $app })
   ->body, 'Transport unknown', 'but after its transport');

done_testing();


sub path { "/$_[0]/?EIO=4&transport=websocket" }
