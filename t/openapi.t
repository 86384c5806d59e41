#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# docs/openapi.yaml and docs/asyncapi.yaml say what the server does: each
# status and each event in them is made by it here, has the shape that is
# written there, and nothing else comes.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::Schema;

my $t = Test::Realtime->new(database => 1, http => <<'EOT',
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=1 timeout=2s;
    client_max_body_size 100k;
EOT
                            server => <<'EOT')->start;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
            realtime_notifications;
            realtime_notify_roles admin;
        }

        location /api/notifications {
            realtime_notifications;
        }

        location /slow/notifications {
            realtime_notifications;
            realtime_event_rate mark_as_read=1r/m;
        }

        location /api/chat/ {
            realtime_chat;
        }

        location /slow/ {
            realtime_chat;
            realtime_event_rate message=1r/m mark_as_read=1r/m
                                conversation=1r/m;
        }
EOT

my $rest = Test::Realtime::Schema->new('docs/openapi.yaml');
my $events = Test::Realtime::Schema->new('docs/asyncapi.yaml');

my ($alice, $bob, $carol) = map { $t->uuid($_) } qw( alice bob carol );
my %token = (map({ $_ => $t->token($_) } $alice, $bob, $carol),
             nobody => $t->token('nobody'));

$t->sql("insert into users (id) values ('$alice'), ('$bob'), ('$carol')");


# -- REST

my (%seen, $id);


