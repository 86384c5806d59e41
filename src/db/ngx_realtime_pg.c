
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The pool of a worker.
 *
 * A statement joins the waiting list and posts the dispatch event, which
 * runs after the other events of this turn of the loop: so everything that
 * one turn brought goes out together, and no handler is ever called from
 * inside ngx_realtime_pg_query().
 *
 * What bounds a statement:
 *
 *   the list is full when it comes            BUSY, at the end of the turn
 *   its deadline passes while it waits        TIMEOUT, from the age wheel
 *   its deadline passes while it is executed  statement_timeout at Postgres,
 *                                             and a second later the
 *                                             connection is given up
 *   it waits for a lock, for an eighth of     again, with nothing behind it,
 *   the timeout                               until its deadline
 *   Postgres is down                          UNAVAILABLE, see
 *                                             ngx_realtime_pg_down()
 *
 * All statements have the same timeout and those that are sent again go back
 * to the head, so the waiting list is in the order of deadlines.
 */

#include "ngx_realtime_pg_conn.h"


static void ngx_realtime_pg_dispatch(ngx_event_t *ev);
static void ngx_realtime_pg_share(ngx_realtime_pg_pool_t *pool);
static void ngx_realtime_pg_sweep(ngx_realtime_pg_pool_t *pool);
static void ngx_realtime_pg_refuse(ngx_realtime_pg_pool_t *pool);
static ngx_uint_t ngx_realtime_pg_down(ngx_realtime_pg_pool_t *pool);
static void ngx_realtime_pg_wait(ngx_realtime_pg_pool_t *pool);
static void ngx_realtime_pg_expire(ngx_realtime_age_t *age);


static const ngx_realtime_pg_stmt_t  *ngx_realtime_pg_stmts;
static ngx_uint_t                     ngx_realtime_pg_nstmts;
static const ngx_realtime_pg_schema_t  *ngx_realtime_pg_schema;
static const char                    *ngx_realtime_pg_listen_sql;
static ngx_realtime_pg_heard_pt       ngx_realtime_pg_heard;

/* one per worker; NULL before init and after exit */
static ngx_realtime_pg_pool_t        *ngx_realtime_pg_pool;


ngx_uint_t
ngx_realtime_pg_configured(void)
{
    return ngx_realtime_pg_pool != NULL;
}


ngx_uint_t
ngx_realtime_pg_identifies(void)
{
    return ngx_realtime_pg_pool && ngx_realtime_pg_pool->conf->identify;
}


void
ngx_realtime_pg_query(ngx_realtime_pg_query_t *q)
{
    ngx_realtime_pg_pool_t  *pool;

    pool = ngx_realtime_pg_pool;

    ngx_realtime_age_hold();

    q->deadline = ngx_current_msec + pool->conf->timeout;
    q->alone = 0;
    q->lost = 0;
    q->again = 0;
    q->solo = 0;
    q->waits = 0;

    if (pool->nwaiting >= pool->conf->queue) {
        ngx_queue_insert_tail(&pool->busy, &q->queue);

    } else {
        ngx_queue_insert_tail(&pool->waiting, &q->queue);
        ngx_realtime_gauge_set(pg_waiting, ++pool->nwaiting);
    }

    ngx_realtime_pg_post(pool);
}


void
ngx_realtime_pg_post(ngx_realtime_pg_pool_t *pool)
{
    if (!pool->dispatch.posted) {
        ngx_post_event(&pool->dispatch, &ngx_posted_events);
    }
}


static void
ngx_realtime_pg_dispatch(ngx_event_t *ev)
{
    ngx_queue_t              busy, *x;
    ngx_connection_t        *c;
    ngx_realtime_pg_pool_t  *pool;

    c = ev->data;
    pool = c->data;

    /* a handler may queue again: that one has its turn at the next dispatch */

    ngx_queue_init(&busy);

    if (!ngx_queue_empty(&pool->busy)) {
        ngx_queue_add(&busy, &pool->busy);
        ngx_queue_init(&pool->busy);
    }

    while (!ngx_queue_empty(&busy)) {
        x = ngx_queue_head(&busy);
        ngx_queue_remove(x);

        ngx_realtime_pg_done(ngx_queue_data(x, ngx_realtime_pg_query_t,
                                            queue),
                             NGX_REALTIME_PG_BUSY, NULL);
    }

    ngx_realtime_pg_sweep(pool);

    if (ngx_realtime_pg_down(pool)) {
        ngx_realtime_pg_refuse(pool);

    } else {
        ngx_realtime_pg_share(pool);
    }

    ngx_realtime_pg_wait(pool);
}


