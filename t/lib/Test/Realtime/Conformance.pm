package Test::Realtime::Conformance;

# Copyright (C) ngx_realtime contributors

# The same script of t/node against the reference server and against nginx
# with 1 and with 4 workers: each case has to end in the same way.  Where it
# may not, the test says so: differs => { case => [ours, why] }.
#
# A pong is due in 200 ms, which a busy machine does not always leave to a
# client: what did not end in the same way gets another chance.

use strict;
use warnings;

use Test::More;
use Test::Realtime;


sub verdicts {
    my ($node) = @_;

    my %v;

    while (defined(my $line = $node->line(60))) {
        $v{$line->{case}} = ref $line->{verdict}
                            ? Test::Realtime::encode($line->{verdict})
                            : $line->{verdict};
    }

    return \%v;
}


sub expected {
    my ($case, $theirs, $differs) = @_;

    return @{$differs->{$case} // [$theirs->{$case}, '']};
}


sub same {
    my ($case, $theirs, $differs, @ours) = @_;

    my ($expect) = expected($case, $theirs, $differs);

    return !grep { ($_->{$case} // '') ne $expect } @ours;
}


sub run {
    my ($class, $kind, $script, %o) = @_;

    my $differs = $o{differs} // {};

    my @nginx = map {
        Test::Realtime->new(workers => $_, server => <<"EOT")->start;
        listen 127.0.0.1:%%PORT2%% reuseport;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /$kind/ {
            realtime_socket echo=$kind;
            realtime_namespaces /custom;
            realtime_ping_interval 300ms;
            realtime_ping_timeout 200ms;
            realtime_connect_timeout 1s;
            realtime_max_payload 1000000;
        }

        location /status {
            realtime_status json;
        }
EOT
    } 1, 4;

    my $reference = $nginx[0]->node('reference.js', $kind);
    my $port = $reference->line->{port};

    my @urls = map { "http://127.0.0.1:$_/$kind/" }
               $port, map { $_->port2 } @nginx;

    my ($theirs, @ours) = ({}, {}, {});
    my @again;

    for (1 .. 10) {
        my @nodes = map { $nginx[0]->node($script, $_, @again) } @urls;

        for my $v ($theirs, @ours) {
            my $new = verdicts(shift @nodes);
            @$v{keys %$new} = values %$new;
        }

        @again = grep { !same($_, $theirs, $differs, @ours) } keys %$theirs;

        last unless @again;
    }

    ok(keys %$theirs, 'the script ran');

    for my $case (sort keys %$theirs) {
        my ($expect, $why) = expected($case, $theirs, $differs);

        is_deeply([map { $_->{$case} // 'not run' } @ours],
                  [$expect, $expect], $case . ($why && " ($why)"));
    }

    for my $nginx (@nginx) {
        ok(Test::Realtime::wait_for(13, sub {
            my $s = $nginx->get('/status')->{json};
            $s->{connections} == 0 && $s->{sockets} == 0;
        }), "$nginx->{workers} workers: no session is left");
    }
}


1;
