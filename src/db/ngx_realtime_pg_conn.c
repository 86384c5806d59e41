
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * One libpq connection on nginx events.
 *
 *             timer               PQconnectPoll()        Sync
 *   OFFLINE ---------> CONNECTING --------------> PREPARING ---> IDLE
 *      ^                   |                          |         |    ^
 *      |                   |                          |    send |    | last
 *      |                   |                          |         v    | Sync
 *      +-------------------+--------------------------+------- ACTIVE
 *        ngx_realtime_pg_conn_close(): failed, lost, too slow
 *
 * ngx_realtime_pg_conn_state() alone writes the state.  Every way back to
 * OFFLINE sets the timer of the next attempt, so an attempt never starts
 * another one and each connection has a pace of its own.
 *
 * nginx's epoll is edge-triggered, libpq was made for select(): every handler
 * goes on until libpq has nothing to do that the socket would allow.
 */

#include "ngx_realtime_pg_conn.h"


#define NGX_REALTIME_PG_BACKOFF_MIN  100      /* ms */
#define NGX_REALTIME_PG_BACKOFF_MAX  5000     /* ms */

/* of TLS, in PQconsumeInput()s: a record is 16k, each reads at least 8k */
#define NGX_REALTIME_PG_RECORD       2


static void ngx_realtime_pg_conn_state(ngx_realtime_pg_conn_t *pc,
    ngx_realtime_pg_state_e state);
static void ngx_realtime_pg_conn_close(ngx_realtime_pg_conn_t *pc,
    const char *why);
static void ngx_realtime_pg_conn_finish(ngx_realtime_pg_conn_t *pc);
static void ngx_realtime_pg_conn_log(ngx_realtime_pg_conn_t *pc,
    const char *what, const char *why);
static void ngx_realtime_pg_conn_poll(ngx_realtime_pg_conn_t *pc);
static void ngx_realtime_pg_conn_prepare(ngx_realtime_pg_conn_t *pc);
static ngx_int_t ngx_realtime_pg_conn_settings(ngx_realtime_pg_conn_t *pc);
static ngx_int_t ngx_realtime_pg_conn_schema(ngx_realtime_pg_conn_t *pc);
static ngx_int_t ngx_realtime_pg_conn_prepared(ngx_realtime_pg_conn_t *pc,
    PGresult *res);
static ngx_uint_t ngx_realtime_pg_conn_is_deaf(ngx_realtime_pg_conn_t *pc,
    PGresult *res);
static ngx_uint_t ngx_realtime_pg_conn_lacks(ngx_realtime_pg_conn_t *pc,
    PGresult *res);
static void ngx_realtime_pg_conn_pump(ngx_realtime_pg_conn_t *pc);
static ngx_int_t ngx_realtime_pg_conn_results(ngx_realtime_pg_conn_t *pc);
static void ngx_realtime_pg_conn_heard(ngx_realtime_pg_conn_t *pc);
static ngx_int_t ngx_realtime_pg_conn_result(ngx_realtime_pg_conn_t *pc,
    PGresult *res);
static void ngx_realtime_pg_conn_expire(ngx_realtime_age_t *age);
static void ngx_realtime_pg_conn_notice(void *data, const PGresult *res);


/*
 * One row per setting, so that a setting which this Postgres does not know
 * (idle_session_timeout came with 14) is left out and does no harm.  $1 is
 * the timeout of a statement, $2 that of a lock, in ms; pooled connections are
 * idle by nature, but not within a transaction.
 */

static const char  ngx_realtime_pg_conn_sql[] =
    "SELECT set_config(p.name, s.value, false) FROM (VALUES "
    "('statement_timeout', $1),"
    "('lock_timeout', $2),"
    "('idle_in_transaction_session_timeout', $1),"
    "('idle_session_timeout', '0'),"
    "('default_transaction_isolation', 'read committed'),"
    "('default_transaction_read_only', 'off'),"
    "('client_encoding', 'UTF8'),"
    "('DateStyle', 'ISO'),"
    "('TimeZone', 'UTC')"
    ") AS s (name, value) JOIN pg_catalog.pg_settings p USING (name)";


