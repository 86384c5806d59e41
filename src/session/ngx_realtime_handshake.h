
/*
 * Copyright (C) ngx_realtime contributors
 */

#ifndef _NGX_REALTIME_HANDSHAKE_H_INCLUDED_
#define _NGX_REALTIME_HANDSHAKE_H_INCLUDED_


#include "ngx_realtime.h"


/*
 * Content handler of a location with "realtime_socket".  The order of the
 * checks and the texts are those of engine.io 6.6 (protocol document, 4.1).
 */
ngx_int_t ngx_realtime_handshake_handler(ngx_http_request_t *r);

/*
 * A refusal as engine.io words it: JSON with the code (rt_eio_error_e) for a
 * request, the bare message for a WebSocket handshake; why is for the log.
 * Returns what a content handler returns.
 */
ngx_int_t ngx_realtime_handshake_error(ngx_http_request_t *r,
    ngx_int_t code, const char *why);

/* the same for any status; type and body live as long as the request */
ngx_int_t ngx_realtime_handshake_reply(ngx_http_request_t *r,
    ngx_uint_t status, const ngx_str_t *type, ngx_str_t *body);


#endif /* _NGX_REALTIME_HANDSHAKE_H_INCLUDED_ */
