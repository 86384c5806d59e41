
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
 *
 * Once, whenever a worker dies:
 *
 *   - before the event is published: the lease runs out, the next claim
 *     publishes it.
 *   - after it, before the job has ended: the next claim finds the rows of the
 *     notification and tells nobody, unless the table of flights says that
 *     nobody was told (ngx_realtime_chat_flight.h); of an event without a
 *     row, its id is among the marks, which are in the zone.
 *
 * If all of the node is gone, so are its sockets; they come anew, and what is
 * unread is given to them at CONNECT.
 *
 * The elected one is a slot and its generation, in the zone: whoever sees that
 * this is no live worker any more takes the place.  A worker that exits gives
 * it up.  For a moment two may believe that they are it: each claim is of rows
 * that the other has not.
 *
 * What Postgres does not do now is left as it is: its lease runs out.
 */


#include "ngx_realtime_chat_jobs.h"
#include "ngx_realtime_chat_stmt.h"
#include "ngx_realtime_counter.h"
#include "ngx_realtime_room.h"
#include "ngx_realtime_slot.h"
#include "rt_uuid7.h"


#define NGX_REALTIME_JOBS_TICK    1000     /* ms: who is elected? */
#define NGX_REALTIME_JOBS_POLL    5000     /* ms, when nobody notifies */
#define NGX_REALTIME_JOBS_PURGE   60000    /* ms */
#define NGX_REALTIME_JOBS_HOLD    5000     /* ms after a claim: half the lease,
                                              nothing is begun later */
#define NGX_REALTIME_JOBS_PAGE    1000     /* rows of PEOPLE */
#define NGX_REALTIME_JOBS_MARKS   1024     /* events that were published */


typedef struct {
    uint64_t                   elected;    /* generation << 8 | slot, + 1;
                                              0: nobody; atomic */
    uint64_t                   nmarks;
    u_char                     marks[NGX_REALTIME_JOBS_MARKS][RT_UUID_BYTES];
} ngx_realtime_jobs_sh_t;


typedef struct {
    ngx_realtime_pg_query_t    query;      /* one at a time */
    PGresult                  *res;        /* what was claimed; ours */
    PGresult                  *page;       /* of a broadcast; ours */
    int                        row;        /* the next one of res */
    ngx_msec_t                 claimed;

    ngx_msec_t                 due;        /* the next claim */
    ngx_msec_t                 purge;      /* the next purge */
    unsigned                   busy:1;     /* a statement, or a call */
    unsigned                   woken:1;

    char                       id[RT_UUID_LEN + 1];
    char                       last[RT_UUID_LEN + 1];
    char                       count[NGX_INT_T_LEN + 1];
    char                       total[NGX_INT_T_LEN + 1];

    ngx_event_t                tick;
    ngx_connection_t           dummy;
    ngx_log_t                 *log;
} ngx_realtime_jobs_t;


static void ngx_realtime_jobs_heard(void);
static void ngx_realtime_jobs_tick(ngx_event_t *ev);
static ngx_uint_t ngx_realtime_jobs_elected(void);
static void ngx_realtime_jobs_look(void);
static void ngx_realtime_jobs_ask(ngx_realtime_chat_stmt_e stmt,
    ngx_realtime_pg_pt handler);
