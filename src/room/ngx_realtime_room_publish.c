
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * What is published to a room, or to many at once, and how it gets to its
 * members.
 *
 *   publish --> history --> mask of the bucket --> a record on the bus, one
 *                 |                 |              for all other workers
 *                 |                 |                      |
 *                 |                 +--> members here      +--> members there
 *                 v
 *          who is away, and comes back
 *
 * The history comes first (see its note in ngx_realtime_history.c), and for a
 * bucket where nobody is, nor is expected back, there is nothing to do.
 *
 * To many: the list of rooms goes with the event, in groups, each of which is
 * one entry of the history and one record on the bus; every worker looks in it
 * for the rooms that it has.
 */


#include "ngx_realtime_bus.h"
#include "ngx_realtime_history.h"
#include "ngx_realtime_room_publish.h"


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


void
ngx_realtime_room_publish_init(void)
{
    ngx_realtime_bus_handle(NGX_REALTIME_BUS_PUBLISH,
                            ngx_realtime_room_receive);
    ngx_realtime_bus_handle(NGX_REALTIME_BUS_PUBLISH_MANY,
                            ngx_realtime_room_receive_many);
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
