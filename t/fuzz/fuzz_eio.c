
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Engine.IO packets: a type that is known, and all the rest as data.  The
 * same bytes then are the members of an OPEN packet.
 */

#include "fuzz.h"
#include "rt_eio.h"
#include "rt_json.h"


static void
fuzz_packet(const uint8_t *data, size_t size)
{
    rt_eio_packet_t  pkt;

    if (rt_eio_parse(&pkt, data, size) != RT_OK) {
        fuzz_assert(size == 0 || memchr("0123456", data[0], 7) == NULL);
        return;
    }

    fuzz_assert(size && pkt.type == data[0]);
    fuzz_assert(pkt.type >= RT_EIO_OPEN && pkt.type <= RT_EIO_NOOP);
    fuzz_assert(pkt.data.data == data + 1 && pkt.data.len == size - 1);
}


static void
fuzz_open(const uint8_t *data, size_t size)
{
    size_t         i, len;
    json_t        *value, *sid;
    uint8_t        text[32], out[RT_EIO_OPEN_MAX];
    uint64_t       numbers[3];
    rt_eio_open_t  open;

    if (size < sizeof(numbers)) {
        return;
    }

    memcpy(numbers, data, sizeof(numbers));

    size -= sizeof(numbers);
    data += sizeof(numbers);
    size = size < sizeof(text) ? size : sizeof(text);

    for (i = 0; i < size; i++) {
        text[i] = (uint8_t) ('A' + data[i] % 26);
    }

    open.sid.data = text;
    open.sid.len = size;
    open.upgrades = numbers[0] & 1;
    open.ping_interval = numbers[0];
    open.ping_timeout = numbers[1];
    open.max_payload = numbers[2];

    len = rt_eio_open(out, sizeof(out), &open);

    fuzz_assert(len < sizeof(out) && out[0] == RT_EIO_OPEN);
    fuzz_assert(rt_json_parse(out + 1, len - 1, &value) == RT_OK);

    sid = json_object_get(value, "sid");

    fuzz_assert(json_string_length(sid) == size);
    fuzz_assert(memcmp(json_string_value(sid), text, size) == 0);
    fuzz_assert(json_array_size(json_object_get(value, "upgrades"))
                == open.upgrades);
    fuzz_assert(json_number_value(json_object_get(value, "maxPayload"))
                == (double) open.max_payload);

    json_decref(value);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_packet(data, size);
    fuzz_open(data, size);

    return 0;
}
