
/*
 * Copyright (C) ngx_realtime contributors
 */

#ifndef _NGX_REALTIME_UPGRADE_H_INCLUDED_
#define _NGX_REALTIME_UPGRADE_H_INCLUDED_


#include "ngx_realtime.h"


ngx_int_t ngx_realtime_upgrade_init(ngx_cycle_t *cycle);

/* content of a WebSocket handshake with the sid of a polling session */
ngx_int_t ngx_realtime_upgrade_handler(ngx_http_request_t *r, ngx_str_t *sid);


#endif /* _NGX_REALTIME_UPGRADE_H_INCLUDED_ */
