
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The table of revocations.
 *
 *   all      tokens of everybody that were issued before it are void
 *   cells    open addressing: a key may be in any of the WINDOW cells that
 *            follow its hash
 *
 * A cell is in use while its "until" is in the future, so nobody has to sweep.
 * Writers hold the slab mutex: a revocation is rare.  A reader takes no lock:
 * it looks at "until", at the rest, and at "until" again.  A cell is filled
 * while its "until" is 0, so one whose writer dies half-way is a free one; of
 * a cell that is used again for its own key, "before" and "until" only grow.
 *
 * When all cells that a key may have are in use the revocation is refused:
 * none is given up for another.
 */


#include "ngx_realtime_revoke.h"
#include "rt_uuid7.h"

#include <openssl/sha.h>


#define NGX_REALTIME_REVOKE_WINDOW  64
#define NGX_REALTIME_REVOKE_MAX     65536


typedef struct {
    int64_t                    until;      /* s; atomic */
    int64_t                    before;     /* s; atomic */
    u_char                     key[NGX_REALTIME_JTI_LEN];
    uint32_t                   kind;
} ngx_realtime_revoke_cell_t;


typedef struct {
    int64_t                      all;      /* s; atomic */
    uint64_t                     any;      /* revocations so far; atomic */
    ngx_uint_t                   n;        /* a power of two */
    ngx_realtime_revoke_cell_t  *cells;
} ngx_realtime_revoke_sh_t;


static ngx_realtime_revoke_cell_t *ngx_realtime_revoke_cell_locked(
    ngx_realtime_revoke_sh_t *sh, ngx_realtime_revoke_t *revoke);
static ngx_uint_t ngx_realtime_revoke_find(ngx_realtime_revoke_sh_t *sh,
    ngx_realtime_revoke_e kind, const u_char *key, int64_t *before);


#define ngx_realtime_revoke_load(p)      __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define ngx_realtime_revoke_store(p, v)                                       \
    __atomic_store_n(p, v, __ATOMIC_SEQ_CST)

#define ngx_realtime_revoke_at(sh, key, i)                                    \
    (&(sh)->cells[(ngx_murmur_hash2((u_char *) (key), NGX_REALTIME_JTI_LEN)   \
                   + (i)) & ((sh)->n - 1)])


ngx_int_t
ngx_realtime_revoke_create(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log)
{
    ngx_uint_t                 n;
    ngx_realtime_revoke_sh_t  *r;

    n = 1024;
    while (n * 2 <= sh->zone_size / 8192 && n < NGX_REALTIME_REVOKE_MAX) {
        n *= 2;
    }

    r = ngx_slab_calloc(shpool, sizeof(ngx_realtime_revoke_sh_t));
    if (r == NULL) {
        return NGX_ERROR;
    }

    r->n = n;
    r->cells = ngx_slab_calloc(shpool,
                               n * sizeof(ngx_realtime_revoke_cell_t));
    if (r->cells == NULL) {
        return NGX_ERROR;
    }

    sh->revocations = r;

    return NGX_OK;
}


/* a UUID is the same user in either case of its letters */

void
ngx_realtime_revoke_key(ngx_realtime_revoke_e kind, ngx_str_t *text,
    u_char *key)
{
    u_char      uuid[RT_UUID_LEN], hash[SHA256_DIGEST_LENGTH];
    ngx_str_t   name;

    name = *text;

    if (kind == NGX_REALTIME_REVOKE_USER
        && rt_uuid_parse(text->data, text->len, uuid) == RT_OK)
    {
        name.data = uuid;
        name.len = RT_UUID_LEN;
    }

    SHA256(name.data, name.len, hash);

    ngx_memcpy(key, hash, NGX_REALTIME_JTI_LEN);

    key[0] |= 1;
}


