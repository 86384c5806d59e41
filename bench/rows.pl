#!/usr/bin/env perl

# Copyright (C) ngx_realtime contributors

# The rows of bench/README.md: which servers, which load, which figures, and
# what is asked of ours.  A round measures every server once, one after the
# other, each freshly started; a figure is the median over the rounds.

use strict;
use warnings;

use FindBin;
use Getopt::Long;
use JSON::PP;
use POSIX qw( strftime );

use lib $FindBin::Bin;
use Servers;

chdir "$FindBin::Bin/.." or die "chdir: $!\n";
$ENV{PWD} = POSIX::getcwd();

my ($names, $rounds, $seconds, $write)
    = ('relay,cross,rate,connect,idle,stored,store,page,polling,upgrade,'
       . 'notify-volatile,notify-many', 5, 4, 0);

GetOptions('rows=s' => \$names, 'rounds=i' => \$rounds,
           'seconds=f' => \$seconds, 'write' => \$write)
    or die "usage: bench/run [--rows relay,cross,rate,connect,idle,"
           . "idle-more,idle-beat,stored,store,page,fanout,polling,"
           . "polling-any,upgrade,notify-volatile,notify-many]\n"
           . "           [--rounds N] [--seconds S] [--write]\n";

my @servers = qw( ours socketio rawws floor );
my %title = (ours => 'ngx_realtime', socketio => 'Socket.IO + ws',
             rawws => 'raw ws', floor => 'floor');

# [ title, path in rtload's object, digits, target, is it met? ]; a target is
# told ours and the others' figures.  A row may have options and load for one
# server only, or "instead" of its own; further loads for the same server,
# "beside", whose figures come under a name; and the table in which there are as
# many rows as messages.

sub at_most {
    my ($limit) = @_;
    return ("<= $limit", sub { $_[0]{ours} <= $limit });
}

# by the clock: the last few of a window may be counted late

sub sustained {
    my ($rate) = @_;
    return (">= $rate", sub { $_[0]{ours} >= 0.99 * $rate });
}

# where the machine, or its disk, decides: what is asked is either absolute,
# or as near to the floor as that was on the machine it was asked for

sub at_most_or_floor {
    my ($limit, $times) = @_;
    return ("<= $limit or <= $times x floor", sub {
        $_[0]{ours} <= $limit || $_[0]{ours} <= $times * $_[0]{floor}
    });
}

# of what pgbench reaches

