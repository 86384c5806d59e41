
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_chat_page.h"


int
ngx_realtime_chat_page_limit(ngx_int_t limit, int standard, int max)
{
    if (limit == 0) {
        return standard;
    }

    if (limit < 0) {
        return 1;
    }

    return limit > max ? max : (int) limit;
}


ngx_int_t
ngx_realtime_chat_page_next(ngx_realtime_call_t *call, const char *name,
    ngx_str_t *next)
{
    u_char  *p;
    size_t   size;

    size = sizeof("\"pagination\":{\"hasMore\":false,\"\":null}") - 1
           + ngx_strlen(name) + next->len;

    p = ngx_pnalloc(call->pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    call->extra.data = p;

    if (next->len) {
        p = ngx_sprintf(p, "\"pagination\":{\"hasMore\":true,\"%s\":\"%V\"}",
                        name, next);
    } else {
        p = ngx_sprintf(p, "\"pagination\":{\"hasMore\":false,\"%s\":null}",
                        name);
    }

    call->extra.len = p - call->extra.data;

    return NGX_OK;
}
