
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Follows decodeString() and isPayloadValid() of socket.io-parser 4.2.4, except
 * that these are refused, which no client sends:
 *
 *   2 ["a"]    white space where a digit may stand is a 0 there: Number(" ")
 *   5-, 51e0-  so are other spellings of a number in the attachment count
 *   50-["a"]   4.2.4 waits for ever for the attachments; 4.2.7 refuses too
 *   2, 311, 4  EVENT, ACK and CONNECT_ERROR without a payload
 *   num: 0.5   an attachment is replaced by undefined there
 *   num: 0.0   so are -0, 1e0 and other spellings of an integer
 *
 * an ack id that a double cannot hold, and what the bounds of rt_sio.h name.
 */


#include <limits.h>

#include "rt_json_scan.h"
#include "rt_sio.h"


#define RT_SIO_ID_MAX  ((UINT64_C(1) << 53) - 1)

#define rt_sio_is_digit(p, last)                                              \
    ((p) < (last) && *(p) >= '0' && *(p) <= '9')

#define rt_sio_is_space(c)  ((c) == ' ' || ((c) >= '\t' && (c) <= '\r'))

#define rt_sio_string(s)  { sizeof(s) - 1, (const uint8_t *) s }


/* an object or array that is open: what is known of it so far */

typedef struct {
    unsigned   placeholder:1;   /* "_placeholder" is true */
    unsigned   index:1;         /* "num" is that of an attachment */
    unsigned   bad:1;           /* a placeholder inside is wrong */
} rt_sio_open_t;


static const uint8_t *rt_sio_number(const uint8_t *p, const uint8_t *last,
    uint64_t max, uint64_t *value);
static rt_str_t rt_sio_name(uint8_t *p, size_t len);
static int rt_sio_is_plain(rt_str_t name);
static int rt_sio_is_reserved(rt_str_t name);
static uint8_t *rt_sio_decimal(uint8_t *p, uint64_t n);
static unsigned rt_sio_is_bad(const rt_sio_open_t *open);
static const uint8_t *rt_sio_member(rt_sio_open_t *open, const uint8_t *p,
    const uint8_t *last, unsigned attachments);
static unsigned rt_sio_is_index(const uint8_t *p, const uint8_t *last,
    unsigned attachments);


static const rt_sio_open_t  rt_sio_nothing = { 0, 0, 0 };


/* names that a client library uses for events of its own */

static const rt_str_t  rt_sio_reserved[] = {
    rt_sio_string("connect"),
    rt_sio_string("connect_error"),
    rt_sio_string("disconnect"),
    rt_sio_string("disconnecting"),
    rt_sio_string("newListener"),
    rt_sio_string("removeListener")
};


int
rt_sio_parse(rt_sio_packet_t *pkt, const uint8_t *p, size_t len,
    const char **why)
{
    uint64_t        n;
    const uint8_t  *last, *end;

    memset(pkt, 0, sizeof(rt_sio_packet_t));

    last = p + len;

    if (len == 0 || *p < RT_SIO_CONNECT || *p > RT_SIO_BINARY_ACK) {
        *why = "unknown packet type";
        return RT_ERROR;
    }

    pkt->type = *p++;

    if (pkt->type == RT_SIO_BINARY_EVENT || pkt->type == RT_SIO_BINARY_ACK) {

        if (!rt_sio_is_digit(p, last)) {
            *why = "illegal attachments";
            return RT_ERROR;
        }

        p = rt_sio_number(p, last, RT_SIO_ATTACHMENTS, &n);

        if (p == NULL) {
            *why = "too many attachments";
            return RT_ERROR;
        }

        if (n == 0 || p == last || *p++ != '-') {
            *why = "illegal attachments";
            return RT_ERROR;
        }

        pkt->attachments = (uint8_t) n;
    }

    pkt->nsp.data = (const uint8_t *) "/";
    pkt->nsp.len = 1;

    if (p < last && *p == '/') {
        end = memchr(p, ',', (size_t) (last - p));

        pkt->nsp.data = p;
        pkt->nsp.len = (size_t) ((end ? end : last) - p);

        if (pkt->nsp.len > RT_SIO_NSP_MAX) {
            *why = "namespace too long";
            return RT_ERROR;
        }

        p = end ? end + 1 : last;
    }

    if (rt_sio_is_digit(p, last)) {
        p = rt_sio_number(p, last, RT_SIO_ID_MAX, &pkt->id);

        if (p == NULL) {
            *why = "ack id too large";
            return RT_ERROR;
        }

        pkt->has_id = 1;
    }

    if (p < last && rt_sio_is_space(*p)) {
        *why = "white space before the payload";
        return RT_ERROR;
    }

    pkt->json.data = p;
    pkt->json.len = (size_t) (last - p);

    return RT_OK;
}


