
/*
 * Copyright (C) ngx_realtime contributors
 */

/* permessage-deflate: what is negotiated, compressed and inflated. */

#include <zlib.h>

#include "rt_deflate.h"
#include "tap.h"


#define DEFLATE_OUT   128         /* of rt_deflate_accept() */
#define DEFLATE_BITS  12          /* of the stream that answers */
#define DEFLATE_MAX   (1 << 20)

#define ANSWER                                                                \
    "permessage-deflate; server_no_context_takeover; "                        \
    "client_no_context_takeover"

#define deflate_count(table)  (sizeof(table) / sizeof(table[0]))


static const struct {
    const char  *offer;
    const char  *answer;          /* NULL: none acceptable; "!": malformed */
} deflate_offers[] = {
    { "permessage-deflate", ANSWER },
    { "permessage-deflate; client_max_window_bits", ANSWER },
    { "permessage-deflate; client_max_window_bits=8", ANSWER },
    { "permessage-deflate; client_max_window_bits=15", ANSWER },
    { "permessage-deflate; client_max_window_bits=\"10\"", ANSWER },
    { "permessage-deflate;client_no_context_takeover", ANSWER },
    { "permessage-deflate ; server_no_context_takeover ;\t"
      "client_no_context_takeover", ANSWER },
    { "permessage-deflate; server_max_window_bits=12",
      ANSWER "; server_max_window_bits=12" },
    { "permessage-deflate; server_max_window_bits=15",
      ANSWER "; server_max_window_bits=12" },
    { "permessage-deflate; server_max_window_bits=\"13\"; "
      "client_max_window_bits; server_no_context_takeover; "
      "client_no_context_takeover", ANSWER "; server_max_window_bits=12" },
    { " \tpermessage-deflate\t ", ANSWER },

    /* the first that can be met */

    { "permessage-deflate, permessage-deflate; server_max_window_bits=15",
      ANSWER },
    { "permessage-deflate; server_max_window_bits=15, permessage-deflate",
      ANSWER "; server_max_window_bits=12" },
    { "permessage-deflate; server_max_window_bits=10, permessage-deflate",
      ANSWER },
    { "x-webkit-deflate-frame, permessage-deflate", ANSWER },
    { "foo; a; b=c; d=\"e\",permessage-deflate,bar", ANSWER },
    { "permessage-deflate; unknown, permessage-deflate", ANSWER },

    /* empty elements */

    { ",permessage-deflate", ANSWER },
    { " , ,\t, permessage-deflate , ", ANSWER },
    { "", NULL },
    { " ", NULL },
    { ",", NULL },

    /* offers that are declined */

    { "permessage-bzip2", NULL },
    { "permessage-deflat", NULL },
    { "permessage-deflate2", NULL },
    { "Permessage-Deflate", NULL },
    { "permessage-deflate; unknown", NULL },
    { "permessage-deflate; unknown=1", NULL },
    { "permessage-deflate; server_no_context_takeover=1", NULL },
    { "permessage-deflate; client_no_context_takeover=true", NULL },
    { "permessage-deflate; client_no_context_takeover=\"1\"", NULL },
    { "permessage-deflate; server_no_context_takeover; "
      "server_no_context_takeover", NULL },
    { "permessage-deflate; client_no_context_takeover; "
      "client_no_context_takeover", NULL },
    { "permessage-deflate; client_max_window_bits; "
      "client_max_window_bits=15", NULL },
    { "permessage-deflate; server_max_window_bits=15; "
      "server_max_window_bits=15", NULL },
    { "permessage-deflate; server_max_window_bits", NULL },
    { "permessage-deflate; server_max_window_bits=8", NULL },
    { "permessage-deflate; server_max_window_bits=11", NULL },
    { "permessage-deflate; server_max_window_bits=7", NULL },
    { "permessage-deflate; server_max_window_bits=16", NULL },
    { "permessage-deflate; server_max_window_bits=012", NULL },
    { "permessage-deflate; server_max_window_bits=0", NULL },
    { "permessage-deflate; server_max_window_bits=+12", NULL },
    { "permessage-deflate; server_max_window_bits=1e1", NULL },
    { "permessage-deflate; server_max_window_bits=1.", NULL },
    { "permessage-deflate; server_max_window_bits=4294967308", NULL },
    { "permessage-deflate; server_max_window_bits=\"1\\2\"", NULL },
    { "permessage-deflate; client_max_window_bits=7", NULL },
    { "permessage-deflate; client_max_window_bits=16", NULL },
    { "permessage-deflate; client_max_window_bits=09", NULL },
    { "permessage-deflate; client_max_window_bits=x", NULL },

    /* no list of extensions */

    { ";", "!" },
    { "=", "!" },
    { "permessage-deflate;", "!" },
    { "permessage-deflate; ", "!" },
    { "permessage-deflate; ;", "!" },
    { "permessage-deflate;, foo", "!" },
    { "permessage-deflate=1", "!" },
    { "permessage-deflate foo", "!" },
    { "permessage-deflate; a b", "!" },
    { "permessage-deflate; a=", "!" },
    { "permessage-deflate; a =1", "!" },
    { "permessage-deflate; a= 1", "!" },
    { "permessage-deflate; a=1 2", "!" },
    { "permessage-deflate; a=\"", "!" },
    { "permessage-deflate; a=\"\"", "!" },
    { "permessage-deflate; a=\"1", "!" },
    { "permessage-deflate; a=\"1 2\"", "!" },
    { "permessage-deflate; a=\"1\\\"", "!" },
    { "permessage-deflate; a=\"1\"2", "!" },
    { "permessage-deflate; a=1\"2\"", "!" },
    { "permessage-deflate, (", "!" },
    { "permessage-deflate\v", "!" },
    { "permessage-d\xc3\xa9" "flate", "!" },
};


