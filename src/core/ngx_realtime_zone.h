
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The zone: what all workers must agree on.
 *
 *   shpool->data -> header -> slots[64]    core/   who is alive, counters
 *                          -> bus          bus/    a ring per slot, eventfds
 *                          -> directory    room/   who has members of what
 *                          -> history      room/   what was published lately
 *                          -> recovery     session/ who may come back
 *                          -> flights      chat/   what may have been stored
 *                          -> versions     room/   which copies are good
 *                          -> presence     room/   who is here
 *                          -> partners     room/   who knows whom
 *                          -> rates        core/   who does it too often
 *                          -> revocations  auth/   which tokens are void
 *                          -> jobs         chat/   who runs them, which ran
 *
 * The master makes it and every worker inherits the mapping at the same
 * address, so the zone may hold addresses of the zone; it never holds an
 * address of a process.  It is reused across a reload when name and size are
 * unchanged.  A zone of another layout version is never attached to: the tag
 * of the zone is the version, and nginx itself refuses the same zone with
 * another tag.
 *
 * The one lock is the slab mutex, because the master releases that one, and
 * no other, when a worker dies (ngx_unlock_mutexes()).  It guards the claim
 * and the repair of slots, and where a user has his place when he comes, and
 * nothing on a message's way.
 */

#ifndef _NGX_REALTIME_ZONE_H_INCLUDED_
#define _NGX_REALTIME_ZONE_H_INCLUDED_


#include "ngx_realtime.h"
#include "ngx_realtime_counter.h"


#define NGX_REALTIME_ZONE_MAGIC     0x52545a4e       /* "RTZN" */
#define NGX_REALTIME_ZONE_LAYOUT    11               /* change: bump it */
#define NGX_REALTIME_ZONE_TAG                                                 \
    ((void *) (uintptr_t) (0x53494f0000 + NGX_REALTIME_ZONE_LAYOUT))
#define NGX_REALTIME_ZONE_MIN       (16 * 1024 * 1024)

#define NGX_REALTIME_SLOTS          64     /* bits of a mask */
#define NGX_REALTIME_CACHELINE      64


typedef uint64_t  ngx_realtime_mask_t;     /* a bit per slot */


typedef struct {
    ngx_pid_t                  pid;        /* 0: free */
    uint64_t                   generation; /* owners so far */
    uint64_t                   seen;       /* zone time: the owner had read
                                              all that was for it */
    uint64_t                   counters[NGX_REALTIME_C_MAX];
} __attribute__((aligned(NGX_REALTIME_CACHELINE))) ngx_realtime_slot_sh_t;


typedef struct {
    uint32_t                   magic;
    uint32_t                   layout;
    size_t                     size;       /* of this struct */
    size_t                     zone_size;
    uint64_t                   boots;      /* times the zone was attached */

    void                      *bus;        /* bus/'s */
    void                      *directory;  /* room/'s */
    void                      *history;    /* room/'s */
    void                      *recovery;   /* session/'s */
    void                      *flights;    /* chat/'s */
    void                      *versions;   /* room/'s */
    void                      *presence;   /* room/'s */
    void                      *partners;   /* room/'s */
    void                      *rates;      /* core/'s */
    void                      *revocations;  /* auth/'s */
    void                      *jobs;       /* chat/'s */

    ngx_realtime_mask_t        live        /* slots that take part; atomic */
        __attribute__((aligned(NGX_REALTIME_CACHELINE)));

    ngx_realtime_slot_sh_t     slots[NGX_REALTIME_SLOTS];
} ngx_realtime_zone_sh_t;


/* a part of the zone that a layer above core/ owns: called in the master,
   once for a new zone */
typedef ngx_int_t (*ngx_realtime_zone_part_pt)(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log);


extern ngx_realtime_zone_sh_t  *ngx_realtime_zone_sh;  /* of this worker */
extern ngx_slab_pool_t         *ngx_realtime_zone_pool;


/* zone time: seconds of the one clock that workers share and nobody sets */
#define ngx_realtime_zone_time()  ((time_t) (ngx_current_msec / 1000))


/*
 * What a zone has outside of itself, such as descriptors: keep() notes it in
 * the master's own memory when the zone is new, retire() gives it up after
 * the zone has gone from the configuration, when it is unmapped already.
 */

typedef struct {
    void                    *(*keep)(ngx_realtime_zone_sh_t *sh);
    void                     (*retire)(void *kept);
} ngx_realtime_zone_keeper_t;


/* realtime_zone NAME SIZE; parts is a NULL-terminated list */
char *ngx_realtime_zone_directive(ngx_conf_t *cf,
    ngx_realtime_main_conf_t *rmcf, ngx_realtime_zone_part_pt *parts,
    const ngx_realtime_zone_keeper_t *keeper);

/* in a worker */
void ngx_realtime_zone_attach(ngx_shm_zone_t *zone);


#endif /* _NGX_REALTIME_ZONE_H_INCLUDED_ */
