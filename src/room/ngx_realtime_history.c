
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The history is a quarter of the zone, cut into blocks that are used in turn:
 *
 *   next        number of the next block; block n is blocks[n % nblocks]
 *   current[]   number of the block that a slot writes to, 0: none
 *   heads[]     per hash bucket: place of the newest event of the chain
 *   lost        the newest second of which something was overwritten
 *
 *   block:  number | newest second | event | event | ...
 *   event:  place, previous, ... , room, except, payload, in 8-byte units
 *
 * A place is number * block size + offset in the block: it is never used
 * twice, and one look at the block tells whether the event is still there.
 *
 * One writer per block, no lock.  A worker takes a block by writing its
 * number to current[] and then looking whether another slot is on the same
 * piece of memory; two who take the same piece at a time both see it and both
 * go on to the next one.  A reader copies first and believes the copy only if
 * the block still has the number after.
 *
 * An event is complete before it is on its chain (compare and swap of the
 * head), and on its chain before its publisher looks at the directory for
 * members.  Who sits down in a room first and then looks at the chain thus
 * finds there, or is sent, everything: see ngx_realtime_recovery.c.  The order
 * of a chain is the order of a room's events for all who come back.
 *
 * An event of many rooms is kept once, on no chain, and each room's chain has
 * a reference to it: an event whose payload is the place.
 *
 * A worker that dies leaves a block that is not full, and perhaps an event
 * that is on no chain, that is, was published to nobody.
 */


#include "ngx_realtime_history.h"
#include "ngx_realtime_slot.h"


#define NGX_REALTIME_HISTORY_BLOCKS     128
#define NGX_REALTIME_HISTORY_BLOCK_MAX  (1024 * 1024)


typedef struct {
    uint64_t                   number;     /* atomic; 0: being changed */
    uint64_t                   newest;     /* zone time of its last event */
} ngx_realtime_block_t;


typedef struct {
    uint64_t                   place;
    uint64_t                   previous;
    uint64_t                   time;
    uint32_t                   payload;    /* lengths */
    unsigned                   room:16;
    unsigned                   except:7;
    unsigned                   slot:6;
    unsigned                   flags:3;
} ngx_realtime_kept_t;


#define NGX_REALTIME_KEPT_DISPENSABLE  1
#define NGX_REALTIME_KEPT_LOST         2
#define NGX_REALTIME_KEPT_REFERENCE    4


typedef struct {
    size_t                     size;       /* of a block */
    uint64_t                   nblocks;
    uint32_t                   mask;       /* of buckets */
    u_char                    *blocks;
    uint64_t                  *heads;      /* atomic */
    uint64_t                   lost;       /* atomic */
    uint64_t                   current[NGX_REALTIME_SLOTS];    /* atomic */

    uint64_t                   next        /* atomic */
        __attribute__((aligned(NGX_REALTIME_CACHELINE)));
} ngx_realtime_history_sh_t;


typedef struct {
    ngx_realtime_history_sh_t  *sh;
    ngx_realtime_block_t       *block;     /* ours; NULL: none yet */
    uint64_t                    number;
    size_t                      used;
    u_char                     *buf;       /* of read() */
} ngx_realtime_history_t;


static ngx_realtime_kept_t *ngx_realtime_history_reserve(size_t size);
static void ngx_realtime_history_next_block(void);
static ngx_uint_t ngx_realtime_history_is_taken(uint64_t number);
static ngx_uint_t ngx_realtime_history_is_younger(uint64_t number);
static void ngx_realtime_history_link(ngx_realtime_kept_t *kept,
    uint32_t hash);


static ngx_int_t ngx_realtime_history_copy(uint64_t place,
    ngx_realtime_kept_t *kept, u_char *buf, size_t size);


static ngx_realtime_history_t  ngx_realtime_history;


#define ngx_realtime_history_block(sh, number)                                \
    ((ngx_realtime_block_t *)                                                 \
     ((sh)->blocks + ((number) % (sh)->nblocks) * (sh)->size))

#define ngx_realtime_history_space(len)                                       \
    ngx_align(sizeof(ngx_realtime_kept_t) + (len), 8)