/* until the end of the transaction, for the policies of sql/rls.sql */

static const char  ngx_realtime_pg_conn_identify[] =
    "SELECT set_config('realtime.user', $1, true)";


void
ngx_realtime_pg_conn_init(ngx_realtime_pg_conn_t *pc,
    ngx_realtime_pg_pool_t *pool)
{
    pc->pool = pool;
    pc->state = NGX_REALTIME_PG_OFFLINE;
    pc->age.handler = ngx_realtime_pg_conn_expire;
}


void
ngx_realtime_pg_conn_open(ngx_realtime_pg_conn_t *pc)
{
    ngx_realtime_pg_conf_t  *conf;

    conf = pc->pool->conf;

    ngx_realtime_pg_conn_state(pc, NGX_REALTIME_PG_CONNECTING);
    ngx_realtime_age_set(&pc->age, conf->timeout);

    pc->pg = PQconnectStart((char *) conf->conninfo.data);
    if (pc->pg == NULL) {
        ngx_realtime_pg_conn_close(pc, "out of memory");
        return;
    }

    if (PQstatus(pc->pg) == CONNECTION_BAD) {
        ngx_realtime_pg_conn_close(pc, PQerrorMessage(pc->pg));
        return;
    }

    (void) PQsetNoticeReceiver(pc->pg, ngx_realtime_pg_conn_notice, pc);

    if (ngx_realtime_pg_sock_watch(pc) != NGX_OK) {
        ngx_realtime_pg_conn_close(pc, "no nginx connection for it");
        return;
    }

    /* libpq: behave as if PQconnectPoll() had asked for this */
    pc->writes = 1;

    ngx_realtime_pg_conn_poll(pc);
}


ngx_int_t
ngx_realtime_pg_conn_send(ngx_realtime_pg_conn_t *pc, ngx_uint_t max)
{
    int         flushed;
    ngx_int_t   rc;
    ngx_uint_t  i;
    ngx_msec_t  nearest;

    rc = ngx_realtime_pg_batch_send(pc, max);

    if (rc == NGX_DECLINED) {
        return NGX_DECLINED;
    }

    ngx_realtime_pg_conn_state(pc, NGX_REALTIME_PG_ACTIVE);

    flushed = (rc == NGX_OK) ? PQflush(pc->pg) : -1;

    if (flushed == -1
        || ngx_realtime_pg_sock_rearm(pc, flushed == 1) != NGX_OK)
    {
        ngx_realtime_pg_conn_close(pc, PQerrorMessage(pc->pg));
        return NGX_ERROR;
    }

    /* a second more than Postgres was told by statement_timeout */

    nearest = pc->sent[0].query->deadline;

    for (i = 1; i < pc->nsent; i++) {
        if ((ngx_msec_int_t) (pc->sent[i].query->deadline - nearest) < 0) {
            nearest = pc->sent[i].query->deadline;
        }
    }

    ngx_realtime_age_set(&pc->age, nearest + 1000 - ngx_current_msec);

    return NGX_OK;
}


void
ngx_realtime_pg_conn_exit(ngx_realtime_pg_conn_t *pc)
{
    ngx_realtime_age_unset(&pc->age);

    if (pc->state != NGX_REALTIME_PG_OFFLINE) {
        ngx_realtime_pg_conn_state(pc, NGX_REALTIME_PG_OFFLINE);
    }

    ngx_realtime_pg_conn_finish(pc);
}


