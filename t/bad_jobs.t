#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Work for later that is none: what a back end gets wrong has an answer and
# makes no job; what a host application has put into the table of jobs itself is
# given up, with a line in the log and a code, and the jobs behind it are done.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use lib 't/lib';
use Test::Realtime;

my $secret = 'the secret of the back end: 32 bytes+';

my $t = Test::Realtime->new(workers => 2, database => 1,
                            server => <<"EOC")->start;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            realtime_notifications;
        }

        location /realtime/api/ {
            realtime_api;
            realtime_api_key HS256 "secret:$secret";
            client_max_body_size 2m;
        }

        location /status {
            realtime_status json;
        }
EOC

my ($alice, $bob) = map { $t->uuid($_) } qw( alice bob );
my ($true, $false) = (JSON::PP::true, JSON::PP::false);
my $service = Test::Realtime::JWT::jwt_encode({ alg => 'HS256',
    key => $secret }, { exp => time + 600 });
my $base = '/realtime/api';
my $c = $t->connect($alice);

$c->events(0.3);

calls();
collisions();
strangers();
rows();
poison();

$t->stop;
done_testing();


sub notify {
    my ($json, @more) = @_;

    return $t->post("$base/notifications", token => $service,
                    json => { userId => $alice, type => 'x', title => 'T',
                              message => 'M', %$json }, @more);
}


sub job { $t->get("$base/jobs/$_[0]", token => $service) }

