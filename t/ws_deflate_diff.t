#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# permessage-deflate is agreed on as ws does it, and understood by it.

use strict;
use warnings;

use Cwd qw( abs_path );
use File::Basename qw( dirname );
use File::Temp qw( tempdir );
use Test::More;

my $root = abs_path(dirname(__FILE__) . '/..');
my $modules = "$root/t/node_modules";

plan(skip_all => 'no ws in t/node_modules')
    unless -d "$modules/ws";

my $program = tempdir(CLEANUP => 1) . '/ws_deflate_diff';

system($ENV{CC} // 'cc', '-std=c11', '-g', '-O1', "-I$root/src/proto", '-o',
       $program, "$root/t/lib/ws_deflate_diff.c",
       "$root/src/proto/rt_deflate.c", '-lz') == 0
    or BAIL_OUT("cannot build ws_deflate_diff.c");

# the script prints the TAP of this test

$ENV{NODE_PATH} = $modules;
$| = 1;

system('node', "$root/t/lib/ws_deflate_diff.js", $program);
exit($? ? 1 : 0);
