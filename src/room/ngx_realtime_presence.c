
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The table of users: open addressing, one cache line for each.
 *
 *   id       of a UUID its bytes, of any other user id a digest
 *   sockets  64 numbers of 4 bits: how many sockets each slot has of him,
 *            15 for more; a worker has the exact number of its own in "local"
 *   state    what he said last, on whichever socket
 *   told     what others were told
 *   untold   not 0: they are still to be told; sweeps since then
 *   left     when the last socket of some worker left
 *   seen     what others are told of his last time
 *
 * An entry that a worker has sockets in is there to stay, and the worker
 * changes it without a lock: its own number of sockets by atomic addition,
 * the rest, of which the last one wins, by a store.  To find or to make room
 * for an entry that it has none in, it takes the slab mutex: once for the
 * first socket of a user in a worker.  What has no sockets, and is told and
 * saved, is evicted when somebody needs its place.
 *
 * Whoever looks takes no lock: version changes when an entry gets another
 * user, and what was read in between is read again.  A worker that dies is a
 * column of numbers that is zeroed; one that dies while it fills an entry
 * leaves it unused.
 *
 *   here, told    any worker with a socket of his: settle()
 *   gone          left + grace: the worker that sweeps tells "offline"
 *
 * Somebody who comes back in the very moment in which he is told to be
 * offline is told to be online by another worker, and the two may reach a
 * third worker in any order.  So this is repeated by the next sweep.
 */


#include "ngx_realtime_presence.h"
#include "ngx_realtime_slot.h"
#include "rt_uuid7.h"

#include <ngx_md5.h>


#define NGX_REALTIME_PRESENCE_MAX      131072  /* users */
#define NGX_REALTIME_PRESENCE_WINDOW   32      /* places for a user */
#define NGX_REALTIME_PRESENCE_NIBBLE   15

#define NGX_REALTIME_PRESENCE_USED     0x01    /* flags */
#define NGX_REALTIME_PRESENCE_UNSAVED  0x02

#define NGX_REALTIME_PRESENCE_RETRY    8       /* sweeps until told again */
#define NGX_REALTIME_PRESENCE_BACKOFF  4       /* of them, after a failure */
#define NGX_REALTIME_PRESENCE_REPEAT   0x80    /* in untold: once more */

#define NGX_REALTIME_PRESENCE_CLOSE    2       /* s: could be out of order */


typedef struct {
    u_char                     id[NGX_REALTIME_PRESENCE_ID];
    uint64_t                   sockets[NGX_REALTIME_SLOTS / 16];  /* atomic */
    uint32_t                   left;       /* s */
    uint32_t                   seen;       /* s; 0: never */
    uint32_t                   version;    /* atomic */
    uint8_t                    flags;      /* atomic */
    uint8_t                    state;
    uint8_t                    told;       /* atomic */
    uint8_t                    untold;
} ngx_realtime_presence_t;


typedef struct {
    ngx_realtime_mask_t        sweepers;   /* atomic */
    ngx_uint_t                 n;          /* a power of two */
    ngx_realtime_presence_t   *entries;
} ngx_realtime_presence_sh_t;


typedef struct {
    ngx_realtime_presence_sh_t  *sh;
    uint16_t                    *local;    /* sockets of this worker */
    uint32_t                     grace;    /* s */
} ngx_realtime_presences_t;


static void ngx_realtime_presence_id(ngx_str_t *user, u_char *id);
static ngx_realtime_presence_t *ngx_realtime_presence_find(const u_char *id,
    uint32_t *version);
static ngx_realtime_presence_t *ngx_realtime_presence_claim_locked(
    const u_char *id);
static ngx_realtime_presence_t *ngx_realtime_presence_room_locked(
    const u_char *id);
static ngx_uint_t ngx_realtime_presence_is_here(ngx_realtime_presence_t *e);
static ngx_uint_t ngx_realtime_presence_goes(ngx_realtime_presence_t *e,
    uint32_t now);


