#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# How an exiting worker parts with its clients: one by one, each with all that
# was sent to it before, and nothing lost that it said before it knew.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw( sleep time );

use lib 't/lib';
use Test::Realtime;

my $ws = '/socket.io/?EIO=4&transport=websocket';
my $polling = '/socket.io/?EIO=4&transport=polling';
my $t;


sub begin {
    my ($drain, $main) = @_;

    $t = Test::Realtime->new(workers => 1, main => $main, http => <<"EOH",
    realtime_zone main 16m;
    realtime_drain_timeout $drain;
EOH
                             server => <<'EOS');
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
            realtime_message_relay on;
        }
EOS

    $t->start;
}


sub say_to {
    my ($to, $text) = @_;

    return [ message => { recipientId => $to, message => "$text",
                          conversationId => 'c' } ];
}


sub post {
    my ($sid, $text) = @_;

    return $t->http(POST => $sid, body => '42' . Test::Realtime::encode(
                    say_to('ann', $text)));
}


sub session {
    my ($user) = @_;
    my $open = Test::Realtime::decode(substr $t->get($polling)->{body}, 1);
    my $sid = "$polling&sid=$open->{sid}";
    my $token = $t->token($user);

    $t->http(POST => $sid, body => qq(40{"token":"$token"}));
    $t->get($sid);

    return $sid;
}


sub exited {
    return Test::Realtime::wait_for($_[0] // 10, sub { !$t->old_workers });
}


# what is sent to sockets that are to go: all of it, in order, then a Close

begin('2s');

my @ben = map { $t->connect('ben') } 1 .. 10;

# a request that the old worker has begun to read

my $late = $t->tcp;

syswrite $late, "GET $ws HTTP/1.1\r\nHost: localhost\r\n";
sleep 0.1;

$t->reload;

my $ann = $t->connect('ann');
my ($sent, $end) = (0, time + 10);

syswrite $late, "Upgrade: websocket\r\nConnection: Upgrade\r\n"
    . "Sec-WebSocket-Version: 13\r\n"
    . "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

while (time < $end and my @left = grep { !defined $_->code } @ben) {
    $ann->ask(@{say_to('ben', $sent++)});

    for my $c (@left) {
        my $p = $c->packet(0.002);
        push @{$c->{got}}, $p if defined $p && $p ne '';
    }
}

my @texts = map {
    [ map { /^42.*"message":"(\d+)"/ ? $1 : $_ }
      grep { !/^42\["connected"/ } @{$_->{got}} ]
} @ben;

cmp_ok(scalar(map { @$_ } @texts), '>', 0, 'sockets get messages meanwhile');
is_deeply(\@texts, [ map { [ 0 .. $#$_ ] } @texts ],
          'each gets all until its end, in order, and nothing else');
is_deeply([ map { $_->code } @ben ], [ (1001) x 10 ], 'which is 1001');

# these words were on the way before their client read of the end

my $last = (sort { @{$a->{got} // []} <=> @{$b->{got} // []} } @ben)[-1];

$last->emit(@{say_to('ann', 'last words')});
is(($ann->event('message') // {})->{message}, 'last words',
   'what a client said before it knew is dealt with');

$_->ws->close(1001) for @ben;
ok($last->ws->closed, 'its own Close ends the connection');

# and who came to a worker that was exiting already

my $bytes = '';

ok(eof_of($late, \$bytes), 'a socket made in an exiting worker has an end');
like($bytes, qr{^HTTP/1.1 101 .*\x88\x02\x03\xe9$}s, 'the same one');

ok(exited(), 'the old worker is gone');

# polling: the next GET hears it, a POST that was on its way counts

my ($parked, $between) = map { session($_) } qw( parked between );

$t->reload;
$ann = $t->connect('ann');

is($t->get($parked)->{body}, '1', 'a parked GET hears the end');
is(post($parked, 'posted')->{body}, 'ok', 'a POST is taken for a while');
is(($ann->event('message') // {})->{message}, 'posted', 'and dealt with');

ok(Test::Realtime::wait_for(10, sub { $t->log =~ /shutting down, user: "be/ }),
   'a session without a GET has its turn');
is($t->get($between)->{body}, '1', 'and the next GET is told');

ok(exited(), 'then the worker goes');
is($t->get($parked)->{json}{code}, 1, 'and the sid is unknown');

# other limits than the drain

$t->stop;
begin('10m', 'worker_shutdown_timeout 1s;');

my @both = (session('eve'), $t->connect('fay'));

$t->reload;
ok(exited(5), 'worker_shutdown_timeout bounds it, for polling sockets as well');
is($both[1]->ws->close_code, 1001, 'and in time for a Close');

my $quit = $t->connect('gus');

$t->stop('QUIT');
is($quit->ws->close_code, 1001, 'nginx -s quit drains too');

begin('10m');

my $stop = $t->connect('hal');

$t->stop('TERM', 5);
ok($stop->ws->closed, 'nginx -s stop waits for nobody');

done_testing();


sub eof_of {
    my ($socket, $bytes) = @_;
    my $end = time + 10;

    while (time < $end) {
        next unless IO::Select->new($socket)->can_read(0.1);
        return 1 unless sysread $socket, $$bytes, 4096, length $$bytes;
    }

    return 0;
}
