#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Pages of messages and of conversations: each row once, in order, whatever
# the limit says.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(database => 1)->start;

my ($alice, $bob) = map { $t->uuid($_) } qw( alice bob );
my @people = map { $t->uuid("friend $_") } 1 .. 120;

$t->sql('insert into users (id) values '
        . join ',', map { "('$_')" } $alice, $bob, @people);

my $base = '/api/chat/conversations';
my $token = $t->token($alice);


sub get {
    my ($path) = @_;

    my $r = $t->get($path, token => $token);
    is($r->{status}, 200, "GET $path");

    return ($r->{json}{data}, $r->{json}{pagination});
}


my $id = $t->post($base, token => $token,
                  json => { participantId => $bob })->{json}{data}{id};
my $messages = "$base/$id/messages";

my ($rows, $page) = get($messages);

is_deeply($rows, [], 'an empty conversation');
ok(!$page->{hasMore}, 'has no more');
is($page->{nextBefore}, undef, 'and no next page');

# 250 messages, in one millisecond some of them

$t->sql("insert into realtime.messages
             (id, conversation_id, sender_id, content)
         select ('01900000-' || lpad(to_hex(n / 2), 4, '0')
                 || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '$id',
             case n % 3 when 0 then '$alice' else '$bob' end::uuid, n::text
         from generate_series(1, 250) n");

for (['', 100], ['?limit=abc', 100], ['?limit=0', 100], ['?limit=', 100],
     ['?limit=7', 7], ['?limit=-3', 1], ['?limit=1000', 200],
     ['?limit=99999999999999999999', 200], ['?limit=5x', 100])
{
    my ($query, $n) = @$_;

    ($rows, $page) = get($messages . $query);

    is(scalar @$rows, $n, 'as many');
    is($rows->[-1]{content}, 250, 'the newest last');
    is($rows->[0]{content}, 251 - $n, 'in order');
    ok($page->{hasMore}, 'more');
    is($page->{nextBefore}, $rows->[0]{id}, 'where to go on');
}

my @seen;
my $query = '?limit=40';

while (1) {
    ($rows, $page) = get($messages . $query);
    unshift @seen, map { $_->{content} } @$rows;
    last unless $page->{hasMore};
    $query = "?limit=40&before=$page->{nextBefore}";
}

is_deeply(\@seen, [1 .. 250], 'all pages make the whole');
is($page->{nextBefore}, undef, 'the last has no next');

# from a message on, and around it; "id" is that of the message of this number

my @id = $t->sql("select id from realtime.messages order by id");

unshift @id, undef;

for (["after=$id[250]", []], ["after=$id[248]", [249, 250]],
     ["after=$id[0x10]&limit=3", [17 .. 19]],
     ["after=00000000-0000-0000-0000-000000000000&limit=2", [1, 2]],
     ["before=$id[1]", []], ["before=$id[3]", [1, 2]],
     ["before=ffffffff-ffff-ffff-ffff-ffffffffffff&limit=1", [250]],
     ["after=ffffffff-ffff-ffff-ffff-ffffffffffff", []],
     ["around=$id[100]&limit=5", [98 .. 102]],
     ["around=$id[100]&limit=4", [98 .. 101]],
     ["around=$id[100]&limit=1", [100]],
     ["around=$id[1]&limit=4", [1, 2]], ["around=$id[250]&limit=4", [248 .. 250]],
     ["before=$id[9]&after=$id[20]&around=$id[30]&limit=1", [8]],
     ['offset=10&limit=5', [236 .. 240]], ['offset=248', [1, 2]],
     ['offset=250', []], ['offset=-5&limit=1', [250]],
     ['offset=abc&limit=1', [250]], ['offset=99999999999&limit=1', []])
{
    my ($query, $want) = @$_;

    ($rows, $page) = get("$messages?$query");

    is_deeply([map { $_->{content} } @$rows], $want, 'its messages');

    my ($first, $last) = @$want ? @$want[0, -1] : next;

    is_deeply($page, {
        hasMore => $first > 1 ? JSON::PP::true : JSON::PP::false,
        nextBefore => $first > 1 ? $id[$first] : undef,
        hasNewer => $last < 250 ? JSON::PP::true : JSON::PP::false,
        nextAfter => $last < 250 ? $id[$last] : undef,
    }, 'what is on both sides');
}

@seen = ();
$query = "?limit=40&after=$id[1]";

while (1) {
    ($rows, $page) = get($messages . $query);
    push @seen, map { $_->{content} } @$rows;
    last unless $page->{hasNewer};
    $query = "?limit=40&after=$page->{nextAfter}";
}

is_deeply(\@seen, [2 .. 250], 'forwards, all pages make the whole');

# 120 conversations begun by either side, some updated at the same time

$t->sql("insert into realtime.conversations
             (id, created_by, participant_id, title, updated_at)
         values " . join ',', map {
             sprintf "('%s', '%s', '%s', '%d',
                       timestamptz '2020-01-01' + interval '%d seconds')",
                 $t->uuid("conversation $_"),
                 $_ % 2 ? ($alice, $people[$_]) : ($people[$_], $alice),
                 $_, int($_ / 4)
         } 0 .. $#people);

for (['', 50], ['?limit=abc', 50], ['?limit=0', 50], ['?limit=3', 3],
     ['?limit=-1', 1], ['?limit=500', 100])
{
    my ($query, $n) = @$_;

    ($rows, $page) = get($base . $query);

    is(scalar @$rows, $n, 'as many');
    ok($page->{hasMore} && $page->{nextCursor}, 'more');
}

@seen = ();
$query = '?limit=25';

while (1) {
    ($rows, $page) = get($base . $query);
    push @seen, @$rows;
    last unless $page->{hasMore};
    $query = "?limit=25&cursor=$page->{nextCursor}";
}

my %distinct = map { $_->{id} => 1 } @seen;
my @times = map { $_->{updated_at} } @seen;

is(scalar @seen, 121, 'all conversations of both sides');
is(scalar keys %distinct, 121, 'each once');
is_deeply(\@times, [reverse sort @times], 'newest first');

# what a send does to the list

$t->post("$base/" . $t->uuid('conversation 5') . '/messages',
         token => $t->token($people[5]), json => { content => 'news' });

($rows) = get("$base?limit=2");

is($rows->[0]{title}, 5, 'a message brings its conversation to the top');
is($rows->[0]{last_message}, 'news', 'its text');
is($rows->[0]{last_message_at}, $rows->[0]{updated_at}, 'its time');
is($rows->[0]{other_user_id}, $people[5], 'whom with');
is($rows->[0]{unread_count}, 1, 'to be read');

done_testing();