/*
 * What waits is spread over the connections that are idle: Postgres then has
 * a process at work on each part, and commits that meet share a flush.
 */

static void
ngx_realtime_pg_share(ngx_realtime_pg_pool_t *pool)
{
    ngx_uint_t               n, max;
    ngx_queue_t             *x;
    ngx_realtime_pg_conn_t  *pc;

    x = ngx_queue_head(&pool->idle);

    for (n = pool->nidle; n && pool->nwaiting; n--) {
        pc = ngx_queue_data(x, ngx_realtime_pg_conn_t, queue);

        /* sending takes pc out of the list, and nothing else */
        x = ngx_queue_next(x);

        max = (pool->nwaiting + n - 1) / n;

        if (max > NGX_REALTIME_PG_BATCH) {
            max = NGX_REALTIME_PG_BATCH;
        }

        (void) ngx_realtime_pg_conn_send(pc, max);
    }
}


static void
ngx_realtime_pg_sweep(ngx_realtime_pg_pool_t *pool)
{
    ngx_realtime_pg_query_t  *q;

    while (!ngx_queue_empty(&pool->waiting)) {
        q = ngx_queue_data(ngx_queue_head(&pool->waiting),
                           ngx_realtime_pg_query_t, queue);

        if (!ngx_realtime_pg_passed(q->deadline)) {
            break;
        }

        ngx_realtime_pg_take(pool, q);
        ngx_realtime_pg_done(q, NGX_REALTIME_PG_TIMEOUT, NULL);
    }
}


static void
ngx_realtime_pg_refuse(ngx_realtime_pg_pool_t *pool)
{
    ngx_uint_t                n;
    ngx_realtime_pg_query_t  *q;

    for (n = pool->nwaiting; n; n--) {
        q = ngx_queue_data(ngx_queue_head(&pool->waiting),
                           ngx_realtime_pg_query_t, queue);

        ngx_realtime_pg_take(pool, q);
        ngx_realtime_pg_done(q, NGX_REALTIME_PG_UNAVAILABLE, NULL);
    }
}


/*
 * With no connection ready, a statement waits as long as there is hope: while
 * the first attempt is under way, and for a moment after a loss, because a
 * restarted Postgres or a terminated backend is back within that.
 */

static ngx_uint_t
ngx_realtime_pg_down(ngx_realtime_pg_pool_t *pool)
{
    return pool->nready == 0
           && pool->failed
           && ngx_realtime_pg_passed(pool->since + NGX_REALTIME_PG_GRACE);
}


static void
ngx_realtime_pg_wait(ngx_realtime_pg_pool_t *pool)
{
    ngx_msec_t                nearest, grace;
    ngx_realtime_pg_query_t  *q;

    if (ngx_queue_empty(&pool->waiting)) {
        ngx_realtime_age_unset(&pool->age);
        return;
    }

    q = ngx_queue_data(ngx_queue_head(&pool->waiting),
                       ngx_realtime_pg_query_t, queue);
    nearest = q->deadline;

    if (pool->nready == 0) {
        grace = pool->since + NGX_REALTIME_PG_GRACE;

        if (!ngx_realtime_pg_passed(grace)
            && (ngx_msec_int_t) (nearest - grace) > 0)
        {
            nearest = grace;
        }
    }

    ngx_realtime_age_set(&pool->age, ngx_realtime_pg_passed(nearest)
                                     ? 1 : nearest - ngx_current_msec);
}


static void
ngx_realtime_pg_expire(ngx_realtime_age_t *age)
{
    ngx_realtime_pg_post((ngx_realtime_pg_pool_t *)
                   ((u_char *) age - offsetof(ngx_realtime_pg_pool_t, age)));
}


void
ngx_realtime_pg_take(ngx_realtime_pg_pool_t *pool, ngx_realtime_pg_query_t *q)
{
    ngx_queue_remove(&q->queue);
    ngx_realtime_gauge_set(pg_waiting, --pool->nwaiting);
}


void
ngx_realtime_pg_requeue(ngx_realtime_pg_pool_t *pool,
    ngx_realtime_pg_query_t *q)
{
    ngx_queue_insert_head(&pool->waiting, &q->queue);
    ngx_realtime_gauge_set(pg_waiting, ++pool->nwaiting);

    ngx_realtime_pg_post(pool);
}


