#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# What a session is in the middle of when it moves to another worker moves
# with it, and a worker that dies while it takes a session over leaves it
# polling.

use strict;
use warnings;

use MIME::Base64 qw( decode_base64 );
use Test::More;
use Time::HiRes qw( sleep time );

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => 4, server => <<'EOT')->start;
        listen 127.0.0.1:%%PORT2%% reuseport;
        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_upgrade_timeout 1s;

        location /sio/ {
            realtime_socket echo=socketio;
        }

        location /engine/ {
            realtime_socket echo=engine;
            realtime_ping_interval 1s;
            realtime_ping_timeout 900ms;
        }

        location /status {
            realtime_status json;
        }
EOT


sub status { $t->get('/status')->{json} }
sub poll { my ($s, %o) = @_; $t->get($s, port => $t->port2, %o) }
sub push_ { $t->http(POST => $_[0], port => $t->port2, body => $_[1]) }


sub session {
    my ($path) = @_;

    my $base = "$path?EIO=4&transport=polling";
    my $open = poll($base)->{body};

    return "$base&sid=" . Test::Realtime::decode(substr $open, 1)->{sid};
}


sub probe {
    my ($s) = @_;

    my $ws = $t->ws(port => $t->port2,
                    path => $s =~ s/polling/websocket/r);

    $ws->send('2probe');
    $ws->recv->{payload} eq '3probe' or die 'no 3probe';

    return $ws;
}


# A stock client does this when a packet and its attachments are more than
# maxPayload: the packet is POSTed, the rest comes after the upgrade.

my ($whole, $rounds) = (0, 12);

for (1 .. $rounds) {
    my $s = session('/sio/');

    push_($s, '40');
    poll($s);
    push_($s, "453-7[\"message-with-ack\",{\"_placeholder\":true,\"num\":0},"
              . "{\"_placeholder\":true,\"num\":1},"
              . "{\"_placeholder\":true,\"num\":2}]\x1ebAQ==\x1eb");

    my $ws = probe($s);

    $ws->send('5');
    $ws->frame(opcode => 2, payload => "\x02\x03");

    my @got = map { ($ws->recv(2) // {})->{payload} // '' } 1 .. 4;

    $whole++ if $got[0] =~ /^463-7\[/
                && "$got[1]|$got[2]|$got[3]" eq "\x01||\x02\x03";
}

is($whole, $rounds, 'attachments on both sides of an upgrade');


# The client's own timer begins at the last ping, whoever sent it.

my @s = map { { path => session('/engine/') } } 1 .. 8;

for (@s) {
    $_->{first} = poll($_->{path})->{body};
    $_->{at} = time;
    push_($_->{path}, '3');
}

sleep $s[-1]{at} + 0.6 - time;

for (@s) {
    $_->{ws} = probe($_->{path});
    $_->{ws}->send('5');
}

my ($late, $longest) = (0, 0);

for (@s) {
    $_->{second} = ($_->{ws}->recv(2) // {})->{payload};

    my $gap = time - $_->{at};

    $longest = $gap if $gap > $longest;
}

is(join(' ', map { $_->{first}, $_->{second} // 'none' } @s),
   join(' ', ('2') x 16), 'each gets its pings');
cmp_ok($longest, '<', 1.3, 'one interval after the other, moved or not');


# the worker with the WebSocket dies between "3probe" and "5"

$t->allow(qr/exited on signal 9/);

my $s = session('/sio/');

push_($s, '40');
poll($s);

my $slot = ord decode_base64(($s =~ /sid=(.{4})/)[0] =~ tr[-_][+/]r);
my ($ws, @others) = (probe($s));

@others = map { $_->{pid} } grep { $_->{slot} != $slot } @{status()->{slots}};
kill KILL => @others;

SKIP: {
    skip 'the probe was at the worker of the session', 2
        unless ($ws->recv(1) // { eof => 1 })->{eof};

    Test::Realtime::wait_for(5, sub { $t->workers == 4 });
    push_($s, '42["message",1]');

    my ($end, $got, $noops) = (time + 4, '', 0);

    while (time < $end && $got !~ /message-back/) {
        $got = poll($s)->{body};
        $noops++ if $got eq '6';
        sleep 0.1;
    }

    like($got, qr/message-back/, "after $noops NOOPs it polls as before");

    $ws = probe($s);
    $ws->send('5');
    $ws->send('42["message",2]');
    like($ws->recv->{payload}, qr/"message-back",2/, 'and upgrades after all');
}

done_testing();
