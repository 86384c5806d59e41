#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A message that was committed although its sender was told "unavailable", or
# nothing because the worker died, reaches the others with the retry, once.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(database => 1, workers => 2, http => <<'EOT');
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=1 timeout=1s;
EOT

$t->allow(qr/exited on signal 9/)->start;

my ($alice, $bob) = map { $t->uuid($_) } qw( alice bob );
my $base = '/api/chat/conversations';
my $token = $t->token($alice);
my @stopped;

$t->sql("insert into users (id) values ('$alice'), ('$bob')");

my $id = $t->post($base, token => $token, json => { participantId => $bob })
           ->{json}{data}{id};


# a Postgres that takes what it is sent, and does nothing about it yet

sub freeze {
    @stopped = $t->sql("select pid from pg_stat_activity
                        where application_name = 'ngx_realtime'");
    kill STOP => @stopped;
}


sub thaw {
    my ($client_id) = @_;

    kill CONT => splice @stopped;

    return Test::Realtime::wait_for(5, sub {
        $t->sql("select count(*) from realtime.messages
                 where client_id = '$client_id'") == 1
    });
}


sub message {
    my ($client_id) = @_;

    return { conversationId => $id, content => $client_id,
             clientId => $client_id };
}


# until there is an answer: its connections have to come back first

sub again {
    my ($client, $client_id) = @_;
    my $ack;

    Test::Realtime::wait_for(10, sub {
        ($ack) = $client->ask('message_send', message($client_id));
        ($ack->{status} // '') eq 'success';
    });

    return $ack;
}


sub heard {
    my ($client, $event) = @_;

    return [map { $_->[1]{clientId} }
            grep { $_->[0] eq $event } $client->events(0.5)];
}


my $phone = $t->connect($alice);
my $tablet = $t->connect($alice);
my $to = $t->connect($bob);

again($phone, 'first');
is_deeply(heard($to, 'message'), ['first'], 'all is well');
is_deeply(heard($tablet, 'message_sent'), ['first'], 'on both sides');

freeze();

my ($ack) = $phone->ask('message_send', message('late'));

is($ack->{code}, 'unavailable', 'Postgres does not answer in time');
ok(thaw('late'), 'but it stores the message');
is_deeply(heard($to, 'message'), [], 'of which nobody knows');

$ack = again($tablet, 'late');
is($ack->{data}{client_id}, 'late', 'the retry gets the row');
is_deeply(heard($to, 'message'), ['late'], 'and delivers it');
is_deeply(heard($phone, 'message_sent'), ['late'], 'to both sides');

again($tablet, 'late');
is_deeply(heard($to, 'message'), [], 'once');

# refused before it was sent, so the retry makes it

$t->pg_stop;
($ack) = $phone->ask('message_send', message('away')) for 1 .. 3;
is($ack->{code}, 'unavailable', 'without Postgres');
$t->pg_start;
again($phone, 'away');
is_deeply(heard($to, 'message'), ['away'], 'a retry that stores delivers');
is_deeply(heard($tablet, 'message_sent'), ['away'], 'to both sides');

# the worker dies between the send and the answer

for my $n (1 .. 4) {
    my ($slot) = $t->log =~ /socket: "\Q@{[$phone->sid]}\E", slot: (\d)/;
    my ($its) = grep { $_->{slot} == $slot }
                @{$t->get('/status')->{json}{slots}};
    my ($to_slot) = $t->log =~ /socket: "\Q@{[$to->sid]}\E", slot: (\d)/;

    # Bob is to stay, at the other one

    if ($slot == $to_slot) {
        $phone->close;
        $phone = $t->connect($alice);
        $t->wait_log(qr/socket: "\Q@{[$phone->sid]}\E", slot: \d/);
        redo;
    }

    freeze();
    $phone->emit_ack('message_send', message("killed $n"));
    select undef, undef, undef, 0.1;
    kill KILL => $its->{pid};

    Test::Realtime::wait_for(5, sub { !grep { $_ == $its->{pid} }
                                      $t->children });
    ok(thaw("killed $n"), 'the worker dies, and its message is stored');

    $phone = $t->connect($alice);
    again($phone, "killed $n");
    $to->ws->raw('');
    is_deeply(heard($to, 'message'), ["killed $n"], 'the retry delivers it');
    again($phone, "killed $n");
    is_deeply(heard($to, 'message'), [], 'once');
}

done_testing();


END { kill CONT => @stopped if @stopped }
