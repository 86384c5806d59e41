#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A notification is its user's alone: it is given to each of his sockets that
# comes until he has read it or acknowledged it, his other sockets hear of
# that, and REST has it with all that there is to know.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => $ENV{TEST_WORKERS} // 2,
                            database => 1, server => <<'EOT')->start;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
            realtime_notifications;
        }

        location /api/notifications {
            realtime_notifications;
        }
EOT

my ($alice, $bob) = map { $t->uuid($_) } qw( alice bob );
my %token = map { $_ => $t->token($_) } $alice, $bob;


sub rest {
    my ($who, $method, $path) = @_;

    return $t->http($method, "/api/notifications$path",
                    token => $token{$who});
}


# n-th second of an hour, so that the order is known

sub store {
    my ($who, $n, %o) = @_;

    my $id = $o{id} // $t->uuid("$who $n");
    my $data = defined $o{data} ? "'$o{data}'" : 'null';
    my $expires = $o{expires} ? "now() + interval '$o{expires}'" : 'null';

    $t->sql("insert into realtime.notifications
        (user_id, id, type, title, message, data, created_at, expires_at)
        values ('$who', '$id', 'system', 'title $n', 'a <b> & c', $data,
                timestamptz '2024-06-10 02:00:00Z' + $n * interval '1 s',
                $expires)");

    return $id;
}


sub notes { map { $_->[1] } grep { $_->[0] eq 'notification' } @_ }

sub unread { rest($_[0], GET => '/unread/count')->{json}{data}{unreadCount} }


# -- rows

my $first = store($alice, 1, data => '{"n":1.0,"big":12345678901234567890,'
                                     . '"html":"<&>"}');
my $second = store($alice, 2);
my $stale = store($alice, 3, expires => '-1 s');
my $other = store($bob, 4);

my $r = rest($alice, GET => '');

is($r->{status}, 200, 'the list');
is_deeply([map { $_->{id} } @{$r->{json}{data}}], [$second, $first],
          'newest first, without what has expired and what is of others');
is_deeply([sort keys %{$r->{json}{data}[0]}],
          [sort qw( id user_id type title message data read read_at
                    created_at )], 'the row');
is_deeply({ %{$r->{json}{data}[0]} },
          { id => $second, user_id => $alice, type => 'system',
            title => 'title 2', message => 'a <b> & c', data => undef,
            read => JSON::PP::false, read_at => undef,
            created_at => '2024-06-10T02:00:02.000Z' }, 'its values');
is_deeply($r->{json}{pagination}, { hasMore => JSON::PP::false,
                                    nextBefore => undef }, 'the last page');
like($r->{body}, qr/"data":\{"n":1\.0,"big":12345678901234567890,/,
     'data as it was written');
unlike($r->{body}, qr/[<>&]/, 'and nothing that HTML knows');

$r = rest($alice, GET => '?limit=1');
is_deeply($r->{json}{pagination}, { hasMore => JSON::PP::true,
                                    nextBefore => $second }, 'a page');
is_deeply([map { $_->{id} } @{rest($alice, GET => "?before=$second")
                              ->{json}{data}}], [$first], 'the next one');
is_deeply(rest($alice, GET => "?before=$first")->{json}{data}, [],
          'and none');
is(rest($alice, GET => "?before=$other")->{json}{code}, 'cursor_invalid',
   'not from what is of others');
is(rest($alice, GET => '?before=x')->{status}, 400, 'nor from no id');
is(unread($alice), 2, 'unread');

# -- at a socket that comes

my $a = $t->connect($alice);
my @events = $a->events(1);

is_deeply([map { $_->{id} } notes(@events)], [$first, $second],
          'unread ones are given, the oldest first');
is($events[0][0], 'connected', 'after "connected"');

my ($event) = notes(@events);

is_deeply($event, { id => $first, type => 'system', title => 'title 1',
                    message => 'a <b> & c',
                    data => { n => 1.0, big => 12345678901234567890,
                              html => '<&>' },
                    timestamp => '2024-06-10T02:00:01.000Z' }, 'the event');

my $phone = $t->connect($alice);
is(scalar notes($phone->events(1)), 2, 'and to the next one');

my $b = $t->connect($bob);
is_deeply([map { $_->{id} } notes($b->events(1))], [$other], 'each his own');

# -- acknowledged

is_deeply($a->ask(notification_ack => { notificationId => uc $first })
            ->{status}, 'success', 'acknowledged');
is_deeply(scalar $phone->event('notification_read'), { id => $first },
          'the other socket hears of it');
is_deeply([grep { $_->[0] eq 'notification_read' } $a->events(0.3)], [],
          'this one does not');
is(unread($alice), 1, 'read');
is($t->sql("select acknowledged_at is not null from realtime.notifications
            where user_id = '$alice' and id = '$first'"), 't',
   'and acknowledged');

is($a->ask(notification_ack => { notificationId => $first })->{status},
   'success', 'once more');
is_deeply([$phone->events(0.3)], [], 'is no news');

for ([$other, 'of others'], [$t->uuid('none'), 'unknown'], ['x', 'no id'],
     [$stale, 'expired'], [undef, 'none'], [{}, 'no string'])
{
    is($a->ask(notification_ack => { notificationId => $_->[0] })->{code},
       'notification_not_found', "not acknowledged: $_->[1]");
}

is($a->ask(notification_ack => 'x')->{code}, 'payload_invalid',
   'a payload that is no object');

# -- read by REST

$r = rest($alice, PUT => "/$second/read");
is($r->{status}, 200, 'read by REST');
is($r->{json}{data}{read}, JSON::PP::true, 'the row says so');
is_deeply(scalar $_->event('notification_read'), { id => $second },
          'a socket hears of it') for $a, $phone;

is(rest($alice, PUT => "/$other/read")->{status}, 404, 'not that of others');
is(rest($alice, PUT => '/x/read')->{json}{message}, 'Notification not found',
   'nor what is none');
is(rest($alice, DELETE => "/$other")->{status}, 404, 'nor deleted');
is(unread($bob), 1, 'it is still there');

my @more = map { store($alice, $_) } 10 .. 12;

$r = rest($alice, PUT => '/read-all');
is_deeply($r->{json}{data}, { count => 3 }, 'all are read');
is_deeply(scalar $a->event('notification_read'), { all => JSON::PP::true },
          'a socket hears of it');
is(unread($alice), 0, 'none is left');
is_deeply(rest($alice, PUT => '/read-all')->{json}{data}, { count => 0 },
          'again');

$r = rest($alice, DELETE => "/$more[0]");
is($r->{json}{message}, 'Notification deleted', 'deleted');
is(rest($alice, DELETE => "/$more[0]")->{status}, 404, 'once');

my $late = store($alice, 20);
is(rest($alice, DELETE => "/$late")->{status}, 200, 'an unread one');
$phone->event('notification_read');
is_deeply(scalar $phone->event('notification_read'), { id => $late },
          'is not to be read any more');

# -- the door

is(rest($alice, POST => '')->{status}, 405, 'no POST here');
is(rest($alice, GET => '/x')->{status}, 405, 'a path with other methods');
is(rest($alice, GET => '/x/y')->{json}{message}, 'Endpoint not found',
   'an unknown path');
is($t->http(GET => '/api/notifications')->{status}, 401, 'without a token');
is($t->http(GET => '/api/notifications', token => $t->token('bob'))
     ->{json}{code}, 'user_not_uuid', 'of a user who is no UUID');
is(scalar notes($t->connect('bob')->events(0.5)), 0,
   'who is given nothing, and may connect');

# -- no more than 50

$t->sql("insert into realtime.notifications
    (user_id, id, type, title, message, created_at)
    select '$bob', md5(n::text)::uuid, 'x', n::text, 'm',
        timestamptz '2024-07-10 02:00:00Z' + n * interval '1 s'
    from generate_series(1, 1100) n");

my @given = notes($t->connect($bob)->events(1));

is_deeply([map { $_->{title} } @given], [1051 .. 1100], 'the newest fifty');
is(unread($bob), 1101, 'are not all');
is(rest($bob, PUT => '/read-all')->{json}{data}{count}, 1101,
   'all of many are read');
is(scalar notes($t->connect($bob)->events(0.5)), 0, 'and not given again');

$t->stop;
done_testing();
