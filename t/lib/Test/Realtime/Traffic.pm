package Test::Realtime::Traffic;

# Copyright (C) ngx_realtime contributors

# Steady traffic through whatever a test breaks: senders, each in its own
# conversation with one receiver, and that receiver's sockets, spread over two
# workers.  Its clients do what the protocol asks of them: a message is sent
# again with its clientId after an error or on a new connection, until it is
# acknowledged.
#
#     my $traffic = Test::Realtime::Traffic->new($t, senders => 4);
#     $traffic->phase('outage');
#     $traffic->run(sub { ... }, 15);       goes on until the sub is content
#     $traffic->flows;                      every sender gets some more through
#     $traffic->finish;        nothing new, until all is acked or flows() again
#     $traffic->drop($who);    its network is gone, and it connects again
#
# With recover => 1 receivers come back as the sockets that they were, and fetch
# by REST only when they are not.
#
# The test needs two workers and "listen %%PORT2%% reuseport".

use strict;
use warnings;

use JSON::PP;
use Time::HiRes qw( sleep time );

my $BURST = 4;                               # messages in one write
my $AGAIN = 0.2;                             # seconds after an error


# acked: clientId => {n, tries, epoch, id, phase, sender}, where the epoch is
# that of the sender's connection; errors: what error acks said, counted;
# closed: connections that ended, counted by phase.

sub new {
    my ($class, $t, %o) = @_;

    my $self = bless { t => $t, acked => {}, errors => {}, closed => {},
                       phase => 'start', sending => 1,
                       recover => $o{recover} }, $class;

    my $bob = $t->uuid('receiver');
    my @users = map { $t->uuid("sender $_") } 1 .. $o{senders};

    $t->sql("insert into users (id) values ('$_')") for $bob, @users;

    for my $i (0 .. $#users) {
        my $r = $t->post('/api/chat/conversations',
                         token => $t->token($users[$i]),
                         json => { participantId => $bob });

        push @{$self->{senders}}, { user => $users[$i], slot => $i % 2,
            n => 0, epoch => 0, out => {}, again => {}, asked => {},
            conversation => $r->{json}{data}{id} };
    }

    $self->{receivers} = [map { { user => $bob, slot => $_, epoch => 0,
                                  got => [] } } 0, 1];

    $self->place($_) for @{$self->{senders}}, @{$self->{receivers}};

    return $self;
}


sub acked     { $_[0]{acked} }
sub errors    { $_[0]{errors} }
sub closed    { $_[0]{closed} }
sub receivers { @{$_[0]{receivers}} }
sub senders   { @{$_[0]{senders}} }
sub phase     { $_[0]{phase} = $_[1] }


# connects until the worker of the slot has it

sub place {
    my ($self, $who) = @_;

    my $t = $self->{t};

    for (1 .. 60) {
        my $c = $t->connect($who->{user}, port => $t->port2);
        my $sid = $c->sid;

        $t->wait_log(qr/socket: "\Q$sid\E", slot: \d/);
        my ($slot) = $t->log =~ /socket: "\Q$sid\E", slot: (\d+)/;

        if ($slot == $who->{slot}) {
            $who->{c} = $c;
            return;
        }

        $c->close;
    }

    die "no socket on slot $who->{slot}\n";
}


