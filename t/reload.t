#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# nginx -s reload: old and new workers are one system until the old ones have
# drained, and the zone is the same one.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw( sleep time );

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => 2, http => <<'EOT', server => <<'EOT');
    realtime_zone main 16m;
    realtime_drain_timeout 3s;
EOT
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
            realtime_message_relay on;
        }

        location /status {
            realtime_status json;
        }
EOT

$t->start;


sub status { $t->get('/status')->{json} }


sub say_to {
    my ($from, $to, $text) = @_;

    return $from->ask('message', { recipientId => $to, message => $text,
                                   conversationId => 'c' });
}


my @old = map { $t->connect("old$_") } 1 .. 20;

is(status()->{boots}, 1, 'the zone is new');

my $fds = eventfds($t->pid);

$t->reload;

my $new = $t->connect('new');

is(status()->{boots}, 2, 'after the reload it is the same zone');
is(scalar @{status()->{slots}}, 4, 'two old and two new workers take part');
is(status()->{sockets}, 21, 'and all sockets are counted');

# across the generations, both ways

is(say_to($new, 'old1', 'to the old')->{status}, 'success', 'new to old');
is($old[0]->event('message')->{message}, 'to the old', 'arrives');

say_to($old[1], 'new', 'to the new');
is($new->event('message')->{message}, 'to the new', 'old to new arrives');

# drained within the time, not all at once, and told why

my $start = time;
my (@gone, %code);

while (@gone < @old && time - $start < 10) {
    for my $c (grep { !$_->{gone} } @old) {

        my $p = $c->packet(0.01);

        if (defined $p && $p eq '') {
            $c->{gone} = 1;
            push @gone, time - $start;
            $code{$c->code // 'none'}++;
        }
    }
}

is(scalar @gone, 20, 'every old socket is drained');
cmp_ok($gone[-1], '<', 5, 'within realtime_drain_timeout, more or less');
cmp_ok($gone[-1] - $gone[0], '>', 0.5, 'spread over it');
is_deeply(\%code, { 1001 => 20 }, 'with 1001, going away');

ok(Test::Realtime::wait_for(5, sub { !$t->old_workers }),
   'the old workers are gone');

is(scalar @{status()->{slots}}, 2, 'and their slots free');
is(status()->{sockets}, 1, 'the gauges are right');

# ten more, with one client that stays in touch by reconnecting

for (1 .. 10) {
    $t->reload;
    sleep 0.1;
}

ok(Test::Realtime::wait_for(15, sub { !$t->old_workers }),
   'ten reloads in a row leave no old worker');

is(status()->{boots}, 12, 'and still the same zone');
is(scalar @{status()->{slots}}, 2, 'with two slots taken');
is(eventfds($t->pid), $fds, 'and no descriptor leaked in the master');

# another size is another zone: said, and served

$t->{http} =~ s/16m/24m/;
$t->reload;

is(status()->{boots}, 1, 'a changed size makes a new zone');
ok(Test::Realtime::wait_for(10, sub { !$t->old_workers }), 'old ones end');
ok(Test::Realtime::wait_for(5, sub { eventfds($t->pid) == $fds }),
   'the descriptors of the old zone are closed');

my ($a, $b) = map { $t->connect($_) } qw( a b );

say_to($a, 'b', 'fresh');
is($b->event('message')->{message}, 'fresh', 'and it carries messages');

done_testing();


sub eventfds {
    my ($pid) = @_;

    return scalar grep { (readlink($_) // '') =~ /eventfd/ }
                  glob "/proc/$pid/fd/*";
}
