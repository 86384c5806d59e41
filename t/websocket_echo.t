#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# What a suite for WebSocket tries, in its order: framing, pings, reserved
# bits, opcodes, fragments, UTF-8, the closing handshake, and large messages.
# "realtime_socket echo=engine" sends back every message of Engine.IO, which
# begins with a "4" or is binary.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;

my $t = Test::Realtime->new(workers => $ENV{TEST_WORKERS} // 4,
                            server => <<'EOC')->start;
        realtime_jwt_key HS256 file:%%KEY%%;

        location /engine/ {
            realtime_socket echo=engine;
            realtime_max_payload 17m;
            realtime_send_limit 34m;
        }

        location /at-once/ {
            postpone_output 0;
            realtime_socket echo=engine;
        }

        location /status {
            realtime_status json;
        }
EOC

my %NAMES = (1 => 'text', 2 => 'binary', 9 => 'ping', 10 => 'pong');


sub frame { Test::Realtime::WebSocket->encode(@_) }
sub text  { frame(opcode => 1, payload => "4$_[0]") }
sub binary { frame(opcode => 2, payload => @_) }
sub ping  { frame(opcode => 9, payload => $_[0] // '') }
sub pong  { frame(opcode => 10, payload => $_[0] // '') }
sub close_frame { frame(opcode => 8, payload => $_[0] // '') }


# a message in pieces of so many bytes

sub pieces {
    my ($opcode, $payload, $size) = @_;

    my @pieces = unpack "(a$size)*", $payload;

    return map { frame(opcode => $_ ? 0 : $opcode, fin => $_ == $#pieces,
                       payload => $pieces[$_]) } 0 .. $#pieces;
}


sub opened {
    my $ws = $t->ws(path => '/engine/?EIO=4&transport=websocket');

    $ws->recv->{payload} =~ /^0\{/ or die "no session\n";

    return $ws;
}


# What comes, to the end, or to the pong of a last ping; "close 1002" with the
# end of TCP behind it.

sub heard {
    my (@bytes) = @_;

    my $ws = opened();
    my @heard;

    $ws->raw($_) for @bytes, ping('last');

    while (my $f = $ws->recv(20)) {
        my $name = $NAMES{$f->{opcode}};

        return \@heard if $f->{opcode} == 10 && $f->{payload} eq 'last';

        if ($f->{opcode} == 8) {
            my $code = $f->{code} // 1005;

            $ws->raw(close_frame(substr $f->{payload}, 0, 2));
            return [@heard, "close $code" . ($ws->closed(5) ? '' : ', open')];
        }

        return [@heard, 'end'] if $f->{eof};
        push @heard, [$name, $f->{payload}];
    }

    return [@heard, 'silence'];
}


sub case {
    my ($name, $expected, @bytes) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is_deeply(heard(@bytes), $expected, $name);
}


sub comes_back {
    my ($name, $opcode, $payload, @bytes) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $heard = heard(@bytes);

    # a difference of megabytes is nothing to read

    ok(@$heard == 1 && ref $heard->[0] && $heard->[0][0] eq $NAMES{$opcode}
       && $heard->[0][1] eq $payload, $name);
}


# 1: framing

for my $n (0, 1, 124, 125, 126, 127, 128, 65534, 65535, 65536, 70000) {
    comes_back("1: a text of $n", 1, '4' . '*' x $n, text('*' x $n));
    comes_back("1: binary of $n", 2, "\xfe" x $n, binary("\xfe" x $n));
}

for my $size (1, 997) {
    my $n = $size == 1 ? 2000 : 65536;

    comes_back("1: a text of $n in segments of $size", 1, '4' . '*' x $n,
               unpack "(a$size)*", text('*' x $n));
    comes_back("1: binary of $n in segments of $size", 2, "\xfe" x $n,
               unpack "(a$size)*", binary("\xfe" x $n));
}

# 2: pings

case("2: a ping of $_", [[pong => "\xfe" x $_]], ping("\xfe" x $_))
    for 0, 1, 125;
case('2: a ping of 126', ['close 1002'], ping('x' x 126));
case('2: a ping byte by byte', [[pong => 'payload']],
     split //, ping('payload'));
case('2: pongs unasked', [[pong => 'a']], pong(), pong('x'), ping('a'));
case('2: ten pings', [map { [pong => "p$_"] } 0 .. 9],
     map { ping("p$_") } 0 .. 9);
case('2: ten pings, byte by byte', [map { [pong => "p$_"] } 0 .. 9],
     map { split // } map { ping("p$_") } 0 .. 9);

# 3 and 4: what is reserved, behind a message that is right

for my $bad (map({ ["bits $_", frame(rsv => $_, payload => '4x')] } 1 .. 7),
             ['bit in a binary frame', frame(rsv => 4, opcode => 2)],
             ['bit in a ping', frame(rsv => 4, opcode => 9)],
             map({ ["opcode $_", frame(opcode => $_)],
                   ["opcode $_ with payload", frame(opcode => $_,
                                                    payload => 'x')] }
                 3 .. 7, 11 .. 15))
{
    my ($name, $bytes) = @$bad;

    case("3, 4: $name", [[text => '4a'], 'close 1002'], text('a'), $bytes,
         ping('b'));
}

# 5: fragments

my @halves = (frame(fin => 0, payload => '4a'), frame(opcode => 0,
                                                      payload => 'b'));

case('5: a ping in two', ['close 1002'], pieces(9, 'ab', 1));
case('5: a pong in two', ['close 1002'], pieces(10, 'ab', 1));
case('5: a text in two', [[text => '4ab']], @halves);
case('5: byte by byte', [[text => '4ab']], map { split // } @halves);
case('5: a ping inside', [[pong => 'p'], [text => '4ab']], $halves[0],
     ping('p'), $halves[1]);
case('5: a ping inside, byte by byte', [[pong => 'p'], [text => '4ab']],
     map { split // } $halves[0], ping('p'), $halves[1]);
case("5: a continuation of nothing, fin $_", ['close 1002'],
     frame(opcode => 0, fin => $_, payload => 'x'), text('a')) for 0, 1;
case('5: a continuation behind a message', [[text => '4a'], 'close 1002'],
     text('a'), frame(opcode => 0, payload => 'x'));
case('5: continuations of nothing, and a text in two', ['close 1002'],
     frame(opcode => 0, fin => 0, payload => 'x'), @halves);
case('5: a text in a text', ['close 1002'], $halves[0], text('x'));
case('5: twenty pieces and pings', [(map { [pong => "p$_"] } 1 .. 20),
                                    [text => '4' . 'x' x 20]],
     frame(fin => 0, payload => '4'),
     (map { ping("p$_"), frame(opcode => 0, fin => $_ == 20, payload => 'x')
          } 1 .. 20));
case('5: empty pieces', [[text => '4']], frame(fin => 0, payload => ''),
     frame(opcode => 0, fin => 0), frame(opcode => 0, payload => '4'));
case('5: binary in five', [[binary => "\0\1\2\3\4"]], pieces(2, "\0\1\2\3\4",
                                                             1));

# 6: UTF-8, whole, in pieces of each size, and byte by byte

for my $good ("Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4", "\xce\xba\xe1\xbd\xb9",
              "\0", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
              "\xef\xbf\xbd", "\xef\xbf\xbf", "\xed\x9f\xbf", "\xee\x80\x80",
              "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xef\xbb\xbf",
              "\xf0\x9f\x98\x80" x 100)
{
    my $hex = substr unpack('H*', $good), 0, 20;

    case("6: $hex", [[text => "4$good"]], text($good));

    for my $size (1 .. 4) {
        case("6: $hex in pieces of $size", [[text => "4$good"]],
             pieces(1, "4$good", $size));
    }

    case("6: $hex byte by byte", [[text => "4$good"]], split //, text($good));
}

for my $bad ("\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xdf", "\xe0",
             "\xe0\x80\x80", "\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80",
             "\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf",
             "\xf0\x9f\x98", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
             "\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80", "\xfe",
             "\xff", "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80",
             "\xc2\xc2\x80", "\xf0\x9f\x98a")
{
    my $hex = unpack 'H*', $bad;

    case("6: $hex is none", ['close 1007'], text($bad));
    case("6: $hex is none in pieces", ['close 1007'], pieces(1, "4$bad", 1));
    case("6: $hex is none with text behind it", ['close 1007'],
         text("${bad}edited"));
}

case('6: at once, not at the end', ['close 1007'],
     frame(fin => 0, payload => "4\xff"));
case('6: binary need not be text', [[binary => "\xff\xc0\x80"]],
     binary("\xff\xc0\x80"));

# 7: closing

case('7: a message, then close', [[text => '4a'], 'close 1000'], text('a'),
     close_frame(pack 'n', 1000));
case('7: two of them', ['close 1000'], close_frame(pack 'n', 1000),
     close_frame(pack 'n', 1000));
case('7: a ping behind it', ['close 1000'], close_frame(pack 'n', 1000),
     ping('x'));
case('7: a message behind it', ['close 1000'], close_frame(pack 'n', 1000),
     text('x'));
case('7: in a message', ['close 1000'], $halves[0],
     close_frame(pack 'n', 1000), $halves[1]);
case('7: a message of 256k, then close, then a ping',
     [[text => '4' . 'x' x 262144], 'close 1000'], text('x' x 262144),
     close_frame(pack 'n', 1000), ping('x'));

# the 101 leaves with the first frame, or before it where nginx holds nothing
# back

for my $path (qw( engine at-once )) {
    my $ws = $t->ws(path => "/$path/?EIO=4&transport=websocket");

    like($ws->recv->{payload}, qr/^0\{/, "$path: a session behind the 101");
    $ws->raw(text('a'));
    is($ws->recv->{payload}, '4a', "$path: and its echo");
}

# what the client writes behind its Close must not cost it what is under way

{
    my $ws = opened();

    $ws->raw($_) for text('x' x 1048576), close_frame(pack 'n', 1000);
    select undef, undef, undef, 0.3;
    $ws->raw(ping('x'));
    select undef, undef, undef, 0.3;

    my $f = $ws->recv(20);

    is(length($f->{payload} // ''), 1048577,
       '7: 1M that are read late, a ping behind the Close');
    is($ws->recv(20)->{code}, 1000, '7: and the Close after them');
    ok($ws->closed(5), '7: and the end');
}

case('7: no code', ['close 1005'], close_frame());
case('7: half a code', ['close 1002'], close_frame('x'));
case('7: a reason of ' . length, ['close 1000'],
     close_frame(pack('n', 1000) . $_)) for 'bye', 'x' x 123, "\xc3\xa9";
case('7: a reason of 124', ['close 1002'],
     close_frame(pack('n', 1000) . 'x' x 124));
case('7: a reason that is no text', ['close 1007'],
     close_frame(pack('n', 1000) . "\xce\xba\xed\xa0\x80"));
case("7: close $_", ["close $_"], close_frame(pack('n', $_) . 'x'))
    for 1000 .. 1003, 1007 .. 1014, 3000, 3999, 4000, 4999;
case("7: close $_", ['close 1002'], close_frame(pack 'n', $_))
    for 0, 999, 1004 .. 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535;

# 9: large ones, in one, in pieces, in segments, and many

my $mega = 1 << 20;

for my $n ($mega / 16, $mega / 4, $mega, 4 * $mega, 16 * $mega) {
    comes_back("9: a text of $n", 1, '4' . 'x' x $n, text('x' x $n));
    comes_back("9: binary of $n", 2, "\0" x $n, binary("\0" x $n));
}

for my $size (64, 1024, 65536, $mega, 4 * $mega) {
    my $payload = '4' . 'x' x ($size == 64 ? $mega : 4 * $mega);

    comes_back("9: a text in pieces of $size", 1, $payload,
               join '', pieces(1, $payload, $size));
    comes_back("9: binary in pieces of $size", 2, $payload,
               join '', pieces(2, $payload, $size));
}

for my $size (64, 1024) {
    comes_back("9: a text of 1m in segments of $size", 1, '4' . 'x' x $mega,
               unpack "(a$size)*", text('x' x $mega));
}

for my $n (0, 16, 1024, 65536) {
    my $ws = opened();
    my $same = 0;

    for my $i (1 .. 500) {
        $ws->raw(text('x' x $n));
        $same++ if $ws->recv->{payload} eq '4' . 'x' x $n;
    }

    is($same, 500, "9: five hundred round trips of $n");
}

# 10: pieces of odd sizes

comes_back('10: 65536 in pieces of 1300', 1, '4' . '*' x 65536,
           pieces(1, '4' . '*' x 65536, 1300));

ok(Test::Realtime::wait_for(10, sub {
    $t->get('/status')->{json}{connections} == 0
}), 'no session is left');

done_testing();
