#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# With the policies of rls.sql Postgres itself keeps notifications apart, and
# the module works as without them.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(database => 1, http => <<'EOT', server => <<'EOS');
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=1 timeout=5s identify=on;
EOT
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
            realtime_api_access nginx;
        }
EOS

my ($alice, $bob) = map { $t->uuid($_) } qw( alice bob );

system('psql', '-qX', '-v', 'ON_ERROR_STOP=1', $t->postgres,
       '-f', 'sql/rls.sql') == 0 or die for 1, 2;

$t->start;


# as the role of nginx, for a user

sub rows {
    my ($user, $sql) = @_;

    open my $psql, '-|', 'psql', '-qtAX', $t->{pg}->nginx, '-c',
         "set realtime.\"user\" = '$user'; $sql" or die "psql: $!";

    chomp(my @rows = <$psql>);

    return @rows;
}


my $c = $t->connect($alice);

my $r = $t->post('/realtime/api/notifications', json => {
    userIds => [$alice, $bob], type => 'x', title => 'T', message => 'M' });

is($r->{status}, 202, 'stored for two');

my $id = $r->{json}{data}{id};

is($c->event('notification')->{id}, $id, 'told');

is_deeply([rows($alice, 'select user_id from realtime.notifications')],
          [$alice], 'a user sees his own');
is_deeply([rows('', 'select user_id from realtime.notifications')], [],
          'nobody sees none');
is_deeply([rows($alice, "update realtime.notifications set read_at = now()
                         where user_id = '$bob' returning 1")], [],
          'nor changes that of others');

is(($c->ask(notification_ack => { notificationId => $id }))[0]{status},
   'success', 'acknowledged');
is($t->connect($bob)->event('notification')->{id}, $id, 'given later');
is($t->http(DELETE => "/api/notifications/$id", token => $t->token($bob))
     ->{status}, 200, 'deleted');


# jobs are nobody's but the module's

$t->sql("insert into users (id) values ('$alice'), ('$bob')");
$t->sql("select realtime.notify_user('$alice', 'x', 'SQL', 'M')");
is($c->event('notification', 10)->{title}, 'SQL', 'a job is run');

$r = $t->post('/realtime/api/notifications', json => {
    all => JSON::PP::true, type => 'x', title => 'all', message => 'M' });

is($c->event('notification', 10)->{title}, 'all', 'one for everybody, too');
ok(Test::Realtime::wait_for(10, sub {
    $t->get("/realtime/api/jobs/$r->{json}{data}{job}")
      ->{json}{data}{state} eq 'done'
}), 'and its progress is told');
is_deeply([rows($alice, 'select 1 from realtime.jobs')], [],
          'a user sees none');

$t->stop;
done_testing();
