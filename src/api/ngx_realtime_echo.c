
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_echo.h"
#include "rt_json.h"


static ngx_int_t ngx_realtime_echo_named(rt_str_t *name, const char *s);
static void ngx_realtime_echo_emit(ngx_realtime_socket_t *sk,
    const char *event, rt_str_t args, ngx_str_t *attachments, ngx_uint_t n);


void
ngx_realtime_echo_connected(ngx_realtime_socket_t *sk, rt_str_t auth)
{
    rt_str_t  none = { 2, (const uint8_t *) "{}" };

    ngx_realtime_echo_emit(sk, "auth", auth.len ? auth : none, NULL, 0);
}


void
ngx_realtime_echo_event(ngx_realtime_socket_t *sk, ngx_realtime_in_t *in)
{
    rt_str_t   rest;
    ngx_str_t  args;

    rest = rt_json_rest(in->args);

    if (ngx_realtime_echo_named(&in->name, "message")) {
        ngx_realtime_echo_emit(sk, "message-back", rest, in->attachments,
                               in->nattachments);
        return;
    }

    if (in->has_id && ngx_realtime_echo_named(&in->name, "message-with-ack")) {
        args.data = (u_char *) rest.data;
        args.len = rest.len;

        ngx_realtime_socket_ack(sk, in->id, &args, in->attachments,
                                in->nattachments);
    }
}


static ngx_int_t
ngx_realtime_echo_named(rt_str_t *name, const char *s)
{
    return name->len == ngx_strlen(s) && ngx_memcmp(name->data, s, name->len)
                                         == 0;
}


/* args: the inside of an array, without the name; may be empty */

static void
ngx_realtime_echo_emit(ngx_realtime_socket_t *sk, const char *event,
    rt_str_t args, ngx_str_t *attachments, ngx_uint_t n)
{
    u_char     *p;
    ngx_str_t   all;

    all.data = ngx_alloc(ngx_strlen(event) + args.len + 3, sk->session->log);
    if (all.data == NULL) {
        return;
    }

    p = all.data;
    *p++ = '"';
    p = ngx_cpymem(p, event, ngx_strlen(event));
    *p++ = '"';

    if (args.len) {
        *p++ = ',';
        p = ngx_cpymem(p, args.data, args.len);
    }

    all.len = p - all.data;

    ngx_realtime_socket_emit_args(sk, &all, attachments, n);

    ngx_free(all.data);
}