static void ngx_realtime_jobs_purged(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static void ngx_realtime_jobs_claimed(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static void ngx_realtime_jobs_timed(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static void ngx_realtime_jobs_idle(ngx_msec_t due);
static void ngx_realtime_jobs_soon(ngx_msec_t delay);
static void ngx_realtime_jobs_next(void);
static ngx_uint_t ngx_realtime_jobs_flag(int column);
static void ngx_realtime_jobs_string(ngx_str_t *s, int column);
static ngx_int_t ngx_realtime_jobs_emit(void);
static ngx_uint_t ngx_realtime_jobs_marked(u_char *id);
static void ngx_realtime_jobs_people(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static void ngx_realtime_jobs_notify(ngx_str_t *users, ngx_uint_t n);
static void ngx_realtime_jobs_notified(ngx_realtime_call_t *call);
static void ngx_realtime_jobs_step(void);
static void ngx_realtime_jobs_end(const char *error);
static void ngx_realtime_jobs_ended(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);


static ngx_realtime_jobs_t  ngx_realtime_jobs;


#define ngx_realtime_jobs_sh()                                                \
    ((ngx_realtime_jobs_sh_t *) ngx_realtime_zone_sh->jobs)

#define ngx_realtime_jobs_passed(at)                                          \
    ((ngx_msec_int_t) ((at) - ngx_current_msec) <= 0)


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


static void
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


static void
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


static void
ngx_realtime_jobs_next(void)
{
    int                   i, n;
    ngx_str_t            *users, s;
    ngx_realtime_jobs_t  *jobs;

    jobs = &ngx_realtime_jobs;

    if (jobs->row == PQntuples(jobs->res)
        || ngx_exiting
        || ngx_realtime_jobs_passed(jobs->claimed + NGX_REALTIME_JOBS_HOLD))
    {
        ngx_realtime_jobs_idle(1);
        return;
    }

    ngx_realtime_jobs_string(&s, NGX_REALTIME_JOB_ID);
    *ngx_cpymem(jobs->id, s.data, ngx_min(s.len, RT_UUID_LEN)) = '\0';

    if (ngx_realtime_jobs_flag(NGX_REALTIME_JOB_HOPELESS)) {
        ngx_realtime_jobs_end("too_many_attempts");
        return;
    }

    if (ngx_realtime_jobs_flag(NGX_REALTIME_JOB_EXPIRED)) {
        ngx_realtime_jobs_end("expired");
        return;
    }

    switch (PQgetvalue(jobs->res, jobs->row, NGX_REALTIME_JOB_KIND)[0]) {

    case 'e':
        if (ngx_realtime_jobs_emit() == NGX_OK) {
            ngx_realtime_jobs_end(NULL);
        } else {
            ngx_realtime_jobs_idle(NGX_REALTIME_JOBS_TICK);
        }

        return;

    case 'b':
        jobs->query.values[1] = PQgetisnull(jobs->res, jobs->row,
                                            NGX_REALTIME_JOB_LAST)
                                ? NULL : PQgetvalue(jobs->res, jobs->row,
                                                    NGX_REALTIME_JOB_LAST);

        ngx_realtime_jobs_ask(NGX_REALTIME_STMT_PEOPLE,
                              ngx_realtime_jobs_people);
        return;
    }

    ngx_realtime_jobs_string(&s, NGX_REALTIME_JOB_USERS);

    n = (s.len + 1) / (RT_UUID_LEN + 1);

    users = ngx_alloc((n + 1) * sizeof(ngx_str_t), jobs->log);
    if (users == NULL) {
        ngx_realtime_jobs_idle(NGX_REALTIME_JOBS_TICK);
        return;
    }

    for (i = 0; i < n; i++) {
        users[i].data = s.data + i * (RT_UUID_LEN + 1);
        users[i].len = RT_UUID_LEN;
    }

    ngx_realtime_jobs_notify(users, n);

    ngx_free(users);
}


static ngx_uint_t
ngx_realtime_jobs_flag(int column)
{
    return PQgetvalue(ngx_realtime_jobs.res, ngx_realtime_jobs.row,
                      column)[0] == 't';
}


/* of length 0: NULL */

static void
ngx_realtime_jobs_string(ngx_str_t *s, int column)
{
    ngx_realtime_jobs_t  *jobs;

    jobs = &ngx_realtime_jobs;

    s->data = (u_char *) PQgetvalue(jobs->res, jobs->row, column);
    s->len = PQgetlength(jobs->res, jobs->row, column);
}


/* 42[event,payload], as POST /rooms/:/emit */

static ngx_int_t
ngx_realtime_jobs_emit(void)
{
    u_char               *p, packed[RT_UUID_BYTES];
    size_t                len;
    ngx_str_t             user, event, payload;
    ngx_uint_t            dispensable;
    ngx_realtime_msg_t   *m;
    ngx_realtime_jobs_t  *jobs;

    jobs = &ngx_realtime_jobs;

    rt_uuid_pack((u_char *) jobs->id, packed);

    if (ngx_realtime_jobs_flag(NGX_REALTIME_JOB_AGAIN)
        && ngx_realtime_jobs_marked(packed))
    {
        return NGX_OK;
    }

    ngx_realtime_jobs_string(&user, NGX_REALTIME_JOB_USER);
    ngx_realtime_jobs_string(&event, NGX_REALTIME_JOB_EVENT);
    ngx_realtime_jobs_string(&payload, NGX_REALTIME_JOB_PAYLOAD);

    dispensable = ngx_realtime_jobs_flag(NGX_REALTIME_JOB_VOLATILE);

    len = sizeof("42[]") - 1 + event.len
          + (payload.len ? 1 + payload.len : 0);

    m = dispensable ? ngx_realtime_msg_alloc(len, jobs->log)
                    : ngx_realtime_msg_event_alloc(len, jobs->log);
    if (m == NULL) {
        return NGX_ERROR;
    }

    m->dispensable = dispensable;

    p = ngx_cpymem(ngx_realtime_msg_payload(m), "42[", 3);
    p = ngx_cpymem(p, event.data, event.len);

    if (payload.len) {
        *p++ = ',';
        p = ngx_cpymem(p, payload.data, payload.len);
    }

    *p = ']';

    ngx_realtime_room_publish_user(&user, NULL, m);
    ngx_realtime_msg_unref(m);

    ngx_memcpy(ngx_realtime_jobs_sh()->marks[ngx_realtime_jobs_sh()->nmarks++
                                             % NGX_REALTIME_JOBS_MARKS],
               packed, RT_UUID_BYTES);

    return NGX_OK;
}


static ngx_uint_t
ngx_realtime_jobs_marked(u_char *id)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_REALTIME_JOBS_MARKS; i++) {
        if (ngx_memcmp(ngx_realtime_jobs_sh()->marks[i], id, RT_UUID_BYTES)
            == 0)
        {
            return 1;
        }
    }

    return 0;
}


static void
ngx_realtime_jobs_people(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    int                   i, n;
    ngx_str_t             users[NGX_REALTIME_JOBS_PAGE];
    ngx_realtime_jobs_t  *jobs;

    jobs = &ngx_realtime_jobs;

    if (status == NGX_REALTIME_PG_REFUSED) {
        ngx_realtime_jobs_end("users_refused");
        return;
    }

    if (status != NGX_REALTIME_PG_OK) {
        ngx_realtime_jobs_idle(NGX_REALTIME_JOBS_TICK);
        return;
    }

    n = ngx_min(PQntuples(res), NGX_REALTIME_JOBS_PAGE);

    if (n == 0) {
        ngx_realtime_jobs_end(NULL);
        return;
    }

    jobs->page = PQcopyResult(res, PG_COPYRES_ATTRS|PG_COPYRES_TUPLES);

    if (jobs->page == NULL) {
        ngx_realtime_jobs_idle(NGX_REALTIME_JOBS_TICK);
        return;
    }

    for (i = 0; i < n; i++) {
        users[i].data = (u_char *) PQgetvalue(jobs->page, i, 0);
        users[i].len = PQgetlength(jobs->page, i, 0);
    }

    ngx_realtime_jobs_notify(users, n);
}


static void
ngx_realtime_jobs_notify(ngx_str_t *users, ngx_uint_t n)
{
    ngx_str_t                 expires;
    ngx_realtime_call_t      *call;
    ngx_realtime_identity_t   module;
    ngx_realtime_chat_note_t  note;

    ngx_memzero(&module, sizeof(ngx_realtime_identity_t));
    ngx_str_set(&module.user, "*");

    call = ngx_realtime_call_create(ngx_realtime_jobs.log, &module, NULL);
    if (call == NULL) {
        ngx_realtime_jobs_idle(NGX_REALTIME_JOBS_TICK);
        return;
    }

    ngx_realtime_jobs.busy = 1;

    call->done = ngx_realtime_jobs_notified;

    ngx_memzero(&note, sizeof(ngx_realtime_chat_note_t));

    note.users = users;
    note.nusers = n;
    note.transient = ngx_realtime_jobs_flag(NGX_REALTIME_JOB_VOLATILE);
    note.id.data = (u_char *) ngx_realtime_jobs.id;
    note.id.len = RT_UUID_LEN;

    ngx_realtime_jobs_string(&note.type, NGX_REALTIME_JOB_TYPE);
    ngx_realtime_jobs_string(&note.title, NGX_REALTIME_JOB_TITLE);
    ngx_realtime_jobs_string(&note.message, NGX_REALTIME_JOB_MESSAGE);
    ngx_realtime_jobs_string(&note.data, NGX_REALTIME_JOB_DATA);
    ngx_realtime_jobs_string(&expires, NGX_REALTIME_JOB_EXPIRES);

    if (expires.len) {
        note.expires = ngx_max(ngx_atoi(expires.data, expires.len), 0);
    }

    ngx_realtime_chat_notify(call, &note);
}


static void
ngx_realtime_jobs_notified(ngx_realtime_call_t *call)
{
    switch (call->refusal) {

    case NGX_REALTIME_R_NONE:

        if (ngx_realtime_jobs.page) {
            ngx_realtime_jobs_step();
        } else {
            ngx_realtime_jobs_end(NULL);
        }

        return;

    case NGX_REALTIME_R_UNAVAILABLE:
    case NGX_REALTIME_R_BUSY:
        ngx_realtime_jobs_idle(NGX_REALTIME_JOBS_TICK);
        return;

    default:
        ngx_realtime_jobs_end((char *)
                          ngx_realtime_refusal(call->refusal)->code.data);
    }
}


static void
ngx_realtime_jobs_step(void)
{
    int                   n;
    ngx_realtime_jobs_t  *jobs;

    jobs = &ngx_realtime_jobs;

    n = PQntuples(jobs->page);

    (void) ngx_cpystrn((u_char *) jobs->last,
                       (u_char *) PQgetvalue(jobs->page, n - 1, 0),
                       sizeof(jobs->last));
    *ngx_sprintf((u_char *) jobs->count, "%d", n) = '\0';
    (void) ngx_cpystrn((u_char *) jobs->total,
                       (u_char *) PQgetvalue(jobs->page, 0, 1),
                       sizeof(jobs->total));

    jobs->query.values[1] = jobs->id;
    jobs->query.values[2] = jobs->last;
    jobs->query.values[3] = jobs->count;
    jobs->query.values[4] = jobs->total[0] ? jobs->total : NULL;

    PQclear(jobs->page);
    jobs->page = NULL;

    ngx_realtime_jobs_ask(NGX_REALTIME_STMT_JOB_STEP,
                          ngx_realtime_jobs_ended);
}


static void
ngx_realtime_jobs_end(const char *error)
{
    ngx_realtime_jobs_t  *jobs;

    jobs = &ngx_realtime_jobs;

    if (error) {
        ngx_realtime_count(jobs_failed);
        ngx_log_error(NGX_LOG_ERR, jobs->log, 0,
                      "realtime: job %s was given up: %s", jobs->id, error);
    }

    PQclear(jobs->page);
    jobs->page = NULL;

    jobs->query.values[1] = jobs->id;
    jobs->query.values[2] = error;

    ngx_realtime_jobs_ask(NGX_REALTIME_STMT_JOB_END,
                          ngx_realtime_jobs_ended);
}


static void
ngx_realtime_jobs_ended(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    if (status != NGX_REALTIME_PG_OK) {
        ngx_realtime_jobs_idle(NGX_REALTIME_JOBS_TICK);
        return;
    }

    ngx_realtime_count(jobs_run);

    ngx_realtime_jobs.row++;
    ngx_realtime_jobs_next();
}
