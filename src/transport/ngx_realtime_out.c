
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_out.h"


static ngx_realtime_out_node_t  *ngx_realtime_out_free;    /* spare nodes */


void
ngx_realtime_out_init(ngx_realtime_out_t *out)
{
    out->first = NULL;
    out->last = &out->first;
    out->bytes = 0;
    out->done = 0;
}


ngx_int_t
ngx_realtime_out_push(ngx_realtime_out_t *out, ngx_realtime_msg_t *m,
    ngx_log_t *log)
{
    ngx_realtime_out_node_t  *node;

    node = ngx_realtime_out_free;

    if (node) {
        ngx_realtime_out_free = node->next;

    } else {
        node = ngx_alloc(sizeof(ngx_realtime_out_node_t), log);
        if (node == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_realtime_msg_ref(m);

    node->message = m;
    node->next = NULL;
    *out->last = node;
    out->last = &node->next;
    out->bytes += m->len + NGX_REALTIME_OUT_COST;

    return NGX_OK;
}


ngx_realtime_msg_t *
ngx_realtime_out_shift(ngx_realtime_out_t *out)
{
    ngx_realtime_msg_t       *m;
    ngx_realtime_out_node_t  *node;

    node = out->first;

    if (node == NULL) {
        return NULL;
    }

    m = node->message;

    out->first = node->next;
    out->bytes -= m->len - out->done + NGX_REALTIME_OUT_COST;
    out->done = 0;

    if (out->first == NULL) {
        out->last = &out->first;
    }

    node->next = ngx_realtime_out_free;
    ngx_realtime_out_free = node;

    return m;
}


ngx_str_t
ngx_realtime_out_peek(ngx_realtime_out_t *out, u_char *buf, size_t size)
{
    u_char                   *p, *last;
    size_t                    done, len;
    ngx_str_t                 bytes;
    ngx_realtime_out_node_t  *node;

    node = out->first;
    done = out->done;

    if (node->next == NULL || node->message->len - done >= size) {
        bytes.data = node->message->data + done;
        bytes.len = node->message->len - done;
        return bytes;
    }

    p = buf;
    last = buf + size;

    for ( /* void */ ; node && p < last; node = node->next) {
        len = ngx_min(node->message->len - done, (size_t) (last - p));
        p = ngx_cpymem(p, node->message->data + done, len);
        done = 0;
    }

    bytes.data = buf;
    bytes.len = p - buf;

    return bytes;
}


void
ngx_realtime_out_written(ngx_realtime_out_t *out, size_t n)
{
    size_t  left;

    while (out->first) {

        left = out->first->message->len - out->done;

        if (n < left) {
            out->done += n;
            out->bytes -= n;
            return;
        }

        n -= left;

        ngx_realtime_msg_unref(ngx_realtime_out_shift(out));
    }
}


void
ngx_realtime_out_drop(ngx_realtime_out_t *out)
{
    ngx_realtime_msg_t  *m;

    for ( ;; ) {
        m = ngx_realtime_out_shift(out);
        if (m == NULL) {
            return;
        }

        ngx_realtime_msg_unref(m);
    }
}