static ngx_realtime_presences_t  ngx_realtime_presence;


#define ngx_realtime_presence_load(p)      __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define ngx_realtime_presence_store(p, v)                                     \
    __atomic_store_n(p, v, __ATOMIC_SEQ_CST)

#define ngx_realtime_presence_hash(id)                                        \
    ngx_murmur_hash2((u_char *) (id), NGX_REALTIME_PRESENCE_ID)
#define ngx_realtime_presence_at(hash, i)                                     \
    (&ngx_realtime_presence.sh->entries[                                      \
         ((hash) + (i)) & (ngx_realtime_presence.sh->n - 1)])

#define ngx_realtime_presence_word(slot)   ((slot) / 16)
#define ngx_realtime_presence_unit(slot)   ((uint64_t) 1 << (slot) % 16 * 4)


ngx_int_t
ngx_realtime_presence_create(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log)
{
    ngx_uint_t                   n;
    ngx_realtime_presence_sh_t  *p;

    n = 1024;
    while (n * 2 <= sh->zone_size / 4096 && n < NGX_REALTIME_PRESENCE_MAX) {
        n *= 2;
    }

    p = ngx_slab_calloc(shpool, sizeof(ngx_realtime_presence_sh_t));
    if (p == NULL) {
        return NGX_ERROR;
    }

    p->n = n;
    p->entries = ngx_slab_calloc(shpool, n * sizeof(ngx_realtime_presence_t));
    if (p->entries == NULL) {
        return NGX_ERROR;
    }

    sh->presence = p;

    return NGX_OK;
}


ngx_int_t
ngx_realtime_presence_init(ngx_cycle_t *cycle, time_t grace)
{
    ngx_realtime_presences_t  *p;

    p = &ngx_realtime_presence;

    p->sh = ngx_realtime_zone_sh->presence;
    p->grace = grace;

    p->local = ngx_pcalloc(cycle->pool, p->sh->n * sizeof(uint16_t));
    if (p->local == NULL) {
        return NGX_ERROR;
    }

    __atomic_fetch_or(&p->sh->sweepers,
                      ngx_realtime_slot_bit(ngx_realtime_slot),
                      __ATOMIC_SEQ_CST);

    return NGX_OK;
}


void
ngx_realtime_presence_forget_slot(ngx_uint_t slot)
{
    uint64_t                     mine;
    ngx_uint_t                   i;
    ngx_realtime_presence_t     *e;
    ngx_realtime_presence_sh_t  *sh;

    sh = ngx_realtime_zone_sh->presence;

    __atomic_fetch_and(&sh->sweepers, ~ngx_realtime_slot_bit(slot),
                       __ATOMIC_SEQ_CST);

    mine = ngx_realtime_presence_unit(slot) * NGX_REALTIME_PRESENCE_NIBBLE;

    for (i = 0; i < sh->n; i++) {
        e = &sh->entries[i];

        if (e->sockets[ngx_realtime_presence_word(slot)] & mine) {
            ngx_realtime_presence_store(&e->left, (uint32_t) ngx_time());
            __atomic_fetch_and(&e->sockets[ngx_realtime_presence_word(slot)],
                               ~mine, __ATOMIC_SEQ_CST);
        }
    }
}


uint32_t
ngx_realtime_presence_enter(ngx_str_t *user)
{
    u_char                     id[NGX_REALTIME_PRESENCE_ID];
    uint32_t                   version;
    ngx_uint_t                 i;
    ngx_realtime_presence_t   *e;
    ngx_realtime_presences_t  *p;

    p = &ngx_realtime_presence;

    ngx_realtime_presence_id(user, id);

    e = ngx_realtime_presence_find(id, &version);

    if (e == NULL || p->local[e - p->sh->entries] == 0) {

        ngx_shmtx_lock(&ngx_realtime_zone_pool->mutex);
        e = ngx_realtime_presence_claim_locked(id);
        ngx_shmtx_unlock(&ngx_realtime_zone_pool->mutex);

        if (e == NULL) {
            ngx_realtime_count(presence_full);
            return 0;
        }

    } else if (p->local[e - p->sh->entries] < NGX_REALTIME_PRESENCE_NIBBLE) {

        __atomic_fetch_add(
            &e->sockets[ngx_realtime_presence_word(ngx_realtime_slot)],
            ngx_realtime_presence_unit(ngx_realtime_slot), __ATOMIC_SEQ_CST);
    }

    i = e - p->sh->entries;

    p->local[i]++;

    return i + 1;
}


