
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_msg.h"
#include "rt_ws.h"


ngx_realtime_msg_t *
ngx_realtime_msg_alloc(size_t len, ngx_log_t *log)
{
    u_char              *header;
    ngx_realtime_msg_t  *m;

    m = ngx_alloc(sizeof(ngx_realtime_msg_t) + RT_WS_HEADER_MAX + len, log);
    if (m == NULL) {
        return NULL;
    }

    header = m->data;

    m->refs = 1;
    m->payload = rt_ws_header(header, RT_WS_TEXT, len);
    m->len = m->payload + len;
    m->dispensable = 0;
    m->binary = 0;

    return m;
}


ngx_realtime_msg_t *
ngx_realtime_msg_copy(const u_char *data, size_t len, ngx_uint_t binary,
    ngx_log_t *log)
{
    u_char              *header;
    ngx_realtime_msg_t  *m;

    m = ngx_realtime_msg_alloc(len, log);
    if (m == NULL) {
        return NULL;
    }

    if (binary) {
        /* of the same length: only the opcode differs */

        header = m->data;
        (void) rt_ws_header(header, RT_WS_BINARY, len);

        m->binary = 1;
    }

    ngx_memcpy(ngx_realtime_msg_payload(m), data, len);

    return m;
}


void
ngx_realtime_msg_unref(ngx_realtime_msg_t *m)
{
    if (--m->refs == 0) {
        ngx_free(m);
    }
}


ngx_realtime_msg_t *
ngx_realtime_msg_event(const char *event, ngx_str_t *data, ngx_log_t *log)
{
    u_char              *p;
    size_t               len;
    ngx_realtime_msg_t  *m;

    len = ngx_strlen(event);

    m = ngx_realtime_msg_alloc(sizeof("42[\"\",]") - 1 + len + data->len,
                               log);
    if (m == NULL) {
        return NULL;
    }

    p = ngx_cpymem(ngx_realtime_msg_payload(m), "42[\"", 4);
    p = ngx_cpymem(p, event, len);
    p = ngx_cpymem(p, "\",", 2);
    p = ngx_cpymem(p, data->data, data->len);
    *p = ']';

    return m;
}
