#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# The public suite of Socket.IO waits for one message at a time and loses a
# second one in the same piece: behind CONNECT, "auth" comes by itself.

use strict;
use warnings;

use IO::Select;
use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(server => <<'EOT')->start;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /sio/ {
            realtime_socket echo=socketio;
            realtime_namespaces /custom;
        }

        location /status {
            realtime_status json;
        }
EOT


sub opened {
    my $ws = $t->ws(path => '/sio/?EIO=4&transport=websocket');

    $ws->recv;

    return $ws;
}


# what the first piece has behind this packet; a slow machine may find two of
# them in one

sub first_piece {
    my ($packet) = @_;
    my $piece;

    for (1 .. 20) {
        my $ws = opened();

        $ws->send($packet);
        IO::Select->new($ws->socket)->can_read(5);
        sysread $ws->socket, $piece, 65536;

        last if $piece !~ /auth/;
    }

    return $piece;
}


sub packets {
    my ($ws, $n) = @_;

    return map { ($ws->recv // { payload => 'none' })->{payload}
                 =~ s/"sid":"[^"]+"//r } 1 .. $n;
}


for my $nsp ('', '/custom,') {
    my $piece = first_piece("40$nsp");

    like($piece, qr/40\Q$nsp\E\{"sid"/, "CONNECT $nsp is answered");
    unlike($piece, qr/auth/, '"auth" is in another piece');
}

my $ws = opened();

$ws->send($_) for '40{"a":1}', '42["message",1]', '42["other"]',
                  '427["message-with-ack",2]';
is_deeply([packets($ws, 4)], ['40{}', '42["auth",{"a":1}]',
          '42["message-back",1]', '437[2]'], 'who is in a hurry has it first');

$ws->send($_) for '40/custom,{"b":2}', '42["message",3]';
is_deeply([packets($ws, 3)], ['40/custom,{}', '42["message-back",3]',
          '42/custom,["auth",{"b":2}]'], 'in its own namespace only');

$ws->send($_) for '41', ('40{"big":"' . 'x' x 50000 . '"}', '41') x 100,
                  '40{"c":3}';
is_deeply([packets($ws, 102)], [('40{}') x 101, '42["auth",{"c":3}]'],
          'none for sockets that are gone');

opened()->send('40') for 1 .. 20;
$ws->abort;
ok(Test::Realtime::wait_for(5, sub {
    my $s = $t->get('/status')->{json};
    $s->{connections} == 0 && $s->{sockets} == 0;
}), 'and none for clients that are gone');

done_testing();
