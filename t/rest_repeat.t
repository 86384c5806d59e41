#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A client id makes a send repeatable: one row, one delivery, the same answer,
# also when all repeats come at once.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(database => 1, workers => 2)->start;

my ($alice, $bob, $carol) = map { $t->uuid($_) } qw( alice bob carol );

$t->sql("insert into users (id) values ('$alice'), ('$bob'), ('$carol')");

my $base = '/api/chat/conversations';
my %token = map { $_ => $t->token($_) } $alice, $bob, $carol;


sub conversation {
    my ($who, $with) = @_;

    return $t->post($base, token => $token{$who},
                    json => { participantId => $with });
}


sub send_message {
    my ($who, $id, %o) = @_;

    my $key = delete $o{key};

    return $t->post("$base/$id/messages", token => $token{$who}, json => \%o,
                    headers => { 'Idempotency-Key' => $key });
}


# n requests on the wire before the first answer is read

sub at_once {
    my ($n, $path, $token, $body) = @_;

    my @sockets = map { $t->tcp } 1 .. $n;

    syswrite $_, join "\r\n", "POST $path HTTP/1.1", 'Host: localhost',
        'Connection: close', "Authorization: Bearer $token",
        'Content-Type: application/json', 'Content-Length: ' . length $body,
        '', $body
        for @sockets;

    return map { local $/; Test::Realtime::parse_response(scalar <$_>) }
           @sockets;
}


my $id = conversation($alice, $bob)->{json}{data}{id};
my $other = conversation($alice, $carol)->{json}{data}{id};
my $phone = $t->connect($bob);

my $first = send_message($alice, $id, content => 'one', clientId => 'c1');
my $again = send_message($alice, $id, content => 'one', clientId => 'c1');

is($first->{status}, 201, 'a send');
is($again->{status}, 200, 'its repeat');
is_deeply($again->{json}{data}, $first->{json}{data}, 'gives the row');
is(send_message($alice, $id, content => 'two', clientId => 'c1')
   ->{json}{data}{content}, 'one', 'whatever it says now');
is(send_message($alice, $id, content => 'one', key => 'c1')
   ->{json}{data}{id}, $first->{json}{data}{id}, 'so does the header');
is(send_message($alice, $id, content => 'x', key => 'c2', clientId => 'c1')
   ->{json}{data}{id}, $first->{json}{data}{id}, 'the body decides');
is(send_message($alice, $id, content => 'x', key => "\xff")->{status}, 400,
   'a header that is no text');

$again = send_message($alice, $other, content => 'one', clientId => 'c1');

is($again->{status}, 409, 'not in another conversation');
is($again->{json}{code}, 'conflict', 'which has a code');
is(send_message($bob, $id, content => 'one', clientId => 'c1')->{status},
   201, 'ids of another sender are others');

is($phone->event('message', 2)->{clientId}, 'c1', 'delivered');
is($phone->event('message', 0.3), undef, 'once');

my %n;
my @all = at_once(50, "$base/$id/messages", $token{$alice},
                  '{"content":"storm","clientId":"c3"}');

$n{$_->{status}}++ for @all;

is_deeply(\%n, { 201 => 1, 200 => 49 }, '50 at once: one is new');
is(scalar(keys %{{ map { $_->{json}{data}{id} => 1 } @all }}), 1, 'one id');
is($t->sql("select count(*) from realtime.messages
            where content = 'storm'"), 1, 'one row');
is($phone->event('message', 2)->{content}, 'storm', 'delivered');
is($phone->event('message', 0.3), undef, 'once');

%n = ();
@all = at_once(50, "$base/$id/messages", $token{$alice},
               '{"content":"ok"}');

$n{$_->{status}}++ for @all;

is_deeply(\%n, { 201 => 50 }, 'without an id each is a message');

%n = ();
@all = (at_once(20, $base, $token{$bob}, "{\"participantId\":\"$carol\"}"),
        at_once(20, $base, $token{$carol}, "{\"participantId\":\"$bob\"}"));

$n{$_->{status}}++ for @all;

is_deeply(\%n, { 201 => 1, 200 => 39 }, 'a pair has one conversation');
is(scalar(keys %{{ map { $_->{json}{data}{id} => 1 } @all }}), 1, 'one id');

done_testing();
