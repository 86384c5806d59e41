#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A client comes back to a worker that has not read yet what the others sent:
# the client is given it from the history, and not once more when the worker
# comes to it, however much it is, and also if the client upgrades meanwhile.

use strict;
use warnings;

use MIME::Base64 qw( decode_base64 );
use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => 2, server => <<'EOT')->start;
        listen 127.0.0.1:%%PORT2%% reuseport;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
            realtime_message_relay on;
        }

        location /slot {
            return 200 "slot $realtime_slot";
        }

        location /status {
            realtime_status json;
        }
EOT

my %pid = map { $_->{slot} => $_->{pid} }
          @{$t->get('/status')->{json}{slots}};
my ($behind, $other) = sort keys %pid;
my $path = '/socket.io/?EIO=4&transport=';


sub slot_of { ord decode_base64(substr($_[0], 0, 4) =~ tr[-_][+/]r) }


sub state_is {
    my ($want) = @_;

    open my $fh, '<', "/proc/$pid{$behind}/stat" or die $!;

    return <$fh> =~ /\) $want/;
}


# when it waits for events, and has none

sub stand_still {
    Test::Realtime::wait_for(5, sub { state_is('S') });
    kill STOP => $pid{$behind};
    Test::Realtime::wait_for(5, sub { state_is('T') });
}


sub until_in {
    my ($slot, $get) = @_;

    for (1 .. 100) {
        my ($thing, $is) = $get->();

        return $thing if defined $is && $is == $slot;
    }

    die 'all connections went to one worker';
}


sub client_in {
    my ($slot, $user) = @_;

    return until_in($slot, sub {
        my $c = $t->connect($user, port => $t->port2);
        $c->event('connected');
        return ($c, slot_of($c->open->{sid}));
    });
}


# says what, reads until the answer looks so

sub exchange {
    my ($s, $what, $like) = @_;

    my $text = '';

    syswrite $s, $what;

    while ($text !~ $like) {
        sysread $s, $text, 65536, length $text or die "closed: $text";
    }

    return $text =~ $like;
}


# a connection for requests

sub tcp_in {
    my ($slot) = @_;

    return until_in($slot, sub {
        my $s = $t->tcp($t->port2);

        return ($s, exchange($s, "GET /slot HTTP/1.1\r\n"
                                 . "Host: localhost\r\n\r\n",
                             qr/slot (\d+)/));
    });
}


# a WebSocket of its own

sub ws_in {
    my ($slot) = @_;

    return until_in($slot, sub {
        my $ws = $t->ws(port => $t->port2, path => $path . 'websocket');

        return ($ws, slot_of($ws->recv(5)->{payload} =~ /"sid":"([^"]*)/));
    });
}


# as if it had left: "ann" was somewhere, and the worker has a seat for her

sub who_left {
    my $c = client_in($other, 'ann');

    $c->drop;
    $t->wait_log(qr/disconnected: .*socket: "\Q@{[$c->sid]}\E"/);

    return '40' . Test::Realtime::encode({ token => $t->token('ann'),
                                           $c->past });
}


sub say_many {
    my ($from, @texts) = @_;

    for (@texts) {
        my $answer = $from->ask('message', { recipientId => 'ann',
                            message => $_, conversationId => 'c' });

        die "not sent: $_" if $answer->{status} ne 'success';
    }
}


sub heard {
    my ($ws, $last) = @_;

    my @texts;

    while (my $f = $ws->recv(5)) {
        last if $f->{eof};
        next if ($f->{payload} // '') !~ /^42(\["message",.*)/s;

        push @texts, Test::Realtime::decode($1)->[1]{content};
        last if $texts[-1] eq $last;
    }

    return \@texts;
}


my $from = client_in($other, 'sam');
my $seat = client_in($behind, 'ann');

# its words are there first, so that is what the worker sees first

my $connect = who_left();
my $ws = ws_in($behind);
my @said = map { "m$_" } 1 .. 300;

stand_still();
$ws->send($connect);
say_many($from, @said);
kill CONT => $pid{$behind};

# the bus is in order: when this is there, all is

my $back = $ws->recv(5)->{payload};
say_many($from, 'end');

like($back, qr/^40/, 'it is back');
is_deeply(heard($ws, 'end'), [@said, 'end'],
          'more than its list holds comes once');

# the same, and the session moves before the worker has read on

$connect = who_left();

my $s = tcp_in($behind);

my ($sid) = exchange($s, "GET ${path}polling HTTP/1.1\r\n"
                         . "Host: localhost\r\n\r\n",
                     qr/"sid":"([^"]*)"/);

my $s2 = tcp_in($other);

exchange($s2, "GET ${path}websocket&sid=$sid HTTP/1.1\r\n"
              . "Host: localhost\r\nConnection: Upgrade\r\n"
              . "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
              . "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         qr/ 101 .*\r\n\r\n\z/s);

$ws = bless { s => $s2, in => '', headers => {} }, 'Test::Realtime::WebSocket';
$ws->send('2probe');

is($ws->recv(5)->{payload}, '3probe', 'a session asks to move');

stand_still();

syswrite $s, "POST ${path}polling&sid=$sid HTTP/1.1\r\nHost: localhost\r\n"
             . "Content-Type: text/plain\r\n"
             . 'Content-Length: ' . length($connect) . "\r\n\r\n$connect";
$ws->send('5');
say_many($from, @said[0 .. 4]);

kill CONT => $pid{$behind};

$back = $ws->recv(5)->{payload};
say_many($from, 'end');

like($back, qr/^40/, 'it is back, and has moved');
is_deeply(heard($ws, 'end'), [@said[0 .. 4], 'end'],
          'and hears what was said meanwhile once');

done_testing();