static void
ngx_realtime_pg_conn_state(ngx_realtime_pg_conn_t *pc,
    ngx_realtime_pg_state_e state)
{
    ngx_uint_t               was, is;
    ngx_realtime_pg_pool_t  *pool;

    static const ngx_uint_t  legal[] = {
        /* OFFLINE */     1 << NGX_REALTIME_PG_CONNECTING,
        /* CONNECTING */  1 << NGX_REALTIME_PG_PREPARING
                          | 1 << NGX_REALTIME_PG_OFFLINE,
        /* PREPARING */   1 << NGX_REALTIME_PG_IDLE
                          | 1 << NGX_REALTIME_PG_OFFLINE,
        /* IDLE */        1 << NGX_REALTIME_PG_ACTIVE
                          | 1 << NGX_REALTIME_PG_OFFLINE,
        /* ACTIVE */      1 << NGX_REALTIME_PG_IDLE
                          | 1 << NGX_REALTIME_PG_OFFLINE
    };

    pool = pc->pool;

    if (!(legal[pc->state] & (1 << state))) {
        ngx_log_error(NGX_LOG_ALERT, pool->log, 0,
                      "realtime: postgres connection goes from state %d to %d",
                      (int) pc->state, (int) state);
        ngx_debug_point();
    }

    was = (pc->state >= NGX_REALTIME_PG_IDLE);
    is = (state >= NGX_REALTIME_PG_IDLE);

    if (pc->state == NGX_REALTIME_PG_IDLE) {
        ngx_queue_remove(&pc->queue);
        pool->nidle--;
    }

    if (state == NGX_REALTIME_PG_IDLE) {
        ngx_queue_insert_head(&pool->idle, &pc->queue);
        pool->nidle++;

        ngx_realtime_age_unset(&pc->age);
    }

    if (is && !was) {
        pool->nready++;
        pool->failed = 0;
        pc->since = ngx_current_msec;

        ngx_realtime_gauge_inc(pg_ready);
        ngx_realtime_count(pg_connects);
    }

    if (was && !is) {
        if (--pool->nready == 0) {
            pool->since = ngx_current_msec;
        }

        ngx_realtime_gauge_dec(pg_ready);
        ngx_realtime_count(pg_losses);
    }

    pc->state = state;
}


/* the one way back; why is read before libpq's memory goes */

static void
ngx_realtime_pg_conn_close(ngx_realtime_pg_conn_t *pc, const char *why)
{
    char                     text[NGX_REALTIME_PG_WHY];
    ngx_msec_t               delay;
    ngx_realtime_pg_state_e  was;

    was = pc->state;

    ngx_realtime_pg_conn_text(text, NGX_REALTIME_PG_WHY,
                              pc->why[0] ? pc->why : why);
    pc->why[0] = '\0';

    if (was >= NGX_REALTIME_PG_IDLE) {
        ngx_realtime_pg_conn_log(pc, "connection lost", text);

        /* one that is always lost at once must not come back ever faster */

        if (ngx_current_msec - pc->since >= NGX_REALTIME_PG_GRACE) {
            pc->backoff = 0;
        }

    } else {
        ngx_realtime_pg_conn_log(pc, "connection failed", text);
        pc->pool->failed = 1;
    }

    ngx_realtime_pg_conn_state(pc, NGX_REALTIME_PG_OFFLINE);
    ngx_realtime_pg_conn_finish(pc);

    pc->backoff = pc->backoff ? ngx_min(pc->backoff * 2,
                                        NGX_REALTIME_PG_BACKOFF_MAX)
                              : NGX_REALTIME_PG_BACKOFF_MIN;

    delay = pc->backoff / 2;
    delay += (ngx_msec_t) ngx_random() % (delay + 1);

    ngx_realtime_age_set(&pc->age, delay);

    if (was == NGX_REALTIME_PG_ACTIVE) {
        ngx_realtime_pg_batch_lost(pc);
    }

    /* those that wait may have lost hope */

    ngx_realtime_pg_post(pc->pool);
}


static void
ngx_realtime_pg_conn_finish(ngx_realtime_pg_conn_t *pc)
{
    ngx_realtime_pg_sock_forget(pc);

    /*
     * PQfinish() never blocks here: it says goodbye only on an established
     * connection, and those are set non-blocking.
     */

    PQfinish(pc->pg);
    pc->pg = NULL;
}


