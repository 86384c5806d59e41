
/*
 * Copyright (C) ngx_realtime contributors
 */


#include <inttypes.h>
#include <stdio.h>

#include "rt_eio.h"


const char *const rt_eio_errors[] = {
    "Transport unknown",
    "Session ID unknown",
    "Bad handshake method",
    "Bad request",
    "Forbidden",
    "Unsupported protocol version"
};


int
rt_eio_parse(rt_eio_packet_t *pkt, const uint8_t *p, size_t len)
{
    if (len == 0 || p[0] < RT_EIO_OPEN || p[0] > RT_EIO_NOOP) {
        return RT_ERROR;
    }

    pkt->type = p[0];
    pkt->data.data = p + 1;
    pkt->data.len = len - 1;

    return RT_OK;
}


size_t
rt_eio_open(uint8_t *out, size_t size, const rt_eio_open_t *open)
{
    int  n;

    n = snprintf((char *) out, size,
                 "%c{\"sid\":\"%.*s\",\"upgrades\":[%s],"
                 "\"pingInterval\":%" PRIu64 ",\"pingTimeout\":%" PRIu64 ","
                 "\"maxPayload\":%" PRIu64 "}",
                 RT_EIO_OPEN, (int) open->sid.len,
                 (const char *) open->sid.data,
                 open->upgrades ? "\"websocket\"" : "",
                 open->ping_interval, open->ping_timeout, open->max_payload);

    return (size_t) n;
}
