
/*
 * Copyright (C) ngx_realtime contributors
 */

/* Engine.IO packets and the bytes of OPEN. */

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

    eio_test_open();

    return tap_done();
}
