#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Who loses the network under heavy traffic from two workers comes back and
# gets no event twice, and none too late, although the list of what was sent
# to the socket has forgotten the older ones and the order in which events are
# sent is not quite that of the history.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::Traffic;

my $rounds = $ENV{TEST_ROUNDS} // 25;

my $t = Test::Realtime->new(database => 1, workers => 2,
                            http => <<'EOT', server => <<'EOT');
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=2 timeout=5s;
EOT
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

my $traffic = Test::Realtime::Traffic->new($t, senders => 8, recover => 1);
my $acked = $traffic->acked;

# more than a list has

ok($traffic->run(sub { keys %$acked > 300 }), 'traffic');

for my $round (1 .. $rounds) {
    my $before = keys %$acked;

    $traffic->drop($_) for $traffic->receivers;
    $traffic->run(sub { keys %$acked > $before + 60 });
}

ok($traffic->finish, 'everything is acknowledged');

$traffic->run(sub {
    !grep { @{$_->{got}} < keys %$acked } $traffic->receivers
}, 5);

for my $r ($traffic->receivers) {
    my %times;

    $times{$_->{clientId}}++ for grep { !$_->{fetched} } @{$r->{got}};

    is_deeply([grep { $times{$_} > 1 } sort keys %times], [],
              'no event twice');
    is_deeply([grep { !$times{$_} } sort keys %$acked], [], 'and none missing')
        unless $r->{fetched};
    cmp_ok($r->{recovered}, '>=', $rounds / 2, 'it came back as the same one');
}

done_testing();
