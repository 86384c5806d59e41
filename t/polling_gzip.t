#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# nginx's own gzip compresses what polls are answered with.

use strict;
use warnings;

use Compress::Zlib qw( memGunzip );
use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => 2, server => <<'EOT')->start;
        listen 127.0.0.1:%%PORT2%% reuseport;
        realtime_allowed_origins https://app.example.com;

        location /gzip/ {
            realtime_socket echo=engine;
            gzip on;
            gzip_types text/plain;
            gzip_min_length 1k;
        }

        location /off/ {
            realtime_socket echo=engine;
            charset utf-8;
        }
EOT

my %gzip = (headers => { 'Accept-Encoding' => 'gzip, deflate, br',
                         Origin => 'https://app.example.com' });


sub session {
    my ($path) = @_;

    my $base = "$path?EIO=4&transport=polling";
    my $open = $t->get($base, %gzip)->{body};

    return "$base&sid=" . Test::Realtime::decode(substr $open, 1)->{sid};
}


# encoding, type and packets of the GET after these POSTs

sub poll {
    my ($s, $o, @packets) = @_;

    $t->post($s, port => $t->port2, body => join("\x1e", @packets), %gzip);

    my $r = $t->get($s, port => $t->port2, %$o);
    my $encoding = $r->{headers}{'content-encoding'};
    my $body = $encoding ? memGunzip($r->{body}) : $r->{body};

    cmp_ok(length $r->{body}, '<', length($body) / 10, 'a tenth is left')
        if $encoding;

    return [$encoding, $r->{headers}{'content-type'},
            $r->{headers}{'access-control-allow-origin'},
            split /\x1e/, $body];
}


my $type = 'text/plain; charset=UTF-8';
my $origin = 'https://app.example.com';
my ($long, $bytes) = ('4' . '<x>' x 10_000, 'b' . 'AAAA' x 10_000);
my $s = session('/gzip/');

for my $i (1 .. 8) {
    is_deeply(poll($s, \%gzip, "4$i", $long, $bytes),
              ['gzip', $type, $origin, "4$i", $long, $bytes],
              "poll $i, to any worker, is compressed");
}

is_deeply(poll($s, {}, $long), [undef, $type, undef, $long],
          'not for a client that does not ask for it');
is_deeply(poll($s, \%gzip, '4short'), [undef, $type, $origin, '4short'],
          'nor below gzip_min_length');
is_deeply(poll(session('/off/'), \%gzip, $long),
          [undef, $type, $origin, $long],
          'nor where gzip is off; nor is there a second charset');


# a GET that waits: what comes is sent at once, and whole

my $waiting = $t->tcp($t->port2);

syswrite $waiting, "GET $s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                   . "Accept-Encoding: gzip\r\n\r\n";
is($t->post($s, body => $long)->{body}, 'ok', 'a packet for a GET that waits');

my $text = do { local $/; <$waiting> };
my $r = Test::Realtime::parse_response($text);

is($r->{headers}{'content-encoding'}, 'gzip', 'is compressed');
ok((memGunzip($r->{body}) // '') eq $long, 'and whole');

done_testing();
