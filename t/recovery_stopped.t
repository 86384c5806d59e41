#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A worker that stood still has not read what came for its clients.  One of
# them has left meanwhile, which is what the worker sees first; and gets
# everything when it comes back.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw( sleep );

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => 2, server => <<'EOT')->start;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
            realtime_message_relay on;
        }
EOT


# the worker's pid is in its line of the log: "PID#0: *N realtime: connected"

sub pid_of {
    my ($c) = @_;

    my $line = qr/(\d+)#\d+: .*connected, .*socket: "\Q@{[$c->sid]}\E", slot/;

    $t->wait_log($line);

    my @pids = $t->log =~ /$line/g;

    return $pids[-1];
}


my $c = $t->connect('ann');
$c->event('connected');

my $from;

for (1 .. 60) {
    $from = $t->connect('sam');
    last if pid_of($from) != pid_of($c);
    $from->close;
}

isnt(pid_of($from), pid_of($c), 'two workers');

my $stopped = pid_of($c);

kill STOP => $stopped;
$c->drop;

my @said = map { "m$_" } 1 .. 5;

for (@said) {
    $from->ask('message', { recipientId => 'ann', message => $_,
                            conversationId => 'c' });
}

# longer than two workers that are well may be apart

sleep 8;
kill CONT => $stopped;

ok($t->wait_log(qr/disconnected: .*user: "ann"/), 'the worker sees it go');

my $back = $t->connect('ann', auth => { $c->past });

is($back->sid, $c->sid, 'it is back');
is_deeply([map { $_->[1]{content} }
           grep { $_->[0] eq 'message' } $back->events(1)],
          \@said, 'and gets what came while its worker stood still');

done_testing();
