#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# The same over TLS: stock clients, messages of many records, records of a few
# bytes, bursts in order, idle clients, and one that does not read.

use strict;
use warnings;

use Socket qw( SOL_SOCKET SO_RCVBUF );
use Test::More;
use Time::HiRes qw( time );

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::JWT qw( jwt_key_pair jwt_certificate );

my $t = Test::Realtime->new(server => <<'EOT');
        listen 127.0.0.1:%%PORT2%% ssl sndbuf=16k;
        ssl_certificate %%DIR%%/p256.pem.crt;
        ssl_certificate_key %%DIR%%/p256.pem;
        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_message_relay on;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
            realtime_send_limit 512k;
        }

        location /late/ {
            realtime_socket;
            realtime_chat;
            realtime_send_limit 16m;
        }

        location /pings/ {
            realtime_socket;
            realtime_chat;
            realtime_ping_interval 300ms;
            realtime_ping_timeout 2s;
        }

        location /status {
            realtime_status json;
        }
EOT

my ($key) = jwt_key_pair($t->dir, 'p256');
my $certificate = jwt_certificate($key);

$t->{server} =~ s/%%DIR%%\/p256\.pem\.crt/$certificate/;
$t->{server} =~ s/%%DIR%%\/p256\.pem/$key/;
$t->start;


sub status { $t->get('/status')->{json} }


sub stock {
    my ($user, %options) = @_;

    my $node = $t->node('client.js', 'https://127.0.0.1:' . $t->port2,
        Test::Realtime::encode({ rejectUnauthorized => JSON::PP::false,
            auth => { token => $t->token($user) }, %options }));

    ok($node->wait_line(sub { ($_[0]{event} // '') eq 'connected' }),
       "$user: a stock client over wss");

    return $node;
}


# a tunnel whose clients send that many bytes in a record

sub tunnel {
    my ($bytes) = @_;

    return $t->node('tls_tunnel.js', $t->port2, $bytes)->line->{port};
}


sub to {
    my ($user, $text, %more) = @_;

    return { recipientId => $user, message => $text, conversationId => 'c',
             %more };
}


sub burst {
    my ($from, @payloads) = @_;

    $from->ws->raw(join '', map {
        $from->ws->encode(payload => '42'
                          . Test::Realtime::encode(['message', $_]))
    } @payloads);
}


my $wide = tunnel(16384);
my $narrow = tunnel(7);

my $stock = stock('stock');
my $raw = $t->connect('raw', port => $wide);
my $small = $t->connect('small', port => $narrow);

ok($raw->sid && $small->sid, 'raw clients, through large and small records');
ok(Test::Realtime::wait_for(5, sub {
    3 == (() = $t->access =~ m{"GET /socket\.io/\?EIO=4[^"]*" 101 }g)
}), 'each upgrade is a line in the access log');

# 300 kB in, which takes 19 records and more

is($raw->ask('message', to('stock', 'large', pad => 'p' x 300_000))->{status},
   'success', 'a message of 300 kB to the server');
is($stock->wait_line(sub { ($_[0]{event} // '') eq 'message' })
   ->{args}[0]{message}, 'large', 'is understood');

$stock->send({ ask => ['message', to('raw', 'large', pad => 'p' x 300_000)] });
is($stock->wait_line(sub { $_[0]{ack} })->{ack}[0]{status}, 'success',
   'and one from a stock client');
is($raw->event('message')->{message}, 'large', 'too');

# three times 120 kB out: the server writes "<" as six bytes, and that twice

my $long = '<' x 10_000;

burst($raw, map { to('stock', "$_ " . substr $long, 2) } 1 .. 3);
is_deeply([map { $stock->wait_line(sub { ($_[0]{event} // '') eq 'message' })
                 ->{args}[0]{content} } 1 .. 3],
          [map { "$_ " . substr $long, 2 } 1 .. 3],
          '360 kB to a stock client');

burst($raw, map { to('small', "$_ " . substr $long, 2) } 1 .. 3);
is_deeply([map { $small->event('message')->{content} } 1 .. 3],
          [map { "$_ " . substr $long, 2 } 1 .. 3], 'and to a raw one');

# 200 small ones at once, in both directions

my @texts = map { "small $_" } 1 .. 200;

burst($raw, map { to('stock', $_) } @texts);
is_deeply([map { $stock->wait_line(sub { ($_[0]{event} // '') eq 'message' })
                 ->{args}[0]{message} } @texts], \@texts,
          '200 in one write arrive in order');

$stock->send({ emit => ['message', to('raw', $_)] }) for @texts;
is_deeply([map { $raw->event('message')->{message} } @texts], \@texts,
          'and 200 of a stock client');

# a frame in many records, and several frames in a record

burst($small, map { to('raw', $_) } @texts[0 .. 49]);
is_deeply([map { $raw->event('message')->{message} } 1 .. 50],
          [@texts[0 .. 49]], 'records of seven bytes');

# idle clients live on pings

my $idle = stock('idle', path => '/pings/');
my $mute = $t->connect('mute', port => $wide,
                       path => '/pings/?EIO=4&transport=websocket');
my $pings = 0;

while ($pings < 5) {
    my $f = $mute->ws->recv(3) // last;

    last if $f->{eof};
    next if $f->{payload} ne '2';

    $pings++;
    $mute->ws->send('3');
}

is($pings, 5, 'pings come, and are answered');
$mute->close;
$idle->send({ ask => ['message', to('nobody', 'x')] });
is_deeply([map { $_->{disconnect} // $_->{ack}[0]{status} }
               grep { !$_->{event} } $idle->line], ['success'],
          'the stock client has been there all the time');
is(status()->{ping_timeouts}, 0, 'nobody was given up');

# One that reads late finds everything: the socket is full by then, the rest
# waits in the worker, and more of it comes.

my $late = $t->connect('late', port => $wide,
                       path => '/late/?EIO=4&transport=websocket');
my @parts = map { "$_ " . '<' x 4000 } 100 .. 249;

for (@parts) {
    burst($raw, to('late', $_));
    $raw->ask('message', to('nobody', 'x'));
}

my @read = map { ($late->event('message') // {})->{message} // 'lost' } @parts;

is_deeply([map { substr $_, 0, 20 } @read], [map { substr $_, 0, 20 } @parts],
          '7 MB to a client that reads late are in order');
is_deeply(\@read, \@parts, 'and whole');
$late->close;

# one that does not read is given up, and in nobody's way

my $deaf = $t->connect('deaf', port => $wide);

setsockopt($deaf->ws->socket, SOL_SOCKET, SO_RCVBUF, 4096);

my ($sent, $slowest, $end) = (0, 0, time + 20);

while (!status()->{slow_consumers} && time < $end) {
    burst($raw, map { to('deaf', $long) } 1 .. 2);
    $sent += 2;

    my $start = time;
    my $ack = $small->ask('message', to('raw', 'still there'));

    last if ($ack->{status} // '') ne 'success' || !$raw->event('message');
    $slowest = time - $start if time - $start > $slowest;
}

is(status()->{slow_consumers}, 1, "a deaf one is given up, after $sent");
cmp_ok($slowest, '<', 1, 'the others did not wait for it');
ok($t->wait_log(qr/WebSocket closed: the client reads too slowly/),
   'the log says why');
ok(Test::Realtime::wait_for(5, sub { status()->{sockets} == 4 }),
   'it is gone, and nobody else is');

done_testing();
