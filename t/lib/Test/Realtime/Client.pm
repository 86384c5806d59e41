package Test::Realtime::Client;

# Copyright (C) ngx_realtime contributors

# A Socket.IO client over a WebSocket, on the main namespace, written from
# the protocol and not from the stock client, so that the two check each
# other.  It answers pings; everything else waits in a queue until asked for.
#
#     my $c = $t->connect($user);
#     $c->sid;                                or $c->error after a refusal
#     $c->emit('message', {...});
#     my ($answer) = $c->ask('message_send', {...});       waits for the ack
#     my ($payload) = $c->event('message', 2);       undef: none in 2 seconds

use strict;
use warnings;

use JSON::PP;
use Time::HiRes qw( time );

use Test::Realtime::WebSocket;

my $JSON = JSON::PP->new->utf8->canonical->allow_nonref;


sub new {
    my ($class, %o) = @_;

    my $token = delete $o{token};
    my $via = delete $o{via} // 'auth';
    my %headers = %{$o{headers} // {}};

    if (defined $token) {
        $headers{Cookie} = "accessToken=$token" if $via eq 'cookie';
        $headers{Authorization} = "Bearer $token" if $via eq 'bearer';
    }

    my $ws = Test::Realtime::WebSocket->new(%o, headers => \%headers);

    my $self = bless { ws => $ws, queue => [], ack => 0 }, $class;

    return $self unless $ws->status == 101;

    my $open = $self->packet(5) // '';
    $self->{open} = $JSON->decode($1) if $open =~ /^0(.*)/s;

    my %auth = %{$o{auth} // {}};
    $auth{token} = $token if defined $token && $via eq 'auth';

    $self->{ws}->send('40' . (%auth ? $JSON->encode(\%auth) : ''));

    my $answer = $self->packet(5) // '';

    if ($answer =~ /^40(.*)/s) {
        @$self{qw( sid pid )} = @{$JSON->decode($1)}{qw( sid pid )};

    } elsif ($answer =~ /^44(.*)/s) {
        $self->{error} = $JSON->decode($1);

    } else {
        $self->{error} = { message => "unexpected: $answer" };
    }

    return $self;
}


sub sid    { $_[0]{sid} }
sub pid    { $_[0]{pid} }
sub offset { $_[0]{offset} }
sub open   { $_[0]{open} }
sub error  { $_[0]{error} }
sub ws     { $_[0]{ws} }
sub status { $_[0]{ws}->status }


# the next Engine.IO packet as text; undef: none in time, '': closed

sub packet {
    my ($self, $timeout) = @_;

    my $end = time + ($timeout // 5);

    while (my $f = $self->{ws}->recv($end - time)) {

        if ($f->{eof} || $f->{opcode} == 8) {
            $self->{code} = $f->{code} if $f->{opcode} == 8;
            return '';
        }

        if ($f->{opcode} == 9) {
            $self->{ws}->frame(opcode => 10, payload => $f->{payload});
            next;
        }

        if ($f->{payload} eq '2') {
            $self->{ws}->send('3');
            next;
        }

        next if $f->{opcode} != 1;

        # what the stock client gives back when it returns

        $self->{offset} = $1 if $f->{payload} =~ /^42\[.*,"([^"]*)"\]\z/s;

        return $f->{payload};
    }

    return undef;
}


# the close code, where the server has closed

sub code { $_[0]{code} }


sub emit {
    my ($self, $event, @args) = @_;

    $self->{ws}->send('42' . $JSON->encode([$event, @args]));
}


# sends with an ack id; returns the id

sub emit_ack {
    my ($self, $event, @args) = @_;

    my $id = $self->{ack}++;

    $self->{ws}->send("42$id" . $JSON->encode([$event, @args]));

    return $id;
}


# the arguments of the ack

sub ask {
    my ($self, $event, @args) = @_;

    my $id = $self->emit_ack($event, @args);

    return $self->ack($id);
}


sub ack {
    my ($self, $id, $timeout) = @_;

    return $self->take($timeout // 5, sub {
        $_[0] =~ /^43\Q$id\E(\[.*)/s or return;

        return @{$JSON->decode($1)};
    });
}


# the arguments of the next event of this name

sub event {
    my ($self, $name, $timeout) = @_;

    return $self->take($timeout // 5, sub {
        $_[0] =~ /^42\d*(\[.*)/s or return;

        my ($event, @args) = @{$JSON->decode($1)};

        return $event eq $name ? (@args ? @args : 1) : ();
    });
}


# every event there is within the time: [name, arguments...]

sub events {
    my ($self, $timeout) = @_;

    my $end = time + ($timeout // 0.3);

    while ($end > time) {
        my $p = $self->packet($end - time);
        last unless defined $p && length $p;
        push @{$self->{queue}}, $p;
    }

    my @packets = splice @{$self->{queue}};

    return map { /^42\d*(\[.*)/s ? $JSON->decode($1) : () } @packets;
}


# The first packet that the sub has an answer for, from the queue or from
# the wire; the others stay in the queue in their order.

sub take {
    my ($self, $timeout, $wanted) = @_;

    my $end = time + $timeout;

    for (my $i = 0; ; $i++) {

        if ($i == @{$self->{queue}}) {
            my $p = $self->packet($end - time);

            return unless defined $p && length $p;

            push @{$self->{queue}}, $p;
        }

        my @found = $wanted->($self->{queue}[$i]) or next;

        splice @{$self->{queue}}, $i, 1;

        return wantarray ? @found : $found[0];
    }
}


# what CONNECT needs of this socket to come back: auth => { $c->past }

sub past {
    my ($self) = @_;

    return (pid => $self->{pid},
            defined $self->{offset} ? (offset => $self->{offset}) : ());
}


# the network is gone: not a word to the server but the end of TCP

sub drop { $_[0]{ws}->abort }


# says goodbye on the namespace and closes

sub close {
    my ($self) = @_;

    $self->{ws}->send('41');
    $self->{ws}->close(1000);
    $self->{ws}->abort;
}


1;
