#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A reload and polling sessions: the old workers keep them until they drain,
# the new ones pass their requests on, and an upgrade takes them along.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $path = '/socket.io/?EIO=4&transport=polling';
my $t;


sub begin {
    my ($drain, $main) = @_;

    $t = Test::Realtime->new(workers => 2, main => $main, http => <<"EOH",
    realtime_zone main 16m;
    realtime_drain_timeout $drain;
EOH
                             server => <<'EOT');
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
            realtime_message_relay on;
        }

        location /status {
            realtime_status json;
        }
EOT

    $t->start;
}


sub slots { scalar @{$t->get('/status')->{json}{slots}} }
sub poll { $t->get("$path&sid=$_[0]") }
sub post { $t->http(POST => "$path&sid=$_[0]", body => $_[1]) }


sub session {
    my ($user) = @_;
    my $open = Test::Realtime::decode(substr $t->get($path)->{body}, 1);
    my $token = $t->token($user);

    post($open->{sid}, qq(40{"token":"$token"}));
    poll($open->{sid});

    return $open->{sid};
}


sub probe {
    my $ws = $t->ws(path => "/socket.io/?EIO=4&transport=websocket&sid=$_[0]");

    $ws->send('2probe');

    return $ws;
}


sub message {
    my ($to, $text) = @_;

    return qq(42["message",{"recipientId":"$to","message":"$text",)
           . '"conversationId":"c"}]';
}


# long before it is a session's turn

begin('10m');

my ($ann, $ben) = map { session($_) } qw( ann ben );

$t->reload;
cmp_ok(slots(), '>', 2, 'an old worker stays with them');

for my $n (1 .. 3) {
    is(post($ann, message('ben', $n))->{body}, 'ok', "POST $n");
    like(poll($ben)->{body}, qr/"message":"$n"/, 'goes to the other one');
}

my $ws = probe($ben);

is($ws->recv->{payload}, '3probe', 'a WebSocket to a new worker');

$ws->send('5');
post($ann, message('ben', 'moved'));
like($ws->recv->{payload}, qr/^42\["message",.*"moved"/, 'has the session');

$ws->send(message('ann', 'back'));
like(poll($ann)->{body}, qr/"message":"back"/, 'and may write');

$t->stop;

# when it is

begin('1s');

my $eve = session('eve');

$t->reload;

is(poll($eve)->{body} // '', '1', 'a parked GET hears the end');
ok(Test::Realtime::wait_for(10, sub { slots() == 2 }),
   'then the old workers are gone');
is(poll($eve)->{json}{code}, 1, 'and the session is unknown');

# what has moved keeps nobody

$t->stop;
begin('10m', 'worker_shutdown_timeout 4s;');

my @fay = map { session('fay') } 1 .. 8;

$t->reload;

my @moved = grep {
    $_->send('5');
    $_->send(message('gil', 'x') =~ s/^42/421/r);
    (($_->recv(1) // {})->{payload} // '') =~ /^431/;
} grep { (($_->recv(1) // {})->{payload} // '') eq '3probe' }
  map { probe($_) } @fay;

cmp_ok(scalar @moved, '>', 0, scalar @moved . ' move during the reload');
ok(Test::Realtime::wait_for(8, sub { slots() == 2 }),
   'the workers that they left go in time');

done_testing();
