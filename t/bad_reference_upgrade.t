#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# From polling to WebSocket, in the wrong order or with the wrong words: nginx
# beside the reference server, and what becomes of the session.

use strict;
use warnings;

use lib 't/lib';
use Test::Realtime::Raw qw( text binary frame );
use Test::Realtime::Reference;

my $r = Test::Realtime::Reference->new('engine');

my $order = 'without a probe before it, a GET would be left parked';


# what the WebSocket says to each piece, then what the session does

sub probe {
    my ($name, @ours) = @_;

    my @pieces = ref $ours[0] ? @{shift @ours} : shift @ours;

    $r->case($name, sub { my ($c) = @_; $c->session;
        my ($ws, $no) = $c->opened;
        return ($no, $c->fate) if $no;
        (map { $c->hear($ws, $_, last => 'ping') } @pieces), $c->fate;
    }, @ours);
}


my $probe = text('2probe');

probe(@$_) for
    ['a probe, and no more', $probe], ['a ping of RFC 6455',
                                       frame(opcode => 9, payload => 'x')],
    map({ ["$_ for a probe", text($_)] } '2', '2probex', '2PROBE', '3probe',
        '4x', '1', '6', '', '7', '0'),
    ['a probe in a binary frame', binary('2probe')],
    ['bytes for a probe', binary("\1")],
    ['a probe in two frames', frame(fin => 0, payload => '2pr')
                              . frame(opcode => 0, payload => 'obe')],
    ['a probe twice', [$probe, $probe]],
    ['a message behind the probe', [$probe, text('4x')]],
    ['bytes behind the probe', [$probe, binary("\1")]],
    ['a Close behind the probe', [$probe, text('1')]],
    ['a frame with a reserved bit', frame(rsv => 4)],
    ['a frame that is not masked', [$probe, frame(mask => 0)]],
    ['a message over the limit', text('4' . 'x' x 10000)],
    ['text that is none', text("\xff")],
    ['close 1000', frame(opcode => 8, payload => pack 'n', 1000)],
    ['close 1000 behind the probe', [$probe, frame(opcode => 8,
                                                   payload => pack 'n', 1000)]],
    ['"5" for a probe', text('5'), 'close 1005 end, lives', $order],
    ['"5x"', [$probe, text('5x')], '3probe lives, close 1005 end, lives',
     'no such packet'];


# Cases of a session and a WebSocket that has its sid.  (hear() of it ends
# with an echo when it carries the session.)

sub upgrade {
    my ($name, $send, @ours) = @_;

    $r->case($name, sub { my ($c) = @_; $c->session;
        my ($ws, $no) = $c->opened;
        $no ? ($no, $c->fate) : $send->($c, $ws) }, @ours);
}


sub probed { my ($c, $ws) = @_; $c->hear($ws, $probe, last => 'ping') }

sub another {
    my ($c, $bytes) = @_;
    my ($ws, $no) = $c->opened;

    return $no // $c->hear($ws, $bytes, last => 'ping');
}


upgrade(@$_) for
    ['all at once', sub { my ($c, $ws) = @_;
        $c->hear($ws, $probe . text('5') . text('4a')) }],
    ['byte by byte', sub { my ($c, $ws) = @_;
        $c->hear($ws, [split //, $probe . text('5') . text('4a')]) }],
    ['"5" twice', sub { my ($c, $ws) = @_;
        $c->hear($ws, $probe . text('5') . text('5')) },
     '3probe close 1005 end', 'no client sends it'],
    ['a probe behind "5"', sub { my ($c, $ws) = @_;
        $c->hear($ws, $probe . text('5') . $probe) }],
    ['text that is none behind "5"', sub { my ($c, $ws) = @_;
        $c->hear($ws, $probe . text('5') . text("4\xff")) }],
    ['close behind "5"', sub { my ($c, $ws) = @_;
        $c->hear($ws, $probe . text('5') . frame(opcode => 8,
            payload => pack 'n', 1000)) }],

    ['a second WebSocket before the probe', sub { my ($c, $ws) = @_;
        another($c, $probe), probed($c, $ws), $c->hear($ws, text('5')) }],
    ['a second one behind the probe', sub { my ($c, $ws) = @_;
        probed($c, $ws), another($c, $probe), $c->hear($ws, text('5')) }],
    ['a second one behind "5"', sub { my ($c, $ws) = @_;
        $c->hear($ws, $probe . text('5')), another($c, $probe),
        $c->hear($ws, '') }],
    ['a second one, and the first has gone', sub { my ($c, $ws) = @_;
        probed($c, $ws), $c->hear($ws, text('4x'), last => 'ping'),
        another($c, $probe), $c->fate }],

    ['a GET waits', sub { my ($c, $ws) = @_; $c->park;
        probed($c, $ws), $c->parked, $c->get, $c->hear($ws, text('5')) }],
    ['a POST behind the probe', sub { my ($c, $ws) = @_;
        probed($c, $ws), $c->post('4p'), $c->hear($ws, text('5') . text('4w'))
    }],
    ['a bad POST behind the probe', sub { my ($c, $ws) = @_;
        probed($c, $ws), $c->post('7'), $c->hear($ws, text('5')), $c->fate },
     '3probe lives, 400 html, close 1005 end, gone',
     'the POST is told already'],
    ['a Close behind the probe, by POST', sub { my ($c, $ws) = @_;
        probed($c, $ws), $c->post('1'), $c->hear($ws, text('5')), $c->fate }],
    ['the client leaves behind the probe', sub { my ($c, $ws) = @_;
        my $probed = probed($c, $ws); $ws->abort; $probed, $c->fate }];


# a session that began as a WebSocket

sub websocket {
    my ($name, $send, @ours) = @_;

    $r->case("of a WebSocket: $name", sub { my ($c) = @_;
        my $ws = $c->websocket;
        my ($sid) = $ws->recv->{payload} =~ /"sid":"([^"]+)"/;
        $send->($c, $sid), $c->hear($ws, '') }, @ours);
}


websocket('a GET', sub { my ($c, $sid) = @_; $c->get(sid => $sid) });
websocket('a GET as if of its transport', sub { my ($c, $sid) = @_;
    $c->get(sid => $sid, transport => 'websocket') }, '400 json '
    . '{"code":3,"message":"Bad request"}, lives',
    'the reference server leaves it without an answer');
websocket('an upgrade', sub { my ($c, $sid) = @_;
    my $ws = $c->websocket(query => { sid => $sid });
    $c->hear($ws, $probe, last => 'ping') }, 'close 1005 end, lives',
    'it is one already; the reference server would let it be taken over');

$r->done;