/* the entry with one socket of this worker; NULL: no place */

static ngx_realtime_presence_t *
ngx_realtime_presence_claim_locked(const u_char *id)
{
    uint32_t                  version, now;
    ngx_realtime_presence_t  *e;

    now = ngx_time();

    e = ngx_realtime_presence_find(id, &version);

    if (e == NULL) {

        e = ngx_realtime_presence_room_locked(id);
        if (e == NULL) {
            return NULL;
        }

        /* version first: see the top of this file */

        ngx_realtime_presence_store(&e->flags, 0);
        ngx_realtime_presence_store(&e->version, e->version + 1);

        ngx_memzero(e->sockets, sizeof(e->sockets));
        ngx_memcpy(e->id, id, NGX_REALTIME_PRESENCE_ID);
        e->left = 0;
        e->seen = 0;
        e->state = NGX_REALTIME_PRESENCE_ONLINE;
        e->told = NGX_REALTIME_PRESENCE_OFFLINE;
        e->untold = 0;

        ngx_realtime_presence_store(&e->flags, NGX_REALTIME_PRESENCE_USED);

    } else if (!ngx_realtime_presence_is_here(e)
               && now - e->left > ngx_realtime_presence.grace)
    {
        /* what he said is over with the visit in which he said it */
        e->state = NGX_REALTIME_PRESENCE_ONLINE;
    }

    __atomic_fetch_add(
        &e->sockets[ngx_realtime_presence_word(ngx_realtime_slot)],
        ngx_realtime_presence_unit(ngx_realtime_slot), __ATOMIC_SEQ_CST);

    return e;
}


/* an unused one; or one that nobody misses, or that is a last time at most */

static ngx_realtime_presence_t *
ngx_realtime_presence_room_locked(const u_char *id)
{
    uint32_t                  hash;
    ngx_uint_t                i, rank, best;
    ngx_realtime_presence_t  *e, *found;

    hash = ngx_realtime_presence_hash(id);
    found = NULL;
    best = 0;

    for (i = 0; i < NGX_REALTIME_PRESENCE_WINDOW; i++) {
        e = ngx_realtime_presence_at(hash, i);

        if (!(e->flags & NGX_REALTIME_PRESENCE_USED)) {
            return e;
        }

        if (ngx_realtime_presence_is_here(e)
            || e->told != NGX_REALTIME_PRESENCE_OFFLINE)
        {
            continue;
        }

        rank = (e->untold || (e->flags & NGX_REALTIME_PRESENCE_UNSAVED))
               ? 1 : 2;

        if (rank > best || (rank == best && e->left < found->left)) {
            best = rank;
            found = e;
        }
    }

    return found;
}


void
ngx_realtime_presence_leave(uint32_t place)
{
    ngx_realtime_presence_t   *e;
    ngx_realtime_presences_t  *p;

    if (place == 0) {
        return;
    }

    p = &ngx_realtime_presence;
    e = &p->sh->entries[place - 1];

    if (p->local[place - 1]-- > NGX_REALTIME_PRESENCE_NIBBLE) {
        return;
    }

    /* the time first: without sockets the entry may be another's */

    ngx_realtime_presence_store(&e->left, (uint32_t) ngx_time());

    __atomic_fetch_sub(
        &e->sockets[ngx_realtime_presence_word(ngx_realtime_slot)],
        ngx_realtime_presence_unit(ngx_realtime_slot), __ATOMIC_SEQ_CST);
}


