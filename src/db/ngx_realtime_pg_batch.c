
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Statements on the wire, from the waiting list to a verdict.
 *
 * Up to a Sync, Postgres runs everything in one implicit transaction.  So a
 * result means nothing before its Sync has come back, and one failure undoes
 * its neighbours:
 *
 *   sent      insert a   insert b   insert c   Sync
 *   results      OK       error     aborted    Sync    nothing was stored
 *   verdict    alone      alone      alone             sent once more
 *
 * "Alone" is with a Sync of its own, so that this happens to a statement
 * once.  It is also the only one of its key on the wire: if it fails in a way
 * that passes and is sent a third time, none of its key has overtaken it.  The
 * error of the first statement of a transaction is its own and final; a later
 * one may have failed because of a neighbour that is undone now, and gets its
 * verdict alone, like the others.
 *
 * A statement that waits for a lock holds up whatever is behind it.  It gives
 * up after lock_timeout, and from then on is "solo", a batch of one; if others
 * wait they have the connection as long then as it had.
 *
 * When the connection is lost before the Sync, nobody knows what happened,
 * unless an error was seen before: idempotent statements are sent once more,
 * others are answered with UNAVAILABLE.
 *
 * Not done: a statement is never cancelled at Postgres (PQcancel() blocks);
 * statement_timeout does that.
 */

#include "ngx_realtime_pg_conn.h"


static ngx_uint_t ngx_realtime_pg_batch_gather(ngx_realtime_pg_conn_t *pc,
    ngx_uint_t max, ngx_uint_t solo);
static ngx_int_t ngx_realtime_pg_batch_may(ngx_realtime_pg_conn_t *pc,
    ngx_realtime_pg_query_t *q, ngx_uint_t solo);
static void ngx_realtime_pg_batch_insert(ngx_realtime_pg_conn_t *pc,
    ngx_realtime_pg_query_t *q);
static ngx_int_t ngx_realtime_pg_batch_identify(ngx_realtime_pg_conn_t *pc,
    ngx_realtime_pg_sent_t *s);
static ngx_int_t ngx_realtime_pg_batch_sync(ngx_realtime_pg_conn_t *pc,
    ngx_realtime_pg_sent_t *s);
static ngx_int_t ngx_realtime_pg_batch_keep(ngx_realtime_pg_conn_t *pc,
    PGresult *res);
static ngx_int_t ngx_realtime_pg_batch_error(ngx_realtime_pg_conn_t *pc,
    PGresult *res);
static ngx_uint_t ngx_realtime_pg_batch_fatal(PGresult *res);
static void ngx_realtime_pg_batch_undone(ngx_realtime_pg_conn_t *pc);
static void ngx_realtime_pg_batch_verdict(ngx_realtime_pg_conn_t *pc,
    ngx_realtime_pg_sent_t *s);
static void ngx_realtime_pg_batch_log(ngx_realtime_pg_conn_t *pc,
    ngx_realtime_pg_sent_t *s, const char *state);
static void ngx_realtime_pg_batch_reset(ngx_realtime_pg_conn_t *pc);


#define NGX_REALTIME_PG_LOCKED  "55P03"   /* lock_not_available */

#define ngx_realtime_pg_batch_key(pc, q)                                      \
    (&(pc)->pool->keys[(q)->key & (NGX_REALTIME_PG_KEYS - 1)])


