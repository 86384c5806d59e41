
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Packets with attachments, as they come over a WebSocket: texts and bytes in
 * any order.  A packet waits, copied, for its attachments, as in a session
 * (ngx_realtime_socket.c); anything else of Socket.IO in between ends it, and
 * so do bytes that nobody announced.  What is whole is sent on as an echo
 * does it, and is received again: both times every placeholder must find its
 * attachment, and the two trees must be the same.
 *
 * The input: frames, each of a byte (odd: an attachment), two of the length,
 * and as many bytes, or the rest.
 */

#include "fuzz.h"
#include "rt_json.h"
#include "rt_sio.h"


#define FUZZ_MAX  2048      /* of all attachments of a packet */


typedef struct {
    uint8_t    *packet;     /* malloc'ed, while attachments are missing */
    size_t      len;
    unsigned    expected;
    unsigned    n;
    size_t      bytes;
    rt_str_t    attachments[RT_SIO_ATTACHMENTS];    /* malloc'ed */
} fuzz_receiver_t;


static uint8_t *
fuzz_copy(const uint8_t *p, size_t len)
{
    uint8_t  *copy;

    copy = malloc(len + !len);
    fuzz_assert(copy);

    if (len) {
        memcpy(copy, p, len);
    }

    return copy;
}


static void
fuzz_forget(fuzz_receiver_t *r)
{
    while (r->n) {
        free((uint8_t *) r->attachments[--r->n].data);
    }

    free(r->packet);
    memset(r, 0, sizeof(fuzz_receiver_t));
}


/* RT_AGAIN: attachments are missing; RT_OK: the packet is whole */

static int
fuzz_receive(fuzz_receiver_t *r, unsigned binary, const uint8_t *p, size_t len)
{
    const char       *why;
    rt_sio_packet_t   pkt;

    if (!binary) {

        if (r->packet || rt_sio_parse(&pkt, p, len, &why) != RT_OK) {
            return RT_ERROR;
        }

        fuzz_assert(pkt.attachments <= RT_SIO_ATTACHMENTS);

        r->packet = fuzz_copy(p, len);
        r->len = len;
        r->expected = pkt.attachments;

        return r->expected ? RT_AGAIN : RT_OK;
    }

    if (r->packet == NULL || r->bytes + len > FUZZ_MAX) {
        return RT_ERROR;
    }

    fuzz_assert(r->n < r->expected);

    r->attachments[r->n].data = fuzz_copy(p, len);
    r->attachments[r->n].len = len;
    r->bytes += len;
    r->n++;

    return (r->n < r->expected) ? RT_AGAIN : RT_OK;
}


/* what a session checks before the application sees it */

static int
fuzz_whole(const fuzz_receiver_t *r, rt_sio_packet_t *pkt)
{
    rt_str_t     name;
    const char  *why;

    fuzz_assert(rt_sio_parse(pkt, r->packet, r->len, &why) == RT_OK);
    fuzz_assert(pkt->attachments == r->n);

    if (rt_json_check(pkt->json.data, pkt->json.len) != RT_OK
        || rt_sio_check(pkt, &name, &why) != RT_OK)
    {
        return RT_ERROR;
    }

    return rt_sio_placeholders(pkt->json, r->n, &why);
}


/* the attachment as a text, which no packet has in this form */

static json_t *
fuzz_bytes(const rt_str_t *bytes)
{
    char    *hex;
    size_t   i;
    json_t  *value;

    hex = malloc(2 * bytes->len + 2);
    fuzz_assert(hex);

    hex[0] = '\0';

    for (i = 0; i < bytes->len; i++) {
        snprintf(hex + 1 + 2 * i, 3, "%02x", bytes->data[i]);
    }

    value = json_stringn(hex, 1 + 2 * bytes->len);
    free(hex);

    fuzz_assert(value);

    return value;
}


/* the value with its attachments in their places; takes and gives a reference */

static json_t *
fuzz_put(json_t *value, const fuzz_receiver_t *r)
{
    double       num;
    size_t       i;
    json_t      *item;
    const char  *key;

    if (json_is_true(json_object_get(value, "_placeholder"))) {
        item = json_object_get(value, "num");
        fuzz_assert(json_is_number(item));

        num = json_number_value(item);
        fuzz_assert(num >= 0 && num < r->n);
        fuzz_assert((double) (unsigned) num == num);

        json_decref(value);

        return fuzz_bytes(&r->attachments[(unsigned) num]);
    }

    json_array_foreach(value, i, item) {
        json_array_set_new(value, i, fuzz_put(json_incref(item), r));
    }

    json_object_foreach(value, key, item) {
        json_object_set_new(value, key, fuzz_put(json_incref(item), r));
    }

    return value;
}


/* NULL where jansson has no value for a text */

static json_t *
fuzz_tree(const fuzz_receiver_t *r, const rt_sio_packet_t *pkt)
{
    json_t  *tree;

    if (rt_json_parse(pkt->json.data, pkt->json.len, &tree) != RT_OK) {
        return NULL;
    }

    return fuzz_put(tree, r);
}


/* on the way through it is written anew: the header, the JSON, the bytes */

static void
fuzz_echo(const fuzz_receiver_t *r, const rt_sio_packet_t *pkt)
{
    int               rc;
    size_t            len;
    json_t           *before, *after;
    uint8_t          *out;
    unsigned          i;
    rt_sio_packet_t   again;
    fuzz_receiver_t   other;

    out = malloc(pkt->nsp.len + 24 + 5 + pkt->json.len);
    fuzz_assert(out);

    len = rt_sio_binary_header(out, pkt->type, r->n, pkt->nsp, pkt->has_id,
                               pkt->id);
    memcpy(out + len, pkt->json.data, pkt->json.len);
    len += pkt->json.len;

    memset(&other, 0, sizeof(fuzz_receiver_t));

    rc = fuzz_receive(&other, 0, out, len);

    for (i = 0; i < r->n; i++) {
        fuzz_assert(rc == RT_AGAIN);
        rc = fuzz_receive(&other, 1, r->attachments[i].data,
                          r->attachments[i].len);
    }

    fuzz_assert(rc == RT_OK && fuzz_whole(&other, &again) == RT_OK);
    fuzz_assert(again.has_id == pkt->has_id && again.id == pkt->id);

    before = fuzz_tree(r, pkt);
    after = fuzz_tree(&other, &again);

    fuzz_assert(before == after || json_equal(before, after));

    json_decref(before);
    json_decref(after);
    fuzz_forget(&other);
    free(out);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int               rc;
    size_t            len;
    unsigned          binary;
    rt_sio_packet_t   pkt;
    fuzz_receiver_t   r;

    json_object_seed(1);       /* a run can be repeated */

    memset(&r, 0, sizeof(fuzz_receiver_t));

    while (size >= 3) {
        binary = data[0] & 1;
        len = (size_t) data[1] << 8 | data[2];
        data += 3;
        size -= 3;
        len = (len < size) ? len : size;

        rc = fuzz_receive(&r, binary, data, len);

        if (rc == RT_OK) {

            if (r.n && fuzz_whole(&r, &pkt) == RT_OK) {
                fuzz_echo(&r, &pkt);
            }

            fuzz_forget(&r);

        } else if (rc == RT_ERROR) {
            break;
        }

        data += len;
        size -= len;
    }

    fuzz_forget(&r);

    return 0;
}
