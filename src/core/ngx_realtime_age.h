
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Everything that grows old in a worker (pings, connect timeouts, token
 * expiry, statement deadlines) sits in one hashed timer wheel that one nginx
 * timer turns, every NGX_REALTIME_AGE_TICK ms and only while something is in
 * it.  An owner embeds one ngx_realtime_age_t and sets it to the nearest of
 * its deadlines; setting is O(1), also when it is set already.
 *
 * A handler is called once, late by at most one tick, never early; the entry
 * is then unset, and the handler may set it again or free its owner.
 *
 * Work in progress "holds" the worker: an exiting worker waits (within
 * worker_shutdown_timeout) while anything is held.
 */

#ifndef _NGX_REALTIME_AGE_H_INCLUDED_
#define _NGX_REALTIME_AGE_H_INCLUDED_


#include "ngx_realtime.h"


#define NGX_REALTIME_AGE_TICK     50       /* ms */


typedef struct ngx_realtime_age_s  ngx_realtime_age_t;

typedef void (*ngx_realtime_age_pt)(ngx_realtime_age_t *age);

struct ngx_realtime_age_s {
    ngx_queue_t                queue;      /* prev == NULL: not set */
    ngx_msec_t                 at;         /* on the ngx_current_msec clock */
    ngx_realtime_age_pt        handler;
};


ngx_int_t ngx_realtime_age_init(ngx_cycle_t *cycle);
void ngx_realtime_age_set(ngx_realtime_age_t *age, ngx_msec_t delay);
void ngx_realtime_age_unset(ngx_realtime_age_t *age);

/* balanced pairs */
void ngx_realtime_age_hold(void);
void ngx_realtime_age_release(void);

/* called once, from the tick after the worker was told to exit */
void ngx_realtime_age_on_exiting(void (*handler)(void));


#endif /* _NGX_REALTIME_AGE_H_INCLUDED_ */