ngx_uint_t
ngx_realtime_presence_sockets(ngx_str_t *user)
{
    u_char                        id[NGX_REALTIME_PRESENCE_ID];
    uint32_t                      version;
    ngx_uint_t                    local;
    ngx_realtime_presence_t      *e;
    ngx_realtime_presences_t     *p;
    ngx_realtime_presence_view_t  view;

    p = &ngx_realtime_presence;

    ngx_realtime_presence_id(user, id);
    ngx_realtime_presence_look(id, &view);

    e = ngx_realtime_presence_find(id, &version);

    if (e == NULL) {
        return view.sockets;
    }

    local = p->local[e - p->sh->entries];

    return view.sockets + (local > NGX_REALTIME_PRESENCE_NIBBLE
                           ? local - NGX_REALTIME_PRESENCE_NIBBLE : 0);
}


void
ngx_realtime_presence_of(ngx_str_t *user, ngx_realtime_presence_view_t *view)
{
    u_char  id[NGX_REALTIME_PRESENCE_ID];

    ngx_realtime_presence_id(user, id);
    ngx_realtime_presence_look(id, view);
}


ngx_uint_t
ngx_realtime_presence_count(void)
{
    ngx_uint_t                   i, n;
    ngx_realtime_presence_sh_t  *sh;

    sh = ngx_realtime_presence.sh;
    n = 0;

    for (i = 0; i < sh->n; i++) {
        n += ngx_realtime_presence_is_here(&sh->entries[i]);
    }

    return n;
}


void
ngx_realtime_presence_look(const u_char *id,
    ngx_realtime_presence_view_t *view)
{
    uint64_t                  word;
    uint32_t                  version;
    ngx_uint_t                i;
    ngx_realtime_presence_t  *e;

    do {
        ngx_memzero(view, sizeof(ngx_realtime_presence_view_t));

        e = ngx_realtime_presence_find(id, &version);
        if (e == NULL) {
            return;
        }

        for (i = 0; i < NGX_REALTIME_SLOTS / 16; i++) {
            for (word = ngx_realtime_presence_load(&e->sockets[i]);
                 word;
                 word >>= 4)
            {
                view->sockets += word & NGX_REALTIME_PRESENCE_NIBBLE;
            }
        }

        view->state = view->sockets ? ngx_realtime_presence_load(&e->state)
                                    : NGX_REALTIME_PRESENCE_OFFLINE;
        view->left = ngx_realtime_presence_load(&e->left);
        view->told = ngx_realtime_presence_load(&e->told);
        view->seen = ngx_realtime_presence_load(&e->seen);

        /* an entry gets another user at most once in a connect of his */

    } while (ngx_realtime_presence_load(&e->version) != version);
}


void
ngx_realtime_presence_say(uint32_t place, ngx_realtime_presence_e state)
{
    ngx_realtime_presence_store(
        &ngx_realtime_presence.sh->entries[place - 1].state, state);
}


ngx_uint_t
ngx_realtime_presence_settle(uint32_t place)
{
    uint8_t                   told, want, repeat;
    uint32_t                  now;
    ngx_realtime_presence_t  *e;

    e = &ngx_realtime_presence.sh->entries[place - 1];
    now = ngx_time();

    told = ngx_realtime_presence_load(&e->told);

    do {
        want = ngx_realtime_presence_load(&e->state);

        if (want == NGX_REALTIME_PRESENCE_INVISIBLE) {
            want = NGX_REALTIME_PRESENCE_OFFLINE;
        }

        if (want == told) {
            return 0;
        }

    } while (!__atomic_compare_exchange_n(&e->told, &told, want, 0,
                                          __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));

    repeat = 0;

    if (want == NGX_REALTIME_PRESENCE_OFFLINE) {
        ngx_realtime_presence_store(&e->seen, now);
        __atomic_fetch_or(&e->flags, NGX_REALTIME_PRESENCE_UNSAVED,
                          __ATOMIC_SEQ_CST);

    } else if (told == NGX_REALTIME_PRESENCE_OFFLINE
               && e->seen && e->seen == e->left
               && now - e->left <= ngx_realtime_presence.grace
                                   + NGX_REALTIME_PRESENCE_CLOSE)
    {
        repeat = NGX_REALTIME_PRESENCE_REPEAT;
    }

    ngx_realtime_presence_store(&e->untold, repeat | 1);

    return 1;
}