/*
 * An incident makes one line, however many connections it hits and however
 * often they try again: the same text is repeated on the info level only.
 */

static void
ngx_realtime_pg_conn_log(ngx_realtime_pg_conn_t *pc, const char *what,
    const char *why)
{
    uint32_t    hash;
    ngx_uint_t  level;

    hash = ngx_crc32_short((u_char *) why, ngx_strlen(why)) | 1;

    level = (hash == pc->pool->said) ? NGX_LOG_INFO : NGX_LOG_ERR;

    pc->pool->said = hash;

    ngx_log_error(level, pc->pool->log, 0, "realtime: postgres %s: %s",
                  what, why);
}


static void
ngx_realtime_pg_conn_poll(ngx_realtime_pg_conn_t *pc)
{
    /* PQconnectPoll() takes a socket that is not ready for a connected one */

    while (ngx_realtime_pg_sock_ready(pc)) {

        switch (PQconnectPoll(pc->pg)) {

        case PGRES_POLLING_READING:
            pc->writes = 0;
            break;

        case PGRES_POLLING_WRITING:
            pc->writes = 1;
            break;

        case PGRES_POLLING_OK:
            ngx_realtime_pg_conn_prepare(pc);
            return;

        default:
            ngx_realtime_pg_conn_close(pc, PQerrorMessage(pc->pg));
            return;
        }

        if (ngx_realtime_pg_sock_watch(pc) != NGX_OK) {
            ngx_realtime_pg_conn_close(pc, "no nginx connection for it");
            return;
        }
    }

    if (ngx_realtime_pg_sock_rearm(pc, pc->writes) != NGX_OK) {
        ngx_realtime_pg_conn_close(pc, "no event for it");
    }
}


/* settings, schema and the whole catalogue in one round trip */

static void
ngx_realtime_pg_conn_prepare(ngx_realtime_pg_conn_t *pc)
{
    ngx_uint_t                     i;
    const ngx_realtime_pg_stmt_t  *stmt;

    ngx_realtime_pg_conn_state(pc, NGX_REALTIME_PG_PREPARING);

    pc->answered = 0;
    pc->listening = 0;
    pc->syncs = 1;

    if (ngx_realtime_pg_sock_watch(pc) != NGX_OK
        || PQsetnonblocking(pc->pg, 1) != 0
        || PQenterPipelineMode(pc->pg) == 0
        || ngx_realtime_pg_conn_settings(pc) != NGX_OK
        || ngx_realtime_pg_conn_schema(pc) != NGX_OK)
    {
        goto failed;
    }

    for (i = 0; i < pc->pool->nstmts; i++) {
        stmt = &pc->pool->stmts[i];

        if (PQsendPrepare(pc->pg, stmt->name, stmt->sql, 0, NULL) == 0) {
            goto failed;
        }
    }

    if (pc->pool->conf->identify
        && PQsendPrepare(pc->pg, NGX_REALTIME_PG_IDENTIFY,
                         ngx_realtime_pg_conn_identify, 0, NULL)
           == 0)
    {
        goto failed;
    }

    if (PQpipelineSync(pc->pg) == 0) {
        goto failed;
    }

    /* apart from the settings, which an error would undo */

    if (pc == pc->pool->conns) {
        pc->syncs = 2;

        if (PQsendQueryParams(pc->pg, pc->pool->listen, 0, NULL, NULL, NULL,
                              NULL, 0)
            == 0
            || PQpipelineSync(pc->pg) == 0)
        {
            goto failed;
        }
    }

    ngx_realtime_pg_conn_pump(pc);

    return;

failed:

    ngx_realtime_pg_conn_close(pc, PQerrorMessage(pc->pg));
}


