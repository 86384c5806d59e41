
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
 * What is published goes to the history first (ngx_realtime_history.c), for
 * members who are away.  How many of those a bucket may have is counted
 * beside its mask: for a room without anybody nothing is kept.
 */


#include "ngx_realtime_history.h"
#include "ngx_realtime_room.h"
#include "ngx_realtime_room_zone.h"
#include "rt_uuid7.h"


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


/* PUBLISH on the bus: this, the name, the excepted sid, the payload */

typedef struct {
    uint64_t                   place;      /* in the history; 0: none */
    uint32_t                   bucket;
    uint16_t                   name;       /* lengths */
    uint8_t                    except;
    unsigned                   dispensable:1;
    unsigned                   offset:1;
} ngx_realtime_publish_t;


/* PUBLISH_MANY: this, the list of rooms, the payload */

typedef struct {
    uint64_t                   place;
    uint32_t                   list;       /* bytes of it */
    unsigned                   dispensable:1;
    unsigned                   offset:1;
} ngx_realtime_publish_many_t;


/* of the list: hash and length, unaligned, and the name */

#define NGX_REALTIME_ROOM_ITEM   (sizeof(uint32_t) + sizeof(uint16_t))

/* rooms of one event: so many hashes are kept with it */

#define NGX_REALTIME_ROOM_GROUP  256


typedef struct {
    ngx_realtime_directory_sh_t  *sh;
    ngx_realtime_room_t         **heads;
    ngx_realtime_room_ops_t      *ops;
    ngx_log_t                    *log;
} ngx_realtime_rooms_t;


static ngx_realtime_room_t *ngx_realtime_room_find(ngx_uint_t bucket,
    u_char *name, size_t len);
static ngx_realtime_room_t *ngx_realtime_room_create(ngx_uint_t bucket,
    ngx_str_t *name);
static void ngx_realtime_room_destroy(ngx_realtime_room_t *room);
static ngx_uint_t ngx_realtime_room_is_deserted(uint32_t bucket);
static void ngx_realtime_room_tell(ngx_realtime_mask_t mask, uint32_t bucket,
    ngx_str_t *name, ngx_str_t *except, ngx_realtime_msg_t *m);
static void ngx_realtime_room_deliver(ngx_realtime_room_t *room,
    ngx_str_t *except, ngx_realtime_msg_t *m);
static ngx_uint_t ngx_realtime_room_is_except(ngx_realtime_seat_t *seat,
    ngx_str_t *except);
static void ngx_realtime_room_publish_group(ngx_str_t *users, ngx_uint_t n,
    ngx_realtime_msg_t *m);
static u_char *ngx_realtime_room_list(u_char *p, ngx_str_t *users,
    ngx_uint_t n, ngx_str_t *rooms);
static ngx_realtime_mask_t ngx_realtime_room_refer(u_char *p, u_char *last,
    ngx_realtime_msg_t *m);
static void ngx_realtime_room_tell_many(ngx_realtime_mask_t mask,
    u_char *list, size_t len, ngx_realtime_msg_t *m);
static void ngx_realtime_room_deliver_many(u_char *p, u_char *last,
    ngx_realtime_msg_t *m);
static void ngx_realtime_room_receive(ngx_uint_t from, u_char *data,
    size_t len);
static void ngx_realtime_room_receive_many(ngx_uint_t from, u_char *data,
    size_t len);


static ngx_realtime_rooms_t  ngx_realtime_rooms;


#define ngx_realtime_room_bucket(name)                                        \
    (ngx_murmur_hash2((name)->data, (name)->len)                              \
     & (ngx_realtime_rooms.sh->buckets - 1))


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

    ngx_realtime_bus_handle(NGX_REALTIME_BUS_PUBLISH,
                            ngx_realtime_room_receive);
    ngx_realtime_bus_handle(NGX_REALTIME_BUS_PUBLISH_MANY,
                            ngx_realtime_room_receive_many);

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


