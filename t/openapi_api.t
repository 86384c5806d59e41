#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# What docs/openapi.yaml says of the routes for back ends, the tag "server", is
# what "realtime_api" does: each status is made here and has its shape.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::JWT qw( jwt_encode );
use Test::Realtime::Schema;

my $t = Test::Realtime->new(workers => 2, server => <<'EOT')->start;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
        }

        location /realtime/api/ {
            realtime_api;
            realtime_api_key HS256 file:%%KEY%%;
            client_max_body_size 10k;
        }
EOT

my $doc = Test::Realtime::Schema->new('docs/openapi.yaml');
my $service = jwt_encode({ alg => 'HS256', key => $t->secret }, {});
my %seen;


sub call {
    my ($method, $path, $status, %o) = @_;

    my $url = $path =~ s/\{\w+\}/$o{id} \/\/ 'ann'/er;
    my $r = $t->http($method, "/realtime/api$url", token => $service,
                     map { exists $o{$_} ? ($_ => $o{$_}) : () }
                         qw( json body headers token ));

    return answer($method, $path, $status, $r);
}

sub answer {
    my ($method, $path, $status, $r) = @_;

    my $known = $doc->doc->{paths}{$path}{lc $method}{responses}{$status};
    my $name = "$method $path: $status";

    return $r->{status} == $status if $seen{$name} || !$known;

    $seen{$name} = 1;
    is($r->{status}, $status, $name);

    $known = $doc->at($known);

    is_deeply([$doc->check($known->{content}{'application/json'}{schema},
                           $r->{json})], [], 'as documented')
        or diag($r->{body});

    ok(defined $r->{headers}{lc $_}, $_)
        for sort keys %{$known->{headers} // {}};

    return 1;
}


my ($user, $count) = ('/users/{id}', '/users/count');
my $kick = '/users/{id}/disconnect';
my $revoke = '/tokens/revoke';
my $emit = '/rooms/{room}/emit';
my %big = (body => '{"a":"' . 'x' x 11_000 . '"}',
           headers => { 'Content-Type' => 'application/json' });
my %form = (body => 'a=b', headers => { 'Content-Type' => 'text/plain' });
my $ann = $t->connect('ann');

call(GET => $user, 200);
call(GET => $user, 400, id => 'x' x 129);
call(GET => $count, 200);
call(POST => $emit, 202, id => 'user:ann', json => { event => 'x' });
call(POST => $emit, 200, id => 'user:nobody',
     json => { event => 'x', ackTimeout => 1000 });
call(POST => $emit, 400, json => { event => 'x' });
call(POST => $kick, 202, json => {});
call(POST => $kick, 400, json => { reason => 1 });
call(POST => $revoke, 200, json => { userId => 'ann' });
call(POST => $revoke, 400, json => {});

my $notify = '/notifications';
my %n = (userId => 'ann', type => 'x', title => 'y', message => 'z');

# there is no database: only what is volatile

call(POST => $notify, 202, json => { %n, volatile => JSON::PP::true });
call(POST => $notify, 400, json => {});
call(POST => $notify, 503, json => { %n, userId => $t->uuid('ann') });

my $job = '/jobs/{id}';

call(GET => $job, 404, id => 'x');
call(GET => $job, 503, id => $t->uuid('a job'));

for ([GET => $user], [GET => $count], [POST => $kick], [POST => $revoke],
     [POST => $emit], [POST => $notify], [GET => $job])
{
    call(@$_, 401, token => undef);
    call(@$_, 403, token => 'x');

    next if $_->[0] eq 'GET';

    call(@$_, 413, %big, id => 'user:ann');
    call(@$_, 415, %form, id => 'user:ann');
}

for (1 .. 4000) {
    my $r = $t->post("/realtime/api$revoke", token => $service,
                     json => { jti => "j$_" });

    next if $r->{status} == 200;

    answer(POST => $revoke, 507, $r);
    last;
}


# one worker is stuck: who asks the other one is told so

my ($stuck) = $t->workers;

kill STOP => $stuck;

for ([GET => $user], [POST => $kick],
     [POST => $emit, { event => 'x', ackTimeout => 1 }])
{
    my ($method, $path, $json) = @$_;

    for (1 .. 40) {
        my $r = $t->http($method, '/realtime/api' . $path =~ s/\{id\}/ann/r
                                        =~ s/\{room\}/user:ann/r,
                         token => $service, timeout => 2,
                         $method eq 'POST' ? (json => $json // {}) : ());

        last if $r->{status} == 503 && answer($method, $path, 503, $r);
    }
}

kill CONT => $stuck;


# and with a database

my $stored = Test::Realtime->new(database => 1, server => <<'EOT')->start;
        location /realtime/api/ {
            realtime_api;
            realtime_api_access nginx;
        }
EOT

my $later = $stored->post('/realtime/api/notifications',
                          json => { %n, userId => $stored->uuid('ann'),
                                    deliverAt => time + 60 });

is_deeply([$doc->check('#/components/schemas/NotifiedReply',
                       $later->{json})], [], 'a job, as documented');
answer(GET => $job, 200,
       $stored->get("/realtime/api/jobs/$later->{json}{data}{job}"));


my (%documented, %paths);

for my $path (keys %{$doc->doc->{paths}}) {
    for my $method (keys %{$doc->doc->{paths}{$path}}) {
        my $o = $doc->doc->{paths}{$path}{$method};

        next if !grep { $_ eq 'server' } @{$o->{tags} // []};

        $paths{uc($method) . ' ' . $path =~ s/\{\w+\}/:/gr} = 1;
        $documented{uc($method) . " $path: $_"} = 1
            for keys %{$o->{responses}};
    }
}

is_deeply([sort keys %seen], [sort keys %documented],
          'each status of each operation was seen');

my $source = do { local (@ARGV, $/) = 'src/api/ngx_realtime_api.c'; <> };
my %routes = map { $_ => 1 }
             map { join ' ', @$_ }
             map { [m/NGX_HTTP_(\w+), ngx_string\("([^"]+)"\)/] }
             $source =~ /(\{ NGX_HTTP_\w+, ngx_string\("[^"]+"\))/g;

is_deeply([sort keys %paths], [sort keys %routes], 'and no route is missing');

done_testing();
