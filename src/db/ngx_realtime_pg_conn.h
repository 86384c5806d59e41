
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Private to db/: what its files share.
 *
 *   ngx_realtime_pg.c        the pool: waiting list, deadlines, dispatch
 *   ngx_realtime_pg_batch.c  statements on the wire: results, verdicts
 *   ngx_realtime_pg_conn.c   one connection: its states and its events
 *   ngx_realtime_pg_sock.c   its socket among nginx's connections
 *   ngx_realtime_pg_conf.c   the directive
 *
 * Who has a statement between ngx_realtime_pg_query() and its handler:
 *
 *   pool->waiting --dispatch--> pc->sent[] --Sync--> handler
 *        ^                          |
 *        +---- once more, alone ----+
 *
 * pool->busy holds those that found the list full until the next dispatch.
 */

#ifndef _NGX_REALTIME_PG_CONN_H_INCLUDED_
#define _NGX_REALTIME_PG_CONN_H_INCLUDED_


#include "ngx_realtime_age.h"
#include "ngx_realtime_counter.h"
#include "ngx_realtime_pg.h"


#define NGX_REALTIME_PG_IDENTIFY   "realtime_identify"

#define NGX_REALTIME_PG_BATCH      64     /* statements on a wire, at most */
#define NGX_REALTIME_PG_KEYS       256    /* a power of two */
#define NGX_REALTIME_PG_LOCK       8      /* part of the timeout that one
                                             attempt may wait for a lock */
#define NGX_REALTIME_PG_WAITS      8      /* such attempts, at most */
#define NGX_REALTIME_PG_GRACE      1000   /* ms, see ngx_realtime_pg_down() */
#define NGX_REALTIME_PG_WHY        512    /* bytes of an error text */

#define NGX_REALTIME_PG_NOBODY     NGX_REALTIME_PG_BATCH

/* after an error that ngx_realtime_pg_missing() knows */
#define NGX_REALTIME_PG_HINT       ": were the files in sql/ applied?"


typedef struct ngx_realtime_pg_pool_s  ngx_realtime_pg_pool_t;
typedef struct ngx_realtime_pg_conn_s  ngx_realtime_pg_conn_t;


/* state               its timer, pc->age, is                          */

typedef enum {
    NGX_REALTIME_PG_OFFLINE = 0,   /* the backoff                       */
    NGX_REALTIME_PG_CONNECTING,    /* the connect timeout               */
    NGX_REALTIME_PG_PREPARING,     /* still the connect timeout         */
    NGX_REALTIME_PG_IDLE,          /* unset; pc is in pool->idle        */
    NGX_REALTIME_PG_ACTIVE         /* the nearest deadline in pc->sent  */
} ngx_realtime_pg_state_e;


typedef struct {
    ngx_realtime_pg_query_t   *query;
    PGresult                  *res;        /* NULL: none, or not kept */
    unsigned                   sync:1;     /* a Sync was sent after it */
    unsigned                   identity:1; /* the answer to who asks is still
                                              to come before its own */
} ngx_realtime_pg_sent_t;


/* how many statements of a key are on the wire, and of which connection */

typedef struct {
    ngx_realtime_pg_conn_t    *conn;
    ngx_uint_t                 n;
    ngx_uint_t                 closed;     /* for the rest of this gathering:
                                              one of the key stays behind */
} ngx_realtime_pg_key_t;


struct ngx_realtime_pg_conn_s {
    ngx_queue_t                queue;      /* in pool->idle */
    ngx_realtime_pg_pool_t    *pool;
    ngx_realtime_pg_state_e    state;      /* ngx_realtime_pg_conn_state() */
    ngx_realtime_age_t         age;

    PGconn                    *pg;         /* NULL when OFFLINE; has the fd */
    ngx_connection_t          *connection; /* around that fd */
    ino_t                      inode;      /* of the socket in connection */
    unsigned                   writes:1;   /* CONNECTING waits to write */

    ngx_msec_t                 backoff;    /* of the last attempt, ms */
    ngx_msec_t                 since;      /* ready since then */

    /*
     *   sent:  done | the transaction whose Sync is next ...... | others
     *               ^ first                ^ answered    sync=1 |   nsent ^
     *
     * While PREPARING only "answered" is in use: 0 is the settings, 1 the
     * schema, n the statement n - 2 of the catalogue.
     */

    ngx_realtime_pg_sent_t     sent[NGX_REALTIME_PG_BATCH];
    ngx_uint_t                 nsent;
    ngx_uint_t                 first;
    ngx_uint_t                 answered;
    ngx_uint_t                 syncs;      /* to come back */
    ngx_uint_t                 culprit;    /* index of the first that failed
                                              or NOBODY */
    unsigned                   failed:1;   /* this transaction will be, or
                                              was, rolled back */
    unsigned                   solo:1;     /* this batch is */
    unsigned                   listening:1;  /* PREPARING: but for the answer
                                                to LISTEN all have come */
    ngx_msec_t                 sent_at;    /* this batch */
    ngx_msec_t                 others;     /* until then solo ones come last */