void
ngx_realtime_presence_is_told(const u_char *id)
{
    uint32_t                  version;
    ngx_realtime_presence_t  *e;

    e = ngx_realtime_presence_find(id, &version);

    if (e) {
        e->untold = (e->untold & NGX_REALTIME_PRESENCE_REPEAT)
                    ? NGX_REALTIME_PRESENCE_RETRY - 1 : 0;
    }
}


void
ngx_realtime_presence_is_untold(const u_char *id)
{
    uint32_t                  version;
    ngx_realtime_presence_t  *e;

    e = ngx_realtime_presence_find(id, &version);

    if (e) {
        e->untold = NGX_REALTIME_PRESENCE_RETRY
                    - NGX_REALTIME_PRESENCE_BACKOFF;
    }
}


ngx_uint_t
ngx_realtime_presence_sweeps(void)
{
    ngx_realtime_mask_t  mask;

    if (ngx_exiting) {
        /* its connections to Postgres may be cut at any moment */
        (void) ngx_realtime_presence_ends();
        return 0;
    }

    mask = ngx_realtime_presence_load(&ngx_realtime_presence.sh->sweepers)
           & ngx_realtime_slot_live_mask();

    return (mask & -mask) == ngx_realtime_slot_bit(ngx_realtime_slot);
}


ngx_uint_t
ngx_realtime_presence_ends(void)
{
    ngx_realtime_mask_t  mask;

    mask = __atomic_and_fetch(&ngx_realtime_presence.sh->sweepers,
                              ~ngx_realtime_slot_bit(ngx_realtime_slot),
                              __ATOMIC_SEQ_CST);

    return (mask & ngx_realtime_slot_live_mask()) == 0;
}


void
ngx_realtime_presence_end(void)
{
    uint32_t                     now;
    ngx_uint_t                   i;
    ngx_realtime_presence_sh_t  *sh;

    sh = ngx_realtime_presence.sh;
    now = ngx_time() + ngx_realtime_presence.grace + 1;

    for (i = 0; i < sh->n; i++) {
        if (sh->entries[i].flags & NGX_REALTIME_PRESENCE_USED) {
            (void) ngx_realtime_presence_goes(&sh->entries[i], now);
        }
    }
}


ngx_uint_t
ngx_realtime_presence_due(u_char *ids, ngx_uint_t n, ngx_uint_t first)
{
    uint32_t                     now;
    ngx_uint_t                   i, found;
    ngx_realtime_presence_t     *e;
    ngx_realtime_presence_sh_t  *sh;

    sh = ngx_realtime_presence.sh;
    now = ngx_time();
    found = 0;

    for (i = 0; i < sh->n && found < n; i++) {
        e = &sh->entries[i];

        if (!(e->flags & NGX_REALTIME_PRESENCE_USED)) {
            continue;
        }

        if (!ngx_realtime_presence_goes(e, now)) {

            if (e->untold == 0) {
                continue;
            }

            e->untold += first;

            if ((e->untold & ~NGX_REALTIME_PRESENCE_REPEAT)
                < NGX_REALTIME_PRESENCE_RETRY)
            {
                continue;
            }
        }

        ngx_realtime_presence_store(&e->untold, 1);

        ngx_memcpy(&ids[found * NGX_REALTIME_PRESENCE_ID], e->id,
                   NGX_REALTIME_PRESENCE_ID);
        found++;
    }

    return found;
}


