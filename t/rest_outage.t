#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# While Postgres is away or slow, requests are refused in time and told to
# come back; a client that leaves takes nothing with it.

use strict;
use warnings;

use IO::Handle;
use Socket qw( SOL_SOCKET SO_LINGER );
use Test::More;
use Time::HiRes qw( sleep time );

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(database => 1, http => <<'EOT')->start;
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=1 timeout=2s;
EOT

my ($alice, $bob) = map { $t->uuid($_) } qw( alice bob );

$t->sql("insert into users (id) values ('$alice'), ('$bob')");

my $base = '/api/chat/conversations';
my $token = $t->token($alice);
my $id = $t->post($base, token => $token,
                  json => { participantId => $bob })->{json}{data}{id};
my $messages = "$base/$id/messages";


sub unavailable {
    my ($r, $name) = @_;

    is($r->{status}, 503, $name);
    is($r->{json}{code}, 'unavailable', 'its code');
    like($r->{headers}{'retry-after'}, qr/^\d+$/, 'when to come back');
}


# nobody writes messages until the returned pipe is closed

sub locked {
    my $pid = open my $psql, '|-', 'psql', '-qtAX', $t->postgres
        or die "psql: $!";

    $psql->autoflush;
    print $psql "begin; lock table realtime.messages in share mode;\n";

    Test::Realtime::wait_for(5, sub {
        $t->sql("select count(*) from pg_locks where mode = 'ShareLock'
                 and relation = 'realtime.messages'::regclass")
    }) or die 'no lock';

    return $psql;
}


# Requests of clients that close at once.  The first statement waits for the
# lock, the others for their turn: all of them for longer than the clients.

my $lock = locked();

for my $n (1 .. 20) {
    my $s = $t->tcp;
    my $body = "{\"content\":\"gone $n\",\"clientId\":\"gone $n\"}";

    syswrite $s, join "\r\n", "POST $messages HTTP/1.1", 'Host: localhost',
        "Authorization: Bearer $token", 'Content-Type: application/json',
        'Content-Length: ' . length $body, '', $body;

    # with a FIN or with a reset

    setsockopt $s, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0
        if $n % 2;
    sleep 0.01;
    close $s;
}

sleep 0.3;
close $lock;

ok(Test::Realtime::wait_for(5, sub {
    $t->sql("select count(*) from realtime.messages
             where content like 'gone %'") == 20
}), 'what clients sent before they left is stored');

is($t->post($messages, token => $token,
            json => { content => 'x', clientId => 'gone 7' })->{status},
   200, 'and found by whoever asks again');

# slower than the timeout

$lock = locked();

my $start = time;

unavailable($t->post($messages, token => $token,
                     json => { content => 'slow', clientId => 'slow' }),
            'a statement past its deadline');
ok(time - $start < 4, 'answered in time');

close $lock;

ok(Test::Realtime::wait_for(5, sub {
    $t->post($messages, token => $token, json => { content => 'slow',
             clientId => 'slow' })->{status} =~ /^20/
}), 'the same again works');
is($t->sql("select count(*) from realtime.messages
            where client_id = 'slow'"), 1, 'and is one row');

# away and back

$t->pg_stop;

unavailable($t->get($base, token => $token), 'reading without Postgres');
unavailable($t->post($messages, token => $token, json => { content => 'x' }),
            'writing without Postgres');

$t->pg_start;

ok(Test::Realtime::wait_for(10, sub {
    $t->get($base, token => $token)->{status} == 200
}), 'it comes back by itself');

done_testing();
