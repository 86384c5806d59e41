package Test::Realtime::JWT;

# Copyright (C) ngx_realtime contributors

# Tokens of every algorithm, good and bad, minted with Perl's HMAC and the
# openssl command, and a table of them tried against a location.
#
#     my ($private, $public) = jwt_key_pair($t->dir, 'rsa');
#     my $token = jwt_encode({ alg => 'RS256', key => $private,
#                              header => { kid => 'a' } }, { sub => 'x' });
#
# "alg" is how the token is signed.  "header" adds to its header or overrides
# it, "header_text" replaces it; claims may be a string, taken as JSON text.
# "key" is the secret of an HMAC, else the path of a private key.

use strict;
use warnings;

use Digest::SHA qw( hmac_sha256 hmac_sha384 hmac_sha512 );
use Exporter qw( import );
use File::Temp;
use JSON::PP;
use MIME::Base64 qw( encode_base64url );
use Test::More;

our @EXPORT = qw( jwt_encode jwt_sign jwt_key_pair jwt_certificate
                  try_tokens );

my $JSON = JSON::PP->new->utf8->canonical;

my %HMAC = (HS256 => \&hmac_sha256, HS384 => \&hmac_sha384,
            HS512 => \&hmac_sha512);
my %HALF = (ES256 => 32, ES384 => 48, ES512 => 66);

my %GENERATE = (
    rsa     => [qw( -algorithm RSA -pkeyopt rsa_keygen_bits:2048 )],
    rsa1024 => [qw( -algorithm RSA -pkeyopt rsa_keygen_bits:1024 )],
    p256    => [qw( -algorithm EC -pkeyopt ec_paramgen_curve:P-256 )],
    p384    => [qw( -algorithm EC -pkeyopt ec_paramgen_curve:P-384 )],
    p521    => [qw( -algorithm EC -pkeyopt ec_paramgen_curve:P-521 )],
    k256    => [qw( -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 )],
    ed25519 => [qw( -algorithm ed25519 )],
    ed448   => [qw( -algorithm ed448 )],
    pss384  => [qw( -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048
                    -pkeyopt rsa_pss_keygen_md:sha384
                    -pkeyopt rsa_pss_keygen_mgf1_md:sha384
                    -pkeyopt rsa_pss_keygen_saltlen:48 )],
);


sub jwt_encode {
    my ($o, $claims) = @_;

    my $header = $o->{header_text}
                 // $JSON->encode({ alg => $o->{alg}, typ => 'JWT',
                                    %{$o->{header} // {}} });

    my $payload = ref $claims ? $JSON->encode($claims) : $claims;

    my $text = encode_base64url($header) . '.' . encode_base64url($payload);

    return "$text." . encode_base64url(jwt_sign($o->{alg}, $o->{key}, $text));
}


# the bytes of a signature

sub jwt_sign {
    my ($alg, $key, $text) = @_;

    return '' if $alg eq 'none';
    return $HMAC{$alg}->($text, $key) if $HMAC{$alg};

    my $in = File::Temp->new;
    print $in $text;
    close $in;

    return openssl(qw( pkeyutl -sign -rawin -inkey ), $key, '-in', "$in")
        if $alg eq 'EdDSA';

    my ($kind, $bits) = $alg =~ /^(RS|PS|ES)(\d+)$/ or die "alg $alg\n";

    my @opt = $kind eq 'PS' ? qw( -sigopt rsa_padding_mode:pss
                                  -sigopt rsa_pss_saltlen:digest ) : ();

    my $sig = openssl('dgst', "-sha$bits", '-sign', $key, @opt, "$in");

    return $kind eq 'ES' ? raw_from_der($sig, $HALF{$alg}) : $sig;
}


# SEQUENCE { INTEGER r, INTEGER s } to r and s of fixed length

sub raw_from_der {
    my ($der, $half) = @_;

    my ($r, $s) = unpack '(x C/a)2',
                         $der =~ /^\x30(?:\x81.|[\0-\x7f])(.*)/s ? $1 : die;

    return join '', map { substr "\0" x $half . $_, -$half } $r, $s;
}


# paths of a new private key and of its public key

sub jwt_key_pair {
    my ($dir, $kind) = @_;

    my $name = "$dir/" . $kind . '-' . int rand 1e9;

    openssl('genpkey', @{$GENERATE{$kind}}, '-out', "$name.key");
    openssl('pkey', '-in', "$name.key", '-pubout', '-out', "$name.pem");

    return ("$name.key", "$name.pem");
}


sub jwt_certificate {
    my ($private) = @_;

    openssl(qw( req -x509 -new -days 2 -subj /CN=test -key ), $private,
            '-out', "$private.crt");

    return "$private.crt";
}


sub openssl {
    my @argv = @_;

    my $pid = open my $out, '-|';
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        open STDERR, '>', '/dev/null';
        exec 'openssl', @argv or POSIX::_exit(127);
    }

    binmode $out;
    my $bytes = do { local $/; <$out> };
    close $out or die "openssl @argv failed\n";

    return $bytes;
}


# Rows: what it is, location, token (or a hash with "query" and the options
# of http), outcome and a word of the log.  The location serves the chat
# routes; an accepted token finds no such endpoint.

my %OUTCOME = (
    ok      => [404, 'endpoint_not_found', 'Endpoint not found'],
    missing => [401, 'token_missing', 'Missing authentication token'],
    invalid => [401, 'token_invalid', 'Invalid or expired token'],
    payload => [401, 'token_payload', 'Invalid token payload'],
);

sub try_tokens {
    my ($t, @cases) = @_;

    for my $case (@cases) {
        my ($name, $path, $token, $outcome, $word) = @$case;

        my $seen = -s $t->dir . '/error.log';
        my %o = ref $token ? %$token : (token => $token);
        my $query = defined $o{query} ? "?$o{query}" : '';
        my $r = $t->get("$path/nothing$query", %o);
        my $log = log_from($t, $seen);

        my $got = join ' ', $r->{status}, $r->{json}{code} // '',
                            $r->{json}{message} // '';

        if ($got eq "@{$OUTCOME{$outcome}}"
            && (!defined $word || $log =~ /\Q$word\E/))
        {
            pass("$outcome: $name");

        } else {
            fail("$outcome: $name");
            diag("got $got, looked for \"" . ($word // '') . '" in: '
                 . join "\n", grep { /realtime/ } split /\n/, $log);
        }
    }
}


sub log_from {
    my ($t, $at) = @_;

    open my $fh, '<:raw', $t->dir . '/error.log' or return '';
    seek $fh, $at, 0;
    local $/;

    return scalar(<$fh>) // '';
}


1;
