#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A notification that waits outlives every worker and Postgres, and arrives
# once; a job that a dead worker had is taken up again, and what it had
# published is not published again; two nginx share the jobs of a database.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $server = <<'EOC';
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_notifications;
        }

        location /realtime/api/ {
            realtime_api;
            realtime_api_access nginx;
        }

        location /status {
            realtime_status json;
        }
EOC

my $t = Test::Realtime->new(workers => 2, database => 1, server => $server);

$t->allow(qr/exited on signal 9/)->start;

my ($alice, $bob) = map { $t->uuid($_) } qw( alice bob );

killed();
taken_up();
published();
shared();

$t->stop;
done_testing();


sub notify {
    my (%n) = @_;

    return $t->post('/realtime/api/notifications',
                    json => { type => 'system', title => 'T',
                              message => 'M', %n })->{json}{data}{id};
}


# of a client that comes back, and is told at CONNECT what it had missed

sub seen {
    my ($c, $seconds) = @_;

    return map { $_->[1]{id} } grep { $_->[0] eq 'notification' }
                               $c->events($seconds);
}


sub state_of {
    return $t->sql("select case when finished_at is null then 'open'
                           else coalesce(error, 'done') end
                    from realtime.jobs where id = '$_[0]'");
}


sub kill_all {
    my @old = $t->workers;

    kill KILL => @old;

    return Test::Realtime::wait_for(10, sub {
        my @new = $t->workers;

        return @new == 2 && !grep { my $n = $_; grep { $_ == $n } @old } @new;
    });
}


sub killed {
    my $id = notify(userId => $alice, deliverAt => time + 3600);

    ok($id, 'one for later');
    ok(kill_all(), 'all workers are killed');

    $t->pg_stop('immediate');
    $t->pg_start;

    is(state_of($id), 'open', 'Postgres was, too: it still waits');

    my $c = $t->connect($alice);

    # its time comes, and nobody is notified

    $t->sql("update realtime.jobs
             set run_at = now() + interval '5 seconds' where id = '$id'");

    ok(kill_all(), 'and once more');
    $c = $t->connect($alice);

    is($c->event('notification', 30)->{id}, $id, 'it arrives');
    is_deeply([seen($c, 3)], [], 'once');
    ok(Test::Realtime::wait_for(20, sub { state_of($id) eq 'done' }),
       'and is done');
}


# as a worker leaves them that dies when it has claimed, or stored

sub taken_up {
    my ($new, $stored) = map { $t->uuid($_) } qw( new stored );
    my $c = $t->connect($bob);

    for ($new, $stored) {
        $t->sql("insert into realtime.jobs
                     (id, kind, users, payload, total, attempts, lease_until)
                 values ('$_', 'notify', '{$bob}',
                         '{\"type\": \"x\", \"title\": \"T\",
                           \"message\": \"M\"}', 1, 1,
                         now() + interval '3 seconds');
                 insert into realtime.notifications
                     (user_id, id, type, title, message)
                 select '$bob', '$_', 'x', 'T', 'M'
                 where '$_' = '$stored'");
    }

    is_deeply([seen($c, 1)], [], 'not while somebody may have it');
    is($c->event('notification', 20)->{id}, $new,
       'what was not told is told when the lease is over');
    is_deeply([seen($c, 2)], [], 'what was told is not told again');
    ok(Test::Realtime::wait_for(20, sub { state_of($stored) eq 'done' }),
       'and is done');

    my $lost = $t->uuid('poison');

    $t->sql("insert into realtime.jobs (id, kind, users, payload, total)
             values ('$lost', 'notify', '{$bob}', '{\"type\": \"BAD\"}', 1)");
    ok(Test::Realtime::wait_for(20, sub {
        state_of($lost) eq 'type_invalid'
    }), 'what cannot be delivered is given up, with a code');
    $t->allow(qr/job $lost was given up/);
}


# what has no row was published, by a worker that died before Postgres knew that
# the job, or the page, had ended: it keeps what it is told to delete or change

sub published {
    $t->sql("create function public.keep() returns trigger language plpgsql
             as \$\$ begin perform pg_sleep(3); return null; end \$\$;
             insert into users (id) values ('$bob') on conflict do nothing");

    for (['an event', 'once', "select realtime.emit('user:$bob', 'once')"],
         ['a volatile notification', 'notification',
          "select realtime.notify_user('$bob', 'x', 'once', 'M',
                                       volatile => true)"],
         ['a page of a volatile broadcast', 'notification',
          "insert into realtime.jobs (id, kind, payload)
           values (gen_random_uuid(), 'broadcast', '{\"type\": \"x\",
               \"title\": \"once\", \"message\": \"M\",
               \"volatile\": true}')"])
    {
        published_once(@$_);
    }
}


sub published_once {
    my ($name, $event, $sql) = @_;
    my $open = 'select count(*) from realtime.jobs
                where finished_at is null and run_at < now()';
    my $c = $t->connect($bob);

    # whoever is new here is given what is unread, which is none of this

    $t->sql("delete from realtime.notifications where user_id = '$bob'");
    $c->events(0.3);
    $t->sql("create trigger keep before delete on realtime.jobs
             for each row execute function public.keep();
             create trigger keep_too before update on realtime.jobs
             for each row
             when (new.finished_at is distinct from old.finished_at
                   or new.last_id is distinct from old.last_id)
             execute function public.keep();
             $sql");

    ok(defined $c->event($event, 10), "$name is published");

    my %old = (pid => $c->pid, offset => $c->offset);

    ok(kill_all(), 'all workers die');

    my $back = $t->connect($bob, auth => { %old });

    is($t->sql($open), 1, 'the job has not ended');
    $t->sql('drop trigger keep on realtime.jobs;
             drop trigger keep_too on realtime.jobs');

    ok(Test::Realtime::wait_for(30, sub { !$t->sql($open) }),
       'the job is taken up and ends');
    is_deeply([grep { $_->[0] eq $event } $back->events(2)], [],
              'but nobody hears it twice');
}


sub shared {
    my $other = Test::Realtime->new(workers => 2, server => $server);

    $other->{pg} = $t->{pg};
    $other->start;

    my $user = $t->uuid('everywhere');
    my @c = ($t->connect($user),
             $other->connect($user, token => $other->token($user)));
    my @got = (0, 0);

    for (1 .. 40) {
        $t->sql("select realtime.emit('user:$user', 'n', to_jsonb(i))
                 from generate_series(1, 5) i");
    }

    my %n;

    Test::Realtime::wait_for(20, sub {
        for my $i (0, 1) {
            for (grep { $_->[0] eq 'n' } $c[$i]->events(0.2)) {
                $got[$i]++;
                $n{$_->[1]}++;
            }
        }

        return $got[0] + $got[1] >= 200;
    });

    is_deeply(\%n, { map { $_ => 40 } 1 .. 5 },
              'two nginx deliver each job, one of them');
    ok($got[0] && $got[1], 'and share them') or diag("@got");

    $other->stop;
    delete $other->{pg};
}
