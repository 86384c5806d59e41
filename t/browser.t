#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# What people do in the browser, against nginx, Postgres and the module: two
# windows, a network that goes, workers that are killed, and every state
# without a fault that axe can find.

use strict;
use warnings;

use FindBin;
use Test::More;

my $web = "$FindBin::Bin/../web";

plan(skip_all => 'the demo is of the ordinary build')
    if $ENV{TEST_NGINX_BINARY};
plan(skip_all => 'no Chromium')
    if grep { !-x "/usr/bin/$_" } qw( chromium chromium-headless-shell );
plan(skip_all => 'not built: tools/web does it') unless -f "$web/dist/.built";

chdir $web or die "$web: $!";
$ENV{NO_COLOR} = 1;
exec 'npm', 'run', '-s', 'e2e', '--', '--reporter=./e2e/tap.ts';
