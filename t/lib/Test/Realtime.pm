package Test::Realtime;

# Copyright (C) ngx_realtime contributors

# An nginx with the module, for one test file: a temporary directory, a free
# port, a configuration written on the test's own screen, and an error log
# that must stay clean.
#
#     my $t = Test::Realtime->new(workers => 2, database => 1)->start;
#
#     my $alice = $t->connect($id);               # Socket.IO, after 40{sid}
#     $alice->emit(typing => {...});
#     my $r = $t->http(GET => '/api/chat/conversations', token => $token);
#
# "http", "server" and "main" add text at these levels, "conf" replaces the
# whole file.  In all of them %%PORT%%, %%PORT2%%, %%DIR%%, %%KEY%% and
# %%DATABASE%% are replaced.  Environment: TEST_NGINX_BINARY,
# TEST_NGINX_MODULE ("" if it is built in), TEST_NGINX_LEAVE to keep the
# directory, TEST_NGINX_LEVEL of the error log.
#
# Whatever dies or fails, END ends the processes that were started here, and
# the test fails if the error log has an alert, emerg or crit, or a report
# of a sanitizer, that no allow() has announced.

use strict;
use warnings;

use Cwd qw( abs_path );
use Digest::SHA qw( sha1 );
use File::Basename qw( dirname );
use File::Path qw( remove_tree );
use File::Temp qw( tempdir );
use IO::Select;
use IO::Socket::INET;
use JSON::PP;
use POSIX qw( :sys_wait_h );
use Test::More ();
use Time::HiRes qw( sleep time );

use Test::Realtime::Client;
use Test::Realtime::JWT qw( jwt_encode );
use Test::Realtime::Node;
use Test::Realtime::Postgres;
use Test::Realtime::WebSocket;


our $ROOT = abs_path(dirname(__FILE__) . '/../../..');

my $JSON = JSON::PP->new->utf8->canonical->allow_nonref;
my $OWNER = $$;
my @LIVE;


# An exit by signal has to run END as well.

$SIG{$_} = sub { exit 1 } for qw( INT TERM HUP );
$SIG{PIPE} = 'IGNORE';


my $CONF = <<'EOT';
%%LOAD%%
%%USER%%
daemon off;
worker_processes %%WORKERS%%;
pid %%DIR%%/nginx.pid;
error_log %%DIR%%/error.log %%LEVEL%%;
%%MAIN%%

events {
    worker_connections %%CONNECTIONS%%;
}

http {
    access_log %%DIR%%/access.log;
    client_body_temp_path %%DIR%%/body;
    proxy_temp_path %%DIR%%/proxy;
    fastcgi_temp_path %%DIR%%/fastcgi;
    uwsgi_temp_path %%DIR%%/uwsgi;
    scgi_temp_path %%DIR%%/scgi;
    root %%DIR%%;

%%HTTP%%

    server {
        listen 127.0.0.1:%%PORT%%;
        server_name localhost;

%%SERVER%%
    }
}
EOT

my $HTTP = <<'EOT';
    realtime_zone main 16m;
EOT

my $DATABASE = <<'EOT';
    realtime_database "%%DATABASE%%" connections=2 timeout=5s;
EOT

my $SERVER = <<'EOT';
        realtime_jwt_key HS256 file:%%KEY%%;

        location /socket.io/ {
            realtime_socket;
            %%CHAT%%
        }

        location /api/chat/ {
            %%CHAT%%
        }

        location /status {
            realtime_status json;
        }
EOT


sub new {
    my ($class, %o) = @_;

    my $dir = tempdir('rt-XXXXXXXX', TMPDIR => 1);
    chmod 0755, $dir;

    my $self = bless {
        workers => 1, connections => 512, %o,
        dir => $dir, allow => [], problems => [], nodes => [],
        port => free_port(), port2 => free_port(),
        secret => 'a secret of the tests, of 32 bytes or more',
    }, $class;

    push @LIVE, $self;

    $self->file('jwt.key', $self->{secret});
    $self->{pg} = Test::Realtime::Postgres->new if $o{database};

    return $self;
}


# -- what a test asks for by name

sub dir       { $_[0]{dir} }
sub port      { $_[0]{port} }
sub port2     { $_[0]{port2} }
sub url       { "http://127.0.0.1:$_[0]{port}" }
sub pid       { $_[0]{pid} }
sub key_file  { "$_[0]{dir}/jwt.key" }
sub secret    { $_[0]{secret} }

