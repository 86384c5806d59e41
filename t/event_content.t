#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# What a socket sends is stored and delivered as it was written, at the very
# limits too, and once for each clientId.

use strict;
use warnings;
use utf8;

use Digest::MD5 qw( md5_hex );
use Encode qw( encode_utf8 );
use JSON::PP;
use Test::More;

use lib 't/lib';
use Test::Realtime;

binmode Test::More->builder->$_, ':utf8' for qw( output failure_output );

my $t = Test::Realtime->new(database => 1)->start;

my ($alice, $bob, $carol) = map { $t->uuid($_) } qw( alice bob carol );

$t->sql("insert into users (id) values ('$alice'), ('$bob'), ('$carol')");


sub conversation {
    my ($to) = @_;

    return $t->post('/api/chat/conversations', token => $t->token($alice),
                    json => { participantId => $to })->{json}{data}{id};
}


my $chat = conversation($bob);
my $second = conversation($carol);

my $client = $t->connect($alice);
my $twin = $t->connect($alice);
my $peer = $t->connect($bob);
my %stored;


sub message {
    my ($content, %o) = @_;

    return (message => { conversationId => $chat, recipientId => $bob,
                         message => $content, %o });
}


sub message_send {
    my ($content, %o) = @_;

    return (message_send => { conversationId => $chat, content => $content,
                              %o });
}


sub rows {
    return $t->sql('select count(*) from realtime.messages where '
                   . "client_id = '$_[0]'");
}


for (
    ['x'], ['10000', 'x' x 10000], ['10000 wide ones', '😀' x 10000],
    ['10000 within white space', "\x{2003} \n" . 'é' x 10000 . " \t\x{feff}",
     'é' x 10000],
    ['HTML', q(<script>alert("&lt;'")</script><!-- ]]>)],
    ['SQL', q('; drop table realtime.messages; -- \ $1 %s)],
    ['escapes', '\u0041 \n \\ " / \x41'],
    ['control characters', "a\x01\x08\x0b\x1b[31m\x7f\x{80}\x{85}b"],
    ['line separators', "a\x{2028}b\x{2029}c\r\nd"],
    ['right to left', "\x{202e}שלום\x{200f}"],
    ['combining', "e\x{301}\x{200d}" . "\x{300}" x 1000],
    ['non-characters', "\x{fffe}\x{ffff}\x{10ffff}\x{fffd}"],
    ['JSON', '42["message",{}]'], ['a format', '%s%n%V%*s'],
) {
    my ($name, $content, $as) = @$_;

    $content //= $name;
    $as //= $content;

    for my $event (\&message, \&message_send) {
        my @event = $event->($content);
        my $ack = $client->ask(@event);
        my $row = $ack->{data};

        $stored{$row->{id}} = md5_hex(encode_utf8($as));

        my $got = $peer->event('message');
        my $sent = $twin->event('message_sent');

        is($row->{content}, $as, "$event[0]: $name");
        is_deeply([@$got{qw( content message id senderId )}],
                  [$as, $as, $row->{id}, $alice],
                  "$event[0]: $name, to the recipient");
        is_deeply($sent, $got, "$event[0]: $name, to the other socket");
    }
}

is_deeply({ map { split ' ' } split /\n/, $t->sql(
    "select id || ' ' || md5(content) from realtime.messages") }, \%stored,
    'all of it is in the table as it was written');

# what is not looked at does not matter

is($client->ask(message_send('x', more => [1e30, { a => undef }],
                             recipientId => {}))->{status}, 'success',
   'keys that nobody asked for');
is($client->ask(message_send('x'), 'more', [])->{status}, 'success',
   'arguments that nobody asked for');
is($client->ask(message_send('x', clientId => undef))->{status}, 'success',
   'clientId null is none');

$client->ws->send('4277["message_send",{"content":"a","content":"b",'
                  . qq("conversationId":"$chat"}]));
is($client->ack(77)->{data}{content}, 'b', 'the last of two keys');

$_->events(0.3) for $peer, $twin;

# a clientId stores once

my @ids = map { $client->emit_ack(message_send('once', clientId => $_)) }
              ('a') x 5;
my @rows = map { $client->ack($_)->{data} } @ids;

is_deeply(\@rows, [($rows[0]) x 5], 'five at once are one row');
is(rows('a'), 1, 'in the table too');

# by now its mark may have been made

is_deeply({ %{$client->ask(message('again', clientId => 'a'))->{data}},
            delivered_at => undef }, $rows[0],
          'under the other name too, with another text');
is(grep({ $_->[0] eq 'message' } $peer->events(0.3)), 1, 'delivered once');
is(grep({ $_->[0] eq 'message_sent' } $twin->events(0.3)), 1,
   'to the other socket too');

for my $id ('é' x 128, '😀' x 128, q('";<b>), ' ', "\n") {
    my $row = $client->ask(message_send('x', clientId => $id))->{data};

    is($row->{client_id}, $id, 'clientId ' . encode_json([$id]));
    is($peer->event('message')->{clientId}, $id, 'and the recipient sees it');
}

is_deeply($client->ask(message_send => { conversationId => $second,
                                         content => 'x', clientId => 'a' }),
          { status => 'error', code => 'conflict',
            message => 'This id is in use for another message' },
          'a clientId of another conversation');

# clients that do not wait

sub raw { Test::Realtime::WebSocket->encode(payload => $_[0]) }


my $left = '420' . Test::Realtime::encode([message_send('y',
                                                        clientId => 'left')]);
my $ws = $t->connect($alice)->ws;

$ws->raw(raw($left) . raw('41')
         . raw('40' . Test::Realtime::encode({ token => $t->token($bob) })));

my @got = grep { !/^42\["presence/ }
          map { my $f = $ws->recv(0.5); $f ? $f->{payload} : () } 1 .. 8;

like($got[0], qr/^42\["connected"/, 'an event and DISCONNECT');
like($got[1], qr/^40/, 'then another user');
like($got[2], qr/^42\["connected"/, 'who is welcome');
like($got[3], qr/^42\["message",.*"y"/, 'and gets the message');
is(scalar @got, 4, 'but not the ack');
is(rows('left'), 1, 'the message is stored');

for my $i (1 .. 5) {
    my $c = $t->connect($alice);

    # with unread data a close would be a reset, and take ours along
    $c->event('connected');
    $c->ws->raw(raw($left =~ s/"left"/"gone$i"/r));
    $c->ws->abort;
}

ok(Test::Realtime::wait_for(5, sub {
    $t->sql("select count(*) from realtime.messages where client_id like "
            . "'gone%'") == 5 }), 'clients that left at once');
is($peer->ask('nothing')->{code}, 'event_unknown', 'and the worker goes on');

done_testing();
