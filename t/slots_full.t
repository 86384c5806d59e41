#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# The smallest zone has room for all 64 slots: for 32 workers, and for 32 more
# while the configuration is reloaded.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => 32, connections => 128)->start;

# as long as this one is there, its worker and its slot are

my $c = $t->connect('alice');
my %slots = map { $_ => 1 } slots();

is(scalar keys %slots, 32, '32 workers');

$t->reload;
$slots{$_} = 1 for slots();

is(scalar keys %slots, 64, 'and 32 others') or diag(join ' ', sort keys %slots);
is($c->ask('nothing')->{code}, 'event_unknown', 'a socket of the old ones');
is(scalar(grep { /\[(?:alert|emerg)\]/ } split /\n/, $t->log), 0,
   'nobody found the zone full');

done_testing();


sub slots { map { $_->{slot} } @{$t->get('/status')->{json}{slots}} }