sub postgres  { $_[0]{pg}->conninfo }
sub sql       { my $self = shift; $self->{pg}->sql(@_) }
sub pg_start  { $_[0]{pg}->start }
sub pg_stop   { my $self = shift; $self->{pg}->stop(@_) }
sub pg_restart { my $self = shift; $self->{pg}->stop(@_);
                 $self->{pg}->start }


# a file in the directory of the test; returns its path

sub file {
    my ($self, $name, $content) = @_;

    my $path = "$self->{dir}/$name";

    open my $fh, '>:raw', $path or die "$path: $!";
    print $fh $content;
    close $fh or die "$path: $!";

    return $path;
}


# an id that Postgres takes, the same for the same name

sub uuid {
    my ($self, $name) = @_;

    my $h = unpack 'H*', sha1($name);

    return join '-', substr($h, 0, 8), substr($h, 8, 4),
                     '4' . substr($h, 13, 3), '8' . substr($h, 17, 3),
                     substr($h, 20, 12);
}


# A token of the user that expires in an hour.  A claim given as undef is
# left out.

sub token {
    my ($self, $user, %claims) = @_;

    my %c = (id => $user, iat => int time, exp => int(time) + 3600, %claims);

    delete @c{grep { !defined $c{$_} } keys %c};

    return jwt_encode({ alg => 'HS256', key => $self->{secret} }, \%c);
}


# -- nginx

# Ports are taken below the range that the kernel gives to clients, so that a
# connection of another test cannot sit on one.

sub free_port {
    for (1 .. 200) {
        my $port = 10000 + int rand 22000;

        my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
            LocalPort => $port, Proto => 'tcp', Listen => 1,
            ReuseAddr => 1) or next;

        close $s;
        return $port;
    }

    die "no free port\n";
}


sub conf {
    my ($self) = @_;

    my $text = $self->{conf} // $CONF;

    my $module = $ENV{TEST_NGINX_MODULE}
                 // "$ROOT/build/ngx_realtime_module.so";

    my %v = (
        MAIN => $self->{main} // '',
        HTTP => $self->{http} // $HTTP . ($self->{pg} ? $DATABASE : ''),
        SERVER => $self->{server} // $SERVER,
        CHAT => $self->{pg} ? 'realtime_chat;' : '',
        LOAD => $module eq '' ? '' : "load_module $module;",
        USER => $> == 0 ? 'user root root;' : '',
        WORKERS => $self->{workers},
        CONNECTIONS => $self->{connections},
        LEVEL => $ENV{TEST_NGINX_LEVEL} // $self->{level} // 'info',
        DATABASE => $self->{pg} ? $self->{pg}->nginx : '',
        DIR => $self->{dir}, KEY => $self->key_file,
        PORT => $self->{port}, PORT2 => $self->{port2},
    );

    # texts of the test first, the names in them after that

    $text =~ s/%%(MAIN|HTTP|SERVER)%%/$v{$1}/g;
    $text =~ s/%%([A-Z0-9]+)%%/$v{$1} \/\/ die "unknown %%$1%%\n"/ge;

    return $text;
}


sub binary { $ENV{TEST_NGINX_BINARY} // '/usr/sbin/nginx' }


sub argv {
    my ($self) = @_;

    return (binary(), '-p', "$self->{dir}/", '-c', "$self->{dir}/nginx.conf",
            '-e', "$self->{dir}/error.log");
}


# What nginx says about the configuration: (exit status, text).

sub check_conf {
    my ($self) = @_;

    $self->file('nginx.conf', $self->conf);

    my $pid = open my $out, '-|';
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        exec $self->argv, '-t' or POSIX::_exit(127);
    }

    my $text = do { local $/; <$out> };
    close $out;

    return ($? >> 8, $text);
}


sub start {
    my ($self) = @_;

    $self->file('nginx.conf', $self->conf);
    $self->{pid} = $self->spawn("$self->{dir}/stderr.log", $self->argv);

    my $up = wait_for(10, sub {
        if (waitpid($self->{pid}, WNOHANG) == $self->{pid}) {
            $self->{pid} = undef;
            die "nginx did not start:\n" . $self->log . $self->stderr;
        }

        return $self->listening && $self->workers >= $self->count;
    });

    die "nginx does not answer:\n" . $self->log unless $up;

    return $self;
}


