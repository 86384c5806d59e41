package Test::Realtime::Reference;

# Copyright (C) ngx_realtime contributors

# The same raw bytes to the reference server and to nginx, with 1 and with 4
# workers:
#
#     my $r = Test::Realtime::Reference->new('engine');
#
#     $r->case('an empty POST', sub { my ($c) = @_; ... what came of it });
#     $r->case($name, $code, $ours, $why);
#     $r->chat($name, $code);
#     $r->done;
#
# A case is right if nginx does what the reference server does, or what it is
# said to do instead, for a reason.  Both reactions are printed.  After it the
# workers are those of before, and serve another client; in the end no session
# is left.  chat(): a session with realtime_chat lives or ends like one with
# echo=.

use strict;
use warnings;

use Test::More ();

use Test::Realtime;
use Test::Realtime::Raw;

# those of the reference server, milliseconds and bytes

my %OPTIONS = (pingInterval => 300000, pingTimeout => 200000,
               maxHttpBufferSize => 10000);


sub new {
    my ($class, $kind) = @_;

    my @nginx = map {
        Test::Realtime->new(workers => $_, server => <<"EOT")->start;
        listen 127.0.0.1:%%PORT2%% reuseport http2;
        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_namespaces /custom;
        realtime_ping_interval $OPTIONS{pingInterval}ms;
        realtime_ping_timeout $OPTIONS{pingTimeout}ms;
        realtime_max_payload $OPTIONS{maxHttpBufferSize};

        location /$kind/ {
            realtime_socket echo=$kind;
        }

        location /chat/ {
            realtime_socket;
            realtime_chat;
            realtime_message_relay on;
        }

        location /status {
            realtime_status json;
        }
EOT
    } 1, 4;

    my $node = $nginx[0]->node('reference.js', $kind,
                               Test::Realtime::encode(\%OPTIONS));

    my $self = bless { nginx => \@nginx, kind => $kind }, $class;

    $self->{servers} = [map { +{ port => $_, kind => $kind,
                                 path => "/$kind/" } }
                        $node->line->{port}, map { $_->port } @nginx];

    for my $nginx (@nginx) {
        my $good = $self->client($nginx->port)->websocket;

        $good->recv;
        $good->send('40') if $kind eq 'socketio';
        $self->{good}{$nginx->port} = $good;
        $self->{pids}{$nginx->port} = "@{[$nginx->workers]}";
    }

    return $self;
}


sub client {
    my ($self, $port, %o) = @_;

    return Test::Realtime::Raw->new(port => $port, kind => $self->{kind},
                                    path => "/$self->{kind}/", %o);
}


sub case {
    my ($self, $name, $send, $ours, $why) = @_;

    my ($theirs, @got) = map { reaction(Test::Realtime::Raw->new(%$_), $send)
                             } @{$self->{servers}};

    my $expected = $ours // $theirs;

    Test::More::note("$name\n  reference: $theirs\n  nginx:     $got[0]",
                     $got[1] eq $got[0] ? '' : "\n  4 workers: $got[1]");

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    Test::More::is_deeply(
        { reaction => \@got, after => [$self->good] },
        { reaction => [$expected, $expected], after => ['good', 'good'] },
        $name . (defined $why ? " ($why)" : ''));

    Test::More::fail("$name: the reference does the same, no need to say so")
        if defined $ours && $ours eq $theirs;
}


sub reaction {
    my ($client, $send) = @_;

    my $reaction = eval { join ', ', $send->($client) } // "died: $@";

    $client->drop;

    return $reaction;
}


# by curl, to nginx in HTTP/2 and to the reference server, which has none

sub http2 {
    my ($self, $name, $path, @args) = @_;

    my ($theirs, @got) = map {
        my $how = $_ == $self->{servers}[0]{port} ? '--http1.1'
                  : '--http2-prior-knowledge';

        open my $curl, '-|', 'curl', '-sS', $how, @args, '-w',
            ' %{http_code} %{content_type}', "http://127.0.0.1:$_$path" or die;
        join '', <$curl>;
    } $self->{servers}[0]{port}, map { $_->port2 } @{$self->{nginx}};

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    Test::More::note("$name\n  reference: $theirs\n  nginx:     $got[0]");
    Test::More::is_deeply(\@got, [$theirs, $theirs], $name);
}


sub chat {
    my ($self, $name, $send) = @_;

    for my $nginx (@{$self->{nginx}}) {
        my ($echo, $chat) = map {
            reaction($self->client($nginx->port, @$_), $send)
                =~ /(lives|close \d+ end)$/ ? $1 : 'neither'
        } [], [kind => 'chat', path => '/chat/', headers => {
                   Authorization => 'Bearer ' . $nginx->token('bob') }];

        Test::More::is($chat, $echo, "chat, $nginx->{workers} workers: $name");
    }
}


# of each nginx: the same workers, and an answer for who did nothing wrong

sub good {
    my ($self) = @_;

    return map {
        my $port = $_->port;
        my $good = $self->{good}{$port};
        my $text;

        $good->send($self->{kind} eq 'engine' ? '4ok' : '42["message","ok"]');

        do {
            $text = ($good->recv // { payload => 'silence' })->{payload};
        } while ($text =~ /^40|"auth"/);

        "@{[$_->workers]}" eq $self->{pids}{$port}
            ? $text =~ /ok/ ? 'good' : $text : 'another worker';
    } @{$self->{nginx}};
}


sub done {
    my ($self) = @_;

    $self->{good} = {};

    for my $nginx (@{$self->{nginx}}) {
        Test::More::ok(Test::Realtime::wait_for(13, sub {
            my $s = $nginx->get('/status')->{json};
            $s->{connections} == 0 && $s->{sockets} == 0;
        }), "$nginx->{workers} workers: no session is left");
    }

    Test::More::done_testing();
}


1;
