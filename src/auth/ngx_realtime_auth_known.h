
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Tokens whose signature this worker has verified.
 */

#ifndef _NGX_REALTIME_AUTH_KNOWN_H_INCLUDED_
#define _NGX_REALTIME_AUTH_KNOWN_H_INCLUDED_


#include "ngx_realtime.h"


#define NGX_REALTIME_AUTH_KNOWN_LEN  32    /* SHA-256 */


/*
 * Whether token was verified with keys, an array that lives as long as its
 * cycle.  digest is what to remember it by; NGX_ERROR: there is none.
 */
ngx_int_t ngx_realtime_auth_known(ngx_array_t *keys, ngx_str_t *token,
    u_char *digest);

void ngx_realtime_auth_remember(u_char *digest);


#endif /* _NGX_REALTIME_AUTH_KNOWN_H_INCLUDED_ */