/* digits from p on: returns what follows them, NULL if over max */

static const uint8_t *
rt_sio_number(const uint8_t *p, const uint8_t *last, uint64_t max,
    uint64_t *value)
{
    uint64_t  n;

    for (n = 0; rt_sio_is_digit(p, last); p++) {
        n = n * 10 + (uint64_t) (*p - '0');

        if (n > max) {
            return NULL;
        }
    }

    *value = n;

    return p;
}


int
rt_sio_check(const rt_sio_packet_t *pkt, rt_str_t *name, const char **why)
{
    uint8_t   type;
    rt_str_t  payload, item;

    *why = "invalid payload";

    name->data = NULL;
    name->len = 0;

    payload = pkt->json;

    if (payload.len) {
        payload = rt_json_trim(payload.data, payload.len);
    }

    type = rt_json_type(payload);

    switch (pkt->type) {

    case RT_SIO_CONNECT:
        return (type == 0 || type == '{') ? RT_OK : RT_ERROR;

    case RT_SIO_DISCONNECT:
        return (type == 0) ? RT_OK : RT_ERROR;

    case RT_SIO_CONNECT_ERROR:
        return (type == '"' || type == '{') ? RT_OK : RT_ERROR;

    case RT_SIO_ACK:
    case RT_SIO_BINARY_ACK:
        return (type == '[') ? RT_OK : RT_ERROR;

    default: /* RT_SIO_EVENT, RT_SIO_BINARY_EVENT */

        if (rt_json_first(payload, &item, 1) == 0) {
            return RT_ERROR;
        }

        type = rt_json_type(item);

        if (type == '0') {
            return RT_OK;
        }

        if (type != '"') {
            return RT_ERROR;
        }

        *name = rt_sio_name((uint8_t *) item.data, item.len);

        if (rt_sio_is_reserved(*name)) {
            *why = "reserved event name";
            return RT_ERROR;
        }

        return RT_OK;
    }
}


/* p: a string, with its quotes; what unescaping leaves over becomes space */

static rt_str_t
rt_sio_name(uint8_t *p, size_t len)
{
    uint8_t   *end;
    rt_str_t   name;

    name.data = p + 1;
    name.len = len - 2;

    if (rt_sio_is_plain(name) && rt_json_string(p, len, &name) == RT_OK) {
        end = p + 1 + name.len;
        *end++ = '"';
        memset(end, ' ', (size_t) (p + len - end));
    }

    return name;
}


/* whether the name, unescaped, can stand between quotes as it is */

static int
rt_sio_is_plain(rt_str_t name)
{
    uint8_t         utf8[RT_JSON_UTF8_MAX];
    const uint8_t  *p, *last;

    p = name.data;
    last = p + name.len;

    while (p < last && (p = memchr(p, '\\', (size_t) (last - p))) != NULL) {

        if (rt_json_unescape(&p, last, utf8) == 0
            || utf8[0] < 0x20 || utf8[0] == '"' || utf8[0] == '\\')
        {
            return 0;
        }
    }

    return 1;
}


