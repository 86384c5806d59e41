#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# What one sender puts into a conversation reaches the other side, the
# sender's other sockets and the history in the order of sending, however
# many connections to Postgres it travels on.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(database => 1, workers => 2, http => <<'EOT');
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=4 timeout=5s;
EOT

$t->start;

my $n = 300;
my ($alice, $bob, $carol) = map { $t->uuid($_) } qw( alice bob carol );

$t->sql("insert into users (id) values ('$alice'), ('$bob'), ('$carol')");

my $base = '/api/chat/conversations';
my ($first, $second) = map {
    $t->post($base, token => $t->token($alice),
             json => { participantId => $_ })->{json}{data}{id}
} $bob, $carol;

my $phone = $t->connect($alice);
my $tablet = $t->connect($alice);
my @bob = map { $t->connect($bob) } 1 .. 3;

# without waiting for acks, and with other work in between

for (1 .. $n) {
    $phone->emit(message_send => { conversationId => $first,
                                   content => "n $_", clientId => "n $_" });
    $phone->emit(message_send => { conversationId => $second,
                                   content => "x $_", clientId => "x $_" })
        if $_ % 3 == 0;
}

my @want = map { "n $_" } 1 .. $n;


sub received {
    my ($client, $event) = @_;
    my @got;

    while (@got < $n) {
        my $m = $client->event($event, 10) or last;
        push @got, $m if $m->{conversationId} eq $first;
    }

    return @got;
}


for my $client (@bob) {
    my @got = received($client, 'message');
    my @ids = map { $_->{id} } @got;

    is_deeply([map { $_->{content} } @got], \@want, 'received in order');
    is_deeply(\@ids, [sort @ids], 'which is that of the ids');
}

is_deeply([map { $_->{content} } received($tablet, 'message_sent')], \@want,
          'the sender\'s other socket saw the same');
is($phone->event('message_sent', 0.2), undef, 'the sending one did not');

is_deeply([$t->sql("select content from realtime.messages
                    where conversation_id = '$first' order by id")], \@want,
          'and so does the history');

done_testing();
