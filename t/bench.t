#!/usr/bin/env perl

# Copyright (C) ngx_realtime contributors

# The load generator of bench/ notices what a server does wrong.

use strict;
use warnings;

use FindBin;
use IO::Socket::INET;
use JSON::PP;
use Test::More;
use Time::HiRes qw( sleep );

chdir "$FindBin::Bin/.." or die "chdir: $!\n";

system('make -s -C bench >/dev/null') == 0 or die "bench does not build\n";

my $faulty = <<'END';
const { WebSocketServer } = require('ws');
const fault = process.argv[1];
const names = new Map();
let n = 0;

const server = new WebSocketServer({ host: '127.0.0.1', port: 0 }, () => {
    console.log(server.address().port);
});

server.on('connection', (socket, request) => {
    names.set(request.url.slice(1), socket);

    socket.on('message', (data) => {
        let to = names.get(data.toString('latin1', 0, 8));
        let text = data.toString('latin1', 8);

        if (++n === 200) {
            switch (fault) {
            case 'loses': return;
            case 'repeats': to.send(text); break;
            case 'alters': text = text.slice(0, 40) + 'X' + text.slice(41);
                break;
            case 'cuts': text = text.slice(0, 60); break;
            case 'misleads': to = names.get('00000000'); break;
            case 'closes': return socket.close();
            }
        }

        to.send(text);
    });
});
END

sub load {
    my ($fault) = @_;

    local $ENV{NODE_PATH} = 't/node_modules';
    my $pid = open my $node, '-|', 'node', '-e', $faulty, $fault
        or die "node: $!\n";
    chomp(my $port = <$node>);

    my $json = `build/bench/rtload relay --proto raw --port $port \\
                --pid $pid --conns 10 --rate 2000 --warmup 0.2 \\
                --seconds 0.5`;
    my $status = $? >> 8;

    kill 'TERM', $pid;
    close $node;

    return ($status, decode_json($json));
}

my ($status, $result) = load('none');

is $status, 0, 'a server that does its work is fine';
is $result->{errors}, 0, 'and has no errors';

# the generator is one of many on a busy machine and may begin a little late

my $count = $result->{delivery_ms}{count};

ok $count > 900 && $count <= 1000, "the messages of the window count: $count";

cmp_ok $result->{cpu_us}, '>', 0, 'its CPU time is seen';

my %says = (
    loses    => qr/expected message|never came/,
    repeats  => qr/expected message/,
    alters   => qr/^altered/,
    cuts     => qr/^60 bytes came/,
    misleads => qr/somebody else's/,
    closes   => qr/lost/,
);

for my $fault (sort keys %says) {
    ($status, $result) = load($fault);

    is $status, 1, "a server that $fault fails the run";
    like $result->{first_error}, $says{$fault}, 'for that reason';
}

done_testing();
