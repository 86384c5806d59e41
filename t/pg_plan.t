#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# With a million messages no statement of the module reads a table from end to
# end, whatever plan Postgres settles for; nor does the function that one of
# them calls.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(database => 1);

# What is prepared is what counts, and Postgres can say what that is.

$t->{pg}->sql("alter role chat set log_min_duration_statement = 0",
              role => 'postgres');

$t->start;

my ($alice, $bob) = map { $t->uuid($_) } qw( alice bob );
my ($id, $message) = map { $t->uuid($_) } 'conversation 0', 'none';

ok(Test::Realtime::wait_for(10, sub { scalar(statements()) >= catalogue() }),
   'the statements are prepared');

my %sql = statements();

is(scalar keys %sql, catalogue(), 'all of them');

load();

# parameters of every statement: those that its text names decide

my %value = (
    realtime_create => "'$alice', '$bob', '$message', 'x'",
    realtime_pair => "'$alice', '$bob'",
    realtime_list => "'$alice', 9999999999999999, '$message', 51",
    realtime_get => "'$alice', '$id'",
    realtime_send => "'$alice', '$id', '$message', 'x', 'y', 1, null",
    realtime_twin => "'$alice', '$id', '$message', 'x', null, 1, null, 1,
                      '$message'",
    realtime_repeat => "'$alice', 'x', '$message'",
    realtime_fetch => "'$alice', '$id', '$message', 51, 1, 0",
    realtime_read => "'$alice', '$id', '$message', 1",
    realtime_was_read => "'$alice', '$id', '$message', 1",
    realtime_delivered => "'$alice', '$id', '$message', '$message', 1",
    realtime_delete => "'$alice', '$id'",
    realtime_other => "'$alice', '$id'",
    realtime_partners => "'{$alice,$bob}'",
    realtime_seen => "'{$alice,$bob}', '{1,2}'",
    realtime_notes => "'$alice', '$message', 51",
    realtime_new => "'$alice', 50",
    realtime_unread => "'$alice'",
    realtime_see => "'$alice', '$message', 1, true",
    realtime_see_all => "'$alice', 1",
    realtime_dismiss => "'$alice', '$message'",
    realtime_note => "'*', '{$alice,$bob}', '$message', 'x', 'y', 'z', null,
                      1, null",
    realtime_job_add => "'*', '$message', 'notify', '{$alice}', '{}', null,
                         null, null, 1",
    realtime_job_get => "'*', '$message'",
    realtime_jobs_claim => "'*'",
    realtime_jobs_next => "'*'",
    realtime_job_step => "'*', '$message', '$alice', 1, 1",
    realtime_job_end => "'*', '$message', null",
    realtime_purge => "'*'",
    realtime_people => "'*', '$alice'",
);

my %inserts = (realtime_note => 'notifications', realtime_job_add => 'jobs');

explain_all($_) for sort keys %sql;

# the queries inside of the function

