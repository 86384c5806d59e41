
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_pending.h"


ngx_int_t
ngx_realtime_pending_create(ngx_realtime_session_t *s, ngx_uint_t expected,
    const u_char *packet, size_t len)
{
    ngx_realtime_pending_t  *pending;

    pending = ngx_alloc(sizeof(ngx_realtime_pending_t) + len, s->log);
    if (pending == NULL) {
        return NGX_ERROR;
    }

    pending->expected = expected;
    pending->n = 0;
    pending->bytes = 0;
    pending->len = len;
    ngx_memcpy(pending->packet, packet, len);

    s->pending = pending;

    return NGX_OK;
}


ngx_int_t
ngx_realtime_pending_add(ngx_realtime_pending_t *pending, const u_char *data,
    size_t len, ngx_log_t *log)
{
    u_char  *p;

    p = ngx_alloc(len ? len : 1, log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, data, len);

    pending->attachments[pending->n].data = p;
    pending->attachments[pending->n].len = len;
    pending->bytes += len;
    pending->n++;

    return NGX_OK;
}


void
ngx_realtime_pending_free(ngx_realtime_pending_t *pending)
{
    while (pending->n) {
        ngx_free(pending->attachments[--pending->n].data);
    }

    ngx_free(pending);
}