ngx_int_t
ngx_realtime_history_create(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log)
{
    size_t                      size;
    ngx_uint_t                  buckets;
    ngx_realtime_history_sh_t  *h;

    h = ngx_slab_calloc(shpool, sizeof(ngx_realtime_history_sh_t));
    if (h == NULL) {
        return NGX_ERROR;
    }

    size = sh->zone_size / 4;

    h->size = ngx_align(size / NGX_REALTIME_HISTORY_BLOCKS, 4096);
    h->size = ngx_min(h->size, NGX_REALTIME_HISTORY_BLOCK_MAX);
    h->nblocks = size / h->size;

    buckets = 1024;
    while (buckets * 2 <= sh->zone_size / 1024) {
        buckets *= 2;
    }

    h->mask = buckets - 1;
    h->next = 1;

    h->blocks = ngx_slab_calloc(shpool, h->nblocks * h->size);
    h->heads = ngx_slab_calloc(shpool, buckets * sizeof(uint64_t));

    if (h->blocks == NULL || h->heads == NULL) {
        return NGX_ERROR;
    }

    sh->history = h;

    return NGX_OK;
}


ngx_int_t
ngx_realtime_history_init(ngx_cycle_t *cycle)
{
    ngx_realtime_history_t  *h;

    h = &ngx_realtime_history;

    h->sh = ngx_realtime_zone_sh->history;
    h->block = NULL;

    /* a reference, and what it refers to */

    h->buf = ngx_palloc(cycle->pool, 2 * h->sh->size);

    return h->buf ? NGX_OK : NGX_ERROR;
}


void
ngx_realtime_history_forget_slot(ngx_uint_t slot)
{
    ngx_realtime_history_sh_t  *sh;

    sh = ngx_realtime_zone_sh->history;

    __atomic_store_n(&sh->current[slot], 0, __ATOMIC_SEQ_CST);
}


void
ngx_realtime_history_add(ngx_str_t *room, uint32_t hash, ngx_str_t *except,
    ngx_realtime_msg_t *m)
{
    u_char               *p;
    size_t                names, payload;
    ngx_uint_t            flags;
    ngx_realtime_kept_t  *kept;

    flags = 0;
    payload = ngx_realtime_msg_payload_len(m);

    if (m->dispensable) {
        flags = NGX_REALTIME_KEPT_DISPENSABLE;
        payload = 0;
        room = NULL;
        except = NULL;
    }

    names = (room ? room->len : 0) + (except ? except->len : 0);

    if (ngx_realtime_history_space(names + payload)
        > ngx_realtime_history.sh->size - sizeof(ngx_realtime_block_t))
    {
        /* those who miss it are to know that they do, and nobody else */

        flags = NGX_REALTIME_KEPT_LOST;
        payload = 0;
    }

    kept = ngx_realtime_history_reserve(
                                ngx_realtime_history_space(names + payload));

    kept->previous = 0;
    kept->time = ngx_realtime_zone_time();
    kept->payload = payload;
    kept->room = room ? room->len : 0;
    kept->except = except ? except->len : 0;
    kept->slot = ngx_realtime_slot;
    kept->flags = flags;

    ngx_realtime_msg_seal(m, kept->place);

    p = (u_char *) kept + sizeof(ngx_realtime_kept_t);

    if (room) {
        p = ngx_cpymem(p, room->data, room->len);
    }

    if (except) {
        p = ngx_cpymem(p, except->data, except->len);
    }

    ngx_memcpy(p, ngx_realtime_msg_payload(m), payload);

    if (room && !ngx_realtime_history_is_shared(room)) {
        ngx_realtime_history_link(kept, hash);
    }
}


static ngx_realtime_kept_t *
ngx_realtime_history_reserve(size_t size)
{
    ngx_realtime_kept_t     *kept;
    ngx_realtime_history_t  *h;

    h = &ngx_realtime_history;

    /* a worker that wrote nothing while the others went round goes on where
       they are: short places are short of what they can tell apart */

    if (h->block == NULL
        || h->used + size > h->sh->size
        || __atomic_load_n(&h->sh->next, __ATOMIC_RELAXED)
           > h->number + h->sh->nblocks)
    {
        ngx_realtime_history_next_block();
    }

    kept = (ngx_realtime_kept_t *) ((u_char *) h->block + h->used);
    kept->place = h->number * h->sh->size + h->used;

    h->used += size;
    h->block->newest = ngx_realtime_zone_time();

    return kept;
}


