#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# Every file of conf-examples serves, as it is but for paths and ports.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Test::Realtime;
use Test::Realtime::JWT qw( jwt_encode jwt_key_pair jwt_certificate );

my %claim = (
    'minimal.conf' => \&minimal,
    'backend.conf' => \&backend,
    'chat.conf' => \&chat,
    'tls.conf' => \&tls,
);

my @names = map { s{.*/}{}r } sort glob "$Test::Realtime::ROOT/conf-examples/*";

is_deeply([sort keys %claim], \@names, 'each example has its test');

for my $name (grep { $claim{$_} } @names) {
    subtest $name => sub {
        my $t = Test::Realtime->new(database => $name !~ /^(?:minimal|backend)/);

        $t->{conf} = adapt($t, $name);
        $claim{$name}->($t);
        $t->stop;
    };
}

done_testing();


# "conf" of Test::Realtime from an example

sub adapt {
    my ($t, $name) = @_;

    open my $fh, '<', "$Test::Realtime::ROOT/conf-examples/$name" or die $!;
    my $text = do { local $/; <$fh> };

    $text =~ s/^load_module .*/%%LOAD%%/m;
    $text =~ s/^(?:user|pid|error_log|worker_rlimit_nofile) .*\n//mg;
    $text =~ s/^\s*access_log .*\n//mg;
    $text =~ s/^(worker_processes) auto;\n//m;
    $text =~ s/(worker_connections) \d+/$1 512/;
    $text =~ s/listen 80;/listen 127.0.0.1:%%PORT%%;/g;
    $text =~ s/listen 127\.0\.0\.1:8081;/listen 127.0.0.1:%%PORT2%%;/;
    $text =~ s/listen 443 ssl;/listen 127.0.0.1:%%PORT2%% ssl;/;
    $text =~ s{host=/run/postgresql dbname=chat}{%%DATABASE%%};
    $text =~ s{/etc/nginx/realtime\.key}{%%KEY%%};
    $text =~ s{/etc/nginx/(?!mime)}{%%DIR%%/}g;

    $text =~ s/^http \{\n/http {\n    access_log %%DIR%%\/access.log;\n/m;
    $text =~ s/^http \{\n/http {\n    $_\_temp_path %%DIR%%\/$_;\n/m
        for qw( client_body proxy fastcgi uwsgi scgi );

    return "daemon off;\n%%USER%%\nworker_processes 2;\n"
           . "pid %%DIR%%/nginx.pid;\nerror_log %%DIR%%/error.log info;\n"
           . $text;
}


sub minimal {
    my ($t) = @_;

    $t->start;

    my $c = $t->connect('somebody');

    ok($c->sid, 'a socket connects');
    is($c->event('connected')->{userId}, 'somebody', 'and is known');
}


sub backend {
    my ($t) = @_;
    my $secret = 'another secret, of 32 bytes or more';

    $t->file('service.key', $secret);
    $t->start;

    my $c = $t->connect('somebody');
    my $r = $t->post('/realtime/api/rooms/user:somebody/emit',
        port => $t->port2, json => { event => 'hi' },
        token => jwt_encode({ alg => 'HS256', key => $secret }, {}));

    is($r->{status}, 202, 'a back end sends an event');
    ok($c->event('hi'), 'and it arrives');
    is($t->get('/realtime/api/users/count', port => $t->port2)->{status},
       401, 'nobody else may ask');
    is($t->get('/realtime/api/users/count')->{status}, 404,
       'nor is it where the pages are');
}


sub chat {
    my ($t) = @_;
    my ($alice, $bob) = people($t);

    $t->start;

    my $id = conversation($t, $alice, $bob, token => $t->token($alice));
    my $c = $t->connect($bob);

    my $r = $t->post("/api/chat/conversations/$id/messages",
                     token => $t->token($alice), json => { content => 'Hi' });

    is($r->{status}, 201, 'a message is stored');
    is($c->event('message')->{content}, 'Hi', 'and arrives');
    is($t->get('/status')->{status}, 200, 'the status is there');
}


sub tls {
    my ($t) = @_;
    my ($alice) = people($t);
    my $dir = $t->dir;

    my ($tls_key) = jwt_key_pair($dir, 'p256');
    my ($private, $public) = jwt_key_pair($dir, 'p256');

    rename jwt_certificate($tls_key), "$dir/chat.example.com.crt" or die $!;
    rename $tls_key, "$dir/chat.example.com.key" or die $!;
    rename $public, "$dir/realtime.pem" or die $!;

    $t->start;

    my %claims = (id => $alice, iss => 'https://example.com', aud => 'chat',
                  exp => time + 60);
    my $token = jwt_encode({ alg => 'ES256', key => $private },
                           \%claims);

    my $node = $t->node('client.js', 'https://127.0.0.1:' . $t->port2,
        JSON::PP::encode_json({ auth => { token => $token },
                                rejectUnauthorized => JSON::PP::false }));

    ok($node->wait_line(sub { $_[0]{connect} }), 'a socket connects');
    is($t->get('/x')->{headers}{location}, 'https://chat.example.com/x',
       'http is sent to https');
}


sub people {
    my ($t) = @_;
    my @ids = map { $t->uuid($_) } qw( alice bob );

    $t->sql("insert into users (id) values ('$_')") for @ids;

    return @ids;
}


sub conversation {
    my ($t, $alice, $bob, @auth) = @_;

    return $t->post('/api/chat/conversations', @auth,
                    json => { participantId => $bob })->{json}{data}{id};
}
