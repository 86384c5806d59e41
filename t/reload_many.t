#!/usr/bin/env perl

# Copyright (C) ngx_realtime contributors

# Many clients that write to each other while nginx is reloaded again and
# again: each message arrives once and in order, everybody is recovered, and
# no old worker stays.
#
# TEST_CLIENTS=2000 TEST_RELOADS=20 for more of it, which takes a minute.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use Time::HiRes qw( sleep );

use lib 't/lib';
use Test::Realtime;

my $clients = $ENV{TEST_CLIENTS} // 300;
my $reloads = $ENV{TEST_RELOADS} // 3;
my $drain = $clients > 1000 ? 3 : 1;

my $workers = $ENV{TEST_WORKERS} // 2;

my $t = Test::Realtime->new(workers => $workers, level => 'warn',
                            connections => 2 * $clients + 500,
                            http => <<"EOH", server => <<'EOT');
    access_log off;
    realtime_zone main 64m;
    realtime_drain_timeout ${drain}s;
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

$t->{main} = 'worker_rlimit_nofile ' . (4 * $clients + 1000) . ';';
$t->start;

sub status { $t->get('/status')->{json} }

my $pid = open my $load, '-|', 'build/bench/rtload', 'reload',
    '--port', $t->port, '--key', $t->key_file, '--conns', $clients,
    '--rate', 500, '--seconds', 600
    or die "rtload: $!\n";

ok(Test::Realtime::wait_for(60, sub { status()->{sockets} == $clients }),
   "$clients clients are there");

for my $n (1 .. $reloads) {
    system(Test::Realtime::binary(), '-p', $t->dir, '-c',
           $t->dir . '/nginx.conf', '-e', $t->dir . '/error.log',
           '-s', 'reload') == 0 or die "nginx -s reload failed\n";
    sleep $drain;
}

ok(Test::Realtime::wait_for(60, sub {
       status()->{boots} == $reloads + 1 && !$t->old_workers
   }), 'every reload was one, and no old worker stays');

kill TERM => $pid;

my $r = decode_json(do { local $/; <$load> });

close $load;

diag(encode_json($r)) if $r->{errors};

is($r->{errors}, 0, 'no message is repeated, reordered or lost');
is($r->{clients}, $clients, 'everybody is there again');
cmp_ok($r->{closes}, '>=', $clients, 'who had to move');
is($r->{unclean}, 0, 'each with a Close');
is($r->{retries}, 0, 'and at the first try');

is($r->{recoverable}, $clients, 'everybody had a pid');
is($r->{recovered}, $r->{closes}, 'everybody is recovered');
is($r->{forgotten}, 0, 'and nobody new');

ok(Test::Realtime::wait_for(10, sub { status()->{sockets} == 0 }),
   'no socket is counted when all are gone');
is(scalar @{status()->{slots}}, $workers, 'and no worker too many is left');

done_testing();
