#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A revoked token is void at once: no door takes it any more, and the sockets
# that have it are closed, on all workers, after a reload too.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::JWT qw( jwt_encode );

my $t;

for my $workers ($ENV{TEST_WORKERS} // (1, 2, 4)) {
    subtest "$workers workers" => sub { scenario($workers) };
}

done_testing();


sub scenario {
    my ($workers) = @_;

    $t = Test::Realtime->new(workers => $workers, database => 1,
                             server => <<'EOT')->start;
        realtime_jwt_key HS256 file:%%KEY%%;
        realtime_namespaces /admin;

        location /socket.io/ {
            realtime_socket;
        }

        location /api/chat/ {
            realtime_chat;
        }

        location /realtime/api/ {
            realtime_api;
            realtime_api_key HS256 "secret:the secret of the back end: 32 bytes+";
        }

        location /status {
            realtime_status json;
        }
EOT

    user();
    jti();
    handshake();
    refresh();
    everybody();
    expiry();
    full() if $workers == 2;

    $t->stop;
}


sub revoke {
    my (%body) = @_;

    return $t->post('/realtime/api/tokens/revoke', json => \%body,
                    token => jwt_encode({ alg => 'HS256',
                        key => 'the secret of the back end: 32 bytes+' }, {}));
}

# what the client heard at its end

sub ended {
    my ($client) = @_;
    my $code;

    while (length(my $packet = $client->packet(5) // '')) {
        $code = $1 if $packet =~ /^42\["error",\{"code":"(\w+)"/;
    }

    return $client->code ? $code // 'no error' : 'not closed';
}

sub rest {
    return $t->get('/api/chat/conversations', token => $_[0]);
}


sub user {
    my $ann = $t->uuid('ann');
    my $token = $t->token($ann);
    my $later = $t->token($ann, iat => time + 3);
    my @ann = map { $t->connect($ann, token => $token) } 1 .. 6;
    my $new = $t->connect($ann, token => $later);
    my $ben = $t->connect($t->uuid('ben'));

    is(rest($token)->{status}, 200, 'a token is good');

    my $r = revoke(userId => uc $ann);

    is($r->{status}, 200, 'until it is revoked');
    is(ended($_), 'token_revoked', 'its sockets are closed') for @ann;
    is(rest($token)->{status}, 401, 'REST refuses it');
    is(rest($token)->{json}{message}, 'Invalid or expired token',
       'as an expired one');
    like($t->connect($ann, token => $token)->error->{message},
         qr/Authentication error: Invalid or expired token/,
         'and so does CONNECT');
    is(rest($later)->{status}, 200, 'a later one is good');
    $new->event('connected');
    is($new->packet(0.2), undef, 'and its socket stays');
    is(rest($t->token($t->uuid('ben')))->{status}, 200,
       'and so are those of others');

    is($t->connect($ann, token => $token, auth => { $ann[0]->past })->sid,
       undef, 'nor does it come back');

    $t->reload;
    is(rest($token)->{status}, 401, 'after a reload, too');

    $_->close for $new, $ben;
}


sub jti {
    my $cat = $t->uuid('cat');
    my ($one, $two) = map { $t->token($cat, jti => $_) } 'one', 'two';
    my $client = $t->connect($cat, token => $one);
    my $other = $t->connect($cat, token => $two);

    is(revoke(jti => 'one')->{status}, 200, 'a single token');
    is(ended($client), 'token_revoked', 'closes its socket');
    is(rest($one)->{status}, 401, 'and is refused');
    is(rest($two)->{status}, 200, 'another of the user is not');
    $other->event('connected');
    is($other->packet(0.2), undef, 'whose socket stays');
    is(rest($t->token($cat))->{status}, 200, 'nor one without a jti');
    $other->close;
}


# a token of the handshake, before its CONNECT

sub handshake {
    my $dan = $t->uuid('dan');
    my $ws = $t->ws(headers => { Authorization => 'Bearer '
                                                  . $t->token($dan) });

    is($ws->status, 101, 'a handshake');
    revoke(userId => $dan);
    $ws->send('40');

    my $answer = '';

    while (my $frame = $ws->recv(2)) {
        last if $frame->{eof};
        $answer = $frame->{payload};
        last if $answer =~ /^4[04]/;
    }

    like($answer, qr/^44.*Invalid or expired token/,
         'CONNECT looks at its token again');
}


# a socket lives by its last token

sub refresh {
    my $eve = $t->uuid('eve');
    my ($old, $new) = map { $t->token($eve, jti => $_) } 'old', 'new';
    my $client = $t->connect($eve, token => $old);

    $client->ask(auth_refresh => { token => $new });
    revoke(jti => 'old');

    my ($ack) = $client->ask(auth_refresh => { token => $old });
    is($ack->{code}, 'token_invalid', 'a revoked token renews nothing');
    ($ack) = $client->ask(auth_refresh => { token => $new });
    is($ack->{status}, 'success', 'the socket had another by then');
    revoke(jti => 'new');
    is(ended($client), 'token_revoked', 'and ends with that');
}


sub everybody {
    my $fay = $t->uuid('fay');
    my $token = $t->token($fay, iat => time - 100);
    my $client = $t->connect($fay, token => $token);
    my $young = $t->connect($fay, token => $t->token($fay));

    is(revoke(before => time - 50)->{status}, 200, 'everybody, before a time');
    is(ended($client), 'token_revoked', 'closes the old ones');
    is(rest($token)->{status}, 401, 'and refuses them');
    is(rest($t->token($fay))->{status}, 200, 'but not the young');
    is(rest($t->token($fay, iat => undef))->{status}, 401,
       'one without iat is old');
    $young->close;
}


sub expiry {
    my $gus = $t->uuid('gus');
    my $token = $t->token($gus, jti => 'short', iat => time + 3);

    revoke(jti => 'short', expiresAt => time + 2);
    is(rest($token)->{status}, 401, 'a revocation with an end');
    ok(Test::Realtime::wait_for(10, sub { rest($token)->{status} == 200 }),
       'ends');
}


# none is given up for another

sub full {
    my $s = $t->tcp;
    my $token = jwt_encode({ alg => 'HS256',
                    key => 'the secret of the back end: 32 bytes+' }, {});
    my ($n, $full, $text) = (0, undef, '');

    while (!$full && $n < 4096) {
        my $body = qq({"jti":"many $n"});

        print $s "POST /realtime/api/tokens/revoke HTTP/1.1\r\nHost: a\r\n"
            . "Authorization: Bearer $token\r\n"
            . "Content-Type: application/json\r\nContent-Length: "
            . length($body) . "\r\n\r\n$body";
        sysread $s, $text, 65536 or last;
        $full = $text if $text =~ /^HTTP\S+ 507/;
        $n++;

        $s = $t->tcp if $n % 500 == 0;
    }

    like($full // '', qr/"code":"revocations_full"/,
         'a full table is said to be so');
    cmp_ok($n, '>', 1000, 'not before it is');
    like($t->log, qr/\[error\].*a revocation was refused/, 'in the log');
    is(rest($t->token($t->uuid('hal'), jti => 'many 0'))->{status}, 401,
       'and the first is still there');
}
