
/*
 * Copyright (C) ngx_realtime contributors
 */

#ifndef _NGX_REALTIME_LOG_H_INCLUDED_
#define _NGX_REALTIME_LOG_H_INCLUDED_


#include "ngx_realtime.h"


/*
 * One line for what went wrong with a client, always of this shape:
 *
 *   realtime: <what>: <why>, user: "<id>", socket: "<sid>"
 *
 * Bytes that came from a client are escaped and cut.  user and socket may be
 * NULL.  The level of a client's own mistakes is NGX_LOG_INFO, as in nginx.
 */

void ngx_realtime_log_client(ngx_uint_t level, ngx_log_t *log,
    const char *what, const char *why, ngx_str_t *user, ngx_str_t *socket);


#endif /* _NGX_REALTIME_LOG_H_INCLUDED_ */
