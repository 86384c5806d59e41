
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Both streams are reset before each message and never hold one between two
 * calls: what one connection sent cannot be seen by the next, nor can a message
 * that was broken or too large do any harm to it.
 *
 * Inflating is done with the largest window, so no client needs to be limited,
 * and client_max_window_bits, which an offer may hold, is not answered.
 */


#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "rt_deflate.h"


/*
 * Of 1 to 9.  zlib goes through its whole hash table, here of 16 kB, at each
 * reset and each time the window slides: 8, the usual one, takes up to three
 * times as long with a small window, and saves less than 1 %.
 */

#define RT_DEFLATE_MEM_LEVEL   6

#define RT_DEFLATE_BITS_MIN    8     /* that an offer may name */
#define RT_DEFLATE_BITS_MAX    15

#define RT_DEFLATE_OUT_MIN     256   /* of the first buffer */
#define RT_DEFLATE_RATIO       4     /* of JSON, roughly */

#define RT_DEFLATE_FLUSH       16    /* over deflateBound(): the empty block */

/* of z_stream.data_type after inflate(): between two blocks */
#define RT_DEFLATE_BETWEEN     128

#define RT_DEFLATE_SEEN(i)     (1u << (i))


struct rt_deflate_s {
    z_stream         deflate;
    z_stream         inflate;
    int              window_bits;     /* of deflate */
};


/* the reader of a Sec-WebSocket-Extensions header */

typedef struct {
    const uint8_t   *p;
    const uint8_t   *last;
} rt_deflate_header_t;


/* what an offer asks for */

typedef struct {
    unsigned         acceptable:1;
    unsigned         seen;               /* RT_DEFLATE_SEEN() */
    int              server_bits;        /* 0: not named */
} rt_deflate_offer_t;


/* the bytes of a message while it is inflated; data is malloc'ed */

typedef struct {
    uint8_t         *data;
    size_t           len;
    size_t           size;
    size_t           max;
} rt_deflate_buf_t;


typedef enum {
    RT_DEFLATE_SERVER_NO_CONTEXT = 0,
    RT_DEFLATE_CLIENT_NO_CONTEXT,
    RT_DEFLATE_SERVER_BITS,
    RT_DEFLATE_CLIENT_BITS
} rt_deflate_param_e;


static int rt_deflate_offer(rt_deflate_header_t *h, rt_deflate_offer_t *offer);
static int rt_deflate_value(rt_deflate_header_t *h, rt_str_t *value);
static void rt_deflate_param(rt_deflate_offer_t *offer, const rt_str_t *name,
    const rt_str_t *value);
static int rt_deflate_bits(const rt_str_t *value);
static int rt_deflate_token(rt_deflate_header_t *h, rt_str_t *token);
static int rt_deflate_is_tchar(uint8_t c);
static void rt_deflate_skip(rt_deflate_header_t *h);
static int rt_deflate_take(rt_deflate_header_t *h, uint8_t c);
static int rt_deflate_is(const rt_str_t *s, const char *text);
static int rt_deflate_feed(z_stream *z, const uint8_t *p, size_t len,
    rt_deflate_buf_t *b);
static int rt_deflate_grow(rt_deflate_buf_t *b, size_t size);


static const char  rt_deflate_name[] = "permessage-deflate";

static const char *const  rt_deflate_params[] = {
    "server_no_context_takeover",
    "client_no_context_takeover",
    "server_max_window_bits",
    "client_max_window_bits"
};

#define RT_DEFLATE_PARAMS                                                     \
    (sizeof(rt_deflate_params) / sizeof(rt_deflate_params[0]))


/* what Z_SYNC_FLUSH ends with; it is not sent: RFC 7692, 7.2.1 */

static const uint8_t  rt_deflate_tail[] = { 0x00, 0x00, 0xff, 0xff };