$t->{pg}->sql("
    load 'auto_explain';
    set auto_explain.log_min_duration = 0;
    set auto_explain.log_nested_statements = on;
    select from realtime.twin('$id', '$alice', '$message', 'x', 1::smallint,
                              '$message')", role => 'postgres');

my $log = do { local (@ARGV, $/) = $t->{pg}->dir . '/postgres.log'; <> };
my @nested = $log =~ /(Query Text: [^\n]*\n(?:\t[^\n]*\n)+)/g;

@nested = grep { /from realtime\.messages/ } @nested;

is(scalar @nested, 2, 'queries of the function');
ok(!reads_all($_), 'reads only its conversation') or diag($_) for @nested;

# with the policies, for the role that they bind

system('psql', '-qX', '-v', 'ON_ERROR_STOP=1', $t->postgres,
       '-f', 'sql/rls.sql') == 0 or die;

explain_all($_, 'chat') for sort keys %sql;

done_testing();


# the plans of a statement; with a role, those of the user whom it is for

sub explain_all {
    my ($name, $role) = @_;

    my $user = $value{$name} =~ /^'\*'/ ? '*' : $alice;
    my $who = $role ? "set realtime.\"user\" = '$user';" : '';

    for my $mode (qw( force_generic_plan force_custom_plan )) {
        my $plan = eval {
            join "\n", $t->{pg}->sql("
                $who
                set plan_cache_mode = $mode;
                prepare s as $sql{$name};
                explain (costs off) execute s ($value{$name})",
                $role ? (role => $role) : ());
        } // "no plan: $@";

        # a broadcast counts everybody once, for its progress

        $plan =~ s/Aggregate\n\s+->  Seq Scan on users\b[^\n]*//
            if $name eq 'realtime_people';

        my $title = join ', ', $name, $mode, $role // ();

        like($plan, $inserts{$name} ? qr/Insert on $inserts{$name}/
                                    : qr/Index/, $title);
        ok(!reads_all($plan), 'reads nobody else\'s rows') or diag($plan);
    }
}


# a table from end to end, or a range of ids whoever they belong to

sub reads_all {
    my ($plan) = @_;

    return $plan =~ /Seq Scan/
           || grep { !/^\s*Index Cond: \(id = / }
                   $plan =~ /messages_pkey\b[^\n]*\n([^\n]*)/g;
}


sub catalogue {
    local @ARGV = map { "src/chat/ngx_realtime_chat_$_" }
                      'stmt.c', 'presence_stmt.h', 'notify_stmt.h',
                      'jobs_stmt.h';

    return scalar grep { /\{ "realtime_\w+",/ } <>;
}


sub statements {
    my $path = $t->{pg}->dir . '/postgres.log';

    local (@ARGV, $/) = $path;

    my @pairs = <> =~ /duration: \S+ ms  parse (realtime_\w+): (.*)/g;

    return wantarray ? @pairs : @pairs / 2;
}


# 1,000 conversations of Alice and others; 1,000,000 messages

sub load {
    $t->sql("
        insert into users (id) select md5('u' || n)::uuid
        from generate_series(1, 50000) n;

        insert into users (id) values ('$alice'), ('$bob');

        insert into realtime.conversations
            (id, created_by, participant_id, title, updated_at)
        select md5('c' || n)::uuid,
            case n % 2 when 0 then '$alice' else md5('u' || n)::uuid end,
            case n % 2 when 0 then md5('u' || n)::uuid else '$alice' end,
            'x', now() - n * interval '1 minute'
        from generate_series(1, 1000) n;

        insert into realtime.conversations
            (id, created_by, participant_id, title)
        values ('$id', '$alice', '$bob', 'x');

        insert into realtime.messages
            (id, conversation_id, sender_id, content, client_id, read_at)
        select ('01900000-' || lpad(to_hex(n >> 16), 4, '0') || '-7000-8000-'
                || lpad(to_hex(n & 65535), 12, '0'))::uuid,
            case when n % 10 = 0 then '$id'
                 else md5('c' || n % 1000 + 1)::uuid end,
            case when n % 3 = 0 then '$alice'
                 when n % 10 = 0 then '$bob'
                 else md5('u' || n % 1000 + 1)::uuid end,
            'message ' || n, 'c' || n,
            case when n % 50 = 0 then null else now() end
        from generate_series(1, 1000000) n;

        insert into realtime.jobs (id, kind, users, payload, run_at,
                                   finished_at)
        select md5('j' || n)::uuid, 'notify', '{$alice}', '{}',
            now() + (n - 95000) * interval '1 second',
            case when n < 90000
                 then now() - n * interval '1 minute' end
        from generate_series(1, 100000) n;

        insert into realtime.notifications
            (user_id, id, type, title, message, read_at, expires_at)
        select case when n % 10 = 0 then '$alice'
                    else md5('u' || n % 1000 + 1)::uuid end,
            md5(n::text)::uuid, 'x', 'y', 'z',
            case when n % 50 = 0 then null else now() end,
            case when n % 3 = 0 then now() + n * interval '1 second' end
        from generate_series(1, 300000) n;

        analyze users, realtime.conversations, realtime.messages,
            realtime.notifications, realtime.jobs");

    is($t->sql('select count(*) from realtime.messages'), 1_000_000,
       'a million messages');
}