/* messages as a client may send them; text NULL: refused */

static const struct {
    const char  *hex;
    const char  *text;
    const char  *name;
} deflate_messages[] = {

    /* RFC 7692, 7.2.3.1 to 7.2.3.6 */

    { "f248cdc9c90700", "Hello", "one block" },
    { "f200110000", NULL, "a reference to the message before" },
    { "000500faff48656c6c6f00", "Hello", "a block without compression" },
    { "f348cdc9c9070000", "Hello", "a final block" },
    { "f24805000000ffffcac9c90700", "Hello", "two blocks" },
    { "00", "", "empty" },

    { "", "", "no byte at all" },
    { "0200", "", "empty, fixed codes" },
    { "0300", "", "a final block that is empty" },
    { "f348cdc9c90700", "Hello", "a final block without what follows it" },
    { "f348cdc9c90700f348cdc9c9070000", "HelloHello", "two final blocks" },
    { "f348cdc9c90700f348cdc9c90700", "HelloHello", "and nothing else" },
    { "f348cdc9c90700000500faff48656c6c6f00", "HelloHello",
      "a final block, then others" },
    { "000000ffff00", "", "a tail that was sent" },

    { "ff", NULL, "a type of block that is none" },
    { "06", NULL, "the same, low bits" },
    { "f248cdc9c9", NULL, "cut off inside a block" },
    { "f248", NULL, "cut off early" },
    { "000500faff48656c", NULL, "cut off without compression" },
    { "000500fafe48656c6c6f00", NULL, "a wrong complement" },
    { "f348cdc9c90700f200110000", NULL, "a reference past a final block" },
    { "f348cdc9c90700ff", NULL, "garbage behind a final block" },
    { "1f8b0800000000000003f348cdc9c9070082897df705000000", NULL, "gzip" },
    { "789cf348cdc9c907000587018a", NULL, "a zlib header" },
    { "48656c6c6f", NULL, "text that is not compressed" },
};


static size_t
deflate_hex(uint8_t *out, const char *hex)
{
    size_t    n;
    unsigned  byte;

    for (n = 0; hex[2 * n]; n++) {
        sscanf(hex + 2 * n, "%2x", &byte);
        out[n] = (uint8_t) byte;
    }

    return n;
}