/* his grace is over: he is offline, unless he came back just now */

static ngx_uint_t
ngx_realtime_presence_goes(ngx_realtime_presence_t *e, uint32_t now)
{
    uint8_t  told, offline;

    told = ngx_realtime_presence_load(&e->told);
    offline = NGX_REALTIME_PRESENCE_OFFLINE;

    if (told == offline
        || ngx_realtime_presence_is_here(e)
        || now - e->left <= ngx_realtime_presence.grace
        || !__atomic_compare_exchange_n(&e->told, &told, offline, 0,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
    {
        return 0;
    }

    if (ngx_realtime_presence_is_here(e)) {

        /* either he saw that he is told to be offline, and said otherwise, or
           this takes it back before anybody was told */

        (void) __atomic_compare_exchange_n(&e->told, &offline, told, 0,
                                           __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
        return 0;
    }

    ngx_realtime_presence_store(&e->seen, e->left);
    __atomic_fetch_or(&e->flags, NGX_REALTIME_PRESENCE_UNSAVED,
                      __ATOMIC_SEQ_CST);

    return 1;
}


ngx_uint_t
ngx_realtime_presence_unsaved(ngx_realtime_presence_seen_t *seen,
    ngx_uint_t n)
{
    ngx_uint_t                   i, found;
    ngx_realtime_presence_t     *e;
    ngx_realtime_presence_sh_t  *sh;

    sh = ngx_realtime_presence.sh;
    found = 0;

    for (i = 0; i < sh->n && found < n; i++) {
        e = &sh->entries[i];

        if (e->flags & NGX_REALTIME_PRESENCE_UNSAVED) {
            ngx_memcpy(seen[found].id, e->id, NGX_REALTIME_PRESENCE_ID);
            seen[found++].seen = ngx_realtime_presence_load(&e->seen);
        }
    }

    return found;
}


void
ngx_realtime_presence_is_saved(ngx_realtime_presence_seen_t *seen)
{
    uint32_t                  version;
    ngx_realtime_presence_t  *e;

    e = ngx_realtime_presence_find(seen->id, &version);

    if (e && ngx_realtime_presence_load(&e->seen) == (uint32_t) seen->seen) {
        __atomic_fetch_and(&e->flags,
                           (uint8_t) ~NGX_REALTIME_PRESENCE_UNSAVED,
                           __ATOMIC_SEQ_CST);
    }
}


static void
ngx_realtime_presence_id(ngx_str_t *user, u_char *id)
{
    u_char     text[RT_UUID_LEN];
    ngx_md5_t  md5;

    if (rt_uuid_parse(user->data, user->len, text) == RT_OK) {
        rt_uuid_pack(text, id);
        return;
    }

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, user->data, user->len);
    ngx_md5_final(id, &md5);
}


/* before what is read of the entry counts, *version has to be the same */

static ngx_realtime_presence_t *
ngx_realtime_presence_find(const u_char *id, uint32_t *version)
{
    uint32_t                  hash;
    ngx_uint_t                i;
    ngx_realtime_presence_t  *e;

    hash = ngx_realtime_presence_hash(id);

    for (i = 0; i < NGX_REALTIME_PRESENCE_WINDOW; i++) {
        e = ngx_realtime_presence_at(hash, i);

        *version = ngx_realtime_presence_load(&e->version);

        if ((ngx_realtime_presence_load(&e->flags)
             & NGX_REALTIME_PRESENCE_USED)
            && ngx_memcmp(e->id, id, NGX_REALTIME_PRESENCE_ID) == 0)
        {
            return e;
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_realtime_presence_is_here(ngx_realtime_presence_t *e)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_REALTIME_SLOTS / 16; i++) {
        if (ngx_realtime_presence_load(&e->sockets[i])) {
            return 1;
        }
    }

    return 0;
}
