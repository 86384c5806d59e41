#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A notification waits for its time; what an application says in its own
# transaction is delivered after the commit, in its order, and never after a
# rollback; one to everybody is a job whose progress can be read.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use Time::HiRes ();

use lib 't/lib';
use Test::Realtime;

my $true = JSON::PP::true;

my $t = Test::Realtime->new(workers => $ENV{TEST_WORKERS} // 2,
                            database => 1, server => <<'EOC');
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_notifications;
        }

        location /api/notifications {
            realtime_notifications;
        }

        location /realtime/api/ {
            realtime_api;
            realtime_api_key HS256 "secret:the secret of the back end: 32 bytes+";
        }
EOC

my $service = Test::Realtime::JWT::jwt_encode({ alg => 'HS256',
    key => 'the secret of the back end: 32 bytes+' }, { exp => time + 600 });

my ($alice, $bob, $carol) = map { $t->uuid($_) } qw( alice bob carol );

$t->sql("insert into realtime.notifications
             (user_id, id, type, title, message, expires_at)
         values ('$alice', gen_random_uuid(), 'old', 'T', 'M',
                 now() - interval '1 minute')");

$t->start;

my $c = $t->connect($alice);
my $d = $t->connect($bob);

ok(Test::Realtime::wait_for(20, sub {
    !$t->sql("select count(*) from realtime.notifications
              where type = 'old'")
}), 'what has expired is deleted');

later();
transaction();
order();
everybody();
wrong();

$t->stop;
done_testing();


sub notify {
    my (%n) = @_;

    return $t->post('/realtime/api/notifications', token => $service,
                    json => { type => 'system', title => 'T',
                              message => 'M', %n });
}


sub job {
    my ($id) = @_;

    return $t->get("/realtime/api/jobs/$id", token => $service);
}


sub done {
    my ($id) = @_;

    return Test::Realtime::wait_for(20, sub {
        (job($id)->{json}{data}{state} // '') eq 'done'
    });
}


sub titles {
    my ($c) = @_;

    return join ',', map { $_->[1]{title} }
                     grep { $_->[0] eq 'notification' } $c->events(1);
}


sub later {
    my $id = $t->uuid('for later');
    my $at = time + 3;

    my $r = notify(userIds => [$alice, uc $bob, $carol], id => $id,
                   deliverAt => $at, title => '<"later">',
                   data => { n => 1 });

    is($r->{status}, 202, 'one for later');
    is_deeply($r->{json}{data}, { id => $id, job => $id }, 'is a job');
    is(notify(userId => $alice, id => $id, deliverAt => $at)->{status}, 202,
       'said again, it is the same');

    my $job = job($id)->{json}{data};

    is_deeply([@{$job}{qw( kind state done total error )}],
              ['notify', 'waiting', 0, 3, undef], 'it waits');
    is($t->sql("select count(*) from realtime.notifications
                where id = '$id'"), 0, 'and has no rows');

    my $n = $c->event('notification', 10);

    is_deeply([@{$n}{qw( id title data )}], [$id, '<"later">', { n => 1 }],
              'it comes');

    # time() may be of a few milliseconds ago

    cmp_ok(Time::HiRes::time(), '>=', $at, 'not too early');
    is(titles($d), '<"later">', 'to others, too, once');
    is(titles($c), '', 'and not again');

    ok(done($id), 'it is done');

    my $e = $t->connect($carol);

    is(titles($e), '<"later">', 'who was away gets it when he comes');
    $e->close;

    is(notify(userId => $alice, deliverAt => time - 60,
              title => 'past')->{json}{data}{online}, 1,
       'a time that has passed');
    is(titles($c), 'past', 'is now');
}


sub transaction {
    $t->sql("begin;
             select realtime.notify_user('$alice', 'system', 'no', 'M');
             select realtime.emit('user:$alice', 'no');
             rollback");
    $t->sql("begin;
             select realtime.notify_user('$alice', 'system', 'yes', 'M',
                                         data => '{\"n\": 1}');
             select realtime.emit('user:$alice', 'offer', '{\"n\": 2}');
             commit");

    is_deeply([map { [$_->[0], $_->[1]{title} // $_->[1]{n}] }
                   $c->events(2)],
              [['notification', 'yes'], ['offer', 2]],
              'what was committed, and not what was rolled back');

    my $id = $t->uuid('of SQL');

    $t->sql("select realtime.notify_user('$bob', 'system', 'twice', 'M',
                                         id => '$id') from (values (1), (2)) v");
    is(titles($d), 'twice', 'one id is one notification');

    $t->sql("select realtime.notify_user('$bob', 'system', 'light', 'M',
                                         volatile => true)");
    is(titles($d), 'light', 'a volatile one');
    is($t->sql("select count(*) from realtime.notifications
                where title = 'light'"), 0, 'has no row');
    is($t->sql("select count(*) from realtime.jobs where kind = 'emit'"), 0,
       'events leave nothing');
}


sub order {
    $t->sql("select realtime.emit('user:$alice', 'n', to_jsonb(i))
             from generate_series(1, 100) i");

    my @n;

    Test::Realtime::wait_for(10, sub {
        push @n, map { $_->[1] } grep { $_->[0] eq 'n' } $c->events(0.2);
        return @n >= 100;
    });

    is_deeply(\@n, [1 .. 100], 'a hundred, in their order, each once');
}


sub everybody {
    $t->sql("insert into users (id) select gen_random_uuid()
             from generate_series(1, 2500)");
    $t->sql("insert into users (id) values ('$alice'), ('$bob')
             on conflict do nothing");

    my $users = $t->sql('select count(*) from users');
    my $r = notify(all => $true, title => 'all');
    my $id = $r->{json}{data}{id};

    is($r->{status}, 202, 'one for everybody');
    ok(done($id), 'is done');
    is_deeply([@{job($id)->{json}{data}}{qw( kind done total )}],
              ['broadcast', $users, $users], 'for all of them');
    is($t->sql("select count(*) from realtime.notifications
                where id = '$id'"), $users, 'who have rows');
    is(titles($c), 'all', 'a socket gets it, once');
    is(titles($d), 'all', 'and another one');
}


sub wrong {
    for (["notify_user(null, 'a', 'T', 'M')", 'user_id'],
         ["notify_user('$bob', 'A', 'T', 'M')", 'type'],
         ["notify_user('$bob', 'a', '', 'M')", 'title'],
         ["notify_user('$bob', 'a', 'T', null)", 'message'],
         ["notify_user('$bob', 'a', 'T', 'M', '[]')", 'object'],
         ["notify_user('$bob', 'a', 'T', 'M',
            jsonb_build_object('x', repeat('x', 20000)))", '16384'],
         ["notify_user('$bob', 'a', 'T', 'M', expires_at => now())",
          'expires_at'],
         ["notify_user('$bob', 'a', 'T', 'M', deliver_at => 'infinity')",
          'deliver_at'],
         ["emit('lobby', 'e')", 'room'],
         ["emit('user:$bob,/admin', 'e')", 'room'],
         ["emit('user:$bob', 'connect')", 'reserved'],
         ["emit('user:$bob', '')", 'event'],
         ["emit('user:$bob', 'e', to_jsonb(repeat('x', 300000)))", '262144'])
    {
        my ($call, $word) = @$_;

        my $got = $t->sql("do \$\$ begin perform realtime.$call;
                           exception when invalid_parameter_value then
                               perform set_config('my.error', sqlerrm, false);
                           end \$\$; select current_setting('my.error')");

        like($got, qr/$word/, "refused: $word");
    }

    is(titles($d), '', 'and nobody is told');

    my $r = job($t->uuid('nothing'));

    is_deeply([$r->{status}, $r->{json}{code}], [404, 'job_not_found'],
              'an unknown job');
    is(job('x')->{status}, 404, 'no id');
    is($t->get('/realtime/api/jobs/x')->{status}, 401, 'no credentials');
    is($t->get('/realtime/api/jobs/x', token => $t->token($alice))
         ->{status}, 403, 'those of a user');
}
