#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Under steady traffic on two workers Postgres loses its backends, restarts
# and crashes, nginx is reloaded and a worker killed.  In the end what was
# acknowledged is stored, once, and nobody got it twice.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw( time );

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::Traffic;

my $t = Test::Realtime->new(database => 1, workers => 2,
                            http => <<'EOT', server => <<'EOT');
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=2 timeout=3s;
    realtime_drain_timeout 2s;
EOT
        listen 127.0.0.1:%%PORT2%% reuseport;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
        }

        location /api/chat/ {
            realtime_chat;
        }

        location /relay/ {
            realtime_socket;
            realtime_chat;
            realtime_message_relay on;
        }
EOT

$t->allow(qr/exited on signal 9/)->start;

my $traffic = Test::Realtime::Traffic->new($t, senders => 4);
my ($acked, $errors, $closed) = ($traffic->acked, $traffic->errors,
                                 $traffic->closed);
my @relay = map { $t->connect($_, path => '/relay/?EIO=4&transport=websocket') }
                qw( left right );


sub terminate {
    $t->sql("select pg_terminate_backend(pid) from pg_stat_activity
             where application_name = 'ngx_realtime'");
}


sub refused { $errors->{'unavailable, retry'} // 0 }


ok($traffic->flows, 'traffic');

$traffic->phase('terminate');

for (1 .. 5) {
    terminate();
    ok($traffic->flows, "all backends terminated, time $_");
}

for my $mode (qw( fast immediate )) {
    $traffic->phase($mode);

    my $before = refused();

    $t->pg_stop($mode);

    ok($traffic->run(sub { refused() >= $before + 20 }),
       "Postgres is stopped ($mode): senders are told");

    my $start = time;

    is($relay[0]->ask('message', { recipientId => 'right', message => $mode,
                      conversationId => 'c' })->{status}, 'success',
       'what needs no database works');
    is($relay[1]->event('message')->{message}, $mode, 'and arrives');
    cmp_ok(time - $start, '<', 0.5, 'at once');

    $t->pg_start;
    ok($traffic->flows, 'it is back, and so is the traffic');
}

is_deeply($closed, {}, 'no socket was lost with Postgres');

# nobody has left, so that everything must have arrived everywhere

$traffic->finish;

my @first = grep { $acked->{$_}{tries} == 1 } keys %$acked;

ok($traffic->run(sub {
    !grep { my %got = map { $_->{clientId} => 1 } @{$_->{got}};
            grep { !$got{$_} } @first } $traffic->receivers
}, 5), 'what was acknowledged at once is with both sockets of the receiver');

$traffic->phase('reload');
ok($traffic->flows, 'traffic again');
$t->reload;
terminate();
ok($traffic->run(sub { !$t->old_workers }), 'reloaded, under traffic');
cmp_ok($closed->{reload} // 0, '>=', 4, 'everybody had to come again');
ok($traffic->flows, 'traffic on the new workers');

$traffic->phase('kill');

my ($victim) = $t->workers;

kill KILL => $victim;
ok($traffic->run(sub {
    my @workers = $t->workers;
    @workers == 2 && !grep { $_ == $victim } @workers;
}), 'a worker is killed and replaced');
terminate();
ok($traffic->flows, 'traffic on its successor');

ok($traffic->finish, 'everything is acknowledged');
$traffic->run(sub { 0 }, 0.3);


# the books

is_deeply([$t->sql('select client_id, id from realtime.messages
                    order by client_id')],
          [map { "$_|$acked->{$_}{id}" } sort keys %$acked],
          'what was acknowledged is what is stored: ' . keys %$acked);
is_deeply([grep { !/^(?:unavailable|busy), retry$/ } keys %$errors], [],
          'errors say to try again: ' . refused());

for my $r ($traffic->receivers) {
    my (%seen, %last, @twice, @late, @unknown);

    for my $got (@{$r->{got}}) {
        my $id = $got->{clientId};
        my $m = $acked->{$id};

        push @twice, $id if $seen{$id}++;
        push @unknown, $id if !$m || $m->{id} ne $got->{id};

        # in the order in which one connection's were sent, and committed;
        # what had to be sent again has lost its place

        next if !$m || $m->{tries} > 1;

        my $last = \$last{"$got->{epoch} $m->{sender} $m->{epoch}"};

        push @late, $id if $$last && ($$last->{n} ge $m->{n}
                                      || $$last->{id} ge $m->{id});
        $$last = $m;
    }

    is_deeply([\@twice, \@late, \@unknown], [[], [], []],
              'a socket got none twice, none late and none that is not '
              . 'stored: ' . @{$r->{got}});
}

done_testing();