static int
rt_sio_is_reserved(rt_str_t name)
{
    size_t  i;

    for (i = 0; i < sizeof(rt_sio_reserved) / sizeof(rt_str_t); i++) {

        if (name.len == rt_sio_reserved[i].len
            && memcmp(name.data, rt_sio_reserved[i].data, name.len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


size_t
rt_sio_header(uint8_t *out, uint8_t type, rt_str_t nsp, unsigned has_id,
    uint64_t id)
{
    return rt_sio_binary_header(out, type, 0, nsp, has_id, id);
}


size_t
rt_sio_binary_header(uint8_t *out, uint8_t type, unsigned attachments,
    rt_str_t nsp, unsigned has_id, uint64_t id)
{
    uint8_t  *p;

    p = out;

    *p++ = type;

    if (attachments) {
        p = rt_sio_decimal(p, attachments);
        *p++ = '-';
    }

    if (nsp.len != 1 || nsp.data[0] != '/') {
        memcpy(p, nsp.data, nsp.len);
        p += nsp.len;
        *p++ = ',';
    }

    if (has_id) {
        p = rt_sio_decimal(p, id);
    }

    return (size_t) (p - out);
}


static uint8_t *
rt_sio_decimal(uint8_t *p, uint64_t n)
{
    size_t   i;
    uint8_t  digits[20];

    i = sizeof(digits);

    do {
        digits[--i] = (uint8_t) ('0' + n % 10);
        n /= 10;
    } while (n);

    memcpy(p, digits + i, sizeof(digits) - i);

    return p + sizeof(digits) - i;
}


/*
 * In one pass, whatever the depth: what is wrong inside an object is kept until
 * it is known whether that is a placeholder, whose other members vanish with
 * it, unseen.
 */

int
rt_sio_placeholders(rt_str_t json, unsigned attachments, const char **why)
{
    unsigned        depth;
    const uint8_t  *p, *last;
    rt_sio_open_t   open[RT_JSON_DEPTH + 1];

    *why = "illegal attachments";

    p = json.data;
    last = p + json.len;
    depth = 0;
    open[0] = rt_sio_nothing;

    while (p < last) {

        switch (*p) {

        case '"':
            p = rt_sio_member(&open[depth], p, last, attachments);

            if (p == NULL) {
                return RT_ERROR;
            }

            continue;

        case '{':
        case '[':
            if (depth == RT_JSON_DEPTH) {
                return RT_ERROR;
            }

            open[++depth] = rt_sio_nothing;
            break;

        case '}':
        case ']':
            if (depth == 0) {
                return RT_ERROR;
            }

            depth--;
            open[depth].bad |= rt_sio_is_bad(&open[depth + 1]);
            break;
        }

        p++;
    }

    return open[0].bad ? RT_ERROR : RT_OK;
}


static unsigned
rt_sio_is_bad(const rt_sio_open_t *open)
{
    return open->placeholder ? !open->index : open->bad;
}


/* a string, and if it is a name, up to the value; the last of a name counts */

static const uint8_t *
rt_sio_member(rt_sio_open_t *open, const uint8_t *p, const uint8_t *last,
    unsigned attachments)
{
    const uint8_t  *name, *name_end;

    name = p + 1;
    p = rt_json_string_end(p, last);

    if (p == NULL) {
        return NULL;
    }

    name_end = p - 1;
    p = rt_json_skip_space(p, last);

    if (p == last || *p != ':') {
        return p;
    }

    p = rt_json_skip_space(p + 1, last);

    if (rt_json_same_name(name, name_end, "_placeholder")) {
        open->placeholder = (p < last && *p == 't');

    } else if (rt_json_same_name(name, name_end, "num")) {
        open->index = rt_sio_is_index(p, last, attachments);
    }

    return p;
}


/* the number at p, if it is one, is not over until a fraction or exponent is */

static unsigned
rt_sio_is_index(const uint8_t *p, const uint8_t *last, unsigned attachments)
{
    uint64_t  n;

    if (!rt_sio_is_digit(p, last)) {
        return 0;
    }

    p = rt_sio_number(p, last, UINT_MAX, &n);

    return p && n < attachments
           && (p == last || (*p != '.' && *p != 'e' && *p != 'E'));
}
