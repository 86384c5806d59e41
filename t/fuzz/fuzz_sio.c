
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Socket.IO packets with their JSON.  What is accepted must be written again
 * as a header that means the same, and every string of the payload must come
 * back through escaping and parsing.  What is said of the payload, and what
 * becomes of it, is compared with jansson's tree.
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


/* what rt_sio_check() says of the packet; the tree is NULL without JSON */

static int
fuzz_is_valid(const rt_sio_packet_t *pkt, const json_t *payload)
{
    size_t   i;
    json_t  *name;

    static const char *const  reserved[] = {
        "connect", "connect_error", "disconnect", "disconnecting",
        "newListener", "removeListener"
    };

    switch (pkt->type) {

    case RT_SIO_CONNECT:
        return payload == NULL || json_is_object(payload);

    case RT_SIO_DISCONNECT:
        return payload == NULL;

    case RT_SIO_CONNECT_ERROR:
        return json_is_string(payload) || json_is_object(payload);

    case RT_SIO_ACK:
    case RT_SIO_BINARY_ACK:
        return json_is_array(payload);
    }

    name = json_array_get(payload, 0);

    for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (json_is_string(name)
            && json_string_length(name) == strlen(reserved[i])
            && strcmp(json_string_value(name), reserved[i]) == 0)
        {
            return 0;
        }
    }

    return json_is_string(name) || json_is_number(name);
}


/* a name with something in it that JSON escapes is left as it was written */

static void
fuzz_name(rt_str_t name, const json_t *node)
{
    size_t       i, len;
    const char  *s;

    if (!json_is_string(node)) {
        fuzz_assert(name.data == NULL && name.len == 0);
        return;
    }

    fuzz_assert(name.data);

    s = json_string_value(node);
    len = json_string_length(node);

    for (i = 0; i < len; i++) {
        if ((uint8_t) s[i] < 0x20 || s[i] == '"' || s[i] == '\\') {
            fuzz_assert(memchr(name.data, '\\', name.len));
            return;
        }
    }

    fuzz_assert(name.len == len && memcmp(name.data, s, len) == 0);
}


/* every placeholder that would be replaced is of an attachment there is */

static int
fuzz_placeholders(json_t *value, unsigned attachments)
{
    size_t       i;
    json_t      *item;
    const char  *key;

    if (json_is_true(json_object_get(value, "_placeholder"))) {
        item = json_object_get(value, "num");

        return json_is_integer(item) && json_integer_value(item) >= 0
               && json_integer_value(item) < (json_int_t) attachments;
    }

    json_array_foreach(value, i, item) {
        if (!fuzz_placeholders(item, attachments)) {
            return 0;
        }
    }

    json_object_foreach(value, key, item) {
        if (!fuzz_placeholders(item, attachments)) {
            return 0;
        }
    }

    return 1;
}


/* a text whose tree shows how it was written: no name twice, no -0 */

static void
fuzz_attachments(rt_str_t json, unsigned attachments)
{
    int          rc;
    size_t       i;
    json_t      *tree;
    const char  *why;

    why = NULL;
    rc = rt_sio_placeholders(json, attachments, &why);
    fuzz_assert(rc == RT_OK || why);

    for (i = 1; i < json.len; i++) {
        if (json.data[i - 1] == '-' && json.data[i] == '0') {
            return;
        }
    }

    tree = json_loadb((const char *) json.data, json.len,
                      JSON_DECODE_ANY | JSON_ALLOW_NUL
                      | JSON_REJECT_DUPLICATES, NULL);

    if (tree) {
        fuzz_assert((rc == RT_OK) == fuzz_placeholders(tree, attachments));
        json_decref(tree);
    }
}


/* before: the payload as it came; tree: NULL if jansson has none for it */

static void
fuzz_check(const rt_sio_packet_t *pkt, const uint8_t *before, json_t *tree)
{
    int          rc;
    size_t       n;
    json_t      *after;
    rt_str_t     name, json, items[2], rest;
    const char  *why;

    why = NULL;
    json = pkt->json;

    rc = rt_sio_check(pkt, &name, &why);
    fuzz_assert(rc == RT_OK || why);

    if (tree || json.len == 0) {
        fuzz_assert((rc == RT_OK) == fuzz_is_valid(pkt, tree));
    }

    if (json.len == 0) {
        return;
    }

    /* the text means the same, and nothing behind the name has changed */

    fuzz_assert(rt_json_check(json.data, json.len) == RT_OK);

    n = rt_json_items(json, items, 2);
    rest = rt_json_rest(json);

    fuzz_assert((n > 1) == (rest.len > 0));

    if (n > 1) {
        fuzz_assert(rest.data == items[1].data);
        fuzz_assert(memcmp(rest.data, before + (rest.data - json.data),
                           (size_t) (json.data + json.len - rest.data)) == 0);
    }

    if (tree) {
        fuzz_assert(rt_json_parse(json.data, json.len, &after) == RT_OK);
        fuzz_assert(json_equal(tree, after));
        json_decref(after);

        if (rc == RT_OK) {
            fuzz_name(name, pkt->type == RT_SIO_EVENT
                            || pkt->type == RT_SIO_BINARY_EVENT
                            ? json_array_get(tree, 0) : NULL);
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t           *tree;
    uint8_t          *text;
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

    /* exact, so that AddressSanitizer sees what is read beyond */

    text = malloc(pkt.json.len ? pkt.json.len : 1);
    fuzz_assert(text);

    memcpy(text, pkt.json.data, pkt.json.len);
    data = pkt.json.data;
    pkt.json.data = text;

    (void) rt_sio_placeholders(pkt.json, pkt.attachments, &why);

    if (pkt.json.len == 0 || rt_json_check(text, pkt.json.len) == RT_OK) {
        tree = NULL;

        if (pkt.json.len) {
            (void) rt_json_parse(text, pkt.json.len, &tree);
            fuzz_attachments(pkt.json, pkt.attachments);
        }

        fuzz_check(&pkt, data, tree);
        fuzz_value(tree);
        json_decref(tree);
    }

    free(text);

    return 0;
}
