
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Tokens that are void before they expire: those of a user, or of everybody,
 * that were issued before a moment, and single ones by their "jti".
 *
 * A table in the zone, so that all workers have it and a reload keeps it: see
 * ngx_realtime_revoke.c.  ngx_realtime_auth_verify() asks it for every token;
 * who holds an identity for longer asks again when he uses it.
 */

#ifndef _NGX_REALTIME_REVOKE_H_INCLUDED_
#define _NGX_REALTIME_REVOKE_H_INCLUDED_


#include "ngx_realtime_zone.h"


typedef enum {
    NGX_REALTIME_REVOKE_ALL = 0,
    NGX_REALTIME_REVOKE_USER,
    NGX_REALTIME_REVOKE_JTI
} ngx_realtime_revoke_e;


/* a record on the bus, too: no addresses */

typedef struct {
    u_char                     key[NGX_REALTIME_JTI_LEN];  /* digest of the
                                                              user or the
                                                              jti */
    int64_t                    before;     /* s; JTI: not used */
    int64_t                    until;      /* s: forgotten then; ALL: never */
    uint32_t                   kind;
} ngx_realtime_revoke_t;


/* zone part, see ngx_realtime_zone.h */
ngx_int_t ngx_realtime_revoke_create(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log);

/* never all zeros: that is no jti */
void ngx_realtime_revoke_key(ngx_realtime_revoke_e kind, ngx_str_t *text,
    u_char *key);

/* NGX_OK; NGX_BUSY: there is no room for it */
ngx_int_t ngx_realtime_revoke_add(ngx_realtime_revoke_t *revoke);

/* whether the token of id is void */
ngx_uint_t ngx_realtime_revoke_is(ngx_realtime_identity_t *id);

/* whether it is, by this one; user: the key of id's user */
ngx_uint_t ngx_realtime_revoke_covers(ngx_realtime_revoke_t *revoke,
    ngx_realtime_identity_t *id, const u_char *user);


#endif /* _NGX_REALTIME_REVOKE_H_INCLUDED_ */
