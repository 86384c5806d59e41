#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A client hears in time that its token expires, gives a new one on the open
# socket, and lives by that; without one the socket ends with its token.

use strict;
use warnings;

use POSIX qw( strftime );
use Test::More;
use Time::HiRes qw( sleep time );

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(server => <<'EOT')->start;
        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_jwt_require leeway=1s;

        location /socket.io/ {
            realtime_socket;
            realtime_namespaces /custom;
        }

        location /soon/ {
            realtime_auth_expiring 1500ms;
            realtime_jwt_require leeway=2s;
            realtime_socket;
            realtime_chat;
            realtime_message_relay on;
        }

        location /off/ {
            realtime_auth_expiring off;
            realtime_socket;
        }

        location /status {
            realtime_status json;
        }
EOT

my $websocket = '?EIO=4&transport=websocket';


sub status { $t->get('/status')->{json} }
sub iso { strftime '%Y-%m-%dT%H:%M:%S.000Z', gmtime $_[0] }


# a socket whose token has so many seconds left

sub socket_ {
    my ($user, $left, %o) = @_;

    my $exp = defined $left ? int(time) + $left : undef;

    return ($t->connect($user, token => $t->token($user, exp => $exp), %o),
            $exp);
}


sub refresh {
    my ($c, $user, $left) = @_;

    my $exp = defined $left ? int(time) + $left : undef;
    my ($ack) = $c->ask('auth_refresh',
                        { token => $t->token($user, exp => $exp) });

    return ($ack, $exp);
}


sub names { join ' ', map { $_->[0] } $_[0]->events($_[1]) }
sub until_ { sleep($_[0] - time) if time < $_[0] }


# the warning

my ($c, $exp) = socket_('ann', 30);
my @events = $c->events(0.3);

is(join(' ', map { $_->[0] } @events), 'connected auth_expiring',
   'a token that soon expires: said right behind "connected"');
is_deeply($events[1][1], { expiresAt => iso($exp) }, 'and when it does');

($c) = socket_('ann', 3600);
is(names($c, 0.3), 'connected', 'there is an hour: not a word');

($c) = socket_('ann');
is(names($c, 0.3), 'connected', 'no exp: not a word');

($c) = socket_('ann', 30, path => "/off/$websocket");
is(names($c, 0.3), 'connected', 'it can be turned off');

($c, $exp) = socket_('ann', 3, path => "/soon/$websocket");
is(names($c, 0.3), 'connected', 'at first there is time enough');
is_deeply(scalar $c->event('auth_expiring', 4), { expiresAt => iso($exp) },
          'then there is not');
cmp_ok(time, '<', $exp + 1, 'it comes before the end');
is($c->event('error', 6)->{code}, 'token_expired', 'which comes');
is($c->packet(2), '', 'and closes the socket');
is($c->code, 1008, 'as ever');


# the new token

($c, $exp) = socket_('ann', 3, path => "/soon/$websocket");
$c->event('auth_expiring', 4) or fail('no auth_expiring');

my ($ack, $new) = refresh($c, 'ann', 3600);

is_deeply($ack, { status => 'success', data => { expiresAt => iso($new) } },
          'a refresh is acknowledged');

until_($exp + 3);
is($c->ask('message', { recipientId => 'x', message => 'y',
                        conversationId => 'c' })->{status}, 'success',
   'the socket outlives its first token');
is(names($c, 0.2), 'connected', 'and hears no more of it');

($ack, $exp) = refresh($c, 'ann', 2);
is($ack->{status}, 'success', 'a token with an earlier exp is taken');
is($c->event('error', 6)->{code}, 'token_expired', 'by that it ends');

($c, $exp) = socket_('ann', 1, path => "/soon/$websocket");
until_($exp + 0.2);
($ack) = refresh($c, 'ann', 3600);
is($ack->{status}, 'success', 'within the leeway it is not too late');
until_($exp + 3);
($ack) = refresh($c, 'ann');
is_deeply($ack, { status => 'success', data => { expiresAt => undef } },
          'a token without exp: expiresAt is null');

# half of a life that is shorter than the time of the warning

($c, $exp) = socket_('ann', 30);
names($c, 0.1);
($ack, $new) = refresh($c, 'ann', 3);
is(names($c, 0.3), '', 'a short token is not complained about at once');
is_deeply(scalar $c->event('auth_expiring', 4), { expiresAt => iso($new) },
          'but when half of it is gone');

# again and again

my $before = status()->{auth_refreshes};
my @ids = map { $c->emit_ack('auth_refresh', { token =>
                    $t->token('ann', exp => $new + $_ * 100) }) } 1 .. 300;
my @acks = map { scalar $c->ack($_) } @ids;

is_deeply([map { $_->{data}{expiresAt} } @acks],
          [map { iso($new + $_ * 100) } 1 .. 300], '300 in a row');
is(status()->{auth_refreshes} - $before, 300, 'they are counted');

my $silent = { token => $t->token('ann', exp => $new + 5) };
$c->emit('auth_refresh', $silent);
is(names($c, 0.3), '', 'without an ack nothing is said');
is(status()->{auth_refreshes} - $before, 301, 'but done');


# more than one namespace

sub two {
    my ($left, $user, $other) = @_;

    my ($c) = socket_('ann', $left);
    my $token = $t->token($user, exp => int(time) + $other);

    $c->ws->send(qq(40/custom,{"token":"$token"}));
    $c->take(2, sub { $_[0] =~ m{^40/custom} });

    return $c;
}


$c = two(3600, 'ann', 2);
like($c->event('auth_expiring', 2)->{expiresAt}, qr/Z$/,
     'the socket in "/" hears of the one in "/custom"');
refresh($c, 'ann', 3600);
until_(time + 3.5);
is(names($c, 0.1), 'connected',
   'a refresh in "/" is for all sockets of the user');
$c->ws->send('42/custom,1["x"]');
ok(defined $c->take(2, sub { $_[0] =~ m{^43/custom,1\[} }), 'both live');

$c = two(3600, 'bob', 2);
refresh($c, 'ann', 3600);
is($c->event('error', 6)->{code}, 'token_expired',
   'and not for those of another one');
ok(defined $c->take(2, sub { $_[0] =~ m{^42/custom,\["error",\{} }),
   'each is told in its namespace');
is($c->packet(2), '', 'once');

$c = two(30, 'ann', 3600);
$c->ws->send('42/custom,1["auth_refresh",{"token":"x"}]');
is($c->take(2, sub { $_[0] =~ m{^43/custom,1.*"code":"(\w+)"} ? $1 : () }),
   'event_unknown', 'the event belongs to "/"');

done_testing();
