#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# The role of nginx cannot do what no statement of the module does, and with
# the policies of rls.sql it can neither see nor change anything but what
# belongs to the user that it names; the module works with them.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(database => 1, http => <<'EOT');
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=1 timeout=5s identify=on;
EOT

my ($alice, $bob, $carol, $dora) = map { $t->uuid($_) }
                                       qw( alice bob carol dora );

$t->sql("insert into users (id) values ('$_')")
    for $alice, $bob, $carol, $dora;

system('psql', '-qX', '-v', 'ON_ERROR_STOP=1', $t->postgres,
       '-f', 'sql/rls.sql') == 0 or die for 1, 2;

$t->start;

my $base = '/api/chat/conversations';


sub call {
    my ($who, $method, $path, $body) = @_;

    return $t->http($method, "$base$path", token => $t->token($who),
                    $body ? (json => $body) : ());
}


# as the role of nginx; what Postgres says: rows, or the error

sub hostile {
    my ($user, $sql) = @_;

    my $pid = open my $out, '-|';
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        exec 'psql', '-qtAX', $t->{pg}->nginx, '-c',
             "set realtime.\"user\" = '$user'; $sql" or POSIX::_exit(127);
    }

    my $text = join '', <$out>;
    close $out;
    chomp $text;

    return $text;
}


# the module, with policies

my $id = call($alice, POST => '', { participantId => $bob })->{json}{data}{id};
my $other = call($carol, POST => '', { participantId => $dora })
              ->{json}{data}{id};

is(call($alice, POST => "/$id/messages", { content => 'a' })->{status}, 201,
   'a message is stored');
is(call($bob, POST => "/$id/messages",
        { content => 'b', clientId => 'b' })->{status}, 201, 'and the answer');
is(call($carol, POST => "/$other/messages", { content => 'c' })->{status},
   201, 'and what others say');
is(call($bob, POST => "/$id/messages",
        { content => 'b', clientId => 'b' })->{status}, 200, 'a repeat');
is_deeply([map { $_->{content} }
               @{call($bob, GET => "/$id/messages")->{json}{data}}],
          [qw( a b )], 'fetched');
is(scalar @{call($bob, GET => '')->{json}{data}}, 1, 'his conversations');
is(call($carol, GET => "/$id")->{status}, 404, 'a stranger');
is(call($bob, POST => "/$id/mark-as-read", {})->{json}{data}{count}, 1,
   'read');
is(call($bob, POST => '', { participantId => $alice })->{status}, 200,
   'the same pair');

my $from = $t->connect($alice);
my $to = $t->connect($bob);
my $carols = $t->connect($carol);

# two users in the batches of one connection, and one statement that fails

my @ids = map {
    $from->emit_ack('message_send', { conversationId => $id,
                    content => "n $_", clientId => "n $_" });
} 1 .. 30;
my @wrong = map {
    $carols->emit_ack('message_send', { conversationId => $id,
                      content => "no $_", clientId => "no $_" });
} 1 .. 30;

is_deeply([map { scalar($from->ack($_))->{status} } @ids],
          [('success') x 30], 'the participant\'s are stored');
is_deeply([map { scalar($carols->ack($_))->{code} } @wrong],
          [('conversation_not_found') x 30], 'the stranger\'s are not');
ok($from->event('message_delivered'), 'marks work');

# a module that is wrong

is(hostile('', 'select count(*) from realtime.messages'), 0,
   'nobody sees no messages');
is(hostile('', 'select count(*) from realtime.conversations'), 0,
   'nor conversations');
is(hostile($carol, 'select count(*) from realtime.conversations'), 1,
   'Carol sees hers');
is(hostile($carol, 'select count(*) from realtime.messages'), 1,
   'and its message');
is(hostile($carol, "select count(*) from realtime.messages
                    where conversation_id = '$id'"), 0, 'not those of others');

my $new = $t->uuid('new');
my $insert = 'insert into realtime.messages (id, conversation_id, sender_id,
              content) values';
my $policy = qr/violates row-level security policy/;
my $denied = qr/permission denied/;

for ([$carol, "$insert ('$new', '$id', '$carol', 'x')", $policy,
      'no message into a conversation of others'],
     [$bob, "$insert ('$new', '$id', '$alice', 'x')", $policy,
      'nor in the name of another one'],
     [$carol, "insert into realtime.conversations (id, created_by,
               participant_id, title) values ('$new', '$alice', '$dora', 'x')",
      $policy, 'no conversation in the name of others'],
     [$carol, "insert into realtime.conversations (id, created_by,
               participant_id, title) values ('$new', '$alice', '$carol', 'x')",
      $policy, 'nor of the other one'],
     [$bob, "update realtime.messages set content = 'x'", $denied,
      'no text is changed'],
     [$bob, "update realtime.messages set sender_id = '$bob'", $denied,
      'no sender'],
     [$bob, "update realtime.conversations set participant_id = '$carol'",
      $denied, 'no participant'],
     [$bob, 'select name from users', $denied, 'no name is read'],
     [$bob, 'insert into users (id) values (gen_random_uuid())', $denied,
      'no user made'],
     [$bob, 'truncate realtime.messages', $denied, 'nothing is emptied'],
     [$bob, 'alter table realtime.messages disable row level security',
      qr/must be owner/, 'no policy is taken away'],
     [$bob, 'delete from realtime.schema_migrations', $denied,
      'no migration forgotten'])
{
    my ($who, $sql, $says, $name) = @$_;

    like(hostile($who, $sql), $says, $name);
}

hostile($carol, "delete from realtime.conversations where id = '$id'");
hostile($carol, "delete from realtime.messages where conversation_id = '$id'");
hostile($carol, "update realtime.messages set read_at = null");

is($t->sql("select count(*) from realtime.messages
            where conversation_id = '$id'"), 32, 'nothing of others is deleted');
is($t->sql("select count(*) from realtime.messages
            where conversation_id = '$id' and content = 'a'
            and read_at is null"), 0, 'or changed');

is(call($bob, DELETE => "/$id")->{status}, 200, 'one\'s own may be');
is($t->sql("select count(*) from realtime.messages"), 1, 'as a whole');

done_testing();
