#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A call that waits for acks is answered whatever happens to workers and
# sessions meanwhile, and has its bounds.

use strict;
use warnings;

use IO::Select;
use Test::More;
use Time::HiRes qw( sleep time );

use lib 't/lib';
use Test::Realtime;

my $server = <<'EOT';
        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_max_connections_per_user 0;
        add_header X-Slot $realtime_slot always;

        location /socket.io/ {
            realtime_socket;
        }

        location /realtime/api/ {
            realtime_api;
            realtime_api_access nginx;
        }

        location /status {
            realtime_status json;
        }
EOT

my $t = Test::Realtime->new(workers => 3, server => $server,
                            http => <<'EOT')->start;
    realtime_zone main 16m;
    realtime_drain_timeout 1s;
EOT

killed();
never_said();
origin_killed();
origin_leaves();
reload();
moving();

$t->allow(qr/exited on signal 9/);
$t->stop;

$t = Test::Realtime->new(workers => 1, server => $server,
                         connections => 4096)->start;
calls();
bytes();
many();

is(status('acks_waiting'), 0, 'no call is left behind');

done_testing();


sub status { return $t->get('/status')->{json}{$_[0]} }

sub pid_of {
    my ($slot) = @_;

    return map { $_->{pid} } grep { $_->{slot} == $slot }
                                  @{$t->get('/status')->{json}{slots}};
}


# a connection to any worker, or to that of a slot, or to another one

sub door {
    my ($wanted) = @_;

    for (1 .. 200) {
        my $s = $t->tcp;
        my $text = '';

        syswrite $s, "HEAD /realtime/api/users/x HTTP/1.1\r\n"
                     . "Host: localhost\r\n\r\n";
        sysread $s, $text, 4096, length $text
            while $text !~ /\r\n\r\n/ && IO::Select->new($s)->can_read(5);

        my ($slot) = $text =~ /X-Slot: (\d+)/;

        return { socket => $s, slot => $slot, text => '' }
            if defined $slot && $wanted->($slot);
    }

    die "no connection to that worker\n";
}

sub call {
    my ($door, $user, %json) = @_;

    my $body = Test::Realtime::encode({ event => 'ask', ackTimeout => 20_000,
                                        %json });

    syswrite $door->{socket},
        "POST /realtime/api/rooms/user:$user/emit HTTP/1.1\r\n"
        . "Host: localhost\r\nConnection: close\r\n"
        . "Content-Type: application/json\r\n"
        . 'Content-Length: ' . length($body) . "\r\n\r\n$body";

    return $door;
}

sub reply {
    my ($call, $timeout) = @_;

    return text($call, $timeout)
           && Test::Realtime::parse_response($call->{text});
}

# 0: it is not over

