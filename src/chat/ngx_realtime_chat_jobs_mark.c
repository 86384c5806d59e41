
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * What was published for a job that has not ended yet and leaves no row by
 * which the next claim would see it: an event, a volatile notification, a page
 * of a volatile broadcast.
 *
 *   free --mark--> taken: id and begin of the page --unmark--> free
 *                    |                               the job, or its step,
 *                    |                               has ended in Postgres
 *                    +--> the worker dies: whoever claims the job again finds
 *                         it here, does not publish, and unmarks it
 *
 * No lock: a place is taken by one atomic exchange, and one worker writes it.
 * Only one that claims the job after its lease reads it, so that it is written
 * by then, or its writer is dead: then the id may be half of one, which is
 * none.  When all places are taken, by jobs whose end Postgres did not hear of,
 * the one that was taken longest ago is given to the next: bounded, and as
 * good as it was before there were marks.
 */


#include "ngx_realtime_chat_jobs_run.h"


#define NGX_REALTIME_JOBS_UNMARKED  -1


static void ngx_realtime_jobs_mark_key(u_char *key,
    const ngx_realtime_job_t *job);


static ngx_int_t  ngx_realtime_jobs_mark_place = NGX_REALTIME_JOBS_UNMARKED;


void
ngx_realtime_jobs_mark(const ngx_realtime_job_t *job)
{
    uint32_t                   free;
    ngx_uint_t                 i, n;
    ngx_realtime_jobs_sh_t    *sh;
    ngx_realtime_jobs_mark_t  *mark;

    sh = ngx_realtime_jobs_sh();

    for (n = 0; n < NGX_REALTIME_JOBS_MARKS; n++) {
        mark = &sh->marks[n];
        free = 0;

        if (__atomic_compare_exchange_n(&mark->taken, &free, 1, 0,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        {
            break;
        }
    }

    if (n == NGX_REALTIME_JOBS_MARKS) {
        i = __atomic_fetch_add(&sh->lost, 1, __ATOMIC_RELAXED);
        n = i % NGX_REALTIME_JOBS_MARKS;
    }

    ngx_realtime_jobs_mark_key(sh->marks[n].key, job);
    ngx_realtime_jobs_mark_place = n;
}


/* the job, and of a broadcast where its page begins */

static void
ngx_realtime_jobs_mark_key(u_char *key, const ngx_realtime_job_t *job)
{
    rt_uuid_pack((const u_char *) job->id, key);

    if (job->last[0]) {
        rt_uuid_pack((const u_char *) job->last, key + RT_UUID_BYTES);

    } else {
        ngx_memzero(key + RT_UUID_BYTES, RT_UUID_BYTES);
    }
}


ngx_uint_t
ngx_realtime_jobs_marked(const ngx_realtime_job_t *job)
{
    u_char                     key[2 * RT_UUID_BYTES];
    ngx_uint_t                 i;
    ngx_realtime_jobs_mark_t  *mark;

    ngx_realtime_jobs_mark_key(key, job);

    for (i = 0; i < NGX_REALTIME_JOBS_MARKS; i++) {
        mark = &ngx_realtime_jobs_sh()->marks[i];

        if (__atomic_load_n(&mark->taken, __ATOMIC_ACQUIRE)
            && ngx_memcmp(mark->key, key, sizeof(key)) == 0)
        {
            ngx_realtime_jobs_mark_place = i;
            return 1;
        }
    }

    return 0;
}


void
ngx_realtime_jobs_unmark(ngx_uint_t ended)
{
    ngx_realtime_jobs_mark_t  *mark;

    if (ngx_realtime_jobs_mark_place == NGX_REALTIME_JOBS_UNMARKED) {
        return;
    }

    if (ended) {
        mark = &ngx_realtime_jobs_sh()->marks[ngx_realtime_jobs_mark_place];

        ngx_memzero(mark->key, sizeof(mark->key));
        __atomic_store_n(&mark->taken, 0, __ATOMIC_RELEASE);
    }

    ngx_realtime_jobs_mark_place = NGX_REALTIME_JOBS_UNMARKED;
}
