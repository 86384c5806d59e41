#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# permessage-deflate is agreed on where it is configured and offered, in the
# handshake of a WebSocket and of one that a polling session becomes.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => 2, server => <<'EOT')->start;
        listen 127.0.0.1:%%PORT2%% reuseport;
        realtime_compression on;

        location /on/ {
            realtime_socket echo=engine;
            realtime_compression_threshold 100;
        }

        location /off/ {
            realtime_socket echo=engine;
            realtime_compression off;
        }

        location /status { realtime_status json; }
EOT

my $agreed = 'permessage-deflate; server_no_context_takeover;'
             . ' client_no_context_takeover';
my $query = '?EIO=4&transport=websocket';


sub z { Test::Realtime::WebSocket->encode(rsv => 4,
            payload => Test::Realtime::WebSocket->deflate($_[0])) }


# what the answer says, and whether it is kept to

sub agreed {
    my ($path, @offer) = @_;

    my $ws = $t->ws(path => "$path$query", @offer);

    $ws->recv;
    $ws->send('4' . 'x' x 99);

    my $f = $ws->recv // { rsv => 'nothing' };

    return [$ws->status, $ws->headers->{'sec-websocket-extensions'},
            $f->{rsv}];
}


# the handshake: an offer may be cut over lines, as any list

my @offers = (
    ['permessage-deflate', $agreed],
    ['permessage-deflate; client_max_window_bits', $agreed],
    ['permessage-deflate; client_max_window_bits=9', $agreed],
    ['permessage-deflate; server_no_context_takeover;'
     . 'client_no_context_takeover', $agreed],
    ['permessage-deflate; server_max_window_bits=15',
     "$agreed; server_max_window_bits=12"],
    ['permessage-deflate; server_max_window_bits=9', undef],
    ['permessage-deflate; server_max_window_bits=9, permessage-deflate',
     $agreed],
    ["x-one; a=\"b\"\r\nSec-WebSocket-Extensions: permessage-deflate", $agreed],
    ["permessage-deflate; server_max_window_bits=9\r\n"
     . 'sec-websocket-extensions: permessage-deflate', $agreed],
    ['permessage-deflate; client_max_window_bits=16', undef],
    ['permessage-deflate; unknown', undef],
    ['x-webkit-deflate-frame', undef],
    ['permessage-deflate, (', undef],
    ["permessage-deflate;\r\nSec-WebSocket-Extensions: x", undef],
    [undef, undef],
    ['', undef],
);

for (@offers) {
    my ($offer, $answer) = @$_;

    is_deeply(agreed('/on/', headers => {
                  'Sec-WebSocket-Extensions' => $offer }),
              [101, $answer, $answer ? 4 : 0], 'offered: '
              . ($offer // 'nothing') =~ s/\r\n[^:]*: /, in a second line: /r);
}

is_deeply(agreed('/off/', deflate => 1), [101, undef, 0],
          'not where it is off');


# a WebSocket that polling becomes, in another worker too

for (1 .. 8) {
    my $open = $t->get('/on/?EIO=4&transport=polling')->{body};
    my $sid = Test::Realtime::decode(substr $open, 1)->{sid};

    my $ws = $t->ws(port => $t->port2, path => "/on/$query&sid=$sid",
                    deflate => 1);

    $ws->raw(z('2probe'));

    my $f = $ws->recv;

    $ws->raw(z('5') . z('4' . 'x' x 2000));
    is_deeply([$ws->headers->{'sec-websocket-extensions'}, $f->{payload},
               $ws->recv->{rsv}], [$agreed, '3probe', 4], "upgrade $_");
}

is($t->get('/status')->{json}{protocol_errors}, 0, 'nobody was refused');

done_testing();