static ngx_realtime_room_t *
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
ngx_realtime_room_publish(ngx_str_t *name, ngx_str_t *except,
    ngx_realtime_msg_t *m)
{
    uint32_t              hash, bucket;
    ngx_realtime_mask_t   mask;
    ngx_realtime_room_t  *room;

    if (ngx_realtime_rooms.sh == NULL) {
        return;
    }

    hash = ngx_realtime_history_hash(name);
    bucket = hash & (ngx_realtime_rooms.sh->buckets - 1);

    if (ngx_realtime_room_is_deserted(bucket)) {
        return;
    }

    /* before the mask is read: see the history's note */

    if (m->offset) {
        ngx_realtime_history_add(name, hash, except, m);
    }

    mask = __atomic_load_n(&ngx_realtime_rooms.sh->masks[bucket],
                           __ATOMIC_SEQ_CST);

    if (mask & ~ngx_realtime_slot_bit(ngx_realtime_slot)) {
        ngx_realtime_room_tell(mask, bucket, name, except, m);
    }

    room = ngx_realtime_room_find(bucket, name->data, name->len);

    if (room) {
        ngx_realtime_bus_origin.from = ngx_realtime_slot;
        ngx_realtime_bus_origin.position = 0;
        ngx_realtime_bus_origin.readers = mask;

        ngx_realtime_room_deliver(room, except, m);
    }
}


/* nobody is here, on whatever worker, and nobody will come back */

static ngx_uint_t
ngx_realtime_room_is_deserted(uint32_t bucket)
{
    ngx_realtime_directory_sh_t  *sh;

    sh = ngx_realtime_rooms.sh;

    return __atomic_load_n(&sh->masks[bucket], __ATOMIC_SEQ_CST) == 0
           && __atomic_load_n(&sh->expected[bucket], __ATOMIC_SEQ_CST) == 0;
}


/* the other workers */

static void
ngx_realtime_room_tell(ngx_realtime_mask_t mask, uint32_t bucket,
    ngx_str_t *name, ngx_str_t *except, ngx_realtime_msg_t *m)
{
    ngx_str_t               parts[4];
    ngx_uint_t              n;
    ngx_realtime_publish_t  head;

    ngx_memzero(&head, sizeof(head));

    head.place = m->place;
    head.bucket = bucket;
    head.name = name->len;
    head.except = except ? except->len : 0;
    head.dispensable = m->dispensable;
    head.offset = m->offset;

    n = 0;

    parts[n].data = (u_char *) &head;
    parts[n++].len = sizeof(head);

    parts[n++] = *name;

    if (except) {
        parts[n++] = *except;
    }

    parts[n].data = ngx_realtime_msg_payload(m);
    parts[n++].len = ngx_realtime_msg_payload_len(m);

    ngx_realtime_bus_send(mask, NGX_REALTIME_BUS_PUBLISH, parts, n);
}


void
ngx_realtime_room_publish_user(ngx_str_t *user, ngx_str_t *except,
    ngx_realtime_msg_t *m)
{
    ngx_str_t  name;
    u_char     buf[NGX_REALTIME_ROOM_USER_MAX];

    if (ngx_realtime_room_of_user(&name, buf, user) == NGX_OK) {
        ngx_realtime_room_publish(&name, except, m);
    }
}


void
ngx_realtime_room_publish_users(ngx_str_t *users, ngx_uint_t n,
    ngx_realtime_msg_t *m)
{
    ngx_uint_t           i;
    ngx_realtime_msg_t  *copy;

    if (ngx_realtime_rooms.sh == NULL) {
        return;
    }

    /* an event is sealed once: each group has its own */

    for (i = NGX_REALTIME_ROOM_GROUP; i < n; i += NGX_REALTIME_ROOM_GROUP) {

        copy = ngx_realtime_msg_copy(ngx_realtime_msg_payload(m),
                                     ngx_realtime_msg_payload_len(m), 0,
                                     ngx_realtime_rooms.log);
        if (copy == NULL) {
            return;
        }

        copy->offset = m->offset;
        copy->dispensable = m->dispensable;

        ngx_realtime_room_publish_group(&users[i],
                                 ngx_min(n - i, NGX_REALTIME_ROOM_GROUP),
                                 copy);

        ngx_realtime_msg_unref(copy);
    }

    ngx_realtime_room_publish_group(users,
                                    ngx_min(n, NGX_REALTIME_ROOM_GROUP), m);
}


static void
ngx_realtime_room_publish_group(ngx_str_t *users, ngx_uint_t n,
    ngx_realtime_msg_t *m)
{
    u_char                *last;
    ngx_str_t              rooms;
    ngx_realtime_mask_t    mask;

    static u_char  list[NGX_REALTIME_ROOM_GROUP
                        * (NGX_REALTIME_ROOM_ITEM
                           + NGX_REALTIME_ROOM_USER_MAX)];
    static u_char  hashes[NGX_REALTIME_HISTORY_ROOMS(
                                                 NGX_REALTIME_ROOM_GROUP)];

    rooms.data = hashes;
    last = ngx_realtime_room_list(list, users, n, &rooms);

    if (last == list) {
        return;
    }

    if (m->offset) {
        ngx_realtime_history_add(&rooms, 0, NULL, m);
    }

    mask = ngx_realtime_room_refer(list, last, m);

    if (mask & ~ngx_realtime_slot_bit(ngx_realtime_slot)) {
        ngx_realtime_room_tell_many(mask, list, last - list, m);
    }

    ngx_realtime_bus_origin.from = ngx_realtime_slot;
    ngx_realtime_bus_origin.position = 0;
    ngx_realtime_bus_origin.readers = mask;

    ngx_realtime_room_deliver_many(list, last, m);
}


