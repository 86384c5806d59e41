#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A Postgres that does not answer costs the statements that it has, and for no
# longer than the timeout; a full waiting list is said at once.

use strict;
use warnings;

use Compress::Zlib qw( crc32 );
use IO::Handle;
use Test::More;
use Time::HiRes qw( time );

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(database => 1, http => <<'EOT')->start;
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=2 timeout=1s;
EOT

my ($alice, $bob, @others) = map { $t->uuid($_) } qw( alice bob c d e f );

$t->sql("insert into users (id) values ('$_')") for $alice, $bob, @others;

my $base = '/api/chat/conversations';
my $token = $t->token($alice);
my ($with_bob, @with)
    = map { $t->post($base, token => $token,
                     json => { participantId => $_ })->{json}{data}{id} }
          $bob, @others;

# another conversation, which the module does not keep in line with the first:
# it tells them apart by a byte

my ($with_carol, $with_dan)
    = grep { (crc32($_) ^ crc32($with_bob)) & 255 } @with;

my $ours = "from pg_stat_activity where application_name = 'ngx_realtime'";
my $n = 0;
my $from = $t->connect($alice);


sub status { $t->get('/status')->{json} }


sub ask {
    my ($conversation) = @_;

    return $from->emit_ack('message_send', { conversationId => $conversation,
                           content => 'x', clientId => 'c' . ++$n });
}