sub spawn {
    my ($self, $stderr, @argv) = @_;

    my $pid = fork;
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', $stderr;
        open STDERR, '>&', \*STDOUT;
        exec @argv or POSIX::_exit(127);
    }

    return $pid;
}


# "conf" may name its own number of workers

sub count {
    my ($self) = @_;

    return $self->conf =~ /^\s*worker_processes\s+(\d+)/m ? $1 : 1;
}


sub listening {
    my ($self) = @_;

    return defined IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $self->{port}, Proto => 'tcp', Timeout => 1);
}


# pids of the workers that accept, or of those that are shutting down

sub workers     { grep { title($_) !~ /shutting down/ } $_[0]->children }
sub old_workers { grep { title($_) =~ /shutting down/ } $_[0]->children }


sub children {
    my ($self) = @_;

    my $pid = $self->{pid} or return;

    open my $fh, '<', "/proc/$pid/task/$pid/children" or return;
    my $line = <$fh> // '';

    return grep { title($_) =~ /worker process/ } split ' ', $line;
}


sub title {
    my ($pid) = @_;

    open my $fh, '<', "/proc/$pid/cmdline" or return '';

    return scalar(<$fh>) // '';
}


# returns when workers of the new configuration serve

sub reload {
    my ($self) = @_;

    my %old = map { $_ => 1 } $self->children;

    $self->file('nginx.conf', $self->conf);
    kill HUP => $self->{pid};

    wait_for(10, sub {
        my @new = grep { !$old{$_} } $self->workers;
        return @new >= $self->count
               && !grep { $old{$_} } $self->workers;
    }) or die "nginx did not reload:\n" . $self->log;

    return $self;
}


# By TERM, which does not wait for clients; with QUIT nginx drains them first
# and may need longer.

sub stop {
    my ($self, $signal, $timeout) = @_;

    $timeout //= 10;

    if (my $pid = $self->{pid}) {
        my @workers = $self->children;

        kill $signal // 'TERM', $pid;

        if (!wait_for($timeout, sub { waitpid($pid, WNOHANG) == $pid })) {
            push @{$self->{problems}}, "nginx did not end in $timeout s";
            kill KILL => $pid, @workers;
            waitpid $pid, 0;
        }

        $self->{pid} = undef;
        $self->scan;
    }

    return $self;
}


# -- the logs

sub log    { $_[0]->slurp('error.log') }
sub stderr { $_[0]->slurp('stderr.log') }
sub access { $_[0]->slurp('access.log') }


sub slurp {
    my ($self, $name) = @_;

    open my $fh, '<', "$self->{dir}/$name" or return '';
    local $/;

    return scalar(<$fh>) // '';
}


