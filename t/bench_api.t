#!/usr/bin/env perl

# Copyright (C) ngx_realtime contributors

# The load generator's modes of a back end, which sends requests and counts what
# sockets get, with a server that does its work and with one that does not.

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
let n = 0;

const server = require('http').createServer((request, response) => {
    let body = '';

    request.on('data', (data) => body += data);
    request.on('end', () => {
        const call = JSON.parse(body);
        const odd = ++n === 3;
        const room = request.url.match(/^\/realtime\/api\/rooms\/user:(.+)\/emit$/);
        let users = call.userIds, note = call;

        if (odd && fault === 'refuses') {
            response.statusCode = 404;
            response.end('no');
            return;
        }

        if (room) {
            users = [room[1]];
            note = call.payload;

        } else if (request.url !== '/realtime/api/notifications') {
            response.statusCode = 404;
            response.end();
            return;
        }

        if (odd && fault === 'forgets') {
            users = users.slice(1);
        }

        const message = odd && fault === 'alters' ? note.message + 'x'
                                                  : note.message;

        for (let i = odd && fault === 'repeats' ? 2 : 1; i > 0; i--) {
            users.forEach((user) => {
                io.to(user).emit('notification', { id: 'x', message });
            });
        }

        if (odd && fault === 'keeps still') {
            return;
        }

        response.writeHead(202, { 'Content-Length': 2 });
        response.end('{}');
    });
});

/* the generator waits for what does not come as long as node would */

server.keepAliveTimeout = 60000;

const io = new Server(server, { transports: ['websocket'] });

io.on('connection', (socket) => {
    const token = socket.handshake.headers.authorization.split('.')[1];

    socket.join(JSON.parse(Buffer.from(token, 'base64url')).id);
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

my @modes = ('notify --conns 10 --rate 500', 'notify --conns 10',
             'notify-many --conns 50', 'notify-stored --conns 50',
             'emit-many --conns 50');

for my $mode (@modes) {
    my $r = load('none', $mode);

    is $r->{errors}, 0, "$mode has no errors" or diag $r->{first_error};
    cmp_ok $r->{delivery_ms}{count}, '>', 0, 'and figures of deliveries';
    cmp_ok $r->{ack_ms}{count}, '>', 0, 'and of replies';
    cmp_ok $r->{last_ms}{count}, '>', 0, 'and of the last delivery'
        unless $mode =~ /--rate/;
}

my %says = (
    refuses       => qr/^reply: HTTP\/1.1 404/,
    forgets       => qr/expected message|never came/,
    alters        => qr/^no such message/,
    repeats       => qr/expected message/,
    'keeps still' => qr/never came/,
);

for my $mode ($modes[0], $modes[2]) {
    for my $fault (sort keys %says) {
        my $r = load($fault, $mode);

        is $r->{errors} > 0, 1, "a server that $fault fails $mode";
        like $r->{first_error}, $says{$fault}, 'for that reason';
    }
}

done_testing();
