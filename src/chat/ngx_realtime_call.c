
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_chat.h"


#define NGX_REALTIME_CALL_POOL  2048


ngx_realtime_call_t *
ngx_realtime_call_create(ngx_log_t *log, ngx_realtime_identity_t *caller,
    ngx_str_t *socket)
{
    ngx_pool_t           *pool;
    ngx_realtime_call_t  *call;

    pool = ngx_create_pool(NGX_REALTIME_CALL_POOL, log);
    if (pool == NULL) {
        return NULL;
    }

    call = ngx_pcalloc(pool, sizeof(ngx_realtime_call_t));
    if (call == NULL) {
        goto failed;
    }

    call->pool = pool;
    call->log = log;
    call->status = NGX_HTTP_OK;

    call->caller.expires = caller->expires;
    call->caller.user.len = caller->user.len;
    call->caller.user.data = ngx_pstrdup(pool, &caller->user);
    if (call->caller.user.data == NULL) {
        goto failed;
    }

    if (socket && socket->len) {
        call->socket.len = socket->len;
        call->socket.data = ngx_pstrdup(pool, socket);
        if (call->socket.data == NULL) {
            goto failed;
        }
    }

    return call;

failed:

    ngx_destroy_pool(pool);

    return NULL;
}


void
ngx_realtime_call_done(ngx_realtime_call_t *call)
{
    ngx_pool_t  *pool;

    pool = call->pool;

    call->done(call);

    ngx_destroy_pool(pool);
}


void
ngx_realtime_call_refuse(ngx_realtime_call_t *call,
    ngx_realtime_refusal_e why)
{
    call->refusal = why;

    ngx_realtime_call_done(call);
}
