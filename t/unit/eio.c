
/*
 * Copyright (C) ngx_realtime contributors
 */

/* Engine.IO packets, payloads of polling, and the bytes of OPEN. */

#include "rt_eio.h"
#include "tap.h"


typedef struct {
    const char  *in;
    char         type;    /* 0: refused */
    const char  *data;
} eio_case_t;


static const eio_case_t  eio_cases[] = {
    { "0", RT_EIO_OPEN, "" },
    { "1", RT_EIO_CLOSE, "" },
    { "2", RT_EIO_PING, "" },
    { "2probe", RT_EIO_PING, "probe" },
    { "3", RT_EIO_PONG, "" },
    { "3probe", RT_EIO_PONG, "probe" },
    { "4", RT_EIO_MESSAGE, "" },
    { "40", RT_EIO_MESSAGE, "0" },
    { "42[\"a\"]", RT_EIO_MESSAGE, "2[\"a\"]" },
    { "5", RT_EIO_UPGRADE, "" },
    { "6", RT_EIO_NOOP, "" },

    { "", 0, NULL },
    { "7", 0, NULL },
    { "/", 0, NULL },
    { ":", 0, NULL },
    { "9", 0, NULL },
    { " 4", 0, NULL },
    { "b4", 0, NULL },
    { "bAQIDBA==", 0, NULL },
    { "\xff", 0, NULL },
};


/* out: "t(<text>)", "b(<bytes>)", and "!" where it is refused */

static const struct {
    const char  *in;
    const char  *out;
} eio_payloads[] = {
    { "", "" },
    { "4a", "t(4a)" },
    { "2", "t(2)" },
    { "4a\x1e" "4b", "t(4a)t(4b)" },
    { "40{}\x1e" "42[\"x\"]\x1e" "3", "t(40{})t(42[\"x\"])t(3)" },
    { "x\x1e" "4", "t(x)t(4)" },

    { "b", "b()" },
    { "b\x1e" "b", "b()b()" },
    { "bAQIDBA==", "b(01020304)" },
    { "451-[1]\x1e" "bAQIDBA==\x1e" "2", "t(451-[1])b(01020304)t(2)" },
    { "bAA==", "b(00)" },
    { "bAAA=", "b(0000)" },
    { "bAAAA", "b(000000)" },
    { "b////", "b(ffffff)" },
    { "b++++", "b(fbefbe)" },
    { "bAZaz09+/", "b(0196b3d3dfbf)" },
    { "b4AAA", "b(e00000)" },
    { "bbbbb", "b(6db6db)" },

    /* without padding; bits left over */

    { "bAQIDBA", "b(01020304)" },
    { "bAQI", "b(0102)" },
    { "bAR==", "b(01)" },
    { "bAR", "b(01)" },
    { "bAQJ=", "b(0102)" },
    { "b//", "b(ff)" },

    /* no base64 */

    { "bA", "!" },
    { "bAAAAA", "!" },
    { "bA=", "!" },
    { "bAA=", "!" },
    { "bA==", "!" },
    { "bA===", "!" },
    { "b=", "!" },
    { "b==", "!" },
    { "b====", "!" },
    { "bAAAA=", "!" },
    { "bAAAA==", "!" },
    { "bAAAA====", "!" },
    { "bAA==AA==", "!" },
    { "bAA=A", "!" },
    { "b=AAA", "!" },
    { "bAA==\n", "!" },
    { "bAA ==", "!" },
    { "bA-__", "!" },
    { "bAAA_", "!" },
    { "bAAA-", "!" },
    { "bAA-", "!" },
    { "bA.", "!" },
    { "bAAA\xc3", "!" },
    { "b\xff\xff\xff\xff", "!" },
    { "b@@@@", "!" },
    { "b[[[[", "!" },
    { "b````", "!" },
    { "b{{{{", "!" },
    { "b::::", "!" },
    { "b,,,,", "!" },
    { "b....", "!" },
    { "4a\x1e" "bA", "t(4a)!" },
    { "bAQIDBA==\x1e" "bAQIDBA=\x1e" "4a", "b(01020304)!" },

    /* empty packets */

    { "\x1e", "!" },
    { "\x1e" "4a", "!" },
    { "4a\x1e", "t(4a)!" },
    { "b\x1e", "b()!" },
    { "bAA==\x1e", "b(00)!" },
    { "4a\x1e\x1e" "4b", "t(4a)!" },
    { "4a\x1e\x1e", "t(4a)!" },
    { "\x1e\x1e", "!" },
};


static const struct {
    rt_eio_error_e  code;
    const char     *text;
} eio_errors[] = {
    { RT_EIO_TRANSPORT_UNKNOWN, "Transport unknown" },
    { RT_EIO_SID_UNKNOWN, "Session ID unknown" },
    { RT_EIO_BAD_METHOD, "Bad handshake method" },
    { RT_EIO_BAD_REQUEST, "Bad request" },
    { RT_EIO_FORBIDDEN, "Forbidden" },
    { RT_EIO_VERSION, "Unsupported protocol version" },
};


