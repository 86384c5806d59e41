#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# The package in web/: its types and its style hold, its tests pass, and what
# it weighs is within the bars.

use strict;
use warnings;

use FindBin;
use Test::More;

my $web = "$FindBin::Bin/../web";

plan(skip_all => 'nginx has no part in it') if $ENV{TEST_NGINX_BINARY};
plan(skip_all => 'not built: tools/web does it') unless -f "$web/dist/.built";

for (
    ['check', 'types and style'],
    ['test', 'unit and component tests'],
    ['test:18', 'those of React with the oldest one that is promised'],
    ['size', 'no more bytes than the bars allow'],
) {
    my ($script, $what) = @$_;
    my $text = qx(NO_COLOR=1 npm --prefix $web run -s $script 2>&1 </dev/null);

    is($?, 0, $what) or diag($text);
}

done_testing();
