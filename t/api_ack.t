#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A back end that asks for acks gets those of the sockets that got the event,
# each once and from nobody else, whatever workers have them; who does not
# answer is missing.

use strict;
use warnings;

use IO::Select;
use Test::More;
use Time::HiRes qw( sleep time );

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::Schema;

my $server = <<'EOT';
        listen 127.0.0.1:%%PORT2%% http2;

        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_namespaces /admin;
        realtime_max_connections_per_user 0;

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

my $doc = Test::Realtime::Schema->new('docs/openapi.yaml');
my $t;

for my $workers ($ENV{TEST_WORKERS} // (1, 2, 4)) {
    subtest "$workers workers" => sub { scenario($workers) };
}

done_testing();


sub scenario {
    my ($workers) = @_;

    $t = Test::Realtime->new(workers => $workers, server => $server,
                             connections => 2048)->start;

    answers();
    missing();
    nobody_else();
    odd_answers();
    who_owes_too_much();
    who_hangs_up();
    stock();

    is(status('acks_waiting'), 0, 'no call is left behind');
    is(scalar(() = $t->log =~ /exited on signal/g), 0, 'nothing broke');

    $t->stop;
}


sub status { return $t->get('/status')->{json}{$_[0]} }


# a call, which goes on while the test does something else

sub call {
    my ($user, %json) = @_;

    my $body = Test::Realtime::encode({ event => 'ask', ackTimeout => 20_000,
                                        %json });
    my $s = $t->tcp;

    syswrite $s, "POST /realtime/api/rooms/user:$user/emit HTTP/1.1\r\n"
                 . "Host: localhost\r\nConnection: close\r\n"
                 . "Content-Type: application/json\r\n"
                 . 'Content-Length: ' . length($body) . "\r\n\r\n$body";

    return { socket => $s, text => '' };
}


# undef: it is not over