static void
deflate_test_offer(const rt_deflate_t *d, size_t n)
{
    int          rc, expected;
    size_t       len, out_len;
    uint8_t     *p, *out;
    const char  *answer;

    len = strlen(deflate_offers[n].offer);
    p = tap_exact(deflate_offers[n].offer, len);
    out = malloc(DEFLATE_OUT);
    out_len = 0;

    if (out == NULL) {
        abort();
    }

    rc = rt_deflate_accept(d, p, len, out, &out_len);

    answer = deflate_offers[n].answer;
    expected = (answer == NULL) ? RT_AGAIN : RT_OK;
    expected = (answer && answer[0] == '!') ? RT_ERROR : expected;

    tap_ok(rc == expected, "\"%s\" is %s", deflate_offers[n].offer,
           expected == RT_OK ? "accepted"
           : expected == RT_AGAIN ? "declined" : "malformed");

    if (expected == RT_OK) {
        tap_bytes(out, out_len, answer, strlen(answer), "with this answer");
    }

    free(out);
    free(p);
}


static void
deflate_test_message(rt_deflate_t *d, size_t n)
{
    int       rc;
    size_t    len, out_len;
    uint8_t  *p, *out, bytes[64];

    len = deflate_hex(bytes, deflate_messages[n].hex);
    p = tap_exact(bytes, len);

    rc = rt_deflate_inflate(d, p, len, DEFLATE_MAX, &out, &out_len);

    if (deflate_messages[n].text == NULL) {
        tap_ok(rc == RT_ERROR, "%s is refused", deflate_messages[n].name);

    } else {
        tap_ok(rc == RT_OK, "%s is inflated", deflate_messages[n].name);
    }

    if (rc == RT_OK) {
        tap_bytes(out, out_len, deflate_messages[n].text,
                  strlen(deflate_messages[n].text), "to \"%s\"",
                  deflate_messages[n].text);
        free(out);
    }

    free(p);
}


/* kind 0: text that repeats, 1: bytes that do not, 2: one byte */

static void
deflate_fill(uint8_t *p, size_t len, unsigned kind)
{
    size_t    i;
    uint32_t  state;

    state = 1;

    for (i = 0; i < len; i++) {
        state = state * 1664525 + 1013904223;

        switch (kind) {
        case 0:
            p[i] = "{\"id\":0,\"text\":\"hello\"},"[(i + (state >> 29)) % 24];
            break;
        case 1:
            p[i] = (uint8_t) (state >> 24);
            break;
        default:
            p[i] = 'a';
        }
    }
}


/* what a client with a window of that size makes of it */

static int
deflate_client(const uint8_t *p, size_t len, int bits, const uint8_t *want,
    size_t want_len)
{
    int        rc;
    uint8_t   *out;
    z_stream   z;

    out = malloc(want_len + 1);

    memset(&z, 0, sizeof(z_stream));

    if (out == NULL || inflateInit2(&z, -bits) != Z_OK) {
        abort();
    }

    /* one byte at a time, so that the window alone holds what was before */

    z.next_in = (Bytef *) p;
    z.avail_in = (uInt) len;
    z.next_out = out;

    do {
        z.avail_out = 1;
        rc = inflate(&z, Z_SYNC_FLUSH);
    } while (rc == Z_OK && z.total_out <= want_len);

    inflateEnd(&z);

    rc = rc == Z_BUF_ERROR && z.total_out == want_len
         && memcmp(out, want, want_len) == 0;

    free(out);

    return rc;
}


static int
deflate_round(rt_deflate_t *d, int bits, const uint8_t *p, size_t len)
{
    int       ok;
    size_t    size, n, out_len;
    uint8_t  *packed, *out;

    size = rt_deflate_bound(d, len);
    packed = malloc(size);
    if (packed == NULL) {
        abort();
    }

    n = rt_deflate_compress(d, packed, size, p, len);
    out = NULL;

    ok = n && n + 4 < size
         && rt_deflate_inflate(d, packed, n, len, &out, &out_len) == RT_OK
         && out_len == len && memcmp(out, p, len) == 0
         && deflate_client(packed, n, bits, p, len);

    free(out);

    ok = ok && (len == 0
                || rt_deflate_inflate(d, packed, n, len - 1, &out, &out_len)
                   == RT_AGAIN);

    ok = ok && rt_deflate_compress(d, packed, n - 1, p, len) == 0;

    free(packed);

    return ok;
}


