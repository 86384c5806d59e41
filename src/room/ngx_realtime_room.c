
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The directory: which workers have members of a room.
 *
 *   zone      masks[hash(name) % n]   a bit per slot      all workers
 *   worker    heads[hash(name) % n]   chain of rooms      this worker
 *
 * The zone holds no names, no counts and no rooms, only for every bucket the
 * set of workers that have some room in it.  A worker sets its bit when its
 * chain of the bucket becomes non-empty and clears it when the chain is empty
 * again, both with one atomic instruction, so there is no lock, nothing to
 * allocate, nothing to leak, and a room costs the zone nothing.  A worker that
 * dies is repaired by clearing one column of bits.
 *
 * The price is that two rooms can share a bucket: then a worker is sent a
 * record for a room that it does not have and drops it.  With n buckets and k
 * rooms elsewhere that happens to about k / n of the records; n is 1/1024 of
 * the zone's bytes.
 *
 * A join is visible to a publisher that reads the mask after the join
 * returned; one that read it before is concurrent with the join.
 *
 * Beside its mask a bucket has a count of those who are to get what its rooms
 * get, here or away: ngx_realtime_room_expect().  What is done with both when
 * something is published is in ngx_realtime_room_publish.c.
 */


#include "ngx_realtime_history.h"
#include "ngx_realtime_room_publish.h"
#include "ngx_realtime_room_zone.h"
#include "rt_uuid7.h"


static ngx_realtime_room_t *ngx_realtime_room_create(ngx_uint_t bucket,
    ngx_str_t *name);
static void ngx_realtime_room_destroy(ngx_realtime_room_t *room);


ngx_realtime_rooms_t  ngx_realtime_rooms;


ngx_int_t
ngx_realtime_room_create_zone(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log)
{
    ngx_uint_t                    n;
    ngx_realtime_directory_sh_t  *dir;

    n = 1024;
    while (n * 2 <= sh->zone_size / 1024) {
        n *= 2;
    }

    dir = ngx_slab_calloc(shpool, offsetof(ngx_realtime_directory_sh_t, masks)
                                  + n * sizeof(ngx_realtime_mask_t));
    if (dir == NULL) {
        return NGX_ERROR;
    }

    dir->expected = ngx_slab_calloc(shpool, n * sizeof(int32_t));
    if (dir->expected == NULL) {
        return NGX_ERROR;
    }

    dir->buckets = n;
    sh->directory = dir;

    return NGX_OK;
}


void
ngx_realtime_room_forget_slot(ngx_uint_t slot)
{
    ngx_uint_t                    i;
    ngx_realtime_mask_t           bit;
    ngx_realtime_directory_sh_t  *dir;

    dir = ngx_realtime_zone_sh->directory;
    bit = ngx_realtime_slot_bit(slot);

    for (i = 0; i < dir->buckets; i++) {
        if (__atomic_load_n(&dir->masks[i], __ATOMIC_RELAXED) & bit) {
            __atomic_fetch_and(&dir->masks[i], ~bit, __ATOMIC_SEQ_CST);
        }
    }
}


ngx_int_t
ngx_realtime_room_init(ngx_cycle_t *cycle, ngx_realtime_room_ops_t *ops)
{
    ngx_realtime_rooms_t  *rooms;

    rooms = &ngx_realtime_rooms;

    rooms->sh = ngx_realtime_zone_sh->directory;
    rooms->ops = ops;
    rooms->log = cycle->log;

    rooms->heads = ngx_pcalloc(cycle->pool, rooms->sh->buckets
                                            * sizeof(ngx_realtime_room_t *));
    if (rooms->heads == NULL) {
        return NGX_ERROR;
    }

    ngx_realtime_room_publish_init();

    return NGX_OK;
}


