#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# rt_sio reads a Socket.IO packet as the stock parser does, or refuses it.

use strict;
use warnings;

use Cwd qw( abs_path );
use File::Basename qw( dirname );
use File::Temp qw( tempdir );
use Test::More;

my $root = abs_path(dirname(__FILE__) . '/..');
my $modules = "$root/t/node_modules";

plan(skip_all => 'no socket.io-parser in t/node_modules')
    unless -d "$modules/socket.io-parser";

my $program = tempdir(CLEANUP => 1) . '/sio_parser_diff';
my @proto = map { "$root/src/proto/rt_$_.c" }
            qw( json json_check json_read json_string sio );

system($ENV{CC} // 'cc', '-std=c11', '-g', '-O1', "-I$root/src/proto", '-o',
       $program, "$root/t/lib/sio_parser_diff.c", @proto, '-ljansson') == 0
    or BAIL_OUT("cannot build sio_parser_diff.c");

# the script prints the TAP of this test

$ENV{NODE_PATH} = $modules;
$| = 1;

system('node', "$root/t/lib/sio_parser_diff.js", $program);
exit($? ? 1 : 0);
