#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# The faults that the system of the contract was known for, as far as they
# were its server's, are none of this one.  What has a test of its own is only
# touched here.

use strict;
use warnings;
use utf8;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(database => 1, workers => 2)->start;

my ($alice, $bob, $carol) = map { $t->uuid($_) } qw( alice bob carol );
my %token = map { $_ => $t->token($_) } $alice, $bob, $carol;
my $base = '/api/chat/conversations';

$t->sql("insert into users (id) values ('$alice'), ('$bob'), ('$carol')");

my $id = $t->post($base, token => $token{$alice},
                  json => { participantId => $bob })->{json}{data}{id};
my ($phone, $tablet, $to, $stranger)
    = map { $t->connect($_) } $alice, $alice, $bob, $carol;


sub post {
    my ($who, $content, %o) = @_;

    return $t->post("$base/$id/messages", token => $token{$who},
                    json => { content => $content, %o });
}


sub rows {
    return $t->get("$base/$id/messages", token => $token{$_[0]})->{json};
}


# anyone could write into any conversation, and read it

is(post($carol, 'x')->{status}, 404, 'a stranger does not write, by REST');

for my $payload ({ conversationId => $id, recipientId => $bob },
                 { conversationId => $id, recipientId => $carol })
{
    my ($ack) = $stranger->ask('message', { %$payload, message => 'x' });

    is($ack->{code}, 'conversation_not_found', 'nor by the socket');
}

my ($ack) = $phone->ask('message', { conversationId => $id, message => 'x',
                                     recipientId => $carol });

is($ack->{code}, 'recipient_invalid',
   'nor does a participant choose who gets it');
is(rows($carol)->{code}, 'conversation_not_found', 'a stranger does not read');
is($t->sql('select count(*) from realtime.messages'), 0, 'nothing was stored');
is_deeply([heard($to)], ['connected'], 'and nothing delivered');

# typing reached every socket

$phone->emit_ack('typing', { conversationId => $id, isTyping => \1 });
is_deeply([heard($stranger)], ['connected'],
          'a stranger hears of nobody\'s typing');

# emit('message') without a payload crashed the process

my @workers = sort $t->workers;

for my $bytes ('42["message"]', '42["message",null]', '42["message",[]]',
               '42["message","x"]', '42["message",{}]', '42["message",1,{}]')
{
    $phone->ws->send($bytes);
    ok($phone->event('error')->{code}, "$bytes is refused");
}

is_deeply([sort $t->workers], \@workers, 'by a worker that goes on');

# the token was looked at only at the beginning

my $short = $t->connect($alice, token => $t->token($alice,
                                                   exp => int(time) + 2));

is($short->event('error', 10)->{code}, 'token_expired',
   'a token that expires ends its socket');

1 while defined $short->packet(5) && !defined $short->code;
is($short->code, 1008, 'with a reason');

# the origin of a WebSocket was not looked at

my $foreign = $t->connect($alice, via => 'cookie',
                          headers => { Origin => 'https://evil.example' });

is($foreign->status, 403, 'a cookie from another site opens nothing');

# the socket did not store, and REST did not deliver; the live event had other
# names than the row; nobody could tell whose a message was

($ack) = $phone->ask('message', { conversationId => $id, recipientId => $bob,
                                  message => 'live' });

is($t->sql("select id from realtime.messages where content = 'live'"),
   $ack->{data}{id}, 'what the socket took is committed when it says so');

my $event = $to->event('message');

is($event->{content}, 'live', 'the event has its content');
is($event->{message}, 'live', 'under both names');
is($event->{id}, $ack->{data}{id}, 'and the id of the row');

my $row = post($bob, 'answer', clientId => 'b1')->{json}{data};

is($phone->event('message')->{id}, $row->{id}, 'what REST took is delivered');
is_deeply([map { $_->{sender_id} } @{rows($bob)->{data}}], [$alice, $bob],
          'rows say whose they are');

# each message was sent twice, without an id that both have

($ack) = $phone->ask('message', { conversationId => $id, recipientId => $bob,
                                  message => 'twice' });
is(post($alice, 'twice')->{json}{data}{id}, $ack->{data}{id},
   'by both doors it is one message');
is(scalar(grep { $_->[0] eq 'message' && $_->[1]{content} eq 'twice' }
          $to->events(0.4)), 1, 'with one delivery');

# a POST that failed lost the text, or doubled it when it was repeated

is(post($bob, 'answer', clientId => 'b1')->{json}{data}{id}, $row->{id},
   'a repeat is the same message');

# no pages

is_deeply([sort keys %{rows($alice)->{pagination}}],
          [qw( hasMore hasNewer nextAfter nextBefore )], 'a history has pages');

# receipts were never sent

$t->post("$base/$id/mark-as-read", token => $token{$bob}, json => {});
is($phone->event('message_read')->{userId}, $bob, 'who sent hears who read');
ok((grep { $_->{is_read} } @{rows($alice)->{data}}), 'and rows say so');

# the filter refused apostrophes and changed texts

for my $text ("it's", '<b>1 < 2 && "x"</b>', 'select * from users; --', '🙂',
              'a\\b')
{
    is(post($alice, $text)->{json}{data}{content}, $text,
       'a text is stored as it is');
    is($t->get("$base/$id/messages?limit=1", token => $token{$bob})
       ->{json}{data}[0]{content}, $text, 'and read as it is');
}

unlike($t->get("$base/$id/messages", token => $token{$bob})->{body}, qr/[<>&]/,
       'but no answer can be taken for HTML');

# two tabs disagreed

$_->events(0.3) for $phone, $tablet;
($ack) = $phone->ask('message_send', { conversationId => $id,
                                       content => 'tabs' });
is($tablet->event('message_sent')->{id}, $ack->{data}{id},
   'the other tab of who sends has the message');

post($bob, 'to be read');
$t->post("$base/$id/mark-as-read", token => $token{$alice}, json => {});
ok($_->event('conversation_read'), 'and each tab of who reads knows it')
    for $phone, $tablet;

done_testing();


# the names of the events, but who is there

sub heard { grep { !/^presence/ } map { $_->[0] } $_[0]->events(0.3) }
