#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Polling on connections that live on: HTTP/1.1 with keep-alive, requests in
# a pipeline, bodies that come late, and HTTP/2.

use strict;
use warnings;

use IO::Select;
use Test::More;
use Time::HiRes qw( sleep time );

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => 4, server => <<'EOT')->start;
        listen 127.0.0.1:%%PORT2%% http2 reuseport;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /engine/ {
            realtime_socket echo=engine;
            realtime_max_payload 1000000;
        }

        location /status {
            realtime_status json;
        }
EOT

my $base = '/engine/?EIO=4&transport=polling';


sub session {
    my $open = $t->get($base)->{body};

    return "$base&sid=" . Test::Realtime::decode(substr $open, 1)->{sid};
}


sub get  { "GET $_[0] HTTP/1.1\r\nHost: x\r\n\r\n" }
sub head { "HEAD $_[0] HTTP/1.1\r\nHost: x\r\n\r\n" }
sub post { my ($s, $body) = @_;
           "POST $s HTTP/1.1\r\nHost: x\r\nContent-Length: "
           . length($body) . "\r\n\r\n$body" }


# what comes in so many seconds, as "status body" of each answer

sub answers {
    my ($c, $n, $heads) = @_;

    my ($text, $end, @got) = ('', time + 3);

    while (@got < $n && time < $end) {
        if ($text =~ /^HTTP\S+\ (\d+) .*? ^Content-Length:\ (\d+)\r\n
                      .*? \r\n\r\n/xsm)
        {
            my ($status, $len, $after) = ($1, $heads ? 0 : $2, $+[0]);

            if (length $text >= $after + $len) {
                push @got, join ' ', $status, substr $text, $after, $len;
                $text = substr $text, $after + $len;
                next;
            }
        }

        IO::Select->new($c)->can_read(0.2) or next;
        sysread $c, $text, 65536, length $text or last;
    }

    return @got;
}


# one connection, one request after the other

my ($c, $s) = ($t->tcp, session());
my $bad = 0;

for my $i (1 .. 30) {
    syswrite $c, post($s, "4$i");
    $bad++ if "@{[answers($c, 1)]}" ne '200 ok';
    syswrite $c, get($s);
    $bad++ if "@{[answers($c, 1)]}" ne "200 4$i";
}

is($bad, 0, 'thirty round trips on one connection');

# in a pipeline

syswrite $c, post($s, '4a') . get($s) . post($s, '4b') . post($s, '4c')
             . get($s);
is_deeply([answers($c, 5)],
          ['200 ok', '200 4a', '200 ok', '200 ok', "200 4b\x{1e}4c"],
          'five requests at once');

syswrite $c, get($s) . get($s) . get($s);
sleep 0.2;

for my $x (qw( x y z )) {
    is($t->post($s, body => "4$x")->{body}, 'ok', "$x is sent");
    is_deeply([answers($c, 1)], ["200 4$x"],
              'one GET of three in a pipeline has it');
}

syswrite $c, head($base) . head($s);
is_deeply([answers($c, 2, 1)], ['400 ', '400 '], 'HEAD is no method of ours');
syswrite $c, post($s, '4d') . get($s);
is_deeply([answers($c, 2)], ['200 ok', '200 4d'], 'the session stays');

# the parked GET of a pipeline whose client leaves

syswrite $c, get($s) . post($s, '4e');
sleep 0.2;
close $c;
ok(Test::Realtime::wait_for(3, sub { ($t->get($s)->{json} // {})->{code} }),
   'a client that leaves with requests in the pipeline is gone');


# bodies that take their time, or are none of a GET's business

($c, $s) = ($t->tcp, session());

for (split //, post($s, '4slow')) {
    syswrite $c, $_;
    sleep 0.002;
}

is_deeply([answers($c, 1)], ['200 ok'], 'a POST byte by byte');

syswrite $c, "GET $s HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12";
is_deeply([answers($c, 1)], ['200 4slow'], 'a GET with half a body');
syswrite $c, '345' . post($s, '4f') . get($s);
is_deeply([answers($c, 2)], ['200 ok', '200 4f'], 'and the other half');

syswrite $c, "GET $s HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12";
sleep 0.2;
$t->post($s, body => '4g');
is_deeply([answers($c, 1)], ['200 4g'], 'a parked GET with half a body');
syswrite $c, '345' . post($s, '4h') . get($s);
is_deeply([answers($c, 2)], ['200 ok', '200 4h'], 'and the other half');

syswrite $c, "POST $s HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
             . "Transfer-Encoding: chunked\r\n\r\n";
sleep 0.1;
sysread $c, my $continue, 4096;
like($continue, qr/^HTTP\/1.1 100 /, 'a POST that asks first');
syswrite $c, "2\r\n4\xe2\r\n2\r\n\x82\xac\r\n0\r\n\r\n" . get($s);
is_deeply([answers($c, 2)], ['200 ok', "200 4\xe2\x82\xac"],
          'a character in two chunks');


# a last word

($c, $s) = ($t->tcp, session());
syswrite $c, post($s, '1');
close $c;
ok(Test::Realtime::wait_for(0.5, sub { $t->get('/status')->{json}{connections}
                                       <= 1 }),
   'a client that does not wait for the answer to its Close is gone');


# HTTP/2

my $http1 = $t->url . '/engine/';
my $node = $t->node('polling_http2.js', $http1,
                    'http://127.0.0.1:' . $t->port2);
my $n = 0;

while (defined(my $line = $node->line(20))) {
    is($line->{verdict}, 'ok', "HTTP/2: $line->{case}");
    $n++;
}

is($n, 9, 'nine cases');

done_testing();
