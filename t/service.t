#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# The package's client for back ends does with the running module what its
# methods say, and makes a call again that did not get through.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::JWT qw( jwt_encode );

my $dist = "$Test::Realtime::ROOT/web/dist";

plan(skip_all => 'not built: tools/web does it') unless -f "$dist/server.js";

my $t = Test::Realtime->new(workers => 2, database => 1,
                            server => <<'EOT')->start;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
        }

        location /realtime/api/ {
            realtime_api;
            realtime_api_key HS256 "secret:the secret of the back end: 32 bytes+";
        }
EOT

my $token = jwt_encode({ alg => 'HS256',
                         key => 'the secret of the back end: 32 bytes+' }, {});

sub service {
    my (%o) = @_;

    return $t->node('service.js', "$dist/server.js", Test::Realtime::encode({
        url => $t->url . '/realtime/api/', token => $token,
        backoff => 50, %o }));
}

my $service = service();

sub ask {
    my ($method, @args) = @_;

    $service->send([$method, @args]);

    return $service->line // { error => 'no line' };
}


my ($ann, $ben) = map { $t->uuid($_) } qw( ann ben );

$t->sql("insert into users (id) values ('$_')") for $ann, $ben;

my $socket = $t->connect($ann);
$socket->event('connected');


# -- users

is_deeply(ask(isUserOnline => $ann), { result => JSON::PP::true }, 'online');
is_deeply(ask(isUserOnline => $ben), { result => JSON::PP::false },
          'offline');
is(ask(getUserConnections => $ann)->{result}[0]{socketId}, $socket->sid,
   'connections');
is_deeply(ask(getUserConnections => $ben), { result => [] }, 'none');
is_deeply(ask('getOnlineUsersCount'), { result => 1 }, 'how many');
is_deeply(ask(isUserOnline => "\x{e9} %\"<"), { result => JSON::PP::false },
          'a user id is encoded');


# -- notifications, with the payloads that clients know

my @payloads = (
    [[notifyAssessmentStarted => $ann],
     { type => 'assessment_started', title => 'Assessment Started',
       message => 'Your assessment has been started',
       data => { type => 'assessment_started' } }],
    [[notifyAssessmentStarted => $ben, $ann],
     { type => 'new_assessment', title => 'New Assessment',
       message => 'A new assessment has been assigned',
       data => { beneficiaryId => $ben } }],
    [[notifyRecommendation => $ann, 'Read this', 'A book'],
     { type => 'recommendation', title => 'New Recommendation',
       message => 'Read this', data => { description => 'A book' } }],
    [[sendNotification => $ann, { type => 'system', title => 'T',
                                  message => 'M' }],
     { type => 'system', title => 'T', message => 'M' }],
    [[broadcastNotification => [$ann, $ben], { type => 'system',
        title => 'T', message => 'M', data => { a => 1 } }],
     { type => 'system', title => 'T', message => 'M', data => { a => 1 } }],
);

