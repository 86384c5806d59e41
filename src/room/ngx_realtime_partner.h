
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Who shares a conversation with a user: copies in the zone of what Postgres
 * has, for all workers, as long as ngx_realtime_version() says that they are
 * good.  A user with more partners than fit has none here.
 *
 * Four entries are a set, and the id of the user leads to a set.  One writer
 * at a time, who holds the slab mutex for the copy; seq is odd while it is
 * being made, and remains so when the writer dies: a reader takes that for a
 * miss, and the next writer for a place to write to.
 */

#ifndef _NGX_REALTIME_PARTNER_H_INCLUDED_
#define _NGX_REALTIME_PARTNER_H_INCLUDED_


#include "ngx_realtime_version.h"


#define NGX_REALTIME_PARTNER_MAX  30


/* zone part, see ngx_realtime_zone.h */
ngx_int_t ngx_realtime_partner_create(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log);

/*
 * ids have RT_UUID_BYTES each, and partners room for NGX_REALTIME_PARTNER_MAX
 * of them.  NGX_OK: *n partners; NGX_DECLINED: unknown here.
 */
ngx_int_t ngx_realtime_partner_find(const u_char *user, u_char *partners,
    ngx_uint_t *n);

/*
 * What Postgres said; version is that of the user when it was asked.  With
 * more than fit, nothing is read of partners, and what was kept before is gone.
 */
void ngx_realtime_partner_keep(const u_char *user, uint32_t version,
    const u_char *partners, ngx_uint_t n);


#endif /* _NGX_REALTIME_PARTNER_H_INCLUDED_ */
