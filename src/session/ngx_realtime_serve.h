
/*
 * Copyright (C) ngx_realtime contributors
 */

#ifndef _NGX_REALTIME_SERVE_H_INCLUDED_
#define _NGX_REALTIME_SERVE_H_INCLUDED_


#include "ngx_realtime_poll.h"


/* a request from the bus */
void ngx_realtime_serve_received(ngx_uint_t from, u_char *data, size_t len);

/* one for a session of this worker; sid has no zero at its end */
void ngx_realtime_serve_request(u_char *sid, ngx_realtime_poll_op_e op,
    const ngx_realtime_waiter_t *waiter, u_char *body, size_t len);


#endif /* _NGX_REALTIME_SERVE_H_INCLUDED_ */
