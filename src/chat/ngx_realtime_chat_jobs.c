
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * One worker of a node, the elected one, runs jobs; nodes share them, because
 * Postgres gives a row to one claim only, and to the next one when its lease
 * has run out.
 *
 *   every second  --> elected? --> a job is due, somebody notified, or five
 *                                  seconds have passed
 *                                          |
 *        +------------- claim <------------+
 *        v
 *   rows, in their order, one after the other:
 *        emit        published, marked in the zone -----------> end
 *        notify      ngx_realtime_chat_notify() --------------> end
 *        broadcast   a page of users, the same ---> step, or -> end
 *        wrong       one line in the log, counted ------------> end, failed
 *
 * Once, whenever a worker dies:
 *
 *   - before it is published: the lease runs out, the next claim publishes it.
 *   - after it, before the job has ended: the next claim finds the rows of the
 *     notification and tells nobody, unless the table of flights says that
 *     nobody was told (ngx_realtime_chat_flight.h); of what has no row, it is
 *     among the marks, which are in the zone (ngx_realtime_chat_jobs_mark.c).
 *   - in the very act, between the first worker that was told and the mark or
 *     the end of the flight: it is published again, for nobody knows how far
 *     it came, and twice is better than never.  A notification has an id, by
 *     which its receiver knows it.
 *
 * If all of the node is gone, so are its sockets; they come anew, and what is
 * unread is given to them at CONNECT.  Of an event, and of what is volatile,
 * another node then knows nothing: it publishes it, to its own sockets.
 *
 * The elected one is a slot and its generation, in the zone: whoever sees that
 * this is no live worker any more takes the place.  A worker that exits gives
 * it up.  For a moment two may believe that they are it: each claim is of rows
 * that the other has not.
 *
 * What Postgres does not do now is left as it is: its lease runs out.
 */


#include "ngx_realtime_chat_jobs_run.h"
#include "ngx_realtime_slot.h"


#define NGX_REALTIME_JOBS_POLL    5000     /* ms, when nobody notifies */
#define NGX_REALTIME_JOBS_PURGE   60000    /* ms */


