
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * What was claimed, one job after the other: see ngx_realtime_chat_jobs.c.
 */


#include "ngx_realtime_chat_jobs_run.h"
#include "ngx_realtime_room.h"


#define NGX_REALTIME_JOBS_HOLD    5000     /* ms after a claim: half the lease,
                                              nothing is begun later */
#define NGX_REALTIME_JOBS_PAGE    1000     /* rows of PEOPLE */


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


void
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
    u_char                  *p, packed[RT_UUID_BYTES];
    size_t                   len;
    ngx_str_t                user, event, payload;
    ngx_uint_t               dispensable;
    ngx_realtime_msg_t      *m;
    ngx_realtime_jobs_t     *jobs;
    ngx_realtime_jobs_sh_t  *sh;

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

    sh = ngx_realtime_jobs_sh();

    ngx_memcpy(sh->marks[sh->nmarks++ % NGX_REALTIME_JOBS_MARKS], packed,
               RT_UUID_BYTES);
    jobs->marked = 1;

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
    ngx_realtime_jobs_t  *jobs;

    jobs = &ngx_realtime_jobs;

    if (status != NGX_REALTIME_PG_OK) {
        jobs->marked = 0;
        ngx_realtime_jobs_idle(NGX_REALTIME_JOBS_TICK);
        return;
    }

    /* it will not come again: the place of its mark is the next one's */

    if (jobs->marked) {
        jobs->marked = 0;
        ngx_realtime_jobs_sh()->nmarks--;
    }

    ngx_realtime_count(jobs_run);

    jobs->row++;
    ngx_realtime_jobs_next();
}
