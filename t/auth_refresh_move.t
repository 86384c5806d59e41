#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# What is known of a token goes with its session, from worker to worker and
# from polling to WebSocket: when it expires, and whether that was said.

use strict;
use warnings;

use MIME::Base64 qw( decode_base64 );
use POSIX qw( strftime );
use Test::More;
use Time::HiRes qw( sleep time );

use lib 't/lib';
use Test::Realtime;

my $workers = $ENV{TEST_WORKERS} // 4;

my $t = Test::Realtime->new(workers => $workers,
                            server => <<'EOT')->start;
        listen 127.0.0.1:%%PORT2%% reuseport;
        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_jwt_require leeway=1s;
        realtime_auth_expiring 5s;

        # a text more than its events say is in the way here
        location /plain/ {
            realtime_recovery off;
            realtime_socket;
        }

        location /socket.io/ {
            realtime_socket;
        }
EOT

my $base = '/plain/?EIO=4&transport=polling';


sub poll { $t->get($_[0], port => $t->port2)->{body} }
sub push_ { $t->http(POST => $_[0], port => $t->port2, body => $_[1])->{body} }
sub iso { strftime '%Y-%m-%dT%H:%M:%S.000Z', gmtime $_[0] }
sub until_ { sleep($_[0] - time) if time < $_[0] }


# a polling session whose token has so many seconds left

sub session {
    my ($user, $left) = @_;

    my $sid = Test::Realtime::decode(substr poll($base), 1)->{sid};
    my $exp = int(time) + $left;
    my $token = $t->token($user, exp => $exp);
    my $path = "$base&sid=$sid";

    push_($path, qq(40{"token":"$token"}));

    my $heard = poll($path);

    return { path => $path, exp => $exp, heard => $heard, user => $user,
             id => $heard =~ /"sid":"(.*?)"/,
             slot => ord decode_base64(substr($sid, 0, 4) =~ tr[-_][+/]r) };
}


sub upgrade {
    my ($s) = @_;

    my $ws = $t->ws(port => $t->port2,
                    path => $s->{path} =~ s/polling/websocket/r);

    $ws->send('2probe');
    $ws->recv->{payload} eq '3probe' or die 'no 3probe';
    $ws->send('5');

    return $s->{ws} = $ws;
}


sub refresh {
    my ($s, $left) = @_;

    $s->{exp} = int(time) + $left;

    my $token = $t->token($s->{user}, exp => $s->{exp});

    return qq(421["auth_refresh",{"token":"$token"}]);
}


# the texts of a WebSocket to its end, or for so many seconds

sub texts {
    my ($ws, $timeout) = @_;

    my @texts;

    while (my $f = $ws->recv($timeout)) {
        push @texts, $f->{eof} ? 'end'
                     : $f->{opcode} == 8 ? "close $f->{code}" : $f->{payload};
        last if $f->{eof} || $f->{opcode} == 8;
    }

    return @texts;
}


sub ack { qq(431[{"status":"success","data":{"expiresAt":"$_[0]"}}]) }
sub warning { qq(42["auth_expiring",{"expiresAt":"$_[0]"}]) }

my $error = '42["error",{"code":"token_expired","message":'
            . '"Authentication error: Invalid or expired token"}]';


# while it is polling

my $s = session('ann', 3);

like($s->{heard}, qr/42\["connected",.*\]\x1e\Q${\ warning(iso $s->{exp})}\E$/,
     'the warning comes with "connected"');
is(poll($s->{path}), "$error\x1e1", 'and at the end a GET hears of it');

$s = session('ann', 2);
is(push_($s->{path}, refresh($s, 4)), 'ok', 'a refresh by POST');
is(poll($s->{path}), ack(iso $s->{exp}), 'is acknowledged');
is(poll($s->{path}), warning(iso $s->{exp}), 'warned of once more');
is(poll($s->{path}), "$error\x1e1", 'and the end is that of the new token');


# from there to a WebSocket, the warning said or not

my @told = map { session("told$_", 5) } 1 .. 6;
my @renewed = map { session("renewed$_", 3) } 1 .. 6;
my @untold = map { session("untold$_", 9) } 1 .. 6;

for (@renewed) {
    push_($_->{path}, refresh($_, 3600));
    poll($_->{path});
}

upgrade($_) for @told, @renewed, @untold;

is_deeply([map { [texts($_->{ws}, 8)] } @told],
          [map { [$error, 'close 1008'] } @told],
          'the end comes where it is by then, without a second warning');

is_deeply([map { [texts($_->{ws}, 0.1)] } @renewed], [map { [] } @renewed],
          'a new token that was given before lets it live');

for (@untold) {
    until_($_->{exp} - 4.5);
    my $told = warning(iso $_->{exp});
    $_->{ws}->send(refresh($_, 3600));
    is_deeply([map { $_->{payload} } map { $_->{ws}->recv(2) } $_, $_],
              [$told, ack(iso $_->{exp})], 'a warning and a refresh there');
}

$_->{ws}->send('41') for @renewed, @untold;
sleep 0.3;

my $log = $t->log;
my $moved = grep {
    my ($slot) = $log =~ /disconnected: .* socket: "\Q$_->{id}\E", slot: (\d+)/;
    defined $slot && $slot != $_->{slot};
} @told, @renewed, @untold;

SKIP: {
    skip 'one worker', 1 if $workers == 1;
    cmp_ok($moved, '>', 0, "$moved of 18 had moved");
}


# stock clients, which begin by polling

for my $client ('socket.io-client', 'socket.io-client-3') {
    my $exp = int(time) + 3;
    my $token = $t->token('stock', exp => $exp);
    my $node = $t->node('client.js', 'http://127.0.0.1:' . $t->port2,
        Test::Realtime::encode({ auth => { token => $token },
                                 transports => ['polling', 'websocket'] }),
        $client);

    my $told = $node->wait_line(sub { $_[0]{event}
                                      && $_[0]{event} eq 'auth_expiring' });

    is_deeply($told->{args}[0], { expiresAt => iso($exp) },
              "$client: the event");

    if ($client eq 'socket.io-client') {
        $node->send({ do => 'drop' });
        ok($node->wait_line(sub { $_[0]{recovered} }), 'it comes back');
        is($node->line->{event}, 'connected', 'as the same,');
        is_deeply($node->line->{args}[0], { expiresAt => iso($exp) },
                  'and is told again');
    }

    $node->send({ ask => ['auth_refresh', { token => $t->token('stock') }] });
    is($node->wait_line(sub { $_[0]{ack} })->{ack}[0]{status}, 'success',
       "$client: the ack");

    until_($exp + 2);
    $node->send({ ask => ['auth_refresh', { token => $t->token('other') }] });

    my $line = $node->line;

    is($line->{ack} && $line->{ack}[0]{code}, 'token_payload',
       "$client: no disconnect, and another user is refused");
    $node->stop;
}

done_testing();
