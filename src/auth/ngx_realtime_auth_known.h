
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Tokens that this worker has verified.
 */

#ifndef _NGX_REALTIME_AUTH_KNOWN_H_INCLUDED_
#define _NGX_REALTIME_AUTH_KNOWN_H_INCLUDED_


#include "ngx_realtime.h"


#define NGX_REALTIME_AUTH_KNOWN_LEN  32    /* SHA-256 */


/* seconds, as the token has them; what it has not compares well */

typedef struct {
    double                     exp;        /* HUGE_VAL: none */
    double                     nbf;        /* -HUGE_VAL: none */
    double                     iat;        /* the same */
} ngx_realtime_auth_times_t;


/* what a token says, for those who need not read it again */

typedef struct {
    ngx_realtime_auth_times_t  times;
    ngx_realtime_identity_t    id;         /* user.data is not set */
    u_char                     user[NGX_REALTIME_USER_MAX];
} ngx_realtime_auth_said_t;


/*
 * Whether token was verified for scope, which is whatever it was verified
 * with and lives as long as its cycle.  digest is what to remember it by.
 * NGX_OK, and what was remembered until the next call; NGX_DECLINED;
 * NGX_ERROR: there is no digest.
 */
ngx_int_t ngx_realtime_auth_known(void *scope, ngx_str_t *token,
    u_char *digest, ngx_realtime_auth_said_t **said);

/* the place to fill in at once */
ngx_realtime_auth_said_t *ngx_realtime_auth_remember(u_char *digest);


#endif /* _NGX_REALTIME_AUTH_KNOWN_H_INCLUDED_ */