static void
ngx_realtime_history_next_block(void)
{
    uint64_t                    number, lost;
    ngx_realtime_block_t       *block;
    ngx_realtime_history_t     *h;
    ngx_realtime_history_sh_t  *sh;

    h = &ngx_realtime_history;
    sh = h->sh;

    do {
        number = __atomic_fetch_add(&sh->next, 1, __ATOMIC_SEQ_CST);

        __atomic_store_n(&sh->current[ngx_realtime_slot], number,
                         __ATOMIC_SEQ_CST);

    } while (ngx_realtime_history_is_taken(number)
             || ngx_realtime_history_is_younger(number));

    block = ngx_realtime_history_block(sh, number);

    lost = __atomic_load_n(&sh->lost, __ATOMIC_RELAXED);

    while (lost < block->newest
           && !__atomic_compare_exchange_n(&sh->lost, &lost, block->newest, 0,
                                           __ATOMIC_SEQ_CST,
                                           __ATOMIC_RELAXED))
    {
        /* void */
    }

    /* readers of what was here must not take the new for the old */

    __atomic_store_n(&block->number, 0, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    block->newest = 0;

    __atomic_store_n(&block->number, number, __ATOMIC_SEQ_CST);

    h->block = block;
    h->number = number;
    h->used = sizeof(ngx_realtime_block_t);
}


/* at most 63 slots are in the way of nblocks pieces: it ends */

static ngx_uint_t
ngx_realtime_history_is_taken(uint64_t number)
{
    uint64_t                    other;
    ngx_uint_t                  i;
    ngx_realtime_history_sh_t  *sh;

    sh = ngx_realtime_history.sh;

    for (i = 0; i < NGX_REALTIME_SLOTS; i++) {

        if (i == (ngx_uint_t) ngx_realtime_slot) {
            continue;
        }

        other = __atomic_load_n(&sh->current[i], __ATOMIC_SEQ_CST);

        if (other && other % sh->nblocks == number % sh->nblocks) {
            return 1;
        }
    }

    return 0;
}


/*
 * A worker with little to say fills its block slowly: there may be news in
 * what is the oldest block by its number.  Then it stays for one more round.
 * They cannot all be younger than the next one: it ends, too.
 */

static ngx_uint_t
ngx_realtime_history_is_younger(uint64_t number)
{
    ngx_realtime_block_t       *block, *next;
    ngx_realtime_history_sh_t  *sh;

    sh = ngx_realtime_history.sh;

    block = ngx_realtime_history_block(sh, number);
    next = ngx_realtime_history_block(sh, number + 1);

    return block->newest > next->newest;
}


static void
ngx_realtime_history_link(ngx_realtime_kept_t *kept, uint32_t hash)
{
    uint64_t  *head, previous;

    head = &ngx_realtime_history.sh->heads[hash
                                           & ngx_realtime_history.sh->mask];

    previous = __atomic_load_n(head, __ATOMIC_RELAXED);

    do {
        kept->previous = previous;

    } while (!__atomic_compare_exchange_n(head, &previous, kept->place, 0,
                                          __ATOMIC_SEQ_CST,
                                          __ATOMIC_RELAXED));
}


void
ngx_realtime_history_refer(ngx_str_t *room, uint32_t hash, uint64_t place)
{
    u_char               *p;
    ngx_realtime_kept_t  *kept;

    kept = ngx_realtime_history_reserve(
                      ngx_realtime_history_space(room->len + sizeof(place)));

    kept->slot = ngx_realtime_slot;
    kept->flags = NGX_REALTIME_KEPT_REFERENCE;
    kept->time = ngx_realtime_zone_time();
    kept->previous = 0;
    kept->payload = sizeof(place);
    kept->room = room->len;
    kept->except = 0;

    p = (u_char *) kept + sizeof(ngx_realtime_kept_t);
    p = ngx_cpymem(p, room->data, room->len);
    ngx_memcpy(p, &place, sizeof(place));

    ngx_realtime_history_link(kept, hash);
}


uint64_t
ngx_realtime_history_newest(uint32_t hash)
{
    ngx_realtime_history_sh_t  *sh;

    sh = ngx_realtime_history.sh;

    return __atomic_load_n(&sh->heads[hash & sh->mask], __ATOMIC_SEQ_CST);
}


ngx_int_t
ngx_realtime_history_read(uint64_t place, ngx_realtime_entry_t *e)
{
    u_char               *buf;
    size_t                size;
    uint64_t              previous;
    ngx_realtime_kept_t   kept;

    buf = ngx_realtime_history.buf;
    size = ngx_realtime_history.sh->size;

    if (ngx_realtime_history_copy(place, &kept, buf, size) != NGX_OK) {
        return NGX_DECLINED;
    }

    e->room.data = buf;
    e->room.len = kept.room;

    buf += kept.room;
    previous = kept.previous;

    if (kept.flags & NGX_REALTIME_KEPT_REFERENCE) {

        if (kept.payload != sizeof(place)) {
            return NGX_DECLINED;
        }

        ngx_memcpy(&place, buf, sizeof(place));

        if (ngx_realtime_history_copy(place, &kept, buf, size) != NGX_OK) {
            return NGX_DECLINED;
        }

        buf += kept.room;
    }

    e->place = place;
    e->previous = previous;
    e->time = kept.time;
    e->slot = kept.slot;
    e->dispensable = (kept.flags & NGX_REALTIME_KEPT_DISPENSABLE) ? 1 : 0;
    e->lost = (kept.flags & NGX_REALTIME_KEPT_LOST) ? 1 : 0;

    e->except.data = buf;
    e->except.len = kept.except;
    e->payload.data = e->except.data + kept.except;
    e->payload.len = kept.payload;

    return NGX_OK;
}


static ngx_int_t
ngx_realtime_history_copy(uint64_t place, ngx_realtime_kept_t *kept,
    u_char *buf, size_t size)
{
    u_char                     *p;
    size_t                      offset, len;
    uint64_t                    number;
    ngx_realtime_block_t       *block;
    ngx_realtime_history_sh_t  *sh;

    sh = ngx_realtime_history.sh;

    number = place / size;
    offset = place % size;

    block = ngx_realtime_history_block(sh, number);

    if (number == 0
        || offset < sizeof(ngx_realtime_block_t)
        || offset % 8
        || offset + sizeof(ngx_realtime_kept_t) > size
        || __atomic_load_n(&block->number, __ATOMIC_ACQUIRE) != number)
    {
        return NGX_DECLINED;
    }

    p = (u_char *) block + offset;

    ngx_memcpy(kept, p, sizeof(ngx_realtime_kept_t));

    len = (size_t) kept->room + kept->except + kept->payload;

    if (kept->place != place
        || len > size - offset - sizeof(ngx_realtime_kept_t))
    {
        return NGX_DECLINED;
    }

    ngx_memcpy(buf, p + sizeof(ngx_realtime_kept_t), len);

    __atomic_thread_fence(__ATOMIC_ACQUIRE);

    return __atomic_load_n(&block->number, __ATOMIC_RELAXED) == number
           ? NGX_OK : NGX_DECLINED;
}


time_t
ngx_realtime_history_lost(void)
{
    return (time_t) __atomic_load_n(&ngx_realtime_history.sh->lost,
                                    __ATOMIC_SEQ_CST);
}


/* nobody writes further back than a round or two (reserve() sees to it), which
   is far less than what 32 bits of 8-byte units tell apart */

uint64_t
ngx_realtime_history_expand(uint32_t short_place)
{
    uint64_t                    end, place;
    ngx_realtime_history_sh_t  *sh;

    sh = ngx_realtime_history.sh;

    end = (__atomic_load_n(&sh->next, __ATOMIC_SEQ_CST) * sh->size) / 8;
    place = (end & ~(uint64_t) 0xffffffff) | short_place;

    if (place > end) {
        place -= (uint64_t) 1 << 32;
    }

    return place * 8;
}
