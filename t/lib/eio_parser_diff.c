
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * For t/eio_parser_diff.t.  Each line of the input is a polling payload in hex;
 * each line of the output is what it was split into, each part after a space:
 *
 *   4:68656c6c6f    a packet, its type and its data in hex
 *   b:0102:bAQI=    an attachment in hex, and as it is written
 *   !               here the payload is refused
 */

#include <stdio.h>
#include <stdlib.h>

#include "rt_eio.h"


#define DIFF_LINE  4096


static void
diff_hex(const uint8_t *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        printf("%02x", p[i]);
    }
}


static int
diff_text(const rt_str_t *text)
{
    rt_eio_packet_t  pkt;

    if (rt_eio_parse(&pkt, text->data, text->len) != RT_OK) {
        return RT_ERROR;
    }

    printf(" %c:", pkt.type);
    diff_hex(pkt.data.data, pkt.data.len);

    return RT_OK;
}


static void
diff_attachment(const rt_str_t *data)
{
    uint8_t  out[rt_eio_binary_size(DIFF_LINE)], *end;

    printf(" b:");
    diff_hex(data->data, data->len);

    end = rt_eio_binary(out, data->data, data->len);
    printf(":%.*s", (int) (end - out), (const char *) out);
}


static void
diff_payload(uint8_t *p, size_t len)
{
    int        rc;
    uint8_t   *last;
    rt_str_t   data;
    unsigned   binary;

    last = p + len;

    /* whoever calls rt_eio_next() refuses this one */

    rc = len ? RT_OK : RT_ERROR;

    while (rc == RT_OK) {
        rc = rt_eio_next(&p, last, &data, &binary);

        if (rc == RT_OK && binary) {
            diff_attachment(&data);

        } else if (rc == RT_OK) {
            rc = diff_text(&data);
        }
    }

    puts(rc == RT_ERROR ? " !" : "");
}


int
main(void)
{
    char      line[2 * DIFF_LINE + 2], digits[3];
    size_t    n;
    uint8_t  *p;

    digits[2] = '\0';

    while (fgets(line, sizeof(line), stdin)) {
        p = malloc(sizeof(line));
        if (p == NULL) {
            return 1;
        }

        for (n = 0; line[2 * n] != '\n'; n++) {
            memcpy(digits, line + 2 * n, 2);
            p[n] = (uint8_t) strtoul(digits, NULL, 16);
        }

        diff_payload(p, n);

        free(p);
    }

    return 0;
}
