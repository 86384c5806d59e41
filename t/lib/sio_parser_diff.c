
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * For t/sio_parser_diff.t.  Each line of the input is a packet in hex; each
 * line of the output is what became of it, as JSON:
 *
 *   null                              refused
 *   [type,attachments,nsp,id]         id null: none
 *   [type,attachments,nsp,id,data]    data is as the text is after the check
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


static int
diff_parse(rt_sio_packet_t *pkt, const uint8_t *p, size_t len)
{
    rt_str_t     name;
    const char  *why;

    return rt_sio_parse(pkt, p, len, &why) == RT_OK
           && (pkt->json.len == 0
               || rt_json_check(pkt->json.data, pkt->json.len) == RT_OK)
           && rt_sio_check(pkt, &name, &why) == RT_OK;
}


static void
diff_print(const rt_sio_packet_t *pkt)
{
    size_t   i;
    uint8_t  nsp[6 * RT_SIO_NSP_MAX], *end;

    end = rt_json_escape(nsp, pkt->nsp.data, pkt->nsp.len);

    printf("[%c,%u,\"%.*s\",", pkt->type, pkt->attachments,
           (int) (end - nsp), (const char *) nsp);

    if (pkt->has_id) {
        printf("%llu", (unsigned long long) pkt->id);

    } else {
        printf("null");
    }

    if (pkt->json.len) {
        putchar(',');
    }

    /* a line break is nowhere but between values */

    for (i = 0; i < pkt->json.len; i++) {
        putchar(pkt->json.data[i] == '\n' ? ' ' : pkt->json.data[i]);
    }

    putchar(']');
}


int
main(void)
{
    char              line[2 * DIFF_LINE + 2];
    size_t            len;
    uint8_t           packet[DIFF_LINE], *p;
    rt_sio_packet_t   pkt;

    while (fgets(line, sizeof(line), stdin)) {
        len = diff_packet(packet, line);

        p = malloc(len + !len);
        if (p == NULL) {
            return 1;
        }

        memcpy(p, packet, len);

        if (diff_parse(&pkt, p, len)) {
            diff_print(&pkt);

        } else {
            printf("null");
        }

        putchar('\n');
        free(p);
    }

    return 0;
}
