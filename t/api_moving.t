#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A session that is just moving to another worker, because its client upgrades
# to a WebSocket, is neither overlooked when its user is disconnected nor when
# its token is revoked, nor counted twice.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw( sleep );

use lib 't/lib';
use Test::Realtime;

my $clients = 12;
my $rounds = $ENV{TEST_ROUNDS} // 12;

my $t = Test::Realtime->new(workers => $ENV{TEST_WORKERS} // 4,
                            server => <<'EOT')->start;
        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_max_connections_per_user 0;

        location /socket.io/ {
            realtime_socket;
        }

        location /realtime/api/ {
            realtime_api;
            realtime_api_access nginx;
        }
EOT

my $node = $t->node('moving.js', $t->url, $clients);

my (@late, @twice, @overlooked, %reasons);

for my $round (1 .. $rounds) {
    my $user = "user$round";
    my $revoke = $round % 2;
    my %here;

    $node->send({ token => $t->token($user, jti => "jti$round") });

    # some have connected, others have not

    heard(\%here, $node->line(10)) until keys %here >= 3;
    sleep 0.003 * ($round % 6);

    my $connections = $t->get("/realtime/api/users/$user")
                        ->{json}{data}{connections};
    my %sid = map { $_->{socketId} => 1 } @$connections;

    push @twice, $round if keys %sid != @$connections;

    heard(\%here, $_) while $_ = $node->line(0);

    my %before = %here;
    my $r = $revoke
            ? $t->post('/realtime/api/tokens/revoke',
                       json => { jti => "jti$round" })
            : $t->post("/realtime/api/users/$user/disconnect", json => {});

    push @late, $round if $r->{status} !~ /^20[02]$/;

    my $gone = Test::Realtime::wait_for(8, sub {
        my $line = $node->line(0.1);

        heard(\%here, $line) if $line;

        return !grep { $here{$_} } keys %before;
    });

    push @overlooked, "$round: " . join ',', grep { $here{$_} } keys %before
        if !$gone;

    $node->send({ end => 1 });

    while (my $line = $node->line(5)) {
        last if $line->{ended};
    }
}

is_deeply(\@late, [], 'each call was answered');
is_deeply(\@twice, [], 'no socket was counted twice');
is_deeply(\@overlooked, [], 'none was overlooked');
ok($reasons{'io server disconnect'}, 'most knew who ended it')
    or diag(explain(\%reasons));

done_testing();


sub heard {
    my ($here, $line) = @_;

    if (defined $line->{connect}) {
        $here->{$line->{connect}} = 1;

    } elsif (defined $line->{disconnect}) {
        $here->{$line->{disconnect}} = 0;
        $reasons{$line->{reason}}++;
    }
}
