
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * A WebSocket message that comes in pieces.  All zeroes: there is none.
 */

#ifndef _NGX_REALTIME_WS_MESSAGE_H_INCLUDED_
#define _NGX_REALTIME_WS_MESSAGE_H_INCLUDED_


#include "ngx_realtime.h"
#include "rt.h"


typedef struct {
    u_char                    *data;       /* malloc'ed */
    size_t                     len;
    size_t                     size;
} ngx_realtime_ws_message_t;


/* data is there afterwards, even if all pieces are empty; NGX_ERROR: no
   memory */
ngx_int_t ngx_realtime_ws_message_add(ngx_realtime_ws_message_t *message,
    const rt_str_t *piece, ngx_uint_t last, ngx_log_t *log);

void ngx_realtime_ws_message_drop(ngx_realtime_ws_message_t *message);


#endif /* _NGX_REALTIME_WS_MESSAGE_H_INCLUDED_ */
