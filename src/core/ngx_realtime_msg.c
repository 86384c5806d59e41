
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_msg.h"
#include "rt_ws.h"


ngx_uint_t  ngx_realtime_msg_offsets;


static const u_char  ngx_realtime_msg_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";


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

    m->place = 0;
    m->plain = NULL;
    m->deflated = NULL;
    m->due = NULL;
    m->refs = 1;
    m->payload = rt_ws_header(header, RT_WS_TEXT, len);
    m->len = m->payload + len;
    m->dispensable = 0;
    m->binary = 0;
    m->offset = 0;

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
    if (--m->refs) {
        return;
    }

    if (m->plain) {
        ngx_realtime_msg_unref(m->plain);
    }

    if (m->deflated && m->deflated != m) {
        ngx_realtime_msg_unref(m->deflated);
    }

    if (m->due) {
        ngx_free(m->due);
    }

    ngx_free(m);
}


ngx_int_t
ngx_realtime_msg_set_due(ngx_realtime_msg_t *m, const ngx_realtime_due_t *due,
    ngx_log_t *log)
{
    m->due = ngx_alloc(sizeof(ngx_realtime_due_t), log);
    if (m->due == NULL) {
        return NGX_ERROR;
    }

    *m->due = *due;

    return NGX_OK;
}


ngx_realtime_msg_t *
ngx_realtime_msg_event(const char *event, ngx_str_t *data, ngx_log_t *log)
{
    u_char              *p;
    size_t               len;
    ngx_realtime_msg_t  *m;

    len = ngx_strlen(event);

    m = ngx_realtime_msg_event_alloc(sizeof("42[\"\",]") - 1 + len
                                     + data->len, log);
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


ngx_realtime_msg_t *
ngx_realtime_msg_event_alloc(size_t len, ngx_log_t *log)
{
    ngx_realtime_msg_t  *m;

    if (!ngx_realtime_msg_offsets) {
        return ngx_realtime_msg_alloc(len, log);
    }

    m = ngx_realtime_msg_alloc(len + NGX_REALTIME_OFFSET_TAIL, log);

    if (m) {
        m->offset = 1;
    }

    return m;
}


void
ngx_realtime_msg_seal(ngx_realtime_msg_t *m, uint64_t place)
{
    u_char      *p;
    ngx_uint_t   i;

    m->place = place;

    p = m->data + m->len - 1;

    *p-- = ']';
    *p-- = '"';

    for (i = 0; i < NGX_REALTIME_OFFSET_LEN; i++) {
        *p-- = ngx_realtime_msg_digits[place & 63];
        place >>= 6;
    }

    *p-- = '"';
    *p = ',';
}


ngx_realtime_msg_t *
ngx_realtime_msg_plain(ngx_realtime_msg_t *m, ngx_log_t *log)
{
    size_t  len;

    if (!m->offset) {
        return m;
    }

    if (m->plain == NULL) {

        len = ngx_realtime_msg_payload_len(m) - NGX_REALTIME_OFFSET_TAIL;

        m->plain = ngx_realtime_msg_copy(ngx_realtime_msg_payload(m), len, 0,
                                         log);
        if (m->plain == NULL) {
            return NULL;
        }

        m->plain->data[m->plain->len - 1] = ']';
        m->plain->dispensable = m->dispensable;
    }

    return m->plain;
}


ngx_int_t
ngx_realtime_msg_place(const u_char *offset, size_t len, uint64_t *place)
{
    const u_char  *digit;

    if (len != NGX_REALTIME_OFFSET_LEN) {
        return NGX_ERROR;
    }

    *place = 0;

    while (len--) {

        digit = memchr(ngx_realtime_msg_digits, *offset++, 64);
        if (digit == NULL) {
            return NGX_ERROR;
        }

        *place = *place << 6 | (uint64_t) (digit - ngx_realtime_msg_digits);
    }

    return NGX_OK;
}
