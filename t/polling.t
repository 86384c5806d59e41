#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Long-polling: any worker takes any request of any session, and the rules of
# Engine.IO hold.

use strict;
use warnings;

use IO::Select;
use MIME::Base64 qw( encode_base64 decode_base64 );
use Test::More;
use Time::HiRes qw( sleep time );

use lib 't/lib';
use Test::Realtime;

my $workers = $ENV{TEST_WORKERS} // 4;

my $t = Test::Realtime->new(workers => $workers, server => <<'EOT');
        listen 127.0.0.1:%%PORT2%% reuseport;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
            realtime_message_relay on;
            realtime_max_payload 10000;
        }

        location /echo/ {
            realtime_socket echo=engine;
            realtime_ping_interval 300ms;
            realtime_ping_timeout 200ms;
        }

        location /sio/ {
            realtime_socket echo=socketio;
            realtime_namespaces /custom;
        }

        location /status {
            realtime_status json;
        }
EOT

$t->start;

my $base = '/socket.io/?EIO=4&transport=polling';


sub status { $t->get('/status')->{json} }
sub poll { my ($path, %o) = @_; $t->get($path, port => $t->port2, %o) }
sub push_ { my ($path, $body, %o) = @_;
            $t->http(POST => $path, port => $t->port2, body => $body, %o) }


# a session: path with sid, handshake

sub session {
    my ($path) = @_;

    my $r = poll($path);
    my $open = Test::Realtime::decode(substr $r->{body}, 1);

    return ("$path&sid=$open->{sid}", $open, $r);
}


# the handshake

my ($s, $open, $r) = session($base);

