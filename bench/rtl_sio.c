
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * What comes over a connection: Engine.IO packets, Socket.IO packets.
 */

#define _GNU_SOURCE

#include <string.h>

#include "rtload.h"


static void rtl_sio_join(rtl_t *rtl, rtl_conn_t *c);
static void rtl_sio_message(rtl_t *rtl, rtl_conn_t *c, const char *p,
    size_t len);
static void rtl_sio_joined(rtl_t *rtl, rtl_conn_t *c, const char *p,
    size_t len);
static void rtl_sio_offset(rtl_conn_t *c, const char *p, size_t len);


/* an Engine.IO packet */

void
rtl_sio_packet(rtl_t *rtl, rtl_conn_t *c, const char *p, size_t len)
{
    if (len == 0) {
        rtl_conn_lost(rtl, c, "empty packet");
        return;
    }

    switch (p[0]) {

    case '0':
        if (c->state != RTL_CONN_OPENING) {
            break;
        }

        c->state = RTL_CONN_JOINING;
        rtl_sio_join(rtl, c);
        return;

    case '2':
        rtl->pings++;
        rtl_conn_text(rtl, c, "3", 1);
        return;

    case '4':
        if (len < 2 || c->state < RTL_CONN_JOINING) {
            break;
        }

        rtl_sio_message(rtl, c, p + 1, len - 1);
        return;

    case '6':
        return;
    }

    rtl_error(rtl, "packet: %.*s", len > 100 ? 100 : (int) len, p);
    rtl_conn_lost(rtl, c, "unexpected packet");
}


/*
 * Connection state recovery, as the stock client does it: the pid of the last
 * CONNECT, and of the last event the last argument, if that is a string.
 */

static void
rtl_sio_join(rtl_t *rtl, rtl_conn_t *c)
{
    int   n;
    char  buf[2 * RTL_OFFSET_LEN + 64];

    n = snprintf(buf, sizeof(buf), "40");

    if (c->pid[0]) {
        n += snprintf(buf + n, sizeof(buf) - (size_t) n,
                      "{\"pid\":\"%s\"%s%s%s}", c->pid,
                      c->offset[0] ? ",\"offset\":\"" : "", c->offset,
                      c->offset[0] ? "\"" : "");
    }

    rtl_conn_text(rtl, c, buf, (size_t) n);
}


/* a Socket.IO packet */

static void
rtl_sio_message(rtl_t *rtl, rtl_conn_t *c, const char *p, size_t len)
{
    if (p[0] == '2') {

        rtl_sio_offset(c, p + 1, len - 1);

        if (!c->greeted && len > 14
            && memcmp(p + 1, "[\"connected\",", 13) == 0)
        {
            c->greeted = 1;

        } else if (rtl->on_event) {
            /*
             * What was missed may come before the answer to CONNECT; others'
             * presence comes before a mode has begun to listen.
             */
            rtl->on_event(rtl, c, p + 1, len - 1);
        }

    } else if (p[0] == '3' && rtl->on_ack) {
        rtl->on_ack(rtl, c, p + 1, len - 1);

    } else if (p[0] == '0' && !c->joined) {
        rtl_sio_joined(rtl, c, p + 1, len - 1);

    } else {
        rtl_error(rtl, "packet: 4%.*s", len > 100 ? 100 : (int) len, p);
        rtl_conn_lost(rtl, c, "refused");
        return;
    }

    /* who is recovered need not be greeted again */

    if (c->state == RTL_CONN_JOINING && c->joined
        && (c->greeted || c->recovered))
    {
        rtl_conn_ready(rtl, c);
    }
}


/* {"sid":"...","pid":"..."}; the pid is not there if nothing is recovered */

static void
rtl_sio_joined(rtl_t *rtl, rtl_conn_t *c, const char *p, size_t len)
{
    char         pid[RTL_OFFSET_LEN];
    size_t       n;
    const char  *start, *end;

    static const char  key[] = "\"pid\":\"";

    n = 0;
    start = memmem(p, len, key, sizeof(key) - 1);

    if (start) {
        start += sizeof(key) - 1;
        end = memchr(start, '"', len - (size_t) (start - p));
        n = end ? (size_t) (end - start) : RTL_OFFSET_LEN;

        if (n >= RTL_OFFSET_LEN) {
            rtl_error(rtl, "too long a pid");
            return;
        }

        memcpy(pid, start, n);
    }

    pid[n] = '\0';

    c->joined = 1;
    c->recovered = (n && strcmp(c->pid, pid) == 0);
    c->forgotten |= (c->again && !c->recovered);

    memcpy(c->pid, pid, n + 1);
}


static void
rtl_sio_offset(rtl_conn_t *c, const char *p, size_t len)
{
    size_t       n;
    const char  *start;

    if (c->pid[0] == '\0' || len < 4 || memcmp(p + len - 2, "\"]", 2) != 0) {
        return;
    }

    start = memrchr(p, '"', len - 2);
    n = start ? (size_t) (p + len - 3 - start) : 0;

    if (n == 0 || n >= RTL_OFFSET_LEN || start == p || start[-1] != ',') {
        return;
    }

    memcpy(c->offset, start + 1, n);
    c->offset[n] = '\0';
}