ngx_int_t
ngx_realtime_room_join(ngx_realtime_seat_t *seat, ngx_str_t *name,
    void *member)
{
    ngx_uint_t            bucket;
    ngx_realtime_room_t  *room;

    bucket = ngx_realtime_room_bucket(name);

    room = ngx_realtime_room_find(bucket, name->data, name->len);

    if (room == NULL) {
        room = ngx_realtime_room_create(bucket, name);
        if (room == NULL) {
            return NGX_ERROR;
        }
    }

    seat->room = room;
    seat->member = member;
    ngx_queue_insert_tail(&room->seats, &seat->queue);

    return NGX_OK;
}


void
ngx_realtime_room_leave(ngx_realtime_seat_t *seat)
{
    ngx_realtime_room_t  *room;

    room = seat->room;

    if (room == NULL) {
        return;
    }

    ngx_queue_remove(&seat->queue);
    seat->room = NULL;

    if (ngx_queue_empty(&room->seats)) {
        ngx_realtime_room_destroy(room);
    }
}


ngx_realtime_room_t *
ngx_realtime_room_find(ngx_uint_t bucket, u_char *name, size_t len)
{
    ngx_realtime_room_t  *room;

    for (room = ngx_realtime_rooms.heads[bucket]; room; room = room->next) {
        if (room->len == len && ngx_memcmp(room->name, name, len) == 0) {
            return room;
        }
    }

    return NULL;
}


static ngx_realtime_room_t *
ngx_realtime_room_create(ngx_uint_t bucket, ngx_str_t *name)
{
    ngx_realtime_room_t   *room;
    ngx_realtime_rooms_t  *rooms;

    rooms = &ngx_realtime_rooms;

    room = ngx_alloc(sizeof(ngx_realtime_room_t) + name->len, rooms->log);
    if (room == NULL) {
        return NULL;
    }

    room->bucket = bucket;
    room->len = name->len;
    ngx_memcpy(room->name, name->data, name->len);
    ngx_queue_init(&room->seats);

    room->next = rooms->heads[bucket];
    rooms->heads[bucket] = room;

    if (room->next == NULL) {
        __atomic_fetch_or(&rooms->sh->masks[bucket],
                          ngx_realtime_slot_bit(ngx_realtime_slot),
                          __ATOMIC_SEQ_CST);
    }

    return room;
}


static void
ngx_realtime_room_destroy(ngx_realtime_room_t *room)
{
    ngx_realtime_room_t   **p;
    ngx_realtime_rooms_t   *rooms;

    rooms = &ngx_realtime_rooms;

    for (p = &rooms->heads[room->bucket]; *p != room; p = &(*p)->next) {
        /* void */
    }

    *p = room->next;

    if (rooms->heads[room->bucket] == NULL) {
        __atomic_fetch_and(&rooms->sh->masks[room->bucket],
                           ~ngx_realtime_slot_bit(ngx_realtime_slot),
                           __ATOMIC_SEQ_CST);
    }

    ngx_free(room);
}


void
ngx_realtime_room_expect(uint32_t hash, int32_t by)
{
    ngx_realtime_directory_sh_t  *dir;

    dir = ngx_realtime_zone_sh->directory;

    __atomic_fetch_add(&dir->expected[hash & (dir->buckets - 1)], by,
                       __ATOMIC_SEQ_CST);
}


ngx_int_t
ngx_realtime_room_of_user(ngx_str_t *name, u_char *buf, ngx_str_t *user)
{
    u_char  *p;

    if (user->len > NGX_REALTIME_USER_MAX) {
        return NGX_ERROR;
    }

    name->data = buf;
    name->len = sizeof(NGX_REALTIME_ROOM_USER) - 1 + user->len;

    p = ngx_cpymem(buf, NGX_REALTIME_ROOM_USER,
                   sizeof(NGX_REALTIME_ROOM_USER) - 1);

    if (rt_uuid_parse(user->data, user->len, p) != RT_OK) {
        ngx_memcpy(p, user->data, user->len);
    }

    return NGX_OK;
}
