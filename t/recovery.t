#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Connection state recovery: who loses the connection comes back as the same
# socket and gets what it missed, once and in order, whichever worker it
# meets; or starts anew and is told so.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw( sleep );

use lib 't/lib';
use Test::Realtime;

my $relay = <<'EOT';
            realtime_socket;
            realtime_chat;
            realtime_message_relay on;
EOT

my $t = Test::Realtime->new(workers => $ENV{TEST_WORKERS} // 4,
                            server => <<"EOT");
        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_namespaces /admin;

        location /socket.io/ {
$relay
        }

        location /short/ {
$relay
            realtime_recovery 1s;
        }

        location /never/ {
$relay
            realtime_recovery off;
        }

        location /status {
            realtime_status json;
        }
EOT

$t->start;

my $n = 0;
my $from = $t->connect('sam');


sub status { $t->get('/status')->{json} }


# the user gets the next messages; acknowledged, so they are all on their way

sub say_to {
    my ($user, $count) = @_;

    my @said;

    for (1 .. $count // 1) {
        my $text = 'm' . ++$n;
        my $ack = $from->ask('message', { recipientId => $user,
                                          message => $text,
                                          conversationId => 'c' });
        is($ack->{status}, 'success', "sent $text")
            if $ack->{status} ne 'success';
        push @said, $text;
    }

    return @said;
}


