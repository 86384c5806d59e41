#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A user has no more sockets than realtime_max_connections_per_user, and does
# nothing more often than realtime_event_rate, on all workers and by both
# doors together; and is told how long to wait.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use Time::HiRes qw( sleep );

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => $ENV{TEST_WORKERS} // 4,
                            database => 1, server => <<'EOT');
        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_namespaces /admin;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
            realtime_max_connections_per_user 5;
            realtime_event_rate message=3r/m typing=2r/m presence=4r/s
                                conversation=2r/m burst=4;
        }

        location /api/chat/ {
            realtime_chat;
            realtime_event_rate message=3r/m conversation=2r/m burst=4;
        }

        location /free/ {
            realtime_socket;
            realtime_chat;
            realtime_max_connections_per_user 0;
            realtime_event_rate off;
        }

        location /status {
            realtime_status json;
        }
EOT

$t->allow(qr/exited on signal 9/)->start;

my ($alice, $bob, $carol, @more) = map { $t->uuid($_) }
                                       qw( alice bob carol d e f g h );

$t->sql("insert into users (id) values "
        . join ', ', map { "('$_')" } $alice, $bob, $carol, @more);


sub status { $t->get('/status')->{json} }


sub create {
    my ($from, $to) = @_;

    return $t->post('/api/chat/conversations', token => $t->token($from),
                    json => { participantId => $to });
}


my $chat = create($alice, $bob)->{json}{data}{id};


# -- sockets, on whichever worker

for my $user ($carol, 'a user that is no UUID') {
    my @sockets = map { $t->connect($user) } 1 .. 5;
    is(scalar(grep { $_->sid } @sockets), 5, 'as many sockets as one may have');

    for (1 .. 4) {
        my $c = $t->connect($user eq $carol && $_ % 2 ? uc $user : $user);
        is_deeply($c->error, { message => 'Too many connections',
                               data => { code => 'too_many_connections' } },
                  'one more is refused');
        $c->ws->abort;
    }

    is($t->connect($bob)->error, undef, 'others are not');

    $sockets[2]->close;
    ok(Test::Realtime::wait_for(3, sub {
        my $c = $t->connect($user);
        push @sockets, $c if $c->sid;
        return $c->sid }), 'one that closes makes room');

    # who comes back is not one more, also when the old one is still there

    my $past = $sockets[0];
    $past->event('connected');
    my $back = $t->connect($user, auth => { $past->past });
    is($back->sid, $past->sid, 'who comes back is the same socket');
    $_->drop for $past, $back, @sockets;
}

cmp_ok(status()->{connects_limited}, '>=', 8, 'they are counted');

my @many = map { $t->connect($carol, path => '/free/?EIO=4&transport=websocket') }
               1 .. 24;
is(scalar(grep { $_->sid } @many), 24, '0: any number');
is($t->connect($carol)->error->{data}{code}, 'too_many_connections',
   'those count elsewhere');

SKIP: {
    skip 'one worker', 2 if $t->{workers} < 2;

    # the numbers of a worker that dies go with it

    my ($pid, $slot) = @{status()->{slots}[0]}{qw( pid slot )};
    my @there;

    for (1 .. 80) {
        my $c = $t->connect($more[0]);
        my $sid = $c->sid;
        $t->wait_log(qr/socket: "\Q$sid\E", slot: \d/);
        $t->log =~ /socket: "\Q$sid\E", slot: $slot\b/ ? push @there, $c
                                                       : $c->close;
        last if @there == 5;
    }

    is($t->connect($more[0])->error->{data}{code}, 'too_many_connections',
       'all sockets of a user are on one worker');
    kill KILL => $pid;

    ok(Test::Realtime::wait_for(10, sub { $t->connect($more[0])->sid }),
       'and do not count any more when it died');
}


# -- rates

my @alice = map { $t->connect($alice) } 1 .. 4;


sub send_ {
    my ($c) = @_;

    return $c->ask(message_send => { conversationId => $chat,
                                     content => 'x' });
}


is_deeply([map { send_($alice[$_])->{status} } 0 .. 2], [('success') x 3],
          'as many messages as one may send, on several sockets');

my $no = send_($alice[3]);
my $wait = delete $no->{retryAfter};
is_deeply($no, { status => 'error', code => 'rate_limited',
                 message => 'Too many of these, wait a little' },
          'one more is refused');
ok($wait >= 10 && $wait <= 20, 'it says how long') or diag($wait);

$alice[0]->emit(message => { conversationId => $chat, message => 'x',
                             recipientId => $bob });
my $error = $alice[0]->event('error');
is_deeply([@$error{qw( code event )}], [qw( rate_limited message )],
          'by the other name, and without an ack');
ok($error->{retryAfter}, 'it says how long');

my $r = $t->post("/api/chat/conversations/$chat/messages",
                 token => $t->token($alice), json => { content => 'x' });
is($r->{status}, 429, 'by the other door');
ok($r->{headers}{'retry-after'} >= 10 && $r->{headers}{'retry-after'} <= 20,
   'with Retry-After');
is_deeply($r->{json}, { status => 'error', code => 'rate_limited',
                        message => 'Too many of these, wait a little' },
          'and the envelope');

is($t->connect($bob)->ask(message_send => { conversationId => $chat,
                          content => 'x' })->{status}, 'success',
   'another user may');
is($t->connect($alice, path => '/free/?EIO=4&transport=websocket')
     ->ask(message_send => { conversationId => $chat, content => 'x' })
     ->{status}, 'success', 'where there is no rate, too');

is_deeply([map { $alice[0]->ask(typing => { conversationId => $chat,
                     isTyping => JSON::PP::true })->{code} // '' } 1 .. 3],
          ['', '', 'rate_limited'], 'typing has its own');
is_deeply([map { $alice[1]->ask(typing => 'nonsense')->{code} } 1],
          ['rate_limited'], 'nonsense counts as well');
is($alice[0]->ask('nothing')->{code}, 'event_unknown', 'but not any word');

# it fills again: four in a second

my @codes = map { $alice[0]->ask(presence => { state => 'away' })->{code}
                  // '' } 1 .. 12;
ok((grep { $_ eq 'rate_limited' } @codes), 'presence has its own');
ok(Test::Realtime::wait_for(5, sub {
    $alice[0]->ask(presence => { state => 'away' })->{status} eq 'success' }),
   'and it passes');

# conversations, with the burst that is written

my @made = map { create($alice, $_) } $carol, @more;
is_deeply([map { $_->{status} } @made[0 .. 3]], [201, 201, 201, 429],
          'conversations: as many at once as the burst, with the first');
cmp_ok($made[3]{headers}{'retry-after'}, '>', 20, 'it says how long');
is($t->get('/api/chat/conversations', token => $t->token($alice))->{status},
   200, 'to look is free');

cmp_ok(status()->{rate_limited}, '>', 5, 'all are counted');

done_testing();