ngx_int_t
ngx_realtime_pg_batch_send(ngx_realtime_pg_conn_t *pc, ngx_uint_t max)
{
    ngx_uint_t                     i, solo;
    ngx_realtime_pg_sent_t        *s;
    const ngx_realtime_pg_stmt_t  *stmt;

    ngx_realtime_pg_batch_reset(pc);

    solo = ngx_realtime_pg_passed(pc->others);

    if (ngx_realtime_pg_batch_gather(pc, max, solo) == 0
        && (solo || ngx_realtime_pg_batch_gather(pc, max, 1) == 0))
    {
        return NGX_DECLINED;
    }

    pc->solo = pc->sent[0].query->solo;
    pc->sent_at = ngx_current_msec;

    for (i = 0; i < pc->nsent; i++) {
        s = &pc->sent[i];
        stmt = &pc->pool->stmts[s->query->stmt];

        if (pc->pool->conf->identify
            && ngx_realtime_pg_batch_identify(pc, s) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (PQsendQueryPrepared(pc->pg, stmt->name, (int) stmt->nparams,
                                s->query->values, NULL, NULL, 0)
            == 0)
        {
            return NGX_ERROR;
        }

        if (s->query->alone || i + 1 == pc->nsent) {
            if (ngx_realtime_pg_batch_sync(pc, s) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    ngx_realtime_count_n(pg_queries, pc->nsent);

    return NGX_OK;
}


/* in the same pipeline and transaction as the statement: no round trip */

static ngx_int_t
ngx_realtime_pg_batch_identify(ngx_realtime_pg_conn_t *pc,
    ngx_realtime_pg_sent_t *s)
{
    s->identity = 1;

    return PQsendQueryPrepared(pc->pg, NGX_REALTIME_PG_IDENTIFY, 1,
                               s->query->values, NULL, NULL, 0)
           ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_realtime_pg_batch_sync(ngx_realtime_pg_conn_t *pc,
    ngx_realtime_pg_sent_t *s)
{
    s->sync = 1;

    if (PQpipelineSync(pc->pg) == 0) {
        return NGX_ERROR;
    }

    pc->syncs++;
    ngx_realtime_count(pg_batches);

    return NGX_OK;
}


/* solo: whether one of those may be the batch */

static ngx_uint_t
ngx_realtime_pg_batch_gather(ngx_realtime_pg_conn_t *pc, ngx_uint_t max,
    ngx_uint_t solo)
{
    ngx_queue_t              *x, *next;
    ngx_realtime_pg_pool_t   *pool;
    ngx_realtime_pg_query_t  *q;

    pool = pc->pool;
    pool->gathering++;

    for (x = ngx_queue_head(&pool->waiting);
         x != ngx_queue_sentinel(&pool->waiting) && pc->nsent < max;
         x = next)
    {
        next = ngx_queue_next(x);
        q = ngx_queue_data(x, ngx_realtime_pg_query_t, queue);

        if (ngx_realtime_pg_batch_may(pc, q, solo) != NGX_OK) {
            continue;
        }

        ngx_realtime_pg_take(pool, q);
        ngx_realtime_pg_batch_insert(pc, q);

        if (q->solo) {
            break;
        }
    }

    return pc->nsent;
}


/* no statement overtakes one of its key, here or on another connection */

static ngx_int_t
ngx_realtime_pg_batch_may(ngx_realtime_pg_conn_t *pc,
    ngx_realtime_pg_query_t *q, ngx_uint_t solo)
{
    ngx_uint_t              later;
    ngx_realtime_pg_key_t  *key;

    later = q->solo && (!solo || pc->nsent);

    if (q->key == 0) {
        return later ? NGX_DECLINED : NGX_OK;
    }

    key = ngx_realtime_pg_batch_key(pc, q);

    if ((key->n && key->conn != pc)
        || key->closed == pc->pool->gathering)
    {
        return NGX_DECLINED;
    }

    if (later || (q->alone && key->n)) {
        key->closed = pc->pool->gathering;
        return NGX_DECLINED;
    }

    if (q->alone) {
        key->closed = pc->pool->gathering;
    }

    key->conn = pc;
    key->n++;

    return NGX_OK;
}


/*
 * Those that go alone come first; what shares a transaction is in the order
 * of the keys, which is the order in which every worker locks its rows.
 */

static void
ngx_realtime_pg_batch_insert(ngx_realtime_pg_conn_t *pc,
    ngx_realtime_pg_query_t *q)
{
    ngx_uint_t                i;
    ngx_realtime_pg_query_t  *p;

    for (i = pc->nsent; i; i--) {
        p = pc->sent[i - 1].query;

        if (p->alone || (!q->alone && p->key <= q->key)) {
            break;
        }

        pc->sent[i] = pc->sent[i - 1];
    }

    ngx_memzero(&pc->sent[i], sizeof(ngx_realtime_pg_sent_t));
    pc->sent[i].query = q;

    pc->nsent++;
}


ngx_int_t
ngx_realtime_pg_batch_result(ngx_realtime_pg_conn_t *pc, PGresult *res)
{
    switch (PQresultStatus(res)) {

    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        return ngx_realtime_pg_batch_keep(pc, res);

    case PGRES_PIPELINE_ABORTED:
        PQclear(res);
        return ngx_realtime_pg_batch_keep(pc, NULL);

    case PGRES_FATAL_ERROR:
        return ngx_realtime_pg_batch_error(pc, res);

    default:
        ngx_realtime_pg_conn_text(pc->why, NGX_REALTIME_PG_WHY,
                                  "unexpected result");
        PQclear(res);
        return NGX_ERROR;
    }
}


static ngx_int_t
ngx_realtime_pg_batch_keep(ngx_realtime_pg_conn_t *pc, PGresult *res)
{
    ngx_realtime_pg_sent_t  *s;

    if (pc->answered == pc->nsent) {
        ngx_realtime_pg_conn_text(pc->why, NGX_REALTIME_PG_WHY,
                                  "more results than statements");
        PQclear(res);
        return NGX_ERROR;
    }

    s = &pc->sent[pc->answered];

    if (s->identity) {

        s->identity = 0;

        if (PQresultStatus(res) == PGRES_FATAL_ERROR) {
            /* the statement itself will only say that it was aborted */
            s->res = res;

        } else {
            PQclear(res);
        }

        return NGX_OK;
    }

    pc->answered++;

    if (s->res == NULL) {
        s->res = res;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_realtime_pg_batch_error(ngx_realtime_pg_conn_t *pc, PGresult *res)
{
    ngx_realtime_pg_sent_t  *s;

    if (ngx_realtime_pg_batch_fatal(res)) {
        ngx_realtime_pg_conn_reason(pc->why, NGX_REALTIME_PG_WHY, res);
        PQclear(res);
        return NGX_ERROR;
    }

    pc->failed = 1;

    if (pc->answered == pc->first || !pc->sent[pc->answered - 1].sync) {
        pc->culprit = pc->answered;
        return ngx_realtime_pg_batch_keep(pc, res);
    }

    /* the commit failed: nobody's fault unless there is one only */

    if (pc->first != pc->answered - 1) {
        PQclear(res);
        return NGX_OK;
    }

    s = &pc->sent[pc->first];

    PQclear(s->res);
    s->res = res;
    pc->culprit = pc->first;

    return NGX_OK;
}


/*
 * The end of a connection that Postgres announces.  A backend that was told
 * to end while it committed says so too, hence this does not count as an
 * error that proves a rollback.
 */

static ngx_uint_t
ngx_realtime_pg_batch_fatal(PGresult *res)
{
    const char  *state;

    state = ngx_realtime_pg_sqlstate(res);

    /* libpq's own errors, such as an unexpected end of file, have none */

    return state[0] == '\0'
           || ngx_strncmp(state, "08", 2) == 0
           || ngx_strcmp(state, "57P01") == 0
           || ngx_strcmp(state, "57P02") == 0
           || ngx_strcmp(state, "57P03") == 0
           || ngx_strcmp(state, "57P05") == 0
           || ngx_strcmp(state, "25P03") == 0;
}


ngx_int_t
ngx_realtime_pg_batch_synced(ngx_realtime_pg_conn_t *pc)
{
    ngx_realtime_pg_sent_t  *s;

    if (pc->answered == pc->first || !pc->sent[pc->answered - 1].sync) {
        ngx_realtime_pg_conn_text(pc->why, NGX_REALTIME_PG_WHY,
                                  "unexpected Sync");
        return NGX_ERROR;
    }

    pc->syncs--;

    if (pc->solo) {
        pc->solo = 0;
        pc->others = 2 * ngx_current_msec - pc->sent_at;
    }

    if (pc->failed) {
        ngx_realtime_pg_batch_undone(pc);

        pc->first = pc->answered;
        pc->failed = 0;
        pc->culprit = NGX_REALTIME_PG_NOBODY;

        return NGX_OK;
    }

    while (pc->first < pc->answered) {
        s = &pc->sent[pc->first++];

        if (s->query->key) {
            ngx_realtime_pg_batch_key(pc, s->query)->n--;
        }

        ngx_realtime_pg_done(s->query, NGX_REALTIME_PG_OK, s->res);
    }

    return NGX_OK;
}


/* a transaction was rolled back: from its end, as requeueing is to the head */

static void
ngx_realtime_pg_batch_undone(ngx_realtime_pg_conn_t *pc)
{
    ngx_uint_t               i;
    ngx_realtime_pg_sent_t  *s;

    for (i = pc->answered; i > pc->first; i--) {
        s = &pc->sent[i - 1];

        if (s->query->key) {
            ngx_realtime_pg_batch_key(pc, s->query)->n--;
        }

        if (i - 1 == pc->first && pc->culprit == pc->first) {
            ngx_realtime_pg_batch_verdict(pc, s);
            continue;
        }

        if (i - 1 == pc->culprit
            && ngx_strcmp(ngx_realtime_pg_sqlstate(s->res),
                          NGX_REALTIME_PG_LOCKED)
               == 0)
        {
            s->query->solo = 1;
        }

        PQclear(s->res);

        s->query->alone = 1;
        ngx_realtime_pg_requeue(pc->pool, s->query);
    }
}


/* of a statement whose error is its own */

static void
ngx_realtime_pg_batch_verdict(ngx_realtime_pg_conn_t *pc,
    ngx_realtime_pg_sent_t *s)
{
    const char               *state;
    ngx_realtime_pg_query_t  *q;

    q = s->query;
    state = ngx_realtime_pg_sqlstate(s->res);

    if (ngx_strcmp(state, "57014") == 0) {
        ngx_realtime_pg_batch_log(pc, s, state);
        PQclear(s->res);
        ngx_realtime_pg_done(q, NGX_REALTIME_PG_TIMEOUT, NULL);
        return;
    }

    if (ngx_strcmp(state, NGX_REALTIME_PG_LOCKED) == 0
        && q->waits++ < NGX_REALTIME_PG_WAITS)
    {
        q->alone = 1;
        q->solo = 1;

        PQclear(s->res);
        ngx_realtime_pg_requeue(pc->pool, q);
        return;
    }

    /* serialization failure, deadlock: the other one may be through by now */

    if (!q->again
        && (ngx_strcmp(state, "40001") == 0
            || ngx_strcmp(state, "40P01") == 0))
    {
        q->again = 1;
        q->alone = 1;

        PQclear(s->res);
        ngx_realtime_pg_requeue(pc->pool, q);
        return;
    }

    ngx_realtime_pg_batch_log(pc, s, state);

    ngx_realtime_pg_done(q, NGX_REALTIME_PG_REFUSED, s->res);
}


/*
 * Data that Postgres does not take is a client's mistake, and frequent;
 * anything else is the operator's, who needs it once: the same text once a
 * minute, and never more than one line a second.
 */

static void
ngx_realtime_pg_batch_log(ngx_realtime_pg_conn_t *pc,
    ngx_realtime_pg_sent_t *s, const char *state)
{
    char                     text[NGX_REALTIME_PG_WHY];
    time_t                   now;
    uint32_t                 hash;
    ngx_uint_t               level;
    ngx_realtime_pg_pool_t  *pool;

    pool = pc->pool;
    now = ngx_time();
    level = NGX_LOG_INFO;

    ngx_realtime_pg_conn_reason(text, NGX_REALTIME_PG_WHY, s->res);

    hash = ngx_crc32_short((u_char *) text, ngx_strlen(text));

    if (ngx_strncmp(state, "22", 2) != 0 && ngx_strncmp(state, "23", 2) != 0
        && now - pool->refused >= (hash == pool->refusal ? 60 : 1))
    {
        level = NGX_LOG_ERR;
        pool->refused = now;
        pool->refusal = hash;
    }

    ngx_log_error(level, pool->log, 0,
                  "realtime: postgres refused \"%s\": %s, sqlstate: %s%s",
                  pool->stmts[s->query->stmt].name, text, state,
                  ngx_realtime_pg_missing(state) ? NGX_REALTIME_PG_HINT : "");
}


void
ngx_realtime_pg_batch_lost(ngx_realtime_pg_conn_t *pc)
{
    ngx_uint_t                i, first, nsent, undone;
    ngx_realtime_pg_sent_t   *s;
    ngx_realtime_pg_query_t  *q;

    first = pc->first;
    nsent = pc->nsent;

    for (i = first; i < nsent; i++) {
        s = &pc->sent[i];

        PQclear(s->res);
        s->res = NULL;

        if (s->query->key) {
            ngx_realtime_pg_batch_key(pc, s->query)->n--;
        }
    }

    /* the end of the transaction that is known to be rolled back */

    undone = first;

    if (pc->failed) {
        while (undone < nsent && !pc->sent[undone++].sync) { /* void */ }
    }

    for (i = nsent; i > first; i--) {
        q = pc->sent[i - 1].query;

        if (i <= undone) {
            q->alone = 1;
            ngx_realtime_pg_requeue(pc->pool, q);
            continue;
        }

        if (pc->pool->stmts[q->stmt].idempotent && !q->lost) {
            q->lost = 1;
            ngx_realtime_pg_requeue(pc->pool, q);
            continue;
        }

        ngx_realtime_pg_done(q, ngx_realtime_pg_passed(q->deadline)
                                ? NGX_REALTIME_PG_TIMEOUT
                                : NGX_REALTIME_PG_UNAVAILABLE, NULL);
    }

    ngx_realtime_pg_batch_reset(pc);
}


static void
ngx_realtime_pg_batch_reset(ngx_realtime_pg_conn_t *pc)
{
    pc->solo = 0;
    pc->nsent = 0;
    pc->first = 0;
    pc->answered = 0;
    pc->syncs = 0;
    pc->failed = 0;
    pc->culprit = NGX_REALTIME_PG_NOBODY;
}