static void ngx_realtime_jobs_heard(void);
static void ngx_realtime_jobs_tick(ngx_event_t *ev);
static ngx_uint_t ngx_realtime_jobs_elected(void);
static void ngx_realtime_jobs_look(void);
static void ngx_realtime_jobs_purged(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static void ngx_realtime_jobs_claimed(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static void ngx_realtime_jobs_timed(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static void ngx_realtime_jobs_soon(ngx_msec_t delay);


ngx_realtime_jobs_t  ngx_realtime_jobs;


ngx_int_t
ngx_realtime_chat_jobs_create(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log)
{
    sh->jobs = ngx_slab_calloc(shpool, sizeof(ngx_realtime_jobs_sh_t));

    return sh->jobs ? NGX_OK : NGX_ERROR;
}


void
ngx_realtime_chat_jobs_init(ngx_cycle_t *cycle)
{
    ngx_realtime_jobs_t  *jobs;

    jobs = &ngx_realtime_jobs;

    jobs->log = cycle->log;
    jobs->due = ngx_current_msec;
    jobs->purge = ngx_current_msec;

    jobs->dummy.fd = (ngx_socket_t) -1;
    jobs->tick.data = &jobs->dummy;
    jobs->tick.handler = ngx_realtime_jobs_tick;
    jobs->tick.log = cycle->log;
    jobs->tick.cancelable = 1;

    ngx_realtime_pg_listen("LISTEN realtime_jobs", ngx_realtime_jobs_heard);

    ngx_add_timer(&jobs->tick, NGX_REALTIME_JOBS_TICK);
}


void
ngx_realtime_chat_jobs_exit(void)
{
    PQclear(ngx_realtime_jobs.page);
    PQclear(ngx_realtime_jobs.res);

    ngx_realtime_jobs.page = NULL;
    ngx_realtime_jobs.res = NULL;
}


static void
ngx_realtime_jobs_heard(void)
{
    ngx_realtime_jobs_t  *jobs;

    jobs = &ngx_realtime_jobs;

    jobs->woken = 1;

    /* from inside of db/: the claim is the event loop's */

    if (!jobs->busy && !ngx_exiting && ngx_realtime_jobs_elected()) {
        ngx_realtime_jobs_soon(1);
    }
}


/* nginx leaves a timer where it is that is moved by little */

static void
ngx_realtime_jobs_soon(ngx_msec_t delay)
{
    ngx_event_t  *ev;

    ev = &ngx_realtime_jobs.tick;

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    ngx_add_timer(ev, delay);
}


static void
ngx_realtime_jobs_tick(ngx_event_t *ev)
{
    ngx_msec_t            delay;
    ngx_realtime_jobs_t  *jobs;

    jobs = &ngx_realtime_jobs;
    delay = NGX_REALTIME_JOBS_TICK;

    if (ngx_realtime_jobs_elected()) {

        if (!jobs->busy) {
            ngx_realtime_jobs_look();
        }

        if (!jobs->busy && !ngx_realtime_jobs_passed(jobs->due)) {
            delay = ngx_min(delay, jobs->due - ngx_current_msec);
        }
    }

    if (!ev->timer_set) {
        ngx_add_timer(ev, delay);
    }
}


static ngx_uint_t
ngx_realtime_jobs_elected(void)
{
    uint64_t                 me, was, slot;
    ngx_realtime_jobs_sh_t  *sh;

    sh = ngx_realtime_jobs_sh();

    me = (ngx_realtime_slot_generation(ngx_realtime_slot) << 8
          | ngx_realtime_slot) + 1;

    was = __atomic_load_n(&sh->elected, __ATOMIC_ACQUIRE);

    if (was == me && !ngx_exiting) {
        return 1;
    }

    if (ngx_exiting) {
        (void) __atomic_compare_exchange_n(&sh->elected, &me, 0, 0,
                                           __ATOMIC_ACQ_REL,
                                           __ATOMIC_RELAXED);
        return 0;
    }

    if (was) {
        slot = (was - 1) & 0xff;

        if (ngx_realtime_slot_is(slot, (was - 1) >> 8)) {
            return 0;
        }
    }

    return __atomic_compare_exchange_n(&sh->elected, &was, me, 0,
                                       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}


static void
ngx_realtime_jobs_look(void)
{
    ngx_realtime_jobs_t  *jobs;

    jobs = &ngx_realtime_jobs;

    if (jobs->woken || ngx_realtime_jobs_passed(jobs->due)) {
        jobs->woken = 0;
        jobs->claimed = ngx_current_msec;

        ngx_realtime_jobs_ask(NGX_REALTIME_STMT_JOBS_CLAIM,
                              ngx_realtime_jobs_claimed);
        return;
    }

    if (ngx_realtime_jobs_passed(jobs->purge)) {
        jobs->purge = ngx_current_msec + NGX_REALTIME_JOBS_PURGE;

        ngx_realtime_jobs_ask(NGX_REALTIME_STMT_PURGE,
                              ngx_realtime_jobs_purged);
    }
}


void
ngx_realtime_jobs_ask(ngx_realtime_chat_stmt_e stmt,
    ngx_realtime_pg_pt handler)
{
    ngx_realtime_pg_query_t  *q;

    q = &ngx_realtime_jobs.query;

    ngx_realtime_jobs.busy = 1;

    q->stmt = stmt;
    q->key = 0;
    q->values[0] = "*";
    q->handler = handler;

    ngx_realtime_pg_query(q);
}


static void
ngx_realtime_jobs_purged(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    ngx_int_t  n;

    ngx_realtime_jobs.busy = 0;

    if (status != NGX_REALTIME_PG_OK) {
        return;
    }

    n = ngx_atoi((u_char *) PQgetvalue(res, 0, 0), PQgetlength(res, 0, 0));

    if (n > 0) {
        ngx_realtime_count_n(notifications_purged, n);
    }

    if (n >= NGX_REALTIME_STMT_ROWS) {
        /* a step at each tick, until it is done */
        ngx_realtime_jobs.purge = ngx_current_msec;
    }
}


static void
ngx_realtime_jobs_claimed(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    ngx_realtime_jobs_t  *jobs;

    jobs = &ngx_realtime_jobs;

    if (status == NGX_REALTIME_PG_REFUSED) {

        /* a standby, or rights that are missing: not every second */

        ngx_realtime_jobs_idle(NGX_REALTIME_JOBS_POLL);
        return;
    }

    if (status != NGX_REALTIME_PG_OK) {
        ngx_realtime_jobs_idle(NGX_REALTIME_JOBS_TICK);
        return;
    }

    if (PQntuples(res) == 0) {
        ngx_realtime_jobs_ask(NGX_REALTIME_STMT_JOBS_NEXT,
                              ngx_realtime_jobs_timed);
        return;
    }

    /* db/ clears what it gives to a handler */

    jobs->res = PQcopyResult(res, PG_COPYRES_ATTRS|PG_COPYRES_TUPLES);

    if (jobs->res == NULL) {
        ngx_realtime_jobs_idle(NGX_REALTIME_JOBS_TICK);
        return;
    }

    jobs->row = 0;

    ngx_realtime_jobs_next();
}


static void
ngx_realtime_jobs_timed(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    ngx_int_t  ms;

    ms = NGX_REALTIME_JOBS_POLL;

    if (status == NGX_REALTIME_PG_OK && PQntuples(res)) {
        ms = ngx_atoi((u_char *) PQgetvalue(res, 0, 0),
                      PQgetlength(res, 0, 0));

        if (ms < 1 || ms > NGX_REALTIME_JOBS_POLL) {
            ms = NGX_REALTIME_JOBS_POLL;
        }
    }

    ngx_realtime_jobs_idle(ms);
}


void
ngx_realtime_jobs_idle(ngx_msec_t due)
{
    ngx_realtime_jobs_t  *jobs;

    jobs = &ngx_realtime_jobs;

    PQclear(jobs->page);
    PQclear(jobs->res);

    jobs->page = NULL;
    jobs->res = NULL;
    jobs->busy = 0;
    jobs->due = ngx_current_msec + due;

    if (jobs->woken) {
        due = 1;
    }

    if (due < NGX_REALTIME_JOBS_TICK) {
        ngx_realtime_jobs_soon(due);
    }
}