static void
eio_test(const eio_case_t *c)
{
    int               rc;
    size_t            len;
    uint8_t          *p;
    rt_eio_packet_t   pkt;

    len = strlen(c->in);
    p = tap_exact(c->in, len);

    memset(&pkt, 0, sizeof(rt_eio_packet_t));
    rc = rt_eio_parse(&pkt, p, len);

    if (c->type == 0) {
        tap_ok(rc == RT_ERROR, "\"%s\" is refused", c->in);

    } else {
        tap_ok(rc == RT_OK && pkt.type == c->type, "\"%s\" has its type",
               c->in);
        tap_bytes(pkt.data.data, pkt.data.len, c->data, strlen(c->data),
                  "\"%s\" has its data", c->in);
    }

    free(p);
}


static void
eio_test_open(void)
{
    size_t         len;
    uint8_t        out[RT_EIO_OPEN_MAX];
    rt_eio_open_t  open;

    static const char  stock[] =
        "0{\"sid\":\"zgwkfF12ci5h9Gq9AAAA\",\"upgrades\":[\"websocket\"],"
        "\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":1000000}";
    static const char  longest[] =
        "0{\"sid\":\"abcdefghijklmnopqrstuvwxyz012345\",\"upgrades\":[],"
        "\"pingInterval\":18446744073709551615,"
        "\"pingTimeout\":18446744073709551615,"
        "\"maxPayload\":18446744073709551615}";

    open.sid.data = (const uint8_t *) "zgwkfF12ci5h9Gq9AAAAxxxx";
    open.sid.len = 20;
    open.upgrades = 1;
    open.ping_interval = 25000;
    open.ping_timeout = 20000;
    open.max_payload = 1000000;

    len = rt_eio_open(out, sizeof(out), &open);
    tap_bytes(out, len, stock, sizeof(stock) - 1, "OPEN as the stock server");

    open.sid.data = (const uint8_t *) "abcdefghijklmnopqrstuvwxyz012345";
    open.sid.len = 32;
    open.upgrades = 0;
    open.ping_interval = UINT64_MAX;
    open.ping_timeout = UINT64_MAX;
    open.max_payload = UINT64_MAX;

    len = rt_eio_open(out, sizeof(out), &open);
    tap_bytes(out, len, longest, sizeof(longest) - 1, "the longest OPEN");
    tap_ok(len < RT_EIO_OPEN_MAX, "which is below RT_EIO_OPEN_MAX");
}


static void
eio_test_payload(size_t n)
{
    int        rc;
    char       text[256], *t;
    size_t     i, len;
    uint8_t   *p, *pos;
    rt_str_t   data;
    unsigned   binary;

    len = strlen(eio_payloads[n].in);
    p = tap_exact(eio_payloads[n].in, len);
    pos = p;
    t = text;

    while ((rc = rt_eio_next(&pos, p + len, &data, &binary)) == RT_OK) {
        t += sprintf(t, binary ? "b(" : "t(");

        for (i = 0; i < data.len; i++) {
            t += sprintf(t, binary ? "%02x" : "%c", data.data[i]);
        }

        t += sprintf(t, ")");
    }

    strcpy(t, rc == RT_AGAIN ? "" : "!");

    tap_is(text, eio_payloads[n].out, "payload %zu", n);

    if (rc == RT_AGAIN) {
        tap_ok(pos == p + len, "and all of it");
    }

    free(p);
}


/* every length around a few quanta, and every value of a byte */

static void
eio_test_binary(void)
{
    int        rc;
    size_t     i, len, wrong;
    uint8_t    bytes[256], *out, *end, *pos;
    rt_str_t   data;
    unsigned   binary;

    for (i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t) (i * 7 + 3);
    }

    wrong = 0;

    for (len = 0; len <= sizeof(bytes); len++) {
        out = malloc(rt_eio_binary_size(len));
        if (out == NULL) {
            abort();
        }

        end = rt_eio_binary(out, bytes, len);

        wrong += (size_t) (end - out) != rt_eio_binary_size(len);

        pos = out;
        rc = rt_eio_next(&pos, end, &data, &binary);

        wrong += rc != RT_OK || pos != end || !binary || data.len != len
                 || memcmp(data.data, bytes, len) != 0;

        free(out);
    }

    tap_ok(wrong == 0, "attachments of 0 to 256 bytes there and back");

    out = bytes;

    end = rt_eio_binary(out, (const uint8_t *) "\1\2\3\4", 4);
    tap_bytes(out, end - out, "bAQIDBA==", 9, "as the stock server");

    end = rt_eio_binary(out, (const uint8_t *) "\5", 1);
    tap_bytes(out, end - out, "bBQ==", 5, "one byte");

    end = rt_eio_binary(out, NULL, 0);
    tap_bytes(out, end - out, "b", 1, "none");
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(eio_cases) / sizeof(eio_case_t); i++) {
        eio_test(&eio_cases[i]);
    }

    for (i = 0; i < sizeof(eio_errors) / sizeof(eio_errors[0]); i++) {
        tap_ok((size_t) eio_errors[i].code == i, "error %zu: its number", i);
        tap_is(rt_eio_errors[i], eio_errors[i].text, "error %zu", i);
    }

    for (i = 0; i < sizeof(eio_payloads) / sizeof(eio_payloads[0]); i++) {
        eio_test_payload(i);
    }

    eio_test_binary();
    eio_test_open();

    return tap_done();
}
