
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Worker to worker: records through the zone, woken by eventfd.
 *
 *   send -> own ring -> wake those who are not awake -> their event loop
 *             | full
 *             +-> waiting list of this worker, bounded; over the bound the
 *                 slowest reader is given up and told so (a gap)
 *
 * The bus knows slots and bytes; what a record means is its handler's.  A
 * payload may be of any size: one larger than a record goes out in pieces
 * and is put together by the reader.
 *
 * The eventfds are made by the master with the zone and inherited by every
 * worker, so old and new workers can wake each other during a reload.
 */

#ifndef _NGX_REALTIME_BUS_H_INCLUDED_
#define _NGX_REALTIME_BUS_H_INCLUDED_


#include "ngx_realtime_slot.h"


/* a closed list: name of the type, its number is its place */

#define NGX_REALTIME_BUS_TYPES(X)                                             \
    X(PUBLISH)      /* room: a packet for the members of a room */            \
    X(PUBLISH_MANY) /* room: a packet for the members of many rooms */        \
    X(POLL)         /* session: asked of the worker that has a session */     \
    X(ANSWER)       /* session: to who asked */                               \
    X(UPGRADE)      /* session: to the worker with the probing WebSocket */   \
    X(RESUMED)      /* session: to the worker whose client came back here */ \
    X(PEOPLE)       /* session: a user's sockets are asked for, or told */    \
    X(PERSON)       /* session: to who asked */                               \
    X(REVOKED)      /* session: tokens are void */                            \
    X(EMIT)         /* session: an event that a user's sockets acknowledge */ \
    X(EMITTED)      /* session: which of them got it, to who sent it */       \
    X(ACK)          /* session: what one of them answered, to him as well */


typedef enum {
#define NGX_REALTIME_BUS_TYPE(name)  NGX_REALTIME_BUS_##name,
    NGX_REALTIME_BUS_TYPES(NGX_REALTIME_BUS_TYPE)
#undef NGX_REALTIME_BUS_TYPE
    NGX_REALTIME_BUS_MAX
} ngx_realtime_bus_type_e;


/* data is the bus's own and valid until the handler returns */
typedef void (*ngx_realtime_bus_pt)(ngx_uint_t from, u_char *data,
    size_t len);


/*
 * Where what is being handled came from: valid within a handler, and within
 * ngx_realtime_room_publish() for the members of this worker.  position is
 * comparable with the cursors of other readers of the same ring.
 */

typedef struct {
    ngx_uint_t                 from;       /* slot */
    uint64_t                   position;   /* in its ring */
    ngx_realtime_mask_t        readers;    /* who else was sent it */
} ngx_realtime_bus_origin_t;

extern ngx_realtime_bus_origin_t  ngx_realtime_bus_origin;

/* how far this worker has read each ring, and how far its own has got */
void ngx_realtime_bus_cursors(uint64_t *cursors);

/* how far each ring has got */
void ngx_realtime_bus_heads(uint64_t *heads);

/* reads all rings, once this turn of the event loop gets to it */
void ngx_realtime_bus_poke(void);

/* zone time: until when this worker has read all that was for it; the zone
   has it, too, at most a second older */
time_t ngx_realtime_bus_seen(void);


/* zone part, see ngx_realtime_zone.h */
ngx_int_t ngx_realtime_bus_create(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log);

/* the eventfds outlive the mapping of the zone */
extern const ngx_realtime_zone_keeper_t  ngx_realtime_bus_keeper;

ngx_int_t ngx_realtime_bus_init(ngx_cycle_t *cycle);
void ngx_realtime_bus_exit(ngx_cycle_t *cycle);

void ngx_realtime_bus_handle(ngx_realtime_bus_type_e type,
    ngx_realtime_bus_pt handler);

/* called when this worker lagged and records for it were lost */
void ngx_realtime_bus_on_gap(void (*handler)(void));

/* to the live slots of mask but this worker's own */
void ngx_realtime_bus_send(ngx_realtime_mask_t mask,
    ngx_realtime_bus_type_e type, const ngx_str_t *parts, ngx_uint_t n);


#endif /* _NGX_REALTIME_BUS_H_INCLUDED_ */
