
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * A worker's place in the zone: slot i of the zone belongs to process slot i
 * of the master.  A respawned worker gets the process slot of the dead one
 * (ngx_spawn_process()), so what it finds there is its predecessor's and the
 * predecessor is known to be reaped.
 *
 *   free --attach--> claimed --live--> live --detach--> free
 *                                       |
 *                      worker dies -----+--> repaired by the respawned worker
 *                                            or, within 1 s, by any other
 *
 * To repair is to make every layer forget the slot (the hook) and to clear
 * its bit in "live"; both happen under the slab mutex, and doing them twice
 * does no harm, so a repair that dies half-way is done again by the next.
 */

#ifndef _NGX_REALTIME_SLOT_H_INCLUDED_
#define _NGX_REALTIME_SLOT_H_INCLUDED_


#include "ngx_realtime_zone.h"


extern ngx_int_t  ngx_realtime_slot;       /* of this worker; -1: none */


#define ngx_realtime_slot_bit(i)  ((ngx_realtime_mask_t) 1 << (i))

/* slots that take part now */
#define ngx_realtime_slot_live_mask()                                         \
    __atomic_load_n(&ngx_realtime_zone_sh->live, __ATOMIC_ACQUIRE)


/* of the worker that has slot i */
#define ngx_realtime_slot_generation(i)                                       \
    (ngx_realtime_zone_sh->slots[i].generation)

/* is the worker still there that had slot i in that generation? */
#define ngx_realtime_slot_is(i, gen)                                          \
    ((ngx_realtime_slot_live_mask() & ngx_realtime_slot_bit(i))               \
     && ngx_realtime_slot_generation(i) == (gen))


/* forgets what slot i had; called with the slab mutex held */
typedef void (*ngx_realtime_slot_dead_pt)(ngx_uint_t i);

/* NGX_OK; NGX_DECLINED: this process gets no slot and takes no part */
ngx_int_t ngx_realtime_slot_attach(ngx_cycle_t *cycle,
    ngx_realtime_slot_dead_pt dead);

/* after every layer is ready to be addressed */
void ngx_realtime_slot_live(void);

void ngx_realtime_slot_detach(void);

/* called once a second, after the slots of dead workers were looked for */
void ngx_realtime_slot_on_sweep(void (*handler)(void));


#endif /* _NGX_REALTIME_SLOT_H_INCLUDED_ */
