
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_counter.h"
#include "ngx_realtime_header.h"
#include "ngx_realtime_ws_deflate.h"
#include "rt_deflate.h"
#include "rt_utf8.h"
#include "rt_ws.h"


/*
 * Of JSON of 4 kB level 1 leaves 33 %, level 6 32 % in one and a half times
 * as long.  A window of 4 kB is as good as the largest up to 16 kB; an offer
 * that asks for a smaller one is declined.
 */

#define NGX_REALTIME_WS_DEFLATE_LEVEL   1
#define NGX_REALTIME_WS_DEFLATE_BITS    12

#define NGX_REALTIME_WS_DEFLATE_HEADER  "Sec-WebSocket-Extensions"
#define NGX_REALTIME_WS_DEFLATE_ANSWER  128    /* of rt_deflate_accept() */

/* what rt_deflate_compress() writes, and takes back */
#define NGX_REALTIME_WS_DEFLATE_TAIL    4


static ngx_int_t ngx_realtime_ws_deflate_join(ngx_http_request_t *r,
    ngx_str_t *offers);
static ngx_uint_t ngx_realtime_ws_deflate_is(ngx_table_elt_t *h);
static ngx_realtime_msg_t *ngx_realtime_ws_deflate_make(
    ngx_realtime_msg_t *m, ngx_log_t *log);


static rt_deflate_t  *ngx_realtime_ws_deflate_streams;   /* of the worker */


ngx_int_t
ngx_realtime_ws_deflate_offer(ngx_http_request_t *r)
{
    u_char     *p;
    ngx_str_t   offers, answer;

    if (ngx_realtime_ws_deflate_join(r, &offers) != NGX_OK) {
        return NGX_ERROR;
    }

    if (offers.len == 0) {
        return NGX_DECLINED;
    }

    if (ngx_realtime_ws_deflate_streams == NULL) {

        ngx_realtime_ws_deflate_streams =
            rt_deflate_create(NGX_REALTIME_WS_DEFLATE_LEVEL,
                              NGX_REALTIME_WS_DEFLATE_BITS);

        if (ngx_realtime_ws_deflate_streams == NULL) {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "realtime: no memory for compression");
            return NGX_DECLINED;
        }
    }

    p = ngx_pnalloc(r->pool, NGX_REALTIME_WS_DEFLATE_ANSWER);
    if (p == NULL) {
        return NGX_ERROR;
    }

    /* a header that is malformed is treated like an offer that is: without
       the extension nothing depends on it */

    if (rt_deflate_accept(ngx_realtime_ws_deflate_streams, offers.data,
                          offers.len, p, &answer.len)
        != RT_OK)
    {
        return NGX_DECLINED;
    }

    answer.data = p;

    return ngx_realtime_header_add(r, NGX_REALTIME_WS_DEFLATE_HEADER, &answer);
}


/* the values of all its lines, with commas between them: RFC 6455, 9.1 */

static ngx_int_t
ngx_realtime_ws_deflate_join(ngx_http_request_t *r, ngx_str_t *offers)
{
    u_char           *p;
    size_t            size;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    size = 0;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (ngx_realtime_ws_deflate_is(&h[i])) {
                size += h[i].value.len + 1;
            }
        }
    }

    p = ngx_pnalloc(r->pool, size + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    offers->data = p;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (ngx_realtime_ws_deflate_is(&h[i])) {
                p = ngx_cpymem(p, h[i].value.data, h[i].value.len);
                *p++ = ',';
            }
        }
    }

    offers->len = p - offers->data;

    return NGX_OK;
}


static ngx_uint_t
ngx_realtime_ws_deflate_is(ngx_table_elt_t *h)
{
    return h->key.len == sizeof(NGX_REALTIME_WS_DEFLATE_HEADER) - 1
           && ngx_strncasecmp(h->key.data,
                              (u_char *) NGX_REALTIME_WS_DEFLATE_HEADER,
                              sizeof(NGX_REALTIME_WS_DEFLATE_HEADER) - 1)
              == 0;
}


ngx_realtime_msg_t *
ngx_realtime_ws_deflate_frame(ngx_realtime_msg_t *m, ngx_log_t *log)
{
    if (m->deflated == NULL) {
        m->deflated = ngx_realtime_ws_deflate_make(m, log);
    }

    return m->deflated;
}


/* m itself: no memory, or no gain */

static ngx_realtime_msg_t *
ngx_realtime_ws_deflate_make(ngx_realtime_msg_t *m, ngx_log_t *log)
{
    u_char              *buf, *header;
    size_t               len, n;
    ngx_realtime_msg_t  *frame;

    len = ngx_realtime_msg_payload_len(m);

    buf = ngx_alloc(len + NGX_REALTIME_WS_DEFLATE_TAIL, log);
    if (buf == NULL) {
        return m;
    }

    n = rt_deflate_compress(ngx_realtime_ws_deflate_streams, buf,
                            len + NGX_REALTIME_WS_DEFLATE_TAIL,
                            ngx_realtime_msg_payload(m), len);

    /* 0: there was no room for it, so it is no smaller than m */

    frame = n ? ngx_realtime_msg_copy(buf, n, m->binary, log) : NULL;

    ngx_free(buf);

    if (frame == NULL) {
        return m;
    }

    /* of the same length: only a bit is added */

    header = frame->data;
    header[0] |= RT_WS_RSV1;

    frame->dispensable = m->dispensable;

    ngx_realtime_count(deflated);
    ngx_realtime_count_n(deflated_from_bytes, len);
    ngx_realtime_count_n(deflated_to_bytes, n);

    return frame;
}


ngx_uint_t
ngx_realtime_ws_deflate_inflate(const u_char *p, size_t len, size_t max,
    ngx_uint_t text, ngx_str_t *out, const char **why)
{
    switch (rt_deflate_inflate(ngx_realtime_ws_deflate_streams, p, len, max,
                               &out->data, &out->len))
    {
    case RT_OK:
        break;

    case RT_ERROR:
        *why = "compressed message is broken";
        return RT_WS_BAD_DATA;

    default: /* RT_AGAIN */
        *why = "message too big when inflated";
        return RT_WS_TOO_BIG;
    }

    if (text && rt_utf8_check(out->data, out->len) != RT_OK) {
        ngx_free(out->data);
        *why = "compressed text is not UTF-8";
        return RT_WS_BAD_DATA;
    }

    ngx_realtime_count(inflated);
    ngx_realtime_count_n(inflated_from_bytes, len);
    ngx_realtime_count_n(inflated_to_bytes, out->len);

    return 0;
}
