#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Sixty clients talk to each other while they lose their connections, workers
# are killed and the configuration is reloaded: what was acknowledged arrives
# once and in order.  For eight seconds, or TEST_ROUNDS times that.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw( sleep time );

use lib 't/lib';
use Test::Realtime;

my $seconds = 8 * ($ENV{TEST_ROUNDS} // 1);

my $t = Test::Realtime->new(workers => $ENV{TEST_WORKERS} // 4,
                            connections => 2048,
                            http => <<'EOH', server => <<'EOT');
    realtime_zone main 64m;
    realtime_drain_timeout 2s;
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

$t->allow(qr/exited on signal 9/)->start;

# 45 users, 15 of them with two clients

my @people = map { my $user = 'user' . ($_ % 45); [$user, $t->token($user)] }
             0 .. 59;

my $node = $t->node('restless.js', $t->url,
                    $t->file('tokens.json', Test::Realtime::encode(\@people)),
                    $seconds);

is(($node->line(30) // {})->{connected}, 60, 'all are there');

my $end = time + $seconds;
my ($kills, $reloads) = (0, 0);

while ((my $left = $end - time) > 1) {
    sleep($left > 2 ? 1.5 + rand : 1);

    if ($kills % 4 == 3 && $reloads * 4 < $kills) {
        $t->reload;
        $reloads++;
        next;
    }

    my @workers = $t->children;

    kill KILL => $workers[rand @workers];
    $kills++;
}

my $result = ($node->line(60) // {})->{result};

diag(explain($result));

is_deeply($result->{wrong}, [], 'what was acknowledged came, once, in order');
is($result->{failed}, 0, 'to everybody');
is($result->{twice}, 0, 'nothing came twice, acknowledged or not');
cmp_ok($result->{acked}, '>', 50 * $seconds, 'there was something to hear');
cmp_ok($result->{recovered}, '>', 10 * $seconds, 'and to come back from');
cmp_ok($kills, '>', 2, "$kills workers were killed");
cmp_ok($reloads, '>', 0, "$reloads reloads");

my @refused = map { /not recovered: ([^,]*)/ } split /\n/, $t->log;

is_deeply(\@refused, [], 'nobody had to start anew');

done_testing();