sub titles {
    return join ',', map { $_->[1]{title} }
                     grep { $_->[0] eq 'notification' } $c->events($_[0] // 1);
}

sub jobs { $t->sql('select count(*) from realtime.jobs') }

sub failed { $t->get('/status')->{json}{jobs_failed} }


# -- what a back end says

sub calls {
    my $later = time + 3600;
    my %many = (userId => undef, deliverAt => $later);

    for ([{ deliverAt => 'tomorrow' }, 400, 'deliver_invalid', 'no time'],
         [{ deliverAt => '' }, 400, 'deliver_invalid', 'an empty time'],
         [{ deliverAt => '2030-01-01' }, 400, 'deliver_invalid', 'a day'],
         [{ deliverAt => '2030-02-30T00:00:00Z' }, 400, 'deliver_invalid',
          'a day that there is not'],
         [{ deliverAt => '2030-01-01T00:00:00' }, 400, 'deliver_invalid',
          'a time of nowhere'],
         [{ deliverAt => "2030-01-01T00:00:00Z\0" }, 400, 'deliver_invalid',
          'NUL in it'],
         [{ deliverAt => -1 }, 400, 'deliver_invalid', 'before 1970'],
         [{ deliverAt => 1.5 }, 400, 'deliver_invalid', 'half a second'],
         [{ deliverAt => 1e15 }, 400, 'deliver_invalid', 'absurdly far'],
         [{ deliverAt => '99999-01-01T00:00:00Z' }, 400, 'deliver_invalid',
          'a year of five digits'],
         [{ deliverAt => $true }, 400, 'deliver_invalid', 'a boolean'],
         [{ deliverAt => [$later] }, 400, 'deliver_invalid', 'an array'],
         [{ deliverAt => { at => $later } }, 400, 'deliver_invalid',
          'an object'],
         [{ deliverAt => $later, expiresAt => $later }, 400,
          'expires_invalid', 'expired when it is delivered'],
         [{ deliverAt => $later, id => 'x' }, 400, 'id_invalid', 'no id'],
         [{ deliverAt => $later, userId => 'alice' }, 400,
          'receivers_not_uuid', 'a user that is no UUID'],
         [{ deliverAt => $later, userId => 'alice', volatile => $true }, 400,
          'receivers_not_uuid', 'and volatile'],
         [{ %many, userIds => [($alice) x 10001] }, 413,
          'receivers_too_many', '10,001 ids'],
         [{ %many, userIds => [] }, 400, 'receivers_invalid', 'nobody'],
         [{ %many, room => 'lobby' }, 400, 'room_invalid', 'another room'],
         [{ %many, all => $false }, 400, 'all_invalid', 'not everybody'],
         [{ userId => undef, all => $true, type => 'X' }, 400,
          'type_invalid', 'to everybody, and no type'],
         [{ userId => undef, all => $true, title => "a\0b" }, 400,
          'title_invalid', 'to everybody, and NUL'],
         [{ deliverAt => $later, data => { x => 'x' x 1_000_000 } }, 413,
          'data_too_large', 'a megabyte of data'],
         [{ deliverAt => $later, data => [] }, 400, 'data_invalid',
          'data that is an array'],
         [{ deliverAt => $later, volatile => 'yes' }, 400,
          'volatile_invalid', 'volatile that is a string'])
    {
        my ($json, $status, $code, $name) = @$_;
        my $r = notify($json);

        is_deeply([$r->{status}, $r->{json}{code}], [$status, $code],
                  $name);
    }

    is(jobs(), 0, 'none of it is a job');
    is(titles(0.3), '', 'and nobody is told');

    my $r = notify({ deliverAt => 999_999_999_999 });

    is($r->{status}, 202, 'in 29,000 years');

    my $job = job($r->{json}{data}{job})->{json}{data};

    is($job->{state}, 'waiting', 'it waits');
    like($job->{runAt}, qr/^33658-09-27T01:46:39/, 'until then');

    # with a place in the queue before and behind it

    is(notify({ deliverAt => time + 1, title => 'soon' })->{status}, 202,
       'and one that is soon');
    is($c->event('notification', 10)->{title}, 'soon', 'comes');

    is(notify({ deliverAt => 1, title => 'past' })->{json}{data}{online}, 1,
       'in 1970');
    is(titles(), 'past', 'is now');
}


# -- ids that are known

sub collisions {
    my $id = $t->uuid('twice');
    my $at = time + 3;

    is(notify({ id => $id, deliverAt => $at, title => 'first' })->{status},
       202, 'an id');
    is(notify({ id => uc $id, deliverAt => $at + 3600,
                title => 'other' })->{status},
       202, 'the same, with another content and time');
    is_deeply(notify({ id => $id, userId => undef, all => $true,
                       title => 'all' })->{json}{data},
              { id => $id, job => $id }, 'the same, for everybody');
    is(job($id)->{json}{data}{kind}, 'notify', 'the first is what counts');
    is($c->event('notification', 15)->{title}, 'first', 'it comes');

    ok(Test::Realtime::wait_for(10, sub {
        job($id)->{json}{data}{state} eq 'done'
    }), 'and is done');
    is(notify({ id => $id, deliverAt => time + 1 })->{status}, 202,
       'what was done');
    is(titles(3), '', 'is not done again');

    my $known = $t->uuid('known');

    notify({ id => $known, title => 'at once' });
    is(titles(), 'at once', 'an id of a notification');
    is(notify({ id => $known, deliverAt => time + 1,
                title => 'later' })->{status}, 202, 'may be one of a job');
    ok(Test::Realtime::wait_for(10, sub {
        job($known)->{json}{data}{state} eq 'done'
    }), 'which is done');
    is(titles(), '', 'and tells nobody what he has');
}


# -- who asks, and for what

sub strangers {
    my $user = $t->token($alice);
    my %n = (userId => $alice, type => 'x', title => 'T', message => 'M',
             deliverAt => time + 60);

    for ([GET => 'jobs/' . $t->uuid('twice')],
         [POST => 'notifications', \%n],
         [POST => "rooms/user:$alice/emit", { event => 'e' }])
    {
        my ($method, $path, $json) = @$_;
        my @body = $json ? (json => $json) : ();

        is($t->http($method => "$base/$path", @body)->{status}, 401,
           "$path: no credentials");
        is($t->http($method => "$base/$path", @body, token => $user)
             ->{json}{code}, 'service_not_allowed', 'those of a user');
        is($t->http($method => "$base/$path", @body, token => "$service.x")
             ->{status}, 403, 'a token that is none');
        is($t->http($method => "$base/$path", @body,
                    cookie => "accessToken=$service")->{status}, 401,
           'in a cookie');
        is($t->http(DELETE => "$base/$path", token => $service)->{status},
           405, 'another method');
    }

    for ($t->uuid('a job of nobody'), 'x', '%01', 'a' x 36, 'a' x 5000,
         $t->uuid('twice') . '0', "'; drop table realtime.jobs; --")
    {
        my $id = s/([ ';])/sprintf '%%%02x', ord $1/ger;
        my $r = job($id);

        is_deeply([$r->{status}, $r->{json}{code}], [404, 'job_not_found'],
                  'no job: ' . substr $id, 0, 40);
    }

    is(job(uc $t->uuid('twice'))->{status}, 200, 'in capitals it is one');
}


# -- what somebody has put into the table: columns, code

sub rows {
    my $note = q('{"type": "x", "title": "T", "message": "M"}');
    my $emit = sub {
        my (%o) = @_;
        my $json = encode_json({ user => $alice, event => 'e', %o });

        return "'emit', '{}', '" . $json =~ s/'/''/gr . "', null";
    };

    my @rows = (
        ["'notify', null, $note, null", 'receivers_invalid', 'no users'],
        ["'notify', '{}', $note, null", 'receivers_invalid', 'nobody'],
        ["'notify', '{null}', $note, null", 'receivers_invalid',
         'a user that is NULL'],
        ["'notify', (select array_agg(gen_random_uuid())
                     from generate_series(1, 10001)), $note, null",
         'receivers_too_many', '10,001 users'],
        ["'notify', '{$alice}', null, null", 'payload_invalid', 'nothing'],
        ["'notify', '{$alice}', '[]', null", 'payload_invalid', 'an array'],
        ["'notify', '{$alice}', '\"x\"', null", 'payload_invalid',
         'a string'],
        ["'notify', '{$alice}', '{}', null", 'type_invalid', 'no members'],
        ["'notify', '{$alice}', '{\"type\": {}, \"title\": 1}', null",
         'type_invalid', 'members of other types'],
        ["'notify', '{$alice}', '{\"type\": \"x\", \"title\": \"a\\u0000\",
           \"message\": \"M\"}', null", 'title_invalid', 'NUL'],
        ["'notify', '{$alice}', '{\"type\": \"x\", \"title\": \"\\ud800\",
           \"message\": \"M\"}', null", 'title_invalid',
         'half of a character'],
        ["'notify', '{$alice}', '{\"type\": \"x\", \"title\": \"T\",
           \"message\": \"M\", \"volatile\": \"maybe\"}', null",
         'volatile_invalid', 'volatile, perhaps'],
        ["'notify', '{$alice}', json_build_object('type', 'x', 'title', 'T',
           'message', repeat('x', 5000)), null", 'message_invalid',
         'a long message'],
        ["'notify', '{$alice}', json_build_object('type', 'x', 'title',
           repeat('x', 5000000)), null", 'payload_too_large',
         'five megabytes'],
        ["'notify', '{$alice}', (repeat('[', 200) || repeat(']', 200))::json,
          null", 'payload_invalid', 'deep JSON'],
        ["'notify', '{$alice}', $note, '[]'", 'data_invalid',
         'data that is an array'],
        ["'notify', '{$alice}', $note,
          json_build_object('x', repeat('x', 1000000))", 'data_too_large',
         'a megabyte of data'],
        ["'broadcast', null, '{\"type\": \"X\"}', null", 'type_invalid',
         'a broadcast of nothing'],

        [$emit->(user => undef), 'room_invalid', 'an event for nobody'],
        [$emit->(user => ''), 'room_invalid', 'for nobody, again'],
        [$emit->(user => 1), 'room_invalid', 'for a number'],
        [$emit->(user => "a\nb"), 'room_invalid', 'for a control'],
        [$emit->(user => "a\0b"), 'room_invalid', 'for NUL'],
        [$emit->(user => 'x' x 129), 'room_invalid', 'for a long name'],
        [$emit->(user => "$alice,/admin"), 'room_invalid',
         'for a namespace'],
        [$emit->(event => undef), 'event_invalid', 'an event without a name'],
        [$emit->(event => ''), 'event_invalid', 'with an empty name'],
        [$emit->(event => 7), 'event_invalid', 'with a number'],
        [$emit->(event => ['x']), 'event_invalid', 'with an array'],
        [$emit->(event => 'disconnect'), 'event_invalid', 'a reserved one'],
        [$emit->(event => 'x' x 200), 'event_invalid', 'with a long name'],
        ["'emit', null, json_build_object('user', '$alice', 'event', 'e',
           'payload', repeat('x', 400000)), null", 'payload_too_large',
         'with much to say'],
        ["'emit', null, '{\"user\": \"$alice\", \"event\": \"\\ud800\"}',
          null", 'event_invalid', 'half of a character'],
    );

    my $before = failed();
    my @ids;

    $t->sql("insert into users (id) values ('$alice')");

    for my $i (0 .. $#rows) {
        my $id = $t->uuid("row $i");

        $t->allow(qr/job $id was given up/);
        $t->sql("insert into realtime.jobs (id, kind, users, payload, data,
                                            total)
                 values ('$id', $rows[$i][0], 1)");
        push @ids, $id;
    }

    # behind all of them

    $t->sql("select realtime.notify_user('$alice', 'x', 'good', 'M'),
                    realtime.emit('user:$alice', 'e', '1')");

    is($c->event('notification', 30)->{title}, 'good',
       'the job behind them is done');
    is(($c->event('e', 10))[0], 1, 'and the next');

    for my $i (0 .. $#rows) {
        my (undef, $code, $name) = @{$rows[$i]};
        my $job = job($ids[$i])->{json}{data};

        is_deeply([@$job{qw( state error )}], ['failed', $code], $name);
    }

    is(failed() - $before, scalar @rows, 'each is counted');

    my $log = $t->log;

    is(scalar(grep { (() = $log =~ /job $_ was given up/g) != 1 } @ids), 0,
       'and has one line in the log');
    is(titles(2), '', 'nobody was told');
}


# -- what Postgres itself could choke on, when all jobs are claimed

sub poison {
    my $note = q('{"type": "x", "title": "odd", "message": "M"}');

    for (["attempts", 2147483647, 'too_many_attempts'],
         ["attempts", -2147483648, undef],
         ["expires_at", "'infinity'", undef],
         ["expires_at", "'-infinity'", 'expired'],
         ["expires_at", "'4713-01-01 BC'", 'expired'],
         ["expires_at", "'290000-01-01'", undef],
         ["run_at", "'-infinity'", undef],
         ["lease_until", "'-infinity'", undef],
         ["created_at", "'infinity'", undef],
         ["done", 2147483647, undef],
         ["total", -1, undef])
    {
        my ($column, $value, $error) = @$_;
        my $id = $t->uuid("odd $column $value");
        my $total = $column eq 'total' ? '' : ', total';
        my $one = $total ? ', 1' : '';

        $t->allow(qr/job $id was given up/) if $error;
        $t->sql("insert into realtime.jobs
                     (id, kind, users, payload, $column$total)
                 values ('$id', 'notify', '{$alice}', $note, $value$one)");

        my $job;

        ok(Test::Realtime::wait_for(15, sub {
            $job = job($id)->{json}{data};
            $job->{state} eq ($error ? 'failed' : 'done')
        }), "$column of $value") or diag(encode_json($job));
        is($job->{error}, $error, $error ? 'is given up' : 'does no harm');
        titles(0.2);
    }

    # never, and a kind that only an owner of the table can make

    my $never = $t->uuid('never');
    my $odd = $t->uuid('odd');

    $t->allow(qr/job $odd was given up/);
    $t->sql("insert into realtime.jobs (id, kind, users, payload, run_at)
             values ('$never', 'notify', '{$alice}', $note, 'infinity');
             alter table realtime.jobs drop constraint jobs_kind;
             insert into realtime.jobs (id, kind, users, payload)
             values ('$odd', 'night', '{$alice}', $note)");

    ok(Test::Realtime::wait_for(15, sub {
        (job($odd)->{json}{data}{error} // '') eq 'kind_unknown'
    }), 'an unknown kind');
    is(job($never)->{json}{data}{state}, 'waiting', 'what is never due');
    is(job($never)->{json}{data}{runAt}, undef, 'has no time');
    is(titles(), '', 'nobody was told');

    # the claim that failed would say so

    unlike($t->log, qr/postgres refused/, 'Postgres had nothing to refuse');
    unlike($t->log, qr/exited on signal/, 'no worker died');

    $t->sql("select realtime.emit('user:$alice', 'e', '2')");
    is(($c->event('e', 10))[0], 2, 'and all goes on');
}
