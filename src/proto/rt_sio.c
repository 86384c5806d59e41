
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
 *
 * an ack id that a double cannot hold, and what the bounds of rt_sio.h name.
 */


#include "rt_sio.h"


#define RT_SIO_ID_MAX  ((UINT64_C(1) << 53) - 1)

#define rt_sio_is_digit(p, last)                                              \
    ((p) < (last) && *(p) >= '0' && *(p) <= '9')

#define rt_sio_is_space(c)  ((c) == ' ' || ((c) >= '\t' && (c) <= '\r'))

#define rt_sio_string(s)  { sizeof(s) - 1, (const uint8_t *) s }


static const uint8_t *rt_sio_number(const uint8_t *p, const uint8_t *last,
    uint64_t max, uint64_t *value);
static int rt_sio_is_reserved(const json_t *name);
static uint8_t *rt_sio_decimal(uint8_t *p, uint64_t n);
static int rt_sio_is_index(const json_t *num, unsigned attachments);


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
rt_sio_check(const rt_sio_packet_t *pkt, const json_t *payload,
    const char **why)
{
    json_t  *name;

    *why = "invalid payload";

    switch (pkt->type) {

    case RT_SIO_CONNECT:
        return (payload == NULL || json_is_object(payload)) ? RT_OK : RT_ERROR;

    case RT_SIO_DISCONNECT:
        return (payload == NULL) ? RT_OK : RT_ERROR;

    case RT_SIO_CONNECT_ERROR:
        return (json_is_string(payload) || json_is_object(payload))
               ? RT_OK : RT_ERROR;

    case RT_SIO_ACK:
    case RT_SIO_BINARY_ACK:
        return json_is_array(payload) ? RT_OK : RT_ERROR;

    default: /* RT_SIO_EVENT, RT_SIO_BINARY_EVENT */

        name = json_array_get(payload, 0);

        if (json_is_number(name)) {
            return RT_OK;
        }

        if (!json_is_string(name)) {
            return RT_ERROR;
        }

        if (rt_sio_is_reserved(name)) {
            *why = "reserved event name";
            return RT_ERROR;
        }

        return RT_OK;
    }
}


static int
rt_sio_is_reserved(const json_t *name)
{
    size_t       i, len;
    const char  *s;

    s = json_string_value(name);
    len = json_string_length(name);

    for (i = 0; i < sizeof(rt_sio_reserved) / sizeof(rt_str_t); i++) {

        if (len == rt_sio_reserved[i].len
            && memcmp(s, rt_sio_reserved[i].data, len) == 0)
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


/* no deeper than RT_JSON_DEPTH, whose parser made the value */

int
rt_sio_placeholders(const json_t *payload, unsigned attachments,
    const char **why)
{
    void          *iter;
    size_t         i;
    json_t        *object;
    const json_t  *num;

    if (json_is_array(payload)) {

        for (i = 0; i < json_array_size(payload); i++) {

            if (rt_sio_placeholders(json_array_get(payload, i), attachments,
                                    why)
                != RT_OK)
            {
                return RT_ERROR;
            }
        }

        return RT_OK;
    }

    if (!json_is_object(payload)) {
        return RT_OK;
    }

    /* what else a placeholder holds vanishes with it, unseen */

    if (json_is_true(json_object_get(payload, "_placeholder"))) {
        num = json_object_get(payload, "num");

        if (!rt_sio_is_index(num, attachments)) {
            *why = "illegal attachments";
            return RT_ERROR;
        }

        return RT_OK;
    }

    /* jansson takes no const object for an iterator, though it reads only */

    object = (json_t *) payload;
    iter = json_object_iter(object);

    while (iter) {

        if (rt_sio_placeholders(json_object_iter_value(iter), attachments, why)
            != RT_OK)
        {
            return RT_ERROR;
        }

        iter = json_object_iter_next(object, iter);
    }

    return RT_OK;
}


static int
rt_sio_is_index(const json_t *num, unsigned attachments)
{
    double  n;

    if (!json_is_number(num)) {
        return 0;
    }

    n = json_number_value(num);

    return n >= 0 && n < attachments && n == (double) (unsigned) n;
}
