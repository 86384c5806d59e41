
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_ws_message.h"


ngx_int_t
ngx_realtime_ws_message_add(ngx_realtime_ws_message_t *message,
    const rt_str_t *piece, ngx_uint_t last, ngx_log_t *log)
{
    u_char  *p;
    size_t   need, size;

    need = message->len + piece->len;

    if (need > message->size || message->data == NULL) {

        /* as much as the frame says, but no more than twice what is there:
           a header alone buys nobody a megabyte */

        size = last ? need : ngx_max(need * 2, 512);

        p = ngx_alloc(ngx_max(size, 1), log);
        if (p == NULL) {
            return NGX_ERROR;
        }

        if (message->data) {
            ngx_memcpy(p, message->data, message->len);
            ngx_free(message->data);
        }

        message->data = p;
        message->size = size;
    }

    ngx_memcpy(message->data + message->len, piece->data, piece->len);
    message->len = need;

    return NGX_OK;
}


void
ngx_realtime_ws_message_drop(ngx_realtime_ws_message_t *message)
{
    if (message->data) {
        ngx_free(message->data);
        ngx_memzero(message, sizeof(ngx_realtime_ws_message_t));
    }
}
