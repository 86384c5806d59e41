
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_zone.h"


/*
 * In the pool of a configuration cycle.  When the next cycle takes the zone
 * over, "inherited" tells the cleanup of this cycle's pool that what belongs
 * to the zone (the eventfds) lives on.
 */

typedef struct {
    ngx_realtime_zone_sh_t            *sh;
    ngx_slab_pool_t                   *shpool;
    ngx_realtime_zone_part_pt         *parts;
    const ngx_realtime_zone_keeper_t  *keeper;
    void                              *kept;        /* the keeper's */
    unsigned                           inherited:1;
} ngx_realtime_zone_ctx_t;


static ngx_int_t ngx_realtime_zone_init(ngx_shm_zone_t *zone, void *data);
static ngx_int_t ngx_realtime_zone_create(ngx_shm_zone_t *zone,
    ngx_realtime_zone_ctx_t *ctx);
static void ngx_realtime_zone_cleanup(void *data);


ngx_realtime_zone_sh_t  *ngx_realtime_zone_sh;
ngx_slab_pool_t         *ngx_realtime_zone_pool;


void
ngx_realtime_zone_attach(ngx_shm_zone_t *zone)
{
    ngx_realtime_zone_ctx_t  *ctx;

    ctx = zone->data;

    ngx_realtime_zone_sh = ctx->sh;
    ngx_realtime_zone_pool = ctx->shpool;
}


char *
ngx_realtime_zone_directive(ngx_conf_t *cf, ngx_realtime_main_conf_t *rmcf,
    ngx_realtime_zone_part_pt *parts,
    const ngx_realtime_zone_keeper_t *keeper)
{
    ssize_t                   size;
    ngx_str_t                *value;
    ngx_pool_cleanup_t       *cln;
    ngx_realtime_zone_ctx_t  *ctx;

    if (rmcf->zone) {
        return "is duplicate: one zone serves all servers";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "needs a name";
    }

    size = ngx_parse_size(&value[2]);

    if (size == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "realtime_zone: \"%V\" is not a size, "
                           "write for example 64m", &value[2]);
        return NGX_CONF_ERROR;
    }

    if (size < (ssize_t) NGX_REALTIME_ZONE_MIN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "realtime_zone: \"%V\" is too small, "
                           "at least 16m is needed", &value[2]);
        return NGX_CONF_ERROR;
    }

    ctx = ngx_pcalloc(cf->pool, sizeof(ngx_realtime_zone_ctx_t));
    if (ctx == NULL) {
        return NGX_CONF_ERROR;
    }

    ctx->parts = parts;
    ctx->keeper = keeper;

    rmcf->zone = ngx_shared_memory_add(cf, &value[1], size,
                                       NGX_REALTIME_ZONE_TAG);
    if (rmcf->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    rmcf->zone->init = ngx_realtime_zone_init;
    rmcf->zone->data = ctx;

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_realtime_zone_cleanup;
    cln->data = ctx;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_realtime_zone_init(ngx_shm_zone_t *zone, void *data)
{
    ngx_realtime_zone_ctx_t  *octx = data;

    ngx_realtime_zone_sh_t   *sh;
    ngx_realtime_zone_ctx_t  *ctx;

    ctx = zone->data;

    if (octx) {
        /* a reload: nginx kept the mapping */

        ctx->sh = octx->sh;
        ctx->shpool = octx->shpool;
        ctx->kept = octx->kept;
        octx->inherited = 1;

        ctx->sh->boots++;

        return NGX_OK;
    }

    ctx->shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (!zone->shm.exists) {
        return ngx_realtime_zone_create(zone, ctx);
    }

    /* not on Unix, where an anonymous mapping always starts empty */

    sh = ctx->shpool->data;

    if (sh == NULL
        || sh->magic != NGX_REALTIME_ZONE_MAGIC
        || sh->layout != NGX_REALTIME_ZONE_LAYOUT
        || sh->size != sizeof(ngx_realtime_zone_sh_t)
        || sh->zone_size != zone->shm.size)
    {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "realtime: zone \"%V\" has another layout, "
                      "restart nginx", &zone->shm.name);
        return NGX_ERROR;
    }

    ctx->sh = sh;
    sh->boots++;

    return NGX_OK;
}


static ngx_int_t
ngx_realtime_zone_create(ngx_shm_zone_t *zone, ngx_realtime_zone_ctx_t *ctx)
{
    ngx_realtime_zone_sh_t     *sh;
    ngx_realtime_zone_part_pt  *part;

    sh = ngx_slab_calloc(ctx->shpool, sizeof(ngx_realtime_zone_sh_t));
    if (sh == NULL) {
        return NGX_ERROR;
    }

    sh->layout = NGX_REALTIME_ZONE_LAYOUT;
    sh->size = sizeof(ngx_realtime_zone_sh_t);
    sh->zone_size = zone->shm.size;
    sh->boots = 1;

    for (part = ctx->parts; *part; part++) {
        if ((*part)(sh, ctx->shpool, zone->shm.log) != NGX_OK) {
            ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                          "realtime: zone \"%V\" is too small",
                          &zone->shm.name);
            return NGX_ERROR;
        }
    }

    ctx->kept = ctx->keeper->keep(sh);
    if (ctx->kept == NULL) {
        return NGX_ERROR;
    }

    /* last: a zone with a magic is a whole one */

    sh->magic = NGX_REALTIME_ZONE_MAGIC;

    ctx->sh = sh;
    ctx->shpool->data = sh;

    return NGX_OK;
}


static void
ngx_realtime_zone_cleanup(void *data)
{
    ngx_realtime_zone_ctx_t  *ctx = data;

    /* nothing is kept when the configuration was only tested or failed */

    if (ctx->kept && !ctx->inherited) {
        ctx->keeper->retire(ctx->kept);
    }
}
