
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Polling payloads, and what a session makes of them: Socket.IO packets with
 * their attachments.  What rt_eio_next() hands out is compared with a model
 * that splits and decodes in the plainest way; what is whole is written as a
 * payload again, which must read the same.
 */

#include "fuzz.h"
#include "rt_eio.h"
#include "rt_json.h"
#include "rt_sio.h"


typedef struct {
    uint8_t   *data;         /* malloc'ed */
    size_t     len;
    unsigned   binary;
} fuzz_packet_t;


typedef struct {
    fuzz_packet_t   *packets;
    size_t           n;
    unsigned         broken:1;     /* it ends in an error */
} fuzz_payload_t;


static void
fuzz_push(fuzz_payload_t *list, const uint8_t *p, size_t len, unsigned binary)
{
    fuzz_packet_t  *packet;

    list->packets = realloc(list->packets,
                            (list->n + 1) * sizeof(fuzz_packet_t));
    fuzz_assert(list->packets);

    packet = &list->packets[list->n++];

    packet->data = malloc(len + !len);
    fuzz_assert(packet->data);

    if (len) {
        memcpy(packet->data, p, len);
    }

    packet->len = len;
    packet->binary = binary;
}


static void
fuzz_free(fuzz_payload_t *list)
{
    size_t  i;

    for (i = 0; i < list->n; i++) {
        free(list->packets[i].data);
    }

    free(list->packets);
}


/* bit by bit; RT_ERROR if it is not what rt_eio.c says it takes */

static int
fuzz_base64(uint8_t *out, size_t *out_len, const uint8_t *p, size_t len)
{
    size_t       i, digits, bits;
    uint32_t     value;
    const char  *at;

    static const char  alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (digits = 0; digits < len && p[digits] != '='; digits++) { /* void */ }

    if (digits % 4 == 1) {
        return RT_ERROR;
    }

    if (digits < len) {

        if (len % 4 || len - digits > 2) {
            return RT_ERROR;
        }

        for (i = digits; i < len; i++) {
            if (p[i] != '=') {
                return RT_ERROR;
            }
        }
    }

    *out_len = 0;
    bits = 0;
    value = 0;

    for (i = 0; i < digits; i++) {
        at = memchr(alphabet, p[i], 64);

        if (at == NULL) {
            return RT_ERROR;
        }

        value = (value << 6 | (uint32_t) (at - alphabet)) & 0xffff;
        bits += 6;

        if (bits >= 8) {
            bits -= 8;
            out[(*out_len)++] = (uint8_t) (value >> bits);
        }
    }

    return RT_OK;
}


static void
fuzz_model(fuzz_payload_t *list, const uint8_t *data, size_t size)
{
    size_t    i, begin, n;
    uint8_t  *bytes;

    memset(list, 0, sizeof(fuzz_payload_t));

    if (size == 0) {
        return;
    }

    bytes = malloc(size);
    fuzz_assert(bytes);

    for (begin = 0, i = 0; i <= size && !list->broken; i++) {

        if (i < size && data[i] != RT_EIO_SEPARATOR) {
            continue;
        }

        if (i == begin) {
            list->broken = 1;

        } else if (data[begin] != 'b') {
            fuzz_push(list, data + begin, i - begin, 0);

        } else if (fuzz_base64(bytes, &n, data + begin + 1, i - begin - 1)
                   == RT_OK)
        {
            fuzz_push(list, bytes, n, 1);

        } else {
            list->broken = 1;
        }

        begin = i + 1;
    }

    free(bytes);
}


static void
fuzz_read(fuzz_payload_t *list, const uint8_t *data, size_t size)
{
    int        rc;
    uint8_t   *copy, *pos, *before;
    rt_str_t   packet;
    unsigned   binary;

    memset(list, 0, sizeof(fuzz_payload_t));

    copy = malloc(size + !size);
    fuzz_assert(copy);

    if (size) {
        memcpy(copy, data, size);
    }

    pos = copy;

    for ( ;; ) {
        before = pos;
        rc = rt_eio_next(&pos, copy + size, &packet, &binary);

        if (rc != RT_OK) {
            break;
        }

        fuzz_assert(pos > before && pos <= copy + size);
        fuzz_assert(packet.data >= before);
        fuzz_assert(packet.data + packet.len <= pos);

        fuzz_push(list, packet.data, packet.len, binary);
    }

    fuzz_assert(rc == RT_ERROR || pos == copy + size);

    list->broken = (rc == RT_ERROR);

    free(copy);
}


