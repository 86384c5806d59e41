#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# What a POST may not do while another one uploads, and what becomes of a
# session whose POST is not finished: as with the reference server, wherever
# the requests come to.

use strict;
use warnings;

use IO::Select;
use Test::More;
use Time::HiRes qw( sleep time );

use lib 't/lib';
use Test::Realtime;

my @nginx = map {
    Test::Realtime->new(workers => $_, server => <<'EOT')->start;
        listen 127.0.0.1:%%PORT2%% reuseport;
        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_max_payload 10000;

        location /engine/ {
            realtime_socket echo=engine;
        }

        location /status {
            realtime_status json;
        }
EOT
} 1, 4;

my $node = $nginx[0]->node('reference.js', 'engine', Test::Realtime::encode({
    pingInterval => 25000, pingTimeout => 20000,
    maxHttpBufferSize => 10000 }));

my @servers = (['reference', $node->line->{port}],
               map { ["$_->{workers} workers", $_->port2] } @nginx);

my ($port, $path);
my $pause = 0.1;


# -- a client of the server under test

sub request {
    my ($method, $headers, $body) = @_;

    my $s = $nginx[0]->tcp($port);

    syswrite $s, "$method $path HTTP/1.1\r\nHost: localhost\r\n"
                 . "Connection: close\r\n$headers\r\n" . ($body // '');

    return $s;
}


# status and body, or how the connection ended without

sub answer {
    my ($s, $timeout) = @_;

    my $text = '';
    my $end = time + ($timeout // 5);

    while (1) {
        return 'no answer' unless IO::Select->new($s)->can_read($end - time);
        sysread $s, $text, 65536, length $text or last;
    }

    return 'closed' if $text eq '';

    my $r = Test::Realtime::parse_response($text);

    # what nginx says to people is of no interest
    return 413 if $r->{status} == 413;

    return $r->{json} && ref $r->{json} ? "$r->{status} code $r->{json}{code}"
           : "$r->{status} $r->{body}" =~ s/ $//r;
}


sub get  { answer(request(GET => '')) }
sub post { answer(upload(length $_[0], $_[0])) }


# a POST that says so many bytes, and sends these

sub upload {
    my ($length, $body) = @_;

    return request(POST => "Content-Length: $length\r\n", $body);
}


sub begun {
    my $s = upload(@_);

    sleep $pause;

    return $s;
}


my @cases = (
    ['one that takes its time', sub {
        my $s = begun(6, '4sl');
        syswrite $s, 'ow!';
        return answer($s), get();
    }],

    ['one after the other', sub {
        my $s = begun(6, '4sl');
        syswrite $s, 'ow!';
        return answer($s), post('4x'), get();
    }],

    ['a GET beside it', sub {
        my $s = begun(6, '4sl');
        my $parked = request(GET => '');
        sleep $pause;
        syswrite $s, 'ow!';
        return answer($s), answer($parked);
    }],

    ['a second POST beside it', sub {
        my $s = begun(6, '4sl');
        return post('4x'), get();
    }],

    ['a second one that has only begun', sub {
        my $s = begun(6, '4sl');
        return answer(upload(6, '4x')), get();
    }],

    ['a second POST, and a GET waits', sub {
        my $parked = request(GET => '');
        my $s = begun(6, '4sl');
        return post('4x'), answer($parked), get();
    }],

    ['a Close beside it', sub {
        my $s = begun(6, '4sl');
        return post('1'), get();
    }],

    ['it is never finished', sub {
        close begun(6, '4sl');
        sleep $pause;
        return get();
    }],

    ['it is too long, in pieces', sub {
        my $s = request(POST => "Transfer-Encoding: chunked\r\n",
                        "1388\r\n" . 'x' x 5000 . "\r\n");
        sleep $pause;
        syswrite $s, "1389\r\n" . 'x' x 5001 . "\r\n0\r\n\r\n";
        return answer($s), post('4x'), get();
    }],

    ['not a byte of it', sub {
        my $s = begun(6, '');
        return post('4x'), get();
    }],
);

for my $case (@cases) {
    my ($name, $do) = @$case;
    my %did;

    for my $server (@servers) {
        $port = $server->[1];
        $path = '/engine/?EIO=4&transport=polling';

        my (undef, $open) = split / 0/, get();

        $path .= '&sid=' . Test::Realtime::decode($open)->{sid};
        $did{$server->[0]} = join ' | ', $do->();
    }

    my $reference = delete $did{reference};

    note("$name: $reference");
    is_deeply(\%did, { map { $_ => $reference } keys %did }, $name);
}

for my $nginx (@nginx) {
    ok(Test::Realtime::wait_for(5, sub {
        $nginx->get('/status')->{json}{connections} == 4;
    }), "$nginx->{workers} workers: four have lived on");
}

done_testing();
