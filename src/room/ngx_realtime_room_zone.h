
/*
 * Copyright (C) ngx_realtime contributors
 */

/* What room/ keeps in the zone: for ngx_realtime_module.c to set up. */

#ifndef _NGX_REALTIME_ROOM_ZONE_H_INCLUDED_
#define _NGX_REALTIME_ROOM_ZONE_H_INCLUDED_


#include "ngx_realtime_bus.h"


/* zone part, see ngx_realtime_zone.h */
ngx_int_t ngx_realtime_room_create_zone(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log);

/* no worker has the slot any more; called with the slab mutex held */
void ngx_realtime_room_forget_slot(ngx_uint_t slot);


#endif /* _NGX_REALTIME_ROOM_ZONE_H_INCLUDED_ */
