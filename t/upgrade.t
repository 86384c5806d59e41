#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# From polling to WebSocket, mostly on another worker, while messages come:
# none is lost, doubled or out of order.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw( sleep time );

use lib 't/lib';
use Test::Realtime;

my $workers = $ENV{TEST_WORKERS} // 4;
my $rounds = $ENV{TEST_ROUNDS} // 60;

my $t = Test::Realtime->new(workers => $workers, server => <<'EOT');
        listen 127.0.0.1:%%PORT2%% reuseport;
        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_upgrade_timeout 1s;

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

my $url = 'http://127.0.0.1:' . $t->port2;
my $polling = '/socket.io/?EIO=4&transport=polling';


sub status { $t->get('/status')->{json} }


# stock clients, one after the other

my $node = $t->node('upgrade.js', $url, Test::Realtime::encode({
    sender => $t->token('sender'),
    receivers => [map { ["r$_", $t->token("r$_")] } 1 .. 7] }), $rounds);

my ($done, $upgraded, $got, @wrong) = (0, 0, 0);

while (defined(my $r = $node->line(30))) {
    $done++;
    $upgraded++ if $r->{transport} && $r->{transport} eq 'websocket';
    $got += $r->{got} // 0;
    push @wrong, $r->{wrong} // $r->{error} if $r->{wrong} || $r->{error};
}

is($done, $rounds, "$rounds clients");
is($upgraded, $rounds, 'all are on WebSocket in the end');
is_deeply(\@wrong, [], "$got messages, each once and in order");

ok(Test::Realtime::wait_for(15, sub { status()->{connections} <= 1 }),
   'no session is left behind');


# by hand: the parked GET is released at once

sub session {
    my ($user) = @_;

    my $open = $t->get($polling, port => $t->port2)->{body};
    my $sid = Test::Realtime::decode(substr $open, 1)->{sid};
    my $token = $t->token($user);

    $t->http(POST => "$polling&sid=$sid", port => $t->port2,
             body => qq(40{"token":"$token"}));
    $t->get("$polling&sid=$sid", port => $t->port2);

    return $sid;
}


sub probe {
    my ($sid) = @_;

    return $t->ws(port => $t->port2,
                  path => "/socket.io/?EIO=4&transport=websocket&sid=$sid");
}


# as engine.io: the handshake is accepted, and then closed

sub refused {
    my ($sid, $first) = @_;

    my $ws = $t->ws(port => $t->port2, first => $first,
                    path => "/socket.io/?EIO=4&transport=websocket&sid=$sid");

    return $ws->status if $ws->status != 101;

    my $code = $ws->close_code // return 'open';

    $ws->close if $code;

    return "open, close $code, " . ($ws->closed ? 'end' : 'no end');
}


my $sid = session('ann');
my $parked = $t->tcp($t->port2);

syswrite $parked, "GET $polling&sid=$sid HTTP/1.1\r\nHost: x\r\n"
                  . "Connection: close\r\n\r\n";
sleep 0.2;

my $ws = probe($sid);
my $start = time;

$ws->send('2probe');
is($ws->recv->{payload}, '3probe', 'the probe is answered');

my $text = do { local $/; <$parked> };

cmp_ok(time - $start, '<', 0.1, 'the parked GET is released');
is(Test::Realtime::parse_response($text)->{body}, '6', 'with a NOOP');
is($t->get("$polling&sid=$sid", port => $t->port2)->{body}, '6',
   'and one that comes meanwhile too');

is(refused($sid), 'open, close 1005, end', 'a second WebSocket is closed');

$ws->send('2probe');
is($ws->recv->{payload}, '3probe', 'a probe that is repeated as well');

$ws->send('5');
$ws->send('42["message",{"recipientId":"ann","message":"to me",'
          . '"conversationId":"c"}]');
like($ws->recv->{payload}, qr/^42\["message",.*"to me"/,
     'what comes right behind the upgrade is not lost');

is($t->get("$polling&sid=$sid", port => $t->port2)->{json}{code}, 3,
   'a poll after the upgrade is a bad request');
is(refused($sid), 'open, close 1005, end', 'and another upgrade is closed');
is(refused($sid, Test::Realtime::WebSocket->encode(payload => '2probe')),
   'open, close 1005, end', 'with a probe behind its handshake, too');

$ws->send('42["message",{"recipientId":"ann","message":"still here",'
          . '"conversationId":"c"}]');
like($ws->recv->{payload}, qr/still here/, 'the first goes on');


# a probe that fails leaves the session polling

for my $case (['the wrong word', '2nope'], ['an upgrade unasked', '5'],
              ['a message', '42["x"]'], ['silence', undef],
              ['a close', '']) {
    my ($what, $send) = @$case;
    my $sid = session('ben');
    my $ws = probe($sid);

    if (!defined $send) {
        # realtime_upgrade_timeout
    } elsif ($send eq '') {
        $ws->close(1000);
    } else {
        $ws->send($send);
    }

    my $f = $ws->recv(3);

    ok(!$f || $f->{eof} || $f->{opcode} == 8, "$what: the WebSocket ends");
    sleep 0.05;

    is($t->http(POST => "$polling&sid=$sid", port => $t->port2,
                body => '42["message",{"recipientId":"ben","message":"m",'
                        . '"conversationId":"c"}]')->{body}, 'ok',
       'the session goes on polling');
    like($t->get("$polling&sid=$sid", port => $t->port2)->{body},
         qr/^42\["message"/, 'and hears');
}

# a session that goes while its WebSocket probes, as often as it takes to meet
# on two workers

for (1 .. 8) {
    my $sid = session('cem');
    my $ws = probe($sid);

    $ws->send('2probe');
    $ws->recv;
    $t->http(POST => "$polling&sid=$sid", port => $t->port2, body => '1');
    $ws->send('5');
    is($ws->close_code(3), 1005, 'a session that goes takes its probe along');
}

is(probe('A' x 20)->status, 400, 'an upgrade of no session');

done_testing();
