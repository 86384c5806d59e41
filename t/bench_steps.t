#!/usr/bin/env perl

# Copyright (C) ngx_realtime contributors

# The load generator's modes of single steps and of heartbeats, with a server
# that does its work and with one that does not.

use strict;
use warnings;

use File::Temp;
use FindBin;
use JSON::PP;
use Test::More;

chdir "$FindBin::Bin/.." or die "chdir: $!\n";

system('make -s -C bench >/dev/null') == 0 or die "bench does not build\n";

my $server = <<'END';
const { Server } = require('socket.io');
const fault = process.argv[1];

const server = require('http').createServer((request, response) => {
    response.statusCode = fault === 'refuses' ? 404 : 200;
    response.end('ok');
});

const io = new Server(server, {
    pingInterval: fault === 'sleeps' ? 60000 : 200,
    transports: fault === 'stays' ? ['polling'] : ['polling', 'websocket'],
});

io.on('connection', (socket) => {
    socket.on('message', (m, ack) => {
        fault === 'blabs' && socket.emit('message', m);
        ack({ status: 'success' });
    });
    socket.emit('connected', {});
});

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
END

my $key = File::Temp->new;

print $key 'a key of 32 bytes, which nobody checks here';
close $key;

sub load {
    my ($fault, @args) = @_;

    local $ENV{NODE_PATH} = 't/node_modules';
    my $pid = open my $node, '-|', 'node', '-e', $server, $fault
        or die "node: $!\n";
    chomp(my $port = <$node>);

    my $json = `build/bench/rtload @args --port $port --key $key \\
                --pid $pid --warmup 0.1 --seconds 1`;

    kill 'TERM', $pid;
    close $node;

    return decode_json($json);
}

my $r = load('none', qw( polling --conns 3 ));

is $r->{errors}, 0, 'polling has no errors' or diag $r->{first_error};

for my $kind (qw( plain event get plain_new event_new get_new )) {
    cmp_ok $r->{"${kind}_ms"}{count}, '>', 0, "and figures of $kind";
}

$r = load('none', 'upgrade');

is $r->{errors}, 0, 'upgrade has none' or diag $r->{first_error};
cmp_ok $r->{released_ms}{count}, '>', 0, 'and figures';

$r = load('none', qw( beat --conns 20 ));

is $r->{errors}, 0, 'beat has none' or diag $r->{first_error};
cmp_ok $r->{pings_each}, '>', 1, 'and sees heartbeats';
cmp_ok $r->{cpu_percent}, '>', 0, 'and what they cost';

my @faults = (
    ['refuses', 'polling --conns 1', qr/^\/plain is not 200/],
    ['blabs', 'polling --conns 1', qr/^packet: 42\["message"/],
    ['stays', 'upgrade', qr/^a response without a length|^no upgrade/],
    ['blabs', 'upgrade', qr/^after the upgrade: "42\["message"/],
    ['sleeps', 'beat --conns 5', qr/^no heartbeat came/],
);

for (@faults) {
    my ($fault, $args, $says) = @$_;

    like load($fault, $args)->{first_error}, $says,
         "a server that $fault fails $args";
}

done_testing();
