
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_refusal.h"


static const ngx_realtime_refusal_t  ngx_realtime_refusals[] = {

    { ngx_null_string, ngx_null_string, ngx_null_string, NGX_HTTP_OK, 0 },

#define NGX_REALTIME_REFUSAL_RECORD(name, code, http, retry, text, socket)    \
    { ngx_string(code), ngx_string(text), ngx_string(socket), http, retry },

    NGX_REALTIME_REFUSALS(NGX_REALTIME_REFUSAL_RECORD)
};


const ngx_realtime_refusal_t *
ngx_realtime_refusal(ngx_realtime_refusal_e id)
{
    if (id <= NGX_REALTIME_R_NONE || id >= NGX_REALTIME_R_MAX) {
        id = NGX_REALTIME_R_INTERNAL;
    }

    return &ngx_realtime_refusals[id];
}
