#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Stock clients with permessage-deflate: socket.io-client over WebSocket and
# from polling to it, and ws, with and without TLS.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::JWT qw( jwt_key_pair jwt_certificate );

my $t = Test::Realtime->new(workers => 2, server => <<'EOT');
        listen 127.0.0.1:%%PORT2%% ssl;
        ssl_certificate %%DIR%%/p256.pem.crt;
        ssl_certificate_key %%DIR%%/p256.pem;

        realtime_compression on;
        realtime_compression_threshold 0;
        realtime_send_limit 16m;

        location /sio/ {
            realtime_socket echo=socketio;
        }

        location /eio/ {
            realtime_socket echo=engine;
        }

        location /status {
            realtime_status json;
        }
EOT

my ($key) = jwt_key_pair($t->dir, 'p256');
my $certificate = jwt_certificate($key);

$t->{server} =~ s/%%DIR%%\/p256\.pem\.crt/$certificate/;
$t->{server} =~ s/%%DIR%%\/p256\.pem/$key/;
$t->start;

my $node = $t->node('deflate.js', $t->url, 'https://127.0.0.1:' . $t->port2);
my $n = 0;

while (defined(my $line = $node->line(30))) {
    is($line->{verdict}, 'ok', $line->{client});
    $n++;
}

is($n, 28, 'fourteen clients, twice');

my $s = $t->get('/status')->{json};

cmp_ok($s->{deflated_sent}, '>', 28 * 20, 'messages were compressed');
cmp_ok($s->{deflated_to_bytes}, '<', $s->{deflated_from_bytes} / 2,
       'by more than half');
cmp_ok($s->{inflated}, '>', 28 * 20, 'and inflated');
cmp_ok($s->{inflated_from_bytes}, '<', $s->{inflated_to_bytes} / 2,
       'to more than twice their size');
is($s->{protocol_errors}, 0, 'nobody was refused');
ok(Test::Realtime::wait_for(5, sub {
    my $s = $t->get('/status')->{json};
    $s->{connections} == 0 && $s->{sockets} == 0;
}), 'no session is left');

done_testing();
