#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Notifications that are none, from back ends and from sockets: each is
# refused with its own code, nothing is stored or told, and the next one is.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use lib 't/lib';
use Test::Realtime;

my $secret = 'the secret of the back end: 32 bytes+';

my $t = Test::Realtime->new(workers => 2, database => 1,
                            server => <<"EOC")->start;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_notifications;
            realtime_notify_roles admin;
        }

        location /api/notifications {
            realtime_notifications;
        }

        location /realtime/api/ {
            realtime_api;
            realtime_api_key HS256 "secret:$secret";
            client_max_body_size 1m;
        }
EOC

my ($alice, $bob) = map { $t->uuid($_) } qw( alice bob );
my ($true, $false) = (JSON::PP::true, JSON::PP::false);
my %n = (userId => $alice, type => 'x', title => 'T', message => 'M');
my $service = Test::Realtime::JWT::jwt_encode({ alg => 'HS256',
    key => $secret }, { exp => time + 600 });
my $base = '/realtime/api/notifications';


sub without {
    my %rest = %n;
    delete @rest{@_};
    return \%rest;
}


my $c = $t->connect($alice, token => $t->token($alice, role => 'admin'));
$c->events(0.5);

my $null = "a\0b";
my $half = '{"userId":"' . $alice . '","type":"x","message":"M","title":"'
           . '\ud800"}';

for ([without('userId'), 400, 'receivers_invalid', 'nobody'],
     [{ %n, userIds => [$bob] }, 400, 'receivers_invalid', 'two kinds'],
     [{ %n, room => "user:$bob" }, 400, 'receivers_invalid', 'and a room'],
     [{ %n, userId => '' }, 400, 'receivers_invalid', 'an empty id'],
     [{ %n, userId => 1 }, 400, 'receivers_invalid', 'a number'],
     [{ %n, userId => [] }, 400, 'receivers_invalid', 'an array'],
     [{ %n, userId => undef }, 400, 'receivers_invalid', 'null'],
     [{ %n, userId => "a\nb" }, 400, 'receivers_invalid', 'control'],
     [{ %n, userId => 'x' x 129 }, 400, 'receivers_invalid', 'a long id'],
     [{ %n, userId => 'alice' }, 400, 'receivers_not_uuid', 'no UUID'],
     [{ %{without('userId')}, userIds => [] }, 400, 'receivers_invalid',
      'no ids'],
     [{ %{without('userId')}, userIds => 'x' }, 400, 'receivers_invalid',
      'ids that are a string'],
     [{ %{without('userId')}, userIds => [$alice, 1] }, 400,
      'receivers_invalid', 'a number among ids'],
     [{ %{without('userId')}, userIds => [$alice, 'x'] }, 400,
      'receivers_not_uuid', 'no UUID among ids'],
     [{ %{without('userId')}, userIds => [($alice) x 10001] }, 413,
      'receivers_too_many', '10,001 ids'],
     [{ %{without('userId')}, room => 'lobby' }, 400, 'room_invalid',
      'an unknown room'],
     [{ %{without('userId')}, room => 1 }, 400, 'receivers_invalid',
      'a room that is a number'],
     [{ %{without('userId')}, room => "user:$alice,/admin" }, 400,
      'room_invalid', 'a room of a namespace'],
     [{ %n, all => $true }, 400, 'receivers_invalid',
      'everybody, and a user'],
     [{ %{without('userId')}, all => 'yes' }, 400, 'all_invalid',
      'everybody as a string'],
     [without('type'), 400, 'type_invalid', 'no type'],
     [{ %n, type => '' }, 400, 'type_invalid', 'an empty type'],
     [{ %n, type => 'New' }, 400, 'type_invalid', 'a type in capitals'],
     [{ %n, type => 'a b' }, 400, 'type_invalid', 'a type of two words'],
     [{ %n, type => 'x' x 51 }, 400, 'type_invalid', 'a long type'],
     [{ %n, type => {} }, 400, 'type_invalid', 'a type that is none'],
     [without('title'), 400, 'title_invalid', 'no title'],
     [{ %n, title => '' }, 400, 'title_invalid', 'an empty title'],
     [{ %n, title => 'x' x 201 }, 400, 'title_invalid', 'a long title'],
     [{ %n, title => $null }, 400, 'title_invalid', 'NUL in the title'],
     [{ %n, title => $true }, 400, 'title_invalid', 'a title that is none'],
     [without('message'), 400, 'message_invalid', 'no message'],
     [{ %n, message => '' }, 400, 'message_invalid', 'an empty message'],
     [{ %n, message => 'x' x 4001 }, 400, 'message_invalid',
      'a long message'],
     [{ %n, message => $null }, 400, 'message_invalid',
      'NUL in the message'],
     [{ %n, message => 1 }, 400, 'message_invalid', 'a number'],
     [{ %n, data => 'x' }, 400, 'data_invalid', 'data that is a string'],
     [{ %n, data => [] }, 400, 'data_invalid', 'data that is an array'],
     [{ %n, data => { x => 'x' x 16400 } }, 413, 'data_too_large',
      'much data'],
     [{ %n, data => { x => 'x' x 1000000 } }, 413, 'data_too_large',
      'a megabyte of data'],
     [{ %n, data => { x => 'x' x 1100000 } }, 413, 'body_too_large',
      'more than nginx takes'],
     [{ %n, id => 'x' }, 400, 'id_invalid', 'an id that is no UUID'],
     [{ %n, id => 1 }, 400, 'id_invalid', 'an id that is a number'],
     [{ %n, id => '' }, 400, 'id_invalid', 'an empty id'],
     [{ %n, expiresAt => time - 1 }, 400, 'expires_invalid', 'expired'],
     [{ %n, expiresAt => 'soon' }, 400, 'expires_invalid', 'no time'],
     [{ %n, expiresAt => $true }, 400, 'expires_invalid', 'a boolean'],
     [{ %n, expiresAt => -1 }, 400, 'expires_invalid', 'before 1970'],
     [{ %n, deliverAt => 'soon' }, 400, 'deliver_invalid', 'no time'],
     [{ %n, deliverAt => -1 }, 400, 'deliver_invalid', 'before 1970'],
     [{ %n, deliverAt => $true }, 400, 'deliver_invalid', 'a boolean'],
     [{ %n, deliverAt => time + 60, expiresAt => time + 30 }, 400,
      'expires_invalid', 'expired before it is delivered'],
     [{ %n, deliverAt => time + 60, volatile => $true, userId => 'x' }, 400,
      'receivers_not_uuid', 'later, and no UUID'],
     [{ %n, deliverAt => time + 60, title => '' }, 400, 'title_invalid',
      'later, and no title'],
     [{ %n, volatile => 'yes' }, 400, 'volatile_invalid', 'no boolean'],
     ['[]', 400, 'payload_invalid', 'an array'],
     ['{', 400, 'json_malformed', 'half an object'],
     [$half, 400, 'title_invalid', 'half of a character'],
     ["{\"userId\":\"\xff\"}", 400, 'json_malformed', 'no UTF-8'])
{
    my ($json, $status, $code, $name) = @$_;

    my $r = $t->post($base, token => $service,
                     ref $json ? (json => $json)
                               : (body => $json, headers => {
                                  'Content-Type' => 'application/json' }));

    is_deeply([$r->{status}, $r->{json}{code}], [$status, $code], $name);
}