    char                       why[NGX_REALTIME_PG_WHY];
};


struct ngx_realtime_pg_pool_s {
    ngx_realtime_pg_conf_t    *conf;
    const ngx_realtime_pg_stmt_t  *stmts;
    ngx_uint_t                 nstmts;
    const ngx_realtime_pg_schema_t  *schema;
    const char                *listen;     /* of the first connection */
    ngx_realtime_pg_heard_pt   heard;
    ngx_log_t                 *log;

    ngx_queue_t                waiting;    /* oldest first */
    ngx_uint_t                 nwaiting;
    ngx_queue_t                busy;       /* found waiting full */

    ngx_queue_t                idle;       /* of connections */
    ngx_uint_t                 nidle;
    ngx_uint_t                 nready;     /* IDLE or ACTIVE */
    ngx_msec_t                 since;      /* nready is 0 since then */

    ngx_event_t                dispatch;   /* posted, never a timer */
    ngx_connection_t           dummy;      /* dispatch.data: the debug log
                                              looks at its fd */
    ngx_realtime_age_t         age;        /* deadlines in waiting */

    uint32_t                   said;       /* crc32 of the last trouble that
                                              was logged; 0: all is well */
    time_t                     refused;    /* a refusal was logged then, */
    uint32_t                   refusal;    /* with a text of this crc32 */
    unsigned                   failed:1;   /* the last attempt to connect */
    unsigned                   deaf:1;     /* LISTEN was refused */

    ngx_uint_t                 gathering;  /* its number */
    ngx_realtime_pg_key_t      keys[NGX_REALTIME_PG_KEYS];

    ngx_uint_t                 nconns;
    ngx_realtime_pg_conn_t    *conns;
};


/* the pool, as seen from below */

/* dispatches at the end of this turn of the event loop */
void ngx_realtime_pg_post(ngx_realtime_pg_pool_t *pool);

/* takes q out of the waiting list, or puts it back at its head */
void ngx_realtime_pg_take(ngx_realtime_pg_pool_t *pool,
    ngx_realtime_pg_query_t *q);
void ngx_realtime_pg_requeue(ngx_realtime_pg_pool_t *pool,
    ngx_realtime_pg_query_t *q);

/* calls the handler and clears res; q may be gone afterwards */
void ngx_realtime_pg_done(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);

#define ngx_realtime_pg_passed(deadline)                                      \
    ((ngx_msec_int_t) ((deadline) - ngx_current_msec) <= 0)


/*
 * Statements on the wire.  NGX_ERROR: the connection is of no more use,
 * pc->why says why or is empty.
 */

/* takes up to max statements that wait; NGX_DECLINED: none is for pc */
ngx_int_t ngx_realtime_pg_batch_send(ngx_realtime_pg_conn_t *pc,
    ngx_uint_t max);
ngx_int_t ngx_realtime_pg_batch_result(ngx_realtime_pg_conn_t *pc,
    PGresult *res);
ngx_int_t ngx_realtime_pg_batch_synced(ngx_realtime_pg_conn_t *pc);
void ngx_realtime_pg_batch_lost(ngx_realtime_pg_conn_t *pc);


/* one connection */

void ngx_realtime_pg_conn_init(ngx_realtime_pg_conn_t *pc,
    ngx_realtime_pg_pool_t *pool);
void ngx_realtime_pg_conn_open(ngx_realtime_pg_conn_t *pc);
void ngx_realtime_pg_conn_exit(ngx_realtime_pg_conn_t *pc);

/* read and write handler of the socket */
void ngx_realtime_pg_conn_event(ngx_event_t *ev);

/* an IDLE connection takes up to max statements; NGX_DECLINED: none of
   those that wait is for this one; NGX_ERROR: closed */
ngx_int_t ngx_realtime_pg_conn_send(ngx_realtime_pg_conn_t *pc,
    ngx_uint_t max);


/* its socket */

/* after everything that may have changed the socket of pc->pg */
ngx_int_t ngx_realtime_pg_sock_watch(ngx_realtime_pg_conn_t *pc);
void ngx_realtime_pg_sock_forget(ngx_realtime_pg_conn_t *pc);

/* at the end of every handler; writes: libpq has something to write */
ngx_int_t ngx_realtime_pg_sock_rearm(ngx_realtime_pg_conn_t *pc,
    ngx_uint_t writes);

ngx_uint_t ngx_realtime_pg_sock_ready(ngx_realtime_pg_conn_t *pc);

/* nothing to read, and not the end either */
ngx_uint_t ngx_realtime_pg_sock_drained(ngx_realtime_pg_conn_t *pc);


/* texts of Postgres and libpq on one line, without hints, for the log */

void ngx_realtime_pg_conn_reason(char *dst, size_t size, const PGresult *res);
void ngx_realtime_pg_conn_text(char *dst, size_t size, const char *src);


#endif /* _NGX_REALTIME_PG_CONN_H_INCLUDED_ */
