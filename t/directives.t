#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# What cannot be right in a configuration stops nginx with a sentence that
# says what to write instead, and every directive is in the manual.  Keys,
# claims and token sources have their own table: auth_conf.t.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new;

my $zone = 'realtime_zone main 16m;';
my $database = 'realtime_database host=/run/postgresql;';
my $key = 'realtime_jwt_key HS256 file:%%KEY%%;';
my $service = 'realtime_api_key HS256 file:%%KEY%%;';

my $number = qr/invalid number of arguments in "realtime_\w+" directive/;
my $context = qr/"realtime_\w+" directive is not allowed here/;
my $duplicate = qr/"realtime_\w+" directive is duplicate/;
my $value = qr/"realtime_\w+" directive invalid value/;
my $zero = qr/"realtime_\w+" directive must be more than 0/;
my $size = qr/is not a size, write for example 64m/;
my $small = qr/is too small, at least 16m is needed/;
my $empty = qr/"realtime_users" directive has an empty name/;
my $table = qr/cannot be the name of the users' table: it is made of/;
my $column = qr/cannot be the name of the users' column: it is made of/;
my $host = qr/names no host: add host=/;
my $resolve = qr/would have to be resolved, .* add hostaddr= with its IP/;
my $libpq = qr/is not one for libpq: /;
my $after = qr/unknown parameter "[^"]+": after the conninfo come conn/;
my $connections = qr/each worker can have 1 to 100 connections/;
my $queue = qr/1 to 1000000 statements can wait for a connection/;
my $timeout = qr/the timeout of a statement is a time from 100ms to 10m/;
my $shared = qr/cannot share a location with "realtime_status"/;
my $alone = qr/"realtime_status" directive must be alone in its location/;
my $format = qr/"xml" is no format, write "json" or "prometheus"/;
my $echo = qr/"[^"]*" is unknown, there are "echo=engine" and "echo=socketio"/;
my $aid = qr/is a test aid and cannot share a location with "realtime_chat"/;
my $namespace = qr/is no namespace, write for example "\/admin"; "\/" is alw/;
my $no_zone = qr/needs a zone, write "realtime_zone main 64m;" in the http/;
my $no_key = qr/need a key to check tokens with, write for example/;
my $no_service = qr/"realtime_api" needs to know its services, write /;
my $role = qr/"realtime_api_role" takes the name of a role and claim=NAME/;
my $role_key = qr/"realtime_api_role" needs a key to check tokens with/;
my $access = qr/"realtime_api_access" is "token", or "nginx" if its allow/;
my $api = qr/cannot share a location with "realtime_api"/;
my $lonely = qr/"realtime_api" directive must be alone in its location/;
my $no_database = qr/"realtime_chat" needs a database, write for example/;
my $origin = qr/is not an origin: write scheme:\/\/host or scheme:/;
my $socket = qr/is the address of a socket: write the origin of the pages/;
my $star = qr/"\*" in "realtime_allowed_origins" must stand alone/;
my $twice = qr/"realtime_allowed_origins" has the origin "[^"]+" twice/;
my $rate = qr/is no rate, write for example "message=20r\/s burst=40 conve/;
my $flag = qr/"yes" in "realtime_\w+" .* "on" or "off"/;


# The http block, whole.  undef: nginx starts, without a warning.

