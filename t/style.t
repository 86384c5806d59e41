#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# The layers and the style hold, and the two checkers would see it if they
# did not.

use strict;
use warnings;

use Cwd qw( abs_path );
use File::Basename qw( dirname );
use File::Path qw( make_path );
use File::Temp qw( tempdir );
use Test::More;

my $root = abs_path(dirname(__FILE__) . '/..');


sub check {
    my ($tool, $dir) = @_;

    my $text = qx($root/tools/$tool $dir 2>&1);

    return ($? >> 8, $text);
}


# a tree with one file in it

sub tree {
    my ($path, $text) = @_;

    my $dir = tempdir(CLEANUP => 1);

    make_path(dirname("$dir/$path"), map { "$dir/src/$_" } qw( proto core ));
    system('git', 'init', '-q', $dir) == 0 or die "git: $?";

    for (['src/proto/rt.h', "#include <stddef.h>\n"],
         ['src/core/ngx_realtime.h',
          "#include <ngx_config.h>\n#include \"rt.h\"\n"],
         ['src/room/ngx_realtime_room.h', ''],
         [$path, $text])
    {
        make_path(dirname("$dir/$_->[0]"));
        open my $fh, '>', "$dir/$_->[0]" or die $!;
        print $fh $_->[1];
        close $fh;
    }

    return $dir;
}


my $f = "int\nf(void)\n{\n    return 0;\n}\n";

for my $tool (qw( layers style )) {
    my ($status, $text) = check($tool, $root);

    is($status, 0, "$tool: nothing to say about this tree") or diag($text);
    is((check($tool, tree('src/core/a.c', $f)))[0], 0,
       "$tool: nor about a tree in order");
}

my $deep = "int\ng(void)\n{\n" . "    f();\n" x 101 . "}\n";

for (
    [layers => 'src/core/a.c', "#include \"ngx_realtime_room.h\"\n",
     'core may not include room'],
    [layers => 'src/proto/a.c', "#include \"ngx_realtime.h\"\n",
     'proto may not include core'],
    [layers => 'src/proto/a.c', "#include <ngx_core.h>\n",
     'proto may not include <ngx_core.h>'],
    [layers => 'src/proto/a.c', "#include <time.h>\n",
     'proto may not include <time.h>'],
    [layers => 'src/room/a.c', "#include \"ngx_realtime_module.c\"\n",
     'bare name'],
    [layers => 'src/core/a.c', "#include <errno.h>\n#include \"rt.h\"\n",
     'ngx_config.h has to come first'],
    [layers => 'src/room/rt.h', '', 'name is taken'],
    [layers => 'src/util/a.c', '', 'no such layer'],
    [style => 'src/core/a.c', '/* ' . 'x' x 80 . " */\n", '80 columns'],
    [style => 'src/core/a.c', "\tint a;\n", 'tab'],
    [style => 'src/core/a.c', "int a;  // b\n", '// comment'],
    [style => 'src/core/a.c', "int a; \n", 'trailing blank'],
    [style => 'src/core/a.c', "$f\n$f", 'two blank lines'],
    [style => 'src/core/a.c', "$f\n\n\n$f", 'three blank lines'],
    [style => 'src/core/a.c', $deep, 'over 100 lines'],
    [style => 'src/core/a.c', "int a;\n" x 901, 'over 900 lines'],
    [style => 'ngx_realtime_module.c', "\tint a;\n", 'tab'],
    [style => 'docs/a.md', 'see /wor' . "k/main/x\n", 'path of a machine'],
    [style => 'a.json', '"reso' . "lved\": \"x\"\n", 'package registry'],
) {
    my ($tool, $path, $content, $says) = @$_;
    my ($status, $text) = check($tool, tree($path, $content));

    ok($status == 1 && index($text, $says) >= 0, "$tool sees: $says")
        or diag($text);
}

is((check(style => tree('src/core/a.c',
    "/* see http://x */\nchar  *u = \"//\";\nint a = 1 / 2;\n")))[0], 0,
    'style: a // in a comment or a string is no comment');

done_testing();
