#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# What happens to workers and networks is seen by nobody for as long as the
# user is back within the grace period; and if he is not, everybody who is to
# know is told once, also of the users of a worker that died.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw( sleep time );

use lib 't/lib';
use Test::Realtime;

# a socket that nobody reads from answers no ping: those that are of no interest
# for a minute would go, and be told of, at the usual interval

my $t = Test::Realtime->new(workers => $ENV{TEST_WORKERS} // 4,
                            database => 1, http => <<'EOT');
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=2 timeout=5s;
    realtime_presence_grace 4s;
    realtime_drain_timeout 1s;
    realtime_ping_interval 5m;
EOT

$t->allow(qr/exited on signal 9/)->start;

my ($alice, @partners) = map { $t->uuid($_) } 'alice', map { "p$_" } 1 .. 8;

$t->sql("insert into users (id) values "
        . join ', ', map { "('$_')" } $alice, @partners);

$t->post('/api/chat/conversations', token => $t->token($alice),
         json => { participantId => $_ }) for @partners;


sub status { $t->get('/status')->{json} }


sub slot_of {
    my ($c) = @_;

    my $sid = $c->sid;
    $t->wait_log(qr/connected, user: "[^"]*", socket: "\Q$sid\E", slot: \d/);

    my @slots = $t->log
        =~ /realtime: connected, user: "[^"]*", socket: "\Q$sid\E", slot: (\d+)/g;

    return $slots[-1];
}


sub pid_of {
    my ($slot) = @_;

    return map { $_->{pid} } grep { $_->{slot} == $slot }
                             @{status()->{slots}};
}


# the user on a worker that is, or is not, the one of another socket

sub placed {
    my ($user, $wanted) = @_;

    for (1 .. 60) {
        my $c = $t->connect($user);
        return $c if $wanted->(slot_of($c));
        $c->close;
    }

    die "no such worker\n";
}


# what a socket hears of a user

sub told {
    my ($c, $user, $timeout) = @_;

    return [grep { $_->{userId} eq $user }
            map { $_->[1] } grep { $_->[0] eq 'presence' }
            $c->events($timeout)];
}


my $watch = $t->connect($alice);
my $home = slot_of($watch);
$watch->event('presence_state');


# -- reload: all sockets go and come back

my @clients = map { my $c = $t->connect($_); $c->event('connected'); $c }
                  @partners;

$watch->events(1);
$t->reload;

# old and new sockets overlap by chance, as with browsers

for my $i (0 .. $#clients) {
    $clients[$i]->drop if $i % 2;
    my $new = $t->connect($partners[$i], auth => { $clients[$i]->past });
    $new->event('connected');
    $clients[$i]->drop unless $i % 2;
    $clients[$i] = $new;
}

my $new = $t->connect($alice, auth => { $watch->past });
is($new->sid, $watch->sid, 'the watcher is recovered');
is_deeply({ map { $_->{userId} => $_->{state} }
            @{$new->event('presence_state')} },
          { map { $_ => 'online' } @partners }, 'and told who is there');
$watch->drop;
$watch = $new;

is_deeply([grep { $_->[0] eq 'presence' } $watch->events(7)], [],
          'a reload is seen by nobody');


# -- a move from polling to WebSocket, and back to another worker

