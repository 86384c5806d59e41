#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A worker that takes the slot of a dead one gets none of its answers: what a
# client of the dead one was waiting for goes to nobody else.

use strict;
use warnings;

use IO::Select;
use Test::More;
use Time::HiRes qw( sleep time );

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => 2, server => <<'EOT');
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
            realtime_message_relay on;
        }

        location /where {
            return 200 "slot $realtime_slot;";
        }

        location /status {
            realtime_status json;
        }
EOT

$t->allow(qr/exited on signal 9/)->start;

my $base = '/socket.io/?EIO=4&transport=polling';
my ($home, $other) = map { $_->{slot} } slots();


sub slots { @{$t->get('/status')->{json}{slots}} }


# a connection that the worker of this slot has taken

sub at {
    my ($slot) = @_;

    for (1 .. 100) {
        my $s = $t->tcp;

        return $s if answer(request($s, '/where'), 5) =~ /slot $slot;/;
    }

    die "no connection to slot $slot\n";
}


sub request {
    my ($s, $path, $body) = @_;

    print $s defined $body ? "POST $path HTTP/1.1\r\nHost: localhost\r\n"
                             . 'Content-Length: ' . length($body)
                             . "\r\n\r\n$body"
                           : "GET $path HTTP/1.1\r\nHost: localhost\r\n\r\n";
    return $s;
}


sub answer {
    my ($s, $timeout) = @_;

    return '' unless IO::Select->new($s)->can_read($timeout);

    sysread $s, my $text, 65536;

    return $text // '';
}


sub session {
    my ($s) = @_;

    my ($sid) = answer(request($s, $base), 5) =~ /"sid":"([^"]+)"/;

    return "$base&sid=$sid";
}


sub killed {
    my ($slot) = @_;

    my ($old) = grep { $_->{slot} == $slot } slots();

    kill KILL => $old->{pid};

    ok(Test::Realtime::wait_for(10, sub {
        grep { $_->{slot} == $slot && $_->{pid} != $old->{pid} } slots();
    }), "slot $slot has another worker");
}


# Ann's session is with one worker, and her GET is the first one at the other.

my $ann = session(at($home));

request(at($home), $ann,
        '40' . Test::Realtime::encode({ token => $t->token('ann') }));
like(answer(request(at($home), $ann), 5), qr/40\{.*"connected"/s,
     'Ann is there');

killed($other);

my $get = request(at($other), $ann);

is(answer($get, 0.5), '', 'her GET waits');

killed($other);

# Bob's is the first one at its successor.

my $bob = session(at($home));
$get = request(at($other), $bob);
is(answer($get, 0.5), '', 'and his');

my $sam = $t->connect('sam');

is($sam->ask('message', { recipientId => 'ann', message => 'a secret',
                          conversationId => 'c' })->{status},
   'success', 'a message to Ann');

is(answer($get, 1), '', 'nothing of it comes to Bob');

done_testing();
