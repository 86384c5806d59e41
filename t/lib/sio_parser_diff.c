
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * For t/sio_parser_diff.t.  Each line of the input is a packet in hex; each
 * line of the output is what became of it, as JSON:
 *
 *   null                              refused
 *   [type,attachments,nsp,id]         id null: none
 *   [type,attachments,nsp,id,data]
 */

#include <stdio.h>
#include <stdlib.h>

#include "rt_json.h"
#include "rt_sio.h"


#define DIFF_LINE  4096


static size_t
diff_packet(uint8_t *out, const char *hex)
{
    size_t  n;
    char    digits[3];

    digits[2] = '\0';

    for (n = 0; hex[2 * n] != '\n'; n++) {
        memcpy(digits, hex + 2 * n, 2);
        out[n] = (uint8_t) strtoul(digits, NULL, 16);
    }

    return n;
}


static json_t *
diff_parse(const uint8_t *p, size_t len)
{
    json_t           *data;
    const char       *why;
    rt_sio_packet_t   pkt;

    if (rt_sio_parse(&pkt, p, len, &why) != RT_OK) {
        return json_null();
    }

    data = NULL;

    if (pkt.json.len
        && rt_json_parse(pkt.json.data, pkt.json.len, &data) != RT_OK)
    {
        return json_null();
    }

    if (rt_sio_check(&pkt, data, &why) != RT_OK
        || (pkt.attachments
            && rt_sio_placeholders(data, pkt.attachments, &why) != RT_OK))
    {
        json_decref(data);
        return json_null();
    }

    return json_pack("[i,i,s%,o,o*]", pkt.type - '0', pkt.attachments,
                     (const char *) pkt.nsp.data, pkt.nsp.len,
                     pkt.has_id ? json_integer((json_int_t) pkt.id)
                                : json_null(),
                     data);
}


int
main(void)
{
    char      line[2 * DIFF_LINE + 2];
    size_t    len;
    json_t   *value;
    uint8_t   packet[DIFF_LINE], *p;

    while (fgets(line, sizeof(line), stdin)) {
        len = diff_packet(packet, line);

        p = malloc(len + !len);
        if (p == NULL) {
            return 1;
        }

        memcpy(p, packet, len);

        value = diff_parse(p, len);

        json_dumpf(value, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
        putchar('\n');

        json_decref(value);
        free(p);
    }

    return 0;
}
