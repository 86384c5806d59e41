#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Who is online, away or busy, and since when not, is known to those who share
# a conversation with him, whatever his tabs and devices and their workers.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use Time::HiRes qw( sleep );

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => $ENV{TEST_WORKERS} // 4,
                            database => 1, http => <<'EOT')->start;
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=2 timeout=5s;
    realtime_presence_grace 1s;
EOT

my ($alice, $bob, $carol, $dave) = map { $t->uuid($_) }
                                       qw( alice bob carol dave );

$t->sql("insert into users (id) values "
        . join ', ', map { "('$_')" } $alice, $bob, $carol, $dave);


sub conversation {
    my ($from, $to) = @_;

    return $t->post('/api/chat/conversations', token => $t->token($from),
                    json => { participantId => $to })->{json}{data}{id};
}


sub status { $t->get('/status')->{json} }


my %last;

# what a socket hears of a user: a list of states

sub states {
    my ($c, $user, $timeout) = @_;

    my @states = map { $_->[1]{state} }
                 grep { $_->[0] eq 'presence' && $_->[1]{userId} eq $user }
                 $c->events($timeout // 0.4);

    $last{$c}{$user} = $states[-1] if @states;

    return \@states;
}


# The next word about a user that says something new, or nothing: to be
# online is told twice when it comes right after having been offline.

sub next_state {
    my ($c, $user, $timeout) = @_;

    while (my $told = $c->event('presence', $timeout // 5)) {
        next if $told->{userId} ne $user
                || $told->{state} eq ($last{$c}{$user} // '');
        $last{$c}{$user} = $told->{state};
        return $told;
    }

    return undef;
}


# presence_state as a hash

sub snapshot {
    my ($c) = @_;

    my $list = $c->event('presence_state') or return undef;

    return { map { $_->{userId} => $_->{state} } @$list };
}


conversation($alice, $bob);
conversation($carol, $alice);


# -- the snapshot

my $b = $t->connect($bob);
is_deeply(scalar $b->event('presence_state'),
          [{ userId => $alice, state => 'offline' }],
          'a snapshot: the one with whom there is a conversation');

my $d = $t->connect($dave);
is_deeply(scalar $d->event('presence_state'), [], 'nobody: an empty one');

my $a = $t->connect($alice);
is_deeply(snapshot($a), { $bob => 'online', $carol => 'offline' },
          'who is there, and who is not');

my @order = map { $_->[0] } $t->connect($carol)->events(1);
is_deeply([@order[0, 1]], ['connected', 'presence_state'],
          'it comes after "connected"');
is(scalar(grep { $_ eq 'presence_state' } @order), 1, 'once');

is_deeply(next_state($b, $alice), { userId => $alice, state => 'online' },
          'a partner hears who comes');
is_deeply([grep { $_->[0] eq 'presence' } $d->events(0.3)], [],
          'others do not');

my $c = $t->connect(uc $carol);
is_deeply(snapshot($c), { $alice => 'online' },
          'an id in upper case is the same user');

my $nobody = $t->connect('nobody in particular');
$nobody->event('connected');
is_deeply([$nobody->events(0.3)], [], 'a user that is no UUID has none');
is($nobody->ask(presence => { state => 'away' })->{code}, 'user_not_uuid',
   'nor a state');


# -- what one says

$_->events(0.2) for $a, $b, $c, $d;

is_deeply($a->ask(presence => { state => 'away' }),
          { status => 'success', data => { state => 'away' } }, 'away');
is_deeply(next_state($b, $alice), { userId => $alice, state => 'away' },
          'is told to the one');
is_deeply(next_state($c, $alice), { userId => $alice, state => 'away' },
          'and to the other');

$a->ask(presence => { state => 'away' }) for 1 .. 3;
is_deeply(states($b, $alice), [], 'once');

my @tabs = map { $t->connect($alice) } 1 .. 6;
is_deeply(states($b, $alice), [], 'tabs that are opened change nothing');
is_deeply(snapshot($t->connect($bob)), { $alice => 'away' },
          'a snapshot has it');

$tabs[3]->ask(presence => { state => 'busy' });
is_deeply(states($b, $alice), ['busy'], 'what another tab says counts');

$a->ask(presence => { state => 'online' });
is_deeply(states($b, $alice), ['online'], 'the last word');

$_->close for @tabs;
is_deeply(states($b, $alice, 3), [], 'tabs that are closed change nothing');


# -- invisible

$a->ask(presence => { state => 'invisible' });
my $gone = next_state($b, $alice);
is($gone->{state}, 'offline', 'invisible looks like offline');
like($gone->{lastSeen}, qr/^\d{4}-\d\d-\d\dT[\d:]{8}\.000Z$/, 'since now');

my $again = $t->connect($bob);
is_deeply([grep { $_->{userId} eq $alice }
           @{$again->event('presence_state')}],
          [{ userId => $alice, state => 'offline',
             lastSeen => $gone->{lastSeen} }], 'in a snapshot too');
$again->close;

my $tab = $t->connect($alice);
is_deeply(states($b, $alice), [], 'a tab that is opened betrays nothing');
is($t->post("/api/chat/conversations/@{[conversation($alice, $bob)]}/messages",
            token => $t->token($alice), json => { content => 'x' })->{status},
   201, 'one can write');
is_deeply(states($b, $alice), [], 'without being seen');

$tab->drop;
$a->drop;
is_deeply(states($b, $alice, 3), [], 'nor is it seen that one leaves');


# -- who leaves

sleep 0.5;
$a = $t->connect($alice);
is(next_state($b, $alice)->{state}, 'online', 'a new visit begins online');

$a->close;
is_deeply(states($b, $alice, 0.4), [], 'within the grace period nothing');

$gone = next_state($b, $alice);
is($gone->{state}, 'offline', 'then it is told');
like($gone->{lastSeen}, qr/^\d{4}-\d\d-\d\dT[\d:]{8}\.000Z$/, 'since when');

my $saved = sub {
    $t->sql("select to_char(last_seen_at at time zone 'UTC', "
            . "'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') from realtime.presence "
            . "where user_id = '$alice'");
};

ok(Test::Realtime::wait_for(10, sub { $saved->() eq $gone->{lastSeen} }),
   'Postgres has it');
is(states($b, $alice, 2.5)->[0], undef, 'it is told once');

for my $how (qw( drop close )) {
    $a = $t->connect($alice);
    $a->event('connected');
    is(next_state($b, $alice)->{state}, 'online', "$how: online");
    $a->$how;
    is(next_state($b, $alice)->{state}, 'offline', 'offline');
}

# comes and goes within the grace period

$a = $t->connect($alice);
is(next_state($b, $alice)->{state}, 'online', 'online');

states($b, $alice, 2);

for (1 .. 10) {
    $a->drop;
    $a = $t->connect($alice);
}

$a->event('presence_state');
is_deeply(states($b, $alice, 3), [], 'ten reconnects are not seen');


# -- new conversations

my $new = $t->connect($dave);
$new->events(0.3);
conversation($dave, $alice);
is_deeply(next_state($new, $alice), { userId => $alice, state => 'online' },
          'a new conversation: who began it hears of the other');
is_deeply(next_state($a, $dave), { userId => $dave, state => 'online' },
          'and the other of him');

$new->ask(presence => { state => 'busy' });
is_deeply(states($a, $dave), ['busy'], 'from now on, too');
$_->close for $new, $d;
is(next_state($a, $dave)->{state}, 'offline', 'to the end');


# -- more partners than the zone keeps

my @many = map { $t->uuid("many $_") } 1 .. 60;

$t->sql("insert into users (id) values " . join ',', map { "('$_')" } @many);
$t->sql("insert into realtime.conversations (id, created_by, participant_id, "
        . "title) select gen_random_uuid(), '$dave', id, 'x' from users "
        . "where id not in ('$alice', '$bob', '$carol', '$dave')");

my %there = map { $_ => $t->connect($_) } @many[0, 30, 59];
$_->event('presence_state') for values %there;
$new = $t->connect($dave);
is(scalar @{$new->event('presence_state')}, 61, 'a snapshot of 61 partners');

for (keys %there) {
    is(next_state($there{$_}, $dave)->{state}, 'online', 'each hears it');
}

$new->ask(presence => { state => 'away' });
is_deeply(states($there{$_}, $dave), ['away'], 'and that') for keys %there;
$_->close for values %there, $new;


# -- without Postgres

$a->ask(presence => { state => 'away' });
states($b, $alice);
$t->pg_stop('immediate');

$a->ask(presence => { state => 'busy' });
is_deeply(states($b, $alice), ['busy'], 'Postgres is away: it is told');
is_deeply(snapshot($t->connect($bob)), { $alice => 'busy' },
          'a snapshot of what is known');

$t->pg_start;


# -- the stock clients

for my $transport ('["websocket"]', '["polling"]', '["polling","websocket"]') {
    my $node = $t->node('client.js', $t->url,
                        qq({"auth":{"token":"@{[$t->token($carol)]}"},)
                        . qq("transports":$transport}));

    is_deeply($node->wait_line(sub { ($_[0]{event} // '')
                                     eq 'presence_state' })->{args}[0],
              [{ userId => $alice, state => 'busy' }],
              "$transport: the stock client gets the snapshot");

    $node->send({ ask => ['presence', { state => 'away' }] });
    is_deeply($node->wait_line(sub { $_[0]{ack} })->{ack},
              [{ status => 'success', data => { state => 'away' } }],
              'and says its state');
    $a->ask(presence => { state => 'online' });
    is_deeply($node->wait_line(sub { ($_[0]{event} // '') eq 'presence' })
                   ->{args}[0], { userId => $alice, state => 'online' },
              'and hears others');
    $a->ask(presence => { state => 'busy' });
    $node->send({ do => 'disconnect' });
    $node->stop;
}

is(status()->{presence_full}, 0, 'the table had room');

done_testing();
