#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A worker dies right behind its question whether a WebSocket may take a
# session over: what it asked is nobody's any more, though another worker has
# its slot by then, and the session upgrades with the next WebSocket.

use strict;
use warnings;

use MIME::Base64 qw( decode_base64 );
use Test::More;
use Time::HiRes qw( sleep );

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => 2, server => <<'EOT')->start;
        listen 127.0.0.1:%%PORT2%% reuseport;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /engine/ {
            realtime_socket echo=engine;
        }

        location /slot {
            return 200 "slot $realtime_slot";
        }

        location /status {
            realtime_status json;
        }
EOT

$t->allow(qr/exited on signal 9/);

my $sid = Test::Realtime::decode(substr
          $t->get('/engine/?EIO=4&transport=polling')->{body}, 1)->{sid};
my $slot = ord decode_base64(substr($sid, 0, 4) =~ tr[-_][+/]r);
my $upgrade = "/engine/?EIO=4&transport=websocket&sid=$sid";

my %pid = map { $_->{slot} => $_->{pid} }
          @{$t->get('/status')->{json}{slots}};


# a connection that the other worker has, to go on with

sub elsewhere {
    for (1 .. 100) {
        my $s = $t->tcp($t->port2);
        my $text = '';

        syswrite $s, "GET /slot HTTP/1.1\r\nHost: localhost\r\n\r\n";
        sysread $s, $text, 65536, length $text while $text !~ /slot (\d+)/;

        return $s if $text =~ /slot (\d+)/ && $1 != $slot;
    }

    die 'all connections went to one worker';
}


my $s = elsewhere();
my ($other) = grep { $_ != $slot } keys %pid;

# the worker of the session does not hear the question before it wakes up

kill STOP => $pid{$slot};

syswrite $s, "GET $upgrade HTTP/1.1\r\nHost: localhost\r\n"
             . "Connection: Upgrade\r\nUpgrade: websocket\r\n"
             . "Sec-WebSocket-Version: 13\r\n"
             . "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
sleep 0.3;
kill KILL => $pid{$other};

ok($t->wait_log(qr/slot $other taken over from dead worker $pid{$other}/),
   'the other worker dies and is replaced');
is(sysread($s, my $text, 1), 0, 'without having answered');

kill CONT => $pid{$slot};


my $ws;

ok(Test::Realtime::wait_for(3, sub {
    $ws = $t->ws(port => $t->port2, path => $upgrade);
    return 0 if $ws->status != 101;
    $ws->send('2probe');
    return (($ws->recv(1) // {})->{payload} // '') eq '3probe';
}), 'another WebSocket is let in');

$ws->send('5');
$ws->send('4hello');
is(($ws->recv(1) // {})->{payload}, '4hello', 'and has the session');

done_testing();
