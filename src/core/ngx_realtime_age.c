
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * A hashed wheel (Varghese and Lauck, scheme 6): bucket = tick modulo
 * NGX_REALTIME_AGE_BUCKETS.  An entry further away than one turn stays in its
 * bucket and is looked at once a turn; that is why a bucket's entries are
 * compared with the clock and not trusted.
 *
 * The nginx timer is armed while there are entries or holds.  It is
 * cancelable only while nothing is held, which is what lets an exiting
 * worker (ngx_event_no_timers_left()) wait for work in progress and for
 * nothing else.
 */


#include "ngx_realtime_age.h"


#define NGX_REALTIME_AGE_BUCKETS  1024     /* a turn is 51 s */


typedef struct {
    ngx_queue_t                buckets[NGX_REALTIME_AGE_BUCKETS];
    ngx_event_t                timer;
    ngx_connection_t           dummy;      /* the debug log looks at its fd */
    ngx_msec_t                 tick;       /* ticks that are done */
    ngx_uint_t                 entries;
    ngx_uint_t                 holds;
    void                     (*exiting)(void);
} ngx_realtime_age_wheel_t;


static void ngx_realtime_age_handler(ngx_event_t *ev);
static void ngx_realtime_age_turn(ngx_msec_t tick);
static void ngx_realtime_age_arm(void);


static ngx_realtime_age_wheel_t  ngx_realtime_age_wheel;


ngx_int_t
ngx_realtime_age_init(ngx_cycle_t *cycle)
{
    ngx_uint_t                 i;
    ngx_realtime_age_wheel_t  *w;

    w = &ngx_realtime_age_wheel;

    for (i = 0; i < NGX_REALTIME_AGE_BUCKETS; i++) {
        ngx_queue_init(&w->buckets[i]);
    }

    w->dummy.fd = (ngx_socket_t) -1;
    w->timer.data = &w->dummy;
    w->timer.handler = ngx_realtime_age_handler;
    w->timer.log = cycle->log;
    w->timer.cancelable = 1;
    w->tick = ngx_current_msec / NGX_REALTIME_AGE_TICK;

    return NGX_OK;
}


void
ngx_realtime_age_set(ngx_realtime_age_t *age, ngx_msec_t delay)
{
    ngx_msec_t                 tick;
    ngx_realtime_age_wheel_t  *w;

    w = &ngx_realtime_age_wheel;

    ngx_realtime_age_unset(age);

    if (w->entries == 0 && !w->timer.timer_set) {
        /* an empty wheel stands still: no bucket between then and now */
        w->tick = ngx_current_msec / NGX_REALTIME_AGE_TICK;
    }

    age->at = ngx_current_msec + delay;

    /* the first tick that is not before it, and not one that is done */
    tick = (age->at + NGX_REALTIME_AGE_TICK - 1) / NGX_REALTIME_AGE_TICK;
    if ((ngx_msec_int_t) (tick - w->tick) <= 0) {
        tick = w->tick + 1;
    }

    ngx_queue_insert_tail(&w->buckets[tick % NGX_REALTIME_AGE_BUCKETS],
                          &age->queue);
    w->entries++;

    ngx_realtime_age_arm();
}


void
ngx_realtime_age_unset(ngx_realtime_age_t *age)
{
    if (age->queue.prev == NULL) {
        return;
    }

    ngx_queue_remove(&age->queue);
    age->queue.prev = NULL;
    ngx_realtime_age_wheel.entries--;
}


void
ngx_realtime_age_hold(void)
{
    ngx_realtime_age_wheel.holds++;
    ngx_realtime_age_wheel.timer.cancelable = 0;
    ngx_realtime_age_arm();
}


void
ngx_realtime_age_release(void)
{
    if (--ngx_realtime_age_wheel.holds == 0) {
        ngx_realtime_age_wheel.timer.cancelable = 1;
    }
}


void
ngx_realtime_age_on_exiting(void (*handler)(void))
{
    ngx_realtime_age_wheel.exiting = handler;
}


static void
ngx_realtime_age_handler(ngx_event_t *ev)
{
    void                     (*exiting)(void);
    ngx_msec_t                 now, tick;
    ngx_realtime_age_wheel_t  *w;

    w = &ngx_realtime_age_wheel;

    if (ngx_exiting && w->exiting) {
        exiting = w->exiting;
        w->exiting = NULL;
        exiting();
    }

    now = ngx_current_msec / NGX_REALTIME_AGE_TICK;

    if (now - w->tick > NGX_REALTIME_AGE_BUCKETS) {
        /* the worker slept for over a turn: each bucket once is enough */
        w->tick = now - NGX_REALTIME_AGE_BUCKETS;
    }

    while (w->tick != now) {
        tick = w->tick + 1;
        w->tick = tick;
        ngx_realtime_age_turn(tick);
    }

    ngx_realtime_age_arm();
}


static void
ngx_realtime_age_turn(ngx_msec_t tick)
{
    ngx_queue_t         *q, *bucket, due;
    ngx_realtime_age_t  *age;

    bucket = &ngx_realtime_age_wheel.buckets[tick % NGX_REALTIME_AGE_BUCKETS];

    if (ngx_queue_empty(bucket)) {
        return;
    }

    /*
     * Handlers set and unset entries, their own and others', so the bucket
     * is moved aside and consumed from the front; unset() needs no more than
     * an entry's neighbours.
     */

    ngx_queue_init(&due);
    ngx_queue_add(&due, bucket);
    ngx_queue_init(bucket);

    while (!ngx_queue_empty(&due)) {
        q = ngx_queue_head(&due);
        ngx_queue_remove(q);

        age = ngx_queue_data(q, ngx_realtime_age_t, queue);

        if ((ngx_msec_int_t) (age->at - ngx_current_msec) > 0) {
            /* of a later turn */
            ngx_queue_insert_tail(bucket, q);
            continue;
        }

        q->prev = NULL;
        ngx_realtime_age_wheel.entries--;

        age->handler(age);
    }
}


static void
ngx_realtime_age_arm(void)
{
    ngx_realtime_age_wheel_t  *w;

    w = &ngx_realtime_age_wheel;

    if (!w->timer.timer_set && (w->entries || w->holds)) {
        ngx_add_timer(&w->timer, NGX_REALTIME_AGE_TICK);
    }
}
