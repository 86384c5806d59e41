package Servers;

# Copyright (C) ngx_realtime contributors

# Starts and stops what is measured.  Each server gets a free loopback port
# and lives in one temporary directory; all are ended by their pid, also when
# the bench itself is interrupted.

use strict;
use warnings;

use File::Path qw( remove_tree );
use File::Temp qw( tempdir );
use IO::Socket::INET;
use POSIX qw( :sys_wait_h );
use Time::HiRes qw( sleep time );

# to Postgres, of nginx's one worker or of pgbench
use constant CONNECTIONS => 8;

my %commands = (
    ours     => \&ours,
    socketio => sub {
        ('node', 'bench/peers/socketio.js', $_[0]{port}, $_[0]{key},
         $_[0]{workers}, $_[0]{polling} ? 'polling' : ())
    },
    rawws    => sub { ('node', 'bench/peers/rawws.js', $_[0]{port}) },
    floor    => sub { ('build/bench/floor', $_[0]{port}, $_[0]{workers}) },
);

my %raw = map { $_ => 1 } qw( rawws floor );


sub new {
    my ($class) = @_;
    my $dir = tempdir('ngx_realtime_bench.XXXXXX', TMPDIR => 1);

    # Postgres and the workers of nginx, under their own users, pass through

    chmod 0755, $dir or die "chmod $dir: $!\n";

    my $self = bless { dir => $dir, key => "$dir/key", owner => $$,
                       pids => {}, count => 0 }, $class;

    open my $random, '<', '/dev/urandom' or die "/dev/urandom: $!\n";
    read $random, my $secret, 32;
    write_file($self->{key}, unpack 'H*', $secret);

    return $self;
}


# name; workers, database (bool), relay (bool), polling (bool), zone

sub start {
    my ($self, $name, %options) = @_;

    my $server = { name => $name, workers => 1, %options,
                   proto => $raw{$name} ? 'raw' : 'socketio',
                   key => $self->{key}, port => free_port(),
                   dir => "$self->{dir}/" . $self->{count}++ };

    mkdir $server->{dir} or die "$server->{dir}: $!\n";
    $server->{database} &&= $self->database();

    write_file("$server->{dir}/page.json", page()) if $server->{database};

    my @command = $commands{$name}->($server);

    $server->{pid} = fork() // die "fork: $!\n";

    if ($server->{pid} == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$server->{dir}/stdout";
        open STDERR, '>&', \*STDOUT;
        exec @command or POSIX::_exit(127);
    }

    $self->{pids}{$server->{pid}} = $server;
    $self->wait_port($server);

    return $server;
}


sub stop {
    my ($self, $server) = @_;
    my $pid = $server->{pid};

    delete $self->{pids}{$pid} or return;
    kill 'TERM', $pid;

    my $deadline = time + 10;

    while (waitpid($pid, WNOHANG) == 0) {
        kill 'KILL', $pid if time > $deadline;
        sleep 0.02;
    }

    my $trouble = complaints($server);
    remove_tree($server->{dir});

    return $trouble;
}


# what the server itself said went wrong

sub complaints {
    my ($server) = @_;
    my $log = '';

    for my $file ("$server->{dir}/error.log", "$server->{dir}/stdout") {
        open my $fh, '<', $file or next;
        $log .= join '', grep { $server->{name} ne 'ours'
                                || /\[(?:alert|emerg|crit|error)\]/ } <$fh>;
    }

    return substr $log, 0, 400;
}


sub wait_port {
    my ($self, $server) = @_;
    my $deadline = time + 15;

    while (time < $deadline) {

        if (waitpid($server->{pid}, WNOHANG) != 0) {
            delete $self->{pids}{$server->{pid}};
            last;
        }

        # a process that forks its workers listens before all are there

        if (IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $server->{port}))
        {
            sleep 0.5;
            return;
        }

        sleep 0.05;
    }

    die "$server->{name} does not start: ", complaints($server), "\n";
}