sub text {
    my ($call, $timeout) = @_;

    my $end = time + ($timeout // 5);

    while (IO::Select->new($call->{socket})
                     ->can_read($end - time > 0 ? $end - time : 0))
    {
        next if sysread $call->{socket}, $call->{text}, 65536,
                        length $call->{text};

        close $call->{socket};
        return 1;
    }

    return 0;
}

sub data { return (reply(@_) || {})->{json}{data} }

sub asked {
    my ($c, $timeout) = @_;

    return $c->take($timeout // 5,
                    sub { $_[0] =~ /^42(\d+)\["ask"/ ? $1 : () });
}

sub ack {
    my ($c, $id, @args) = @_;

    $c->ws->send("43$id" . Test::Realtime::encode(\@args));
}

sub slot { return $_[0]->ws->headers->{'x-slot'} }


# until there is one on another worker than the first one's

sub spread {
    my ($user, $n) = @_;

    my @sockets;

    until (@sockets >= $n && grep { slot($_) != slot($sockets[0]) } @sockets) {
        push @sockets, $t->connect($user);
    }

    return @sockets;
}


# the worker of some of the sockets

sub killed {
    my @ann = spread('ann', 6);
    my $victim = slot($ann[0]);
    my @left = grep { slot($_) != $victim } @ann;
    my $call = call(door(sub { $_[0] != $victim }), 'ann',
                    ackTimeout => 2000);
    my %id = map { $_ => asked($_) } @ann;

    ack($ann[0], $id{$ann[0]}, 'in time');
    ok(Test::Realtime::wait_for(5, sub { status('acks') }), 'one answers');
    kill KILL => pid_of($victim);
    ack($_, $id{$_}, 'alive') for @left;

    my $data = data($call);

    is_deeply([sort map { $_->[0] } @{$data->{acks}}],
              [('alive') x @left, 'in time'],
              'sockets of a worker that dies: what they had answered');
    is($data->{missing}, @ann - @left - 1, 'counts, the others are missing');

    Test::Realtime::wait_for(5, sub { $t->workers == 3 });
    $_->close for @left;
}


# one that has not said yet whether it has sockets

sub never_said {
    my ($fay) = $t->connect('fay');
    my $door = door(sub { $_[0] != slot($fay) });
    my ($stuck) = grep { $_ != $door->{slot} && $_ != slot($fay) }
                  map { $_->{slot} } @{$t->get('/status')->{json}{slots}};
    my ($pid) = pid_of($stuck);

    kill STOP => $pid;

    my $call = call($door, 'fay');

    ack($fay, asked($fay), 'here');
    ok(!reply($call, 0.5), 'a worker that says nothing is waited for');
    kill KILL => $pid;
    is_deeply(data($call), { acks => [['here']], missing => 0 },
              'until it is dead');

    Test::Realtime::wait_for(5, sub { $t->workers == 3 });
    $fay->close;
}


# that of the call: its acks have nowhere to go

sub origin_killed {
    my ($ben) = $t->connect('ben');
    my $call = call(door(sub { $_[0] != slot($ben) }), 'ben');
    my $id = asked($ben);
    my ($pid) = pid_of($call->{slot});

    kill KILL => $pid;
    is(reply($call)->{status}, 0, 'who asked a worker that died knows');

    ok(Test::Realtime::wait_for(5, sub {
        $t->workers == 3 && (pid_of($call->{slot}))[0] // $pid != $pid
    }), 'another one is in its place');

    my $unknown = status('acks_unknown');

    ack($ben, $id, 'for nobody');
    ok(Test::Realtime::wait_for(5, sub {
        status('acks_unknown') == $unknown + 1
    }), 'which ignores the ack');

    $call = call(door(sub { $_[0] == $call->{slot} }), 'ben');
    ack($ben, asked($ben), 'here');
    is_deeply(data($call), { acks => [['here']], missing => 0 },
              'and gets its own');
    $ben->close;
}


# it is told to exit, alone, while the socket is somewhere else

sub origin_leaves {
    my ($carl) = $t->connect('carl');
    my $call = call(door(sub { $_[0] != slot($carl) }), 'carl');
    my $id = asked($carl);
    my ($pid) = pid_of($call->{slot});

    kill QUIT => $pid;
    Test::Realtime::wait_for(5, sub {
        Test::Realtime::title($pid) =~ /shutting/
    });

    ok(!reply($call, 0.3), 'a worker that exits waits on');
    ack($carl, $id, 'still');
    is_deeply(data($call), { acks => [['still']], missing => 0 },
              'and hears the answer');
    ok(Test::Realtime::wait_for(5, sub { !kill 0, $pid }), 'then it goes');
    Test::Realtime::wait_for(5, sub { $t->workers == 3 });

    # no longer than nginx lets it

    $t->{main} = 'worker_shutdown_timeout 2s;';
    $t->reload;

    my $dora = $t->connect('dora');

    $call = call(door(sub { $_[0] != slot($dora) }), 'dora');
    asked($dora);
    ($pid) = pid_of($call->{slot});
    kill QUIT => $pid;

    my $r = reply($call);

    is($r->{status}, 200, 'before it is made to go');
    is_deeply($r->{json}{data}, { acks => [], missing => 1 },
              'it says what it has');
    ok(Test::Realtime::wait_for(5, sub { !kill 0, $pid }), 'and goes');
    Test::Realtime::wait_for(5, sub { $t->workers == 3 });
    $_->close for $carl, $dora;
}


sub reload {
    $t->{main} = '';
    $t->reload;

    my @eve = spread('eve', 4);
    my $call = call(door(sub { 1 }), 'eve');
    my %id = map { $_ => asked($_) } @eve;

    ack($eve[0], $id{$eve[0]}, 'before');

    # all of them leave within a second

    $t->reload;

    my $fay = $t->connect('eve');

    ack($eve[1], $id{$eve[1]}, 'after') if $eve[1];

    my $data = data($call, 10);

    is($data->{missing}, @eve - @{$data->{acks}}, 'a reload ends the sockets');
    is($data->{acks}[0][0], 'before', 'not what they had answered');

    $call = call(door(sub { 1 }), 'eve');
    ack($fay, asked($fay), 'new');
    is_deeply(data($call)->{acks}, [['new']], 'and new ones answer');
    $fay->close;
    $_->drop for @eve;
    Test::Realtime::wait_for(10, sub { !$t->old_workers });
}


# sessions on their way to another worker, when their clients upgrade

sub moving {
    my $node = $t->node('acks.js', $t->url);
    my (@missing, @twice, @overlooked);

    for my $round (1 .. $ENV{TEST_ROUNDS} // 12) {
        my (@calls, %here);
        my $user = "user$round";

        $node->send({ open => { token => $t->token($user), number => 12,
                                how => 'answer', options => {} } });

        for (1 .. 12) {
            my $line = $node->wait_line(sub { $_[0]{connect} });

            $here{$line->{connect}} = 1;

            for (1 .. 2) {
                push @calls, [call(door(sub { 1 }), $user), { %here }];
                sleep 0.002 * ($round % 4);
            }
        }

        for (@calls) {
            my ($call, $before) = @$_;
            my $data = data($call, 10);
            my %got;

            $got{$_->[0]}++ for @{$data->{acks}};

            push @missing, $round if $data->{missing} // 1;
            push @twice, $round if grep { $_ > 1 } values %got;
            push @overlooked, $round if grep { !$got{$_} } keys %$before;
        }

        $node->send({ close => 1 });
        $node->wait_line(sub { $_[0]{closed} });
    }

    is_deeply(\@missing, [], 'nobody is missing who moves');
    is_deeply(\@twice, [], 'nor answers twice');
    is_deeply(\@overlooked, [], 'nor is overlooked');
}


# 1024 of a worker

sub calls {
    my @gus = map { $t->connect("gus$_") } 1 .. 18;
    my $node = $t->node('acks.js', $t->url);

    for (1 .. 18) {
        $node->send({ calls => { path => "/realtime/api/rooms/user:gus$_/emit",
                                 number => 60,
                                 body => { event => 'ask',
                                           ackTimeout => 30_000 } } });
    }

    ok(Test::Realtime::wait_for(20, sub {
        status('acks_waiting') == 1024 && status('http_refused') == 56
    }), 'many calls wait');
    $_->close for @gus;

    my (%status, %busy);

    for (1 .. 18) {
        my $line = $node->wait_line(sub {
            $busy{$_[0]{busy}} = 1 if $_[0]{busy};
            return $_[0]{status};
        }, 15);

        $status{$_} += $line->{status}{$_} for keys %{$line->{status}};
    }

    is_deeply(\%status, { 200 => 1024, 503 => 56 }, 'and no more');
    is_deeply(\%busy, { busy => 1 }, 'one more is told so');
    is(status('acks_waiting'), 0, 'then they are over');
}


# 16 MiB of a worker

sub bytes {
    my @hal = map { $t->connect('hal') } 1 .. 17;
    my @calls = map { call(door(sub { 1 }), 'hal', ackTimeout => 15_000) }
                    1 .. 17;
    my $text = 'x' x 64_000;

    for my $i (0 .. 16) {
        my @id = map { asked($_) } @hal;

        # one of them does not, so that all of the calls wait

        ack($hal[$_], $id[$_], $text) for 1 .. 16;
    }

    ok(Test::Realtime::wait_for(10, sub {
        status('acks') + status('acks_refused') == 17 * 16
    }), 'very much is answered');

    my $acks = status('acks');

    is($acks, int(16 * 1024 * 1024 / 64_005), 'so much is kept');

    $hal[0]->close;

    my ($n, $missing) = (0, 0);

    for (@calls) {
        text($_, 15);

        # to parse all of it would take longer than the rest of the test

        $n += () = $_->{text} =~ /\["x/g;
        $missing += $1 if $_->{text} =~ /"missing":(\d+)\}\}$/;
    }

    is($n, $acks, 'and told');
    is($missing, 17 * 17 - $acks, 'the rest is missing');

    my $call = call(door(sub { 1 }), 'hal');

    ack($hal[1], asked($hal[1]), $text);
    $_->close for @hal[2 .. 16];
    is(@{data($call)->{acks}}, 1, 'there is room again');
    $hal[1]->close;
}


# over 1000 sockets

sub many {
    my @ida = map { $t->connect('ida') } 1 .. 1003;
    my $call = call(door(sub { 1 }), 'ida');

    ack($_, asked($_)) for @ida;

    my $data = data($call);

    is(@{$data->{acks} // []}, 1000, 'a thousand sockets are waited for');
    is($data->{missing}, 3, 'the others have it, and are missing');
    $_->drop for @ida;
}
