#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Whoever refuses a REST call, the module or nginx itself, does it with the
# envelope of the API and the CORS headers.

use strict;
use warnings;

use IO::Select;
use Test::More;

use lib 't/lib';
use Test::Realtime;

my @codes = (400 .. 408, 409 .. 418, 421 .. 426, 428, 429, 431, 451,
             500 .. 507, 511);
my $returns = join "\n", map { <<EOT } @codes;
        location /return/$_/ { realtime_chat; return $_; }
EOT

my $t = Test::Realtime->new(database => 1, http => <<'EOH',
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=1;
    realtime_jwt_key HS256 file:%%KEY%%;
    realtime_allowed_origins https://app.example.com;
    limit_req_zone $server_name zone=req:1m rate=1r/m;
    client_max_body_size 4k;
EOH
    server => <<"EOS" . <<'EOT');
$returns
EOS
        location /api/chat/ { realtime_chat; }

        location /deny/ { realtime_chat; deny all; }

        location /basic/ {
            realtime_chat;
            auth_basic realm;
            auth_basic_user_file %%DIR%%/users;
        }

        location /request/401/ { realtime_chat; auth_request /auth/401; }
        location /request/403/ { realtime_chat; auth_request /auth/403; }
        location /request/500/ { realtime_chat; auth_request /auth/500; }
        location /auth/401 { return 401; }
        location /auth/403 { return 403; }
        location /auth/500 { return 500; }

        location /503/ { realtime_chat; limit_req zone=req; }

        location /429/ {
            realtime_chat;
            limit_req zone=req;
            limit_req_status 429;
        }

        location /except/ {
            realtime_chat;
            limit_except GET { deny all; }
        }

        location /except-none/ {
            realtime_chat;
            limit_except GET { allow all; }
        }

        location /if/ {
            realtime_chat;
            if ($arg_no) { return 403; }
            if ($arg_set) { set $x y; }
        }

        location /gzip/ {
            realtime_chat;
            gzip on;
            gzip_types application/json;
            gzip_min_length 1;
            return 403;
        }

        location /closed/ { realtime_chat; return 444; }
EOT

$t->file('users', '');
$t->start;

my $app = 'https://app.example.com';
my $token = $t->token($t->uuid('alice'));

my %known = (
    400 => ['bad_request', 'Bad request'],
    401 => ['unauthorized', 'Authentication required'],
    403 => ['access_denied', 'Access denied'],
    404 => ['not_found', 'Not found'],
    405 => ['method_not_allowed', 'Method not allowed'],
    411 => ['length_required', 'Content-Length required'],
    413 => ['body_too_large', 'Request body too large'],
    429 => ['too_many_requests', 'Too many requests, try again later'],
    500 => ['internal', 'Internal error'],
    502 => ['bad_gateway', 'Bad gateway'],
    503 => ['service_unavailable', 'Service unavailable, try again later'],
    504 => ['gateway_timeout', 'Gateway timeout'],
);


sub envelope {
    my ($r, $status, $name) = @_;
    my $h = $r->{headers};

    my ($code, $text) = @{$known{$status} // ($status < 500
        ? ['request_refused', 'Request refused']
        : ['server_error', 'Server error'])};

    is_deeply({
        status => $r->{status}, json => $r->{json},
        length => $h->{'content-length'}, type => $h->{'content-type'},
        retry => $h->{'retry-after'}, cache => $h->{'cache-control'},
        origin => $h->{'access-control-allow-origin'},
        credentials => $h->{'access-control-allow-credentials'},
        vary => $h->{vary},
    }, {
        status => $status, length => length $r->{body},
        json => { status => 'error', code => $code, message => $text },
        type => 'application/json; charset=utf-8',
        retry => $status == 429 || $status == 503 ? 1 : undef,
        cache => 'no-store', origin => $app, credentials => 'true',
        vary => 'Origin',
    }, $name) or diag("$r->{head}\n\n$r->{body}");
}