sub ours {
    my ($server) = @_;
    my $chat = $server->{relay} ? 'realtime_message_relay on;' : '';
    my $database = $server->{database}
                   ? qq(realtime_database "$server->{database}" )
                     . 'connections=' . CONNECTIONS . ';'
                   : '';
    my $rest = $server->{database} ? <<"END" : '';
location /api/chat/ {
            realtime_chat;
        }

        location = /page.json {
            root $server->{dir};
        }
END
    my $zone = $server->{zone} // '64m';
    my $polling = $server->{polling}
                  ? 'add_header X-Worker $realtime_slot always;' : '';

    write_file("$server->{dir}/nginx.conf", <<"END");
load_module $ENV{PWD}/build/ngx_realtime_module.so;

daemon off;
worker_processes $server->{workers};
pid $server->{dir}/nginx.pid;
error_log $server->{dir}/error.log warn;

events {
    worker_connections $ENV{BENCH_FILES};
}

http {
    access_log off;
    client_body_temp_path $server->{dir}/body;
    proxy_temp_path $server->{dir}/proxy;
    fastcgi_temp_path $server->{dir}/fastcgi;
    uwsgi_temp_path $server->{dir}/uwsgi;
    scgi_temp_path $server->{dir}/scgi;

    keepalive_requests 1000000;

    realtime_zone main $zone;
    $database

    server {
        listen 127.0.0.1:$server->{port} reuseport backlog=4096;

        realtime_jwt_key HS256 file:$server->{key};
        realtime_max_connections_per_user 0;
        $polling

        location /socket.io/ {
            realtime_socket;
            realtime_chat;
            $chat
        }

        location = /status {
            realtime_status json;
        }

        $rest
        location = /plain {
            return 200 ok;
        }

        location /realtime/api/ {
            realtime_api;
            realtime_api_access nginx;
        }
    }
}
END

    return ('nginx', '-p', $server->{dir}, '-c',
            "$server->{dir}/nginx.conf", '-e', "$server->{dir}/error.log");
}


# as many bytes as the answer with 50 messages of 64 bytes

sub page {
    my $uuid = '00000000-0000-7000-8000-000000000000';
    my $time = '2026-01-01T00:00:00.000Z';
    my $row = qq({"id":"$uuid","conversation_id":"$uuid","sender_id":"$uuid",)
              . '"content":"' . '0' x 64 . '","client_id":"0-00-' . '0' x 16
              . '","read_at":null,"delivered_at":null,"created_at":'
              . qq("$time","is_read":false});

    return '{"status":"success","data":[' . join(',', ($row) x 50)
           . qq(],"pagination":{"hasMore":true,"nextBefore":"$uuid"}});
}


# one cluster for the run; its users and conversations are those of rtload

sub database {
    my ($self) = @_;
    my $dir = $self->{database};

    if (!$dir) {
        $dir = "$self->{dir}/postgres";

        command('tools/postgres', 'init', $dir);
        $self->{database} = $dir;
        command('tools/postgres', 'start', $dir);
        command('tools/postgres', 'migrate', $dir);
        command('psql', '-qX', '-h', $dir, '-U', 'realtime', 'realtime',
                '-v', 'ON_ERROR_STOP=1', '-c', <<'END');
            insert into public.users (id, name)
            select ('00000000-0000-7000-8000-'
                    || lpad(to_hex(i), 12, '0'))::uuid, 'user ' || i
            from generate_series(0, 1999) i;

            insert into realtime.conversations
                (id, created_by, participant_id, title)
            select ('00000000-0000-7000-9000-'
                    || lpad(to_hex(i), 12, '0'))::uuid,
                   ('00000000-0000-7000-8000-'
                    || lpad(to_hex(2 * i), 12, '0'))::uuid,
                   ('00000000-0000-7000-8000-'
                    || lpad(to_hex(2 * i + 1), 12, '0'))::uuid, 'bench'
            from generate_series(0, 999) i;
END
    }

    return "host=$dir dbname=realtime user=chat";
}


# A module's statement with :user, :conversation, :id and :client in the places
# of its parameters, as it told it to Postgres; then pgbench runs that.  What
# the table says: tps, us of pgbench's own CPU for each, latencies in ms.  With
# a rate they count from when a statement was due.  The first second is left
# out of them: connecting and preparing is in it.

