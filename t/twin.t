#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# The published widget emits "message" and posts the same text, neither with a
# clientId: that is one row and one delivery, whichever is first, also when
# both are under way at once in two workers.  "ok" and "ok" stay two messages.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(database => 1, workers => 2)->start;

my ($alice, $bob, $carol) = map { $t->uuid($_) } qw( alice bob carol );
my $base = '/api/chat/conversations';
my $token = $t->token($alice);

$t->sql("insert into users (id) values ('$alice'), ('$bob'), ('$carol')");

my ($id, $other) = map { $t->post($base, token => $token,
                             json => { participantId => $_ })
                           ->{json}{data}{id} } $bob, $carol;

my @alice = map { $t->connect($alice) } 1 .. 4;
my $from = $alice[0];
my $to = $t->connect($bob);


sub emit {
    my ($text) = @_;

    return $from->emit_ack('message', { recipientId => $bob,
                           message => $text, conversationId => $id });
}


sub ack { ($from->ack($_[0]))[0]{data}{id} // 'none' }


sub post {
    my ($text, %o) = @_;

    my $where = delete $o{where} // $id;
    my $r = $t->post("$base/$where/messages", token => $token,
                     json => { content => $text, %o });

    is($r->{status}, 201, "posted: $text");

    return $r->{json}{data}{id};
}


sub count {
    my ($text) = @_;

    return $t->sql("select count(*) from realtime.messages
                    where content = '$text'");
}


sub received { map { $_->[1]{content} }
               grep { $_->[0] eq 'message' } $to->events(0.5) }


my $id1 = ack(emit('a'));

is(post('a'), $id1, 'the POST gets the row of the socket');
isnt(post('a'), $id1, 'only one POST does');

my $id2 = post('b');

is(ack(emit('b')), $id2, 'the socket gets the row of the POST');
isnt(ack(emit('b')), $id2, 'only once');

is_deeply([received()], [qw( a a b b )], 'each row is delivered once');

# twice the same text, each by both doors, in any order

my @acks = map { ack(emit('ok')) } 1, 2;
my @posts = map { post('ok') } 1, 2;

is_deeply(\@posts, \@acks, '"ok" and "ok" are two, and find their twins');
is_deeply([received()], [qw( ok ok )], 'two deliveries');

# what is no twin

ack(emit('c'));
isnt(post('c', where => $other), undef, 'another conversation');
post('c', clientId => 'c');
is(count('c'), 3, 'nor one with a clientId');
post('c ');
is(count('c'), 3, 'what is the same when it is trimmed is the same');

ack(emit('d'));
$t->sql("update realtime.messages m
         set id = ('0190' || substr(id::text, 5))::uuid where content = 'd'");
post('d');
is(count('d'), 2, 'nor one that is older');
received();

# at once: of each pair one is in the other worker half of the time

for my $n (1 .. 40) {
    my $s = $t->tcp;
    my $body = "{\"content\":\"race $n\"}";
    my @emit = sub { emit("race $n") };

    $from = $alice[$n % 4];

    my $post = sub {
        syswrite $s, join "\r\n", "POST $base/$id/messages HTTP/1.1",
            'Host: localhost', 'Connection: close',
            "Authorization: Bearer $token", 'Content-Type: application/json',
            'Content-Length: ' . length $body, '', $body;
    };

    my $asked;

    $post->() if $n % 2;
    $asked = emit("race $n");
    $post->() if !($n % 2);

    my $r = do { local $/; Test::Realtime::parse_response(scalar <$s>) };

    push @posts, [$r->{json}{data}{id} // 'refused', ack($asked)];
}

is_deeply([grep { ref && $_->[0] ne $_->[1] } @posts], [],
          'both at once are one message');
is($t->sql("select count(*) from realtime.messages
            where content like 'race %'"), 40, 'one row each');
is_deeply([sort(received())], [sort map { "race $_" } 1 .. 40],
          'one delivery each');

done_testing();