rt_deflate_t *
rt_deflate_create(int level, int window_bits)
{
    rt_deflate_t  *d;

    d = calloc(1, sizeof(rt_deflate_t));
    if (d == NULL) {
        return NULL;
    }

    d->window_bits = window_bits;

    if (deflateInit2(&d->deflate, level, Z_DEFLATED, -window_bits,
                     RT_DEFLATE_MEM_LEVEL, Z_DEFAULT_STRATEGY)
        != Z_OK)
    {
        free(d);
        return NULL;
    }

    if (inflateInit2(&d->inflate, -RT_DEFLATE_BITS_MAX) != Z_OK) {
        deflateEnd(&d->deflate);
        free(d);
        return NULL;
    }

    return d;
}


void
rt_deflate_destroy(rt_deflate_t *d)
{
    deflateEnd(&d->deflate);
    inflateEnd(&d->inflate);
    free(d);
}


/*
 * RFC 7692, section 7.1.  An offer that cannot be met is passed over for the
 * next one; so is one that is not well-formed in the sense of that section,
 * but a header that is not one of RFC 6455, 9.1, is an error, even behind an
 * offer that could be met.
 */

int
rt_deflate_accept(const rt_deflate_t *d, const uint8_t *p, size_t len,
    uint8_t *out, size_t *out_len)
{
    int                  n, found, server_bits;
    rt_deflate_offer_t   offer;
    rt_deflate_header_t  h;

    h.p = p;
    h.last = p + len;

    found = 0;
    server_bits = 0;

    do {
        rt_deflate_skip(&h);

        /* lists may have empty elements: RFC 9110, 5.6.1 */

        if (h.p == h.last || *h.p == ',') {
            continue;
        }

        if (rt_deflate_offer(&h, &offer) != RT_OK) {
            return RT_ERROR;
        }

        if (!found && offer.acceptable
            && (offer.server_bits == 0 || offer.server_bits >= d->window_bits))
        {
            found = 1;
            server_bits = offer.server_bits;
        }

    } while (rt_deflate_take(&h, ','));

    if (h.p != h.last) {
        return RT_ERROR;
    }

    if (!found) {
        return RT_AGAIN;
    }

    n = sprintf((char *) out, "%s; %s; %s", rt_deflate_name,
                rt_deflate_params[RT_DEFLATE_SERVER_NO_CONTEXT],
                rt_deflate_params[RT_DEFLATE_CLIENT_NO_CONTEXT]);

    if (server_bits) {
        n += sprintf((char *) out + n, "; %s=%d",
                     rt_deflate_params[RT_DEFLATE_SERVER_BITS],
                     d->window_bits);
    }

    *out_len = (size_t) n;

    return RT_OK;
}


/* one element of the list, up to the comma: RT_OK or RT_ERROR */

static int
rt_deflate_offer(rt_deflate_header_t *h, rt_deflate_offer_t *offer)
{
    rt_str_t  name, value;

    memset(offer, 0, sizeof(rt_deflate_offer_t));

    if (rt_deflate_token(h, &name) != RT_OK) {
        return RT_ERROR;
    }

    offer->acceptable = rt_deflate_is(&name, rt_deflate_name) ? 1 : 0;

    for ( ;; ) {
        rt_deflate_skip(h);

        if (!rt_deflate_take(h, ';')) {
            return RT_OK;
        }

        rt_deflate_skip(h);

        if (rt_deflate_token(h, &name) != RT_OK
            || rt_deflate_value(h, &value) != RT_OK)
        {
            return RT_ERROR;
        }

        rt_deflate_param(offer, &name, &value);
    }
}


/*
 * "=" and a token, quoted or not; value->data is NULL if there is none.  A
 * backslash stays where it is, since no value that we know has one.
 */

static int
rt_deflate_value(rt_deflate_header_t *h, rt_str_t *value)
{
    value->len = 0;
    value->data = NULL;

    if (!rt_deflate_take(h, '=')) {
        return RT_OK;
    }

    if (!rt_deflate_take(h, '"')) {
        return rt_deflate_token(h, value);
    }

    value->data = h->p;

    do {
        (void) rt_deflate_take(h, '\\');

        if (h->p == h->last || !rt_deflate_is_tchar(*h->p)) {
            return RT_ERROR;
        }

        h->p++;

    } while (!rt_deflate_take(h, '"'));

    value->len = (size_t) (h->p - 1 - value->data);

    return RT_OK;
}