sub at_once {
    my @ids = map { $from->{ack}++ } @_;

    $from->ws->raw(join '', map {
        $from->ws->encode(payload => "42$ids[$_]"
            . Test::Realtime::encode(['message_send',
                  { conversationId => $_[$_], content => 'x',
                    clientId => 'c' . ++$n }]))
    } 0 .. $#ids);

    return @ids;
}


sub answer {
    my ($id) = @_;

    my $start = time;
    my $ack = $from->ack($id, 5) // { code => 'none' };

    return ($ack->{code} // $ack->{status}, time - $start, $ack);
}


sub unavailable {
    my ($id, $name) = @_;

    my ($code, $took, $ack) = answer($id);

    is($code, 'unavailable', $name);
    cmp_ok($ack->{retryAfter} // 0, '>', 0, 'it may be tried again');
    cmp_ok($took, '<', 2.5, 'in time');
}


sub go_on {
    my ($conversation, $name) = @_;

    my @answers = map { [answer(ask($conversation))] } 1 .. 5;

    is_deeply([grep { $_->[0] ne 'success' || $_->[1] > 0.5 } @answers], [],
              $name);
}


sub works {
    my ($conversation) = @_;

    return Test::Realtime::wait_for(5, sub {
        (answer(ask($conversation)))[0] eq 'success'
    });
}


sub waits_for_lock {
    my ($count) = @_;

    return Test::Realtime::wait_for(5, sub {
        $t->sql("select count(*) $ours and wait_event_type = 'Lock'")
            == $count
    });
}


# psql in a transaction of its own, until it is closed

sub transaction {
    my ($sql) = @_;

    my $pid = open my $psql, '|-', 'psql', '-qtAX', $t->postgres
        or die "psql: $!";

    $psql->autoflush;
    print $psql "begin; $sql; notify x; \\o /dev/null\n";

    Test::Realtime::wait_for(5, sub {
        $t->sql("select count(*) from pg_stat_activity
                 where state = 'idle in transaction'
                 and query like 'notify x%'") == 1
    }) or die "no transaction\n";

    return $psql;
}


# The row of a conversation is locked: its messages wait, others do not.

my $lock = transaction("select from realtime.conversations
                        where id = '$with_bob' for update");
my $stuck = ask($with_bob);

ok(waits_for_lock(1), 'a message waits for the row of its conversation');
go_on($with_carol, 'messages of another one do not');
unavailable($stuck, 'it is given up');

close $lock;
go_on($with_bob, 'after the lock it works at once');
is(status()->{pg_losses}, 0, 'no connection was lost');


# With one connection too: what is behind it in the same batch is served.

sub connections {
    my ($parameters) = @_;

    $t->stop;
    $t->{http} =~ s/connections=.*;/$parameters;/;
    $t->start;
    $from = $t->connect($alice);
}

connections('connections=1 timeout=2s');

$lock = transaction("select from realtime.conversations
                     where id = '$with_bob' for update");

my @batch = at_once($with_bob, ($with_carol) x 20, $with_bob);

is_deeply([map { (answer($_))[0] } @batch[1 .. 20]], [('success') x 20],
          'neighbours of a message that waits for a lock are stored');
is_deeply([map { (answer(ask($with_carol)))[0] } 1 .. 5], [('success') x 5],
          'and so are those that come later');
unavailable($_, 'it is given up itself') for @batch[0, -1];

@batch = at_once($with_bob, ($with_carol) x 5, ($with_bob) x 5);
is((answer($batch[1]))[0], 'success', 'a neighbour again');
close $lock;
is_deeply([map { (answer($_))[0] } @batch[0, 2 .. 10]], [('success') x 10],
          'a lock that goes in time has cost nobody his message');

is_deeply([$t->sql("select client_id from realtime.messages
                    where conversation_id = '$with_bob'
                    order by id desc limit 6")],
          [reverse map { "c$_" } $n - 10, $n - 4 .. $n],
          'nor its place');


# And when all of them are in one batch, because the connection was busy: each
# neighbour goes alone then, one by one.

$lock = transaction("select from realtime.conversations
                     where id in ('$with_bob', '$with_dan') for update");

$stuck = ask($with_dan);
ok(waits_for_lock(1), 'the connection is busy');

@batch = at_once($with_bob, ($with_carol) x 20, $with_bob);

is_deeply([map { (answer($_))[0] } @batch[1 .. 20]], [('success') x 20],
          'neighbours in the same batch are stored');
unavailable($_, 'it is given up itself') for $stuck, @batch[0, -1];
close $lock;

connections('connections=2 timeout=1s');


# A backend that is stopped holds what it has, and no more.

my @backends = $t->sql("select pid $ours order by pid");

is(scalar @backends, 2, 'two backends');
ok(Test::Realtime::wait_for(5, sub { status()->{pg_ready} == 2 }),
   'and both can be used');
kill STOP => $backends[0];

# Both conversations in one write: each connection gets one of them.

my ($to_bob, $to_carol) = at_once($with_bob, $with_carol);
my ($first) = $from->take(1, sub { $_[0] =~ /^43(\d+)\[/ });

($stuck, my $alive, my $dead) = $first == $to_bob
    ? ($to_carol, $with_bob, $with_carol)
    : ($to_bob, $with_carol, $with_bob);

go_on($alive, 'the other connection serves');
unavailable($stuck, 'what a stopped backend has is given up');
ok($t->wait_log(qr/connection lost: no answer within the timeout/),
   'and so is the connection');
ok(works($dead), 'the conversation goes on elsewhere');
ok(Test::Realtime::wait_for(5, sub { status()->{pg_ready} == 2 }),
   'the connection is replaced');

kill CONT => $backends[0];

# every one stopped: what waits is given up at its deadline

@backends = $t->sql("select pid $ours order by pid");
kill STOP => @backends;

my @stuck = at_once(($with_bob, $with_carol) x 10);

unavailable($_, 'all stopped') for @stuck[0 .. 1];
is_deeply([map { (answer($_))[0] } @stuck[2 .. 19]],
          [('unavailable') x 18], 'all of them');

kill CONT => @backends;
ok(works($_), 'and it works again') for $with_bob, $with_carol;


# The waiting list

connections('connections=1 queue=5 timeout=5s');

$lock = transaction('lock table realtime.messages in share mode');
$stuck = ask($with_bob);
ok(waits_for_lock(1), 'the only connection is in use');

my $start = time;

@stuck = at_once(($with_bob) x 20);

my @busy = map { [answer($_)] } @stuck[5 .. 19];

is_deeply([map { $_->[0] } @busy], [('busy') x 15],
          'five may wait, the others are told');
cmp_ok($busy[0][2]{retryAfter} // 0, '>', 0, 'when to come back');
cmp_ok(time - $start, '<', 1, 'at once');

my $r = $t->get($base, token => $token);

is_deeply([$r->{status}, $r->{json}{code}], [503, 'busy'], 'by REST too');

close $lock;

is_deeply([map { (answer($_))[0] } $stuck, @stuck[0 .. 4]],
          [('success') x 6], 'those that waited are served');
is((answer(ask($with_bob)))[0], 'success', 'and so are others again');

done_testing();


END { kill CONT => @backends if @backends }
