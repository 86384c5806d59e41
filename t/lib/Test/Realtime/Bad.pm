package Test::Realtime::Bad;

# Copyright (C) ngx_realtime contributors

# What has to be true of every bad input, as one assertion:
#
#     my $bad = Test::Realtime::Bad->new($t, sub { a good client's answer });
#
#     $bad->case($name, $answer, 'protocol_errors', 'WebSocket refused: ...',
#                sub { sends it and returns the answer });
#
# - the answer is the one that is named;
# - the counter went up by one, or each of a list of them, and no other
#   counter of errors moved;
# - the error log has one line more, of the level info and with this text;
# - the worker is the same process as before;
# - a client that did nothing wrong gets its answer.
#
# Without a counter and a line the input is a good one, and must leave none.

use strict;
use warnings;

use Test::More ();

my @ERRORS = qw( handshakes_refused auth_refused connects_refused
                 protocol_errors events_refused connect_timeouts
                 ping_timeouts slow_consumers );


sub new {
    my ($class, $t, $good) = @_;

    my $self = bless { t => $t, good => $good }, $class;

    $self->{answer} = $good->();
    $self->{status} = $self->status;
    $self->lines;

    return $self;
}


sub case {
    my ($self, $name, $answer, $counter, $line, $send) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my %got = (answer => eval { $send->() } // $@);
    my @counters = ref $counter ? @$counter : $counter // ();
    my %expected = (answer => $answer, lines => defined $line ? [$line] : [],
                    counters => { map { $_ => 1 } @counters },
                    worker => $self->{status}{slots}[0]{pid},
                    other => $self->{answer});

    $got{other} = eval { $self->{good}->() } // $@;

    my $before = $self->{status};
    my $after = $self->{status} = $self->status;

    for my $c (@ERRORS) {
        my $moved = $after->{$c} - $before->{$c};
        $got{counters}{$c} = $moved if $moved;
    }

    $got{counters} //= {};
    $got{worker} = $after->{slots}[0]{pid};
    $got{lines} = [$self->lines];

    Test::More::is_deeply(\%got, \%expected, $name);
}


sub status {
    my ($self) = @_;

    return $self->{t}->get('/status')->{json} // die "no status\n";
}


# New lines about clients: that they come and go is not counted, and where
# the shape is not that of every refusal, the whole line is returned.

sub lines {
    my ($self) = @_;

    my $log = substr $self->{t}->log, $self->{at} // 0;

    $self->{at} += length $log;

    return map { /\[info\] .* realtime: (.*), user: ".*", socket: ".*"/
                 ? $1 : $_ }
           grep { /realtime: / && !/realtime: (?:dis)?connected[,:]/ }
           split /\n/, $log;
}


1;
