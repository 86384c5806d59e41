#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# When nginx is stopped nobody waits for the grace period of those who were
# here: their last times are in Postgres when it has ended.  In a reload
# nobody was gone.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw( sleep time );

use lib 't/lib';
use Test::Realtime;

my $workers = $ENV{TEST_WORKERS} // 4;

my $t = Test::Realtime->new(workers => $workers, database => 1,
                            http => <<'EOT')->start;
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=2 timeout=2s;
    realtime_presence_grace 60s;
    realtime_drain_timeout 2s;
EOT

my @users = map { $t->uuid("user $_") } 1 .. 300;
my ($alice, $bob, $carol) = @users;

$t->sql('insert into users (id) values ' . join ', ', map { "('$_')" } @users);


# users who have a last time, not older than so many seconds

sub seen {
    my ($within) = @_;

    return $t->sql('select count(*) from realtime.presence '
                   . "where last_seen_at > now() - interval '$within s'");
}


sub forget { $t->sql('delete from realtime.presence') }


sub come {
    my @clients = map { $t->connect($_) } @_;

    $_->event('presence_state') for @clients;

    return @clients;
}


# -- a reload

my @clients = come($alice, $alice, $bob);
my @old = $t->workers;

$t->reload;
my @again = come($bob);

ok(Test::Realtime::wait_for(20, sub { !$t->old_workers }),
   'the old workers go in time');
is(seen(600), 0, 'after a reload nobody was seen last');

# -- nginx -s quit, one of whose users has left before

$_->drop for @again;
@clients = come(@users);
$clients[2]->drop;
sleep 2.5;

my $began = time;

$t->stop('QUIT', 20);

is(seen(600), scalar @users, 'after nginx has quit all were');
is($t->sql('select extract(epoch from now() - last_seen_at) > 2 '
           . "from realtime.presence where user_id = '$carol'"), 't',
   'who had left before, at that time');
is(seen(time - $began + 1), @users - 1, 'the others just now');

# -- with a worker that was killed before

$t->start;
forget();

SKIP: {
    skip 'needs two workers', 1 if $workers < 2;

    @clients = come($alice, $bob, ($carol) x 8);

    my ($victim) = $t->workers;

    $t->allow(qr/exited on signal 9/);
    kill KILL => $victim;
    Test::Realtime::wait_for(10, sub {
        my @now = $t->workers;
        return @now == $workers && !grep { $_ == $victim } @now;
    });

    $t->stop('QUIT', 20);
    is(seen(600), 3, 'a worker that died is made up for');
    $t->start;
}

# -- nobody is here: nothing is waited for

$began = time;
$t->stop('QUIT', 20);
cmp_ok(time - $began, '<', 5, 'without a client nginx quits at once');

# -- without Postgres it ends as well

$t->start;
forget();
@clients = come($alice, $bob);

$t->pg_stop;
$t->stop('QUIT', 20);
ok(!@{$t->{problems} // []}, 'nginx quits without Postgres');
$t->pg_start;
is(seen(600), 0, 'then nothing is known');

done_testing();