sub reply {
    my ($call, $timeout) = @_;

    my $end = time + ($timeout // 5);

    while (IO::Select->new($call->{socket})
                     ->can_read($end - time > 0 ? $end - time : 0))
    {
        next if sysread $call->{socket}, $call->{text}, 65536,
                        length $call->{text};

        close $call->{socket};
        return Test::Realtime::parse_response($call->{text});
    }

    return undef;
}


sub data { return (reply(@_) // {})->{json}{data} }

sub texts {
    return [sort map { Test::Realtime::encode($_) } @{$_[0]{acks} // []}];
}


# the id of the ack that the next event asks for, and what else it has

sub asked {
    my ($c, $timeout) = @_;

    return $c->take($timeout // 5, sub {
        $_[0] =~ /^42(\d+)(\[.*)/s or return;

        return $1, Test::Realtime::decode($2);
    });
}

sub ack {
    my ($c, $id, @args) = @_;

    $c->ws->send("43$id" . Test::Realtime::encode(\@args));
}

sub sockets {
    my ($user, $n) = @_;

    my @sockets = map { $t->connect($user) } 1 .. $n;

    $_->event('connected', 2) for @sockets;

    return @sockets;
}


sub answers {
    my $r = reply(call('nobody'));

    is($r->{status}, 200, 'a room that nobody is in');
    is_deeply($r->{json}{data}, { acks => [], missing => 0 },
              'is no room to wait for');

    my @ann = sockets('ann', 4);
    my $call = call('ann', args => [{ a => 1 }, 'b']);
    my ($id, $event) = asked($ann[0]);

    is_deeply($event, ['ask', { a => 1 }, 'b'], 'the event, and no offset');
    like($id, qr/^\d{1,10}$/, 'with an id');
    cmp_ok($id, '<', 2 ** 31, 'that fits into 31 bits');

    is((asked($_))[0], $id, 'the same for all') for @ann[1 .. 3];

    ack($ann[0], $id);
    ack($ann[1], $id, 'yes', { n => 1 });
    $ann[2]->ws->send("43${id}[ 12345678901234567890123 , 1.10] ");
    is(reply($call, 0.2), undef, 'as long as somebody has not answered');
    ack($ann[3], $id, '<b>&', "\x{e9}");

    $r = reply($call);

    is($r->{status}, 200, 'all have');
    is($r->{headers}{'content-type'}, 'application/json; charset=utf-8',
       'in the envelope');
    is_deeply([$doc->check('#/components/schemas/AcksReply', $r->{json})], [],
              'as documented');
    is($r->{json}{data}{missing}, 0, 'nobody is missing');

    my @texts = texts($r->{json}{data});

    is(@{$texts[0]}, 4, 'so many answers');
    is($texts[0][-1], '[]', 'none at all');
    is_deeply([grep { /yes|<b>/ } @{$texts[0]}],
              [qq(["<b>&","\xc3\xa9"]), '["yes",{"n":1}]'], 'the texts');
    like($r->{body}, qr/\[ 12345678901234567890123 , 1\.10\]/,
         'as it was written');
    like($r->{body}, qr/\["\\u003cb\\u003e\\u0026","\xc3\xa9"\]/,
         'but never HTML');

    # without ackTimeout it is what it was

    $r = $t->post('/realtime/api/rooms/user:ann/emit',
                  json => { event => 'plain' });
    is($r->{status}, 202, 'without an ack');
    ok($ann[0]->take(2, sub { $_[0] =~ /^42\["plain"/ }), 'no id');

    # but one of them, and volatile

    $call = call('ann', except => $ann[1]->sid,
                 volatile => JSON::PP::true);
    ack($_, (asked($_))[0], $_->sid) for @ann[0, 2, 3];

    is_deeply(texts(data($call)),
              [sort map { "[\"$_\"]" } map { $_->sid } @ann[0, 2, 3]],
              'all but one');
    is(scalar(asked($ann[1], 0.1)), undef, 'who has not got it');

    $_->close for @ann;
}


sub missing {
    my @ben = sockets('ben', 3);
    my $start = time;
    my $call = call('ben', ackTimeout => 600);
    my @id = map { (asked($_))[0] } @ben;

    ack($ben[1], $id[1], 'here');

    is_deeply(data($call), { acks => [['here']], missing => 2 },
              'who never answers is missing');
    cmp_ok(time - $start, '>=', 0.59, 'and has the time to');

    # too late, and then a call that is not mixed up with it

    my $unknown = status('acks_unknown');

    ack($ben[0], $id[0], 'late');
    ok(Test::Realtime::wait_for(5, sub {
        status('acks_unknown') == $unknown + 1
    }), 'a late answer is counted');

    $call = call('ben');
    @id = map { (asked($_))[0] } @ben;
    ack($ben[2], $id[2], 2);
    ack($ben[0], $id[0], 0);

    # two that leave without a word, in two ways

    is(reply($call, 0.1), undef, 'one has not answered');
    $ben[1]->drop;
    is_deeply(texts(data($call)), ['[0]', '[2]'],
              'who has left is not waited for');

    $call = call('ben');
    asked($_) for @ben[0, 2];
    $ben[0]->ws->send('41');
    $ben[2]->ws->close(1000);
    is_deeply(data($call), { acks => [], missing => 2 }, 'whoever it is');

    # the same socket, but what it owed is gone with its connection

    my ($carl) = sockets('carl', 1);

    $call = call('carl', ackTimeout => 2000);
    my ($id) = asked($carl);
    my %past = $carl->past;

    $carl->drop;

    my $again = $t->connect('carl', auth => \%past);

    is($again->sid, $carl->sid, 'one that comes back');
    ack($again, $id, 'back');
    is_deeply(data($call), { acks => [], missing => 1 }, 'is missing');
    is(scalar(asked($again, 0.1)), undef, 'and does not get it again');

    # disconnected by a back end

    $call = call('carl');
    asked($again);
    $t->post('/realtime/api/users/carl/disconnect', json => {});
    is_deeply(data($call), { acks => [], missing => 1 },
              'who is disconnected is not waited for');
}


# an ack of what one was not asked for

sub nobody_else {
    my @dora = sockets('dora', 3);
    my ($eve) = sockets('eve', 1);
    my $admin = $t->connect('dora');

    $admin->ws->send('40/admin,' . Test::Realtime::encode({
                         token => $t->token('dora') }));
    $admin->take(5, sub { $_[0] =~ /^40\/admin/ });

    my $call = call('dora', except => $dora[2]->sid);
    my ($id) = asked($dora[0]);
    my $unknown = status('acks_unknown');
    my @forged;

    push @forged, [$eve, "43${id}[\"eve\"]"], [$dora[2], "43${id}[\"except\"]"],
        (map { [$eve, "43${_}[]"] } 0, $id - 1, $id + 1, $id + 64, 2147483648,
                                  9007199254740991),
        [$dora[0], '43' . ($id + 1) . '[]'], [$dora[0], '43[]'],
        [$dora[0], '43["no id"]'],
        [$admin, "43/admin,${id}[\"namespace\"]"];

    $_->[0]->ws->send($_->[1]) for @forged;

    ok(Test::Realtime::wait_for(5, sub {
        status('acks_unknown') == $unknown + @forged
    }), 'forged acks are counted') or diag(status('acks_unknown') - $unknown);
    is(reply($call, 0.1), undef, 'and change nothing');
    is((asked($admin))[0], $id, 'the main namespace has it');
    is(scalar $admin->take(0.1, sub { $_[0] =~ /^42\/admin/ }), undef,
       'and no other one');

    ack($dora[0], $id, 'once');
    ack($dora[0], $id, 'twice');
    ack($admin, $id, 'admin');
    ok(Test::Realtime::wait_for(5, sub {
        status('acks_unknown') == $unknown + @forged + 1
    }), 'the second of two as well');

    ack($dora[1], $id, 'last');
    is_deeply(texts(data($call)), ['["admin"]', '["last"]', '["once"]'],
              'nobody speaks for others');

    for ($eve, @dora, $admin) {
        $_->emit('nothing');
        ok($_->event('error', 5), 'still connected');
        $_->close;
    }
}


sub odd_answers {
    my @fay = sockets('fay', 3);
    my $refused = status('acks_refused');
    my $call = call('fay');
    my ($id) = map { (asked($_))[0] } @fay;

    $fay[0]->ws->send("461-${id}[{\"_placeholder\":true,\"num\":0}]");
    $fay[0]->ws->frame(opcode => 2, payload => 'bytes');
    ack($fay[1], $id, 'x' x 65_533);
    ack($fay[2], $id, 'y' x 65_532);

    my $data = data($call);

    is($data->{missing}, 2, 'binary and too long answers are missing');
    is(length($data->{acks}[0][0] // ''), 65_532, 'the longest one');
    is(status('acks_refused'), $refused + 2, 'the others are counted');
    like($t->log, qr/ack refused: it has attachments, user: "fay"/,
         'and in the log');
    like($t->log, qr/ack refused: it is longer than 65536 bytes, user: "fay"/,
         'why');

    $_->emit('nothing') for @fay;
    ok($_->event('error', 5), 'which is no reason to close') for @fay;
    $_->close for @fay;

    # what is no ack at all is as before

    for ('43x', '430{}', '430"a"', '4399999999999999999999[]', '430[',
         "43-1[]")
    {
        my ($gus) = sockets('gus', 1);

        $gus->ws->send($_);
        is($gus->packet(5), '', "$_ closes the connection");
    }

    # all acks of a call

    my @hal = sockets('hal', 17);

    $call = call('hal');
    ack($_, (asked($_))[0], 'z' x 64_000) for @hal;
    $data = data($call, 20);

    is(@{$data->{acks} // []}, 16, 'a megabyte of answers');
    is($data->{missing}, 1, 'and no more');
    $_->close for @hal;
}


sub who_owes_too_much {
    my ($ida) = sockets('ida', 1);
    my (@calls, @id);

    # one by one: what comes from two workers has no order

    for (1 .. 64) {
        push @calls, call('ida');
        push @id, (asked($ida))[0];
    }

    my $more = call('ida');

    is_deeply(data($more), { acks => [], missing => 1 },
              'who owes 64 answers gets no more such events');
    is(scalar(asked($ida, 0.1)), undef, 'indeed');

    ack($ida, $id[0], 'first');
    is_deeply(data($calls[0]), { acks => [['first']], missing => 0 },
              'but answers them');
    $more = call('ida', ackTimeout => 300);
    ok(scalar(asked($ida)), 'and then gets another one');
    is_deeply(data($more), { acks => [], missing => 1 }, 'which is over');
    ok(scalar(asked($ida, 5)), 'and makes room for one')
        if call('ida', ackTimeout => 1);

    $ida->close;

    is_deeply([map { data($_)->{missing} } @calls[1 .. 63]], [(1) x 63],
              'who leaves owes nothing');
}


sub who_hangs_up {
    my ($jo) = sockets('jo', 1);
    my @calls = map { call('jo') } 1 .. 5;

    asked($jo) for @calls;
    is(status('acks_waiting'), 5, 'calls wait');
    close $_->{socket} for @calls[0 .. 3];

    ok(Test::Realtime::wait_for(5, sub { status('acks_waiting') == 1 }),
       'but not for a back end that has gone');

    for (1 .. 5) {
        my $call = call('jo');
        close $call->{socket};
    }

    ok(Test::Realtime::wait_for(5, sub { status('acks_waiting') == 1 }),
       'nor for one that was gone at once');

    my $node = $t->node('acks.js', $t->url);

    $node->send({ stream => { url => 'http://127.0.0.1:' . $t->port2,
                              path => '/realtime/api/rooms/user:jo/emit',
                              body => { event => 'ask',
                                        ackTimeout => 20_000 } } });
    ok(Test::Realtime::wait_for(5, sub { status('acks_waiting') == 2 }),
       'one over HTTP/2');
    $node->send({ reset => 1 });
    ok(Test::Realtime::wait_for(5, sub { status('acks_waiting') == 1 }),
       'that is taken back');

    $jo->close;
    is_deeply(data($calls[4]), { acks => [], missing => 1 }, 'the others do');
}


sub stock {
    my $node = $t->node('acks.js', $t->url);
    my %sids;

    my %how = (answer => 2, twice => 1, late => 1, never => 1, binary => 1,
               leave => 1);

    for my $how (keys %how) {
        for my $options ({ transports => ['websocket'] },
                         { transports => ['polling'] }, {})
        {
            $node->send({ open => { token => $t->token('kim'), how => $how,
                                    number => $how{$how},
                                    options => $options } });

            for (1 .. $how{$how}) {
                my $line = $node->wait_line(sub { $_[0]{connect} });
                push @{$sids{$how}}, $line->{connect};
            }
        }
    }

    my $data = data(call('kim', args => ['a', [1]], ackTimeout => 3000));

    is_deeply(texts($data),
              [sort map { "[\"$_\",\"a\",[1]]" }
                    map { @{$sids{$_}} } qw( answer twice late )],
              'stock clients, over WebSocket, by polling, and both');
    is($data->{missing}, 9, 'and those who do not answer');

    $node->send({ close => 1 });
    $node->wait_line(sub { $_[0]{closed} });
}
