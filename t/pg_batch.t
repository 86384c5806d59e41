#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Statements share a transaction, and one that fails takes no other with it:
# what was acknowledged is stored, what was refused is not, whether the error
# comes with the statement, at the commit, or passes with another attempt.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

# One connection: what comes in one turn of the loop is one batch.

my $t = Test::Realtime->new(database => 1, http => <<'EOT')->start;
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=1 timeout=5s;
EOT

my ($alice, $bob, $carol) = map { $t->uuid($_) } qw( alice bob carol );

$t->sql("insert into users (id) values ('$alice'), ('$bob'), ('$carol')");

my $base = '/api/chat/conversations';
my $token = $t->token($alice);
my ($with_bob, $with_carol)
    = map { $t->post($base, token => $token,
                     json => { participantId => $_ })->{json}{data}{id} }
          $bob, $carol;

# A sequence is not rolled back: its value is the number of attempts.

$t->sql(<<'EOT');
    create sequence realtime.attempts;
    grant usage on sequence realtime.attempts to chat;

    create function realtime.trap() returns trigger language plpgsql as $$
    begin
        if new.content like 'bad%' then
            raise exception 'no such message';

        elsif new.content like 'passes%'
              and nextval('realtime.attempts') < 3
              or new.content like 'stays%'
              and nextval('realtime.attempts') > 0
        then
            raise exception 'come back' using errcode = '40001';
        end if;

        return new;
    end $$;

    create trigger trap before insert on realtime.messages
        for each row execute function realtime.trap();

    create function realtime.late() returns trigger language plpgsql as $$
    begin
        raise exception 'not even now' using errcode = '23514';
    end $$;

    create constraint trigger late after insert on realtime.messages
        deferrable initially deferred
        for each row when (new.content like 'late%')
        execute function realtime.late();
EOT


my $from = $t->connect($alice);
my $to = $t->connect($bob);

$from->event('connected');
$to->event('connected');


# [ack, content] of each message, in the order of sending; all in one write

sub burst {
    my (@messages) = @_;

    my $first = $from->{ack};

    $from->ws->raw(join '', map {
        $from->ws->encode(payload => '42' . $from->{ack}++
            . Test::Realtime::encode(['message_send', $_]))
    } @messages);

    return map { [scalar $from->ack($first + $_, 10),
                  $messages[$_]{content}] } 0 .. $#messages;
}


sub message {
    my ($content, $client_id, $conversation) = @_;

    return { conversationId => $conversation // $with_bob,
             content => $content, clientId => $client_id };
}


sub outcomes  { map { $_->[0]{code} // $_->[0]{status} } @_ }
sub delivered { map { ($to->event('message', 5) // {})->{content} } 1 .. $_[0] }
sub attempts  { $t->sql('select last_value from realtime.attempts') }
sub status    { $t->get('/status')->{json} }


sub stored {
    my ($where) = @_;

    return [$t->sql("select content from realtime.messages
                     where client_id like '$where' order by id")];
}


# it is about batches

my @good = map { "good $_" } 1 .. 60;
my $before = status();

is_deeply([outcomes(burst(map { message($_, $_) } @good))],
          [('success') x 60], '60 at once are acknowledged');

my $after = status();

cmp_ok($after->{pg_batches} - $before->{pg_batches}, '<', 10,
       'in few batches');
is_deeply([delivered(60)], \@good, 'and delivered in their order');

# an error in the middle, a commit that fails, an id of another conversation

my @round = map {
    my $kind = $_ % 7 == 1 ? 'bad' : $_ % 7 == 4 ? 'late' : 'fine';

    $_ % 10 == 0 ? message("taken $_", "good $_", $with_carol)
                 : message("$kind $_", "r$_");
} 1 .. 57;

my %expected = (bad => 'internal', late => 'internal', taken => 'conflict',
                fine => 'success');
my %wrong = map { $_ => [] } keys %expected;

for (burst(@round)) {
    my ($kind) = $_->[1] =~ /(\w+)/;
    my ($outcome) = outcomes($_);

    push @{$wrong{$kind}}, $outcome if $outcome ne $expected{$kind};
}

is_deeply($wrong{$_}, [], "$_: $expected{$_}") for sort keys %expected;

my @fine = grep { /^fine/ } map { $_->{content} } @round;

is_deeply(stored('r%'), \@fine,
          'what was acknowledged is stored, in order, and nothing else');
is_deeply([delivered(scalar @fine)], \@fine,
          'and is delivered once, in order');

# each by itself, where no neighbour can be blamed

is_deeply([map { outcomes(burst(message($_, "alone $_"))) }
               'bad', 'fine', 'late', 'fine 2'],
          ['internal', 'success', 'internal', 'success'],
          'one at a time it is the same');
is_deeply([delivered(2)], ['fine', 'fine 2'], 'nothing came twice');

# by REST, from connections of their own

my @rest = at_once(map { message(($_ % 5 ? 'fine' : 'bad') . " $_", "h$_") }
                       1 .. 40);

is_deeply([map { $_->{status} } @rest],
          [map { $_ % 5 ? 201 : 500 } 1 .. 40],
          '40 requests at once: each has the answer of its own');

my @created = map { $_->{json}{data}{content} }
              grep { $_->{status} == 201 } @rest;

is_deeply([sort @{stored('h%')}], [sort @created],
          'and what had a 201 is stored');
is_deeply([delivered(scalar @created)], stored('h%'),
          'and delivered in the order of the ids');

# Serialization failures: once in the batch, once alone, and once more.

is_deeply([outcomes(burst(map { message($_, $_) } qw( a passes b )))],
          [('success') x 3], 'what passes at the third attempt is stored');
is(attempts(), 3, 'which was made');
is_deeply([delivered(3)], [qw( a passes b )],
          'they are delivered in the order in which they were sent');

# others of the same sender, all on the way before the first has failed

$t->sql("select setval('realtime.attempts', 1, false)");

my @many = map { $_ == 5 ? 'passes 5' : "n $_" } 1 .. 40;

is_deeply([outcomes(burst(map { message($_, "many $_") } @many))],
          [('success') x 40], 'one of 40 passes at the third attempt');
is_deeply([delivered(40)], \@many, 'and keeps its place');
is_deeply(stored('many%'), \@many, 'in the history too');

$t->sql("select setval('realtime.attempts', 1, false)");

my @acks = burst(map { message($_, "s $_") } qw( c stays d ));

is_deeply([outcomes(@acks)], [qw( success unavailable success )],
          'what does not pass is refused, and its neighbours are stored');
cmp_ok($acks[1][0]{retryAfter} // 0, '>', 0, 'it may be tried again');
is(attempts(), 3, 'after the third attempt');
is_deeply([delivered(2)], [qw( c d )], 'the neighbours are delivered');
is_deeply([grep { $_->[0] !~ /^presence/ } $to->events(0.2)], [],
          'and nothing else ever is');

done_testing();


sub at_once {
    my (@bodies) = @_;

    my @sockets = map { $t->tcp } @bodies;

    for my $i (0 .. $#bodies) {
        my $body = Test::Realtime::encode($bodies[$i]);

        syswrite $sockets[$i], join "\r\n",
            "POST $base/$with_bob/messages HTTP/1.1", 'Host: localhost',
            'Connection: close', "Authorization: Bearer $token",
            'Content-Type: application/json',
            'Content-Length: ' . length $body, '', $body;
    }

    return map { local $/; Test::Realtime::parse_response(scalar <$_>) }
           @sockets;
}