void
ngx_realtime_pg_done(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    switch (status) {

    case NGX_REALTIME_PG_OK:
        break;

    case NGX_REALTIME_PG_REFUSED:
        ngx_realtime_count(pg_errors);
        break;

    case NGX_REALTIME_PG_TIMEOUT:
        ngx_realtime_count(pg_timeouts);
        break;

    case NGX_REALTIME_PG_UNAVAILABLE:
    case NGX_REALTIME_PG_BUSY:
        ngx_realtime_count(pg_refused);
        break;
    }

    q->handler(q, status, res);

    PQclear(res);

    ngx_realtime_age_release();
}


const char *
ngx_realtime_pg_sqlstate(PGresult *res)
{
    char  *s;

    s = PQresultErrorField(res, PG_DIAG_SQLSTATE);

    return s ? s : "";
}


ngx_uint_t
ngx_realtime_pg_missing(const char *sqlstate)
{
    return ngx_strcmp(sqlstate, "42P01") == 0
           || ngx_strcmp(sqlstate, "42703") == 0
           || ngx_strcmp(sqlstate, "42883") == 0
           || ngx_strcmp(sqlstate, "42704") == 0
           || ngx_strcmp(sqlstate, "3F000") == 0;
}


void
ngx_realtime_pg_catalogue(const ngx_realtime_pg_stmt_t *stmts, ngx_uint_t n,
    const ngx_realtime_pg_schema_t *schema)
{
    ngx_realtime_pg_schema = schema;
    ngx_realtime_pg_stmts = stmts;
    ngx_realtime_pg_nstmts = n;
}


void
ngx_realtime_pg_listen(const char *sql, ngx_realtime_pg_heard_pt heard)
{
    ngx_realtime_pg_listen_sql = sql;
    ngx_realtime_pg_heard = heard;
}


ngx_int_t
ngx_realtime_pg_init(ngx_cycle_t *cycle, ngx_realtime_pg_conf_t *conf)
{
    ngx_uint_t               i;
    ngx_realtime_pg_pool_t  *pool;

    pool = ngx_pcalloc(cycle->pool, sizeof(ngx_realtime_pg_pool_t));
    if (pool == NULL) {
        return NGX_ERROR;
    }

    pool->conns = ngx_pcalloc(cycle->pool, conf->connections
                                           * sizeof(ngx_realtime_pg_conn_t));
    if (pool->conns == NULL) {
        return NGX_ERROR;
    }

    pool->conf = conf;
    pool->stmts = ngx_realtime_pg_stmts;
    pool->nstmts = ngx_realtime_pg_nstmts;
    pool->schema = ngx_realtime_pg_schema;
    pool->listen = ngx_realtime_pg_listen_sql;
    pool->heard = ngx_realtime_pg_heard;
    pool->log = cycle->log;
    pool->since = ngx_current_msec;

    ngx_queue_init(&pool->waiting);
    ngx_queue_init(&pool->busy);
    ngx_queue_init(&pool->idle);

    pool->dummy.fd = (ngx_socket_t) -1;
    pool->dummy.data = pool;
    pool->dispatch.data = &pool->dummy;
    pool->dispatch.handler = ngx_realtime_pg_dispatch;
    pool->dispatch.log = pool->log;

    pool->age.handler = ngx_realtime_pg_expire;

    ngx_realtime_pg_pool = pool;

    pool->nconns = conf->connections;

    for (i = 0; i < pool->nconns; i++) {
        ngx_realtime_pg_conn_init(&pool->conns[i], pool);
        ngx_realtime_pg_conn_open(&pool->conns[i]);
    }

    return NGX_OK;
}


void
ngx_realtime_pg_exit(ngx_cycle_t *cycle)
{
    ngx_uint_t               i;
    ngx_realtime_pg_pool_t  *pool;

    pool = ngx_realtime_pg_pool;

    if (pool == NULL) {
        return;
    }

    ngx_realtime_pg_pool = NULL;

    ngx_realtime_age_unset(&pool->age);

    for (i = 0; i < pool->nconns; i++) {
        ngx_realtime_pg_conn_exit(&pool->conns[i]);
    }

    if (pool->dispatch.posted) {
        ngx_delete_posted_event(&pool->dispatch);
    }
}