sub ask {
    my ($method, $path, %o) = @_;

    $o{headers} = { Origin => $app, %{$o{headers} // {}} };

    return $t->http($method, $path, %o);
}


# not the page of a browser, and no padding for the bugs of old ones

my %agent = ('User-Agent' => 'Mozilla/5.0 Chrome/120 MSIE 7.0');

# 408 is a closed connection to nginx, as 444 is

envelope(ask(GET => "/return/$_/", headers => \%agent), $_, "return $_")
    for grep { $_ != 408 } @codes;

is(ask(GET => '/return/408/')->{status}, 0, 'return 408 closes');
is(ask(GET => '/closed/')->{status}, 0, 'return 444 closes');

envelope(ask(GET => '/deny/'), 403, 'deny');
envelope(ask(POST => '/deny/', json => {}), 403, 'deny, a body');
envelope(ask(OPTIONS => '/deny/'), 403, 'deny, OPTIONS');

my $r = ask(GET => '/basic/');

envelope($r, 401, 'auth_basic');
is($r->{headers}{'www-authenticate'}, 'Basic realm="realm"', 'its header');

envelope(ask(GET => "/request/$_/"), $_, "auth_request, $_")
    for 401, 403, 500;
$t->allow(qr/auth request unexpected status/);

is(ask(GET => '/503/', token => $token)->{status}, 404, 'one request');
envelope(ask(GET => '/503/'), 503, 'limit_req');
envelope(ask(GET => '/429/'), 429, 'limit_req_status');

envelope(ask(POST => '/except/', json => {}), 403, 'limit_except, POST');
is(ask(GET => '/except/x', token => $token)->{json}{code},
   'endpoint_not_found', 'limit_except, GET');
is(ask(POST => '/except-none/x', token => $token, json => {})->{json}{code},
   'endpoint_not_found', 'limit_except with allow, POST');

envelope(ask(GET => '/if/?no=1'), 403, 'return in an if');
is(ask(GET => '/if/x?set=1', token => $token)->{json}{code},
   'endpoint_not_found', 'an if that returns nothing');

# bodies

my $messages = '/api/chat/conversations/x/messages';
my %json = ('Content-Type' => 'application/json');

envelope(ask(POST => $messages, body => 'x' x 4097), 413, 'a large body');
envelope(ask(POST => $messages, body => 'x' x 4097, token => $token,
             headers => { %json, Expect => '100-continue' }), 413,
         'one that waits to be wanted');
envelope(ask(POST => $messages, token => $token,
             headers => { %json, 'Transfer-Encoding' => 'chunked' },
             body => $_), 400, 'no chunks: ' . substr $_, 0, 10)
    for "x\r\n", "fffffffffffffffffff\r\n";

# in two pieces, so that nginx finds out when the handler has returned

for (['a large chunk', 413, '1001' . "\r\n" . 'x' x 4097],
     ['no chunk', 400, "-1\r\n"])
{
    my ($name, $status, $body) = @$_;
    my $s = $t->tcp;

    syswrite $s, "POST $messages HTTP/1.1\r\nHost: localhost\r\n"
        . "Origin: $app\r\nAuthorization: Bearer $token\r\n"
        . "Content-Type: application/json\r\nConnection: close\r\n"
        . "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n";
    select undef, undef, undef, 0.1;
    syswrite $s, $body;

    my $text = '';
    while (IO::Select->new($s)->can_read(10)) {
        sysread $s, $text, 65536, length $text or last;
    }

    envelope(Test::Realtime::parse_response($text), $status,
             "$name, later");
}

# however it is asked

$r = ask(HEAD => '/return/403/');

is($r->{status}, 403, 'HEAD');
is($r->{body}, '', 'has no body');
is($r->{headers}{'content-length'},
   length ask(GET => '/return/403/')->{body}, 'and the length of GET');
is($r->{headers}{'content-type'}, 'application/json; charset=utf-8',
   'and its type');

$r = $t->http_raw("GET /return/403/ HTTP/1.0\r\nOrigin: $app\r\n\r\n");
envelope($r, 403, 'HTTP/1.0');

like($t->http_raw("GET /return/403/\r\n")->{head}, qr/^\{"status":"error",/,
     'HTTP/0.9');

$r = ask(GET => '/gzip/', headers => { 'Accept-Encoding' => 'gzip' });

is($r->{headers}{'content-encoding'}, 'gzip', 'gzip');
is($r->{status}, 403, 'and the status');

{
    my $one = "GET /return/404/ HTTP/1.1\r\nHost: a\r\n";
    my $text = $t->http_raw("$one\r\n${one}Connection: close\r\n\r\n");

    like($text->{body}, qr/^\{[^{}]*\}HTTP\/1\.1\ 404\ .*\r\n\r\n\{[^{}]*\}$/xs,
         'two on one connection');
}

$r = $t->get('/return/403/');

is($r->{json}{code}, 'access_denied', 'without an Origin');
is($r->{headers}{'access-control-allow-origin'}, undef, 'nothing of CORS');
is($t->get('/return/403/', headers => { Origin => 'https://x' })
   ->{headers}{'access-control-allow-origin'}, undef, 'to a foreign one');

done_testing();
