
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_rate.h"
#include "rt_uuid7.h"


#define NGX_REALTIME_RATE_CELLS_MAX  65536
#define NGX_REALTIME_RATE_PROBES     8
#define NGX_REALTIME_RATE_TRIES      16    /* against other workers */

#define NGX_REALTIME_RATE_SECOND     10000 /* in units of a cell's time */
#define NGX_REALTIME_RATE_N_MAX      10000
#define NGX_REALTIME_RATE_BURST_MAX  100000

/* a cell: tag 22 | time 42, of the machine's clock: 13 years */
#define NGX_REALTIME_RATE_TIME       (((uint64_t) 1 << 42) - 1)


typedef struct {
    uint32_t                   mask;
    uint64_t                   cells[1];       /* atomic */
} ngx_realtime_rates_sh_t;


static char *ngx_realtime_rate_parse(ngx_conf_t *cf,
    ngx_realtime_rates_t *rates, ngx_str_t *value, ngx_realtime_rate_t **last);
static uint64_t *ngx_realtime_rate_cell(uint32_t hash, uint64_t tag,
    uint64_t now, uint64_t *old);


static const ngx_str_t  ngx_realtime_rate_names[] = {
    ngx_null_string,
#define NGX_REALTIME_RATE_TEXT(name, text)  ngx_string(text),
    NGX_REALTIME_RATES(NGX_REALTIME_RATE_TEXT)
};


ngx_int_t
ngx_realtime_rate_create(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log)
{
    ngx_uint_t                n;
    ngx_realtime_rates_sh_t  *rates;

    n = 1024;
    while (n * 2 <= sh->zone_size / 4096 && n < NGX_REALTIME_RATE_CELLS_MAX) {
        n *= 2;
    }

    rates = ngx_slab_calloc(shpool, offsetof(ngx_realtime_rates_sh_t, cells)
                                    + n * sizeof(uint64_t));
    if (rates == NULL) {
        return NGX_ERROR;
    }

    rates->mask = n - 1;
    sh->rates = rates;

    return NGX_OK;
}


ngx_uint_t
ngx_realtime_rate(ngx_realtime_rates_t *rates, ngx_realtime_rate_e what,
    ngx_str_t *user)
{
    u_char                text[RT_UUID_LEN];
    uint32_t              hash;
    uint64_t              now, tag, tat, old, room, *cell;
    ngx_str_t             id;
    ngx_uint_t            i;
    ngx_realtime_rate_t  *rate;

    if (rates == NULL || rates->of[what].interval == 0) {
        return 0;
    }

    rate = &rates->of[what];
    id = *user;

    /* the case of a UUID makes no other user */

    if (rt_uuid_parse(user->data, user->len, text) == RT_OK) {
        id.data = text;
    }

    hash = ngx_murmur_hash2(id.data, id.len) + what * 2654435761u;
    tag = (uint64_t) (ngx_crc32_long(id.data, id.len) ^ what) << 42;

    now = (uint64_t) ngx_current_msec * 10 & NGX_REALTIME_RATE_TIME;
    room = (uint64_t) rate->interval * (rate->burst - 1);

    for (i = 0; i < NGX_REALTIME_RATE_TRIES; i++) {

        cell = ngx_realtime_rate_cell(hash, tag, now, &old);

        if (cell == NULL) {
            return 0;
        }

        tat = old & NGX_REALTIME_RATE_TIME;
        tat = ngx_max(tat, now);

        if (tat - now > room) {
            ngx_realtime_count(rate_limited);
            return (tat - now - room + NGX_REALTIME_RATE_SECOND - 1)
                   / NGX_REALTIME_RATE_SECOND;
        }

        if (__atomic_compare_exchange_n(cell, &old,
                                        tag | (tat + rate->interval), 0,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        {
            break;
        }
    }

    return 0;
}


/* the user's, or a free one; NULL: neither */

static uint64_t *
ngx_realtime_rate_cell(uint32_t hash, uint64_t tag, uint64_t now,
    uint64_t *old)
{
    uint64_t                  value, *cell, *found;
    ngx_uint_t                i;
    ngx_realtime_rates_sh_t  *rates;

    rates = ngx_realtime_zone_sh->rates;
    found = NULL;

    for (i = 0; i < NGX_REALTIME_RATE_PROBES; i++) {

        cell = &rates->cells[(hash + i) & rates->mask];
        value = __atomic_load_n(cell, __ATOMIC_SEQ_CST);

        if ((value & NGX_REALTIME_RATE_TIME) <= now) {

            if (found == NULL) {
                found = cell;
                *old = value;
            }

        } else if ((value & ~NGX_REALTIME_RATE_TIME) == tag) {
            *old = value;
            return cell;
        }
    }

    return found;
}


char *
ngx_realtime_rate_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_realtime_loc_conf_t  *rlcf = conf;

    char                 *rv;
    ngx_str_t            *value;
    ngx_uint_t            i;
    ngx_realtime_rate_t  *last;

    if (rlcf->rates) {
        return "is duplicate";
    }

    rlcf->rates = ngx_pcalloc(cf->pool, sizeof(ngx_realtime_rates_t));
    if (rlcf->rates == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_realtime_string_eq(&value[1], "off")) {
        return NGX_CONF_OK;
    }

    last = NULL;

    for (i = 1; i < cf->args->nelts; i++) {
        rv = ngx_realtime_rate_parse(cf, rlcf->rates, &value[i], &last);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


/* NAME=Nr/s, NAME=Nr/m, or burst=N for the one before */

static char *
ngx_realtime_rate_parse(ngx_conf_t *cf, ngx_realtime_rates_t *rates,
    ngx_str_t *value, ngx_realtime_rate_t **last)
{
    u_char                *p, *end;
    ngx_int_t              n;
    ngx_uint_t             i, unit;
    const ngx_str_t       *name;
    ngx_realtime_rate_t   *rate;

    end = value->data + value->len;
    p = ngx_strlchr(value->data, end, '=');

    if (p == NULL) {
        goto invalid;
    }

    p++;

    if (*last && ngx_strncmp(value->data, "burst=", 6) == 0) {

        n = ngx_atoi(p, end - p);

        if (n < 1 || n > NGX_REALTIME_RATE_BURST_MAX) {
            goto invalid;
        }

        (*last)->burst = n;
        *last = NULL;

        return NGX_CONF_OK;
    }

    for (i = 1; i < NGX_REALTIME_RATE_MAX; i++) {
        name = &ngx_realtime_rate_names[i];

        if ((size_t) (p - 1 - value->data) == name->len
            && ngx_strncmp(value->data, name->data, name->len) == 0)
        {
            break;
        }
    }

    if (i == NGX_REALTIME_RATE_MAX || end - p < 4) {
        goto invalid;
    }

    if (ngx_strncmp(end - 3, "r/s", 3) == 0) {
        unit = 1;

    } else if (ngx_strncmp(end - 3, "r/m", 3) == 0) {
        unit = 60;

    } else {
        goto invalid;
    }

    n = ngx_atoi(p, end - 3 - p);
    rate = &rates->of[i];

    if (n < 1 || n > NGX_REALTIME_RATE_N_MAX || rate->interval) {
        goto invalid;
    }

    rate->interval = unit * NGX_REALTIME_RATE_SECOND / n;
    rate->burst = n;
    *last = rate;

    return NGX_CONF_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "realtime_event_rate: \"%V\" is no rate, write for "
                       "example \"message=20r/s burst=40 "
                       "conversation=10r/m\", each of message, typing, "
                       "presence, mark_as_read, conversation and "
                       "send_notification once", value);

    return NGX_CONF_ERROR;
}
