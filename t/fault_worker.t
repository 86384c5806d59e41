#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A worker that is killed takes nothing with it but its own sockets: the other
# goes on, the successor takes the slot, and the zone counts right again.

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
        }

        location /status {
            realtime_status json;
        }
EOT

$t->allow(qr/exited on signal 9/)->start;


sub status { $t->get('/status')->{json} }


# [client, slot] of a new socket of the user

sub client {
    my ($user) = @_;

    my $c = $t->connect($user, port => $t->port2);
    my $sid = $c->sid;

    $t->wait_log(qr/socket: "\Q$sid\E", slot: \d/);

    return [$c, $t->log =~ /socket: "\Q$sid\E", slot: (\d+)/];
}


# a socket of the user on each slot

sub spread {
    my ($user) = @_;
    my %on;

    for (1 .. 60) {
        my ($c, $slot) = @{client($user)};
        $on{$slot} ? $c->close : ($on{$slot} = $c);
        last if keys %on == 2;
    }

    return \%on;
}


sub say_to {
    my ($from, $to, $text) = @_;

    return $from->ask('message', { recipientId => $to, message => $text,
                                   conversationId => 'c' });
}


# what the dead worker had sent may still come, before or between

sub heard {
    my ($c, $text) = @_;
    my $last;

    while (my $m = $c->event('message', 2)) {
        $last = $m->{message};
        last if $last eq $text;
    }

    return $last;
}


for my $round (1 .. 3) {

    my $alice = spread('alice');
    my $bob = spread('bob');
    my ($dead, $alive) = sort keys %$bob;

    ($dead, $alive) = ($alive, $dead) if $round == 2;

    my ($slot) = grep { $_->{slot} == $dead } @{status()->{slots}};
    my $generation = $slot->{generation};
    my $sockets = status()->{sockets};

    # traffic both ways while it dies

    for (1 .. 200) {
        $alice->{$_}->emit('message', { recipientId => 'bob', message => 'x',
                           conversationId => 'c' }) for $dead, $alive;
    }

    kill KILL => $slot->{pid};

    my $ack = say_to($alice->{$alive}, 'bob', "after $round");

    is($ack->{status}, 'success', "round $round: the other worker answers");

    is(heard($bob->{$alive}, "after $round"), "after $round", 'and delivers');

    ok($bob->{$dead}->packet(2) // 1, 'the sockets of the dead one end');

    my ($new) = wait_slot($dead, $generation);

    ok($new, 'the successor has the slot, one generation on');

    # a fresh socket on the repaired slot hears the other worker, and back

    my $again;

    for (1 .. 60) {
        my ($c, $on) = @{client('carol')};
        $on == $dead ? ($again = $c) : $c->close;
        last if $again;
    }

    is(say_to($alice->{$alive}, 'carol', 'to the successor')->{status},
       'success', 'a message to the successor');
    is($again->event('message')->{message}, 'to the successor', 'arrives');

    say_to($again, 'bob', 'from the successor');
    is(heard($bob->{$alive}, 'from the successor'), 'from the successor',
       'and one from it');

    $_->close for $again, $alice->{$alive}, $bob->{$alive};

    ok(Test::Realtime::wait_for(5, sub { status()->{sockets} == 0
                                         && status()->{connections} == 0 }),
       "the gauges are back at 0 (were $sockets)");

    my $s = status();

    is($s->{bus_gaps}, 0, 'nothing was given up on the bus');
    cmp_ok($s->{slots_repaired}, '>=', $round, 'the repair is counted');
}


sub wait_slot {
    my ($i, $generation) = @_;
    my $found;

    Test::Realtime::wait_for(5, sub {
        ($found) = grep { $_->{slot} == $i
                          && $_->{generation} == $generation + 1 }
                   @{status()->{slots}};
        return $found;
    });

    return $found;
}

done_testing();
