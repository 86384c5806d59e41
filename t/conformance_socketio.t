#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Socket.IO 5: the cases of the public conformance suite, and some more, end
# as they do with socket.io itself, over every transport.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime::Conformance;

# Packets that no client sends and the reference server overlooks.

my %differs;

for my $transport (qw( WebSocket polling upgraded )) {
    $differs{"$transport: packet: $_"} = ['closed', 'no such packet']
        for 'OPEN of the client', 'UPGRADE unasked', 'no payload',
            'an ack without anything';
}

Test::Realtime::Conformance->run(socketio => 'conformance_socketio.js',
                                 differs => \%differs);

done_testing();