for (@payloads) {
    my ($call, $expected) = @$_;
    my $reply = ask(@$call);

    ok(!$reply->{error}, $call->[0]) or diag(explain($reply));

    my ($got) = $socket->event('notification', 3);
    my ($id, $timestamp) = delete @$got{qw( id timestamp )};

    is_deeply($got, $expected, 'its payload');
    like($id // '', qr/^[0-9a-f-]{36}$/, 'with an id');
}

my $id = $t->uuid('once');
my @n = map { ask(sendNotification => $ann,
                  { type => 'system', title => 'once', message => 'M' },
                  { id => $id }) } 1, 2;

is($n[0]{result}{id}, $id, 'an id of its own');
is($n[1]{result}{id}, $id, 'again');
is(scalar(grep { $_->[0] eq 'notification' } $socket->events(0.5)), 1,
   'arrives once');


# -- later, and for everybody

my %note = (type => 'system', title => 'later', message => 'M');
my $job = ask(sendNotification => $ann, { %note },
              { deliverAt => time + 2 })->{result}{job};

is(ask(job => $job)->{result}{state}, 'waiting', 'one for later');
is($socket->event('notification', 10)->{title}, 'later', 'arrives');

$job = ask(notifyEverybody => { %note, title => 'all' })->{result}{job};

is($socket->event('notification', 10)->{title}, 'all', 'one for everybody');
ok(Test::Realtime::wait_for(10, sub {
    ask(job => $job)->{result}{state} eq 'done'
}), 'is done');
is(ask(job => $job)->{result}{total}, 2, 'for two users');
is_deeply(ask(job => 'x'), { error => 'job_not_found', status => 404 },
          'no such job');


# -- events, the end of a user

is_deeply(ask(emit => "user:$ann", 'offer', [{ a => 1 }, 2]), { result => 1 },
          'an event');
is_deeply([($socket->event('offer', 2))[0, 1]], [{ a => 1 }, 2], 'arrives');


# -- what clients answer

sub answer {
    my ($c, @args) = @_;

    my ($id) = $c->take(5, sub { $_[0] =~ /^42(\d+)\["ask"/ ? $1 : () });

    $c->ws->send("43$id" . Test::Realtime::encode(\@args)) if defined $id;

    return defined $id;
}

my $other = $t->connect($ann);

$service->send([emitWithAck => "user:$ann", 'ask', [1]]);
answer($socket, 'yes', { n => 1 });
answer($other, 'no');

my $answers = $service->line->{result};

is_deeply([sort map { $_->[0] } @{$answers->{acks}}], [qw( no yes )],
          'an event with acks');
is($answers->{missing}, 0, 'of everybody');

$service->send([emitWithAck => "user:$ann", 'ask', [],
                { timeout => 300, except => $other->sid }]);
ok(answer($socket, 'one'), 'for one of them');
is_deeply($service->line, { result => { acks => [['one']], missing => 0 } },
          'who answers');
is_deeply(ask(emitWithAck => "user:$ann", 'ask', [], { timeout => 300 }),
          { result => { acks => [], missing => 2 } }, 'nobody does');
answer($_) for $socket, $other;

# it waits longer than for another call

my $impatient = service(timeout => 2000);

$impatient->send([emitWithAck => "user:$ann", 'ask', [], { timeout => 2500 }]);
is_deeply($impatient->line, { result => { acks => [], missing => 2 } },
          'it takes its time');
answer($_) for $socket, $other;

is_deeply(ask(emitWithAck => "user:$ann", 'ask', [], { timeout => 0 }),
          { error => 'ack_timeout_invalid', status => 400 }, 'no time');
is_deeply(ask(emitWithAck => "user:$ben", 'ask'),
          { result => { acks => [], missing => 0 } }, 'nobody is there');

# a worker does not say who got it: others have, so it is not sent again

my ($stuck) = $t->workers;

kill STOP => $stuck;
$service = service(timeout => 2000, retries => 3);

my ($line, $refused);

for (1 .. 20) {
    $refused = refused();
    $service->send([emitWithAck => "user:$ann", 'ask', [], { timeout => 100 }]);
    $line = $service->line(20) // {};
    last if ($line->{error} // '') eq 'no_answer';
}

kill CONT => $stuck;

is_deeply($line, { error => 'no_answer', status => 503 },
          'a worker that does not answer is an error');
cmp_ok(refused(), '<=', $refused + 1, 'of one call');

sub refused { return scalar(() = $t->access =~ /emit HTTP\S+ 503/g) }

$service = service();

is_deeply(ask(disconnectUser => $ann, 'bye'), { result => 2 },
          'a user is disconnected');
is_deeply(ask(revokeTokens => { userId => $ann }), { result => undef },
          'his tokens are revoked');
ok($t->connect($ann)->error, 'and he stays away');


# -- what goes wrong

is_deeply(ask(emit => 'nowhere', 'x'),
          { error => 'room_invalid', status => 400 }, 'a code');
is_deeply(ask(emit => "user:$ann", 'connect'),
          { error => 'event_invalid', status => 400 }, 'another');

$service = service(token => 'x');
is_deeply(ask('getOnlineUsersCount'),
          { error => 'service_not_allowed', status => 403 },
          'wrong credentials are not tried again');

$service = service(url => 'http://127.0.0.1:1', retries => 1);
is_deeply(ask('getOnlineUsersCount'), { error => 'offline', status => 0 },
          'nobody there');

# the server comes while it tries

$service = service(retries => 30, backoff => 200);
$t->stop;
$service->send(['getOnlineUsersCount']);
is($service->line(0.7), undef, 'a server that is away is waited for');
$t->start;
is_deeply($service->line(15), { result => 0 }, 'until it is back');

done_testing();
