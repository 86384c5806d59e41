package Test::Realtime::Schema;

# Copyright (C) ngx_realtime contributors

# A document of docs/ in YAML, and whether values are what its schemas say.
# Of JSON Schema it knows what those use, and dies of anything else; of YAML,
# what CPAN::Meta::YAML of Perl itself reads.
#
#     my $doc = Test::Realtime::Schema->new('docs/openapi.yaml');
#     my @wrong = $doc->check($schema, $value);
#     $doc->at('#/components/schemas/Id');       also follows {$ref: ...}

use strict;
use warnings;

use CPAN::Meta::YAML;
use JSON::PP;
use List::Util qw( none );


my %FORMAT = (
    uuid => qr/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\z/,
    'date-time' => qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\z/,
);

my %KNOWN = map { $_ => 1 } qw( type format pattern const enum properties
    required additionalProperties items minLength maxLength description );


sub new {
    my ($class, $path) = @_;

    my $yaml = CPAN::Meta::YAML->read($path)
               or die CPAN::Meta::YAML->errstr;

    return bless { doc => $yaml->[0] }, $class;
}


sub doc { $_[0]{doc} }


sub at {
    my ($self, $node) = @_;

    while (1) {
        my $ref = ref $node ? $node->{'$ref'} : $node;

        return $node if !defined $ref;

        my ($path) = $ref =~ m{^#/(.*)} or die "not of this file: $ref\n";

        $node = $self->{doc};

        for my $name (split m{/}, $path) {
            $name =~ s{~1}{/}g;
            $node = $node->{$name} // die "no such thing: $ref\n";
        }
    }
}


sub type {
    my ($v) = @_;

    return 'null' if !defined $v;
    return 'boolean' if JSON::PP::is_bool($v);
    return ref $v eq 'HASH' ? 'object' : 'array' if ref $v;

    # JSON::PP makes numbers of numbers and strings of strings

    return 'string' if JSON::PP->new->allow_nonref->encode($v) =~ /^"/;
    return $v =~ /^-?\d+\z/ ? 'integer' : 'number';
}


sub check {
    my ($self, $schema, $v, $where) = @_;

    $where //= 'it';
    $schema = $self->at($schema);

    my @unknown = grep { !$KNOWN{$_} } sort keys %$schema;
    die "a schema with @unknown\n" if @unknown;

    my $type = type($v);

    if (defined(my $want = $schema->{type})) {
        my @types = ref $want ? @$want : $want;

        return "$where is of type $type"
            if none { $_ eq $type || $_ eq 'number' && $type eq 'integer' }
                    @types;
    }

    return if $type eq 'null';

    my @wrong;

    push @wrong, "$where is not $schema->{const}"
        if defined $schema->{const} && $v ne $schema->{const};
    push @wrong, "$where is none of those it may be"
        if $schema->{enum} && none { $_ eq $v } @{$schema->{enum}};
    push @wrong, "$where is no $schema->{format}: $v"
        if $schema->{format} && $v !~ ($FORMAT{$schema->{format}} // die);
    push @wrong, "$where does not match"
        if $schema->{pattern} && $v !~ /$schema->{pattern}/;

    if ($type eq 'array' && $schema->{items}) {
        push @wrong, map { $self->check($schema->{items}, $v->[$_],
                                        "$where\[$_]") } 0 .. $#$v;
    }

    push @wrong, $self->members($schema, $v, $where) if $type eq 'object';

    return @wrong;
}


sub members {
    my ($self, $schema, $v, $where) = @_;

    my $properties = $schema->{properties} // {};
    my @wrong = map { "$where.$_ is missing" }
                grep { !exists $v->{$_} } @{$schema->{required} // []};

    for my $name (sort keys %$v) {
        if ($properties->{$name}) {
            push @wrong, $self->check($properties->{$name}, $v->{$name},
                                      "$where.$name");

        } elsif (($schema->{additionalProperties} // 'true') eq 'false') {
            push @wrong, "$where.$name is unknown";
        }
    }

    return @wrong;
}


1;
