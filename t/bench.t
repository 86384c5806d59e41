#!/usr/bin/env perl

# Copyright (C) ngx_realtime contributors

# The load generator of bench/ notices what a server does wrong, also while its
# clients come and go.

use strict;
use warnings;

use File::Temp;
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

# the generator is one of many on a busy machine and may begin late; and what
# comes first, the wrong message or the gap, is chance

my $count = $result->{delivery_ms}{count};

ok $count > 100 && $count <= 1000, "the messages of the window count: $count";

cmp_ok $result->{cpu_us}, '>', 0, 'its CPU time is seen';

my %says = (
    loses    => qr/expected message|never came/,
    repeats  => qr/expected message/,
    alters   => qr/^altered/,
    cuts     => qr/^60 bytes came/,
    misleads => qr/somebody else's|expected message/,
    closes   => qr/lost|expected message/,
);

for my $fault (sort keys %says) {
    ($status, $result) = load($fault);

    is $status, 1, "a server that $fault fails the run";
    like $result->{first_error}, $says{$fault}, 'for that reason';
}

# clients that are closed and come back, to the reference server

my $closing = <<'END';
const { Server } = require('socket.io');
const server = require('http').createServer();
const fault = process.argv[1];
let n = 0, rounds = 20;

const io = new Server(server, { transports: ['websocket'],
                                connectionStateRecovery: {} });

io.on('connection', (socket) => {
    const token = socket.handshake.headers.authorization.split('.')[1];

    socket.join(JSON.parse(Buffer.from(token, 'base64url')).id);

    socket.on('message', (m) => {
        if (++n !== 200 || fault !== 'loses') {
            io.to(m.recipientId).emit('message', { message: m.message });
        }

        if (n === 200 && fault === 'repeats') {
            io.to(m.recipientId).emit('message', { message: m.message });
        }
    });

    socket.emit('connected', {});
});

setInterval(() => {
    for (const [, socket] of n && rounds-- > 0 ? io.sockets.sockets : []) {
        if (Math.random() < 0.3) {
            socket.conn.transport.socket.close(1001);
        }
    }
}, 100);

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
END

my $key = File::Temp->new;

print $key 'a key of 32 bytes, which nobody checks here';
close $key;

sub reload {
    my ($fault) = @_;

    local $ENV{NODE_PATH} = 't/node_modules';
    my $pid = open my $node, '-|', 'node', '-e', $closing, $fault
        or die "node: $!\n";
    chomp(my $port = <$node>);

    my $json = `build/bench/rtload reload --port $port --key $key \\
                --conns 20 --rate 500 --seconds 2`;

    kill 'TERM', $pid;
    close $node;

    return decode_json($json);
}

$result = reload('none');

is $result->{errors}, 0, 'clients that come back miss nothing'
    or diag $result->{first_error};
cmp_ok $result->{recovered}, '>', 20, 'their connections are recovered';

# it forgets one that is back before the end of the old connection was seen

is $result->{received} + $result->{lost}, $result->{sent},
   'and all messages are counted';
ok !$result->{lost} || $result->{forgotten},
   'one may be lost to who was not recovered';

for my $fault (qw( loses repeats )) {
    $result = reload($fault);

    like $result->{first_error} // "forgotten: $result->{forgotten}",
         qr/expected message|never came|forgotten: [1-9]/,
         "a server that $fault one is found out";
}

done_testing();