my @http = (
    ['realtime_zone main 16m', undef],
    ['realtime_zone main 8m', $small],
    ['realtime_zone "" 16m', qr/needs a name/],
    ['realtime_zone main', $number],
    ['realtime_zone main 16m 16m', $number],
    ['realtime_zone main 16x', $size],
    ['realtime_zone main -16m', $size],
    ['realtime_zone main 1g', $size],
    ['realtime_zone main 0', $small],
    ['realtime_zone main 8191k', $small],
    ["$zone realtime_zone b 16m", qr/duplicate: one zone serves all servers/],
    ["$zone limit_req_zone \$uri zone=main:16m rate=1r/s",
     qr/zone "main" is already declared for a different use/],

    ["$database realtime_users people", undef],
    ["$database realtime_users app.people user_id", undef],
    ["$database realtime_users _A1", undef],
    ["$database realtime_users", $number],
    ["$database realtime_users a b c", $number],
    ["$database realtime_users a; realtime_users a", $duplicate],
    ["$database realtime_users ''", $empty],
    ["$database realtime_users a ''", $empty],
    (map { ["$database realtime_users $_", $table] }
         qw( "a;b" a"b 1a a.b.c a. .a )),
    ["$database realtime_users a b.c", $column],

    ['realtime_drain_timeout 0', undef],
    ['realtime_drain_timeout 1m', undef],
    ['realtime_drain_timeout', $number],
    ['realtime_drain_timeout soon', $value],
    ['realtime_drain_timeout -1', $value],
    ['realtime_drain_timeout 1s; realtime_drain_timeout 1s', $duplicate],

    ['realtime_presence_grace 0', undef],
    ['realtime_presence_grace 1m', undef],
    ['realtime_presence_grace', $number],
    ['realtime_presence_grace soon', $value],
    ['realtime_presence_grace -1', $value],
    ['realtime_presence_grace 1s; realtime_presence_grace 1s', $duplicate],

    (map { ["realtime_database $_", undef] }
         ('"host=/run/postgresql dbname=chat"', 'host=::1',
          'postgres://u:s3s3@127.0.0.1/chat', 'host=localhost,10.0.0.1',
          '"host=db.example.com hostaddr=10.0.0.1"',
          'host=/a timeout=10m connections=100 queue=1',
          'host=/a identify=on', 'host=/a identify=off')),
    ['realtime_database', $number],
    ['realtime_database ""', $host],
    ['realtime_database dbname=chat', $host],
    ['realtime_database host=db.example.com', $resolve],
    ['realtime_database postgres://db/chat', $resolve],
    ['realtime_database host=10.0.0.1,db', $resolve],
    ['realtime_database service=chat',
     qr/not supported: write out what the service file says/],
    ['realtime_database nonsense', $libpq],
    ['realtime_database "host=/a password=s3s3 x=y"', $libpq],
    ['realtime_database host=/a dbname=chat', $after],
    (map { ["realtime_database host=/a connections=$_", $connections] }
         ('0', '101', '-1', 'x', '')),
    (map { ["realtime_database host=/a queue=$_", $queue] }
         ('0', '1000001', 'x')),
    (map { ["realtime_database host=/a timeout=$_", $timeout] }
         ('99ms', '11m', '0', 'x')),
    ['realtime_database host=/a identify=yes', $after],
    ["$database $database", $duplicate],
);

# what a location serves: http block and server block

my @serves = (
    ["$zone $database", "$key location / { realtime_socket; }", undef],
    ["$zone $database",
     "$key location / { realtime_chat; realtime_socket; }", undef],
    [$zone, 'location / { realtime_socket echo=engine; }', undef],
    [$zone, 'location / { realtime_socket echo=socketio; }', undef],
    [$zone, 'location / { realtime_status; }', undef],
    [$zone, 'location / { realtime_status prometheus; }', undef],
    [$zone, "$key location / { realtime_socket; realtime_chat; "
            . 'realtime_message_relay on; }', undef],
    [$zone, "$key location / { realtime_socket; realtime_chat; }",
     $no_database],
    [$zone, "$key location / { realtime_chat; realtime_message_relay on; }",
     $no_database],
    [$zone, "location / { realtime_api; $service }", undef],
    [$zone, "$service location / { realtime_api; }", undef],
    [$zone, 'location / { realtime_api; realtime_api_access nginx; }', undef],
    [$zone, "$key realtime_api_role s; location / { realtime_api; }", undef],
    [$zone, "location / { realtime_api; }", $no_service],
    [$zone, "$key location / { realtime_api; }", $no_service],
    [$zone, 'location / { realtime_api; realtime_api_access token; }',
     $no_service],
    [$zone, 'location / { realtime_api; realtime_api_role s; }', $role_key],
    ['', "location / { realtime_api; $service }", $no_zone],
    ['', "$key location / { realtime_socket; }", $no_zone],
    ['', "$key location / { realtime_chat; }", $no_zone],
    ['', 'location / { realtime_socket echo=engine; }', $no_zone],
    ['', 'location / { realtime_status; }', $no_zone],
    ["$zone $database", 'location / { realtime_socket; }', $no_key],
    ["$zone $database", 'location / { realtime_chat; }', $no_key],
);

# a location beside which everything is as it should be

push @serves, map { ["$zone $database", "$key location / { $_->[0]; }",
                     $_->[1]] } (
    (map { ["realtime_socket $_", $echo] }
         ('on', 'echo', 'echo=', 'echo=Engine', 'echo=engine.io', "''")),
    ['realtime_socket echo=engine echo=engine', $number],
    ['realtime_socket echo=engine; realtime_chat', $aid],
    ['realtime_chat; realtime_socket echo=socketio', $aid],
    ['realtime_socket echo=engine; realtime_status', $alone],
    ['realtime_chat on', $number],
    ['realtime_status json json', $number],
    ['realtime_status xml', $format],
    ['realtime_socket; realtime_socket', $duplicate],
    ['realtime_chat; realtime_chat', $duplicate],
    ['realtime_status; realtime_status', $alone],
    ['realtime_socket; realtime_status', $alone],
    ['realtime_chat; realtime_status', $alone],
    ['realtime_status; realtime_socket', $shared],
    ['realtime_status; realtime_chat', $shared],
    ['realtime_api; realtime_chat', $api],
    ['realtime_api; realtime_socket', $api],
    ['realtime_api; realtime_status', $alone],
    ['realtime_chat; realtime_api', $lonely],
    ['realtime_socket; realtime_api', $lonely],
    ['realtime_status; realtime_api', $lonely],
    ['realtime_api; realtime_api', $lonely],
    ['realtime_api on', $number],
    ['if ($uri) { realtime_socket; }', $context],
    ['if ($uri) { realtime_ping_timeout 1s; }', $context],
);

# the server block

push @serves, map { ["$zone $database", "$_->[0];", $_->[1]] } (
    (map { ["realtime_$_", $context] }
         ('zone b 16m', 'database host=/a', 'users a', 'drain_timeout 1s',
          'presence_grace 1s',
          'socket', 'chat', 'api', 'status')),

    (map { my $name = $_; map { ["realtime_$name $_->[0]", $_->[1]] }
               (['1s', undef], ['500ms', undef], ['', $number], ['0', $zero],
                ['0ms', $zero], ['1x', $value], ['-1', $value],
                ["1s; realtime_$name 1s", $duplicate]) }
         qw( ping_interval ping_timeout connect_timeout upgrade_timeout )),

    (map { ["realtime_auth_expiring $_->[0]", $_->[1]] }
         (['1s', undef], ['90000ms', undef], ['0', undef], ['off', undef],
          ['', $number], ['1s off', $number], ['soon', $value],
          ['-1', $value], ['OFF', $value],
          (map { ["$_->[0]; realtime_auth_expiring $_->[1]", $duplicate] }
               ['1s', '1s'], ['1s', 'off'], ['off', '1s'], ['off', 'off']))),

    (map { my $name = $_; map { ["realtime_$name $_->[0]", $_->[1]] }
               (['64k', undef], ['2m', undef], ['', $number], ['0', $zero],
                ['1x', $value], ['1.5m', $value],
                ["1m; realtime_$name 1m", $duplicate]) }
         qw( max_payload send_limit )),

    (map { ["realtime_compression_threshold $_->[0]", $_->[1]] }
         (['0', undef], ['1', undef], ['4k', undef], ['', $number],
          ['1x', $value], ['-1', $value], ['1.5k', $value],
          ['1k; realtime_compression_threshold 1k', $duplicate])),
    (map { ["realtime_compression $_->[0]", $_->[1]] }
         (['on', undef], ['off', undef], ['', $number], ['yes', $flag],
          ['on 1k', $number], ['on; realtime_compression on', $duplicate])),
    ['if ($uri) { realtime_compression on; }', $context],

    (map { ["realtime_namespaces $_", undef] }
         ('/admin', '/a /b/c /é', "'/with space'", '/a-b_c.d~', '//',
          '/' . 'a' x 254)),
    (map { ["realtime_max_connections_per_user $_", undef] }
         qw( 0 1 1000 )),
    ['realtime_max_connections_per_user', $number],
    ['realtime_max_connections_per_user x', qr/invalid number/],
    ['realtime_max_connections_per_user -1', qr/invalid number/],
    (map { ["realtime_event_rate $_", undef] }
         ('off', 'message=20r/s', 'message=1r/m burst=1 typing=10000r/s',
          'conversation=10r/m presence=2r/s burst=100000')),
    ['realtime_event_rate', $number],
    (map { ["realtime_event_rate $_", $rate] }
         ('message', 'message=', 'message=5', 'message=5/s', 'message=0r/s',
          'message=-1r/s', 'message=1.5r/s', 'message=10001r/s',
          'message=r/s', 'message=5r/h', 'Message=5r/s', 'nothing=5r/s',
          'message=5r/s message=6r/s', 'burst=5', 'burst=5 message=5r/s',
          'message=5r/s burst=0', 'message=5r/s burst=100001',
          'message=5r/s burst=5 burst=5', 'message=5r/s off', "''")),
    ['realtime_event_rate off; realtime_event_rate off', $duplicate],
    ['realtime_namespaces', $number],
    (map { ["realtime_namespaces $_", $namespace] }
         ("''", '/', 'admin', 'admin/', '/a,b', '/a?b', "'/a\"b'", '/a /',
          '/' . 'a' x 255)),
    ['realtime_namespaces /a; realtime_namespaces /b', $duplicate],
    (map { ["realtime_allowed_origins $_", undef] }
         ('*', 'null', 'https://app.example.com', 'http://localhost:3000',
          'https://*.example.com https://example.com null',
          'HTTPS://App.Example.COM:8443', 'http://[::1]:3000',
          'http://127.0.0.1', 'capacitor://localhost',
          'https://a.example.com https://a.example.com:8443',
          'https://*.com https://com')),
    ['realtime_allowed_origins', $number],
    ['if ($uri) { realtime_allowed_origins *; }', $context],
    ['realtime_allowed_origins *; realtime_allowed_origins *', $duplicate],
    (map { ["realtime_allowed_origins $_", $origin] }
         ("''", 'app.example.com', 'https://', 'https://a/', 'https://a/b',
          '//a', 'https:/a', 'https://a:', 'https://a:0', 'https://a:65536',
          'https://a:080', 'https://a:x', 'https://u@a', 'https://u:p@a',
          'https://a.', 'https://.a', 'https://a..b', 'https://a?b',
          "'https://a b'", 'https://é', 'https://*', 'https://*.',
          'https://*a.b', 'https://a.*.b', 'https://a.*',
          'https://*.*.a', 'https://*.[::1]', 'https://[::1',
          'https://[::x]', '*://a', '*.example.com', 'self', 'NULL',
          '~^https://')),
    (map { ["realtime_allowed_origins $_", $socket] }
         qw( ws://a wss://a WSS://a:1 )),
    (map { ["realtime_allowed_origins $_", $star] }
         ('* null', 'https://a *', '* *')),
    (map { ["realtime_allowed_origins $_", $twice] }
         ('null null', 'https://a https://A', 'https://a https://a:443',
          'http://*.a:80 http://*.a')),

    (map { ["realtime_api_role $_->[0]", $_->[1]] }
         (['service', undef], ['service claim=roles', undef],
          ['', $number], ["''", $role], ['s roles', $role],
          ['s claim=', $role], ['s claim=a b', $number],
          ['s; realtime_api_role s', $duplicate])),
    (map { ["realtime_api_access $_->[0]", $_->[1]] }
         (['token', undef], ['nginx', undef], ['', $number], ['off', $access],
          ['nginx token', $number],
          ['nginx; realtime_api_access nginx', $duplicate])),
    (map { ["realtime_revocation_time $_->[0]", $_->[1]] }
         (['1d', undef], ['', $number], ['0', $zero], ['x', $value],
          ['1d; realtime_revocation_time 1d', $duplicate])),
    ['realtime_api_key none secret:x', qr/does not know the algorithm "none"/],
    ['realtime_api_key RS256 secret:s3s3', qr/must be file:PATH of a PEM/],

    ['realtime_message_relay on', undef],
    ['realtime_message_relay', $number],
    ['realtime_message_relay yes', $flag],
    ['realtime_message_relay on; realtime_message_relay on', $duplicate],
    ['realtime_relay on', qr/unknown directive "realtime_relay"/],
);


check("$_->[0];", '', $_->[1]) for @http;
check(@$_) for @serves;

manual();

# what nginx said is no news by now

$t->allow(qr/\[emerg\]/);
done_testing();


sub check {
    my ($http, $server, $expected) = @_;

    $t->{http} = "$http\n";
    $t->{server} = "$server\n";

    my ($status, $text) = $t->check_conf;
    my $name = $server eq '' ? $http : $http eq '' ? "(no zone) $server"
               : $server;

    if (!defined $expected) {
        ok($status == 0 && $text !~ /\[(?:warn|emerg)\]/, "taken: $name")
            or diag($text);

    } else {
        ok($status != 0 && $text =~ $expected && $text !~ /s3s3/,
           "refused: $name")
            or diag("looked for $expected in: $text");
    }
}


# docs/directives.md has a heading for each, with the contexts of the table

sub manual {
    my $source = slurp('ngx_realtime_module.c');
    my $manual = slurp('docs/directives.md');

    my ($commands) = $source =~ /_commands\[\] = (.*?)ngx_null_command/s;
    my ($variables) = $source =~ /_variables\[\] = (.*?)ngx_http_null/s;

    my %directive = $commands =~ /ngx_string\("(\w+)"\),\s*(\S+)\|NGX_CONF/g;
    my %section = $manual =~ /^\#\#\#[ ](realtime_\w+)\n
                              (.*?)(?=^\#|\z)/xsmg;

    is_deeply([sort keys %section], [sort keys %directive],
              'the manual has the directives of the module');

    for my $name (sort keys %directive) {
        my ($is) = ($section{$name} // '') =~ /^- Context: (.*)\n/m;

        is($is, contexts($directive{$name}), "$name: its context");
        like($section{$name}, qr/^- Syntax: `$name\b.*;`\n- Default: /sm,
             "$name: its syntax and its default");
    }

    is_deeply([sort $manual =~ /^### \$(\w+)$/mg],
              [sort $variables =~ /ngx_string\("(\w+)"\)/g],
              'and its variables');
}


sub contexts {
    my ($flags) = @_;

    return '`http`, `server`, `location`' if $flags =~ /ANY_CONF/;
    return '`http`' if $flags =~ /NGX_HTTP_MAIN_CONF/;
    return '`location`';
}


sub slurp {
    my ($path) = @_;

    open my $fh, '<', "$Test::Realtime::ROOT/$path" or die "$path: $!";
    local $/;

    return scalar <$fh>;
}