static ngx_int_t
ngx_realtime_pg_conn_settings(ngx_realtime_pg_conn_t *pc)
{
    u_char       ms[NGX_INT_T_LEN + 1], lock[NGX_INT_T_LEN + 1];
    ngx_msec_t   timeout;
    const char  *values[2];

    timeout = pc->pool->conf->timeout;

    *ngx_sprintf(ms, "%M", timeout) = '\0';
    *ngx_sprintf(lock, "%M", timeout / NGX_REALTIME_PG_LOCK) = '\0';

    values[0] = (char *) ms;
    values[1] = (char *) lock;

    if (PQsendQueryParams(pc->pg, ngx_realtime_pg_conn_sql, 2, NULL, values,
                          NULL, NULL, 0)
        == 0)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_realtime_pg_conn_schema(ngx_realtime_pg_conn_t *pc)
{
    u_char                          *p, *last;
    u_char                           versions[NGX_REALTIME_PG_WHY];
    ngx_uint_t                       i;
    const char                      *value;
    const ngx_realtime_pg_schema_t  *schema;

    schema = pc->pool->schema;

    p = versions;
    last = versions + sizeof(versions) - sizeof("}");

    for (i = 0; i < schema->n; i++) {
        if (schema->files[i]) {
            p = ngx_slprintf(p, last, "%c%ui", p == versions ? '{' : ',',
                             i + 1);
        }
    }

    ngx_memcpy(p, "}", sizeof("}"));

    value = (char *) versions;

    if (PQsendQueryParams(pc->pg, schema->sql, 1, NULL, &value, NULL, NULL, 0)
        == 0)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_realtime_pg_conn_prepared(ngx_realtime_pg_conn_t *pc, PGresult *res)
{
    u_char                        *p, *last;
    const char                    *state, *what;
    char                           text[NGX_REALTIME_PG_WHY / 2];
    const ngx_realtime_pg_pool_t  *pool;

    if (pc->answered == 1 && ngx_realtime_pg_conn_lacks(pc, res)) {
        PQclear(res);
        return NGX_ERROR;
    }

    if (pc->listening && ngx_realtime_pg_conn_is_deaf(pc, res)) {
        PQclear(res);
        return NGX_OK;
    }

    switch (PQresultStatus(res)) {

    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
        pc->answered++;
        PQclear(res);
        return NGX_OK;

    default:
        break;
    }

    pool = pc->pool;
    state = ngx_realtime_pg_sqlstate(res);

    what = (pc->answered < 2 || pc->answered > pool->nstmts + 1)
           ? "session settings" : pool->stmts[pc->answered - 2].name;

    ngx_realtime_pg_conn_reason(text, sizeof(text), res);

    p = (u_char *) pc->why;
    last = p + NGX_REALTIME_PG_WHY - 1;

    p = ngx_slprintf(p, last, "preparing \"%s\": %s%s", what, text,
                     ngx_realtime_pg_missing(state)
                     ? NGX_REALTIME_PG_HINT : "");
    *p = '\0';

    PQclear(res);

    return NGX_ERROR;
}


/*
 * A standby refuses LISTEN, and serves everything else that only reads: then
 * nobody is woken, and whoever wants to know looks from time to time.
 */

static ngx_uint_t
ngx_realtime_pg_conn_is_deaf(ngx_realtime_pg_conn_t *pc, PGresult *res)
{
    char                     text[NGX_REALTIME_PG_WHY / 2];
    ngx_uint_t               level;
    ngx_realtime_pg_pool_t  *pool;

    pool = pc->pool;

    if (PQresultStatus(res) != PGRES_FATAL_ERROR
        || ngx_strcmp(ngx_realtime_pg_sqlstate(res), "25006") != 0)
    {
        pool->deaf = 0;
        return 0;
    }

    ngx_realtime_pg_conn_reason(text, sizeof(text), res);

    level = pool->deaf ? NGX_LOG_INFO : NGX_LOG_WARN;
    pool->deaf = 1;
    ngx_log_error(level, pool->log, 0,
                  "realtime: postgres will not notify: %s", text);

    return 1;
}


/* a migration; without the table of them, the first */

static ngx_uint_t
ngx_realtime_pg_conn_lacks(ngx_realtime_pg_conn_t *pc, PGresult *res)
{
    ngx_int_t                        version;
    const ngx_realtime_pg_schema_t  *schema;

    schema = pc->pool->schema;

    if (PQresultStatus(res) == PGRES_TUPLES_OK) {

        if (PQntuples(res) == 0 || PQgetisnull(res, 0, 0)) {
            return 0;
        }

        version = ngx_atoi((u_char *) PQgetvalue(res, 0, 0),
                           PQgetlength(res, 0, 0));

        if (version < 1 || version > (ngx_int_t) schema->n
            || schema->files[version - 1] == NULL)
        {
            return 0;
        }

    } else if (ngx_realtime_pg_missing(ngx_realtime_pg_sqlstate(res))) {
        version = 1;

    } else {
        return 0;
    }

    *ngx_snprintf((u_char *) pc->why, NGX_REALTIME_PG_WHY - 1,
                  "the database has not version %i of the schema, and this "
                  "module needs all up to %ui: run %s%s",
                  version, schema->n, schema->files[version - 1],
                  version < (ngx_int_t) schema->n ? " and what follows it"
                                                  : "")
        = '\0';

    return 1;
}


static void
ngx_realtime_pg_conn_pump(ngx_realtime_pg_conn_t *pc)
{
    int         flushed;
    ngx_uint_t  more;

    more = NGX_REALTIME_PG_RECORD;

    for ( ;; ) {

        if (PQconsumeInput(pc->pg) == 0
            || ngx_realtime_pg_conn_results(pc) != NGX_OK)
        {
            goto lost;
        }

        if (!ngx_realtime_pg_sock_drained(pc)) {
            continue;
        }

        /* the socket is empty, OpenSSL may still hold the rest of a record */

        if (!PQsslInUse(pc->pg) || more-- == 0) {
            break;
        }
    }

    /* 1: later, when the socket takes more; reading goes on meanwhile */

    flushed = PQflush(pc->pg);

    if (flushed == -1) {
        goto lost;
    }

    if (ngx_realtime_pg_sock_rearm(pc, flushed == 1) == NGX_OK) {
        return;
    }

lost:

    ngx_realtime_pg_conn_close(pc, PQerrorMessage(pc->pg));
}


static ngx_int_t
ngx_realtime_pg_conn_results(ngx_realtime_pg_conn_t *pc)
{
    ngx_uint_t   nothing;
    PGresult    *res;

    nothing = 0;

    while (pc->syncs) {

        if (PQisBusy(pc->pg)) {
            return NGX_OK;
        }

        res = PQgetResult(pc->pg);

        if (res == NULL) {

            /* one ends the results of each statement, two end everything */

            if (++nothing == 2) {
                return NGX_ERROR;
            }

            continue;
        }

        nothing = 0;

        if (ngx_realtime_pg_conn_result(pc, res) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    /* libpq looks at what came unasked (notices, the end) only when asked */

    (void) PQisBusy(pc->pg);

    ngx_realtime_pg_conn_heard(pc);

    return PQstatus(pc->pg) == CONNECTION_OK ? NGX_OK : NGX_ERROR;
}


static void
ngx_realtime_pg_conn_heard(ngx_realtime_pg_conn_t *pc)
{
    PGnotify    *notify;
    ngx_uint_t   n;

    for (n = 0; (notify = PQnotifies(pc->pg)) != NULL; n++) {
        PQfreemem(notify);
    }

    if (n) {
        pc->pool->heard();
    }
}


static ngx_int_t
ngx_realtime_pg_conn_result(ngx_realtime_pg_conn_t *pc, PGresult *res)
{
    if (PQresultStatus(res) != PGRES_PIPELINE_SYNC) {
        return pc->state == NGX_REALTIME_PG_PREPARING
               ? ngx_realtime_pg_conn_prepared(pc, res)
               : ngx_realtime_pg_batch_result(pc, res);
    }

    PQclear(res);

    if (pc->state == NGX_REALTIME_PG_PREPARING) {

        if (--pc->syncs) {
            pc->listening = 1;
            return NGX_OK;
        }

        pc->listening = 0;

        if (pc == pc->pool->conns) {
            pc->pool->heard();
        }

        if (pc->pool->said) {
            pc->pool->said = 0;
            ngx_log_error(NGX_LOG_NOTICE, pc->pool->log, 0,
                          "realtime: postgres connection is ready again");
        }

    } else if (ngx_realtime_pg_batch_synced(pc) != NGX_OK) {
        return NGX_ERROR;
    }

    if (pc->syncs == 0) {
        ngx_realtime_pg_conn_state(pc, NGX_REALTIME_PG_IDLE);
        ngx_realtime_pg_post(pc->pool);
    }

    return NGX_OK;
}


void
ngx_realtime_pg_conn_event(ngx_event_t *ev)
{
    ngx_connection_t        *c;
    ngx_realtime_pg_conn_t  *pc;

    c = ev->data;
    pc = c->data;

    if (pc->state == NGX_REALTIME_PG_CONNECTING) {
        ngx_realtime_pg_conn_poll(pc);
        return;
    }

    ngx_realtime_pg_conn_pump(pc);
}


static void
ngx_realtime_pg_conn_expire(ngx_realtime_age_t *age)
{
    ngx_realtime_pg_conn_t  *pc;

    pc = (ngx_realtime_pg_conn_t *)
                   ((u_char *) age - offsetof(ngx_realtime_pg_conn_t, age));

    switch (pc->state) {

    case NGX_REALTIME_PG_OFFLINE:
        ngx_realtime_pg_conn_open(pc);
        break;

    case NGX_REALTIME_PG_ACTIVE:
        ngx_realtime_pg_conn_close(pc, "no answer within the timeout");
        break;

    default:
        ngx_realtime_pg_conn_close(pc, "no connection within the timeout");
        break;
    }
}


static void
ngx_realtime_pg_conn_notice(void *data, const PGresult *res)
{
    ngx_realtime_pg_conn_t  *pc = data;

    char         text[NGX_REALTIME_PG_WHY];
    const char  *severity;

    ngx_realtime_pg_conn_reason(text, NGX_REALTIME_PG_WHY, res);

    /* an idle connection is told why it ends as a notice, before the end */

    severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);

    if (severity && (ngx_strcmp(severity, "FATAL") == 0
                     || ngx_strcmp(severity, "PANIC") == 0))
    {
        ngx_memcpy(pc->why, text, NGX_REALTIME_PG_WHY);
        return;
    }

    ngx_log_error(NGX_LOG_INFO, pc->pool->log, 0,
                  "realtime: postgres notice: %s", text);
}


void
ngx_realtime_pg_conn_reason(char *dst, size_t size, const PGresult *res)
{
    const char  *text;

    /* errors of libpq's own making have no fields */

    text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

    ngx_realtime_pg_conn_text(dst, size,
                              text ? text : PQresultErrorMessage(res));
}


void
ngx_realtime_pg_conn_text(char *dst, size_t size, const char *src)
{
    char  *last;

    if (src == NULL) {
        src = "";
    }

    for (last = dst + size - 1; *src && dst < last; src++) {

        /* libpq's hints and details are lines that begin with a tab */

        if (src[0] == '\n' && src[1] == '\t') {
            while (src[1] && src[1] != '\n') {
                src++;
            }

            continue;
        }

        if ((u_char) *src > ' ' && *src != '\x7f') {
            *dst++ = *src;
            continue;
        }

        /* a run of blanks and controls is one blank, and none at the end */

        if (src[1] && (u_char) src[1] > ' ' && src[1] != '\x7f') {
            *dst++ = ' ';
        }
    }

    *dst = '\0';
}
