#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# An event that cannot be done is refused by an error ack, or by the event
# "error" where no ack was asked for; the socket stays.

use strict;
use warnings;

use JSON::PP;
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
my $n = 0;

my $bad = Test::Realtime::Bad->new($t, sub {
    $good->ask(message_send => { conversationId => $other, content => 'x',
                                 clientId => "c" . $n++ })->{status};
});

my $client = $t->connect($alice);
my $relay = $t->connect('x' x 128);        # a user that is no UUID
my $listener = $t->connect($bob);

my %texts = (
    client_id_invalid => 'clientId must be a string of 1 to 128 characters',
    content_invalid => 'Message content must be text without NUL',
    content_required => 'Message content required',
    content_too_long => 'Message content is longer than 10000 characters',
    conversation_not_found => 'Conversation not found',
    event_unknown => 'Unknown event',
    payload_invalid => 'The payload must be an object',
    recipient_invalid => 'recipientId must be the other participant',
    user_not_uuid => 'The chat API needs a UUID as user id',
);


# sends it with an ack id, then without

sub refused {
    my ($name, $event, $code, $args, $from) = @_;

    my $known = $event =~ /^message(?:_send)?$/;
    my $json = '["' . $event . '"' . (defined $args ? ",$args" : '') . ']';
    my %answer = (code => $code, message => $texts{$code});
    my $line = ($known ? $event : 'unknown event') . ": $code";

    $from //= $client;

    $bad->case("$event: $name, with an ack", { status => 'error', %answer },
               'events_refused', $line, sub {
        my $id = $from->{ack}++;
        $from->ws->send("42$id$json");
        return $from->ack($id, 2);
    });

    $bad->case("$event: $name", { %answer, $known ? (event => $event) : () },
               'events_refused', $line, sub {
        $from->ws->send("42$json");
        return $from->event('error', 2);
    });
}


# a payload that is right, but for what is given as JSON; undef: left out

sub payload {
    my ($event, %o) = @_;

    my %p = $event eq 'message'
            ? (recipientId => qq("$bob"), message => '"x"')
            : (content => '"x"');

    %p = (%p, conversationId => qq("$chat"), %o);

    return '{' . join(',', map { qq("$_":$p{$_}) }
                               grep { defined $p{$_} } sort keys %p) . '}';
}


refused('unknown', $_, 'event_unknown', '{}')
    for 'nothing', '', 'Message', 'message ', 'message_sent', 'connected',
        'error', 'x' x 10000, '\u0000', '<script>', '__proto__';
refused('nobody knows a number', "x\",1,\"", 'event_unknown');

my $wide = sub { '"' . "\xf0\x9f\x98\x80" x shift . '"' };

for my $event (qw( message message_send )) {
    my $content = $event eq 'message' ? 'message' : 'content';

    refused($_ // 'no payload', $event, 'payload_invalid', $_)
        for undef, 'null', '[]', '"x"', '1', 'true', '[{}]',
            'null,' . payload($event);

    refused("$content $_->[0]", $event, $_->[1],
            payload($event, $content => $_->[2])) for
        ['missing', 'content_required', undef],
        map({ [$_, 'content_required', $_] }
            'null', '1', 'true', '{}', '["x"]', '""'),
        ['of white space', 'content_required', '" \t\r\n\u000b\u000c\u00a0'
         . '\u1680\u2003\u2028\u2029\u202f\u205f\u3000\ufeff"'],
        ['with NUL', 'content_invalid', '"a\u0000b"'],
        ['of NUL', 'content_invalid', '"\u0000"'],
        ['of 10001', 'content_too_long', '"' . 'x' x 10001 . '"'],
        ['of 10001 wide ones', 'content_too_long', $wide->(10001)],
        ['of 10001 escapes', 'content_too_long', '"' . '\ud83d\ude00' x 10001
         . '"'],
        ['of 10001 and spaces', 'content_too_long',
         '"  ' . 'x' x 10001 . '"'],
        ['of 200000', 'content_too_long', '"' . 'x' x 200000 . '"'];

    refused('conversationId ' . substr($_ // 'missing', 0, 50), $event,
            'conversation_not_found',
            payload($event, conversationId => $_))
        for undef, 'null', '1', '{}', '[]', '""', '"x"', qq("$chat "),
            qq("$chat\\u0000"), '"' . 'a' x 36 . '"', '"' . $t->uuid('no')
            . '"', qq("$other"), '"' . 'x' x 10000 . '"', qq("{$chat}");

    refused('clientId ' . substr($_, 0, 20), $event, 'client_id_invalid',
            payload($event, clientId => $_))
        for '1', 'true', '{}', '["x"]', '""', '"a\u0000b"',
            '"' . 'x' x 129 . '"', $wide->(129);

    refused('a user that is no UUID', $event, 'user_not_uuid',
            payload($event), $relay);
}

refused('recipientId ' . substr($_ // 'missing', 0, 50), 'message',
        'recipient_invalid',
        payload('message', recipientId => $_))
    for undef, 'null', '1', '{}', '""', '"x"', qq("$alice"), qq("$carol"),
        qq("$bob\\u0000"), '"' . $t->uuid('no') . '"',
        '"' . 'x' x 100000 . '"';

is($t->sql("select count(*) from realtime.messages where sender_id = "
           . "'$alice'"), 0, 'nothing of it was stored');
is_deeply([grep { $_->[0] =~ /^message/ } $listener->events(0.3)], [],
          'nor delivered');

done_testing();
