#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A worker that dies has no sockets, one that is stuck makes the answer an
# error, and a reload changes neither.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => 3, server => <<'EOT')->start;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            add_header X-Slot $realtime_slot always;
        }

        location /realtime/api/ {
            realtime_api;
            realtime_api_access nginx;
        }

        location /status {
            realtime_status json;
        }
EOT

sub user { $t->get("/realtime/api/users/$_[0]") }

sub sids { return join ' ', sort map { $_->{socketId} }
                                     @{$_[0]{json}{data}{connections} // []} }


# 1. sockets on all workers

my @ann = map { $t->connect('ann') } 1 .. 12;

is(sids(user('ann')), join(' ', sort map { $_->sid } @ann),
   'all of them, from all workers');


# 2. one dies that has sockets: it need not be each of them that has

my $slot = $ann[0]->ws->headers->{'x-slot'};
my ($victim) = map { $_->{pid} } grep { $_->{slot} == $slot }
                                      @{$t->get('/status')->{json}{slots}};

kill KILL => $victim;
$t->allow(qr/exited on signal 9/);

ok(Test::Realtime::wait_for(5, sub {
    my $r = user('ann');

    return $r->{status} == 200
           && @{$r->{json}{data}{connections}} < 12;
}), 'those of a dead worker are gone');

my @left = grep { alive($_) } @ann;

is(sids(user('ann')), join(' ', sort map { $_->sid } @left),
   'and no others');


# 3. one is stuck

Test::Realtime::wait_for(5, sub { $t->workers == 3 });

my ($stuck) = $t->workers;

kill STOP => $stuck;

my %status;

for (1 .. 40) {
    my $r = $t->get('/realtime/api/users/ann', timeout => 3);
    $status{$r->{status}} = $r if $r->{status};
    last if $status{503};
}

kill CONT => $stuck;

ok($status{503}, 'a worker that is stuck makes it 503');
is($status{503}{json}{code}, 'no_answer', 'with a code');
ok($status{503}{headers}{'retry-after'}, 'and when to try again');
ok(Test::Realtime::wait_for(5, sub { user('ann')->{status} == 200 }),
   'then it is well again');
cmp_ok($t->get('/status')->{json}{api_unanswered}, '>', 0, 'it is counted');


# 4. a reload: old workers still have their sockets

$t->{main} = 'worker_shutdown_timeout 20s;';
$t->reload;

my $ben = $t->connect('ben');

is(sids(user('ben')), $ben->sid, 'new workers answer');
ok(user('ann')->{status} == 200, 'and old ones are asked');
is($t->post('/realtime/api/users/ann/disconnect', json => {})->{status}, 202,
   'and told');
ok(Test::Realtime::wait_for(5, sub { !user('ann')->{json}{data}{online} }),
   'nobody is left');

$t->allow(qr/open socket .* left in connection/);
done_testing();


sub alive {
    my $packet;

    do { $packet = $_[0]->packet(0.1) } while (length($packet // ''));

    return !defined $packet;
}
