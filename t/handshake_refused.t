#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A handshake whose token is refused has an answer, and nothing else: no
# session, no second header, and a connection for the next request.

use strict;
use warnings;

use IO::Select;
use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(server => <<'EOT')->start;
        realtime_jwt_key HS256 file:%%KEY%%;
        keepalive_timeout 20s;

        location /socket.io/ {
            realtime_socket;
        }

        location /status {
            realtime_status json;
        }
EOT

my $polling = '/socket.io/?EIO=4&transport=polling';
my $websocket = '/socket.io/?EIO=4&transport=websocket';
my %bad = (nonsense => 'x.y.z', expired => $t->token('ann', exp => 1));

sub status { $t->get('/status')->{json} }


# what comes until the server closes, or nothing comes any more

sub answer {
    my ($s, $seconds) = @_;
    my ($text, $open) = ('', 1);

    while (IO::Select->new($s)->can_read($seconds)) {
        if (!sysread $s, $text, 65536, length $text) {
            $open = 0;
            last;
        }
    }

    return ($text, $open);
}


for my $name (sort keys %bad) {
    my $auth = "Authorization: Bearer $bad{$name}\r\n";
    my $s = $t->tcp;

    for my $n (1 .. 3) {
        syswrite $s, "GET $polling HTTP/1.1\r\nHost: localhost\r\n$auth\r\n";

        my ($text, $open) = answer($s, 0.3);

        is(scalar(() = $text =~ m{HTTP/1\.1 403}g), 1,
           "polling, $name: request $n of a connection is refused");
        ok($open, 'which stays');
    }

    syswrite $s, "GET $polling HTTP/1.1\r\nHost: localhost\r\n"
                 . "Connection: close\r\n$auth\r\n";
    ok(!(answer($s, 3))[1], 'and is closed when that is asked for');

    $s = $t->tcp;
    syswrite $s, "GET $websocket HTTP/1.1\r\nHost: localhost\r\n"
                 . "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                 . "Sec-WebSocket-Version: 13\r\n"
                 . "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n$auth\r\n";

    my ($text, $open) = answer($s, 3);

    is(scalar(() = $text =~ m{HTTP/1\.1 }g), 1, "WebSocket, $name: one answer");
    like($text, qr{^HTTP/1\.1 403 }, 'a refusal');
    ok(!$open, 'closed');
}

my $status = status();

is($status->{handshakes_refused}, 10, 'all are counted');
is($status->{handshakes}, 0, 'none was a handshake');
is($status->{connections}, 0, 'none has left a session');

done_testing();
