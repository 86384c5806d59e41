#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Who is typing is told to the other participant, on all sockets, and to
# nobody else; not at every key; and it ends by itself.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use Time::HiRes qw( sleep );

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => $ENV{TEST_WORKERS} // 4,
                            database => 1);

# What is asked, by the names of the statements.

$t->{pg}->sql("alter role chat set log_min_duration_statement = 0",
              role => 'postgres');
$t->start;

my ($alice, $bob, $carol) = map { $t->uuid($_) } qw( alice bob carol );

$t->sql("insert into users (id) values ('$alice'), ('$bob'), ('$carol')");


sub conversation {
    my ($from, $to) = @_;

    return $t->post('/api/chat/conversations', token => $t->token($from),
                    json => { participantId => $to })->{json}{data}{id};
}


sub status { $t->get('/status')->{json} }


# but for the worker that looks for jobs every few seconds

sub queries {
    local (@ARGV, $/) = $t->{pg}->dir . '/postgres.log';

    return scalar grep { !/^(?:jobs_|purge)/ }
                  <> =~ /duration: \S+ ms  execute realtime_(\w+)/g;
}


# [isTyping, ...] of what a socket heard about it

sub heard {
    my ($c, $timeout) = @_;

    return [map { $_->[1]{isTyping} ? 1 : 0 }
            grep { $_->[0] eq 'user_typing' } $c->events($timeout // 0.3)];
}


my $chat = conversation($alice, $bob);
my $other = conversation($alice, $carol);

my @alice = map { $t->connect($alice) } 1 .. 3;
my @bob = map { $t->connect(uc $bob) } 1 .. 6;
my @carol = map { $t->connect($carol) } 1 .. 3;

my $a = $alice[0];

my %on = (conversationId => $chat, isTyping => JSON::PP::true);
my %off = (conversationId => $chat, isTyping => JSON::PP::false);


# -- to whom

is_deeply($a->ask(typing => { %on }),
          { status => 'success', data => { isTyping => JSON::PP::true } },
          'an ack');

for my $i (0 .. $#bob) {
    my $told = $bob[$i]->event('user_typing');
    like(delete $told->{timestamp}, qr/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/,
         "socket $i of the other participant: a time");
    is_deeply($told, { userId => $alice, conversationId => $chat,
                       isTyping => JSON::PP::true }, 'and who, and where');
}

is_deeply(heard($_), [], 'not to the own sockets') for @alice;
is_deeply(heard($_), [], 'not to somebody else') for @carol;

$a->emit(typing => { %off });
is_deeply(heard($bob[0]), [0], 'and that it ended');
$_->events(0.1) for @bob;

is_deeply($carol[0]->ask(typing => { %on }),
          { status => 'error', code => 'conversation_not_found',
            message => 'Conversation not found' }, 'a stranger');
is($carol[0]->ask(typing => { %on })->{code}, 'conversation_not_found',
   'a stranger again');
is_deeply(heard($_), [], 'is not passed on') for @bob[0, 1], $a;


# -- not at every key, and without Postgres

my $queries = queries();

$a->emit(typing => { %on }) for 1 .. 20;
is_deeply(heard($bob[0]), [1], 'twenty keys are one event');

$a->emit(typing => { %off }) for 1 .. 5;
is_deeply(heard($bob[0]), [0], 'it ends once');

$a->emit(typing => { %off });
is_deeply(heard($bob[0]), [], 'and not if it did not begin');

$a->emit(typing => { %on });
is_deeply(heard($bob[0]), [1], 'it begins again at once');

sleep 2.1;
$a->emit(typing => { %on }) for 1 .. 3;
is_deeply(heard($bob[0]), [1], 'two seconds later it is repeated');
is(queries(), $queries, 'none of it has asked Postgres');


# -- it ends by itself

my $ends = $bob[0]->event('user_typing', 15);
ok($ends && !$ends->{isTyping}, 'it ends without another key');

$a->emit(typing => { %on });
my $began = $bob[0]->event('user_typing');
sleep 4;
$a->emit(typing => { %on });
my $renewed = $bob[0]->event('user_typing');
$ends = $bob[0]->event('user_typing', 15);

is_deeply([map { $_->{isTyping} ? 1 : 0 } $began, $renewed, $ends],
          [1, 1, 0], 'renewed, and then it ends');
cmp_ok(ms($ends) - ms($renewed), '>=', 6000,
       'six seconds after the last key, and not after the first');

for (['who drops the connection', sub { $_[0]->drop }],
     ['who says goodbye', sub { $_[0]->close }],
     ['who leaves the namespace', sub { $_[0]->ws->send('41') }])
{
    my ($name, $leave) = @$_;

    my $c = $t->connect($alice);
    $c->ask(typing => { %on });
    $bob[0]->event('user_typing');
    $leave->($c);
    $ends = $bob[0]->event('user_typing', 3);
    ok($ends && !$ends->{isTyping}, "$name types no more");
}

$a->ask(typing => { conversationId => $_, isTyping => JSON::PP::true })
    for $chat, $other;
is_deeply(heard($bob[0]), [1], 'two conversations at a time: the one');
is_deeply(heard($carol[0]), [1], 'and the other');
$a->ask(typing => { conversationId => $_, isTyping => JSON::PP::false })
    for $chat, $other;
is_deeply([heard($bob[0]), heard($carol[0])], [[0], [0]], 'both end');


# -- more conversations than a person has hands

my @many = map { my $id = $t->uuid("many $_");
                 $t->sql("insert into users (id) values ('$id')");
                 conversation($alice, $id) } 1 .. 8;

$a->ask(typing => { conversationId => $_, isTyping => JSON::PP::true })
    for $chat, @many;
is_deeply(heard($bob[0]), [1, 0], 'the ninth ends the first');
$a->ask(typing => { conversationId => $_, isTyping => JSON::PP::false })
    for @many;


# -- who was away does not want it

my $away = $t->connect($bob);
$away->event('connected');
$away->drop;
$a->ask(typing => { %on });
$a->ask(typing => { %off });
my $back = $t->connect($bob, auth => { $away->past });
is($back->sid, $away->sid, 'the same socket comes back');
is_deeply(heard($back), [], 'typing is not kept for it');
$back->close;


# -- a conversation that is deleted

my $gone = conversation($bob, $t->uuid('many 1'));
my @both = map { { conversationId => $gone, isTyping => $_ } }
               JSON::PP::true, JSON::PP::false;

is($_->ask(typing => $both[0])->{status}, 'success', 'it is there')
    for @bob;
is($t->http(DELETE => "/api/chat/conversations/$gone",
            token => $t->token($bob))->{status}, 200, 'it is deleted');
is($_->ask(typing => $both[0])->{code}, 'conversation_not_found',
   'every worker has forgotten who took part') for @bob;
$_->events(0.1) for @bob;


# -- Postgres is away

$_->events(0.1) for @bob;
my $new = conversation($bob, $carol);
$bob[0]->ask(typing => { %on });
$a->events(0.1);
$t->pg_stop('immediate');

is($a->ask(typing => { %on })->{status}, 'success',
   'without Postgres typing goes on');
is_deeply(heard($bob[0]), [1], 'and arrives');

my $ack = $carol[0]->ask(typing => { conversationId => $new,
                                     isTyping => JSON::PP::true });
is_deeply([@$ack{qw( status code retryAfter )}], ['error', 'unavailable', 1],
          'but not where it is not known who may');

$t->pg_start;


# -- the stock clients

for my $transport (qw( websocket polling )) {
    my $node = $t->node('client.js', $t->url,
                        Test::Realtime::encode({
                            auth => { token => $t->token($bob) },
                            transports => [$transport] }));
    $node->wait_line(sub { ($_[0]{event} // '') eq 'connected' });
    $a->emit(typing => { %off });
    $a->emit(typing => { %on });

    my $line = $node->wait_line(sub { ($_[0]{event} // '') eq 'user_typing'
                                      && $_[0]{args}[0]{isTyping} });
    is_deeply([@{$line->{args}[0]}{qw( userId conversationId )}],
              [$alice, $chat], "the stock client hears it by $transport");

    $bob[0]->events(0.1);

    # each worker has its own time to find Postgres again

    ok(Test::Realtime::wait_for(20, sub {
        $node->send({ ask => ['typing', { %on }] });

        return $node->wait_line(sub { $_[0]{ack} })->{ack}[0]{status}
               eq 'success';
    }), 'and says it');
    my $told = $a->event('user_typing');
    is($told->{userId}, $bob, 'to the other one');
    $node->send({ do => 'disconnect' });
    $node->stop;
}

is(status()->{bus_gaps}, 0, 'nothing was lost on the bus');

done_testing();


sub ms {
    my ($told) = @_;

    my ($h, $m, $s, $ms) = $told->{timestamp} =~ /T(\d+):(\d+):(\d+)\.(\d+)Z/
        or die;

    return ((($h * 60 + $m) * 60 + $s) * 1000 + $ms)
           + ($h < 1 ? 86400_000 : 0);
}
