#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# The bus between workers under load: many times the ring's size, messages
# larger than a record, and a worker that stands still.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw( sleep time );

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => 2, server => <<'EOT');
        listen 127.0.0.1:%%PORT2%% reuseport;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
            realtime_message_relay on;
            realtime_send_limit 64m;
        }

        location /status {
            realtime_status json;
        }
EOT

$t->start;


sub status { $t->get('/status')->{json} }


# a socket of the user on the slot

sub on {
    my ($user, $slot) = @_;

    for (1 .. 60) {
        my $c = $t->connect($user, port => $t->port2);
        my $sid = $c->sid;

        $t->wait_log(qr/socket: "\Q$sid\E", slot: \d/);

        return $c if $t->log =~ /socket: "\Q$sid\E", slot: $slot\b/;

        $c->close;
    }

    die "no socket on slot $slot\n";
}


sub message {
    my ($to, $text) = @_;

    return { recipientId => $to, message => $text, conversationId => 'c' };
}


my ($ann, $ben) = (on('ann', 0), on('ben', 1));


# 10 MB through a ring of 128 kB, both ways at once

my $content = 'x' x 2000;
my ($lost, $n) = (0, 2500);

for my $i (1 .. $n) {
    $ann->emit('message', message('ben', "a $i $content"));
    $ben->emit('message', message('ann', "b $i $content"));

    for ([$ann, 'b'], [$ben, 'a']) {
        my ($c, $who) = @$_;
        my $m = $c->event('message', 5) // { message => 'nothing' };

        $lost++ if $m->{message} ne "$who $i $content";
    }

    last if $lost;
}

is($lost, 0, "$n messages each way between workers, in order");

my $s = status();

is($s->{bus_gaps}, 0, 'without a gap');
cmp_ok($s->{bus_received}, '>=', 2 * $n, 'over the bus');
cmp_ok($s->{bus_wakeups}, '<=', 3 * $n, 'and not by spinning');


# a worker that stands still is waited for, up to a bound

my ($stopped) = map { $_->{pid} } grep { $_->{slot} == 1 } @{$s->{slots}};

kill STOP => $stopped;

for my $i (1 .. 1000) {
    $ann->emit('message', message('ben', "later $i $content"));
}

is($ann->ask('message', message('nobody', 'x'))->{status}, 'success',
   'while a worker stands still, the other one works');

kill CONT => $stopped;

my $ok = 1;

for my $i (1 .. 1000) {
    my $m = $ben->event('message', 5) // { message => '' };
    $ok &&= $m->{message} eq "later $i $content";
}

ok($ok, 'and what waited for it arrives, in order');
cmp_ok(status()->{bus_queued}, '>', 0, 'it had to wait');


# beyond the bound the clients of that worker are closed, to refetch

kill STOP => $stopped;

$content = 'y' x 9000;

for my $i (1 .. 2500) {
    $ann->emit('message', message('ben', "$content"));
}

$ann->ask('message', message('nobody', 'x'));

kill CONT => $stopped;

my $end;

while (defined($end = $ben->packet(5))) {
    last if $end eq '';
}

is($end, '', 'a client that missed something is closed');
is($ben->code, 1001, 'with 1001');
cmp_ok(status()->{bus_gaps}, '>', 0, 'the gap is counted');
like($t->log, qr/this worker was too slow, messages of slot 0 are lost/,
     'and logged');

my $again = on('ben', 1);

$ann->emit('message', message('ben', 'after the gap'));
is($again->event('message')->{message}, 'after the gap',
   'then all is well again');

done_testing();