sub pgbench {
    my ($part) = @_;
    return (">= $part of pgbench", sub {
        $_[0]{ours} >= $part * ($_[0]{floor} // 'inf')
    });
}

# SQL for a parameter, from pgbench's :i, a lane, and :r, any number

sub user {
    return "('00000000-0000-7000-8000-' || lpad(to_hex(2 * :i::bigint), 12, "
           . "'0'))";
}

sub conversation {
    return "('00000000-0000-7000-9000-' || lpad(to_hex(:i::bigint), 12, '0'))";
}

sub number {
    return "lpad(to_hex(:r::bigint), 32, '0')";
}

sub send_statement {
    return ('realtime_send', 1 => user(), 2 => conversation(), 3 => number(),
            4 => "'" . 'x' x 64 . "'", 5 => number() . '::text',
            6 => 1767225600000, 7 => 'null');
}

sub of_socketio {
    my ($limit, $times, $part) = @_;
    my ($title, $met) = at_most_or_floor($limit, $times);

    return ("$title, and <= 1/$part of Socket.IO's", sub {
        $met->($_[0]) && $_[0]{ours} * $part <= $_[0]{socketio}
    });
}

sub of_floor {
    my ($times) = @_;
    return ("<= $times x floor",
            sub { $_[0]{ours} <= $times * $_[0]{floor} });
}

# a plain GET first, then those of polling, with its part in them

sub polling {
    my @figures;

    for (['', ''], ['_new', ', new connection']) {
        my ($suffix, $how) = @$_;

        push @figures,
            ["plain \`return 200\`$how: p50 ms", "plain${suffix}_ms.p50", 3],
            ["POST to its ack on the GET$how: p50 ms", "event${suffix}_ms.p50", 3],
            ['... / plain', "event${suffix}_plain", 2, at_most(2)],
            ["GET of what is queued$how: p50 ms", "get${suffix}_ms.p50", 3],
            ['... / plain', "get${suffix}_plain", 2, at_most(2)];
    }

    return @figures;
}

my %rows = (
    relay => {
        title   => 'relay A to B, 200 pairs, closed loop, 64 B',
        servers => [@servers], options => { relay => 1 },
        load    => [qw( relay --conns 200 --warmup 2 )],
        figures => [
            ['CPU us/message', 'cpu_us', 1, of_socketio(12, 1.35, 4)],
            ['messages/s', 'per_second', 0],
            ['p50 ms', 'delivery_ms.p50', 2],
            ['p99 ms', 'delivery_ms.p99', 2],
        ],
    },
    cross => {
        title   => 'the same, two workers, A and B on different ones',
        servers => [qw( ours socketio floor )],
        options => { relay => 1, workers => 2 },
        load    => [qw( relay --place different --conns 200 --warmup 2 )],
        figures => [
            ['CPU us/message', 'cpu_us', 1, at_most_or_floor(16, 1.33)],
            ['messages/s', 'per_second', 0],
        ],
    },
    rate => {
        title   => 'relay at a fixed 5,000/s, 200 pairs, 64 B',
        servers => [@servers], options => { relay => 1 },
        load    => [qw( relay --conns 200 --rate 5000 --warmup 2 )],
        figures => [
            ['CPU us/message', 'cpu_us', 1, at_most_or_floor(24, 1.3)],
            ['p50 ms', 'delivery_ms.p50', 3, of_floor(1.2)],
            ['p99 ms', 'delivery_ms.p99', 3, of_floor(1.2)],
        ],
    },
    connect => {
        title   => '4,000 connections, JWT HS256 (floor: none)',
        servers => [qw( ours socketio floor )], options => { relay => 1 },
        load    => [qw( connect --conns 4000 )],
        figures => [
            ['CPU us/connection', 'cpu_us', 1, at_most(90)],
            ['connections/s', 'per_second', 0],
        ],
    },
    idle => {
        title   => '5,000 silent connections',
        servers => [qw( ours socketio rawws )], options => { relay => 1 },
        load    => [qw( idle --conns 5000 )],
        figures => [
            ['private bytes/connection', 'idle.private_bytes', 0,
             at_most(2048)],
            ['zone bytes/connection', 'idle.shared_bytes', 0,
             at_most(1229)],
        ],
    },
    'idle-more' => {
        title   => '14,000 silent connections after 5,000',
        servers => [qw( ours socketio rawws )], options => { relay => 1 },
        load    => [qw( idle --conns 5000 --more 14000 )],
        figures => [
            ['private bytes/connection', 'marginal.private_bytes', 0,
             at_most(2048)],
            ['zone bytes/connection', 'marginal.shared_bytes', 0,
             at_most(1229)],
        ],
    },
    'idle-beat' => {
        title   => '20,000 silent connections, pings of 25 s, two workers',
        servers => [qw( ours socketio )],
        options => { relay => 1, workers => 2, zone => '128m' },
        load    => [qw( beat --conns 20000 --warmup 25 --seconds 50 )],
        figures => [
            ['CPU, % of one core', 'cpu_percent', 2, at_most(5)],
            ['CPU us/heartbeat', 'cpu_us', 1],
            ['pings/connection', 'pings_each', 2],
            ['private bytes/connection', 'private_bytes', 0, at_most(2560)],
            ['zone bytes/connection', 'shared_bytes', 0, at_most(1229)],
        ],
    },
    polling => {
        title   => 'long-polling, 20 sessions in turn',
        servers => [qw( ours socketio )],
        options => { relay => 1, polling => 1 },
        load    => [qw( polling --conns 20 )],
        figures => [polling()],
    },
    'polling-any' => {
        title   => 'the same, two workers',
        servers => [qw( ours )],
        options => { relay => 1, polling => 1, workers => 2 },
        load    => [qw( polling --conns 20 )],
        figures => [polling()],
    },
    upgrade => {
        title   => 'from "2probe" to the end of the GET; ours: two workers, '
                   . 'GET and WebSocket on different ones',
        servers => [qw( ours socketio )],
        options => { relay => 1, polling => 1 },
        load    => [qw( upgrade )],
        ours    => { options => { workers => 2 },
                     load => [qw( --place different )] },
        figures => [
            ['p50 ms', 'released_ms.p50', 2],
            ['p99 ms', 'released_ms.p99', 2, at_most(5)],
        ],
    },
    stored => {
        title   => 'send, store, commit, ack at 500/s, 100 senders, 64 B '
                   . '(floor: pgbench with the same statement, as often)',
        servers => [qw( ours floor )], options => { database => 1 },
        load    => [qw( stored --conns 100 --rate 500 --warmup 2 )],
        floor   => { pgbench => [send_statement()], rate => 500 },
        figures => [
            ['ack p50 ms', 'ack_ms.p50', 2],
            ['ack p99 ms', 'ack_ms.p99', 2, at_most_or_floor(10, 1.2)],
            ['delivery p99 ms', 'delivery_ms.p99', 2],
            ['CPU us/message, nginx (pgbench)', 'cpu_us', 1],
        ],
    },
    store => {
        title   => 'REST: store a message, 32 clients, 8 connections to '
                   . 'Postgres (floor: pgbench with the same statement)',
        servers => [qw( ours floor )], options => { database => 1 },
        load    => [qw( store --conns 32 )],
        floor   => { pgbench => [send_statement()] },
        figures => [
            ['messages/s', 'store_per_second', 0, pgbench(0.8)],
            ['p50 ms', 'store_ms.p50', 2],
            ['p99 ms', 'store_ms.p99', 2],
            ['CPU us/message, nginx (pgbench)', 'store_cpu_us', 1,
             at_most(40)],
        ],
    },
    page => {
        title   => 'REST: a page of 50 messages, 8 clients (floor: pgbench '
                   . 'with the same query)',
        servers => [qw( ours floor )], options => { database => 1 },
        load    => [qw( page --conns 8 )],
        floor   => { pgbench => ['realtime_fetch',
                                 1 => user(), 2 => conversation(),
                                 3 => "'" . 'f' x 32 . "'", 4 => 51, 5 => 1,
                                 6 => 0] },
        figures => [
            ['pages/s', 'page_per_second', 0],
            ['p50 ms', 'page_ms.p50', 2],
            ['CPU us/page, nginx (pgbench)', 'page_cpu_us', 1, at_most(60)],
            ['... of a file of as many bytes', 'file_cpu_us', 1],
        ],
    },
    'notify-volatile' => {
        title   => 'POST /notifications, volatile, at a fixed 5,000/s, 200 '
                   . 'users, connections that stay, 64 B',
        servers => [qw( ours )],
        options => { relay => 1 },
        load    => [qw( notify --conns 200 --rate 5000 --warmup 2 )],
        figures => [
            ['notifications/s', 'per_second', 0, sustained(5000)],
            ['CPU us/notification', 'cpu_us', 1],
            ['delivery p50 ms', 'delivery_ms.p50', 3],
            ['delivery p99 ms', 'delivery_ms.p99', 3],
            ['reply p99 ms', 'ack_ms.p99', 3],
        ],
    },
    'notify-many' => {
        title   => 'POST /notifications, volatile, to 10,000 users who are '
                   . 'online, two workers, closed loop, 64 B (floor: one '
                   . 'sender to 10,000 connections)',
        servers => [qw( ours floor )],
        options => { database => 1, workers => 2, zone => '128m' },
        floor   => { instead => [qw( fanout --conns 10000 )] },
        load    => [qw( notify-many --conns 10000 )],
        beside  => [['fanout', qw( emit-many --conns 10000 )],
                    ['stored', qw( notify-stored --conns 10000 )]],
        table   => 'notifications',
        figures => [
            ['call to last receipt p50 ms', 'last_ms.p50', 1,
             at_most_or_floor(100, 1.3)],
            ['call to last receipt p99 ms', 'last_ms.p99', 1],
            ['CPU us/recipient', 'cpu_us', 2],
            ['... of an event to one user with 10,000 connections',
             'fanout.cpu_us', 2],
            ['... / that', 'to_fanout', 2, at_most(1.5)],
            ['stored: call to last receipt p50 ms', 'stored.last_ms.p50', 1],
            ['stored: CPU us/recipient, nginx', 'stored.cpu_us', 2],
        ],
    },
    fanout => {
        title   => 'fan-out to 1,000 connections, closed loop, 64 B',
        servers => [@servers], options => { relay => 1 },
        load    => [qw( fanout --conns 1000 --warmup 2 )],
        figures => [
            ['CPU us/delivery', 'cpu_us', 1],
            ['deliveries/s', 'per_second', 0],
        ],
    },
);

$SIG{INT} = $SIG{TERM} = sub { die "interrupted\n" };

my $servers = Servers->new();
my ($failed, @lines, %results);
my ($load) = split ' ', do { local @ARGV = '/proc/loadavg'; <> };

for my $name (split /,/, $names) {
    my $row = $rows{$name} or die "no such row: $name\n";

    measure($name, $row);
    push @lines, table($name, $row);
}

unshift @lines,
    "$rounds rounds of $seconds s; load average before: $load.\n\n",
    join(' | ', '| ', (map { $title{$_} } @servers), 'ours / Socket.IO',
         'asked of ours', '')
    . "\n", '|---|' . '---:|' x @servers . "---:|---|\n";

s/ +$//mg, s/^\|  \|/| |/ for @lines;
print "\n", @lines;

save();
undef $servers;
exit($failed ? 1 : 0);


sub measure {
    my ($name, $row) = @_;

    for my $round (1 .. $rounds) {
        for my $kind (@{$row->{servers}}) {
            my $result = run_once($kind, $row);

            if ($result->{errors}) {
                $failed = 1;
                warn "$name, $kind: $result->{errors} errors, first: "
                     . "$result->{first_error}\n";
                next;
            }

            push @{$results{$name}{$kind}}, $result;
            printf STDERR "%s %d/%d %s: %s\n", $name, $round, $rounds, $kind,
                   join ', ', map { "$_->[0] " . figure($_, $result) }
                              @{$row->{figures}};
        }
    }
}


sub run_once {
    my ($kind, $row) = @_;
    my $own = $row->{$kind} // {};

    return run_pgbench($row->{load}[0], $own) if $own->{pgbench};

    my $server = $servers->start($kind, %{$row->{options} // {}},
                                 %{$own->{options} // {}});
    my $table = !$own->{instead} && $row->{options}{database}
                && ($row->{table} // 'messages');
    my $before = $table && $servers->stored($table);
    my %beside = map { my ($as, @load) = @$_; ($as => load($server, @load)) }
                     $own->{instead} ? () : @{$row->{beside} // []};
    my $result = load($server, $own->{instead} ? @{$own->{instead}}
                               : (@{$row->{load}}, @{$own->{load} // []}));

    for (values %beside) {
        $result->{first_error} //= $_->{first_error} if $_->{errors};
        $result->{errors} += $_->{errors};
    }

    $result = { %$result, %beside };
    $result->{to_fanout} = $result->{cpu_us} / $beside{fanout}{cpu_us}
        if $beside{fanout}{cpu_us};

    if ($table) {
        my $told = ($beside{stored} // $result)->{messages};

        $result->{rows} = $servers->stored($table) - $before;
        $result->{errors} ||= $result->{rows} < $told;
        $result->{first_error} //= 'fewer rows than acks'
            if $result->{errors};
    }

    my $trouble = $servers->stop($server);

    if ($trouble && $kind eq 'ours') {
        $result->{errors}++;
        $result->{first_error} .= " log: $trouble";
    }

    return $result;
}


# one run of the load generator: what it says

sub load {
    my ($server, $mode, @options) = @_;

    open my $rtload, '-|', 'build/bench/rtload', $mode,
         '--port', $server->{port}, '--proto', $server->{proto},
         '--key', $server->{key}, '--pid', $server->{pid},
         '--seconds', $seconds, @options
        or die "rtload: $!\n";

    my $json = do { local $/; <$rtload> };
    close $rtload;

    return eval { decode_json($json) }
           // { errors => 1, first_error => "rtload: status $?: $json" };
}


# its figures under the names of rtload's

sub run_pgbench {
    my ($mode, $own) = @_;
    my ($statement, %values) = @{$own->{pgbench}};
    my $result = $servers->pgbench($statement, $seconds, $own->{rate},
                                   %values);

    $result->{"${mode}_$_"} = $result->{$_} for qw( per_second cpu_us );
    $result->{ack_ms} = $result->{ms};

    return $result;
}


sub value {
    my ($figure, $result) = @_;

    $result = $result->{$_} for split /\./, $figure->[1];

    return $result;
}


sub figure {
    my ($figure, $result) = @_;

    return sprintf "%.$figure->[2]f", value($figure, $result) // 0;
}


sub median {
    my @sorted = sort { $a <=> $b } @_;

    return @sorted % 2 ? $sorted[@sorted / 2]
                       : ($sorted[@sorted / 2 - 1] + $sorted[@sorted / 2]) / 2;
}


sub table {
    my ($name, $row) = @_;
    my @lines = "| **$row->{title}** |" . ' |' x @servers . " | |\n";

    for my $figure (@{$row->{figures}}) {
        my (undef, undef, $digits, $target, $met) = @$figure;
        my %median = map {
            my $all = $results{$name}{$_};
            my @values = grep { defined } map { value($figure, $_) }
                                              @{$all // []};
            @values ? ($_ => median(@values)) : ();
        } @{$row->{servers}};

        my @cells = map {
            defined $median{$_} ? sprintf "%.${digits}f", $median{$_} : ''
        } @servers;

        if ($met && defined $median{ours}) {
            my $ok = $met->(\%median);

            $target .= $ok ? '' : ', **missed**';
        }

        my $ratio = $median{ours} && $median{socketio}
                    ? sprintf '%.2f', $median{ours} / $median{socketio} : '';

        push @lines, join(' | ', "| $figure->[0]", @cells, $ratio,
                          $target // '') . " |\n";
    }

    return @lines;
}


sub save {
    my $dir = 'bench/results';
    my $when = strftime('%Y-%m-%dT%H%M%SZ', gmtime);

    mkdir $dir;
    Servers::write_file("$dir/$when.json",
                        JSON::PP->new->canonical->pretty->encode(\%results));

    return unless $write;

    open my $in, '<', 'bench/README.md' or die "bench/README.md: $!\n";
    my $text = do { local $/; <$in> };

    $text =~ s{(<!-- table -->\n).*?(<!-- /table -->)}
              {$1 . join('', @lines) . $2}es
        or die "bench/README.md has no place for the table\n";

    Servers::write_file('bench/README.md', $text);
}
