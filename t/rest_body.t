#!/usr/bin/perl

# Copyright (C) ngx_realtime contributors

# A body is taken however it comes, and refused by its type, size and form;
# what is stored is what was written.

use strict;
use warnings;
use utf8;

use Encode ();
use JSON::PP;
use Test::More;

use lib 't/lib';
use Test::Realtime;

binmode Test::More->builder->$_, ':utf8' for qw( output failure_output );

my $t = Test::Realtime->new(database => 1, http => <<'EOT')->start;
    realtime_zone main 16m;
    realtime_database "%%DATABASE%%" connections=2 timeout=5s;
    client_max_body_size 200k;
    client_body_buffer_size 1k;
EOT

my ($alice, $bob) = map { $t->uuid($_) } qw( alice bob );

$t->sql("insert into users (id) values ('$alice'), ('$bob')");

my $base = '/api/chat/conversations';
my $token = $t->token($alice);
my $id = $t->post($base, token => $token,
                  json => { participantId => $bob })->{json}{data}{id};
my $messages = "$base/$id/messages";


sub body {
    my ($body, %headers) = @_;

    return $t->post($messages, token => $token, body => $body,
                    headers => { 'Content-Type' => 'application/json',
                                 %headers });
}


sub chunked {
    my ($n, $body) = @_;

    return body(join('', map({ sprintf "%x\r\n%s\r\n", length, $_ }
                         unpack "(a$n)*", $body), "0\r\n\r\n"),
                'Transfer-Encoding' => 'chunked');
}


my $json = '{"content":"x"}';

for (['application/json; charset=utf-8', 201], ['Application/JSON', 201],
     ['text/plain', 415], ['application/jsonp', 415], ['', 415],
     ['application/x-www-form-urlencoded', 415], [undef, 415])
{
    my ($type, $status) = @$_;

    is(body($json, 'Content-Type' => $type)->{status}, $status,
       'Content-Type ' . ($type // 'missing'));
}

is(body('x', 'Content-Type' => 'text/plain')->{json}{message},
   'Content-Type must be application/json', 'text of 415');

is(chunked(1, $json)->{status}, 201, 'chunks of a byte');
is(chunked(4096, encode_json({ content => 'é' x 10000 }))->{status}, 201,
   'chunks through a file');
is(body(encode_json({ content => 'é' x 10000 }))->{status}, 201,
   'a body through a file');
is(body('{"content":"' . '\ud83d\ude00' x 10000 . '"}')->{status}, 201,
   '10000 characters as escapes');
is(body('{"content":"a","content":"b"}')->{json}{data}{content}, 'b',
   'the last of two keys');
is(body('{"content":"a","more":{"x":[1e400,12345678901234567890]},'
        . '"y":"\ud800","z\u0000":1}')->{status},
   201, 'whatever nobody asked for');
is(body('{"content":"a","more":[01]}')->{status}, 400,
   'but not what is no JSON');
is(body('{"content":"a","x":' . '[' x 100 . ']' x 100 . '}')->{status}, 400,
   'deep nesting');
is(body('{"content":"x' . ' ' x 204800 . '"}')->{status}, 413, 'too large');
is(chunked(4096, '{"content":"x' . ' ' x 204800 . '"}')->{status}, 413,
   'too large in chunks');

# half a body, and the client is gone

for my $text ("Content-Length: 100\r\n\r\n{\"content\"",
              "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"con")
{
    my $s = $t->tcp;

    syswrite $s, "POST $messages HTTP/1.1\r\nHost: a\r\n"
        . "Authorization: Bearer $token\r\n"
        . "Content-Type: application/json\r\n$text";
    close $s;
}

for my $content ('<b>"&\'</b>', "a\tb\nc", "a\x{2028}b\x{2029}c", '\\u0041',
                 "x'); drop table realtime.messages; --", 'שלום 😀 \n',
                 "a\x{7f}\x{1}b")
{
    my $r = $t->post($messages, token => $token,
                     json => { content => $content });
    my $data = $r->{json}{data};

    is($data->{content}, $content, 'stored as it was written');
    unlike($r->{body}, qr/[<>&]|\xe2\x80[\xa8\xa9]/, 'and escaped for HTML');
    is($t->sql("select content = convert_from('\\x"
               . unpack('H*', Encode::encode('UTF-8', $content))
               . "', 'UTF8') from realtime.messages"
               . " where id = '$data->{id}'"), 't', 'in the table too');
}

my $r = $t->post($messages, token => $token, json => { content => ' hi ' });
my $row = $r->{json}{data};

is_deeply($row, {
    id => $row->{id}, conversation_id => $id, sender_id => $alice,
    content => 'hi', client_id => undef, read_at => undef,
    delivered_at => undef, created_at => $row->{created_at},
    is_read => JSON::PP::false,
}, 'the row of a message');

$r = $t->http(OPTIONS => $messages);

is($r->{status}, 204, 'OPTIONS needs no token');
is($r->{headers}{allow}, 'GET, HEAD, POST, OPTIONS', 'Allow');
is($t->http(OPTIONS => '/api/chat/x')->{status}, 404, 'OPTIONS of nothing');

$r = $t->http(PUT => "$base/$id", token => $token);

is($r->{status}, 405, 'a wrong method');
is($r->{headers}{allow}, 'GET, HEAD, DELETE, OPTIONS',
   'is told which are right');

done_testing();