is($t->post($base, json => \%n)->{status}, 401, 'no credentials');
is($t->post($base, json => \%n, token => $t->token($alice))->{status}, 403,
   'those of a user');
is($t->http(PUT => $base, json => \%n, token => $service)->{status}, 405,
   'another method');

# -- by the event

for ([{}, 'receivers_invalid'], [{ %n, userId => 'x' }, 'receivers_not_uuid'],
     [{ %n, type => 'A' }, 'type_invalid'],
     [{ %n, title => undef }, 'title_invalid'],
     [{ %n, message => [] }, 'message_invalid'],
     [{ %n, data => 1 }, 'data_invalid'],
     [{ %n, data => { x => 'x' x 20000 } }, 'data_too_large'])
{
    my ($payload, $code) = @$_;

    is(($c->ask(send_notification => $payload))[0]{code}, $code,
       "the event: $code");
}

$c->emit(send_notification => {});
is($c->event('error')->{event}, 'send_notification', 'without an ack');

is_deeply([grep { $_->[0] eq 'notification' } $c->events(0.5)], [],
          'nobody was told');
is($t->sql('select count(*) from realtime.notifications'), 0,
   'nothing was stored');
is($t->sql('select count(*) from realtime.jobs'), 0, 'no job was made');

is($t->post($base, token => $service, json => \%n)->{status}, 202,
   'a good one');
ok($c->event('notification'), 'arrives');

$t->stop;
done_testing();
