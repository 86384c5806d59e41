
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * permessage-deflate (RFC 7692) for the WebSockets of a worker.
 *
 * No message depends on another one, in either direction.  So there is one
 * stream each way, made when the first connection agrees on the extension,
 * and a connection has nothing of its own but the agreement; and a message
 * is compressed at most once, however many connections it goes to.
 *
 * Both work at once, within the call: at level 1 a message of 1 MB takes about
 * 8 ms to compress and 3 ms to inflate.
 */

#ifndef _NGX_REALTIME_WS_DEFLATE_H_INCLUDED_
#define _NGX_REALTIME_WS_DEFLATE_H_INCLUDED_


#include "ngx_realtime.h"
#include "ngx_realtime_msg.h"


/* of a handshake: NGX_OK, the answer has been added to the headers;
   NGX_DECLINED, nothing was offered that we can do; NGX_ERROR */
ngx_int_t ngx_realtime_ws_deflate_offer(ngx_http_request_t *r);

/* what to queue for m: its compressed frame, or m itself if that is as small;
   the reference to the frame is m's */
ngx_realtime_msg_t *ngx_realtime_ws_deflate_frame(ngx_realtime_msg_t *m,
    ngx_log_t *log);

/* one whole message; out->data is malloc'ed, the caller's.  0, or the code to
   close with, and why */
ngx_uint_t ngx_realtime_ws_deflate_inflate(const u_char *p, size_t len,
    size_t max, ngx_uint_t text, ngx_str_t *out, const char **why);


#endif /* _NGX_REALTIME_WS_DEFLATE_H_INCLUDED_ */
