package Test::Realtime::WebSocket;

# Copyright (C) ngx_realtime contributors

# A WebSocket client that can also break every rule of RFC 6455.
#
#     my $ws = $t->ws(headers => { Origin => ... }, path => ...);
#     $ws->status;                                 101, if it was accepted
#     $ws->send('40');                             a text frame
#     $ws->frame(opcode => 9, fin => 0, rsv => 4, mask => 0,
#                payload => '...', length => 5);   any frame
#     my $f = $ws->recv(2);                        {fin, rsv, opcode, payload}
#
# recv() returns undef when nothing came in time, and {eof => 1} when the
# server has closed the connection.
#
# With deflate => 1 it offers permessage-deflate; what then comes compressed
# (rsv 4) is inflated, with {wire}, its length as it came.  deflate() gives
# bytes for a frame with rsv => 4.

use strict;
use warnings;

use Compress::Raw::Zlib;
use Digest::SHA qw( sha1_base64 );
use IO::Select;
use IO::Socket::INET;
use MIME::Base64 qw( encode_base64 );
use Time::HiRes qw( time );

my $GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';


sub new {
    my ($class, %o) = @_;

    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', Proto => 'tcp',
        PeerPort => $o{port}, Timeout => 5) or die "connect: $!\n";

    my $key = encode_base64(join('', map { chr int rand 256 } 1 .. 16), '');

    my %h = (
        Host => 'localhost', Upgrade => 'websocket', Connection => 'Upgrade',
        'Sec-WebSocket-Version' => 13, 'Sec-WebSocket-Key' => $key,
        $o{deflate} ? ('Sec-WebSocket-Extensions' =>
                       'permessage-deflate; client_max_window_bits') : (),
        %{$o{headers} // {}},
    );

    my $path = $o{path} // '/socket.io/?EIO=4&transport=websocket';
    my $text = ($o{method} // 'GET') . " $path HTTP/"
               . ($o{version} // '1.1') . "\r\n";
    $text .= "$_: $h{$_}\r\n" for grep { defined $h{$_} } sort keys %h;

    my $self = bless { s => $s, in => '', headers => {} }, $class;

    # "first": bytes behind the request, before its answer is there; a header
    # that is undef is left out

    $self->raw("$text\r\n" . ($o{first} // ''));
    $self->answer($key, $o{timeout} // 5);

    return $self;
}


sub answer {
    my ($self, $key, $timeout) = @_;

    my $end = time + $timeout;

    until ($self->{in} =~ /\r\n\r\n/) {
        $self->fill($end) or last;
    }

    my ($head, $rest) = split /\r\n\r\n/, $self->{in}, 2;
    my ($first, @lines) = split /\r\n/, $head // '';

    ($self->{status}) = ($first // '') =~ m{^HTTP/1\.[01] (\d{3})};
    $self->{status} //= 0;
    $self->{in} = $rest // '';

    for (@lines) {
        $self->{headers}{lc $1} = $2 if /^([^:]+):\s*(.*)$/;
    }

    if ($self->{status} == 101) {
        my $accept = sha1_base64($key . $GUID) . '=';

        die "wrong Sec-WebSocket-Accept\n"
            if ($self->{headers}{'sec-websocket-accept'} // '') ne $accept;

    } else {
        my $length = $self->{headers}{'content-length'} // 0;

        while (length $self->{in} < $length) {
            $self->fill($end) or last;
        }

        $self->{body} = $self->{in};
    }
}


sub status  { $_[0]{status} }
sub headers { $_[0]{headers} }
sub body    { $_[0]{body} // '' }
sub socket  { $_[0]{s} }


# 0: nothing came before the deadline, or the connection is closed

sub fill {
    my ($self, $end) = @_;

    my $left = $end - time;

    return 0 if $self->{eof};
    return 0 unless IO::Select->new($self->{s})
                              ->can_read($left > 0 ? $left : 0);

    return 1 if sysread $self->{s}, $self->{in}, 65536, length $self->{in};

    $self->{eof} = 1;
    return 0;
}


sub raw {
    my ($self, $bytes) = @_;

    while (length $bytes) {
        my $n = syswrite $self->{s}, $bytes;

        return 0 unless defined $n;

        substr $bytes, 0, $n, '';
    }

    return 1;
}


# the bytes of a frame; "length" tells a lie, "width" (7, 16, 64) picks the
# form of the length

sub encode {
    my ($class, %f) = @_;

    my $payload = $f{payload} // '';
    my $n = $f{length} // length $payload;
    my $width = $f{width} // ($n < 126 ? 7 : $n < 65536 ? 16 : 64);
    my $mask = $f{mask} // 1;

    my $bytes = chr(($f{fin} // 1) << 7 | ($f{rsv} // 0) << 4
                    | ($f{opcode} // 1));

    my $bit = $mask ? 0x80 : 0;

    $bytes .= $width == 7 ? chr($bit | $n)
              : $width == 16 ? pack('Cn', $bit | 126, $n)
              : pack('CQ>', $bit | 127, $n);

    return $bytes . $payload unless $mask;

    my $key = $f{key} // pack 'N', int rand 2 ** 32;
    my $pad = $key x (length($payload) / 4 + 1);

    return $bytes . $key . ($payload ^ substr $pad, 0, length $payload);
}


# of a whole message, as the extension sends it; level 0 does not compress

sub deflate {
    my ($class, $bytes, $level) = @_;

    my ($d) = Compress::Raw::Zlib::Deflate->new(WindowBits => -15,
        AppendOutput => 1, Level => $level // Z_DEFAULT_COMPRESSION);
    my $out = '';

    $d->deflate($bytes, $out);
    $d->flush($out, Z_SYNC_FLUSH);

    return substr $out, 0, -4;
}


# dies of what is no such message, or needs an earlier one

sub inflate {
    my ($class, $bytes) = @_;

    my ($i) = Compress::Raw::Zlib::Inflate->new(WindowBits => -15,
        ConsumeInput => 0);
    my $out = '';
    my $status = $i->inflate($bytes . "\0\0\xff\xff", $out);

    die "not deflate: $status\n" if $status != Z_OK;

    return $out;
}


sub frame  { my ($self, %f) = @_; $self->raw($self->encode(%f)) }
sub send   { $_[0]->frame(opcode => 1, payload => $_[1]) }
sub binary { $_[0]->frame(opcode => 2, payload => $_[1]) }
sub ping   { $_[0]->frame(opcode => 9, payload => $_[1] // '') }


sub close {
    my ($self, $code, $reason) = @_;

    $self->frame(opcode => 8, payload => defined $code
                 ? pack('n', $code) . ($reason // '') : '');
}


# closes the TCP connection without a word

sub abort {
    my ($self) = @_;

    CORE::close($self->{s});
    $self->{eof} = 1;
}


sub recv {
    my ($self, $timeout) = @_;

    my $end = time + ($timeout // 5);

    while (1) {
        my $f = $self->decode;
        return $f if $f;

        next if $self->fill($end);

        return $self->{eof} ? { eof => 1, opcode => -1, payload => '' }
                            : undef;
    }
}


sub decode {
    my ($self) = @_;

    my $in = \$self->{in};
    return if length $$in < 2;

    my ($b0, $b1) = unpack 'CC', $$in;
    my $n = $b1 & 0x7f;
    my $head = 2;

    if ($n == 126) {
        return if length $$in < 4;
        $n = unpack 'n', substr $$in, 2, 2;
        $head = 4;

    } elsif ($n == 127) {
        return if length $$in < 10;
        $n = unpack 'Q>', substr $$in, 2, 8;
        $head = 10;
    }

    die "the server masked a frame\n" if $b1 & 0x80;
    return if length $$in < $head + $n;

    my $payload = substr $$in, $head, $n;
    substr $$in, 0, $head + $n, '';

    my $f = { fin => $b0 >> 7, rsv => $b0 >> 4 & 7, opcode => $b0 & 15,
              payload => $payload };

    if ($f->{rsv} == 4) {
        $f->{wire} = $n;
        $f->{payload} = $self->inflate($payload);
    }

    if ($f->{opcode} == 8 && $n >= 2) {
        ($f->{code}, $f->{reason}) = unpack 'na*', $payload;
    }

    return $f;
}


# The close code of the server: reads until the close frame.  0: the
# connection ended without one, undef: it is still open.

sub close_code {
    my ($self, $timeout) = @_;

    my $end = time + ($timeout // 5);

    while (my $f = $self->recv($end - time)) {
        return 0 if $f->{eof};
        return $f->{code} // 1005 if $f->{opcode} == 8;
    }

    return undef;
}


# true when the connection has ended in time, whatever came before

sub closed {
    my ($self, $timeout) = @_;

    my $end = time + ($timeout // 5);

    while (my $f = $self->recv($end - time)) {
        return 1 if $f->{eof};
    }

    return 0;
}


1;