static void
deflate_test_round_trips(int level, int bits)
{
    size_t         i, wrong;
    uint8_t       *p;
    unsigned       kind;
    rt_deflate_t  *d;

    static const size_t  sizes[] = {
        0, 1, 2, 5, 63, 64, 255, 1000, 4096, 16384, 32768, 32769, 65536, 100000
    };

    d = rt_deflate_create(level, bits);
    p = malloc(sizes[deflate_count(sizes) - 1]);

    if (d == NULL || p == NULL) {
        abort();
    }

    wrong = 0;

    for (kind = 0; kind < 3; kind++) {
        deflate_fill(p, sizes[deflate_count(sizes) - 1], kind);

        for (i = 0; i < deflate_count(sizes); i++) {
            wrong += !deflate_round(d, bits, p, sizes[i]);
        }
    }

    tap_ok(wrong == 0, "level %d, window of %d bits: round trips", level, bits);

    free(p);
    rt_deflate_destroy(d);
}


/* 1 MB in a kilobyte: no more than max is ever held */

static void
deflate_test_bomb(rt_deflate_t *d)
{
    size_t    n, out_len;
    uint8_t  *p, *out, packed[4096];

    p = calloc(1, DEFLATE_MAX);
    if (p == NULL) {
        abort();
    }

    n = rt_deflate_compress(d, packed, sizeof(packed), p, DEFLATE_MAX);

    tap_ok(n && n < sizeof(packed) - 4, "1 MB of zeroes in %zu bytes", n);

    tap_ok(rt_deflate_inflate(d, packed, n, 0, &out, &out_len) == RT_AGAIN,
           "is over 0 bytes");
    tap_ok(rt_deflate_inflate(d, packed, n, 1000, &out, &out_len) == RT_AGAIN,
           "is over 1000 bytes");
    tap_ok(rt_deflate_inflate(d, packed, n, DEFLATE_MAX - 1, &out, &out_len)
           == RT_AGAIN, "is a byte over");

    tap_ok(rt_deflate_inflate(d, packed, n, SIZE_MAX, &out, &out_len)
           == RT_OK && out_len == DEFLATE_MAX, "is not over any number");
    free(out);

    tap_ok(rt_deflate_inflate(d, packed, n, DEFLATE_MAX, &out, &out_len)
           == RT_OK && out_len == DEFLATE_MAX, "is just the limit");
    tap_ok(memcmp(out, p, DEFLATE_MAX) == 0, "and all of it");
    free(out);

    tap_ok(rt_deflate_inflate(d, (const uint8_t *) "\0", 1, 0, &out, &out_len)
           == RT_OK && out_len == 0, "nothing is not over 0 bytes");
    free(out);

    free(p);
}


/* a block without compression that ends in the tail and fills the buffer */

static void
deflate_test_tail(rt_deflate_t *d)
{
    size_t    out_len;
    uint8_t  *out, packed[5 + 256];

    memcpy(packed, "\x00\x00\x01\xff\xfe", 5);
    memset(packed + 5, 'a', 252);

    tap_ok(rt_deflate_inflate(d, packed, 5 + 252, 256, &out, &out_len)
           == RT_OK && out_len == 256, "the tail as data, just the limit");
    tap_bytes(out + 252, 4, "\x00\x00\xff\xff", 4, "which it ends in");
    free(out);

    tap_ok(rt_deflate_inflate(d, packed, 5 + 251, 256, &out, &out_len)
           == RT_ERROR, "a byte short");
    tap_ok(rt_deflate_inflate(d, packed, 5 + 252, 255, &out, &out_len)
           == RT_AGAIN, "a byte over");
}


int
main(void)
{
    int            level, bits;
    size_t         i;
    rt_deflate_t  *d;

    d = rt_deflate_create(6, DEFLATE_BITS);
    if (d == NULL) {
        return 1;
    }

    for (i = 0; i < deflate_count(deflate_offers); i++) {
        deflate_test_offer(d, i);
    }

    for (i = 0; i < deflate_count(deflate_messages); i++) {
        deflate_test_message(d, i);
    }

    deflate_test_bomb(d);
    deflate_test_tail(d);

    for (bits = 9; bits <= 15; bits++) {
        for (level = 1; level <= 9; level += 4) {
            deflate_test_round_trips(level, bits);
        }
    }

    rt_deflate_destroy(d);

    return tap_done();
}