/* rooms that have or expect somebody; returns the end of the list */

static u_char *
ngx_realtime_room_list(u_char *p, ngx_str_t *users, ngx_uint_t n,
    ngx_str_t *rooms)
{
    u_char      *hashes;
    uint16_t     len;
    uint32_t     hash;
    ngx_str_t    name;
    ngx_uint_t   i;

    hashes = rooms->data;
    *hashes++ = '\0';

    for (i = 0; i < n; i++) {

        if (ngx_realtime_room_of_user(&name, p + NGX_REALTIME_ROOM_ITEM,
                                      &users[i])
            != NGX_OK)
        {
            continue;
        }

        hash = ngx_realtime_history_hash(&name);

        if (ngx_realtime_room_is_deserted(
                             hash & (ngx_realtime_rooms.sh->buckets - 1)))
        {
            continue;
        }

        len = name.len;

        hashes = ngx_cpymem(hashes, &hash, sizeof(hash));

        p = ngx_cpymem(p, &hash, sizeof(hash));
        p = ngx_cpymem(p, &len, sizeof(len));
        p += len;
    }

    rooms->len = hashes - rooms->data;

    return p;
}


/* on the chains before the masks are read: see the history's note */

static ngx_realtime_mask_t
ngx_realtime_room_refer(u_char *p, u_char *last, ngx_realtime_msg_t *m)
{
    uint16_t                      len;
    uint32_t                      hash;
    ngx_str_t                     name;
    ngx_realtime_mask_t           mask;
    ngx_realtime_directory_sh_t  *sh;

    sh = ngx_realtime_rooms.sh;
    mask = 0;

    while (p < last) {

        ngx_memcpy(&hash, p, sizeof(hash));
        ngx_memcpy(&len, p + sizeof(hash), sizeof(len));

        name.data = p + NGX_REALTIME_ROOM_ITEM;
        name.len = len;

        if (m->offset && !m->dispensable) {
            ngx_realtime_history_refer(&name, hash, m->place);
        }

        mask |= __atomic_load_n(&sh->masks[hash & (sh->buckets - 1)],
                                __ATOMIC_SEQ_CST);

        p = name.data + len;
    }

    return mask;
}


static void
ngx_realtime_room_tell_many(ngx_realtime_mask_t mask, u_char *list,
    size_t len, ngx_realtime_msg_t *m)
{
    ngx_str_t                    parts[3];
    ngx_realtime_publish_many_t  head;

    ngx_memzero(&head, sizeof(head));

    head.place = m->place;
    head.list = len;
    head.dispensable = m->dispensable;
    head.offset = m->offset;

    parts[0].data = (u_char *) &head;
    parts[0].len = sizeof(head);

    parts[1].data = list;
    parts[1].len = len;

    parts[2].data = ngx_realtime_msg_payload(m);
    parts[2].len = ngx_realtime_msg_payload_len(m);

    ngx_realtime_bus_send(mask, NGX_REALTIME_BUS_PUBLISH_MANY, parts, 3);
}


static void
ngx_realtime_room_deliver_many(u_char *p, u_char *last, ngx_realtime_msg_t *m)
{
    uint16_t              len;
    uint32_t              hash;
    ngx_realtime_room_t  *room;

    while (last - p > (ssize_t) NGX_REALTIME_ROOM_ITEM) {

        ngx_memcpy(&hash, p, sizeof(hash));
        ngx_memcpy(&len, p + sizeof(hash), sizeof(len));

        p += NGX_REALTIME_ROOM_ITEM;

        if (len > last - p) {
            return;
        }

        room = ngx_realtime_room_find(
                            hash & (ngx_realtime_rooms.sh->buckets - 1), p,
                            len);

        if (room) {
            ngx_realtime_room_deliver(room, NULL, m);
        }

        p += len;
    }
}


