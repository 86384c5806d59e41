#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A back end's notification reaches every socket of its receivers once, on
# whatever workers they are, and waits for those who are away; repeated with
# its id it is the same one.  With Postgres down what is volatile goes on.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use lib 't/lib';
use Test::Realtime;

my $server = <<'EOC';
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_notifications;
            realtime_notify_roles admin editor claim=roles;
        }

        location /api/notifications {
            realtime_notifications;
        }

        location /realtime/api/ {
            realtime_api;
            realtime_api_key HS256 "secret:the secret of the back end: 32 bytes+";
            client_max_body_size 2m;
        }
EOC

my $t;

for my $workers ($ENV{TEST_WORKERS} // (2, 4)) {
    subtest "$workers workers" => sub { scenario($workers) };
}

done_testing();


sub scenario {
    my ($workers) = @_;

    $t = Test::Realtime->new(workers => $workers, server => $server,
                             database => 1)->start;

    one();
    many();
    away();
    roles();
    outage();

    $t->stop;
}


sub notify {
    my (%n) = @_;

    my $service = Test::Realtime::JWT::jwt_encode({ alg => 'HS256',
        key => 'the secret of the back end: 32 bytes+' },
        { exp => time + 600 });

    return $t->post('/realtime/api/notifications', token => $service,
                    json => { type => 'system', title => 'T',
                              message => 'M', %n });
}