sub texts {
    my ($c, $timeout) = @_;

    return map { $_->[1]{content} }
           grep { $_->[0] =~ /^message/ } $c->events($timeout // 0.4);
}


sub back {
    my ($c, $user, %o) = @_;

    my $new = $t->connect($user, %o,
                          auth => { $c->past, %{$o{auth} // {}} });

    # the same client: it remembers

    $new->{offset} //= $c->offset;

    return $new;
}


sub recovered {
    my ($old, $new, $name) = @_;

    is_deeply([$new->sid, $new->pid], [$old->sid, $old->pid], $name);
}


sub anew {
    my ($old, $new, $name) = @_;

    ok($new->sid && $new->sid ne $old->sid
       && $new->pid && $new->pid ne $old->pid, $name)
        or diag(explain([$old->past, $new->past, $new->error]));
}


# -- what a client sees

my $c = $t->connect('ann');

like($c->pid, qr/^[\w-]{20}$/, 'CONNECT is answered with a pid');

$c->event('connected');
like($c->offset, qr/^[\w-]{11}$/, '"connected" has an offset');

my @said = say_to('ann', 2);
is_deeply([texts($c)], \@said, 'events');

my $offset = $c->offset;
isnt($offset, undef, 'have offsets');

$c->emit('nonsense', {});
is($c->event('error')->{code}, 'event_unknown', 'an error event');
isnt($c->offset, $offset, 'has another one');

$c->ask('message', { recipientId => 'nobody', message => 'x',
                     conversationId => 'c' });
pass('an ack has none');


# -- drops

$c->drop;
@said = say_to('ann', 3);

my $d = back($c, 'ann');
recovered($c, $d, 'back after a drop: the same socket');
is_deeply([texts($d)], \@said, 'and what was missed, in order');

@said = say_to('ann');
is_deeply([texts($d)], \@said, 'and what comes now');

# before the first event: no offset

$c = $t->connect('eve');
$c->drop;
@said = say_to('eve', 2);
delete $c->{offset};

$d = back($c, 'eve');
recovered($c, $d, 'no event came before the drop');
is_deeply([texts($d)], \@said, 'all of them');

# what was sent and did not arrive

$c = $t->connect('flo');
$c->event('connected');
@said = say_to('flo', 5);
sleep 0.3;
$c->drop;
push @said, say_to('flo', 5);

$d = back($c, 'flo');
recovered($c, $d, 'events were in the socket');
is_deeply([texts($d)], \@said, 'those, and the later ones');

# twice, and without an event in between

$d->drop;
my $e = back($d, 'flo');
recovered($d, $e, 'again');
is_deeply([texts($e)], [], 'nothing was missed');

$e->drop;
@said = say_to('flo');
$d = back($e, 'flo');
recovered($e, $d, 'and again');
is_deeply([texts($d)], \@said, 'one');


# -- many, on whichever worker: each message once, in order

$c = $t->connect('gus');
my (%slots, @got, @all);

for my $round (1 .. 40) {
    push @all, say_to('gus', 1 + $round % 3);
    push @got, texts($c, 0.03) if $round % 4;
    $c->drop;
    push @all, say_to('gus', 1) if $round % 3;

    my $new = back($c, 'gus');
    $new->pid eq $c->pid or fail("round $round");
    $c = $new;
    $slots{$1}++ if $t->log =~ /.*socket: "\Q@{[$c->sid]}\E", slot: (\d+)/s;
}

push @got, texts($c);

is_deeply(\@got, \@all, '40 drops: ' . @all . ' messages, once and in order');
cmp_ok(scalar keys %slots, '>', 1, 'on several workers')
    if ($ENV{TEST_WORKERS} // 4) > 1;


# -- the old socket is still there: a network that just went silent

$c = $t->connect('hal');
$c->event('connected');
@said = say_to('hal', 2);

for (1 .. 6) {
    my $new = back($c, 'hal');
    $new->pid eq $c->pid or fail('half open');

    is_deeply([texts($new)], \@said, 'half open: what it had not seen');
    $c->events(2);
    is($c->code, 1001, 'the old one is closed');

    @said = say_to('hal', 2);
    $c = $new;
}

# sent while it comes back

$c = $t->connect('ida');
@got = @all = ();

for my $round (1 .. 20) {
    my @ids = map {
        push @all, 'i' . ++$n;
        $from->emit_ack('message', { recipientId => 'ida',
                                     message => $all[-1],
                                     conversationId => 'c' })
    } 1 .. 10;

    $c->drop if $round % 2;
    my $new = back($c, 'ida');
    $new->pid eq $c->pid or fail("in traffic, round $round");
    $from->ack($_) for @ids;
    $c = $new;
    push @got, texts($c, 0.05);
}

push @got, texts($c);
is_deeply(\@got, \@all, 'messages in flight while it came back, once');


# -- who may not

$c = $t->connect('joe');
$c->event('connected');
$c->drop;

anew($c, back($c, 'eve'), 'another user');
anew($c, back($c, 'joe', path => '/short/?EIO=4&transport=websocket'),
     'another location');

my $bad = $t->connect('joe', auth => { $c->past },
                      token => $t->token('joe', exp => time - 3600));
like($bad->error->{message}, qr/^Authentication error/,
     'the token is checked again');

for (['a secret that is wrong', pid => substr($c->pid, 0, 16) . 'AAAA'],
     ['a record that is not there', pid => '____' . substr($c->pid, 4)],
     ['a short pid', pid => 'x'],
     ['an empty pid', pid => ''],
     ['a pid of a megabyte', pid => 'x' x 900_000],
     ['a number', pid => 17],
     ['an object', pid => { a => 1 }],
     ['an offset of nowhere', offset => 'AAAAAAAAAAA'],
     ['an offset that is text', offset => 'hello'],
     ['an offset that is a number', offset => 5],
     ['the offset of another socket', offset => $from->offset],)
{
    my ($name, @change) = @$_;

    $c = $t->connect('joe');
    $c->event('connected');
    $c->drop;
    anew($c, back($c, 'joe', auth => { @change }), $name);
}

$c = $t->connect('joe');
$c->close;
sleep 0.1;
anew($c, back($c, 'joe'), 'who said goodbye');

$c = $t->connect('joe', path => '/short/?EIO=4&transport=websocket');
$c->drop;
sleep 3.2;
anew($c, back($c, 'joe', path => '/short/?EIO=4&transport=websocket'),
     'too late');

$c = $t->connect('kim', path => '/never/?EIO=4&transport=websocket');
is($c->pid, undef, 'realtime_recovery off: no pid');
@said = say_to('kim');
my @args = $c->event('message');
is_deeply([scalar @args, $args[0]{content}], [1, $said[0]], 'no offset');
$c->drop;


# -- rooms: the sender's other socket is away

$c = $t->connect('sam');
$c->event('connected');
$c->drop;
@said = say_to('nobody', 2);

$d = back($c, 'sam');
recovered($c, $d, 'the other socket of a sender');
is_deeply([texts($d)], \@said, 'message_sent is kept for it');
$d->drop;


# -- a reload, and a dead worker

$c = $t->connect('lea');
$c->event('connected');
@said = say_to('lea');
is_deeply([texts($c)], \@said, 'before the reload');
$c->drop;
push @all, @said = say_to('lea', 2);

$t->reload;

$d = back($c, 'lea');
recovered($c, $d, 'over a reload');
is_deeply([texts($d)], \@said, 'what was missed');

$from = $t->connect('sam');

my ($slot) = $t->log =~ /.*socket: "\Q@{[$d->sid]}\E", slot: (\d+)/s;
my ($other) = $t->log =~ /.*socket: "\Q@{[$from->sid]}\E", slot: (\d+)/s;

$t->allow(qr/exited on signal 9/);

for my $try (1 .. 40) {
    last if ($ENV{TEST_WORKERS} // 4) == 1 || $other != $slot;
    $from = $t->connect('sam');
    ($other) = $t->log =~ /.*socket: "\Q@{[$from->sid]}\E", slot: (\d+)/s;
}

SKIP: {
    skip 'needs two workers', 3 if ($ENV{TEST_WORKERS} // 4) == 1;

    my $pid = pid_of_slot($slot);
    @said = say_to('lea', 2);
    kill KILL => $pid;
    push @said, say_to('lea', 2);

    $e = back($d, 'lea');
    recovered($d, $e, 'its worker was killed');
    is_deeply([texts($e)], \@said, 'what was missed');
    @said = say_to('lea', 2);
    is_deeply([texts($e)], \@said, 'and it goes on');
}


# the worker's pid is in its line of the log: "PID#0: *N realtime: connected"

sub pid_of_slot {
    my ($slot) = @_;

    my ($pid) = $t->log =~ /.* (\d+)#\d+: [^\n]*connected, [^\n]*slot: $slot\b/s;

    return $pid;
}


# -- more than the history holds

$c = $t->connect('max');
$c->event('connected');
$c->drop;

$from->ask('message', { recipientId => 'max', message => 'x' x 9000,
                        conversationId => 'c' }) for 1 .. 300;

anew($c, back($c, 'max'), 'the history has forgotten');
like($t->log, qr/not recovered: (?:the history|too much)/, 'and says so');

cmp_ok(status()->{recoveries}, '>', 60, 'recoveries are counted');
cmp_ok(status()->{recoveries_refused}, '>', 10, 'refusals, too');

my @log = grep { /\[warn\]/ } split /\n/, $t->log;
is_deeply(\@log, [], 'no warnings');

done_testing();
