package Test::Realtime::Node;

# Copyright (C) ngx_realtime contributors

# A Node.js script of t/node: a stock client as a child process.  It prints
# one JSON value per line, and may read such lines.

use strict;
use warnings;

use IO::Select;
use IPC::Open2;
use JSON::PP;
use POSIX qw( :sys_wait_h );
use Time::HiRes qw( sleep time );

my $JSON = JSON::PP->new->utf8->canonical->allow_nonref;


sub new {
    my ($class, $script, @args) = @_;

    my $pid = open2(my $out, my $in, 'node', $script, @args);

    $in->autoflush(1);

    return bless { pid => $pid, in => $in, out => $out, text => '' }, $class;
}


sub pid { $_[0]{pid} }


sub send {
    my ($self, $value) = @_;

    print { $self->{in} } $JSON->encode($value), "\n";
}


# the next value; undef: none in time, or the script has ended

sub line {
    my ($self, $timeout) = @_;

    my $end = time + ($timeout // 10);

    my $eol;

    until (($eol = index $self->{text}, "\n") >= 0) {
        my $left = $end - time;

        return undef unless IO::Select->new($self->{out})
                                      ->can_read($left > 0 ? $left : 0);

        sysread $self->{out}, $self->{text}, 65536, length $self->{text}
            or return undef;
    }

    return $JSON->decode(substr $self->{text}, 0, $eol + 1, '');
}


# the next value that the sub likes; others are dropped

sub wait_line {
    my ($self, $wanted, $timeout) = @_;

    my $end = time + ($timeout // 10);

    while (defined(my $value = $self->line($end - time))) {
        return $value if $wanted->($value);
    }

    return undef;
}


# the exit status; the script gets the time to end by itself first

sub finish {
    my ($self, $timeout) = @_;

    my $end = time + ($timeout // 10);

    while ($self->{pid} && time < $end) {
        if (waitpid($self->{pid}, WNOHANG) == $self->{pid}) {
            $self->{pid} = undef;
            return $? >> 8;
        }

        sleep 0.02;
    }

    $self->stop;

    return undef;
}


sub stop {
    my ($self) = @_;

    if ($self->{pid}) {
        kill KILL => $self->{pid};
        waitpid $self->{pid}, 0;
        $self->{pid} = undef;
    }
}


1;
