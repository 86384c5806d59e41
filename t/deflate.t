#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# What is compressed, and how often, and that nothing is lost where a little
# inflates to a lot.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => 2, server => <<'EOT')->start;
        listen 127.0.0.1:%%PORT2%% reuseport;
        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_message_relay on;
        realtime_compression on;
        add_header X-Slot $realtime_slot always;

        location /socket.io/ { realtime_socket; realtime_chat; }

        location /high/ {
            realtime_socket;
            realtime_chat;
            realtime_compression_threshold 4k;
        }

        location /echo/ { realtime_socket echo=engine; }

        location /all/ {
            realtime_socket echo=engine;
            realtime_compression_threshold 0;
            realtime_send_limit 64m;
        }

        location /status { realtime_status json; }
EOT

my $query = '?EIO=4&transport=websocket';


sub status { $t->get('/status')->{json} }
sub z { Test::Realtime::WebSocket->encode(rsv => 4, opcode => $_[1] // 1,
            payload => Test::Realtime::WebSocket->deflate($_[0])) }


sub counted {
    my ($before) = @_;

    my $after = status();

    return { map { $_ => $after->{$_} - $before->{$_} }
             qw( deflated deflated_from_bytes deflated_sent ) };
}


sub connected {
    my ($path, %o) = @_;

    my $ws = $t->ws(port => $t->port2, path => "$path$query", deflate => 1,
                    %o);

    $ws->recv;

    return $ws;
}


# "rsv length" of the echo

sub echo {
    my ($ws, $payload, $opcode) = @_;

    $ws->frame(opcode => $opcode // 1, payload => $payload);

    my $f = $ws->recv // return 'nothing';

    return $f->{payload} ne $payload ? 'not the same'
           : $f->{opcode} != ($opcode // 1) ? 'of another type'
           : $f->{rsv} && $f->{wire} >= length $payload ? 'no smaller'
           : $f->{rsv} . ' ' . length $payload;
}


# what is compressed

my $ws = connected('/echo/');

is(echo($ws, '4' . 'x' x 1022), '0 1023', 'below the threshold');
is(echo($ws, '4' . 'x' x 1023), '4 1024', 'at the threshold');
is(echo($ws, '4' . 'x' x 200_000), '4 200001', 'in a frame of another size');
is(echo($ws, 'x' x 5000, 2), '4 5000', 'a binary message');

my $noise = join '', map { chr int rand 256 } 1 .. 5000;
my $before = status();

is(echo($ws, $noise, 2), '0 5000', 'not what would not be smaller');
is_deeply(counted($before), { deflated => 0, deflated_from_bytes => 0,
                              deflated_sent => 0 }, 'nor is it counted');

$ws = connected('/all/');
is(echo($ws, '4'), '0 1', 'nor a packet of one byte');

$ws->ping('p' x 100);
is_deeply($ws->recv, { fin => 1, rsv => 0, opcode => 10,
                       payload => 'p' x 100 }, 'nor a pong');
$ws->close(1000);
is_deeply($ws->recv, { fin => 1, rsv => 0, opcode => 8, code => 1000,
                       reason => '', payload => "\x03\xe8" }, 'nor a Close');


# A message for many: two that have it in each worker, others that have not,
# or have a higher threshold.

my %in;

while (grep({ @{$in{$_} // []} >= 2 } 0, 1) < 2) {
    my $c = $t->connect('bob', port => $t->port2, deflate => 1);

    push @{$in{$c->ws->headers->{'x-slot'}}}, $c;
}

my @have = map { @$_ } values %in;
my @have_not = ($t->connect('bob'), map { $t->connect('bob', deflate => 1,
    path => "/high/$query") } 1 .. 2);
my $alice = $t->connect('alice');

$_->event('connected') for @have, @have_not, $alice;
$before = status();

is($alice->ask(message => { recipientId => 'bob', conversationId => 'c',
                            message => 'x' x 1500 })->{status}, 'success',
   'a message of 3 kB');

my @frames = map { $_->ws->recv } @have, @have_not;

is_deeply([map { $_->{rsv} } @frames], [(4) x @have, (0) x @have_not],
          'is compressed for those who have agreed on it');
is_deeply([map { $_->{payload} } @frames],
          [($frames[-1]{payload}) x @frames], 'and the same for all');
is_deeply(counted($before), { deflated => 2, deflated_sent => scalar @have,
                              deflated_from_bytes =>
                                  2 * length $frames[-1]{payload} },
          'once in each of two workers');


# a little inflates to a lot: the worker takes it in turns

sub long { my ($n) = @_; map { "4$_ " . 'z' x 100_000 } 1 .. $n }

# the beginning of each message that has the length of another

sub read_back {
    my ($ws, @sent) = @_;

    return [map {
        my $text = ($ws->recv // {})->{payload} // '';
        length $text == length $_ ? substr $text, 0, 6 : 'lost';
    } @sent];
}

sub begin { [map { substr $_, 0, 6 } @_] }


$ws = connected('/all/');
$ws->raw(join('', map { z($_) } long(45)) . z('4last')
         . substr z('4cut'), 0, 3);
is_deeply(read_back($ws, long(45), '4last'), begin(long(45), '4last'),
          '4.5 MB in one write of 6 kB, in order');

$ws = connected('/all/', first => join '', map { z($_) } long(45));
is_deeply(read_back($ws, long(45)), begin(long(45)),
          'and behind the handshake');

my $connections = status()->{connections};

$ws->raw(join '', map { z($_) } long(45));
$ws->abort;
ok(Test::Realtime::wait_for(5, sub {
    status()->{connections} == $connections - 1
}), 'one that leaves while it waits is gone');

# what comes while the worker sleeps, it finds in the order in which it came

my ($first, $second);

do {
    ($first, $second) = map { $t->connect($_, port => $t->port2,
                                          deflate => 1) } qw( eve mallory );
} until $first->ws->headers->{'x-slot'} eq $second->ws->headers->{'x-slot'};

my $carol = $t->connect('carol');

sub to_carol { z('42' . Test::Realtime::encode(['message',
    { recipientId => 'carol', conversationId => 'c', message => "$_[0]",
      pad => $_[1] }])) }

sub stopped { slurp("/proc/$_[0]/stat") =~ /\) T/ }
sub slurp { open my $fh, '<', $_[0] or die "$_[0]: $!"; scalar <$fh> }

kill STOP => $t->workers;
Test::Realtime::wait_for(5, sub { !grep { !stopped($_) } $t->workers })
    or die "the workers do not stop\n";
$first->ws->raw(join '', map { to_carol($_, 'x' x 100_000) } 1 .. 45);
$second->ws->raw(to_carol('short', ''));
kill CONT => $t->workers;

my @got = map { ($carol->event('message') // {})->{message} // 'lost' }
          1 .. 46;

is_deeply([grep { $_ ne 'short' } @got], [1 .. 45], '4.5 MB in one write');
isnt($got[45], 'short', 'are not all read before another client is');

is(status()->{protocol_errors}, 0, 'nobody was refused');

done_testing();
