#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Engine.IO 4: the cases of the public conformance suite, and some more, end
# as they do with engine.io itself.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime::Conformance;

my $unknown = '{"code":1,"message":"Session ID unknown"}';

Test::Realtime::Conformance->run(engine => 'conformance_engineio.js',
    differs => {
        map { $_ => ["[400,$unknown]", 'we say 400 to that POST already, as '
                                       . 'the suite asks for'] }
            'heartbeat, polling: a ping of the client',
            'message, polling: an invalid packet',
    });

done_testing();