static void
rt_deflate_param(rt_deflate_offer_t *offer, const rt_str_t *name,
    const rt_str_t *value)
{
    int     bits;
    size_t  i;

    for (i = 0; i < RT_DEFLATE_PARAMS; i++) {
        if (rt_deflate_is(name, rt_deflate_params[i])) {
            break;
        }
    }

    if (i == RT_DEFLATE_PARAMS || (offer->seen & RT_DEFLATE_SEEN(i))) {
        offer->acceptable = 0;
        return;
    }

    offer->seen |= RT_DEFLATE_SEEN(i);

    switch (i) {

    case RT_DEFLATE_SERVER_NO_CONTEXT:
    case RT_DEFLATE_CLIENT_NO_CONTEXT:

        if (value->data) {
            offer->acceptable = 0;
        }

        return;

    case RT_DEFLATE_CLIENT_BITS:

        if (value->data == NULL) {
            return;             /* only says that the client knows it */
        }

        break;
    }

    bits = value->data ? rt_deflate_bits(value) : 0;

    if (bits == 0) {
        offer->acceptable = 0;
        return;
    }

    if (i == RT_DEFLATE_SERVER_BITS) {
        offer->server_bits = bits;
    }
}


/* decimal, without leading zeroes; 0: none from 8 to 15 */

static int
rt_deflate_bits(const rt_str_t *value)
{
    int     bits;
    size_t  i;

    if (value->len > 2 || value->data[0] == '0') {
        return 0;
    }

    bits = 0;

    for (i = 0; i < value->len; i++) {

        if (value->data[i] < '0' || value->data[i] > '9') {
            return 0;
        }

        bits = bits * 10 + (value->data[i] - '0');
    }

    return (bits >= RT_DEFLATE_BITS_MIN && bits <= RT_DEFLATE_BITS_MAX)
           ? bits : 0;
}


/* at least one character, or RT_ERROR */

static int
rt_deflate_token(rt_deflate_header_t *h, rt_str_t *token)
{
    token->data = h->p;

    while (h->p < h->last && rt_deflate_is_tchar(*h->p)) {
        h->p++;
    }

    token->len = (size_t) (h->p - token->data);

    return token->len ? RT_OK : RT_ERROR;
}


/* RFC 9110, 5.6.2 */

static int
rt_deflate_is_tchar(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9')
           || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}


static void
rt_deflate_skip(rt_deflate_header_t *h)
{
    while (h->p < h->last && (*h->p == ' ' || *h->p == '\t')) {
        h->p++;
    }
}


static int
rt_deflate_take(rt_deflate_header_t *h, uint8_t c)
{
    if (h->p == h->last || *h->p != c) {
        return 0;
    }

    h->p++;

    return 1;
}


static int
rt_deflate_is(const rt_str_t *s, const char *text)
{
    return s->len == strlen(text) && memcmp(s->data, text, s->len) == 0;
}


size_t
rt_deflate_bound(rt_deflate_t *d, size_t len)
{
    return deflateBound(&d->deflate, len) + RT_DEFLATE_FLUSH;
}


size_t
rt_deflate_compress(rt_deflate_t *d, uint8_t *out, size_t size,
    const uint8_t *p, size_t len)
{
    size_t     n;
    z_stream  *z;

    z = &d->deflate;

    if (len > UINT_MAX || deflateReset(z) != Z_OK) {
        return 0;
    }

    z->next_in = (Bytef *) p;          /* zlib only reads it */
    z->avail_in = (uInt) len;
    z->next_out = out;
    z->avail_out = (uInt) (size < UINT_MAX ? size : UINT_MAX);

    n = z->avail_out;

    /* a buffer that is full may not hold all that was flushed */

    if (deflate(z, Z_SYNC_FLUSH) != Z_OK || z->avail_out == 0) {
        return 0;
    }

    return n - z->avail_out - sizeof(rt_deflate_tail);
}


