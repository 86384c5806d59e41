#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Whatever breaks, in whatever order, under steady traffic: Postgres is killed
# and restarted, nginx reloaded, a worker killed, clients lose their network
# and come back.  In the end there is one row for each message that was
# acknowledged, and each receiver has seen it exactly once, in order.
#
# TEST_ROUNDS makes it longer, TEST_SEED repeats it.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::Traffic;

my $rounds = $ENV{TEST_ROUNDS} // 12;
my $seed = $ENV{TEST_SEED} // time ^ $$;

srand $seed;
note("TEST_SEED=$seed");

my $t = Test::Realtime->new(database => 1, workers => 2,
                            http => <<'EOT', server => <<'EOT');
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=2 timeout=3s;
    realtime_drain_timeout 1s;
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
EOT

$t->allow(qr/exited on signal 9/)->start;

my $traffic = Test::Realtime::Traffic->new($t, senders => 4, recover => 1);
my ($acked, $errors) = ($traffic->acked, $traffic->errors);


sub one_of { $_[rand @_] }


my %fault = (

    'a sender loses its network' => sub {
        $traffic->drop(one_of($traffic->senders));
    },

    'a receiver loses its network' => sub {
        $traffic->drop(one_of($traffic->receivers));
    },

    # Postgres ends all others then, and recovers

    'a backend is killed' => sub {
        my @pids = $t->sql("select pid from pg_stat_activity
                            where application_name = 'ngx_realtime'");
        kill KILL => one_of(@pids) if @pids;
        recovered();
    },

    'Postgres is killed and started' => sub {
        $t->pg_stop('immediate');
        $traffic->run(sub { 0 }, 0.2 + rand 1.5);
        $t->pg_start;
    },

    'Postgres is restarted' => sub { $t->pg_restart('fast') },

    'nginx is reloaded' => sub {
        $t->reload;
        $traffic->run(sub { !$t->old_workers });
    },

    'a worker is killed' => sub {
        my ($victim) = one_of($t->workers);

        kill KILL => $victim;
        $traffic->run(sub {
            my @workers = $t->workers;
            @workers == 2 && !grep { $_ == $victim } @workers;
        });
    },
);


# Postgres takes connections again

sub recovered {
    return $traffic->run(sub { eval { $t->sql('select 1'); 1 } });
}


ok($traffic->flows, 'traffic');

# each at least once

my @order = sort keys %fault;
my @faults = map { $_ < @order ? $order[$_] : one_of(@order) }
                 0 .. $rounds - 1;

for my $i (reverse 1 .. $#faults) {
    my $j = int rand $i + 1;
    @faults[$i, $j] = @faults[$j, $i];
}

for my $name (@faults) {
    $traffic->phase($name);
    $fault{$name}->();
    ok($traffic->flows, $name);
}

ok($traffic->finish, 'everything is acknowledged');

is_deeply([grep { !/^(?:unavailable|busy), retry$/ } keys %$errors], [],
          'errors said to try again');

$traffic->run(sub {
    !grep { @{$_->{got}} < keys %$acked } $traffic->receivers
}, 5);
$traffic->run(sub { 0 }, 0.5);


# the books

is_deeply([$t->sql('select client_id, id from realtime.messages
                    order by client_id')],
          [map { "$_|$acked->{$_}{id}" } sort keys %$acked],
          'a row for each of the acknowledged ids: ' . keys %$acked);

for my $r ($traffic->receivers) {
    my (%seen, %times, %last, @late);

    for my $got (@{$r->{got}}) {
        my $id = $got->{clientId};
        my $m = $acked->{$id};

        $seen{$id} = 1;
        $times{$id}++ unless $got->{fetched};

        # what had to be sent again has lost its place

        next if $got->{fetched} || !$m || $m->{tries} > 1;

        my $last = \$last{"$got->{epoch} $m->{sender} $m->{epoch}"};

        push @late, $id if $$last && $$last->{n} ge $m->{n};
        $$last = $m;
    }

    is_deeply([grep { !$acked->{$_} } sort keys %seen], [],
              'a receiver saw nothing that is not stored');
    is_deeply([grep { !$seen{$_} } sort keys %$acked], [], 'all that is');
    is_deeply([grep { $times{$_} > 1 } sort keys %times], [],
              'no event twice')
        or diag(map { "$_->{clientId} in \"$_->{phase}\", sent "
                      . "$acked->{$_->{clientId}}{tries} times\n" }
                grep { $times{$_->{clientId}} > 1 } @{$r->{got}});
    is_deeply(\@late, [], 'in order: ' . ($r->{recovered} // 0)
              . ' times it came back, fetched ' . ($r->{fetched} // 0));
}

done_testing();
