
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * A socket does not outlive its token: see ngx_realtime_expiry.c.
 */

#ifndef _NGX_REALTIME_EXPIRY_H_INCLUDED_
#define _NGX_REALTIME_EXPIRY_H_INCLUDED_


#include "ngx_realtime_session.h"


/* ms to the warning or the end, whichever is nearer; a day at most */
ngx_msec_int_t ngx_realtime_expiry_delay(ngx_realtime_session_t *s);

/* NGX_DONE: it was time, and s is gone */
ngx_int_t ngx_realtime_expiry_check(ngx_realtime_session_t *s);

/* "auth_expiring", if it is due */
void ngx_realtime_expiry_warn(ngx_realtime_session_t *s);

/* a newer token of the socket's user has been verified */
void ngx_realtime_expiry_renew(ngx_realtime_socket_t *sk,
    ngx_realtime_identity_t *id);

/* {"expiresAt":...} */
#define NGX_REALTIME_EXPIRY_JSON_LEN                                          \
    (sizeof("{\"expiresAt\":\"1970-01-01T00:00:00.000Z\"}") - 1)
u_char *ngx_realtime_expiry_json(u_char *p, time_t expires);


#endif /* _NGX_REALTIME_EXPIRY_H_INCLUDED_ */
