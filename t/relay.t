#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# realtime_message_relay without a database: "message" is checked and passed
# on, and what would need Postgres says so.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => 2, server => <<'EOT');
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
            realtime_message_relay on;
        }

        location /status {
            realtime_status json;
        }
EOT

$t->start;

my ($a, $a2, $b, $c) = map { $t->connect($_) } qw( ann ann ben cas );

my $ack = $a->ask('message', { recipientId => 'ben', message => ' hi <i> ',
                               conversationId => 'c1', clientId => 'k' });

is($ack->{status}, 'success', 'relayed');

my $m = $b->event('message');

is_deeply([@$m{qw( senderId message content conversationId clientId id )}],
          ['ann', 'hi <i>', 'hi <i>', 'c1', 'k', $ack->{data}{id}],
          'the recipient has it, trimmed');
is($a2->event('message_sent')->{id}, $ack->{data}{id},
   'and the other socket of the sender');
is_deeply([grep { $_->[0] ne 'connected' } $c->events], [],
          'and nobody else');

is($a->ask('message', { recipientId => '', message => 'x',
                        conversationId => 'c1' })->{code},
   'recipient_invalid', 'no recipient');

is($a->ask('message_send', { conversationId => $t->uuid('c'),
                             content => 'x', clientId => 'k' })->{code},
   'unavailable', 'message_send cannot be stored, and says so');

is($t->get('/status')->{json}{relayed}, 1, 'it is counted');

done_testing();
