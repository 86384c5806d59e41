#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Who sends learns what became of it: a message is delivered when a socket of
# the other one was given it or when he fetched it, and read when he says so;
# a conversation that is deleted is gone for both, and both hear of it.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(database => 1, workers => 2)->start;

my ($alice, $bob, $carol) = map { $t->uuid($_) } qw( alice bob carol );
my %token = map { $_ => $t->token($_) } $alice, $bob, $carol;
my $base = '/api/chat/conversations';

$t->sql("insert into users (id) values ('$alice'), ('$bob'), ('$carol')");


sub conversation {
    my ($who, $with) = @_;

    return $t->post($base, token => $token{$who},
                    json => { participantId => $with })->{json}{data}{id};
}


sub say_it {
    my ($who, $id, $content) = @_;

    return $t->post("$base/$id/messages", token => $token{$who},
                    json => { content => $content, clientId => $content })
             ->{json}{data}{id};
}


sub mark {
    my ($who, $id, %body) = @_;

    return $t->post("$base/$id/mark-as-read", token => $token{$who},
                    json => \%body);
}


sub rows {
    my ($who, $id) = @_;

    return map { $_->{content} => $_ }
           @{$t->get("$base/$id/messages", token => $token{$who})
               ->{json}{data}};
}


sub unread {
    my ($who, $id) = @_;

    return $t->get("$base/$id", token => $token{$who})
             ->{json}{data}{unread_count};
}


my $id = conversation($alice, $bob);
my $phone = $t->connect($alice);

# nobody is there

my $one = say_it($alice, $id, 'one');

is($phone->event('message_delivered', 1.5), undef, 'not delivered to nobody');

# Bob comes, and gets what is sent from now on

my $tab = $t->connect($bob);
my $tab2 = $t->connect($bob);
my $two = say_it($alice, $id, 'two');
my $three = say_it($alice, $id, 'three');

$tab->event('message') for 1 .. 2;

my $event = $phone->event('message_delivered');

# two may have been given a moment before the mark, three after it

$event = $phone->event('message_delivered')
    if $event && $event->{upTo} ne $three;

like(delete $event->{timestamp}, qr/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/,
     'a message is delivered: when');
is_deeply($event, { conversationId => $id, userId => $bob, upTo => $three },
          'what, to whom and up to which one');

my %row = rows($alice, $id);

ok($row{two}{delivered_at} && $row{three}{delivered_at}, 'it is in the rows');
is($row{one}{delivered_at}, undef, 'but not of what he does not have yet');
is($row{three}{read_at}, undef, 'nor is it read');

is($tab->event('message_delivered', 0.3), undef, 'the receiver is not told');

# what he fetches he has, too

%row = rows($bob, $id);
$event = $phone->event('message_delivered');
is($event->{upTo}, $one, 'what was fetched is delivered');

%row = rows($alice, $id);
ok($row{one}{delivered_at}, 'the row says so');

# reading up to one of them

is(unread($bob, $id), 3, 'three to be read');

my $r = mark($bob, $id, upTo => $two);

is($r->{status}, 200, 'read up to the second');
is_deeply($r->{json}, { status => 'success', data => { count => 2 },
                        message => 'Messages marked as read' }, 'two of them');
is(unread($bob, $id), 1, 'one is left');

$event = $phone->event('message_read');
like(delete $event->{timestamp}, qr/Z$/, 'the sender is told when');
is_deeply($event, { conversationId => $id, userId => $bob, upTo => $two },
          'and up to which one');
is($_->event('conversation_read')->{upTo}, $two, 'and each tab of the reader')
    for $tab, $tab2;
is($phone->event('conversation_read', 0.3), undef, 'nobody else');

%row = rows($alice, $id);
ok($row{one}{is_read} && $row{two}{is_read} && !$row{three}{is_read},
   'is_read');

is(mark($bob, $id, upTo => $two)->{json}{data}{count}, 0, 'again: none');
is($phone->event('message_read', 0.3), undef, 'which is no news');

# by the socket, all of it; the tab that asks gets the ack and no event

my ($ack) = $tab->ask('mark_as_read', { conversationId => $id });

is_deeply($ack, { status => 'success', data => { count => 1 } },
          'the event does the same');
is($phone->event('message_read')->{upTo}, $three, 'the sender is told');
is($tab2->event('conversation_read')->{upTo}, $three, 'and the other tab');
is($tab->event('conversation_read', 0.3), undef, 'but not this one');

# one's own messages are not one's to mark

is(mark($alice, $id)->{json}{data}{count}, 0, 'of one\'s own: none');

for (['a stranger', $carol, $id, {}, 404, 'Conversation not found'],
     ['no UUID', $bob, 'x', {}, 404, 'Conversation not found'],
     ['upTo of another type', $bob, $id, { upTo => 7 }, 400,
      'upTo must be the id of a message'],
     ['upTo that is no id', $bob, $id, { upTo => "' or true" }, 400,
      'upTo must be the id of a message'])
{
    my ($name, $who, $where, $body, $status, $text) = @$_;

    $r = mark($who, $where, %$body);
    is_deeply([$r->{status}, $r->{json}{message}], [$status, $text], $name);
}

($ack) = $tab->ask('mark_as_read', { conversationId => 'x' });
is($ack->{code}, 'conversation_not_found', 'no conversation, on the socket');
($ack) = $tab->ask('mark_as_read', { conversationId => $id, upTo => {} });
is($ack->{code}, 'up_to_invalid', 'no id');

# more than one statement marks

$t->sql("insert into realtime.messages
             (id, conversation_id, sender_id, content)
         select ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
             '$id', '$alice', n::text from generate_series(1, 2500) n");

is(mark($bob, $id)->{json}{data}{count}, 2500, 'any number of them');
is(unread($bob, $id), 0, 'none is left');

# deleting

my $delete = sub {
    my ($who, $what) = @_;

    return $t->http(DELETE => "$base/$what", token => $token{$who});
};

for ([$carol, $id], [$bob, 'x'], [$bob, $t->uuid('none')]) {
    $r = $delete->(@$_);
    is_deeply([$r->{status}, $r->{json}{message}],
              [404, 'Conversation not found or unauthorized'],
              "not theirs: $_->[1]");
}

$r = $delete->($bob, $id);

is($r->{status}, 200, 'the other one deletes');
is_deeply($r->{json}, { status => 'success',
                        message => 'Conversation deleted' }, 'what it says');

for ($phone, $tab, $tab2) {
    $event = $_->event('conversation_deleted');
    like(delete $event->{timestamp}, qr/Z$/, 'it is told');
    is_deeply($event, { conversationId => $id, userId => $bob }, 'what');
}

is($t->get("$base/$id", token => $token{$alice})->{status}, 404, 'gone');
is($t->sql("select count(*) from realtime.messages"), 0, 'with its messages');
is($delete->($bob, $id)->{status}, 404, 'once');

my $again = conversation($bob, $alice);

isnt($again, $id, 'they may begin anew');
is(say_it($alice, $again, 'one') && 1, 1, 'with the ids of old');

done_testing();