sub pgbench {
    my ($self, $name, $seconds, $rate, %values) = @_;
    my $sql = $self->statement($name);
    my $script = "$self->{dir}/$name.sql";

    # pgbench takes any :name for its own, also in a format of to_char()

    $sql =~ s/:(?=MI|SS)/::/g;
    $sql =~ s{\$(\d+)}{$values{$1} // die "no parameter $1 of $name\n"}ge;
    write_file($script, "\\set i random(0, 31)\n\\set r random(1, "
                        . "9000000000000000)\n$sql;\n");

    my ($user, $system) = (times)[2, 3];
    my $log = "$self->{dir}/pgbench";
    my $pgbench = "pgbench -n -M prepared -c @{[ CONNECTIONS ]} "
                  . '-T ' . (int($seconds) + 1) . ($rate ? " -R $rate " : ' ')
                  . "-l --log-prefix=$log -f $script "
                  . "-h $self->{database} -U chat realtime";
    my $said = `$pgbench 2>&1`;
    my ($user_to, $system_to) = (times)[2, 3];
    my ($count) = $said =~ /actually processed: (\d+)/;
    my ($tps) = $said =~ /tps = ([\d.]+)/;

    my @ms = latencies(glob "$log.*");

    return { errors => 1, first_error => substr $said, 0, 600 }
        if !$count || !@ms || $said =~ /ERROR/;

    return { errors => 0, per_second => $tps,
             ms => { p50 => $ms[@ms * 0.5], p99 => $ms[@ms * 0.99] },
             cpu_us => ($user_to + $system_to - $user - $system) * 1e6
                       / $count };
}


# of pgbench's logs, in ms, sorted, without the first second

sub latencies {
    my (@logs) = @_;
    my ($first, @ms);

    for my $name (@logs) {
        open my $log, '<', $name or die "$name: $!\n";

        while (my $line = <$log>) {
            my (undef, undef, $us, undef, $at) = split ' ', $line;

            $first //= $at;
            push @ms, $us / 1000 if $at > $first;
        }
    }

    unlink @logs;

    return sort { $a <=> $b } @ms;
}


sub statement {
    my ($self, $name) = @_;

    $self->database();

    if (!$self->{statements}) {
        my @psql = ('psql', '-qX', '-h', $self->{database}, '-U');
        my $set = 'alter role chat';

        command(@psql, 'postgres', 'realtime', '-c',
                "$set set log_min_duration_statement = 0");

        my $server = $self->start('ours', database => 1);
        my $log = "$self->{database}/postgres.log";
        my $deadline = time + 10;

        while (!$self->{statements} && time < $deadline) {
            local (@ARGV, $/) = $log;
            my %sql = <> =~ /duration: \S+ ms  parse (realtime_\w+): (.*)/g;
            $self->{statements} = \%sql if $sql{$name};
            sleep 0.1;
        }

        $self->stop($server);
        command(@psql, 'postgres', 'realtime', '-c',
                "$set reset log_min_duration_statement");
    }

    return $self->{statements}{$name} // die "Postgres heard no $name\n";
}


# how many rows are there: an ack means one

sub stored {
    my ($self, $table) = @_;

    open my $psql, '-|', 'psql', '-qtAX', '-h', $self->{database}, '-U',
         'realtime', 'realtime', '-c', "select count(*) from realtime.$table"
        or die "psql: $!\n";

    chomp(my $count = <$psql> // '');

    return $count;
}


sub command {
    system(@_) == 0 or die "$_[0] $_[1] failed\n";
}


# below the range from which the kernel takes the ports of clients

sub free_port {
    for (1 .. 100) {
        my $port = 20000 + int rand 12000;

        return $port
            if IO::Socket::INET->new(Listen => 1, LocalPort => $port,
                                     LocalAddr => '127.0.0.1');
    }

    die "no free port\n";
}


sub write_file {
    my ($path, $text) = @_;

    open my $fh, '>', $path or die "$path: $!\n";
    print $fh $text;
    close $fh or die "$path: $!\n";
}


sub DESTROY {
    my ($self) = @_;
    local ($?, $@);

    return if $$ != $self->{owner};

    $self->stop($_) for values %{$self->{pids}};
    system('tools/postgres', 'stop', $self->{database}) if $self->{database};
    remove_tree($self->{dir});
}


1;
