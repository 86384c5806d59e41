#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Who asks for a session during its upgrade, long after it, and after its end
# hears what the reference server would say, whatever worker has it.

use strict;
use warnings;

use MIME::Base64 qw( decode_base64 );
use Test::More;
use Time::HiRes qw( sleep );

use lib 't/lib';
use Test::Realtime;

my @nginx = map {
    Test::Realtime->new(workers => $_, server => <<'EOT')->start;
        listen 127.0.0.1:%%PORT2%% reuseport;
        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_upgrade_timeout 1m;

        location /engine/ {
            realtime_socket echo=engine;
        }

        location /status {
            realtime_status json;
        }
EOT
} 1, 4;

my $node = $nginx[0]->node('reference.js', 'engine', Test::Realtime::encode({
    pingInterval => 25000, pingTimeout => 20000, upgradeTimeout => 60000 }));

my @servers = (['reference', $node->line->{port}],
               map { ["$_->{workers} workers", $_->port2] } @nginx);


# -- a client

sub request {
    my ($s, $method, $body) = @_;

    my $r = $nginx[0]->http($method => $s->{path}, port => $s->{port},
                            body => $body);

    return $r->{json} && ref $r->{json} ? "$r->{status} code $r->{json}{code}"
           : "$r->{status} $r->{body}";
}


sub session {
    my ($port) = @_;

    my $s = { port => $port, path => '/engine/?EIO=4&transport=polling' };
    my (undef, $open) = split / 0/, request($s, 'GET');

    $s->{path} .= '&sid=' . Test::Realtime::decode($open)->{sid};

    return $s;
}


sub ws {
    my ($s, @send) = @_;

    $s->{ws} = $nginx[0]->ws(port => $s->{port},
                             path => $s->{path} =~ s/polling/websocket/r);

    for (@send) {
        $s->{ws}->send($_);
        $s->{ws}->recv(5) if $_ eq '2probe';
    }

    return $s;
}


# what the WebSocket says, to its end

sub end {
    my ($s) = @_;

    my @said;

    while (my $f = $s->{ws}->recv(5)) {
        return join ' ', @said, 'end' if $f->{eof};

        push @said, $f->{opcode} == 8 ? 'close ' . ($f->{code} // 'none')
                                      : $f->{payload};
        $s->{ws}->close if $f->{opcode} == 8;
    }

    return join ' ', @said, 'nothing';
}


# -- the session ends while a WebSocket is probing

sub probing {
    my ($port, $end, @send) = @_;

    my $s = ws(session($port), @send);

    request($s, POST => $end);

    return join ' | ', end($s), request($s, 'GET');
}


for (['Close, no probe', '1'], ['Close, a probe', '1', '2probe'],
     ['nonsense, no probe', 'x'], ['nonsense, a probe', 'x', '2probe'])
{
    my ($name, @what) = @$_;
    my ($theirs, @ours) = map { probing($_->[1], @what) } @servers;

    note("$name: $theirs");
    is_deeply(\@ours, [$theirs, $theirs], "$name: the WebSocket ends too");
}


# -- the sid of a session that has moved

my %moved = map { my $port = $_->[1];
                  $_->[0] => [map { ws(session($port), '2probe', '5') }
                                  1 .. 8] } @servers;
my @kept = map { ws(session($nginx[1]->port2), '2probe', '5') } 1 .. 12;

sub each_ {
    my ($name, $do) = @_;

    my %did = map { my $server = $_;
                    $server => [map { $do->($_) } @{$moved{$server}}] }
              keys %moved;

    my $theirs = $did{reference};

    note("$name: $theirs->[0]");
    is_deeply(\%did, { map { $_ => $theirs } keys %moved }, $name);
}

sub echo {
    my ($s) = @_;

    $s->{ws}->send('4x');

    return ($s->{ws}->recv(5) // {})->{payload};
}

for my $when ('after an upgrade', 'long after it') {

    # longer than the 10 s for which packets are passed on
    sleep 11 if $when eq 'long after it';

    each_("a GET $when", sub { request($_[0], 'GET') });
    each_("a POST $when", sub { request($_[0], POST => '4x') });
    each_("the session lives, $when", \&echo);
}

sub over {
    my ($s) = @_;

    $s->{ws}->close(1000);
    $s->{ws}->recv(5);
    $s->{ws}->abort;

    Test::Realtime::wait_for(5, sub { request($s, 'GET') !~ /code 3/ });

    return request($s, 'GET');
}

each_('a GET when it is over', \&over);

my %early = map { $_->[0] => session($_->[1]) } @servers;

for my $server (sort keys %early) {
    my $s = ws($early{$server}, '2probe', '5');

    echo($s);
    is(over($s), '400 code 1', "$server: and when it is over at once");
}


# their workers die, but for one

sub slot {
    my ($sid) = $_[0]{path} =~ /sid=(.{4})/;

    return ord decode_base64($sid =~ tr[-_][+/]r);
}

my $slot = slot($kept[0]);

@kept = grep { slot($_) == $slot } @kept;

$nginx[1]->allow(qr/exited on signal 9/);

kill KILL => map { $_->{pid} } grep { $_->{slot} != $slot }
             @{$nginx[1]->get('/status')->{json}{slots}};

Test::Realtime::wait_for(5, sub {
    3 == (() = $nginx[1]->log =~ /slot \d taken over/g);
}) or die 'the workers are not replaced';

for (@kept) {
    my $alive = (echo($_) // '') eq '4x';
    is(request($_, 'GET'), $alive ? '400 code 3' : '400 code 1',
       $alive ? 'one whose worker lives' : 'one whose worker has died');
    $_->{ws}->abort;
}

for my $nginx (@nginx) {
    ok(Test::Realtime::wait_for(5, sub {
        $nginx->get('/status')->{json}{connections} == 0;
    }), "$nginx->{workers} workers: no session is left");
}

done_testing();
