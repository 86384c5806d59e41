
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Payloads are split as engine.io-parser 5 does it.  Base64 is not read as in
 * Node.js, where Buffer.from() skips whatever is none and never fails.  Taken
 * is the alphabet of RFC 4648, section 4, with its padding or without any;
 * refused are other characters (white space and "-_" among them), padding of a
 * wrong length, and a length that no bytes have.  Bits left over are ignored.
 */


#include <inttypes.h>
#include <stdio.h>

#include "rt_eio.h"


#define RT_EIO_IS_DIGIT64  0x40     /* in rt_eio_digits[]: not a foreign one */


static uint8_t *rt_eio_decode(uint8_t *p, uint8_t *last);


const char *const rt_eio_errors[] = {
    "Transport unknown",
    "Session ID unknown",
    "Bad handshake method",
    "Bad request",
    "Forbidden",
    "Unsupported protocol version"
};


static const char  rt_eio_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* the index in the alphabet, and RT_EIO_IS_DIGIT64 */

static const uint8_t  rt_eio_digits[256] = {
    ['A'] =
    0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b,
    0x4c, 0x4d, 0x4e, 0x4f, 0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57,
    0x58, 0x59,
    ['a'] =
    0x5a, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f, 0x60, 0x61, 0x62, 0x63, 0x64, 0x65,
    0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70, 0x71,
    0x72, 0x73,
    ['0'] =
    0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x7b, 0x7c, 0x7d,
    ['+'] = 0x7e,
    ['/'] = 0x7f
};


int
rt_eio_parse(rt_eio_packet_t *pkt, const uint8_t *p, size_t len)
{
    if (len == 0 || p[0] < RT_EIO_OPEN || p[0] > RT_EIO_NOOP) {
        return RT_ERROR;
    }

    pkt->type = p[0];
    pkt->data.data = p + 1;
    pkt->data.len = len - 1;

    return RT_OK;
}


size_t
rt_eio_open(uint8_t *out, size_t size, const rt_eio_open_t *open)
{
    int  n;

    n = snprintf((char *) out, size,
                 "%c{\"sid\":\"%.*s\",\"upgrades\":[%s],"
                 "\"pingInterval\":%" PRIu64 ",\"pingTimeout\":%" PRIu64 ","
                 "\"maxPayload\":%" PRIu64 "}",
                 RT_EIO_OPEN, (int) open->sid.len,
                 (const char *) open->sid.data,
                 open->upgrades ? "\"websocket\"" : "",
                 open->ping_interval, open->ping_timeout, open->max_payload);

    return (size_t) n;
}


int
rt_eio_next(uint8_t **pos, uint8_t *last, rt_str_t *data, unsigned *binary)
{
    uint8_t  *p, *end, *next;

    p = *pos;

    if (p == last) {
        return RT_AGAIN;
    }

    end = memchr(p, RT_EIO_SEPARATOR, (size_t) (last - p));

    if (end == NULL) {
        end = last;
        next = last;

    } else if (end + 1 == last) {
        next = end;         /* stays, for the next call to see an empty one */

    } else {
        next = end + 1;
    }

    if (p == end) {
        return RT_ERROR;
    }

    *binary = (*p == RT_EIO_BASE64);

    if (*binary) {
        end = rt_eio_decode(++p, end);

        if (end == NULL) {
            return RT_ERROR;
        }
    }

    data->data = p;
    data->len = (size_t) (end - p);

    *pos = next;

    return RT_OK;
}


/* in place; returns where the bytes end, NULL if it is not base64 */

static uint8_t *
rt_eio_decode(uint8_t *p, uint8_t *last)
{
    size_t    n;
    uint8_t   a, b, c, d, *out;

    if (p < last && (last - p) % 4 == 0 && last[-1] == '=') {
        last -= (last[-2] == '=') ? 2 : 1;
    }

    out = p;

    for (n = (size_t) (last - p); n >= 4; n -= 4, p += 4) {
        a = rt_eio_digits[p[0]];
        b = rt_eio_digits[p[1]];
        c = rt_eio_digits[p[2]];
        d = rt_eio_digits[p[3]];

        if (!(a & b & c & d & RT_EIO_IS_DIGIT64)) {
            return NULL;
        }

        *out++ = (uint8_t) (a << 2 | (b >> 4 & 0x03));
        *out++ = (uint8_t) (b << 4 | (c >> 2 & 0x0f));
        *out++ = (uint8_t) (c << 6 | (d & 0x3f));
    }

    if (n == 0) {
        return out;
    }

    /* 1 is no length; the third of 2 does not count */

    a = rt_eio_digits[p[0]];
    b = (n > 1) ? rt_eio_digits[p[1]] : 0;
    c = (n > 2) ? rt_eio_digits[p[2]] : RT_EIO_IS_DIGIT64;

    if (!(a & b & c & RT_EIO_IS_DIGIT64)) {
        return NULL;
    }

    *out++ = (uint8_t) (a << 2 | (b >> 4 & 0x03));

    if (n == 3) {
        *out++ = (uint8_t) (b << 4 | (c >> 2 & 0x0f));
    }

    return out;
}


uint8_t *
rt_eio_binary(uint8_t *out, const uint8_t *p, size_t len)
{
    uint32_t  n;

    *out++ = RT_EIO_BASE64;

    for ( /* void */ ; len >= 3; len -= 3, p += 3) {
        n = (uint32_t) p[0] << 16 | (uint32_t) p[1] << 8 | p[2];

        *out++ = (uint8_t) rt_eio_alphabet[n >> 18];
        *out++ = (uint8_t) rt_eio_alphabet[n >> 12 & 0x3f];
        *out++ = (uint8_t) rt_eio_alphabet[n >> 6 & 0x3f];
        *out++ = (uint8_t) rt_eio_alphabet[n & 0x3f];
    }

    if (len) {
        n = (uint32_t) p[0] << 16 | (len == 2 ? (uint32_t) p[1] << 8 : 0);

        *out++ = (uint8_t) rt_eio_alphabet[n >> 18];
        *out++ = (uint8_t) rt_eio_alphabet[n >> 12 & 0x3f];
        *out++ = (len == 2) ? (uint8_t) rt_eio_alphabet[n >> 6 & 0x3f] : '=';
        *out++ = '=';
    }

    return out;
}
