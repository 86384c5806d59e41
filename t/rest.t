#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# The REST door answers each request, good or bad, with the status and the
# text of the contract, in the envelope.

use strict;
use warnings;
use utf8;

use JSON::PP;
use Test::More;

use lib 't/lib';
use Test::Realtime;

binmode Test::More->builder->$_, ':utf8'
    for qw( output failure_output todo_output );

my $t = Test::Realtime->new(database => 1, http => <<'EOT')->start;
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=2 timeout=5s;
    client_max_body_size 200k;
    client_body_buffer_size 64k;
EOT

my ($alice, $bob, $carol) = map { $t->uuid($_) } qw( alice bob carol );

$t->sql("insert into users (id, name) values
         ('$alice', 'Alice'), ('$bob', 'Bob'), ('$carol', 'Carol')");

my $base = '/api/chat/conversations';
my %as = map { $_->[0] => $t->token($_->[1]) }
         [alice => $alice], [bob => $bob], [carol => $carol],
         [nobody => 'not-a-uuid'];

my $r = $t->post($base, token => $as{alice},
                 json => { participantId => $bob });

is($r->{status}, 201, 'a conversation is made');

my $conversation = $r->{json}{data};
my $id = $conversation->{id};

like($id, qr/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-
             [0-9a-f]{12}$/x, 'its id is a UUID of version 7');
is_deeply($conversation, {
    id => $id, created_by => $alice, participant_id => $bob,
    other_user_id => $bob, title => "Chat with $bob", unread_count => 0,
    last_message => undef, last_message_at => undef,
    created_at => $conversation->{created_at},
    updated_at => $conversation->{created_at},
}, 'its row');
like($conversation->{created_at},
     qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'its time');
is($r->{headers}{'content-type'}, 'application/json; charset=utf-8', 'type');
is($r->{headers}{'cache-control'}, 'no-store', 'not to be stored');

my $messages = "$base/$id/messages";
my $none = '00000000-0000-4000-8000-000000000000';
my $max = 'x' x 10000;

# who, method, path, body (a value is JSON), status, text or data

my @cases = (
    [bob => POST => $base, { participantId => $alice }, 200, undef,
     'the same pair from the other side'],
    [bob => POST => $base, { participantId => uc $alice }, 200, undef,
     'an id in capitals'],
    [alice => POST => $base, {}, 400, 'Participant ID required'],
    [alice => POST => $base, undef, 400, 'Participant ID required'],
    [alice => POST => $base, { participantId => '' }, 400,
     'Participant ID required'],
    [alice => POST => $base, { participantId => 17 }, 400,
     'Participant ID required'],
    [alice => POST => $base, { participantId => $alice }, 400,
     'Cannot start a conversation with yourself'],
    [alice => POST => $base, { participantId => $none }, 404,
     'User not found'],
    [alice => POST => $base, { participantId => "$bob'--" }, 404,
     'User not found'],
    [alice => POST => $base, { participantId => $carol, title => 7 }, 400,
     'title must be a string of 1 to 200 characters'],
    [alice => POST => $base, { participantId => $carol, title => ' ' }, 400,
     'title must be a string of 1 to 200 characters'],
    [alice => POST => $base,
     { participantId => $carol, title => 'é' x 201 }, 400,
     'title must be a string of 1 to 200 characters'],
    [alice => POST => $base,
     { participantId => $carol, title => "a\0b" }, 400,
     'title must be a string of 1 to 200 characters'],
    [alice => POST => $base,
     { participantId => $carol, title => 'é' x 200 }, 201, undef,
     'a title of 200 characters'],
    [nobody => POST => $base, { participantId => $bob }, 403,
     'The chat API needs a UUID as user id'],
    [nobody => GET => $base, undef, 403,
     'The chat API needs a UUID as user id'],
    [undef, GET => $base, undef, 401, 'Missing authentication token'],
    [bad => GET => $base, undef, 401, 'Invalid or expired token'],
    [refresh => GET => $base, undef, 401, 'Invalid token payload'],

    [alice => GET => "$base/$id", undef, 200, undef, 'one conversation'],
    [bob => GET => "$base/\U$id", undef, 200, undef, 'for both'],
    [bob => GET => "$base/$id/", undef, 200, undef, 'with a slash'],
    [carol => GET => "$base/$id", undef, 404, 'Conversation not found'],
    [alice => GET => "$base/$none", undef, 404, 'Conversation not found'],
    [alice => GET => "$base/x'y", undef, 404, 'Conversation not found'],
    [alice => GET => "$base/%ff%fe", undef, 404, 'Conversation not found'],
    [alice => HEAD => "$base/$id", undef, 200, undef, 'HEAD'],

    [alice => POST => $messages, { content => " hi\n" }, 201, undef, 'a send'],
    [alice => POST => $messages, { content => $max }, 201, undef,
     '10000 characters'],
    [alice => POST => $messages, { content => " \x{a0}$max\x{feff}" }, 201,
     undef, '10000 characters after trimming'],
    [alice => POST => $messages, { content => '😀' x 10000 }, 201, undef,
     '10000 characters of 4 bytes'],
    [alice => POST => $messages, { content => "x$max" }, 413,
     'Message content is longer than 10000 characters'],
    [alice => POST => $messages, { content => '😀' x 10001 }, 413,
     'Message content is longer than 10000 characters'],
    [alice => POST => $messages, {}, 400, 'Message content required'],
    [alice => POST => $messages, { content => 1 }, 400,
     'Message content required'],
    [alice => POST => $messages, { content => ['x'] }, 400,
     'Message content required'],
    [alice => POST => $messages, { content => undef }, 400,
     'Message content required'],
    [alice => POST => $messages, { content => '' }, 400,
     'Message content required'],
    [alice => POST => $messages, { content => " \t\r\n\x{2003}\x{3000}" },
     400, 'Message content required'],
    [alice => POST => $messages, { content => "a\0b" }, 400,
     'Message content must be text without NUL'],
    [alice => POST => $messages, { content => 'x', clientId => '' }, 400,
     'clientId must be a string of 1 to 128 characters'],
    [alice => POST => $messages, { content => 'x', clientId => 5 }, 400,
     'clientId must be a string of 1 to 128 characters'],
    [alice => POST => $messages, { content => 'x', clientId => "a\0" }, 400,
     'clientId must be a string of 1 to 128 characters'],
    [alice => POST => $messages, { content => 'x', clientId => 'c' x 129 },
     400, 'clientId must be a string of 1 to 128 characters'],
    [alice => POST => $messages, { content => 'x', clientId => 'ü' x 128 },
     201, undef, 'a clientId of 128 characters'],
    [alice => POST => $messages, { content => 'x', clientId => undef }, 201,
     undef, 'a clientId that is null'],
    [carol => POST => $messages, { content => 'x' }, 404,
     'Conversation not found'],
    [alice => POST => "$base/$none/messages", { content => 'x' }, 404,
     'Conversation not found'],
    [alice => POST => "$base/1/messages", { content => 'x' }, 404,
     'Conversation not found'],
    [carol => GET => $messages, undef, 404, 'Conversation not found'],
    [alice => GET => "$base/1/messages", undef, 404,
     'Conversation not found'],
    [alice => GET => "$messages?before=x", undef, 400,
     'The page to continue from is not a valid one'],
    [alice => GET => "$base?cursor=$id", undef, 400,
     'The page to continue from is not a valid one'],
    [alice => GET => "$base?cursor=12345678901234567.$id", undef, 400,
     'The page to continue from is not a valid one'],

    [alice => POST => $messages, \'{"content":', 400, 'Malformed JSON'],
    [alice => POST => $messages, \'{"content":"\ud800"}', 400,
     'Message content must be text without NUL'],
    [alice => POST => $messages, \'{"content":"x","clientId":"\ud800"}', 400,
     'clientId must be a string of 1 to 128 characters'],
    [alice => POST => $messages, \"{\"content\":\"\xff\"}", 400,
     'Malformed JSON'],
    [alice => POST => $messages, \('[' x 70000), 400, 'Malformed JSON'],
    [alice => POST => $messages, \'[]', 400, 'The payload must be an object'],
    [alice => POST => $messages, \'"x"', 400,
     'The payload must be an object'],
    [alice => POST => $messages, \'null', 400,
     'The payload must be an object'],

    [alice => GET => '/api/chat/', undef, 404, 'Endpoint not found'],
    [alice => GET => '/api/chat/conversation', undef, 404,
     'Endpoint not found'],
    [alice => GET => '/api/chat/conversationss', undef, 404,
     'Endpoint not found'],
    [alice => GET => "$messages/x", undef, 404, 'Endpoint not found'],
    [alice => GET => "$messages?after=x", undef, 400,
     'The page to continue from is not a valid one'],
    [alice => GET => "$messages?around=1", undef, 400,
     'The page to continue from is not a valid one'],
    [alice => GET => "$base/$id/mark-as-read", undef, 405,
     'Method not allowed'],
    [alice => POST => "$base/$id/mark-as-read", \'[]', 400,
     'The payload must be an object'],
    [undef, POST => "$base/$id/mark-as-read", {}, 401,
     'Missing authentication token'],
    [undef, DELETE => "$base/$id", undef, 401,
     'Missing authentication token'],
    [carol => DELETE => "$base/$id", undef, 404,
     'Conversation not found or unauthorized'],
    [alice => PUT => $base, {}, 405, 'Method not allowed'],
    [alice => DELETE => $messages, undef, 405, 'Method not allowed'],
    [alice => POST => "$base/$id", {}, 405, 'Method not allowed'],
);

$as{bad} = $as{alice} . 'x';
$as{refresh} = $t->token(undef, userId => $alice);

for (@cases) {
    my ($who, $method, $path, $body, $status, $text, $name) = @$_;

    my %o = ref $body eq 'HASH' ? (json => $body)
            : ref $body ? (body => $$body,
                           headers => { 'Content-Type' =>
                                        'application/json' })
            : ();

    $r = $t->http($method, $path, %o,
                  $who ? (token => $as{$who}) : ());

    subtest $name // "$method $path: $text" => sub {
        is($r->{status}, $status, 'status');

        if ($method eq 'HEAD') {
            is($r->{body}, '', 'no body');
            ok($r->{headers}{'content-length'} > 0, 'the length of GET');

        } elsif (defined $text) {
            is($r->{json}{status}, 'error', 'envelope');
            is($r->{json}{message}, $text, 'text');
            like($r->{json}{code}, qr/^[a-z_]+$/, 'code');

        } else {
            is($r->{json}{status}, 'success', 'envelope');
            ok($r->{json}{data}{id}, 'a row');
        }
    };
}

done_testing();
