#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A few seconds of each fuzz target find nothing.  ./dev fuzz runs them longer.

use strict;
use warnings;

use File::Basename qw( basename dirname );
use Test::More;

my $root = dirname(__FILE__) . '/..';
my $seconds = 3;

plan(skip_all => 'clang is not installed')
    unless grep { -x "$_/clang" } split /:/, $ENV{PATH};

my @names = map { basename($_) =~ /^fuzz_(\w+)\.c$/ } glob("$root/t/fuzz/*.c");

plan(tests => 2 + 2 * @names);

my $text = qx($root/tools/fuzz $seconds 2>&1);

is($?, 0, 'tools/fuzz has no finding') or diag($text);
cmp_ok(@names, '>=', 3, 'targets are there');

for my $name (@names) {
    my ($inputs) = $text =~ /^\Q$name\E: (\d+) inputs, no finding$/m;

    cmp_ok($inputs // 0, '>', 1000, "$name: has run");
    cmp_ok(scalar(() = glob("$root/t/fuzz/seeds/$name/*")), '>=', 10,
           "$name: has seeds");
}
