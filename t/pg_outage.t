#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A Postgres that refuses, because its disk is full, its connections are used
# up or it is slow: callers are told to come back, by both doors and in time,
# sockets stay, nothing is stored that was not acknowledged before it ends by
# itself, and nothing is left running there.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(database => 1, workers => 2, http => <<'EOT');
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=2 timeout=1s;
EOT

$t->start;

my ($alice, $bob) = map { $t->uuid($_) } qw( alice bob );
my $base = '/api/chat/conversations';
my $token = $t->token($alice);

$t->sql("insert into users (id) values ('$alice'), ('$bob')");

# the first word of a message says what becomes of it

$t->sql(<<'EOT');
    create function realtime.trouble() returns trigger language plpgsql as $$
    begin
        if new.content like 'full%' then
            raise exception 'could not extend file' using errcode = '53100';
        elsif new.content like 'slow%' then
            perform pg_sleep(20);
        elsif new.content like 'standby%' then
            raise exception 'read-only' using errcode = '25006';
        end if;

        return new;
    end $$;

    create trigger trouble before insert or update on realtime.messages
        for each row execute function realtime.trouble();
EOT

my $id = $t->post($base, token => $token, json => { participantId => $bob })
           ->{json}{data}{id};
my $messages = "$base/$id/messages";
my $from = $t->connect($alice);
my $to = $t->connect($bob);


sub message {
    my ($content) = @_;

    return { conversationId => $id, content => $content,
             clientId => $content };
}


sub unavailable {
    my ($content) = @_;

    my ($ack) = $from->ask('message_send', message($content));

    is_deeply([$ack->{code}, $ack->{retryAfter}], ['unavailable', 1],
              "$content, by the socket");

    my $r = $t->post($messages, token => $token,
                     json => { content => $content, clientId => $content });

    is_deeply([$r->{status}, $r->{json}{code}, $r->{headers}{'retry-after'}],
              [503, 'unavailable', 1], 'and by REST');
}


sub stored {
    my ($content) = @_;

    return $t->sql("select count(*) from realtime.messages
                    where content = '$content'");
}


sub works {
    my ($content) = @_;

    return Test::Realtime::wait_for(10, sub {
        ($from->ask('message_send', message($content)))[0]{status}
            eq 'success'
    });
}


for my $trouble (qw( full standby slow )) {
    unavailable("$trouble 1");
    is(stored("$trouble 1"), 0, 'it is not stored');

    # its neighbours in a batch are

    my @ids = map { $from->emit_ack('message_send', message($_)) }
              "$trouble 2", map { "beside $trouble $_" } 1 .. 5;

    my @codes = map { $_->{code} // $_->{status} } map { scalar $from->ack($_) }
                @ids;

    is($codes[0], 'unavailable', 'again');

    # the same conversation waits behind what is slow, and no longer than it

    is_deeply([@codes[1 .. 5]], [('success') x 5], 'its neighbours are stored')
        if $trouble ne 'slow';
}

ok(Test::Realtime::wait_for(5, sub {
    $t->sql("select count(*) from pg_stat_activity
             where application_name = 'ngx_realtime' and state = 'active'")
        == 0
}), 'what was slow is cancelled at Postgres');

$t->sql('drop trigger trouble on realtime.messages');

for my $trouble (qw( full standby slow )) {
    ok(works("$trouble 1"), "$trouble: it passes, and the same works");
    is(stored("$trouble 1"), 1, 'once');
}


# no connections left

$t->{pg}->sql('alter role chat connection limit 0', role => 'postgres');

my $end = sub {
    $t->sql("select pg_terminate_backend(pid) from pg_stat_activity
             where application_name = 'ngx_realtime'");
};

$end->();

ok($t->wait_log(qr/connection failed: .*too many connections for role/),
   'all connections are used up');
ok(Test::Realtime::wait_for(5, sub {
    $t->get($base, token => $token)->{status} == 503
}), 'reading is refused');

unavailable('crowded');
is(stored('crowded'), 0, 'nothing is stored');

$to->emit('nothing', {});
is($to->event('error')->{code}, 'event_unknown', 'sockets are served');

$t->{pg}->sql('alter role chat connection limit -1', role => 'postgres');

ok(works('crowded'), 'with connections it works again');
is(stored('crowded'), 1, 'once');


# it fails over: another server at the same address, which takes its time

$t->pg_stop('immediate');
ok(Test::Realtime::wait_for(5, sub {
    $t->get($base, token => $token)->{status} == 503
}), 'the primary is gone');
unavailable('failover');
$t->pg_start;
ok(works('failover'), 'the next one serves');
is(stored('failover'), 1, 'what was asked before, once');

my %got = map { $_->[1]{content} => 1 } grep { $_->[0] eq 'message' }
          $to->events(1);

is_deeply([grep { !$got{$_} } 'full 1', 'standby 1', 'slow 1', 'crowded',
           'failover'], [], 'and all that was stored at last was delivered');

done_testing();
