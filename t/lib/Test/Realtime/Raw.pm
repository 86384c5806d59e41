package Test::Realtime::Raw;

# Copyright (C) ngx_realtime contributors

# Raw bytes to one server, and what it does as a line of text.
#
#     my $c = Test::Realtime::Raw->new(port => ..., path => '/engine/',
#                                      kind => 'engine');
#     $c->http($bytes, $n);      the answers on a new connection, n at most
#     $c->session;               a polling session: get, post, park, fate
#     $c->websocket(...)         a WebSocket, or undef, and its answer
#     $c->hear($ws, $last)       its frames, to the echo of a last message
#
# An answer reads "400 json close {...}": status, type in short, "close" if
# the header says so, "end" if the connection ends without it, and the body;
# packets of a payload have a "|" in between.

use strict;
use warnings;

use Exporter qw( import );
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw( time );

use Test::Realtime::WebSocket;

our @EXPORT_OK = qw( text binary frame );

my $TIMEOUT = 5;

my %TYPES = ('text/plain; charset=UTF-8' => 'text', 'text/html' => 'html',
             'application/json' => 'json');


sub new {
    my ($class, %o) = @_;

    return bless { %o, parked => [], made => [] }, $class;
}


sub kind { $_[0]{kind} }
sub path { $_[0]{path} }
sub sid  { $_[0]{sid} }


# the path with its query; what is undef is left out

sub query {
    my ($self, %q) = @_;

    %q = (EIO => 4, transport => 'polling', sid => $self->{sid}, %q);

    return $self->{path} . '?' . join '&', map { "$_=$q{$_}" }
           grep { defined $q{$_} } sort keys %q;
}


# "body" has its length said, unless a header says something else

