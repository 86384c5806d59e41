#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# The examples of docs/api.md and docs/notifications.md work as they are written:
# the configuration, each call of curl, with the status and the members that
# the text says, and what is said to psql, by a role with no more rights than it
# is told to have there.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::JWT qw( jwt_encode );

my %doc = map { $_ => blocks("docs/$_.md") } qw( api notifications rest );
my $secret = 'another secret, of 32 bytes or more';

my ($conf) = map { $_->{text} } grep { $_->{kind} eq 'nginx' }
                                     @{$doc{notifications}};

$conf =~ s{/etc/nginx/service\.key}{%%DIR%%/service.key};

my $t = Test::Realtime->new(workers => 2, database => 1, server => <<"EOC");
        realtime_jwt_key HS256 file:%%KEY%%;
        $conf
EOC

$t->file('service.key', $secret);
$t->start;

my $user = $t->uuid('alice');
my $c = $t->connect($user);

my %env = (ID => $user, TOKEN => $t->token($user),
           SERVICE => jwt_encode({ alg => 'HS256', key => $secret },
                                 { exp => time + 600 }));

# what a section's example is about, where that is not the user

my %id = (
    'GET /jobs/:id' => sub {
        return api_call('notifications', { userId => $user, type => 'x',
            title => 'T', message => 'M', deliverAt => time + 600 })
            ->{json}{data}{job};
    },
);

# the members that are there only if something is

api_call('notifications', { userId => $user, type => 'x', title => 'T',
                            message => 'M', data => { description => 'D' } });

is(scalar(grep { $_->{kind} eq 'call' } @{$doc{notifications}}),
   examples('notifications', setup('rest'), setup('notifications')),
   'the examples of docs/notifications.md');
is(scalar(grep { $_->{kind} eq 'call' } @{$doc{api}}),
   examples('api', setup('api')), 'the examples of docs/api.md');

in_sql();

$t->stop;
done_testing();


sub api_call {
    my ($path, $json) = @_;

    return $t->post("/realtime/api/$path", token => $env{SERVICE},
                    json => $json);
}


# [ { kind, text, section, status } ]: nginx, sql, ...; or of those that are
# indented: call, reply, setup, grant, other.  status: the first 2xx of the section.

sub blocks {
    my ($path) = @_;

    open my $in, '<', "$Test::Realtime::ROOT/$path" or die "$path: $!";
    my $text = do { local $/; <$in> };
    my @blocks;

    for my $part (split /^(?=###? )/m, $text) {
        my ($section) = $part =~ /^#+ (.*)/;
        my ($status) = $part =~ /\b(2\d\d)\b(?! \w+ (?:bytes|ms))/;

        my @found = $part =~ /^```(\w+)\n(.*?)^```/msg;

        while (my ($kind, $code) = splice @found, 0, 2) {
            push @blocks, { kind => $kind, text => $code,
                            section => $section // '' };
        }

        while ($part =~ /(?<=\n\n)((?: {4}.*\n)+)/g) {
            my $code = $1 =~ s/^ +//mgr;

            push @blocks, { text => $code, section => $section // '',
                status => $status // 200,
                kind => $code =~ /^(?:api|auth|json|curl) / ? 'call'
                        : $code =~ /^\{"/ ? 'reply'
                        : $code =~ /^URL=/ ? 'setup'
                        : $code =~ /^grant / ? 'grant' : 'other' };
        }
    }

    return \@blocks;
}


sub setup {
    return join '', map { $_->{text} =~ s{https://chat\.example\.com}{$t->url}er }
                    grep { $_->{kind} eq 'setup' } @{$doc{$_[0]}};
}


# how many were run

sub examples {
    my ($name, @setup) = @_;
    my ($n, $got) = 0;

    for my $block (@{$doc{$name}}) {

        if ($block->{kind} eq 'reply') {
            my $said = eval { decode_json($block->{text}) };

            ok($said, "  its reply is JSON") or next;
            is(differs($got, $said), '', '  and has these members') if $got;
            next;
        }

        next if $block->{kind} ne 'call';

        my $id = $id{$block->{section}};
        local $env{ID} = $id ? $id->() : $env{ID};

        my ($status, $body) = run(@setup, $block->{text});

        is($status, $block->{status}, "$name.md, $block->{section}")
            or diag($body);
        $got = eval { decode_json($body) };
        is($got->{status}, 'success', '  has the envelope');
        $n++;
    }

    return $n;
}


# by bash, as somebody types it

sub run {
    local @ENV{keys %env} = values %env;

    open my $bash, '-|', 'bash', '-euc', join "\n",
        q(curl() { command curl -w '\n%{http_code}' "$@"; }), @_
        or die "bash: $!";

    my @lines = <$bash>;
    close $bash or return ("bash: $?", join '', @lines);

    return (pop @lines, join '', @lines);
}


# where members have other names, or are others; of arrays the first item tells,
# if there is one: the example shows what may be in it

sub differs {
    my ($got, $said, $at) = (@_, '');

    return "$at: another type" if ref $got ne ref $said;

    if (ref $said eq 'HASH') {
        my @names = map { join ',', sort keys %$_ } $got, $said;

        return "$at: {$names[0]}, not {$names[1]}" if $names[0] ne $names[1];

        for (sort keys %$said) {
            my $how = differs($got->{$_}, $said->{$_}, "$at.$_");

            return $how if $how;
        }
    }

    return ref $said eq 'ARRAY' && @$got && @$said
           ? differs($got->[0], $said->[0], $at . '[0]') : '';
}


sub in_sql {
    my ($sql) = map { $_->{text} } grep { $_->{kind} eq 'sql' } @{$doc{api}};
    my ($grant) = map { $_->{text} } grep { $_->{kind} eq 'grant' }
                                          @{$doc{api}};
    my ($id) = $sql =~ /notify_user\('([-0-9a-f]{36})'/;
    my $of = $t->connect($id);

    $of->events(0.3);

    $t->sql("create role app; create table orders (id int, state text);
             insert into orders values (7, 'new');
             grant select, update on orders to app", role => 'postgres');

    ok(!eval { $t->sql("set role app; $sql", role => 'postgres'); 1 },
       'who was granted nothing cannot say it');

    $t->sql($grant);
    ok(eval { $t->sql("set role app; $sql", role => 'postgres'); 1 },
       'who was granted what the text says can');

    is($t->sql('select state from orders', role => 'postgres'), 'sent',
       'the transaction is committed');

    my $n = $of->event('notification', 10);

    is_deeply([@$n{qw( title data )}], ['Sent', { order => 7 }],
              'the notification arrives');
    is_deeply(scalar(($of->event('order', 10))[0]),
              { id => 7, state => 'sent' }, 'and the event');

    # and alone, by the names of arguments that the text has

    my @named = map { /`(\w+ => [^`]*)`/g } do {
        open my $in, '<', "$Test::Realtime::ROOT/docs/api.md" or die $!;
        local $/;
        <$in>;
    };

    ok(scalar(grep {
        eval { $t->sql("select realtime.notify_user('$id', 'system', 'T',
                                                    'M', $_)"); 1 }
    } @named) == @named && @named, "with @named");
}
