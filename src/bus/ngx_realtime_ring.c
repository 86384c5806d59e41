
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_ring.h"


#define ngx_realtime_ring_place(ring, position)                               \
    ((ngx_realtime_ring_record_t *)                                           \
         ((ring)->data + ((position) & ((ring)->size - 1))))

#define ngx_realtime_ring_space(len)                                          \
    ngx_align(sizeof(ngx_realtime_ring_record_t) + (uint64_t) (len),          \
              (uint64_t) NGX_REALTIME_RING_ALIGN)


static uint64_t ngx_realtime_ring_last(ngx_realtime_ring_t *ring,
    uint64_t live, uint64_t head);
static uint64_t ngx_realtime_ring_behind(ngx_realtime_ring_t *ring,
    uint64_t live, uint64_t head, uint64_t limit);


void
ngx_realtime_ring_init(ngx_realtime_ring_t *ring, u_char *data, size_t size)
{
    ngx_memzero(ring, sizeof(ngx_realtime_ring_t));

    ring->data = data;
    ring->size = size;
}


ngx_int_t
ngx_realtime_ring_append(ngx_realtime_ring_t *ring, uint64_t live,
    ngx_realtime_ring_record_t *rec, const ngx_str_t *parts, ngx_uint_t n,
    uint64_t *behind)
{
    u_char                      *p;
    uint64_t                     head, last, need, pad, left;
    ngx_uint_t                   i;
    ngx_realtime_ring_record_t  *place;

    *behind = 0;

    rec->len = 0;
    for (i = 0; i < n; i++) {
        rec->len += parts[i].len;
    }

    head = ring->head;
    need = ngx_realtime_ring_space(rec->len);
    left = ring->size - (head & (ring->size - 1));
    pad = (need > left) ? left : 0;

    if (head + pad + need - ring->last > ring->size / 2) {

        /* cursors only grow, so the remembered one is safe until here */

        last = ngx_realtime_ring_last(ring, live, head);
        ring->last = last;

        *behind = ngx_realtime_ring_behind(ring, live, head, ring->size / 2);

        if (head + pad + need - last > ring->size) {
            return NGX_AGAIN;
        }
    }

    if (pad) {
        place = ngx_realtime_ring_place(ring, head);
        place->len = pad - sizeof(ngx_realtime_ring_record_t);
        place->type = NGX_REALTIME_RING_PAD;
        place->flags = 0;
        place->readers = 0;
        head += pad;
    }

    place = ngx_realtime_ring_place(ring, head);
    *place = *rec;

    p = (u_char *) place + sizeof(ngx_realtime_ring_record_t);

    for (i = 0; i < n; i++) {
        p = ngx_cpymem(p, parts[i].data, parts[i].len);
    }

    __atomic_store_n(&ring->head, head + need, __ATOMIC_RELEASE);

    return NGX_OK;
}


uint64_t
ngx_realtime_ring_blockers(ngx_realtime_ring_t *ring, uint64_t live,
    size_t len)
{
    uint64_t  head, need, left;

    head = ring->head;
    need = ngx_realtime_ring_space(len);
    left = ring->size - (head & (ring->size - 1));

    if (need > left) {
        need += left;
    }

    return ngx_realtime_ring_behind(ring, live, head, ring->size - need);
}


void
ngx_realtime_ring_give_up(ngx_realtime_ring_t *ring, uint64_t readers)
{
    /* before anything that follows is overwritten */
    __atomic_fetch_or(&ring->lost, readers, __ATOMIC_SEQ_CST);
}


void
ngx_realtime_ring_start(ngx_realtime_ring_t *ring, ngx_uint_t reader)
{
    uint64_t  head, now;

    /*
     * Until the bit is cleared the writer may run past the cursor.  Half of
     * the ring is what it may still be writing, unaware, after that (a record
     * and a filler).
     */

    do {
        head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);

        __atomic_store_n(&ring->cursors[reader].position, head,
                         __ATOMIC_SEQ_CST);
        __atomic_fetch_and(&ring->lost, ~((uint64_t) 1 << reader),
                           __ATOMIC_SEQ_CST);

        now = __atomic_load_n(&ring->head, __ATOMIC_SEQ_CST);

    } while (now - head > ring->size / 2);
}


ngx_int_t
ngx_realtime_ring_read(ngx_realtime_ring_t *ring, ngx_uint_t reader,
    ngx_realtime_ring_record_t *rec, u_char *buf, size_t size)
{
    uint64_t                     head, position, bit, left;
    ngx_realtime_ring_record_t  *place;

    bit = (uint64_t) 1 << reader;
    position = ring->cursors[reader].position;
    head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);

    for ( ;; ) {

        if (__atomic_load_n(&ring->lost, __ATOMIC_SEQ_CST) & bit) {
            ngx_realtime_ring_start(ring, reader);
            return NGX_ABORT;
        }

        if (position == head) {
            __atomic_store_n(&ring->cursors[reader].position, position,
                             __ATOMIC_SEQ_CST);
            return NGX_DONE;
        }

        place = ngx_realtime_ring_place(ring, position);
        *rec = *place;

        position += ngx_realtime_ring_space(rec->len);

        if (rec->type == NGX_REALTIME_RING_PAD || !(rec->readers & bit)) {
            if (position > head) {
                /* overwritten under our eyes: "lost" will say so */
                position = head;
            }

            continue;
        }

        /* the bounds hold but for a copy that is about to be disbelieved */

        left = ring->data + ring->size - (u_char *) (place + 1);

        if (rec->len <= size && rec->len <= left) {
            ngx_memcpy(buf, place + 1, rec->len);
        }

        __atomic_thread_fence(__ATOMIC_SEQ_CST);

        if (__atomic_load_n(&ring->lost, __ATOMIC_SEQ_CST) & bit) {
            continue;
        }

        __atomic_store_n(&ring->cursors[reader].position, position,
                         __ATOMIC_SEQ_CST);
        return NGX_OK;
    }
}


/* the smallest cursor of the live readers; head if there is none */

static uint64_t
ngx_realtime_ring_last(ngx_realtime_ring_t *ring, uint64_t live,
    uint64_t head)
{
    uint64_t  last, position;

    last = head;

    for (live &= ~__atomic_load_n(&ring->lost, __ATOMIC_ACQUIRE);
         live;
         live &= live - 1)
    {
        position = __atomic_load_n(
                       &ring->cursors[__builtin_ctzll(live)].position,
                       __ATOMIC_ACQUIRE);
        if (position < last) {
            last = position;
        }
    }

    return last;
}


static uint64_t
ngx_realtime_ring_behind(ngx_realtime_ring_t *ring, uint64_t live,
    uint64_t head, uint64_t limit)
{
    uint64_t    behind, position;
    ngx_uint_t  i;

    behind = 0;

    for (live &= ~__atomic_load_n(&ring->lost, __ATOMIC_ACQUIRE);
         live;
         live &= live - 1)
    {
        i = __builtin_ctzll(live);
        position = __atomic_load_n(&ring->cursors[i].position,
                                   __ATOMIC_ACQUIRE);
        if (head - position > limit) {
            behind |= (uint64_t) 1 << i;
        }
    }

    return behind;
}