ngx_uint_t
ngx_realtime_room_reaches_user(ngx_str_t *user, ngx_str_t *except)
{
    u_char                buf[NGX_REALTIME_ROOM_USER_MAX];
    int32_t               own;
    uint32_t              bucket;
    ngx_str_t             name;
    ngx_queue_t          *q;
    ngx_realtime_mask_t   mask;
    ngx_realtime_room_t  *room;
    ngx_realtime_seat_t  *seat;

    if (ngx_realtime_rooms.sh == NULL
        || ngx_realtime_room_of_user(&name, buf, user) != NGX_OK)
    {
        return 0;
    }

    bucket = ngx_realtime_room_bucket(&name);

    mask = __atomic_load_n(&ngx_realtime_rooms.sh->masks[bucket],
                           __ATOMIC_SEQ_CST);

    if (mask & ~ngx_realtime_slot_bit(ngx_realtime_slot)) {
        return 1;
    }

    own = 0;
    room = ngx_realtime_room_find(bucket, name.data, name.len);

    if (room) {
        for (q = ngx_queue_head(&room->seats);
             q != ngx_queue_sentinel(&room->seats);
             q = ngx_queue_next(q))
        {
            seat = ngx_queue_data(q, ngx_realtime_seat_t, queue);

            if (!ngx_realtime_room_is_except(seat, except)) {
                return 1;
            }

            own += ngx_realtime_rooms.ops->expected(seat->member);
        }
    }

    return __atomic_load_n(&ngx_realtime_rooms.sh->expected[bucket],
                           __ATOMIC_SEQ_CST) > own;
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


/* ops->deliver() only queues: it neither seats nor unseats anybody */

static void
ngx_realtime_room_deliver(ngx_realtime_room_t *room, ngx_str_t *except,
    ngx_realtime_msg_t *m)
{
    ngx_queue_t          *q;
    ngx_realtime_seat_t  *seat;

    for (q = ngx_queue_head(&room->seats);
         q != ngx_queue_sentinel(&room->seats);
         q = ngx_queue_next(q))
    {
        seat = ngx_queue_data(q, ngx_realtime_seat_t, queue);

        if (!ngx_realtime_room_is_except(seat, except)) {
            ngx_realtime_rooms.ops->deliver(seat->member, m);
        }
    }
}


static ngx_uint_t
ngx_realtime_room_is_except(ngx_realtime_seat_t *seat, ngx_str_t *except)
{
    ngx_str_t  *sid;

    if (except == NULL) {
        return 0;
    }

    sid = ngx_realtime_rooms.ops->sid(seat->member);

    return sid->len == except->len
           && ngx_memcmp(sid->data, except->data, sid->len) == 0;
}


static void
ngx_realtime_room_receive(ngx_uint_t from, u_char *data, size_t len)
{
    u_char                 *name;
    ngx_str_t               except;
    ngx_realtime_msg_t     *m;
    ngx_realtime_room_t    *room;
    ngx_realtime_publish_t  head;

    if (len < sizeof(head)) {
        return;
    }

    ngx_memcpy(&head, data, sizeof(head));

    data += sizeof(head);
    len -= sizeof(head);

    if (len < (size_t) head.name + head.except
        || head.bucket >= ngx_realtime_rooms.sh->buckets)
    {
        return;
    }

    name = data;
    except.data = name + head.name;
    except.len = head.except;
    data = except.data + except.len;
    len -= head.name + head.except;

    room = ngx_realtime_room_find(head.bucket, name, head.name);

    if (room == NULL) {
        return;
    }

    m = ngx_realtime_msg_alloc(len, ngx_realtime_rooms.log);
    if (m == NULL) {
        return;
    }

    ngx_memcpy(ngx_realtime_msg_payload(m), data, len);
    m->dispensable = head.dispensable;
    m->offset = head.offset;
    m->place = head.place;

    ngx_realtime_room_deliver(room, except.len ? &except : NULL, m);

    ngx_realtime_msg_unref(m);
}


static void
ngx_realtime_room_receive_many(ngx_uint_t from, u_char *data, size_t len)
{
    u_char                       *list;
    ngx_realtime_msg_t           *m;
    ngx_realtime_publish_many_t   head;

    if (len < sizeof(head)) {
        return;
    }

    ngx_memcpy(&head, data, sizeof(head));

    list = data + sizeof(head);
    len -= sizeof(head);

    if (len < head.list) {
        return;
    }

    len -= head.list;

    m = ngx_realtime_msg_alloc(len, ngx_realtime_rooms.log);
    if (m == NULL) {
        return;
    }

    ngx_memcpy(ngx_realtime_msg_payload(m), list + head.list, len);
    m->dispensable = head.dispensable;
    m->offset = head.offset;
    m->place = head.place;

    ngx_realtime_room_deliver_many(list, list + head.list, m);

    ngx_realtime_msg_unref(m);
}
