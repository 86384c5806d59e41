
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Private to the files of rooms:
 *
 *   ngx_realtime_room.c          the directory: who is in what, on which worker
 *   ngx_realtime_room_publish.c  what is published, and how it gets there
 */

#ifndef _NGX_REALTIME_ROOM_PUBLISH_H_INCLUDED_
#define _NGX_REALTIME_ROOM_PUBLISH_H_INCLUDED_


#include "ngx_realtime_room.h"
#include "ngx_realtime_zone.h"


typedef struct {
    ngx_uint_t                 buckets;    /* a power of two */
    int32_t                   *expected;   /* per bucket; atomic */
    ngx_realtime_mask_t        masks[1];
} ngx_realtime_directory_sh_t;


struct ngx_realtime_room_s {
    ngx_realtime_room_t       *next;       /* in its bucket */
    ngx_queue_t                seats;
    uint32_t                   bucket;
    uint32_t                   len;
    u_char                     name[];
};


typedef struct {
    ngx_realtime_directory_sh_t  *sh;
    ngx_realtime_room_t         **heads;
    ngx_realtime_room_ops_t      *ops;
    ngx_log_t                    *log;
} ngx_realtime_rooms_t;


extern ngx_realtime_rooms_t  ngx_realtime_rooms;


#define ngx_realtime_room_bucket(name)                                        \
    (ngx_murmur_hash2((name)->data, (name)->len)                              \
     & (ngx_realtime_rooms.sh->buckets - 1))


/* NULL: nobody is in it on this worker */
ngx_realtime_room_t *ngx_realtime_room_find(ngx_uint_t bucket, u_char *name,
    size_t len);

/* handles what other workers publish */
void ngx_realtime_room_publish_init(void);


#endif /* _NGX_REALTIME_ROOM_PUBLISH_H_INCLUDED_ */