ngx_int_t
ngx_realtime_revoke_add(ngx_realtime_revoke_t *revoke)
{
    ngx_int_t                    rc;
    ngx_realtime_revoke_sh_t    *sh;
    ngx_realtime_revoke_cell_t  *cell;

    sh = ngx_realtime_zone_sh->revocations;
    rc = NGX_OK;

    ngx_shmtx_lock(&ngx_realtime_zone_pool->mutex);

    if (revoke->kind == NGX_REALTIME_REVOKE_ALL) {
        ngx_realtime_revoke_store(&sh->all,
                                  ngx_max(sh->all, revoke->before));

    } else {
        cell = ngx_realtime_revoke_cell_locked(sh, revoke);

        if (cell) {
            ngx_realtime_revoke_store(&cell->before,
                                      ngx_max(cell->before, revoke->before));
            ngx_realtime_revoke_store(&cell->until,
                                      ngx_max(cell->until, revoke->until));

        } else {
            rc = NGX_BUSY;
        }
    }

    ngx_realtime_revoke_store(&sh->any, sh->any + 1);

    ngx_shmtx_unlock(&ngx_realtime_zone_pool->mutex);

    return rc;
}


/* its own, or a free one that is its own now and still has until 0 */

static ngx_realtime_revoke_cell_t *
ngx_realtime_revoke_cell_locked(ngx_realtime_revoke_sh_t *sh,
    ngx_realtime_revoke_t *revoke)
{
    int64_t                      now;
    ngx_uint_t                   i;
    ngx_realtime_revoke_cell_t  *cell, *found;

    now = ngx_time();
    found = NULL;

    for (i = 0; i < NGX_REALTIME_REVOKE_WINDOW; i++) {
        cell = ngx_realtime_revoke_at(sh, revoke->key, i);

        if (cell->until <= now) {
            if (found == NULL) {
                found = cell;
            }

            continue;
        }

        if (cell->kind == revoke->kind
            && ngx_memcmp(cell->key, revoke->key, NGX_REALTIME_JTI_LEN) == 0)
        {
            return cell;
        }
    }

    if (found) {
        ngx_realtime_revoke_store(&found->until, 0);

        found->before = 0;
        found->kind = revoke->kind;
        ngx_memcpy(found->key, revoke->key, NGX_REALTIME_JTI_LEN);
    }

    return found;
}


ngx_uint_t
ngx_realtime_revoke_is(ngx_realtime_identity_t *id)
{
    u_char                     key[NGX_REALTIME_JTI_LEN];
    int64_t                    before;
    ngx_realtime_revoke_sh_t  *sh;

    sh = ngx_realtime_zone_sh->revocations;

    if (ngx_realtime_revoke_load(&sh->any) == 0) {
        return 0;
    }

    if (id->issued < ngx_realtime_revoke_load(&sh->all)) {
        return 1;
    }

    ngx_realtime_revoke_key(NGX_REALTIME_REVOKE_USER, &id->user, key);

    if (ngx_realtime_revoke_find(sh, NGX_REALTIME_REVOKE_USER, key, &before)
        && id->issued < before)
    {
        return 1;
    }

    return id->jti[0]
           && ngx_realtime_revoke_find(sh, NGX_REALTIME_REVOKE_JTI, id->jti,
                                       &before);
}


static ngx_uint_t
ngx_realtime_revoke_find(ngx_realtime_revoke_sh_t *sh,
    ngx_realtime_revoke_e kind, const u_char *key, int64_t *before)
{
    int64_t                      until, now;
    ngx_uint_t                   i;
    ngx_realtime_revoke_cell_t  *cell;

    now = ngx_time();

    for (i = 0; i < NGX_REALTIME_REVOKE_WINDOW; i++) {
        cell = ngx_realtime_revoke_at(sh, key, i);

        until = ngx_realtime_revoke_load(&cell->until);

        if (until <= now || cell->kind != kind
            || ngx_memcmp(cell->key, key, NGX_REALTIME_JTI_LEN) != 0)
        {
            continue;
        }

        *before = ngx_realtime_revoke_load(&cell->before);

        if (ngx_realtime_revoke_load(&cell->until) >= until) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_realtime_revoke_covers(ngx_realtime_revoke_t *revoke,
    ngx_realtime_identity_t *id, const u_char *user)
{
    const u_char  *key;

    if (revoke->kind == NGX_REALTIME_REVOKE_ALL) {
        return id->issued < revoke->before;
    }

    key = (revoke->kind == NGX_REALTIME_REVOKE_JTI) ? id->jti : user;

    return ngx_memcmp(revoke->key, key, NGX_REALTIME_JTI_LEN) == 0
           && (revoke->kind == NGX_REALTIME_REVOKE_JTI
               || id->issued < revoke->before);
}
