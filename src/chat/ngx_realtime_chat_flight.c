
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_chat_flight.h"
#include "ngx_realtime_slot.h"


#define NGX_REALTIME_FLIGHT_WAYS   8
#define NGX_REALTIME_FLIGHT_SHARE  128      /* of the zone, at most */


typedef enum {
    NGX_REALTIME_FLIGHT_FREE = 0,
    NGX_REALTIME_FLIGHT_TAKEN,              /* somebody is writing it */
    NGX_REALTIME_FLIGHT_PENDING,
    NGX_REALTIME_FLIGHT_DOUBT
} ngx_realtime_flight_state_e;


typedef struct {
    uint32_t                   state;       /* atomic: whoever moves it to
                                               TAKEN owns the rest */
    uint32_t                   slot;
    uint64_t                   generation;  /* of the slot */
    u_char                     id[NGX_REALTIME_UUID_LEN];
    uint32_t                   time;        /* s, it began or came in doubt */
} ngx_realtime_flight_sh_t;


typedef struct {
    ngx_uint_t                 sets;        /* a power of two */
    ngx_realtime_flight_sh_t   flights[1];
} ngx_realtime_flights_sh_t;


static ngx_realtime_flight_sh_t *ngx_realtime_chat_flight_set(u_char *id);
static ngx_uint_t ngx_realtime_chat_flight_lost(ngx_realtime_flight_sh_t *f,
    uint32_t state);
static ngx_uint_t ngx_realtime_chat_flight_take(ngx_realtime_flight_sh_t *f,
    uint32_t state);


#define ngx_realtime_chat_flights()                                           \
    ((ngx_realtime_flights_sh_t *) ngx_realtime_zone_sh->flights)

#define ngx_realtime_chat_flight_state(f)                                     \
    __atomic_load_n(&(f)->state, __ATOMIC_ACQUIRE)

#define ngx_realtime_chat_flight_set_state(f, value)                          \
    __atomic_store_n(&(f)->state, value, __ATOMIC_RELEASE)


ngx_int_t
ngx_realtime_chat_flight_create(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log)
{
    size_t                      set;
    ngx_uint_t                  n;
    ngx_realtime_flights_sh_t  *flights;

    set = NGX_REALTIME_FLIGHT_WAYS * sizeof(ngx_realtime_flight_sh_t);

    n = 1;
    while (n * 2 * set <= sh->zone_size / NGX_REALTIME_FLIGHT_SHARE) {
        n *= 2;
    }

    flights = ngx_slab_calloc(shpool,
                              offsetof(ngx_realtime_flights_sh_t, flights)
                              + n * set);
    if (flights == NULL) {
        return NGX_ERROR;
    }

    flights->sets = n;
    sh->flights = flights;

    return NGX_OK;
}


ngx_int_t
ngx_realtime_chat_flight_begin(u_char *id)
{
    uint32_t                   state;
    ngx_uint_t                 i;
    ngx_realtime_flight_sh_t  *set, *f, *oldest;

    set = ngx_realtime_chat_flight_set(id);
    oldest = NULL;

    for (i = 0; i < NGX_REALTIME_FLIGHT_WAYS; i++) {
        f = &set[i];
        state = ngx_realtime_chat_flight_state(f);

        if (state == NGX_REALTIME_FLIGHT_FREE
            && ngx_realtime_chat_flight_take(f, state))
        {
            goto taken;
        }

        if (ngx_realtime_chat_flight_lost(f, state)
            && (oldest == NULL || f->time < oldest->time))
        {
            oldest = f;
        }
    }

    if (oldest == NULL) {
        return NGX_REALTIME_FLIGHT_NONE;
    }

    f = oldest;
    state = ngx_realtime_chat_flight_state(f);

    if (!ngx_realtime_chat_flight_lost(f, state)
        || !ngx_realtime_chat_flight_take(f, state))
    {
        return NGX_REALTIME_FLIGHT_NONE;
    }

taken:

    f->slot = ngx_realtime_slot;
    f->generation = ngx_realtime_zone_sh->slots[ngx_realtime_slot].generation;
    f->time = (uint32_t) ngx_time();
    ngx_memcpy(f->id, id, NGX_REALTIME_UUID_LEN);

    ngx_realtime_chat_flight_set_state(f, NGX_REALTIME_FLIGHT_PENDING);

    return f - ngx_realtime_chat_flights()->flights;
}


void
ngx_realtime_chat_flight_end(ngx_int_t flight)
{
    if (flight != NGX_REALTIME_FLIGHT_NONE) {
        ngx_realtime_chat_flight_set_state(
            &ngx_realtime_chat_flights()->flights[flight],
            NGX_REALTIME_FLIGHT_FREE);
    }
}


void
ngx_realtime_chat_flight_doubt(ngx_int_t flight)
{
    ngx_realtime_flight_sh_t  *f;

    if (flight != NGX_REALTIME_FLIGHT_NONE) {
        f = &ngx_realtime_chat_flights()->flights[flight];

        f->time = (uint32_t) ngx_time();
        ngx_realtime_chat_flight_set_state(f, NGX_REALTIME_FLIGHT_DOUBT);
    }
}


ngx_uint_t
ngx_realtime_chat_flight_claim(u_char *id)
{
    uint32_t                   state;
    ngx_uint_t                 i, same;
    ngx_realtime_flight_sh_t  *set, *f;

    set = ngx_realtime_chat_flight_set(id);

    for (i = 0; i < NGX_REALTIME_FLIGHT_WAYS; i++) {
        f = &set[i];
        state = ngx_realtime_chat_flight_state(f);

        if (!ngx_realtime_chat_flight_lost(f, state)
            || ngx_memcmp(f->id, id, NGX_REALTIME_UUID_LEN) != 0
            || !ngx_realtime_chat_flight_take(f, state))
        {
            continue;
        }

        /* it may have become another one since it was compared */

        same = ngx_memcmp(f->id, id, NGX_REALTIME_UUID_LEN) == 0
               && ngx_realtime_chat_flight_lost(f, state);

        ngx_realtime_chat_flight_set_state(f, same ? NGX_REALTIME_FLIGHT_FREE
                                                   : state);
        if (same) {
            return 1;
        }
    }

    return 0;
}


static ngx_realtime_flight_sh_t *
ngx_realtime_chat_flight_set(u_char *id)
{
    ngx_realtime_flights_sh_t  *flights;

    flights = ngx_realtime_chat_flights();

    return &flights->flights[(ngx_murmur_hash2(id, NGX_REALTIME_UUID_LEN)
                              & (flights->sets - 1))
                             * NGX_REALTIME_FLIGHT_WAYS];
}


/* nobody will come back for it */

static ngx_uint_t
ngx_realtime_chat_flight_lost(ngx_realtime_flight_sh_t *f, uint32_t state)
{
    ngx_realtime_slot_sh_t  *slot;

    if (state != NGX_REALTIME_FLIGHT_PENDING) {
        return state == NGX_REALTIME_FLIGHT_DOUBT;
    }

    slot = &ngx_realtime_zone_sh->slots[f->slot & (NGX_REALTIME_SLOTS - 1)];

    return slot->generation != f->generation || slot->pid == 0;
}


static ngx_uint_t
ngx_realtime_chat_flight_take(ngx_realtime_flight_sh_t *f, uint32_t state)
{
    return __atomic_compare_exchange_n(&f->state, &state,
                                       NGX_REALTIME_FLIGHT_TAKEN, 0,
                                       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}
