
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


static ngx_uint_t ngx_realtime_jobs_was_told(void);
static void ngx_realtime_jobs_emit(void);
static void ngx_realtime_jobs_users(void);
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
    const char           *wrong;
    ngx_realtime_job_t   *job;
    ngx_realtime_jobs_t  *jobs;

    jobs = &ngx_realtime_jobs;
    job = &jobs->job;

    if (jobs->row == PQntuples(jobs->res)
        || ngx_exiting
        || ngx_realtime_jobs_passed(jobs->claimed + NGX_REALTIME_JOBS_HOLD))
    {
        ngx_realtime_jobs_idle(1);
        return;
    }

    wrong = ngx_realtime_jobs_row(job, jobs->res, jobs->row);

    if (wrong) {
        ngx_realtime_jobs_end(wrong);
        return;
    }

    if (job->kind == NGX_REALTIME_JOB_BROADCAST) {
        jobs->query.values[1] = job->last[0] ? job->last : NULL;

        ngx_realtime_jobs_ask(NGX_REALTIME_STMT_PEOPLE,
                              ngx_realtime_jobs_people);
        return;
    }

    if (ngx_realtime_jobs_was_told()) {
        ngx_realtime_jobs_end(NULL);

    } else if (job->kind == NGX_REALTIME_JOB_EMIT) {
        ngx_realtime_jobs_emit();

    } else {
        ngx_realtime_jobs_users();
    }
}


/* and there is no row that would say so */

static ngx_uint_t
ngx_realtime_jobs_was_told(void)
{
    ngx_realtime_job_t  *job;

    job = &ngx_realtime_jobs.job;

    return job->again
           && (job->kind == NGX_REALTIME_JOB_EMIT || job->note.transient)
           && ngx_realtime_jobs_marked(job);
}


/* 42[event,payload], as POST /rooms/:/emit */

static void
ngx_realtime_jobs_emit(void)
{
    u_char              *p;
    size_t               len;
    ngx_realtime_job_t  *job;
    ngx_realtime_msg_t  *m;

    job = &ngx_realtime_jobs.job;

    len = sizeof("42[]") - 1 + job->event.len
          + (job->payload.len ? 1 + job->payload.len : 0);

    m = job->note.transient
        ? ngx_realtime_msg_alloc(len, ngx_realtime_jobs.log)
        : ngx_realtime_msg_event_alloc(len, ngx_realtime_jobs.log);

    if (m == NULL) {
        ngx_realtime_jobs_idle(NGX_REALTIME_JOBS_TICK);
        return;
    }

    m->dispensable = job->note.transient;

    p = ngx_cpymem(ngx_realtime_msg_payload(m), "42[", 3);
    p = ngx_cpymem(p, job->event.data, job->event.len);

    if (job->payload.len) {
        *p++ = ',';
        p = ngx_cpymem(p, job->payload.data, job->payload.len);
    }

    *p = ']';

    ngx_realtime_room_publish_user(&job->user, NULL, m);
    ngx_realtime_msg_unref(m);

    ngx_realtime_jobs_mark(job);
    ngx_realtime_jobs_end(NULL);
}


static void
ngx_realtime_jobs_users(void)
{
    ngx_str_t   *users, *s;
    ngx_uint_t   i, n;

    s = &ngx_realtime_jobs.job.users;

    n = (s->len + 1) / (RT_UUID_LEN + 1);

    users = ngx_alloc((n + 1) * sizeof(ngx_str_t), ngx_realtime_jobs.log);
    if (users == NULL) {
        ngx_realtime_jobs_idle(NGX_REALTIME_JOBS_TICK);
        return;
    }

    for (i = 0; i < n; i++) {
        users[i].data = s->data + i * (RT_UUID_LEN + 1);
        users[i].len = RT_UUID_LEN;
    }

    ngx_realtime_jobs_notify(users, n);

    ngx_free(users);
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

    if (ngx_realtime_jobs_was_told()) {
        ngx_realtime_jobs_step();
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
    ngx_realtime_call_t       *call;
    ngx_realtime_identity_t    module;
    ngx_realtime_chat_note_t  *note;

    ngx_memzero(&module, sizeof(ngx_realtime_identity_t));
    ngx_str_set(&module.user, "*");

    call = ngx_realtime_call_create(ngx_realtime_jobs.log, &module, NULL);
    if (call == NULL) {
        ngx_realtime_jobs_idle(NGX_REALTIME_JOBS_TICK);
        return;
    }

    ngx_realtime_jobs.busy = 1;

    call->done = ngx_realtime_jobs_notified;

    note = &ngx_realtime_jobs.job.note;

    note->users = users;
    note->nusers = n;
    note->id.data = (u_char *) ngx_realtime_jobs.job.id;
    note->id.len = RT_UUID_LEN;

    ngx_realtime_chat_notify(call, note);
}


static void
ngx_realtime_jobs_notified(ngx_realtime_call_t *call)
{
    switch (call->refusal) {

    case NGX_REALTIME_R_NONE:

        if (ngx_realtime_jobs.job.note.transient) {
            ngx_realtime_jobs_mark(&ngx_realtime_jobs.job);
        }

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

    jobs->query.values[1] = jobs->job.id;
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
                      "realtime: job %s was given up: %s", jobs->job.id,
                      error);
    }

    PQclear(jobs->page);
    jobs->page = NULL;

    jobs->query.values[1] = jobs->job.id;
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

    ngx_realtime_jobs_unmark(status == NGX_REALTIME_PG_OK);

    if (status != NGX_REALTIME_PG_OK) {
        ngx_realtime_jobs_idle(NGX_REALTIME_JOBS_TICK);
        return;
    }

    ngx_realtime_count(jobs_run);

    jobs->row++;
    ngx_realtime_jobs_next();
}
