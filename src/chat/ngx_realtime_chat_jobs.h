
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Jobs: notifications that are for later, or for everybody, and whatever an
 * application says in a transaction of its own (sql/007_jobs.sql).
 */

#ifndef _NGX_REALTIME_CHAT_JOBS_H_INCLUDED_
#define _NGX_REALTIME_CHAT_JOBS_H_INCLUDED_


#include "ngx_realtime_chat_notify.h"
#include "ngx_realtime_zone.h"


/* columns of what is claimed */

enum {
    NGX_REALTIME_JOB_ID = 0,
    NGX_REALTIME_JOB_KIND,
    NGX_REALTIME_JOB_AGAIN,                /* somebody had it before */
    NGX_REALTIME_JOB_HOPELESS,
    NGX_REALTIME_JOB_WRONG,                /* a code, or NULL; then the other
                                              columns have no values */
    NGX_REALTIME_JOB_USERS,                /* UUIDs with commas */
    NGX_REALTIME_JOB_LAST,
    NGX_REALTIME_JOB_EXPIRES,              /* ms */
    NGX_REALTIME_JOB_EXPIRED,
    NGX_REALTIME_JOB_PAYLOAD,              /* JSON */
    NGX_REALTIME_JOB_DATA                  /* JSON */
};


/* zone part, see ngx_realtime_zone.h */
ngx_int_t ngx_realtime_chat_jobs_create(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log);

/* in a worker, before db/ starts; and before it ends */
void ngx_realtime_chat_jobs_init(ngx_cycle_t *cycle);
void ngx_realtime_chat_jobs_exit(void);

/* a note with "deliver" or "all" that was checked; id is NUL-terminated, all
   of it lives as long as the call: ngx_realtime_chat_jobs_add.c */
void ngx_realtime_chat_job_add(ngx_realtime_call_t *call,
    ngx_realtime_chat_note_t *note, u_char *id);

/* how far a job is: ngx_realtime_chat_jobs_get.c */
void ngx_realtime_chat_job_get(ngx_realtime_call_t *call, ngx_str_t *id);


#endif /* _NGX_REALTIME_CHAT_JOBS_H_INCLUDED_ */
