#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# The words keep up with the code: the configuration of the README starts,
# and routes, events, codes, counters and links in docs/ are those that exist.

use strict;
use warnings;

use File::Basename qw( dirname );
use Test::More;

use lib 't/lib';
use Test::Realtime;

my $root = $Test::Realtime::ROOT;

readme_conf();
routes('ngx_realtime_route.c', 'docs/rest.md');
routes('ngx_realtime_route_notify.c', 'docs/notifications.md');
routes('ngx_realtime_api.c', 'docs/api.md');
events();
codes();
envelopes();
counters();
links();

done_testing();


sub readme_conf {
    my $t = Test::Realtime->new;
    my ($conf) = slurp('README.md') =~ /^```nginx\n(.*?)^```/ms;

    $conf =~ s/^load_module .*/%%LOAD%% pid %%DIR%%\/nginx.pid;/m or die;
    $conf =~ s/^http \{\n/http {\n    access_log %%DIR%%\/access.log;\n/m;
    $conf =~ s/listen 80;/listen 127.0.0.1:%%PORT%%;/ or die;
    $conf =~ s{file:\S+?;}{file:%%KEY%%;} or die;

    $t->{conf} = $conf;

    my ($status, $text) = $t->check_conf;

    is($status, 0, 'the nginx.conf of the README') or diag($text);
}


sub routes {
    my ($file, $manual) = @_;

    my @is = slurp("src/api/$file")
             =~ /\{ NGX_HTTP_(\w+), ngx_string\("([^"]+)"\)/g;
    my @documented = slurp($manual) =~ m{^## ([A-Z]+ /\S+)$}mg;
    my @routes;

    while (my ($method, $path) = splice @is, 0, 2) {
        push @routes, "$method $path" =~ s{rooms/:}{rooms/:room}r
                                      =~ s{/:(?=/|$)}{/:id}gr;
    }

    is_deeply([sort @documented], [sort @routes], "the routes of $manual");
}


sub events {
    my ($table) = slurp('src/api/ngx_realtime_event.c')
                  =~ /ngx_realtime_events\[\] = (.*?)ngx_null_string/s;
    my $docs = slurp('docs/events.md');
    my ($from_client) = $docs =~ /^## From the client\n(.*?)^## /ms;
    my ($from_server) = $docs =~ /^## From the server\n(.*?)^## /ms;

    is_deeply([sort $from_client =~ /^\| `(\w+)` \|/mg],
              [sort $table =~ /ngx_string\("(\w+)"\)/g],
              'the events of a client');

    my %said = map { $_ => 1 } $from_server =~ /^\| `(\w+)` \|/mg;
    my %emitted;

    # but the echoes of the test suites

    for (map { slurp(substr $_, 1 + length $root) }
         grep { !/_echo\.c$/ } glob "$root/src/*/*.c") {
        $emitted{$1} = 1 while /_emit(?:_volatile)?\([^;"]*"(\w+)"/g;
        $emitted{$1} = 1 while /_(?:msg_event|event_tell)\([^;"]*"(\w+)"/g;
        $emitted{$1} = 1 while /"42\[\\"(\w+)\\"/g;
    }

    is_deeply([sort keys %said], [sort keys %emitted],
              'the events of the server');
}


# those that some code refuses with

sub codes {
    my $sources = join '', map { slurp(substr $_, 1 + length $root) }
                           glob "$root/src/*/*.c";
    my $docs = slurp('docs/rest.md');
    my @table = slurp('src/core/ngx_realtime_refusal.h')
        =~ /X\((\w+), "(\w+)", (\d+), \d,[\s\\]*"([^"]*)"/g;

    my %code;

    while (my ($name, $code, $status, $text) = splice @table, 0, 4) {
        next unless $sources =~ /NGX_REALTIME_R_$name\b/;

        $code{$code} = 1;
        ok($docs =~ /^\| `$code` \| $status \| \Q$text\E/m, "code $code")
            or diag("looked for: | `$code` | $status | $text");
    }

    is_deeply([sort $docs =~ /^\| `(\w+)` \| \d+ \|/mg], [sort keys %code],
              'and no others');
}


# of errors that nginx makes

sub envelopes {
    my @table = slurp('src/api/ngx_realtime_envelope.c')
        =~ /ENVELOPE\((\d+), "(\w+)",\s*"([^"]*)"/g;
    my ($docs) = slurp('docs/rest.md') =~ /^## What nginx refuses\n(.*)/ms;
    my %is;

    while (my ($status, $code, $text) = splice @table, 0, 3) {
        $is{"`$code` | $text"} = 1;
    }

    my %documented = map { $_ => 1 }
                     $docs =~ /^\| (?:\d+|other \dxx) \| (.*) \|$/mg;

    is_deeply(\%documented, \%is, 'the errors of nginx');
}


sub counters {
    my %is = map { $_ => 1 } slurp('src/core/ngx_realtime_counter.h')
                             =~ /X\((\w+), (?:GAUGE|COUNTER),/g;
    my ($watch) = slurp('docs/operations.md')
                  =~ /^## What to watch\n(.*?)^## /ms;

    my @unknown = grep { !$is{$_} } map { /`(\w+)`/g }
                  $watch =~ /^\| (`.*?) \|/mg;

    is_deeply(\@unknown, [], 'the counters to watch');
}


sub links {
    my @bad;

    for my $path ('README.md', 'SECURITY.md', 'CONTRIBUTING.md',
                  'bench/README.md',
                  map { substr $_, 1 + length $root } glob "$root/docs/*.md")
    {
        my $text = slurp($path);

        for my $link ($text =~ /\]\(([^)\s]+)\)/g) {
            next if $link =~ /^https?:/;

            my ($file, $anchor) = split /#/, $link;
            my $target = $file eq '' ? $path : dirname($path) . "/$file";

            push @bad, "$path: $link"
                unless -e "$root/$target"
                       && (!defined $anchor || anchors($target)->{$anchor});
        }
    }

    is_deeply(\@bad, [], 'links lead somewhere');
}


sub anchors {
    my ($path) = @_;

    return { map { lc =~ s/[^\w -]//gr =~ tr/ /-/r => 1 }
             slurp($path) =~ /^#+ (.*)$/mg };
}


sub slurp {
    my ($path) = @_;

    open my $fh, '<', "$root/$path" or die "$path: $!";
    local $/;

    return scalar <$fh>;
}