sub call {
    my ($who, $method, $path, $status, %o) = @_;

    my $url = $path =~ s/\{id\}/$o{id} \/\/ $id/er;
    my $base = $o{base} // '/api/chat';
    my $r = $t->http($method, "$base$url" . ($o{query} // ''),
                     $who ? (token => $token{$who}) : (),
                     map { exists $o{$_} ? ($_ => $o{$_}) : () }
                         qw( json body headers ));

    my $known = $rest->doc->{paths}{$path}{lc $method}{responses}{$status};
    my $name = "$method $path: $status";

    $seen{$name} = 1;
    is($r->{status}, $status, $name);

    if (!$known) {
        fail("$name is documented");
        return $r->{json}{data};
    }

    $known = $rest->at($known);

    is_deeply([$rest->check($known->{content}{'application/json'}{schema},
                            $r->{json})], [], 'as documented')
        or diag($r->{body});

    for my $header (sort keys %{$known->{headers} // {}}) {
        ok(defined $r->{headers}{lc $header}, $header);
    }

    return $r->{json}{data};
}


# -- notifications

sub stored_note {
    my ($who, $name) = @_;

    my $id = $t->uuid($name);

    $t->sql("insert into realtime.notifications
             (user_id, id, type, title, message, data)
             values ('$who', '$id', 'system', 'x', 'y', '{\"n\": 1}')");

    return $id;
}


my @notes = (base => '/api');
my ($n1, $n2) = map { stored_note($alice, $_) } 'one', 'two';
my ($notes, $unread, $read_all, $note, $note_read) =
    map { "/notifications$_" } '', '/unread/count', '/read-all', '/{id}',
                               '/{id}/read';

call($alice, GET => $notes, 200, @notes);
call($alice, GET => $notes, 200, @notes, query => '?limit=1');
call($alice, GET => $notes, 400, @notes, query => '?before=x');
call($alice, GET => $unread, 200, @notes);
call($alice, PUT => $note_read, 200, @notes, id => $n1);
call($alice, PUT => $read_all, 200, @notes);
call($bob, PUT => $note_read, 404, @notes, id => $n1);
call($bob, DELETE => $note, 404, @notes, id => $n1);
call($alice, DELETE => $note, 200, @notes, id => $n1);

for ([GET => $notes], [GET => $unread], [PUT => $read_all],
     [PUT => $note_read], [DELETE => $note])
{
    my ($method, $path) = @$_;

    call(undef, $method => $path, 401, @notes, id => $n1);
    call('nobody', $method => $path, 403, @notes, id => $n1);

    next if $method eq 'GET';

    $t->http(PUT => '/slow/notifications/read-all', token => $token{$carol});
    call($carol, $method => $path, 429, base => '/slow', id => $n1);
}


my ($all, $one, $list) = ('/conversations', '/conversations/{id}',
                          '/conversations/{id}/messages');
my $read = '/conversations/{id}/mark-as-read';
my $none = $t->uuid('none');
my %big = (body => '{"content":"' . 'x' x 110_000 . '"}',
           headers => { 'Content-Type' => 'application/json' });
my %form = (body => 'a=b', headers => { 'Content-Type' =>
                                 'application/x-www-form-urlencoded' });

$id = call($alice, POST => $all, 201, json => { participantId => $bob })
        ->{id};
call($bob, POST => $all, 200, json => { participantId => $alice });
call($alice, POST => $all, 400, json => {});
call($alice, POST => $all, 404, json => { participantId => $none });

call($alice, GET => $list, 200);
call($alice, POST => $list, 201, json => { content => 'x' });
call($alice, POST => $list, 201,
     json => { content => 'x', clientId => 'c' });
call($alice, POST => $list, 200,
     json => { content => 'x', clientId => 'c' });
call($alice, POST => $list, 400, json => {});

my $second = call($alice, POST => $all, 201,
                  json => { participantId => $carol })->{id};

call($alice, POST => $list, 409, id => $second,
     json => { content => 'x', clientId => 'c' });
call($alice, GET => $list, 200, query => '?limit=1');
call($alice, GET => $list, 200, query => "?around=$none");
call($alice, GET => $list, 400, query => '?before=x');
call($bob, POST => $read, 200, json => {});
call($bob, POST => $read, 400, json => { upTo => 1 });
call($alice, GET => $list, 200);

call($alice, GET => $all, 200);
call($alice, GET => $all, 200, query => '?limit=1');
call($alice, GET => $all, 400, query => '?cursor=x');
call($alice, GET => $one, 200);

for ([GET => $one], [DELETE => $one], [GET => $list],
     [POST => $list, json => { content => 'x' }],
     [POST => $read, json => {}])
{
    my ($method, $path, %o) = @$_;

    call($carol, $method => $path, 404, %o);
}

for ([GET => $all], [POST => $all, json => { participantId => $bob }],
     [GET => $one], [DELETE => $one], [GET => $list],
     [POST => $list, json => { content => 'x' }], [POST => $read, json => {}])
{
    my ($method, $path, %o) = @$_;

    call(undef, $method => $path, 401, %o);
    call('nobody', $method => $path, 403, %o);

    next if $method ne 'POST';

    call($alice, $method => $path, 413, %big);
    call($alice, $method => $path, 415, %form);
}

for ([POST => $all], [POST => $list], [POST => $read]) {
    my ($method, $path) = @$_;

    $t->http($method, '/slow' . $path =~ s/\{id\}/$id/r, json => {},
             token => $token{$carol});
    call($carol, $method => $path, 429, json => {}, base => '/slow');
}

call($bob, DELETE => $one, 200);


# -- events

my %emitted;
my $messages = $events->doc->{components}{messages};


sub look {
    my ($client) = @_;

    for my $event ($client->events(0.6)) {
        my ($name, $payload, @rest) = @$event;

        $emitted{$name} = 1;

        my $message = $messages->{$name};

        is_deeply([$message ? $events->check($message->{payload}, $payload)
                            : 'is not documented'], [], "event $name")
            or diag(Test::Realtime::encode($payload));
        cmp_ok(scalar @rest, '<=', 1, 'and no more than its offset');
    }
}


sub ask {
    my ($client, $message, $payload) = @_;

    my ($ack) = $client->ask($messages->{$message}{name}, $payload);

    is_deeply([$events->check($messages->{$message}{'x-ack'}, $ack)], [],
              "ack of $message: $ack->{status}");

    return $ack;
}


my ($phone, $tablet, $tab, $tab2) = map { $t->connect($_) }
                                        $alice, $alice, $bob, $bob;

$id = $t->post("/api/chat$all", token => $token{$alice},
               json => { participantId => $bob })->{json}{data}{id};

ask($phone, message_send => { conversationId => $id, content => 'x',
                              clientId => 'd' });
ask($phone, message_send => { conversationId => $id, content => 'x' });
ask($phone, message_send => { conversationId => $id });
ask($phone, message_from_client => { conversationId => $id, message => 'x',
                                     recipientId => $bob });
ask($phone, message_from_client => { conversationId => $id, message => 'x' });
ask($phone, typing => { conversationId => $id, isTyping => JSON::PP::true });
ask($phone, typing => { conversationId => $id });
ask($phone, presence_from_client => { state => 'away' });
ask($phone, presence_from_client => {});
look($tab) for 1 .. 3;
ask($tab, mark_as_read => { conversationId => $id });
ask($tab, mark_as_read => {});
$_->emit(message_send => {}) for $phone;
$_->emit(nothing => {}) for $phone;

my $short = $t->connect($alice, token => $t->token($alice,
                                                   exp => int(time) + 30));

ask($short, auth_refresh => { token => $token{$alice} });
ask($short, auth_refresh => { token => 'x' });

my $admin = $t->connect($bob, token => $t->token($bob, role => 'admin'));
my %n = (userId => $alice, type => 'x', title => 'y', message => 'z');

is(ask($phone, send_notification => { %n })->{code}, 'forbidden',
   'not without a role');

my $sent = ask($admin, send_notification => { %n, data => { a => 1 } });

ask($admin, send_notification => {});
ask($phone, notification_ack => { notificationId => $sent->{data}{id} });
ask($phone, notification_ack => {});
look($_) for $phone, $tablet, $tab, $tab2, $short, $admin;

$t->http(DELETE => "/api/chat/conversations/$id", token => $token{$bob});
look($_) for $phone, $tablet, $tab, $tab2;


# -- without Postgres

$t->pg_stop;

Test::Realtime::wait_for(5, sub {
    $t->get("/api/chat$all", token => $token{$alice})->{status} == 503
});

for ([GET => $all], [POST => $all, json => { participantId => $bob }],
     [GET => $one], [DELETE => $one], [GET => $list],
     [POST => $list, json => { content => 'x' }], [POST => $read, json => {}])
{
    my ($method, $path, %o) = @$_;

    call($alice, $method => $path, 503, %o);
}

for ([GET => $notes], [GET => $unread], [PUT => $read_all],
     [PUT => $note_read], [DELETE => $note])
{
    my ($method, $path) = @$_;

    call($alice, $method => $path, 503, @notes, id => $n1);
}

is(ask($phone, message_send => { conversationId => $id, content => 'x' })
   ->{code}, 'unavailable', 'an ack that says to try again');
is(ask($tab, mark_as_read => { conversationId => $id })->{code},
   'unavailable', 'another one');
$phone->emit(message_send => { conversationId => $id, content => 'x' });
look($phone);


# -- all of it, and the routes and events that there are

my %documented;

for my $path (keys %{$rest->doc->{paths}}) {
    for my $method (keys %{$rest->doc->{paths}{$path}}) {
        my $o = $rest->doc->{paths}{$path}{$method};

        # those of openapi_api.t
        next if grep { $_ eq 'server' } @{$o->{tags} // []};

        $documented{uc($method) . " $path: $_"} = 1
            for keys %{$o->{responses}};
    }
}

is_deeply([sort keys %seen], [sort keys %documented],
          'each status of each operation was seen');

is_deeply([sort keys %emitted],
          [sort map { m{/(\w+)\z} } map { $_->{'$ref'} }
                @{$events->doc->{operations}{emit}{messages}}],
          'and each event');

my ($table) = do { local (@ARGV, $/) = 'src/api/ngx_realtime_event.c'; <> }
              =~ /ngx_realtime_events\[\] = (.*?)ngx_null_string/s;
my %taken = map { $events->at($_)->{name} => 1 }
            @{$events->doc->{operations}{take}{messages}};

is_deeply([sort keys %taken],
          [sort $table =~ /ngx_string\("(\w+)"\)/g], 'and those of a client');

my $routes = join '', map { local (@ARGV, $/) = $_; <> }
                      map { "src/api/ngx_realtime_route$_.c" } '', '_notify';
my %routes;

$routes{"$1 " . $2 =~ s/:/{id}/r} = 1
    while $routes =~ /\{ NGX_HTTP_(\w+), ngx_string\("([^"]+)"\)/g;

is_deeply([sort keys %{{ map { s/: \d+//r => 1 } keys %documented }}],
          [sort keys %routes], 'and no route is missing');

done_testing();