sub run {
    my ($self, $done, $timeout) = @_;

    my $end = time + ($timeout // 15);

    until ($done->()) {
        return 0 if time > $end;

        for my $who (@{$self->{senders}}, @{$self->{receivers}}) {
            while (defined(my $packet = $who->{c}->packet(0))) {
                $packet eq '' ? $self->reconnect($who)
                : $who->{out} ? $self->answered($who, $packet)
                              : $self->received($who, $packet);
            }
        }

        $self->go_on($_) for @{$self->{senders}};

        sleep 0.005;
    }

    return 1;
}


sub flows {
    my ($self) = @_;

    my %before = map { $_->{user} => $_->{n} } @{$self->{senders}};

    $self->{sending} = 1;

    return $self->run(sub {
        !grep { $_->{n} < $before{$_->{user}} + 3 * $BURST }
              @{$self->{senders}}
    });
}


sub finish {
    my ($self) = @_;

    $self->{sending} = 0;

    return $self->run(sub { !grep { %{$_->{out}} } @{$self->{senders}} });
}


sub go_on {
    my ($self, $s) = @_;

    my @again = grep { $s->{again}{$_} < time } sort keys %{$s->{again}};

    delete @{$s->{again}}{@again};
    $self->ask($s, @again) if @again;

    return if !$self->{sending} || %{$s->{out}};

    my @new = map { sprintf '%s-%05d', substr($s->{user}, 0, 8), $s->{n}++ }
                  1 .. $BURST;

    $s->{out}{$_} = { n => $_, tries => 0 } for @new;
    $self->ask($s, @new);
}


sub ask {
    my ($self, $s, @ids) = @_;

    my $bytes = '';

    for my $id (@ids) {
        my $m = $s->{out}{$id};
        my $ack = $s->{c}{ack}++;

        $m->{tries}++;
        $m->{epoch} = $s->{epoch};
        $s->{asked}{$ack} = $id;

        $bytes .= $s->{c}->ws->encode(payload => "42$ack" . encode_json(
            ['message_send', { conversationId => $s->{conversation},
                               content => $id, clientId => $id }]));
    }

    $s->{c}->ws->raw($bytes);
}


sub answered {
    my ($self, $s, $packet) = @_;

    my ($ack, $json) = $packet =~ /^43(\d+)(\[.*)/s or return;
    my $id = delete $s->{asked}{$ack};
    my $answer = decode_json($json)->[0];

    if ($answer->{status} ne 'success') {
        $self->{errors}{$answer->{code}
                        . ($answer->{retryAfter} ? ', retry' : '')}++;
        $s->{again}{$id} = time + $AGAIN;
        return;
    }

    my $m = $self->{acked}{$id} = delete $s->{out}{$id};

    @$m{qw( id phase sender )} = ($answer->{data}{id}, $self->{phase},
                                  $s->{user});
}


sub received {
    my ($self, $r, $packet) = @_;

    my ($json) = $packet =~ /^42(\["message",.*)/s or return;

    push @{$r->{got}}, { %{decode_json($json)->[1]}, epoch => $r->{epoch},
                         phase => $self->{phase} };
}


sub reconnect {
    my ($self, $who) = @_;

    $self->{closed}{$self->{phase}}++;
    $who->{epoch}++;

    my $t = $self->{t};
    my $end = time + 10;
    my $recover = $self->{recover} && !$who->{out};
    my ($c, $old) = (undef, $who->{c});

    until ($c && $c->sid) {
        die "cannot connect again\n" if time > $end;
        $c = eval { $t->connect($who->{user}, port => $t->port2,
                                $recover ? (auth => { $old->past }) : ()) };
    }

    $who->{c} = $c;

    if ($recover) {
        if ($c->sid eq $old->sid) {
            $c->{offset} //= $old->{offset};
            $who->{recovered}++;
            $who->{epoch}--;

        } else {
            $self->fetch($who);
        }
    }

    if ($who->{out}) {
        $who->{asked} = {};
        $who->{again} = {};
        $self->ask($who, sort keys %{$who->{out}});
    }
}


sub drop {
    my ($self, $who) = @_;

    $who->{c}->drop;
    $self->reconnect($who);
}


# a socket that is a new one: what it does not know yet, page by page

sub fetch {
    my ($self, $who) = @_;

    my $t = $self->{t};
    my %known = map { $_->{id} => 1 } @{$who->{got}};
    my $end = time + 15;

    $who->{fetched}++;

    for my $s (@{$self->{senders}}) {
        my $after = '00000000-0000-0000-0000-000000000000';

        while ($after) {
            my $r = $t->get("/api/chat/conversations/$s->{conversation}"
                            . "/messages?limit=200&after=$after",
                            port => $t->port2,
                            token => $t->token($who->{user}));

            if ($r->{status} != 200) {
                die "cannot fetch\n" if time > $end;
                sleep 0.2;
                next;
            }

            push @{$who->{got}},
                 map { { id => $_->{id}, clientId => $_->{client_id},
                         fetched => 1, epoch => $who->{epoch} } }
                 grep { !$known{$_->{id}} } @{$r->{json}{data}};

            $after = $r->{json}{pagination}{nextAfter};
        }
    }
}


1;
