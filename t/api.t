#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# What a back end sees and does through "realtime_api" is exact, whatever
# worker it asks and whatever workers have the sockets.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $server = <<'EOT';
        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_namespaces /admin;

        location /socket.io/ {
            realtime_socket;
        }

        location /realtime/api/ {
            realtime_api;
            realtime_api_key HS256 "secret:the secret of the back end: 32 bytes+";
        }

        location /status {
            realtime_status json;
        }
EOT

my $t;

for my $workers ($ENV{TEST_WORKERS} // (1, 2, 4)) {
    subtest "$workers workers" => sub { scenario($workers) };
}

done_testing();


sub scenario {
    my ($workers) = @_;

    $t = Test::Realtime->new(workers => $workers, server => $server)->start;

    users();
    emits();
    disconnects();
    recovery();
    stock();

    $t->stop;
}


sub service {
    return Test::Realtime::JWT::jwt_encode({ alg => 'HS256',
        key => 'the secret of the back end: 32 bytes+' },
        { exp => time + 600, @_ });
}

sub api {
    my ($method, $path, $json) = @_;

    return $t->http($method, "/realtime/api$path", token => service(),
                    defined $json ? (json => $json) : ());
}

sub data { return api(@_)->{json}{data} }


sub users {
    my $unknown = api(GET => '/users/nobody');

    is($unknown->{status}, 200, 'an unknown user');
    is_deeply($unknown->{json}{data},
              { online => JSON::PP::false, state => 'offline',
                lastSeen => undef, connections => [] }, 'is offline');
    is($unknown->{headers}{'content-type'},
       'application/json; charset=utf-8', 'in the envelope');
    is_deeply(data(GET => '/users/count'), { count => 0 }, 'nobody is here');

    my @ann = map { $t->connect('ann') } 1 .. 5;
    my $ben = $t->connect('ben');
    my $id = $t->uuid('carol');
    my $carol = $t->connect($id);

    is_deeply(data(GET => '/users/count'), { count => 3 },
              'users are counted, not sockets');

    my $ann = data(GET => '/users/ann');

    ok($ann->{online}, 'Ann is online');
    is($ann->{state}, 'online', 'her state');
    is_deeply([sort map { $_->{socketId} } @{$ann->{connections}}],
              [sort map { $_->sid } @ann], 'each of her sockets, once');

    my $one = $ann->{connections}[0];

    is_deeply([@$one{qw( userId transport namespace )}],
              ['ann', 'websocket', '/'], 'what a connection is');
    like($one->{connectedAt}, qr/^20\d\d-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/,
         'and since when');
    ok(data(GET => '/users/' . uc $id)->{online},
       'a UUID in capitals is the same user');

    $_->close for @ann;

    ok(Test::Realtime::wait_for(0.3, sub {
        !data(GET => '/users/ann')->{online}
    }), 'offline, at once');

    like(data(GET => '/users/ann')->{lastSeen}, qr/^20\d\d-.*Z$/,
         'and when she was seen');
    is(data(GET => '/users/count')->{count}, 2, 'two are left');
}


