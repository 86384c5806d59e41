
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * What was published lately, for those who come back: every event of a room
 * with its place, and for each room the way back from its newest event to the
 * older ones.  See ngx_realtime_history.c for the layout.
 */

#ifndef _NGX_REALTIME_HISTORY_H_INCLUDED_
#define _NGX_REALTIME_HISTORY_H_INCLUDED_


#include "ngx_realtime.h"
#include "ngx_realtime_msg.h"
#include "ngx_realtime_zone.h"


typedef struct {
    uint64_t                   place;
    uint64_t                   previous;   /* of its chain; 0: none, or not
                                              on a chain */
    time_t                     time;       /* zone time */
    ngx_uint_t                 slot;       /* of who published it */
    unsigned                   dispensable:1;  /* not kept: nobody wants it
                                                  again */
    unsigned                   lost:1;     /* payload not kept: too large */
    ngx_str_t                  room;       /* len 0: to one socket only */
    ngx_str_t                  except;     /* and then its sid */
    ngx_str_t                  payload;
} ngx_realtime_entry_t;


/* zone part, see ngx_realtime_zone.h */
ngx_int_t ngx_realtime_history_create(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log);

/* in a worker that has its slot */
ngx_int_t ngx_realtime_history_init(ngx_cycle_t *cycle);

/* no worker has the slot any more; called with the slab mutex held */
void ngx_realtime_history_forget_slot(ngx_uint_t slot);

/*
 * Gives m its place, seals and keeps it.  room NULL: for one socket, whose sid
 * is except, found only by its place; else hash is
 * ngx_realtime_history_hash() of its name, and the event is on the room's
 * chain before this returns.  m->dispensable has a place, so that it can be an
 * offset, but is not kept.
 */
void ngx_realtime_history_add(ngx_str_t *room, uint32_t hash,
    ngx_str_t *except, ngx_realtime_msg_t *m);

#define ngx_realtime_history_hash(name)                                       \
    ngx_murmur_hash2((name)->data, (name)->len)

/*
 * What is published to many rooms is kept once, with a list instead of the
 * room: NUL, and the hashes of the rooms' names.  It is on no chain by itself,
 * but by a reference on that of each room.
 */
#define NGX_REALTIME_HISTORY_ROOMS(n)  (1 + (n) * sizeof(uint32_t))

#define ngx_realtime_history_is_shared(room)                                  \
    ((room)->len && (room)->data[0] == '\0')

void ngx_realtime_history_refer(ngx_str_t *room, uint32_t hash,
    uint64_t place);

/* the newest event of the room's chain, which other rooms may share; 0: none */
uint64_t ngx_realtime_history_newest(uint32_t hash);

/*
 * The strings of e are in a buffer of this worker until the next call.  Of a
 * reference, e has the place and the payload of what it refers to.
 * NGX_DECLINED: overwritten, or never was.
 */
ngx_int_t ngx_realtime_history_read(uint64_t place, ngx_realtime_entry_t *e);

/* events of this second and before may have been overwritten */
time_t ngx_realtime_history_lost(void);

/* the place that has these 32 lower bits of place / 8 */
uint64_t ngx_realtime_history_expand(uint32_t short_place);
#define ngx_realtime_history_shorten(place)  ((uint32_t) ((place) / 8))


#endif /* _NGX_REALTIME_HISTORY_H_INCLUDED_ */