sub wait_log {
    my ($self, $re, $timeout) = @_;

    return wait_for($timeout // 5, sub { $self->log =~ $re });
}


# announces lines that the error log may have

sub allow {
    my ($self, @re) = @_;

    push @{$self->{allow}}, @re;

    return $self;
}


sub scan {
    my ($self) = @_;

    my $text = $self->log . $self->stderr;

    LINE:
    for my $line (split /\n/, $text) {
        next unless $line =~ /\[(?:alert|emerg|crit)\]
                              | exited\ on\ signal
                              | runtime\ error: | Sanitizer
                              | ^==\d+==\s*ERROR/x;

        for my $re (@{$self->{allow}}) {
            next LINE if $line =~ $re;
        }

        push @{$self->{problems}}, $line;
    }

    if (grep { /Sanitizer|runtime error:/ } @{$self->{problems}}) {
        my ($report) = $text =~ /^((?:==\d+==\s*ERROR|[^\n]*runtime\ error:)
                                   .{0,4000})/xsm;
        push @{$self->{problems}}, split /\n/, $report // '';
    }
}


# -- clients

# A request of its own connection.  Options: headers (hash), token (Bearer),
# cookie, json (body), body, port, timeout.  Returns {status, headers, body,
# json}; headers have lower-case names.

sub http {
    my ($self, $method, $path, %o) = @_;

    my %h = (Host => 'localhost', Connection => 'close',
             %{$o{headers} // {}});
    my $body = $o{body};

    $h{Authorization} //= "Bearer $o{token}" if defined $o{token};
    $h{Cookie} //= $o{cookie} if defined $o{cookie};

    if (exists $o{json}) {
        $body = $JSON->encode($o{json});
        $h{'Content-Type'} //= 'application/json';
    }

    if (defined $body && !exists $h{'Transfer-Encoding'}) {
        $h{'Content-Length'} //= length $body;
    }

    my $text = "$method $path HTTP/1.1\r\n";
    $text .= "$_: $h{$_}\r\n" for grep { defined $h{$_} } sort keys %h;

    return $self->http_raw("$text\r\n" . ($body // ''), %o);
}


sub get  { my ($self, $path, %o) = @_; $self->http(GET => $path, %o) }
sub post { my ($self, $path, %o) = @_; $self->http(POST => $path, %o) }


# bytes as they are, until the server closes

sub http_raw {
    my ($self, $bytes, %o) = @_;

    my $s = $self->tcp($o{port});
    my $end = time + ($o{timeout} // 10);
    my $text = '';

    syswrite $s, $bytes;

    while (IO::Select->new($s)->can_read($end - time > 0 ? $end - time : 0)) {
        sysread $s, $text, 65536, length $text or last;
    }

    return parse_response($text);
}


sub parse_response {
    my ($text) = @_;

    my ($head, $body) = split /\r\n\r\n/, $text, 2;
    my ($first, @lines) = split /\r\n/, $head // '';
    my ($status) = ($first // '') =~ m{^HTTP/1\.[01] (\d{3})};
    my %headers;

    for (@lines) {
        my ($name, $value) = /^([^:]+):\s*(.*)$/ or next;
        $name = lc $name;
        $headers{$name} = defined $headers{$name}
                          ? "$headers{$name}, $value" : $value;
    }

    $body = dechunk($body) if ($headers{'transfer-encoding'} // '')
                              =~ /chunked/;

    return { status => $status // 0, headers => \%headers,
             body => $body // '', head => $head // '',
             json => scalar eval { $JSON->decode($body) } };
}


sub dechunk {
    my ($body) = @_;
    my $out = '';

    while ($body =~ /\G([0-9a-fA-F]+)[^\r\n]*\r\n/gc) {
        my $n = hex $1 or last;
        $out .= substr $body, pos $body, $n;
        pos($body) += $n + 2;
    }

    return $out;
}


sub tcp {
    my ($self, $port) = @_;

    return IO::Socket::INET->new(PeerAddr => '127.0.0.1', Proto => 'tcp',
        PeerPort => $port // $self->{port}, Timeout => 5)
        // die "connect: $!\n";
}


# a WebSocket after its handshake, whatever the answer was

sub ws {
    my ($self, %o) = @_;

    return Test::Realtime::WebSocket->new(port => $self->{port}, %o);
}


# A Socket.IO socket of the user, after the answer to CONNECT.  Options:
# token, via => 'auth' (default), 'cookie' or 'bearer', and those of ws().

sub connect {
    my ($self, $user, %o) = @_;

    my $token = exists $o{token} ? $o{token} : $self->token($user);

    return Test::Realtime::Client->new(port => $self->{port}, %o,
                                       token => $token);
}


# a script of t/node, which talks in lines of JSON

sub node {
    my ($self, $script, @args) = @_;

    my $node = Test::Realtime::Node->new("$ROOT/t/node/$script", @args);

    push @{$self->{nodes}}, $node;

    return $node;
}


# -- the small change

sub encode { $JSON->encode($_[0]) }
sub decode { $JSON->decode($_[0]) }


sub wait_for {
    my ($timeout, $done) = @_;

    my $end = time + $timeout;

    while (1) {
        return 1 if $done->();
        return 0 if time > $end;
        sleep 0.02;
    }
}


sub cleanup {
    my ($self) = @_;

    $_->stop for @{$self->{nodes}};

    $self->stop;
    $self->{pg}->destroy if $self->{pg};

    if ($ENV{TEST_NGINX_LEAVE}) {
        Test::More::diag("left in $self->{dir}");
    } else {
        remove_tree($self->{dir});
    }

    return @{$self->{problems}};
}


END {
    if ($$ == $OWNER) {
        my $status = $?;
        my @problems = map { eval { $_->cleanup } } @LIVE;

        Test::More::diag("in the error log: $_") for @problems;

        $? = $status || (@problems ? 1 : 0);
    }
}


1;