/*
 * A message may hold final blocks, RFC 7692, 7.2.3.4: what follows one is
 * inflated as a stream of its own.  If nothing does, the message ends there,
 * and the tail would be a stream that is cut off.  Some send no byte at all
 * for an empty message.
 */

int
rt_deflate_inflate(rt_deflate_t *d, const uint8_t *p, size_t len, size_t max,
    uint8_t **out, size_t *out_len)
{
    int                rc;
    size_t             size;
    z_stream          *z;
    rt_deflate_buf_t   b;

    z = &d->inflate;

    if (len > INT_MAX || inflateReset(z) != Z_OK) {
        return RT_AGAIN;
    }

    /* INT_MAX: twice the size of the buffer can still be counted by zlib */

    memset(&b, 0, sizeof(rt_deflate_buf_t));
    b.max = (max < INT_MAX) ? max : INT_MAX - 1;

    size = (len < b.max / RT_DEFLATE_RATIO) ? len * RT_DEFLATE_RATIO : b.max;
    size = (size < RT_DEFLATE_OUT_MIN) ? RT_DEFLATE_OUT_MIN : size;

    if (rt_deflate_grow(&b, size) != RT_OK) {
        return RT_AGAIN;
    }

    rc = len ? rt_deflate_feed(z, p, len, &b) : Z_STREAM_END;

    if (rc == Z_OK) {
        rc = rt_deflate_feed(z, rt_deflate_tail, sizeof(rt_deflate_tail), &b);

        if (rc == Z_OK && !(z->data_type & RT_DEFLATE_BETWEEN)) {
            rc = Z_DATA_ERROR;              /* cut off inside a block */
        }
    }

    if (rc != Z_OK && rc != Z_STREAM_END) {
        free(b.data);
        return (rc == Z_MEM_ERROR) ? RT_AGAIN : RT_ERROR;
    }

    *out = b.data;
    *out_len = b.len;

    return RT_OK;
}


/*
 * All of p: Z_OK, more may follow; Z_STREAM_END, it ended with a final block;
 * Z_MEM_ERROR, also if it is over max; another error of zlib.
 */

static int
rt_deflate_feed(z_stream *z, const uint8_t *p, size_t len, rt_deflate_buf_t *b)
{
    int   rc;
    uInt  n;

    z->next_in = (Bytef *) p;
    z->avail_in = (uInt) len;

    for ( ;; ) {

        if (b->len == b->size && rt_deflate_grow(b, b->size * 2) != RT_OK) {
            return Z_MEM_ERROR;
        }

        n = (uInt) (b->size - b->len);

        z->next_out = b->data + b->len;
        z->avail_out = n;

        rc = inflate(z, Z_SYNC_FLUSH);

        b->len += n - z->avail_out;

        if (b->len > b->max) {
            return Z_MEM_ERROR;
        }

        if (rc == Z_STREAM_END && z->avail_in) {
            rc = inflateReset(z);

            if (rc == Z_OK) {
                continue;
            }
        }

        /* Z_BUF_ERROR: the buffer was full by chance, nothing was held back */

        if (rc == Z_BUF_ERROR) {
            rc = Z_OK;
        }

        /*
         * A full buffer: there may be more, but not between two blocks, which
         * must not be asked about twice: data_type tells it only once.
         */

        if (rc != Z_OK || z->avail_out
            || (z->data_type & RT_DEFLATE_BETWEEN))
        {
            return rc;
        }
    }
}


/* a byte over max is enough to see that it is exceeded */

static int
rt_deflate_grow(rt_deflate_buf_t *b, size_t size)
{
    uint8_t  *p;

    if (size > b->max + 1) {
        size = b->max + 1;
    }

    p = realloc(b->data, size);
    if (p == NULL) {
        return RT_ERROR;
    }

    b->data = p;
    b->size = size;

    return RT_OK;
}
