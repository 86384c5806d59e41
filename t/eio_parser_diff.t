#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# rt_eio splits a polling payload as the stock parser does.

use strict;
use warnings;

use Cwd qw( abs_path );
use File::Basename qw( dirname );
use File::Temp qw( tempdir );
use Test::More;

my $root = abs_path(dirname(__FILE__) . '/..');
my $modules = "$root/t/node_modules";

plan(skip_all => 'no engine.io-parser in t/node_modules')
    unless -d "$modules/engine.io-parser";

my $program = tempdir(CLEANUP => 1) . '/eio_parser_diff';

system($ENV{CC} // 'cc', '-std=c11', '-g', '-O1', "-I$root/src/proto", '-o',
       $program, "$root/t/lib/eio_parser_diff.c", "$root/src/proto/rt_eio.c")
    == 0
    or BAIL_OUT("cannot build eio_parser_diff.c");

# the script prints the TAP of this test

$ENV{NODE_PATH} = $modules;
$| = 1;

system('node', "$root/t/lib/eio_parser_diff.js", $program);
exit($? ? 1 : 0);
