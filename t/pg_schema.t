#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A schema that is missing is one line in the log, which says what to do, and
# 503 for everybody until it is there; then it works without a restart.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(database => 1, http => <<'EOT')->start;
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=1 timeout=2s;
EOT

my ($alice, $bob) = map { $t->uuid($_) } qw( alice bob );
my $base = '/api/chat/conversations';
my $token = $t->token($alice);

$t->sql("insert into users (id) values ('$alice'), ('$bob')");

my $from = $t->connect($alice);


sub create {
    return $t->post($base, token => $token,
                    json => { participantId => $bob });
}


sub unavailable {
    my ($r, $name) = @_;

    is_deeply([$r->{status}, $r->{json}{code}], [503, 'unavailable'], $name);
}


sub errors { grep { /\[error\]/ } split /\n/, $t->log }


my $id = create()->{json}{data}{id};
my ($sent) = $from->ask('message_send', { conversationId => $id,
                        content => 'x', clientId => 'x' });

is($sent->{status}, 'success', 'all is well');

# it goes while statements are prepared

$t->sql('set client_min_messages = warning; drop schema realtime cascade');

unavailable($t->get($base, token => $token), 'reading without a schema')
    for 1 .. 3;
unavailable(create(), 'writing without a schema');

my ($answer) = $from->ask('message_send', { conversationId => $id,
                          content => 'y', clientId => 'y' });

is($answer->{code}, 'unavailable', 'on the socket too');
cmp_ok($answer->{retryAfter} // 0, '>', 0, 'it may be tried again');

my $text = 'relation "realtime.conversations" does not exist';

is(scalar errors(), 1, 'the log has one line') or diag(errors());
like((errors())[0],
     qr/\Q$text\E, sqlstate: 42P01: were the files in sql\/ applied\?/,
     'which says what to do');

# a connection that begins now finds out while it prepares

$t->sql("select pg_terminate_backend(pid) from pg_stat_activity
         where application_name = 'ngx_realtime'");

ok($t->wait_log(qr{version 1 of the schema, .*: run sql/001_chat.sql and what}),
   'a new connection says which file to run');
unavailable($t->get($base, token => $token), 'still without a schema');

# many attempts later there are no more lines of it

ok(Test::Realtime::wait_for(5, sub {
    3 < (() = $t->log =~ /connection failed: the database has not/g)
}), 'it tries again and again');
is(scalar(grep { /connection failed/ } errors()), 1, 'one error line in all')
    or diag(errors());

sub run {
    system('psql', '-qX', '-v', 'ON_ERROR_STOP=1', $t->postgres, '-f', $_)
        == 0 or die "psql: $?" for @_;
}


# one file after the other: what is missing is said, each time

run('sql/001_chat.sql');
$t->sql('grant usage on schema realtime to chat;
         grant select on realtime.schema_migrations to chat');

ok($t->wait_log(qr{version 2 of the schema, .* up to \d+: run sql/002_receipts}),
   'a schema that is too old: the next file is named');
unavailable($t->get($base, token => $token), 'and nobody is served');

my @files = sort glob 'sql/[0-9]*.sql';

run(@files, 'sql/roles.sql');

ok(Test::Realtime::wait_for(10, sub {
    $t->get($base, token => $token)->{status} == 200
}), 'with the schema reading works, without a restart');
is(create()->{status}, 201, 'and writing');
like($t->log, qr/postgres connection is ready again/, 'the log has that too');

# any number of times, and all of them are in the list

run(@files, @files, 'sql/roles.sql');

is_deeply([$t->sql("select lpad(version::text, 3, '0') || '_' || name
                    from realtime.schema_migrations order by version")],
          [map { m{/(\w+)\.sql} } @files], 'the migrations are recorded');

my ($list) = do { local (@ARGV, $/) = 'src/chat/ngx_realtime_chat_stmt.c'; <> }
             =~ /ngx_realtime_chat_migrations\[\] = \{(.*?)\};/s;

is_deeply([$list =~ /"(.*?)"/g], \@files, 'and those that the module wants');

done_testing();
