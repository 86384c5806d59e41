#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# What the administrator has written for an error is what is sent, and the
# errors of other locations are left as they are.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(database => 1, http => <<'EOH',
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=1;
    realtime_jwt_key HS256 file:%%KEY%%;
    realtime_allowed_origins https://app.example.com;
    client_max_body_size 4k;
EOH
    server => <<'EOT');
        location /api/chat/ { realtime_chat; }

        location /text/ { realtime_chat; return 403 "my own words"; }
        location /moved/ { realtime_chat; return 302 /elsewhere; }
        location /page/ {
            realtime_chat;
            error_page 403 /page.html;
            error_page 404 @named;
            error_page 405 https://elsewhere.example.com/;
            error_page 413 =200 /page.html;
            error_page 409 /api/chat/nothing;
            error_page 410 /no/such/page.html;

            if ($arg_status = 403) { return 403; }
            if ($arg_status = 404) { return 404; }
            if ($arg_status = 405) { return 405; }
            if ($arg_status = 409) { return 409; }
            if ($arg_status = 410) { return 410; }
            return 500;
        }

        location = /page.html { }
        location @named { return 404 "named"; }

        location /socket.io/ { realtime_socket; deny all; }
        location /status { realtime_status; deny all; }
        location /plain/ { return 403; }

        location /outer/ {
            realtime_chat;
            location /outer/plain/ { return 403; }
        }
EOT

$t->file('page.html', 'a page');
$t->start;

my $app = 'https://app.example.com';


sub ask {
    my ($method, $path, %o) = @_;

    return $t->http($method, $path, %o, headers => { Origin => $app });
}


# what somebody else has said: path, status, body

for (
    ['/text/', 403, qr/^my own words$/],
    ['/moved/', 302, qr/<html>/],
    ['/page/?status=403', 403, qr/^a page$/],
    ['/page/?status=404', 404, qr/^named$/],
    ['/page/?status=405', 302, qr/<html>/],
    ['/page/?status=409', 409, qr/"code":"token_missing"/],
    ['/page/?status=410', 404, qr/<html>/],
    ['/socket.io/', 403, qr/<html>/],
    ['/status', 403, qr/<html>/],
    ['/plain/', 403, qr/<html>/],
    ['/outer/plain/', 403, qr/<html>/],
    ['/nowhere', 404, qr/<html>/],
) {
    my ($path, $status, $body) = @$_;

    my $r = ask(GET => $path);

    is($r->{status}, $status, "$path: status");
    like($r->{body}, $body, "$path: body");
}

is(ask(POST => '/page/', body => 'x' x 4097)->{body}, 'a page',
   'error_page with =200');
is(ask(GET => '/page/')->{json}{code}, 'internal',
   'the envelope where no error_page is for it');

is(ask(GET => '/socket.io/')->{headers}{'access-control-allow-origin'}, $app,
   'a socket is told of CORS by errors of nginx too');
is(ask(GET => $_)->{headers}{'access-control-allow-origin'}, undef,
   "$_ is not") for '/status', '/plain/', '/outer/plain/';

done_testing();
