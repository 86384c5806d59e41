#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A session is one of the location that it was made in, which has checked the
# client: nowhere else is its sid known, whatever worker is asked.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => 4, server => <<'EOT');
        listen 127.0.0.1:%%PORT2%% reuseport;

        location /a/ {
            realtime_socket;
            realtime_jwt_key HS256 file:%%DIR%%/other.key;
        }

        location /b/ {
            realtime_socket;
            realtime_jwt_key HS256 file:%%KEY%%;
            realtime_chat;
            realtime_message_relay on;
        }
EOT

my $secret = 'the key of somebody else, 32 bytes or more';

$t->file('other.key', $secret);
$t->start;

my $token = Test::Realtime::jwt_encode({ alg => 'HS256', key => $secret },
                                       { id => 'ann', exp => time + 3600 });

my $query = 'EIO=4&transport=polling';


sub get { $t->get($_[0], port => $t->port2) }
sub post { my ($path, $body) = @_;
           $t->post($path, port => $t->port2, body => $body) }


my %seen;

for (1 .. 12) {
    my $open = get("/a/?$query")->{body};
    my $sid = Test::Realtime::decode(substr $open, 1)->{sid};
    my $s = "$query&sid=$sid";

    post("/a/?$s", qq(40{"token":"$token"}));
    get("/a/?$s");

    my $post = post("/b/?$s", '42["message",{}]');
    my $ws = $t->ws(port => $t->port2,
                    path => "/b/?EIO=4&transport=websocket&sid=$sid");

    $seen{join ' ', $post->{json}{code} // $post->{body}, $ws->status,
                    post("/a/?$s", '3')->{body}}++;
}

is_deeply(\%seen, { '1 400 ok' => 12 }, 'a sid is unknown elsewhere');

done_testing();
