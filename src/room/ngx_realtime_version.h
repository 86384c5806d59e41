
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Whether a copy of what Postgres has is still good, for all workers: an
 * array of counters in the zone, and the id of a user or a conversation leads
 * to one of them.
 *
 *   v = version(id)   ask Postgres   keep the answer together with v
 *   use what was kept only if version(id) is still v
 *   who has changed the rows: bump(id), after the commit
 *
 * So a copy that was made while the rows were being changed is not believed
 * either, a worker that dies leaves nothing behind, and nobody is told: the
 * price is that ids which share a counter lose their copies together.
 */

#ifndef _NGX_REALTIME_VERSION_H_INCLUDED_
#define _NGX_REALTIME_VERSION_H_INCLUDED_


#include "ngx_realtime_zone.h"


/* zone part, see ngx_realtime_zone.h */
ngx_int_t ngx_realtime_version_create(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log);

/* id: RT_UUID_BYTES */
uint32_t ngx_realtime_version(const u_char *id);
void ngx_realtime_version_bump(const u_char *id);


#endif /* _NGX_REALTIME_VERSION_H_INCLUDED_ */
