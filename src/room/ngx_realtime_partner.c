
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_partner.h"
#include "rt_uuid7.h"


#define NGX_REALTIME_PARTNER_WAYS   4
#define NGX_REALTIME_PARTNER_TRIES  4
#define NGX_REALTIME_PARTNERS_MAX   16384  /* entries */


typedef struct {
    uint32_t                   seq;        /* atomic */
    uint32_t                   n;
    uint32_t                   version;
    uint32_t                   used;       /* s: when it was kept; 0: empty */
    u_char                     user[RT_UUID_BYTES];
    u_char                     partners[NGX_REALTIME_PARTNER_MAX]
                                       [RT_UUID_BYTES];
} ngx_realtime_partner_t;


typedef struct {
    ngx_uint_t                 sets;       /* a power of two */
    ngx_realtime_partner_t    *entries;
} ngx_realtime_partners_sh_t;


static ngx_realtime_partner_t *ngx_realtime_partner_set(const u_char *user);
static ngx_int_t ngx_realtime_partner_read(ngx_realtime_partner_t *entry,
    const u_char *user, u_char *partners, ngx_uint_t *n);
static ngx_realtime_partner_t *ngx_realtime_partner_place_locked(
    const u_char *user);


#define ngx_realtime_partner_load(p)      __atomic_load_n(p, __ATOMIC_SEQ_CST)


ngx_int_t
ngx_realtime_partner_create(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log)
{
    ngx_uint_t                   n;
    ngx_realtime_partners_sh_t  *p;

    n = 64;
    while (n * 2 <= sh->zone_size / 65536 && n < NGX_REALTIME_PARTNERS_MAX) {
        n *= 2;
    }

    p = ngx_slab_calloc(shpool, sizeof(ngx_realtime_partners_sh_t));
    if (p == NULL) {
        return NGX_ERROR;
    }

    p->sets = n / NGX_REALTIME_PARTNER_WAYS;
    p->entries = ngx_slab_calloc(shpool, n * sizeof(ngx_realtime_partner_t));
    if (p->entries == NULL) {
        return NGX_ERROR;
    }

    sh->partners = p;

    return NGX_OK;
}


ngx_int_t
ngx_realtime_partner_find(const u_char *user, u_char *partners,
    ngx_uint_t *n)
{
    ngx_uint_t               i;
    ngx_realtime_partner_t  *entry;

    entry = ngx_realtime_partner_set(user);

    for (i = 0; i < NGX_REALTIME_PARTNER_WAYS; i++) {
        if (ngx_realtime_partner_read(&entry[i], user, partners, n)
            == NGX_OK)
        {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_realtime_partner_read(ngx_realtime_partner_t *entry, const u_char *user,
    u_char *partners, ngx_uint_t *n)
{
    uint32_t    seq;
    ngx_uint_t  i, match;

    for (i = 0; i < NGX_REALTIME_PARTNER_TRIES; i++) {

        seq = ngx_realtime_partner_load(&entry->seq);

        if (seq & 1) {
            continue;
        }

        match = entry->used
                && ngx_memcmp(entry->user, user, RT_UUID_BYTES) == 0
                && entry->version == ngx_realtime_version(user)
                && entry->n <= NGX_REALTIME_PARTNER_MAX;

        if (match) {
            *n = ngx_min(entry->n, NGX_REALTIME_PARTNER_MAX);
            ngx_memcpy(partners, entry->partners, *n * RT_UUID_BYTES);
        }

        __atomic_thread_fence(__ATOMIC_SEQ_CST);

        if (ngx_realtime_partner_load(&entry->seq) == seq) {
            return match ? NGX_OK : NGX_DECLINED;
        }
    }

    return NGX_DECLINED;
}


void
ngx_realtime_partner_keep(const u_char *user, uint32_t version,
    const u_char *partners, ngx_uint_t n)
{
    ngx_realtime_partner_t  *entry;

    if (version != ngx_realtime_version(user)) {
        return;
    }

    ngx_shmtx_lock(&ngx_realtime_zone_pool->mutex);

    entry = ngx_realtime_partner_place_locked(user);

    __atomic_store_n(&entry->seq, entry->seq | 1, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    entry->n = n;
    entry->version = version;
    entry->used = ngx_time();
    ngx_memcpy(entry->user, user, RT_UUID_BYTES);

    if (n <= NGX_REALTIME_PARTNER_MAX) {
        ngx_memcpy(entry->partners, partners, n * RT_UUID_BYTES);
    }

    __atomic_store_n(&entry->seq, entry->seq + 1, __ATOMIC_SEQ_CST);

    ngx_shmtx_unlock(&ngx_realtime_zone_pool->mutex);
}


/* his own; or one that nobody can read; or the one kept longest ago */

static ngx_realtime_partner_t *
ngx_realtime_partner_place_locked(const u_char *user)
{
    uint32_t                 kept, oldest;
    ngx_uint_t               i;
    ngx_realtime_partner_t  *entry, *place;

    entry = ngx_realtime_partner_set(user);
    place = entry;
    oldest = (uint32_t) -1;

    for (i = 0; i < NGX_REALTIME_PARTNER_WAYS; i++, entry++) {

        if (ngx_memcmp(entry->user, user, RT_UUID_BYTES) == 0) {
            return entry;
        }

        kept = ((entry->seq & 1)
                || entry->version != ngx_realtime_version(entry->user))
               ? 0 : entry->used;

        if (kept < oldest) {
            oldest = kept;
            place = entry;
        }
    }

    return place;
}


static ngx_realtime_partner_t *
ngx_realtime_partner_set(const u_char *user)
{
    uint32_t                     hash;
    ngx_realtime_partners_sh_t  *p;

    p = ngx_realtime_zone_sh->partners;
    hash = ngx_murmur_hash2((u_char *) user, RT_UUID_BYTES);

    return &p->entries[(hash & (p->sets - 1)) * NGX_REALTIME_PARTNER_WAYS];
}
