#!/usr/bin/env perl

# Copyright (C) ngx_realtime contributors

# Three quarters of the room for those who may come back is taken by several
# workers, and still everybody gets a place in it.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use lib 't/lib';
use Test::Realtime;

my $clients = 3100;

my $t = Test::Realtime->new(workers => 4, level => 'warn',
                            connections => $clients + 100,
                            main => 'worker_rlimit_nofile 8192;',
                            http => <<'EOH', server => <<'EOT');
    access_log off;
    realtime_zone main 16m;
EOH
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
            realtime_message_relay on;
        }

        location /status {
            realtime_status json;
        }
EOT

system('make -s -C bench >/dev/null') == 0 or die "bench does not build\n";

$t->start;

my $port = $t->port;
my $key = $t->key_file;

my $r = decode_json(`build/bench/rtload reload --port $port --key $key \\
                     --conns $clients --rate 10 --seconds 1`);

is($r->{errors}, 0, 'many clients are there') or diag($r->{first_error});
is($r->{recoverable}, $clients, 'and each has a pid');
is($t->get('/status')->{json}{recovery_full}, 0,
   'which the status page says as well');

done_testing();