sub request {
    my ($self, $method, $path, %o) = @_;

    my %h = (Host => 'localhost', %{$o{headers} // {}});

    $h{'Content-Length'} //= length $o{body}
        if defined $o{body} && !exists $h{'Transfer-Encoding'};

    return "$method $path HTTP/" . ($o{version} // '1.1') . "\r\n"
           . join('', map { "$_: $h{$_}\r\n" } grep { defined $h{$_} }
                      sort keys %h)
           . "\r\n" . ($o{body} // '');
}


sub tcp {
    my ($self) = @_;

    return IO::Socket::INET->new(PeerAddr => '127.0.0.1', Proto => 'tcp',
        PeerPort => $self->{port}, Timeout => $TIMEOUT)
        // die "connect: $!\n";
}


sub say_to {
    my ($s, $bytes) = @_;

    for my $piece (ref $bytes ? @$bytes : $bytes) {
        my $at = 0;

        while ($at < length $piece) {
            my $n = syswrite $s, $piece, 65536, $at;
            return unless defined $n;
            $at += $n;
        }
    }
}


sub http {
    my ($self, $bytes, $n, %o) = @_;

    my $s = $self->tcp;

    say_to($s, $bytes);

    return join ' + ', $self->answers($s, $n // 1, %o);
}


sub answers {
    my ($self, $s, $n, %o) = @_;

    my ($text, $end, $eof, @got) = ('', time + $TIMEOUT, 0);

    while (@got < $n) {
        my $answer = $self->answer(\$text, $eof, %o);

        if (defined $answer) {
            push @got, $answer;

        } elsif ($eof) {
            push @got, time > $end ? 'silence' : 'end';
            last;

        } else {
            $eof = !fill($s, \$text, $end);
        }
    }

    return @got;
}


# 0: the end, or the time is over

sub fill {
    my ($s, $text, $end) = @_;

    my $left = $end - time;

    return IO::Select->new($s)->can_read($left > 0 ? $left : 0)
           && sysread($s, $$text, 65536, length $$text);
}


# one answer off the text, or undef

sub answer {
    my ($self, $text, $eof, %o) = @_;

    my $all = 4 + index $$text, "\r\n\r\n";
    return undef if $all < 4;

    my ($status, $head) = substr($$text, 0, $all)
                          =~ /^HTTP\S+ (\d+)[^\r\n]*\r\n(.*)/s
        or return undef;
    my %h;

    for (split /\r\n/, $head) {
        $h{lc $1} = $2 if /^([^:]+):\s*(.*)$/;
    }

    my $body = substr $$text, $all;
    my $length = $h{'content-length'};
    my $how = ($h{connection} // '') =~ /close/i ? 'close' : '';

    if ($o{head} || $status < 200 || $status == 204) {
        $body = '';

    } elsif (($h{'transfer-encoding'} // '') eq 'chunked') {
        $body =~ /^(.*?\r\n|)0\r\n\r\n/s or return undef;
        ($body, $all) = (Test::Realtime::dechunk($body), $all + $+[0]);

    } elsif (defined $length) {
        return undef if length $body < $length && !$eof;
        $body = substr $body, 0, $length;
        $all += length $body;

    } else {
        return undef unless $eof;
        $all = length $$text;
        $how ||= 'end';
    }

    substr $$text, 0, $all, '';
    push @{$self->{made}}, $1 if $body =~ /^0\{"sid":"([^"]+)"/;

    # a page of nginx tells no more than its status

    if ($body =~ /^<html>.*<center>nginx/s) {
        $body = '';
        delete $h{'content-type'};
    }

    return join ' ', grep { length } $status, type($h{'content-type'}), $how,
                (map { $_ // () } $h{'sec-websocket-version'}),
                $o{whole} ? plain($body) : short(plain($body));
}


sub type {
    my ($type) = @_;

    return '' unless defined $type;
    return $TYPES{$type} // $type;
}


# what differs from run to run, or from nginx to nginx, is left out

sub plain {
    my ($text) = @_;

    $text =~ s/"sid":"[^"]{20}"/"sid":"S"/g;
    $text =~ s/^((?:___eio.*\(")?)0\{.*"upgrades\\?":(\[.*?\]).*?\}/$1OPEN$2/;
    $text =~ s/\x1e/|/g;
    $text =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;

    return $text;
}


sub short {
    my ($text) = @_;

    return length $text <= 100 ? $text
           : substr($text, 0, 40) . '..(' . length($text) . ')';
}


# -- polling

sub session {
    my ($self) = @_;

    $self->get;
    $self->{sid} = $self->{made}[-1] // die "no session\n";

    return $self;
}


sub get {
    my ($self, %q) = @_;

    return $self->http($self->request(GET => $self->query(%q)));
}


sub post {
    my ($self, $body, %h) = @_;

    return $self->http($self->request(POST => $self->query, body => $body,
                                      headers => \%h));
}


# a GET that has got the time to wait for something

sub park {
    my ($self) = @_;

    my $s = $self->tcp;

    say_to($s, $self->request(GET => $self->query));
    IO::Select->new($s)->can_read(0.1);
    push @{$self->{parked}}, $s;

    return $self;
}


sub parked {
    my ($self) = @_;

    return 'parked ' . join ' + ', $self->answers(shift @{$self->{parked}}, 1);
}


# whether the session lives, and what it had to say

sub fate {
    my ($self) = @_;

    my ($say, $hear) = $self->{kind} eq 'engine' ? ('4fate') x 2
                       : ('42["message","fate"]', '42["message-back","fate"]');

    my $post = $self->post($say);

    return 'gone' if $post eq '400 json {"code":1,"message":'
                              . '"Session ID unknown"}';
    return "fate: $post" if $post ne '200 html ok';

    my @heard;

    for (1 .. 3) {
        my $get = $self->http($self->request(GET => $self->query), 1,
                              whole => 1) =~ s/^200 text //r;

        push @heard, $get =~ s/\|?\Q$hear\E(\|6)?$//r;
        last if $heard[-1] ne $get || $get =~ /^\d{3} /;
    }

    return join ' ', 'lives', map { short($_) } grep { length } @heard;
}


# -- WebSocket

sub websocket {
    my ($self, %o) = @_;

    my %q = (transport => 'websocket', %{$o{query} // {}});

    return Test::Realtime::WebSocket->new(port => $self->{port},
                                          headers => $self->{headers}, %o,
                                          path => $self->query(%q));
}


# with the first packet read; or its refusal as the second value

sub opened {
    my ($self, %o) = @_;

    my $ws = $self->websocket(%o);

    if ($ws->status != 101) {
        my %h = %{$ws->headers};

        return (undef, join ' ', grep { length } $ws->status,
            type($h{'content-type'}), ($h{connection} // '') =~ /close/i
            ? 'close' : '', $h{'sec-websocket-version'} // '',
            plain($ws->body));
    }

    return $ws if defined $self->{sid} && !exists $o{query}{sid};

    my $open = frame_text($ws->recv // {});

    return $open eq 'OPEN[]' ? $ws : (undef, $open);
}


sub text   { Test::Realtime::WebSocket->encode(opcode => 1, payload => @_) }
sub binary { Test::Realtime::WebSocket->encode(opcode => 2, payload => @_) }
sub frame  { Test::Realtime::WebSocket->encode(@_) }


sub frame_text {
    my ($f) = @_;

    return 'silence' unless defined $f->{opcode};
    return 'end' if $f->{eof};

    my $odd = $f->{fin} && !$f->{rsv} ? '' : "fin=$f->{fin} rsv=$f->{rsv} ";
    my $payload = $f->{payload};
    my $plain = short(plain($payload));

    return $odd . join ' ', 'close', $f->{code} // 1005,
           grep { length } plain($f->{reason} // '') if $f->{opcode} == 8;
    return $odd . "pong $plain" if $f->{opcode} == 10;
    return $odd . "ping $plain" if $f->{opcode} == 9;

    return $odd . 'binary ' . (length $payload > 20 ? length $payload
                               : unpack 'H*', $payload) if $f->{opcode} == 2;
    return $odd . $plain;
}


# what to say last, and how one knows that it has come back

sub last_words {
    my ($self) = @_;

    return {
        engine => ['4last', qr/^4last$/],
        socketio => ['42["message","last"]', qr/^42\["message-back","last"\]$/],
        chat => ['4290["message",{"recipientId":"nobody","message":"last",'
                 . '"conversationId":"c"}]', qr/^4390\[/],
    }->{$self->{kind}};
}


# a Socket.IO socket, or what came instead

sub connected {
    my ($self) = @_;

    my ($ws, $no) = $self->opened;

    return (undef, $no) unless $ws;

    my $heard = $self->hear($ws, text('40'));

    return $heard =~ /^40\{"sid":"S".* 42\["(auth|connected)",\S+ lives$/
           ? $ws : (undef, $heard);
}


# Says bytes and a last message; the frames up to its echo, or to the end.
# Where nothing comes back, last => 'ping' asks for a pong.  A Close is
# answered, as clients do.

sub hear {
    my ($self, $ws, $bytes, %o) = @_;

    my ($say, $until) = @{$self->last_words};
    my @heard;

    ($say, $until) = (undef, qr/^pong last$/) if ($o{last} // '') eq 'ping';

    say_to($ws->socket, $bytes);
    say_to($ws->socket, defined $say ? text($say)
                        : frame(opcode => 9, payload => 'last'));

    for (1 .. 2000) {
        my $f = $ws->recv($TIMEOUT) // {};
        my $text = frame_text($f);

        return join ' ', @heard, 'lives' if $text =~ $until;

        push @heard, $text;

        last if $f->{eof} || !defined $f->{opcode};
        $ws->frame(opcode => 8, payload => substr $f->{payload}, 0, 2)
            if $f->{opcode} == 8;
    }

    return join ' ', @heard;
}


# what a case leaves behind

sub drop {
    my ($self) = @_;

    $self->{parked} = [];

    for my $sid (splice @{$self->{made}}) {
        $self->{sid} = $sid;
        $self->post('1');
    }

    $self->{sid} = undef;
}


1;
