#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Many sessions, one timer: each is pinged in time for its client's own rule,
# but not all at once, who does not answer is closed, and what ends, in whatever
# way, does not keep its worker.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw( sleep );

use lib 't/lib';
use Test::Realtime;

my $n = 100;

my $t = Test::Realtime->new(workers => 2, connections => 2048,
                            http => <<'EOH', server => <<'EOT')->start;
    realtime_zone main 16m;
    realtime_drain_timeout 0;
EOH
        listen 127.0.0.1:%%PORT2%% reuseport;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /engine/ {
            realtime_socket echo=engine;
            realtime_ping_interval 1600ms;
            realtime_ping_timeout 4s;
            realtime_upgrade_timeout 200ms;
        }

        location /calm/ {
            realtime_socket echo=engine;
            realtime_ping_interval 8s;
        }

        location /socket.io/ {
            realtime_socket;
            realtime_connect_timeout 200ms;
        }

        location /status {
            realtime_status json;
        }
EOT

my $url = 'http://127.0.0.1:' . $t->port2;
my ($node, $r);


sub status { $t->get('/status')->{json} }
sub poll { $t->get($_[0], port => $t->port2)->{body} }
sub push_ { $t->http(POST => $_[0], port => $t->port2, body => $_[1])->{body} }
sub ws { $t->ws(port => $t->port2,
                path => $_[0] // '/engine/?EIO=4&transport=websocket') }


# An eighth of the interval is by chance: what came together is not pinged
# together.  This takes the longest, so it begins first.

my $calm = $t->node('heartbeat.js', 'answer', $url, '/calm/', 20, 1);


# stock clients, which close by themselves if a ping is late

$node = $t->node('heartbeat.js', 'answer', $url, '/engine/', $n, 4);

for (1 .. 2) {
    $r = $node->line(60) or last;

    is_deeply($r->{ends}, { enough => $n },
              "$r->{transport}: $n clients get their four pings in time");
}

for (1 .. 2) {
    $r = $calm->line(60) or last;

    my ($least, $most) = (sort { $a <=> $b } @{$r->{firsts}})[0, -1];

    cmp_ok($most - $least, '>', 400,
           "$r->{transport}: and their first not all at once");
}

is($_->finish, 0, 'they go') for $node, $calm;
ok(Test::Realtime::wait_for(10, sub { status()->{connections} == 0 }),
   'and leave no session');
is(status()->{ping_timeouts}, 0, 'nobody was closed for want of a pong');


# and some that do not answer

$node = $t->node('heartbeat.js', 'mute', $url, '/engine/', $n);

for (1 .. 2) {
    $r = $node->line(60) or last;

    is_deeply($r->{pings}, [(1) x $n],
              "$r->{transport}: $n clients that are mute get one ping each");
    is_deeply($r->{ends}, { $r->{transport} eq 'polling' ? '1' : 'close 1005',
                            $n }, 'and a Close');
}

$node->finish;
is(status()->{ping_timeouts}, 2 * $n, 'all of them are counted');


# All that waits for its time, for an answer or for a client keeps an exiting
# worker; nothing of this is left.

my $polling = '/engine/?EIO=4&transport=polling';

sub session {
    my $sid = Test::Realtime::decode(substr poll($polling), 1)->{sid};

    return "$polling&sid=$sid";
}

for (1 .. 20) {
    my ($closed, $aborted, $upgraded, $failed, $slow, $cut) =
        map { session() } 1 .. 6;

    push_($closed, '1');

    my $parked = $t->tcp($t->port2);
    syswrite $parked, "GET $aborted HTTP/1.1\r\nHost: localhost\r\n\r\n";

    my $ws = ws($upgraded =~ s/polling/websocket/r);
    $ws->send('2probe');
    $ws->recv;
    $ws->send('5');

    my $probe = ws($failed =~ s/polling/websocket/r);

    my @uploads = map {
        my $s = $t->tcp($t->port2);
        syswrite $s, "POST $_ HTTP/1.1\r\nHost: localhost\r\n"
                     . "Content-Length: 9\r\n\r\n4";
        $s;
    } $slow, $cut;

    sleep 0.02;
    push_($slow, '4second');

    ws()->close(1000);
    ws()->abort;
    $t->connect('ann')->close;
    $t->connect('ann')->drop;
    $_->ws->send('41') for $t->connect('ann');
    ws('/socket.io/?EIO=4&transport=websocket')->recv;

    # the rest ends with this turn
}

ok(Test::Realtime::wait_for(20, sub { status()->{connections} == 0 }),
   'every way to end a session');

$t->reload;
ok(Test::Realtime::wait_for(10, sub { !$t->old_workers }),
   'the workers that had them may exit');

done_testing();
