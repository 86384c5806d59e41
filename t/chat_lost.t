#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A statement whose commit was done when its connection was lost is sent again
# and finds nothing to do: the answer and the events are the same as ever.

use strict;
use warnings;

use IO::Select;
use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(database => 1, workers => 2, http => <<'EOT');
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=1 timeout=8s;
EOT

$t->start;

my ($alice, $bob, $eve) = map { $t->uuid($_) } qw( alice bob eve );
my $base = '/api/chat/conversations';
my $token = $t->token($alice);

$t->sql("insert into users (id) values ('$_')") for $alice, $bob, $eve;

my $id = $t->post($base, token => $token, json => { participantId => $bob })
           ->{json}{data}{id};
my ($from, $to) = map { $t->connect($_) } $alice, $bob;


# Postgres commits, waits for a standby that there is not, and is told to end
# the connection meanwhile: the client cannot know.

sub setting {
    my ($what) = @_;

    $t->sql($_, role => 'postgres')
        for "alter system $what", 'select pg_reload_conf()';
}


sub lose {
    my ($ask, $answer) = @_;

    setting(q(set synchronous_standby_names = 'nobody'));
    $t->sql(q(select pg_sleep(0.2)));

    my $asked = $ask->();

    ok(Test::Realtime::wait_for(5, sub {
        $t->sql("select count(case when wait_event = 'SyncRep'
                                   then pg_terminate_backend(pid) end)
                 from pg_stat_activity", role => 'postgres') == 1
    }), 'it is committed, and its connection is lost');

    setting('reset synchronous_standby_names');

    return $answer->($asked);
}


sub unanswered {
    my ($client, $event, $data) = @_;

    return lose(sub { $client->emit_ack($event, $data) },
                sub { $client->ack($_[0], 10) });
}


sub heard {
    my ($client, @names) = @_;
    my %wanted = map { $_ => 1 } @names;

    return [map { $_->[0] } grep { $wanted{$_->[0]} } $client->events(0.7)];
}


sub say {
    my ($n) = @_;

    for (1 .. $n) {
        my ($ack) = $from->ask('message_send',
                               { conversationId => $id, content => 'x' . rand,
                                 clientId => 'c' . rand });
        is($ack->{status}, 'success', 'a message') or diag explain $ack;
    }
}


say(3);
heard($_) for $from, $to;

my $ack = unanswered($to, 'mark_as_read', { conversationId => $id });

is($ack->{status}, 'success', 'read');
is($ack->{data}{count}, 3, 'all of them');
is_deeply(heard($from, 'message_read'), ['message_read'],
          'their sender is told');
is($t->sql('select count(*) from realtime.messages where read_at is null'),
   0, 'it is so');

($ack) = $to->ask('mark_as_read', { conversationId => $id });
is($ack->{data}{count}, 0, 'none is left');
is_deeply(heard($from, 'message_read'), [], 'nobody is told of none');


# a conversation, by REST

my $r = lose(sub {
    my $s = $t->tcp;

    syswrite $s, "DELETE $base/$id HTTP/1.1\r\nHost: localhost\r\n"
                 . "Connection: close\r\nAuthorization: Bearer $token\r\n\r\n";

    return $s;
}, sub {
    my ($s) = @_;
    my $text = '';

    while (IO::Select->new($s)->can_read(10)) {
        sysread $s, $text, 65536, length $text or last;
    }

    return Test::Realtime::parse_response($text);
});

is($r->{status}, 200, 'deleted');
is_deeply(heard($_, 'conversation_deleted'), ['conversation_deleted'],
          'both are told') for $from, $to;
is($t->http(DELETE => "$base/$id", token => $token)->{status}, 404,
   'it is gone');

$id = $t->post($base, token => $token, json => { participantId => $bob })
        ->{json}{data}{id};

is($t->http(DELETE => "$base/$id", token => $t->token($eve))->{status}, 404,
   'strangers delete nothing');
is($t->http(DELETE => "$base/$id", token => $t->token($bob))->{status}, 200,
   'the other one may');

done_testing();