sub emits {
    my @dora = map { $t->connect('dora') } 1 .. 3;
    my $other = $t->connect('eve');

    $_->event('connected', 2) for @dora, $other;

    my $r = api(POST => '/rooms/user:dora/emit',
                { event => 'offer', args => [{ a => 1 }, 'b'] });

    is($r->{status}, 202, 'an event for a room');
    is_deeply($r->{json}{data}, { sockets => 3 }, 'of so many sockets');

    for (@dora) {
        my (undef, @args) = @{($_->events(0.5))[0] // []};
        is_deeply([@args[0, 1]], [{ a => 1 }, 'b'], 'has come');
    }

    is(scalar $other->events(0.1), 0, 'to nobody else');

    # a number that no double can hold

    my $text = '{"event":"raw", "payload" : {"n":12345678901234567890123 , '
               . '"u":"\u00e9","x":1.10}}';

    $r = $t->http(POST => '/realtime/api/rooms/user:dora/emit', body => $text,
                  token => service(),
                  headers => { 'Content-Type' => 'application/json' });
    is($r->{status}, 202, 'what is passed on');

    like($dora[0]->packet(2), qr/^42\["raw",\{"n":12345678901234567890123 , "u":"\\u00e9","x":1\.10\}/,
         'is as it was written');

    $_->events(0.2) for @dora;

    api(POST => '/rooms/user:dora/emit',
        { event => 'most', except => $dora[1]->sid });
    ok($dora[0]->events(0.5), 'all of them');
    is(scalar $dora[1]->events(0.2), 0, 'but one');

    $r = api(POST => '/rooms/user:nobody/emit', { event => 'x' });
    is($r->{status}, 202, 'a room that nobody is in');
    is_deeply($r->{json}{data}, { sockets => 0 }, 'of no socket');

    my $big = 'x' x 900_000;

    api(POST => '/rooms/user:dora/emit', { event => 'big', payload => $big });

    my ($event) = grep { $_->[0] eq 'big' } $dora[2]->events(2);
    is(length($event->[1] // ''), 900_000, 'most of a megabyte');

    $_->close for @dora, $other;
}


sub disconnects {
    my @fay = map { $t->connect('fay') } 1 .. 4;
    my $gus = $t->connect('gus');
    my $r = api(POST => '/users/fay/disconnect', { reason => "a\nreason" });

    is($r->{status}, 202, 'a user is disconnected');
    is_deeply($r->{json}{data}, { sockets => 4 }, 'with all sockets');

    for (@fay) {
        my $packet;

        do { $packet = $_->packet(2) // '' } while ($packet =~ /^42/);
        is($packet, '41', 'each is told');
    }

    like($t->log, qr/disconnected: a reason, user: "fay"/, 'the log says why');
    ok(!data(GET => '/users/fay')->{online}, 'and is offline');
    ok(data(GET => '/users/gus')->{online}, 'others stay');
    is_deeply(data(POST => '/users/fay/disconnect'), { sockets => 0 },
              'there is nothing left to disconnect');

    # a session with sockets in two namespaces

    my $hal = $t->connect('hal');
    $hal->{ws}->send('40/admin,' . Test::Realtime::encode({
                                       token => $t->token('hal') }));
    Test::Realtime::wait_for(2, sub {
        @{data(GET => '/users/hal')->{connections}} == 2
    });
    is_deeply([sort map { $_->{namespace} }
                   @{data(GET => '/users/hal')->{connections}}],
              ['/', '/admin'], 'namespaces are connections');
    is_deeply(data(POST => '/users/hal/disconnect'), { sockets => 2 },
              'and disconnected, too');

    my %told;

    for (1 .. 4) {
        $told{$hal->packet(1) // ''} = 1;
    }

    ok($told{'41'} && $told{'41/admin,'}, 'each by its name');

    # one that polls, and is not waiting at this moment

    my $r1 = $t->http(GET => '/socket.io/?EIO=4&transport=polling');
    my ($sid) = $r1->{body} =~ /"sid":"([^"]+)"/;
    my $url = "/socket.io/?EIO=4&transport=polling&sid=$sid";

    $t->http(POST => $url, body => '40' . Test::Realtime::encode({
                                       token => $t->token('ida') }));
    $t->http(GET => $url) until data(GET => '/users/ida')->{online};
    $t->http(GET => $url, timeout => 0.2);
    is(data(GET => '/users/ida')->{connections}[0]{transport}, 'polling',
       'a connection that polls');
    api(POST => '/users/ida/disconnect');

    my $body = $t->http(GET => $url)->{body};

    like($body, qr/(?:^|\x1e)41$/, 'hears it with its next poll');
    is($t->http(GET => $url)->{body}, '1', 'and after that to go');

    $_->close for $gus;
}


sub recovery {
    my $jo = $t->connect('jo');
    my ($sid, $pid) = ($jo->sid, $jo->pid);

    ok($pid, 'a socket that could come back');
    $jo->event('connected', 2);

    api(POST => '/rooms/user:jo/emit', { event => 'x' });

    my ($event) = $jo->events(1);
    my $offset = $event->[-1];

    $jo->drop;

    Test::Realtime::wait_for(2, sub { !data(GET => '/users/jo')->{online} });
    api(POST => '/users/jo/disconnect');

    my $again = $t->connect('jo', auth => { pid => $pid, offset => $offset });

    isnt($again->sid, $sid, 'does not, after he was disconnected');
    $again->close;
}


sub stock {
    my $url = 'http://127.0.0.1:' . $t->port;
    my $kim = $t->token('kim');

    for my $how ('websocket', 'polling') {
        my $node = $t->node('client.js', $url, Test::Realtime::encode({
                   transports => [$how], auth => { token => $kim } }));

        my $line;
        do { $line = $node->line } until !$line || $line->{connect};
        ok($line, "stock client, $how");
        do { $line = $node->line } until !$line || $line->{event};

        api(POST => '/rooms/user:kim/emit', { event => 'hi', args => [1] });
        $line = $node->line;
        is($line->{event}, 'hi', 'hears an event');

        api(POST => '/users/kim/disconnect');
        do { $line = $node->line } until !$line || $line->{disconnect};
        is($line->{disconnect}, 'io server disconnect', 'knows who ended it');
        is($node->line(0.5), undef, 'and does not come back');
        $node->send({ do => 'connect' });
        do { $line = $node->line } until !$line || $line->{connect};
        ok($line, 'until it is told to');
        $node->send({ do => 'exit' });
    }
}
