
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The last times of users, to Postgres: many in one statement, one statement
 * at a time.
 *
 * The worker that sweeps writes them when the grace period of who has left is
 * over.  When nginx stops nobody will sweep any more, and the zone goes:
 *
 *   a socket goes, the worker exits -> END_TICKs until no worker is there that
 *                                      does not exit, at most END of them
 *                                   -> all who have left are offline
 *                                   -> last seen, to Postgres; which holds the
 *                                      worker until it is answered
 *
 * In a reload the new workers are there, and the old one gives up.  With the
 * signal TERM a worker has no time for this.
 */


#include "ngx_realtime_age.h"
#include "ngx_realtime_chat_presence.h"
#include "ngx_realtime_chat_presence_tell.h"
#include "ngx_realtime_chat_stmt.h"


#define NGX_REALTIME_CHAT_SAVE        256  /* last times of a statement */
#define NGX_REALTIME_CHAT_SAVE_AGAIN  5    /* s, after an error */

#define NGX_REALTIME_CHAT_END_TICK    100  /* ms */
#define NGX_REALTIME_CHAT_END         15   /* the others look once a second
                                              whether they exit */


typedef struct {
    ngx_realtime_pg_query_t       query;
    ngx_uint_t                    n;
    ngx_realtime_presence_seen_t  seen[NGX_REALTIME_CHAT_SAVE];
    u_char                        ids[NGX_REALTIME_CHAT_SAVE
                                      * (RT_UUID_LEN + 1) + sizeof("{}")];
    u_char                        times[NGX_REALTIME_CHAT_SAVE
                                        * (NGX_TIME_T_LEN + 1)
                                        + sizeof("{}")];
} ngx_realtime_chat_saving_t;


static void ngx_realtime_chat_presence_end(ngx_realtime_age_t *age);
static void ngx_realtime_chat_presence_saved(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);


/* n is 0 unless its statement is under way */
static ngx_realtime_chat_saving_t  ngx_realtime_chat_saving;
static time_t                      ngx_realtime_chat_save_at;  /* not before */

static ngx_realtime_age_t          ngx_realtime_chat_end;
static ngx_uint_t                  ngx_realtime_chat_end_ticks;  /* left */


void
ngx_realtime_chat_presence_left(void)
{
    if (!ngx_exiting || !ngx_realtime_pg_configured()) {
        return;
    }

    if (ngx_realtime_chat_end_ticks == 0) {
        ngx_realtime_age_hold();
        ngx_realtime_chat_end.handler = ngx_realtime_chat_presence_end;
        ngx_realtime_age_set(&ngx_realtime_chat_end,
                             NGX_REALTIME_CHAT_END_TICK);
    }

    ngx_realtime_chat_end_ticks = NGX_REALTIME_CHAT_END;
}


static void
ngx_realtime_chat_presence_end(ngx_realtime_age_t *age)
{
    if (ngx_realtime_presence_ends() && ngx_realtime_chat_saving.n == 0) {
        ngx_realtime_presence_end();
        ngx_realtime_chat_presence_save();
        ngx_realtime_chat_end_ticks = 0;

    } else {
        ngx_realtime_chat_end_ticks--;
    }

    if (ngx_realtime_chat_end_ticks == 0) {
        ngx_realtime_age_release();
        return;
    }

    ngx_realtime_age_set(age, NGX_REALTIME_CHAT_END_TICK);
}


void
ngx_realtime_chat_presence_save(void)
{
    u_char                      *p, *t;
    ngx_uint_t                   i;
    ngx_realtime_chat_saving_t  *saving;

    saving = &ngx_realtime_chat_saving;

    if (!ngx_realtime_pg_configured() || saving->n
        || ngx_time() < ngx_realtime_chat_save_at)
    {
        return;
    }

    saving->n = ngx_realtime_presence_unsaved(saving->seen,
                                              NGX_REALTIME_CHAT_SAVE);
    if (saving->n == 0) {
        return;
    }

    p = saving->ids;
    t = saving->times;

    for (i = 0; i < saving->n; i++) {
        *p++ = i ? ',' : '{';
        *t++ = i ? ',' : '{';

        rt_uuid_print(saving->seen[i].id, p);
        p += RT_UUID_LEN;
        t = ngx_sprintf(t, "%T", saving->seen[i].seen);
    }

    ngx_memcpy(p, "}", 2);
    ngx_memcpy(t, "}", 2);

    saving->query.stmt = NGX_REALTIME_STMT_SEEN;
    saving->query.values[0] = (char *) saving->ids;
    saving->query.values[1] = (char *) saving->times;
    saving->query.handler = ngx_realtime_chat_presence_saved;
    saving->query.data = saving;

    ngx_realtime_pg_query(&saving->query);
}


static void
ngx_realtime_chat_presence_saved(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    ngx_uint_t                   i, n;
    ngx_realtime_chat_saving_t  *saving;

    saving = q->data;
    n = saving->n;
    saving->n = 0;

    if (status != NGX_REALTIME_PG_OK) {
        ngx_realtime_chat_save_at = ngx_time() + NGX_REALTIME_CHAT_SAVE_AGAIN;
        return;
    }

    for (i = 0; i < n; i++) {
        ngx_realtime_presence_is_saved(&saving->seen[i]);
    }

    ngx_realtime_count_n(presence_saved, n);

    if (n == NGX_REALTIME_CHAT_SAVE) {
        ngx_realtime_chat_presence_save();
    }
}
