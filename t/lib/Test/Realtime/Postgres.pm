package Test::Realtime::Postgres;

# Copyright (C) ngx_realtime contributors

# A private Postgres cluster with the schema of sql/, for one test file.  The
# cluster is copied from a template which the first test of a checkout makes;
# what tools/postgres does is not repeated here.

use strict;
use warnings;

use Cwd qw( abs_path );
use Digest::SHA;
use Fcntl qw( :flock );
use File::Basename qw( dirname );
use File::Path qw( make_path remove_tree );
use File::Temp qw( tempdir );


my $ROOT = abs_path(dirname(__FILE__) . '/../../../..');
my $TOOL = "$ROOT/tools/postgres";


sub new {
    my ($class, %o) = @_;

    my $dir = tempdir('rtpg-XXXXXXXX', TMPDIR => 1);

    chmod 0755, $dir;
    chown scalar getpwnam('postgres'), -1, $dir if $> == 0;

    run('cp', '-a', template() . '/data', "$dir/data");

    return bless({ dir => $dir, flags => $o{flags} // ['-F'] },
                 $class)->start;
}


# The template stays for the next run of prove, until sql/ changes.

sub template {
    my $sha = Digest::SHA->new(256);
    $sha->addfile($_) for $TOOL, sort glob "$ROOT/sql/*.sql";

    my $top = "$ROOT/build/postgres";
    make_path($top);

    open my $lock, '>', "$top/lock" or die "$top/lock: $!";
    flock $lock, LOCK_EX or die "flock: $!";

    my $link = "$top/" . substr $sha->hexdigest, 0, 16;

    if (!-d "$link/data") {
        unlink $link;

        my ($dir) = qx($TOOL place $link.dir);
        die "no place for Postgres\n" if $?;
        chomp $dir;

        run('rm', '-rf', "$dir/data");
        run($TOOL, 'init', $dir);
        run($TOOL, 'start', $dir, '-F');
        my $ok = eval { run($TOOL, 'migrate', $dir); 1 };
        my $error = $@;
        run($TOOL, 'stop', $dir);
        die $error unless $ok;

        symlink $dir, $link or die "$link: $!";
    }

    return $link;
}


sub run {
    my (@argv) = @_;

    system(@argv) == 0 or die "@argv: failed ($?)\n";
}


sub dir      { $_[0]{dir} }

# of the owner of the tables, and of nginx, which has the rights of roles.sql

sub conninfo { "host=$_[0]{dir} dbname=realtime user=realtime" }
sub nginx    { "host=$_[0]{dir} dbname=realtime user=chat" }


sub start {
    my ($self) = @_;

    if (!$self->{running}) {
        run($TOOL, 'start', $self->{dir}, @{$self->{flags}});
        $self->{running} = 1;
    }

    return $self;
}


# modes of pg_ctl: fast, immediate

sub stop {
    my ($self, $mode) = @_;

    if ($self->{running}) {
        run($TOOL, 'stop', $self->{dir}, $mode // 'fast');
        $self->{running} = 0;
    }

    return $self;
}


# Rows as lines, columns separated by "|"; in list context a list of lines.
# With role => 'postgres' as the superuser.

sub sql {
    my ($self, $text, %o) = @_;

    open my $out, '-|', 'psql', '-qtAX', '-v', 'ON_ERROR_STOP=1',
        '-h', $self->{dir}, '-U', $o{role} // 'realtime', 'realtime',
        '-c', $text or die "psql: $!";

    my @lines = <$out>;
    close $out or die "psql failed: $text\n";
    chomp @lines;

    return wantarray ? @lines : join "\n", @lines;
}


sub destroy {
    my ($self) = @_;

    $self->stop('immediate');
    remove_tree($self->{dir});
}


1;
