
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Socket.IO packets with their JSON.  What is accepted must be written again
 * as a header that means the same, and every string of the payload must come
 * back through escaping and parsing.
 */

#include "fuzz.h"
#include "rt_json.h"
#include "rt_sio.h"
#include "rt_utf8.h"


/* the header, written and read again */

static void
fuzz_header(const rt_sio_packet_t *pkt)
{
    size_t            len;
    uint8_t          *out;
    const char       *why;
    rt_sio_packet_t   again;

    if (pkt->attachments) {
        return;                /* rt_sio_header() writes no binary packets */
    }

    out = malloc(pkt->nsp.len + 24);
    fuzz_assert(out);

    len = rt_sio_header(out, pkt->type, pkt->nsp, pkt->has_id, pkt->id);

    fuzz_assert(len <= pkt->nsp.len + 24);
    fuzz_assert(rt_sio_parse(&again, out, len, &why) == RT_OK);
    fuzz_assert(again.type == pkt->type);
    fuzz_assert(again.has_id == pkt->has_id && again.id == pkt->id);
    fuzz_assert(again.json.len == 0);
    fuzz_assert(again.nsp.len == pkt->nsp.len);
    fuzz_assert(memcmp(again.nsp.data, pkt->nsp.data, pkt->nsp.len) == 0);

    free(out);
}


static void
fuzz_string(const json_t *s)
{
    size_t          len, size;
    json_t         *again;
    uint8_t        *out, *end;
    const uint8_t  *p;

    p = (const uint8_t *) json_string_value(s);
    len = json_string_length(s);

    fuzz_assert(rt_utf8_check(p, len) == RT_OK);
    fuzz_assert(rt_utf8_length(p, len) <= len);

    size = rt_json_escaped(p, len);
    out = malloc(size + 2);
    fuzz_assert(out);

    out[0] = '"';
    end = rt_json_escape(out + 1, p, len);
    fuzz_assert(end == out + 1 + size);
    *end = '"';

    fuzz_assert(memchr(out, '<', size + 2) == NULL);
    fuzz_assert(rt_json_parse(out, size + 2, &again) == RT_OK);
    fuzz_assert(json_equal(again, s));

    json_decref(again);
    free(out);
}


static void
fuzz_value(json_t *value)
{
    size_t       i;
    json_t      *item;
    const char  *key;

    if (json_is_string(value)) {
        fuzz_string(value);
    }

    json_array_foreach(value, i, item) {
        fuzz_value(item);
    }

    json_object_foreach(value, key, item) {
        fuzz_value(item);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t           *payload;
    const char       *why;
    rt_sio_packet_t   pkt;

    json_object_seed(1);       /* a run can be repeated */

    why = NULL;

    if (rt_sio_parse(&pkt, data, size, &why) != RT_OK) {
        fuzz_assert(why);
        return 0;
    }

    fuzz_assert(pkt.type >= RT_SIO_CONNECT && pkt.type <= RT_SIO_BINARY_ACK);
    fuzz_assert(pkt.attachments <= RT_SIO_ATTACHMENTS);
    fuzz_assert((pkt.attachments != 0) == (pkt.type >= RT_SIO_BINARY_EVENT));
    fuzz_assert(pkt.nsp.len && pkt.nsp.len <= RT_SIO_NSP_MAX);
    fuzz_assert(pkt.nsp.data[0] == '/');
    fuzz_assert(memchr(pkt.nsp.data, ',', pkt.nsp.len) == NULL);
    fuzz_assert(pkt.json.data + pkt.json.len == data + size);

    fuzz_header(&pkt);

    payload = NULL;

    if (pkt.json.len
        && rt_json_parse(pkt.json.data, pkt.json.len, &payload) != RT_OK)
    {
        return 0;
    }

    why = NULL;

    if (rt_sio_check(&pkt, payload, &why) != RT_OK) {
        fuzz_assert(why);

    } else if (pkt.type == RT_SIO_EVENT) {
        fuzz_assert(json_array_size(payload) > 0);
    }

    fuzz_value(payload);
    json_decref(payload);

    return 0;
}