static void
fuzz_compare(const fuzz_payload_t *a, const fuzz_payload_t *b)
{
    size_t  i;

    fuzz_assert(a->n == b->n && a->broken == b->broken);

    for (i = 0; i < a->n; i++) {
        fuzz_assert(a->packets[i].binary == b->packets[i].binary);
        fuzz_assert(a->packets[i].len == b->packets[i].len);
        fuzz_assert(memcmp(a->packets[i].data, b->packets[i].data,
                           a->packets[i].len) == 0);
    }
}


static void
fuzz_write(const fuzz_payload_t *list)
{
    size_t           i, size;
    uint8_t         *text, *p;
    fuzz_packet_t   *packet;
    fuzz_payload_t   again;

    for (size = 1, i = 0; i < list->n; i++) {
        packet = &list->packets[i];
        size += 1 + (packet->binary ? rt_eio_binary_size(packet->len)
                                    : packet->len);
    }

    text = malloc(size);
    fuzz_assert(text);

    for (p = text, i = 0; i < list->n; i++) {
        packet = &list->packets[i];

        if (i) {
            *p++ = RT_EIO_SEPARATOR;
        }

        if (packet->binary) {
            p = rt_eio_binary(p, packet->data, packet->len);

        } else {
            memcpy(p, packet->data, packet->len);
            p += packet->len;
        }
    }

    fuzz_assert((size_t) (p - text) < size);

    fuzz_read(&again, text, (size_t) (p - text));
    fuzz_assert(!again.broken);

    again.broken = list->broken;
    fuzz_compare(list, &again);

    fuzz_free(&again);
    free(text);
}


/* the header of a binary packet, written and read again */

static void
fuzz_header(const rt_sio_packet_t *pkt)
{
    size_t            len;
    uint8_t          *out;
    const char       *why;
    rt_sio_packet_t   again;

    out = malloc(pkt->nsp.len + 24 + 5);
    fuzz_assert(out);

    len = rt_sio_binary_header(out, pkt->type, pkt->attachments, pkt->nsp,
                               pkt->has_id, pkt->id);

    fuzz_assert(len <= pkt->nsp.len + 24 + 5);
    fuzz_assert(rt_sio_parse(&again, out, len, &why) == RT_OK);
    fuzz_assert(again.type == pkt->type);
    fuzz_assert(again.attachments == pkt->attachments);
    fuzz_assert(again.has_id == pkt->has_id && again.id == pkt->id);
    fuzz_assert(again.nsp.len == pkt->nsp.len);
    fuzz_assert(memcmp(again.nsp.data, pkt->nsp.data, pkt->nsp.len) == 0);

    free(out);
}


/* the attachments that must follow: 0 if none, -1 if the packet is refused */

static int
fuzz_message(const rt_str_t *text)
{
    rt_str_t          name;
    const char       *why;
    rt_sio_packet_t   pkt;

    if (rt_sio_parse(&pkt, text->data, text->len, &why) != RT_OK) {
        return -1;
    }

    if (pkt.attachments == 0) {
        return 0;
    }

    if (rt_json_check(pkt.json.data, pkt.json.len) != RT_OK
        || rt_sio_check(&pkt, &name, &why) != RT_OK
        || rt_sio_placeholders(pkt.json, pkt.attachments, &why) != RT_OK)
    {
        return -1;
    }

    fuzz_header(&pkt);

    return pkt.attachments;
}


/*
 * As a session does: attachments follow their packet, and until they are
 * there no other message may come.
 */

static void
fuzz_assemble(const fuzz_payload_t *list)
{
    int              pending;
    size_t           i;
    fuzz_packet_t   *packet;
    rt_eio_packet_t  pkt;

    pending = 0;

    for (i = 0; i < list->n && pending >= 0; i++) {
        packet = &list->packets[i];

        if (packet->binary) {
            pending--;
            continue;
        }

        if (rt_eio_parse(&pkt, packet->data, packet->len) != RT_OK) {
            return;
        }

        if (pkt.type == RT_EIO_MESSAGE) {
            pending = pending ? -1 : fuzz_message(&pkt.data);
        }
    }

    fuzz_assert(pending >= -1 && pending <= RT_SIO_ATTACHMENTS);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_payload_t  model, list;

    fuzz_model(&model, data, size);
    fuzz_read(&list, data, size);
    fuzz_compare(&model, &list);

    fuzz_write(&list);
    fuzz_assemble(&list);

    fuzz_free(&model);
    fuzz_free(&list);

    return 0;
}