is($r->{status}, 200, 'a handshake');
is($r->{headers}{'content-type'}, 'text/plain; charset=UTF-8', 'as text');
like($r->{headers}{'cache-control'} // '', qr/no-store/, 'not to be stored');
is_deeply($open->{upgrades}, ['websocket'], 'it may upgrade');
is(length $open->{sid}, 20, 'a sid of 20 characters');

# CONNECT, then an event, from whatever worker

my $token = $t->token('ann');

$r = push_($s, qq(40{"token":"$token"}));

is_deeply([$r->{status}, $r->{body}], [200, 'ok'], 'a POST');

$r = poll($s);

like($r->{body}, qr/^40\{"sid":"[^"]{20}","pid":"[^"]{20}"\}\x1e42\["connected",\{.*\},"[\w-]{11}"\]$/,
     'CONNECT and "connected" come in one payload');


# 200 sessions, 50 round trips each, every request a new connection

my @sessions = map { (session($base))[0] } 1 .. 200;
my ($bad, $foreign) = (0, 0);
my $before = status()->{bus_received};

for my $i (0 .. $#sessions) {
    my $tok = $t->token("u$i");
    $bad++ if push_($sessions[$i], qq(40{"token":"$tok"}))->{body} ne 'ok';
    $bad++ if poll($sessions[$i])->{body} !~ /connected/;
}

for my $n (1 .. 50) {
    for my $i (0 .. $#sessions) {

        my $r = push_($sessions[$i], qq(42["message",{"recipientId":"u$i",)
                      . qq("message":"$n","conversationId":"c"}]));
        $bad++ if $r->{body} ne 'ok';

        $r = poll($sessions[$i]);
        $bad++ if $r->{status} != 200
                  || $r->{body} !~ /^42\["message",\{.*"message":"$n"/;
    }
}

is($bad, 0, '200 sessions x 50 round trips without one wrong answer');

SKIP: {
    skip 'one worker', 1 if $workers == 1;
    $foreign = status()->{bus_received} - $before;
    cmp_ok($foreign, '>', 200 * 50 * 2, 'most by a worker without the session');
}


# a parked GET is answered by an event, at once

my $sock = $t->tcp($t->port2);
my $get = "GET $s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

syswrite $sock, $get;
ok(!IO::Select->new($sock)->can_read(0.3), 'a GET waits for something');

my $start = time;

push_($sessions[0], '42["message",{"recipientId":"ann","message":"hi",'
                    . '"conversationId":"c"}]');
{
    local $/;
    $r = Test::Realtime::parse_response(scalar <$sock>);
}

like($r->{body}, qr/^42\["message"/, 'and is answered with it');
cmp_ok(time - $start, '<', 0.5, 'at once');


# rules

my @cases = (
    ['no such session', GET => "$base&sid=" . 'A' x 20, undef, 400, 1],
    ['a short sid', GET => "$base&sid=abc", undef, 400, 1],
    ['a sid of signs', GET => "$base&sid=" . '!' x 20, undef, 400, 1],
    ['POST without a session', POST => $base, '40', 400, 2],
    ['PUT without a session', PUT => $base, '40', 400, 2],
    ['an old protocol', GET => '/socket.io/?EIO=3&transport=polling', undef,
     400, 5],
    ['no protocol', GET => '/socket.io/?transport=polling', undef, 400, 5],
    ['no transport', GET => '/socket.io/?EIO=4', undef, 400, 0],
);

for (@cases) {
    my ($what, $method, $path, $body, $status, $code) = @$_;
    my $r = $t->http($method => $path, body => $body);

    is_deeply([$r->{status}, $r->{json}{code}], [$status, $code], $what);
}

my %wrong = (
    'no payload' => 'abc', 'nothing' => '', 'an empty packet' => "40\x1e",
    'bad UTF-8' => "42[\"\xff\"]", 'bad base64' => 'b!!!',
    'a ping' => '2', 'an event before CONNECT' => '42["x"]',
);

for my $what (sort keys %wrong) {
    my ($s) = session($base);

    is(push_($s, $wrong{$what})->{status}, 400, "$what: refused");
    is(poll($s)->{json}{code}, 1, 'and the session is over');
}

my ($big) = session($base);

is(push_($big, '4' . 'x' x 10001)->{status}, 413, 'a body over the limit');
is(push_($big, "1;\r\n", headers => { 'Transfer-Encoding' => 'chunked' },
         body => "2711\r\n" . 'x' x 10001 . "\r\n0\r\n\r\n")->{status}, 413,
   'also in chunks');
is(push_($big, qq(40{"token":"$token"}))->{body}, 'ok',
   'which the session survives');

my ($octets) = session($base);

is(push_($octets, '40', headers => { 'Content-Type' =>
                                     'application/octet-stream' })->{status},
   400, 'octets: refused');
is(poll($octets)->{json}{code}, 1, 'and the session is over');

my ($twice) = session($base);
my $first = $t->tcp($t->port2);

syswrite $first, "GET $twice HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
sleep 0.2;
is(poll($twice)->{status}, 400, 'a second GET beside a parked one');
{
    local $/;
    $r = Test::Realtime::parse_response(scalar <$first>);
}
is_deeply([$r->{status}, $r->{body}], [200, '1'], 'ends the first with Close');
is(poll($twice)->{json}{code}, 1, 'and the session');

my ($gone) = session($base);
my $aborted = $t->tcp($t->port2);

syswrite $aborted, "GET $gone HTTP/1.1\r\nHost: x\r\n\r\n";
sleep 0.2;
close $aborted;
ok(Test::Realtime::wait_for(3, sub { (poll($gone)->{json} // {})->{code} }),
   'a GET that the client aborts ends the session');

my ($bye) = session($base);

is(push_($bye, '1')->{body}, 'ok', 'the client says Close');
is(poll($bye)->{json}{code}, 1, 'the session is over');


# heartbeat, echo, binary

my ($e) = session('/echo/?EIO=4&transport=polling');

push_($e, "4hello\x1e4\x{e2}\x{82}\x{ac}\x1ebAQIDBA==");
is(poll($e)->{body}, "4hello\x1e4\x{e2}\x{82}\x{ac}\x1ebAQIDBA==",
   'text and binary come back in order');

for (1 .. 3) {
    is(poll($e)->{body}, '2', 'a ping');
    push_($e, '3');
}

is(poll($e)->{body}, '2', 'one more');
sleep 0.6;
is(poll($e)->{json}{code}, 1, 'without a pong it is over');

for my $nsp ('', '/custom,') {
    my ($b) = session('/sio/?EIO=4&transport=polling');

    push_($b, "40$nsp" . '{"a":1}');
    like(poll($b)->{body}, qr/^40\Q$nsp\E\{"sid":".{20}"\}\x1e42\Q$nsp\E
                              \["auth",\{"a":1\}\]$/x, "CONNECT $nsp");

    push_($b, "452-${nsp}[\"message\",{\"_placeholder\":true,\"num\":0},1,"
              . "{\"_placeholder\":true,\"num\":1}]\x1ebAQI=\x1ebAw==");
    is(poll($b)->{body}, "452-${nsp}[\"message-back\","
       . "{\"_placeholder\":true,\"num\":0},1,"
       . "{\"_placeholder\":true,\"num\":1}]\x1ebAQI=\x1ebAw==",
       "attachments there and back $nsp");

    push_($b, "42${nsp}7[\"message-with-ack\",\"x\",2.50]");
    is(poll($b)->{body}, "43${nsp}7[\"x\",2.50]", "an ack $nsp");
}

my ($n) = session('/sio/?EIO=4&transport=polling');

push_($n, '40/nope,');
is(poll($n)->{body}, '44/nope,{"message":"Invalid namespace"}',
   'an unknown namespace');


# a worker dies: its sessions are unknown, the parked GETs are told

SKIP: {
    skip 'one worker', 2 if $workers == 1;

    $t->allow(qr/exited on signal 9/);

    my ($mine) = session($base);
    my ($slot) = ord decode_base64(substr($mine, -20, 4) =~ tr[-_][+/]r);
    my ($pid) = map { $_->{pid} } grep { $_->{slot} == $slot }
                @{status()->{slots}};

    my @parked = map {
        my $c = $t->tcp($t->port2);
        syswrite $c, "GET $mine HTTP/1.1\r\nHost: x\r\n"
                     . "Connection: close\r\n\r\n";
        $c;
    } 1;

    sleep 0.3;
    kill KILL => $pid;

    my $text = '';
    my $end = time + 6;

    while (time < $end) {
        sysread $parked[0], $text, 4096, length $text or last;
    }

    my $r = Test::Realtime::parse_response($text);

    ok($text eq '' || $r->{json}{code} == 1,
       'a parked GET hears of it, or died with it');
    is(poll($mine)->{json}{code}, 1, 'the session is unknown');
}

done_testing();
