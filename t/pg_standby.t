#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# With a Postgres that only reads, a hot standby, what only reads goes on, though
# it refuses to LISTEN: chat's pages and notifications are served, what would be
# stored is answered with 503, and nobody asks it again and again.  Once it has
# been promoted all is as ever.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => 2, database => 1,
                            http => <<'EOT', server => <<'EOC');
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=1;
EOT
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
            realtime_notifications;
        }

        location /api/chat {
            realtime_chat;
        }

        location /api/notifications {
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

my ($alice, $bob, $id, $note) = map { $t->uuid($_) } qw( alice bob c n );

$t->sql("insert into users (id) values ('$alice'), ('$bob');
         insert into realtime.conversations
             (id, created_by, participant_id, title)
         values ('$id', '$alice', '$bob', 'T');
         insert into realtime.messages
             (id, conversation_id, sender_id, content)
         values (gen_random_uuid(), '$id', '$alice', 'Hi');
         insert into realtime.notifications
             (user_id, id, type, title, message)
         values ('$bob', '$note', 'x', 'T', 'M')");

standby();

$t->allow(qr/postgres refused/)->start;

my $token = $t->token($bob);
my $c = $t->connect($bob);

is(($c->event('notification', 10) // {})->{id}, $note,
   'what is unread is given at CONNECT');
is($t->get('/api/notifications', token => $token)->{json}{data}[0]{id},
   $note, 'and by REST');
is($t->get("/api/chat/conversations/$id/messages", token => $token)
     ->{json}{data}[0]{content}, 'Hi', 'a page of a conversation');

for (['message_send', { conversationId => $id, content => 'x',
                        clientId => 'c' }],
     ['notification_ack', { notificationId => $note }])
{
    is(($c->ask(@$_))[0]{code}, 'unavailable', "$_->[0] is refused");
}

my %n = (userId => $bob, type => 'x', title => 'T', message => 'M');

my $r = $t->post('/realtime/api/notifications', json => { %n });

is_deeply([$r->{status}, $r->{json}{code}], [503, 'unavailable'],
          'a notification that would be stored is');
ok($r->{headers}{'retry-after'}, 'it may be tried again');
is($t->post('/realtime/api/notifications',
            json => { %n, deliverAt => time + 1 })->{status}, 503,
   'one for later is');
is($t->post('/realtime/api/notifications',
            json => { %n, volatile => JSON::PP::true })->{status}, 202,
   'a volatile one is not');
ok($c->event('notification', 5), 'it arrives');

# nobody asks again and again: neither to connect, nor for jobs

my %before = counts();

ok(!$c->event('nothing', 6), 'for six seconds nothing happens');

my %after = counts();

is($after{pg_connects}, $before{pg_connects}, 'the connections stay');
cmp_ok($after{pg_queries} - $before{pg_queries}, '<', 12,
       'few statements are sent');

my $deaf = qr/\[warn\].* postgres will not notify: [^\n]*LISTEN/;

is(lines($deaf), 2, 'each worker says once that it will not be woken');
cmp_ok(lines(qr/\[error\].* postgres refused/), '<=', 12,
       'and what is refused, not each time');

# another connection, the same again

$t->sql("select pg_terminate_backend(pid) from pg_stat_activity
         where usename = 'chat'", role => 'postgres');

ok(Test::Realtime::wait_for(10, sub {
    my $r = $t->get('/api/notifications', token => $token);
    return $r->{status} == 200 && lines(qr/postgres will not notify/) >= 4;
}), 'connected anew, it is as before');
is(lines($deaf), 2, 'which the log knows already');

# promoted: it writes, and jobs are found without being told of them

$t->sql('select pg_promote()', role => 'postgres');

ok(Test::Realtime::wait_for(20, sub {
    $t->post('/realtime/api/notifications', json => { %n })->{status} == 202
}), 'promoted, it stores');

$c->events(0.5);
$t->sql("select realtime.notify_user('$bob', 'x', 'from SQL', 'M')");
is(($c->event('notification', 15) // {})->{title}, 'from SQL',
   'and what is said in SQL is delivered, a little later');

$t->stop;
done_testing();


sub standby {
    my $signal = $t->{pg}->dir . '/data/standby.signal';

    $t->pg_stop;

    open my $file, '>', $signal or die "$signal: $!";
    close $file;
    chown scalar getpwnam('postgres'), -1, $signal if $> == 0;

    $t->pg_start;

    is($t->sql('select pg_is_in_recovery()'), 't', 'Postgres is a standby');
}


sub counts { %{$t->get('/status')->{json}} }

sub lines { scalar(() = $t->log =~ /$_[0]/g) }
