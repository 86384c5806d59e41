
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_version.h"
#include "rt_uuid7.h"


#define NGX_REALTIME_VERSIONS_MAX  65536


typedef struct {
    uint32_t                   mask;
    uint32_t                   counters[1];    /* atomic */
} ngx_realtime_versions_sh_t;


static uint32_t *ngx_realtime_version_counter(const u_char *id);


ngx_int_t
ngx_realtime_version_create(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log)
{
    ngx_uint_t                   n;
    ngx_realtime_versions_sh_t  *versions;

    n = 1024;
    while (n * 2 <= sh->zone_size / 4096 && n < NGX_REALTIME_VERSIONS_MAX) {
        n *= 2;
    }

    versions = ngx_slab_calloc(shpool,
                               offsetof(ngx_realtime_versions_sh_t, counters)
                               + n * sizeof(uint32_t));
    if (versions == NULL) {
        return NGX_ERROR;
    }

    versions->mask = n - 1;
    sh->versions = versions;

    return NGX_OK;
}


uint32_t
ngx_realtime_version(const u_char *id)
{
    return __atomic_load_n(ngx_realtime_version_counter(id),
                           __ATOMIC_SEQ_CST);
}


void
ngx_realtime_version_bump(const u_char *id)
{
    (void) __atomic_fetch_add(ngx_realtime_version_counter(id), 1,
                              __ATOMIC_SEQ_CST);
}


static uint32_t *
ngx_realtime_version_counter(const u_char *id)
{
    ngx_realtime_versions_sh_t  *versions;

    versions = ngx_realtime_zone_sh->versions;

    return &versions->counters[ngx_murmur_hash2((u_char *) id, RT_UUID_BYTES)
                               & versions->mask];
}
