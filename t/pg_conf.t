#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Whatever libpq takes as conninfo is taken, unless a worker would have to
# wait for a resolver, or read what is not written here; and what is taken
# connects, whoever tries to change the settings that the module relies on.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(database => 1);
my $dir = $t->{pg}->dir;
(my $escaped = $dir) =~ s/\//%2F/g;

my $resolve = 'would have to be resolved, which blocks a worker: add hostaddr='
              . ' with its IP address, or use an IP address';
my $no_host = 'names no host: add host=/run/postgresql';
my $service = '"service" in "realtime_database" is not supported: write out';
my $more = 'has more entries in hostaddr= than in host=';
my $blanks = 'unknown parameter "password": after the conninfo come';
my $libpq = 'the conninfo of "realtime_database" is not one for libpq: ';

# The environment has no say, and no password gets into the log.

$ENV{PGHOST} = $dir;
$ENV{PGSERVICE} = 'chat';
$t->{server} = '';

for (
    # addresses, directories, and names that come with an address
    ['host=/run/postgresql', undef],
    ['host=@abstract', undef],
    ['host=127.0.0.1', undef],
    ['host=::1', undef],
    ['host=2001:db8::17', undef],
    ['host=localhost', undef],
    ['host=10.0.0.1,10.0.0.2 port=5432,5433', undef],
    ['host=/run,::1,localhost', undef],
    ['hostaddr=10.0.0.1', undef],
    ['host=db.example.com hostaddr=10.0.0.1', undef],
    ['host=db1,db2 hostaddr=10.0.0.1,10.0.0.2', undef],
    ['host=/run,db2 hostaddr=,10.0.0.2', undef],
    ['host=db1,/run hostaddr=10.0.0.1', undef],
    ['postgresql:///chat?host=/run/postgresql', undef],
    ['postgresql://%2Frun%2Fpostgresql/chat', undef],
    ['postgres://user:s3s3@[::1]:5432/chat', undef],
    ['postgres://user:s3s3@10.0.0.1,10.0.0.2/chat', undef],
    [q(host=/run password='s3s3 \\\\' \\\\\\\\' sslmode=require), undef],

    # names
    ['host=db.example.com', $resolve, 'db.example.com'],
    ['host=db', $resolve, 'db'],
    ['host=LOCALHOST', $resolve, 'LOCALHOST'],
    ['host=10.0.0', $resolve, '10.0.0'],
    ['host=10.0.0.256', $resolve, '10.0.0.256'],
    ['host=::g', $resolve, '::g'],
    ['host=10.0.0.1,db', $resolve, 'db'],
    ['host=db,10.0.0.1 password=s3s3', $resolve, 'db'],
    ['host=10.0.0.1,', $resolve, ''],
    ['host=,', $resolve, ''],
    ['postgres://user:s3s3@db.example.com/chat', $resolve, 'db.example.com'],
    ['postgres://10.0.0.1,db/chat', $resolve, 'db'],

    # an address for one name is not one for the other
    ['host=db1,db2 hostaddr=10.0.0.1,', $resolve, 'db2'],
    ['host=db1,db2 hostaddr=,10.0.0.2', $resolve, 'db1'],
    ['host=db1,db2 hostaddr=10.0.0.1', $resolve, 'db2'],
    ['host=db1 hostaddr=10.0.0.1,10.0.0.2', $more],

    # what is read from elsewhere
    ['', $no_host],
    ['dbname=chat user=chat', $no_host],
    ["host=''", $no_host],
    ['postgres:///chat', $no_host],
    ['service=chat', $service],
    ['host=/run service=chat', $service],
    ['postgres://10.0.0.1/?service=chat', $service],

    # not a conninfo
    ['chat', $libpq],
    ['host', $libpq],
    ['host=/run nosuch=1', $libpq],
    ["host=/run dbname='chat", $libpq],
    ['postgres://user:s3s3@10.0.0.1/chat?nosuch=1', $libpq],
    ['postgres://10.0.0.1/%zz', $libpq],
    ['postgres://[::1/chat', $libpq],
    ['host=/run" "password=s3s3', $blanks],
) {
    my ($conninfo, $says, $host) = @$_;

    $t->{http} = "realtime_database \"$conninfo\";\n";

    my ($status, $text) = $t->check_conf;

    if (!defined $says) {
        is($status, 0, "taken: $conninfo") or diag($text);
        next;
    }

    $says = "host \"$host\" in \"realtime_database\" $says"
        if defined $host;

    ok($status && index($text, $says) >= 0 && $text !~ /s3s3/,
       "refused: $conninfo") or diag($text);
}

delete @ENV{qw( PGHOST PGSERVICE )};
$t->allow(qr/\[emerg\]/);
$t->{server} = undef;


# What is taken connects.

my ($alice, $bob) = map { $t->uuid($_) } qw( alice bob );

$t->sql("insert into users (id) values ('$alice'), ('$bob')");

my $title = "\x{20ac}";
my $role = 'dbname=realtime user=realtime';
my @settings = map { "-c $_" } 'idle_session_timeout=50',
    'default_transaction_read_only=on', 'DateStyle=German', 'TimeZone=Japan';

for (
    ["host=$dir $role", 'ngx_realtime'],
    ["host=/nowhere,$dir $role", 'ngx_realtime'],
    ["host=127.0.0.1,$dir port=9,5432 $role", 'ngx_realtime'],
    ["postgresql:///realtime?host=$escaped&user=realtime", 'ngx_realtime'],
    ["host=$dir $role application_name='it\\\\'s \\\\\\\\ mine'",
     q(it's \ mine)],
    ["host=$dir $role options='@settings'", 'ngx_realtime'],
    ["host=$dir $role client_encoding=latin1", 'ngx_realtime'],
) {
    my ($conninfo, $name) = @$_;

    $t->{http} = "    realtime_zone main 16m;\n"
                 . "    realtime_database \"$conninfo\" connections=1;\n";
    $t->start;

    my $r = $t->post('/api/chat/conversations', token => $t->token($alice),
                     json => { participantId => $bob, title => $title });

    like($r->{status}, qr/^20[01]$/, "works: $conninfo") or diag($t->log);
    ok(($r->{json}{data}{title} // '') eq $title, 'in UTF-8');
    like($r->{json}{data}{created_at},
         qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'and UTC');
    is($t->sql("select application_name from pg_stat_activity
                where usename = 'realtime' and pid <> pg_backend_pid()"),
       $name, 'under its name');

    $t->stop;
}

done_testing();
