
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


#endif /* _NGX_REALTIME_HANDSHAKE_H_INCLUDED_ */
