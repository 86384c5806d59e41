
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Private to the files of jobs:
 *
 *   ngx_realtime_chat_jobs.c      who runs them, and when: elected, claims
 *   ngx_realtime_chat_jobs_run.c  what was claimed, one after the other
 *   ngx_realtime_chat_jobs_row.c  what a row says
 *   ngx_realtime_chat_jobs_mark.c what was published and has not ended
 *   ngx_realtime_chat_jobs_add.c  a notification becomes one
 *   ngx_realtime_chat_jobs_get.c  how far one is
 */

#ifndef _NGX_REALTIME_CHAT_JOBS_RUN_H_INCLUDED_
#define _NGX_REALTIME_CHAT_JOBS_RUN_H_INCLUDED_


#include "ngx_realtime_chat_jobs.h"
#include "ngx_realtime_chat_stmt.h"
#include "ngx_realtime_counter.h"
#include "rt_uuid7.h"


#define NGX_REALTIME_JOBS_TICK    1000     /* ms: who is elected? */
#define NGX_REALTIME_JOBS_MARKS   256


typedef struct {
    uint32_t                   taken;      /* atomic */
    u_char                     key[2 * RT_UUID_BYTES];
} ngx_realtime_jobs_mark_t;


typedef struct {
    uint64_t                   elected;    /* generation << 8 | slot, + 1;
                                              0: nobody; atomic */
    uint32_t                   lost;       /* marks so far; atomic */
    ngx_realtime_jobs_mark_t   marks[NGX_REALTIME_JOBS_MARKS];
} ngx_realtime_jobs_sh_t;


typedef enum {
    NGX_REALTIME_JOB_NOTIFY = 0,
    NGX_REALTIME_JOB_BROADCAST,
    NGX_REALTIME_JOB_EMIT
} ngx_realtime_job_kind_e;


/* a job: strings are in jobs->res */

typedef struct {
    ngx_realtime_job_kind_e    kind;
    ngx_realtime_chat_note_t   note;       /* without users and id */
    ngx_str_t                  users;      /* UUIDs with commas */
    ngx_str_t                  user;       /* of an event */
    ngx_str_t                  event;      /* JSON */
    ngx_str_t                  payload;    /* JSON; len 0: none */
    char                       id[RT_UUID_LEN + 1];
    char                       last[RT_UUID_LEN + 1];  /* "": at the first */
    unsigned                   again:1;    /* somebody had it before */
} ngx_realtime_job_t;


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

    ngx_realtime_job_t         job;
    char                       last[RT_UUID_LEN + 1];  /* of a page */
    char                       count[NGX_INT_T_LEN + 1];
    char                       total[NGX_INT_T_LEN + 1];

    ngx_event_t                tick;
    ngx_connection_t           dummy;
    ngx_log_t                 *log;
} ngx_realtime_jobs_t;


extern ngx_realtime_jobs_t  ngx_realtime_jobs;


#define ngx_realtime_jobs_sh()                                                \
    ((ngx_realtime_jobs_sh_t *) ngx_realtime_zone_sh->jobs)

#define ngx_realtime_jobs_passed(at)                                          \
    ((ngx_msec_int_t) ((at) - ngx_current_msec) <= 0)


/* asks for one statement, with "*" as its first value */
void ngx_realtime_jobs_ask(ngx_realtime_chat_stmt_e stmt,
    ngx_realtime_pg_pt handler);

/* nothing is under way any more; what was claimed and has not ended is left
   to its lease; the next claim is in due ms at the latest */
void ngx_realtime_jobs_idle(ngx_msec_t due);

/* runs what was claimed, from jobs->row on, and goes idle */
void ngx_realtime_jobs_next(void);

/* NULL; or what is wrong with it, a code: then only id is sure to be there */
const char *ngx_realtime_jobs_row(ngx_realtime_job_t *job, PGresult *res,
    int row);

/*
 * mark: it was published just now.  marked: by somebody who had it before.
 * unmark: that was the last mark, or what was found; ended: it will not come
 * again.
 */
void ngx_realtime_jobs_mark(const ngx_realtime_job_t *job);
ngx_uint_t ngx_realtime_jobs_marked(const ngx_realtime_job_t *job);
void ngx_realtime_jobs_unmark(ngx_uint_t ended);


#endif /* _NGX_REALTIME_CHAT_JOBS_RUN_H_INCLUDED_ */
