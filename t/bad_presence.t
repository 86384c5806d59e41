#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# "typing" and "presence" that cannot be are refused, like any other event;
# the socket stays, and nobody hears of it.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::Bad;

my $t = Test::Realtime->new(database => 1)->start;

my ($alice, $bob, $carol, $dave) = map { $t->uuid($_) }
                                       qw( alice bob carol dave );

$t->sql("insert into users (id) values "
        . join ', ', map { "('$_')" } $alice, $bob, $carol, $dave);


sub conversation {
    my ($from, $to) = @_;

    return $t->post('/api/chat/conversations', token => $t->token($from),
                    json => { participantId => $to })->{json}{data}{id};
}


my $chat = conversation($alice, $bob);
my $other = conversation($carol, $dave);
my $good = $t->connect($carol);

my $bad = Test::Realtime::Bad->new($t, sub {
    $good->ask(presence => { state => 'busy' })->{data}{state};
});

my $client = $t->connect($alice);
my $listener = $t->connect($bob);
my $nobody = $t->connect('x' x 128);       # a user that is no UUID

my %texts = (
    conversation_not_found => 'Conversation not found',
    payload_invalid => 'The payload must be an object',
    state_invalid => 'state must be online, away, busy or invisible',
    typing_invalid => 'isTyping must be true or false',
    user_not_uuid => 'The chat API needs a UUID as user id',
);


# sends it with an ack id, then without

sub refused {
    my ($name, $event, $code, $args, $from) = @_;

    my $json = qq(["$event") . (defined $args ? ",$args" : '') . ']';
    my %answer = (code => $code, message => $texts{$code});

    $from //= $client;

    $bad->case("$event: $name, with an ack", { status => 'error', %answer },
               'events_refused', "$event: $code", sub {
        my $id = $from->{ack}++;
        $from->ws->send("42$id$json");
        return $from->ack($id, 2);
    });

    $bad->case("$event: $name", { %answer, event => $event },
               'events_refused', "$event: $code", sub {
        $from->ws->send("42$json");
        return $from->event('error', 2);
    });
}


for my $event (qw( typing presence )) {
    refused($_ // 'no payload', $event, 'payload_invalid', $_)
        for undef, 'null', '[]', '"x"', '1', 'true', '[{}]', 'null,{}';
}

refused('conversationId ' . substr($_ // 'missing', 0, 50), 'typing',
        'conversation_not_found',
        '{"isTyping":true' . (defined $_ ? qq(,"conversationId":$_}) : '}'))
    for undef, 'null', '1', '{}', '[]', '""', '"x"', qq("$chat "),
        qq("$chat\\u0000"), '"\ud800"', '"' . $t->uuid('no') . '"',
        qq("$other"), '"' . 'x' x 10000 . '"', qq("{$chat}"),
        qq("'; drop table users; --");

refused('isTyping ' . ($_ // 'missing'), 'typing', 'typing_invalid',
        qq({"conversationId":"$chat") . (defined $_ ? qq(,"isTyping":$_}) : '}'))
    for undef, 'null', '1', '0', '"true"', '""', '[]', '{}', '[true]';

refused('state ' . substr($_ // 'missing', 0, 50), 'presence',
        'state_invalid', defined $_ ? qq({"state":$_}) : '{}')
    for undef, 'null', '1', 'true', '{}', '[]', '""', '"offline"', '"Away"',
        '"away "', '"away\u0000"', '"\ud800"', '["away"]',
        '"' . 'x' x 10000 . '"', '"<script>"';

refused('a user that is no UUID', 'typing', 'user_not_uuid',
        qq({"conversationId":"$chat","isTyping":true}), $nobody);
refused('a user that is no UUID', 'presence', 'user_not_uuid',
        '{"state":"away"}', $nobody);

# a binary attachment is no string

$bad->case('an attachment for a state', { status => 'error',
           code => 'state_invalid', message => $texts{state_invalid} },
           'events_refused', 'presence: state_invalid', sub {
    $client->ws->send('451-900["presence",{"state":{"_placeholder":true,'
                      . '"num":0}}]');
    $client->ws->frame(opcode => 2, payload => 'away');
    return $client->ack(900, 2);
});

my %heard = map { $_->[0] => 1 } $listener->events(0.3);

is_deeply([grep { /typing/ } keys %heard], [], 'nobody heard of typing');
is($client->ask(presence => { state => 'away', more => [1] })->{status},
   'success', 'keys that nobody asked for');

done_testing();