sub notes {
    my ($c, $timeout) = @_;

    return map { $_->[1] } grep { $_->[0] eq 'notification' }
                           $c->events($timeout // 0.5);
}


sub rows { $t->sql("select count(*) from realtime.notifications
                    where id = '$_[0]'") }


sub one {
    my $alice = $t->uuid('alice');
    my @sockets = map { $t->connect($alice) } 1 .. 5;
    my $r = notify(userId => uc $alice, data => { n => 1, h => '<b>' },
                   title => '<i>&');

    is($r->{status}, 202, 'to one user');

    my $id = $r->{json}{data}{id};

    is_deeply($r->{json}{data}, { id => $id, online => 1, offline => 0 },
              'who is online');

    for my $c (@sockets) {
        my @n = notes($c, 0.3);
        my $time = $n[0]{timestamp};

        is_deeply(\@n, [{ id => $id, type => 'system', title => '<i>&',
                          message => 'M', data => { n => 1, h => '<b>' },
                          timestamp => $time }], 'each socket, once');
    }

    is(rows($id), 1, 'a row');
    is($t->get('/api/notifications', token => $t->token($alice))
         ->{json}{data}[0]{id}, $id, 'of that user');

    # a call that is repeated

    my $own = $t->uuid('own id');

    is(notify(userId => $alice, id => uc $own)->{json}{data}{id}, $own,
       'an id of the caller');
    is(notify(userId => $alice, id => $own, title => 'other')->{status}, 202,
       'again');
    is_deeply([map { $_->{title} } notes($_, 0.3)], ['T'], 'is told once')
        for @sockets;

    my $bob = $t->uuid('bob');
    my $b = $t->connect($bob);

    is(notify(userIds => [$alice, $bob], id => $own)->{status}, 202,
       'again, and to another user');
    is(scalar notes($b), 1, 'who gets it');
    is(scalar notes($sockets[0], 0.3), 0, 'and nobody else');

    is(notify(room => "user:$alice")->{status}, 202, 'to a room');
    is(scalar notes($sockets[4]), 1, 'of a user');
    is_deeply(notify(room => 'user:' . $t->uuid('nobody'))
                ->{json}{data}{offline}, 1, 'where nobody is');

    # volatile: of any user, without a row

    my $carol = $t->connect('carol');

    $id = notify(userId => 'carol', volatile => JSON::PP::true)
            ->{json}{data}{id};
    is_deeply([map { $_->{id} } notes($carol)], [$id], 'a volatile one');
    is(rows($id), 0, 'has no row');
}


sub many {
    my @users = map { $t->uuid("user $_") } 1 .. 10000;
    my @here = map { $t->connect($users[$_ * 500]) } 0 .. 19;
    my $r = notify(userIds => [@users]);

    is($r->{status}, 202, 'to ten thousand users');
    is_deeply([@{$r->{json}{data}}{qw( online offline )}], [20, 9980],
              'some of them are here');
    is(rows($r->{json}{data}{id}), 10000, 'as many rows');

    is(scalar(grep { $_->event('notification', 5) } @here), 20,
       'each is told');
    is(scalar(map { notes($_, 0.02) } @here), 0, 'once');

    $r = notify(userIds => [@users, @users[1 .. 9]]);
    is($r->{json}{code}, 'receivers_too_many', '10,009 ids');

    # recovery

    my $c = shift @here;
    my %old = (pid => $c->pid, offset => $c->offset);
    my $sid = $c->sid;

    $c->drop;

    my $id = notify(userIds => [@users[0 .. 999], @users[0 .. 9]])
               ->{json}{data}{id};

    is(rows($id), 1000, 'each once');

    my $back = $t->connect($users[0], auth => { %old });

    is($back->sid, $sid, 'who was away comes back');
    is_deeply([map { $_->{id} } notes($back)], [$id], 'and gets it, once');
    is(scalar(grep { $_->event('notification', 5) } @here[0, 1]), 1,
       'others got it');

    $_->close for @here, $back;
}


sub away {
    my $dave = $t->uuid('dave');

    my ($id, $late, $short) = map { $_->{json}{data}{id} }
        notify(userId => $dave),
        notify(userId => $dave, expiresAt => time + 3600),
        notify(userId => $dave, expiresAt => time + 2);

    ok(Test::Realtime::wait_for(10, sub {
        !$t->sql("select count(*) from realtime.notifications
                  where id = '$short' and expires_at > now()")
    }), 'one expires');

    my $c = $t->connect($dave);

    is_deeply([map { $_->{id} } notes($c)], [$id, $late],
              'who comes gets what waits for him');
}


sub roles {
    my ($alice, $erin) = map { $t->uuid($_) } qw( alice erin );
    my %n = (userId => $erin, type => 'message', title => 'T',
             message => 'M');

    my $e = $t->connect($erin);
    my $editor = $t->connect($alice, token =>
                             $t->token($alice, roles => ['x', 'editor']));
    my $other = $t->connect($alice, token =>
                            $t->token($alice, roles => 'user'));

    my ($ack) = $editor->ask(send_notification => { %n });
    is($ack->{status}, 'success', 'a user with a role sends one');
    is_deeply([map { $_->{id} } notes($e)], [$ack->{data}{id}],
              'it arrives');

    is(($other->ask(send_notification => { %n }))[0]{code}, 'forbidden',
       'not one without');

    $other->ask(auth_refresh => { token =>
                                  $t->token($alice, roles => 'admin') });
    is(($other->ask(send_notification => { %n }))[0]{status}, 'success',
       'but with another token');
    is(scalar notes($e), 1, 'it arrives, too');
}


sub outage {
    my $alice = $t->uuid('alice');
    my $c = $t->connect($alice);

    notes($c);
    $t->pg_stop;

    my $r;

    Test::Realtime::wait_for(10, sub {
        $r = notify(userId => $alice, title => 'stored');
        return $r->{status} == 503;
    });

    is($r->{json}{code}, 'unavailable', 'without Postgres');
    ok($r->{headers}{'retry-after'}, 'it may be tried again');

    notes($c, 0.2);

    is(notify(userId => $alice, volatile => JSON::PP::true)->{status}, 202,
       'a volatile one');
    is(scalar notes($c), 1, 'arrives');

    $t->pg_start;

    ok(Test::Realtime::wait_for(10, sub {
        notify(userId => $alice)->{status} == 202
    }), 'and later the others again');
}
