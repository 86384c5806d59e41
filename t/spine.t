#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# The road from end to end: stock clients on different workers, a message
# stored before it is acknowledged, and everybody who should see it does.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

# a listening socket per worker spreads the clients over both

my $t = Test::Realtime->new(database => 1, workers => 2, server => <<'EOT');
        listen 127.0.0.1:%%PORT2%% reuseport;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
        }

        location /api/chat/ {
            realtime_chat;
        }
EOT

$t->start;

my ($alice, $bob, $carol) = map { $t->uuid($_) } qw( alice bob carol );

$t->sql("insert into users (id) values ('$alice'), ('$bob'), ('$carol')");

my $made = $t->post('/api/chat/conversations', token => $t->token($alice),
                    json => { participantId => $bob });
my $id = $made->{json}{data}{id};

is($made->{status}, 201, 'a conversation is made');


# Stock clients until there is one of Alice's and one of Bob's on each worker;
# the log says which slot took a socket.

my %on;

for my $user ($alice, $bob) {
    for (1 .. 40) {
        my $node = $t->node('client.js', 'http://127.0.0.1:' . $t->port2,
                            Test::Realtime::encode(
                                { auth => { token => $t->token($user) } }));
        my $hello = $node->wait_line(sub { ($_[0]{event} // '')
                                           eq 'connected' });

        my $sid = $hello->{args}[0]{socketId};

        $t->wait_log(qr/socket: "\Q$sid\E"/);

        my ($slot) = $t->log =~ /socket: "\Q$sid\E", slot: (\d+)/;

        if ($on{$user}{$slot}) {
            $node->stop;

        } else {
            $on{$user}{$slot} = $node;
            is($hello->{args}[0]{userId}, $user, "connected, slot $slot");
        }

        last if keys %{$on{$user}} == 2;
    }

    is(scalar keys %{$on{$user}}, 2, 'a socket of the user on each worker');
}

my ($here, $there) = sort keys %{$on{$alice}};


# from each worker to each worker

my $n = 0;

for my $slot ($here, $there) {

    my $sender = $on{$alice}{$slot};
    my $client_id = 'spine-' . ++$n;
    my $text = "hello $n <b>&\x{2028}\x{1f600}";

    $sender->send({ ask => ['message_send',
        { conversationId => $id, content => "  $text ",
          clientId => $client_id }] });

    my $row = $sender->wait_line(sub { $_[0]{ack} })->{ack}[0];

    is($row->{status}, 'success', "acknowledged on slot $slot");
    is($row->{data}{content}, $text, 'the stored row is in the ack, trimmed');

    # by the time of the ack it is committed

    is($t->sql("select sender_id from realtime.messages
                where id = '$row->{data}{id}'"), $alice, 'and in Postgres');

    for my $to ($here, $there) {
        my $got = $on{$bob}{$to}->wait_line(sub { ($_[0]{event} // '')
                                                  eq 'message' });
        my $m = $got->{args}[0];

        is_deeply([@$m{qw( id senderId content message conversationId
                           clientId )}],
                  [$row->{data}{id}, $alice, $text, $text, $id, $client_id],
                  "from slot $slot to the other person on slot $to");
        like($m->{timestamp}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
             'with a timestamp');
    }

    my $other = $on{$alice}{$slot == $here ? $there : $here};
    my $sent = $other->wait_line(sub { ($_[0]{event} // '')
                                       eq 'message_sent' });

    is($sent->{args}[0]{id}, $row->{data}{id},
       'and to the other socket of the sender');

    ok(!$sender->wait_line(sub { ($_[0]{event} // '')
                                       =~ /^message(?:_sent)?\z/ }, 0.3),
       'the sending socket has the ack and nothing else');
}


# the same path under the name of the published widget

$on{$alice}{$here}->send({ emit => ['message',
    { recipientId => $bob, conversationId => $id, message => 'legacy' }] });

my $legacy = $on{$bob}{$there}->wait_line(sub { ($_[0]{event} // '')
                                                eq 'message' });

is($legacy->{args}[0]{content}, 'legacy', '"message" without an ack');


# REST sends, sockets receive; REST reads what sockets sent

my $rest = $t->post("/api/chat/conversations/$id/messages",
                    token => $t->token($bob), json => { content => 'by REST' });

is($rest->{status}, 201, 'a message by REST');

for my $slot ($here, $there) {
    my $got = $on{$alice}{$slot}->wait_line(sub { ($_[0]{event} // '')
                                                  eq 'message' });
    is($got->{args}[0]{content}, 'by REST', "reaches the socket on $slot");
}

my $page = $t->get("/api/chat/conversations/$id/messages",
                   token => $t->token($alice));

is(scalar @{$page->{json}{data}}, 4, 'the history has all four');
is($page->{json}{data}[2]{content}, 'legacy', 'in their order');


# nobody else

my $stranger = $t->connect($carol);

my ($no) = $stranger->ask('message_send',
    { conversationId => $id, content => 'let me in', clientId => 'x' });

is($no->{code}, 'conversation_not_found', 'a stranger cannot write');

$on{$alice}{$here}->send({ ask => ['message_send',
    { conversationId => $id, content => 'secret', clientId => 'y' }] });
$on{$alice}{$here}->wait_line(sub { $_[0]{ack} });

is_deeply([grep { $_->[0] !~ /^(?:connected|presence_state)$/ }
           $stranger->events(0.5)], [],
          'and hears nothing');

done_testing();