for (1 .. 6) {
    my $node = $t->node('client.js', $t->url,
                        Test::Realtime::encode({
                            auth => { token => $t->token($partners[0]) },
                            transports => ['polling', 'websocket'] }));
    $node->wait_line(sub { ($_[0]{event} // '') eq 'presence_state' });
    $clients[0]->drop;
    sleep 0.5;
    $clients[0] = $t->connect($partners[0]);
    $clients[0]->event('connected');
    $node->stop;
}

is_deeply(told($watch, $partners[0], 6), [],
          'sockets that come, move and go are seen by nobody');

ok(Test::Realtime::wait_for(20, sub { status()->{sockets} == 1 + @clients }),
   'ghosts of the moves are gone') or diag(status()->{sockets});

$clients[0]->drop;
my $end = $watch->event('presence', 15);
is_deeply([@{$end // {}}{qw( userId state )}], [$partners[0], 'offline'],
          'none was left behind: the last socket was the last');


# -- kill -9

SKIP: {
    skip 'needs two workers', 8 if $t->{workers} < 2;

    $home = slot_of($watch);

    # one who comes back, one who has another socket, one who does not

    my $back = placed($partners[1], sub { $_[0] != $home });
    my $victim = slot_of($back);
    my $both = placed($partners[2], sub { $_[0] == $victim });
    my $lost = placed($partners[3], sub { $_[0] == $victim });

    my $other = placed($partners[2], sub { $_[0] != $victim });
    $_->event('connected') for $back, $both, $lost, $other;

    $clients[$_]->drop for 1, 2, 3;
    $watch->events(6);

    kill KILL => pid_of($victim);

    my $again = $t->connect($partners[1], auth => { $back->past });
    is($again->sid, $back->sid, 'its client is recovered');
    $again->event('connected');

    my @told = @{told($watch, $partners[3], 12)};

    is(scalar @told, 1, 'who does not come back is told of once');
    is($told[0]{state}, 'offline', 'to be offline');
    like($told[0]{lastSeen}, qr/^\d{4}-/, 'since he was seen last');

    my $snapshot = $t->connect($alice);
    my %is = map { $_->{userId} => $_->{state} }
             @{$snapshot->event('presence_state')};

    is_deeply([@is{@partners[1 .. 3]}], [qw( online online offline )],
              'who came back, or was elsewhere too, is not');
    is_deeply([grep { $_->[0] eq 'presence' } $snapshot->events(6)], [],
              'and never was');

    ok(Test::Realtime::wait_for(10, sub {
        $t->sql("select last_seen_at is not null from realtime.presence "
                . "where user_id = '$partners[3]'") eq 't' }),
       'the last time is in Postgres');

    # the worker that sweeps is the lowest slot: kill that one

    my ($low) = sort { $a <=> $b } map { $_->{slot} } @{status()->{slots}};

    if ($low == slot_of($snapshot)) {
        $snapshot->drop;
        $snapshot = placed($alice, sub { $_[0] != $low });
        $snapshot->events(0.5);
    }

    $again->drop;
    kill KILL => pid_of($low);

    # others may have had their sockets there, and go as well

    my $gone;

    do {
        $gone = $snapshot->event('presence', 20);
    } while ($gone && $gone->{userId} ne $partners[1]);

    is_deeply([@{$gone // {}}{qw( userId state )}],
              [$partners[1], 'offline'],
              'who left is told of when the worker that tells died');
    $snapshot->close;
    $watch = $t->connect($alice);
}


# -- drops: back within the grace period, and beyond it

my $c = $t->connect($partners[5]);
$c->event('connected');
$clients[5]->drop;
$watch->events(1);

for (1 .. 3) {
    $c->drop;
    sleep 1;
    my $back = $t->connect($partners[5], auth => { $c->past });
    $back->event('connected');
    is($back->sid, $c->sid, 'a socket comes back');
    $c = $back;
}

is_deeply(told($watch, $partners[5], 6), [], 'which is seen by nobody');

$c->drop;
my @told = @{told($watch, $partners[5], 8)};
is_deeply([map { $_->{state} } @told], ['offline'], 'one that does not');

my $back = $t->connect($partners[5], auth => { $c->past });
is($back->sid, $c->sid, 'and comes back later, recovered');
is($watch->event('presence')->{state}, 'online', 'is online again');
$back->drop;


# -- Postgres is away when somebody goes

$t->pg_stop('immediate');
$watch->events(7);
my $last = $partners[6];
$clients[6]->drop;
$t->pg_start;

ok(Test::Realtime::wait_for(30, sub {
    $t->sql("select count(*) from realtime.presence "
            . "where user_id = '$last'") == 1 }),
   'Postgres is back: the last time is written');
is(status()->{bus_gaps}, 0, 'nothing was lost on the bus');

my @log = grep { /\[alert\]/ && !/signal 9/ } split /\n/, $t->log;
is_deeply(\@log, [], 'no alerts');

done_testing();
