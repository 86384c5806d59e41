
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The door of db/: statements in, results out, nothing blocks.
 *
 *   chat/ --query--> waiting list --batch--> connection --Sync--> handlers
 *
 * A worker owns one pool of "connections" libpq connections in pipeline
 * mode.  Statements that are waiting when a connection becomes free go out as
 * one batch before one Sync; up to a Sync everything is one implicit
 * transaction, so a handler is called only after the Sync came back, and when
 * one statement of a batch fails, the others are sent again alone, each with
 * its own Sync.
 *
 * A handler is called exactly once, from the event loop, never from inside
 * ngx_realtime_pg_query().  The query and its parameters belong to the caller
 * and must live until then.
 */

#ifndef _NGX_REALTIME_PG_H_INCLUDED_
#define _NGX_REALTIME_PG_H_INCLUDED_


#include "ngx_realtime.h"

#include <libpq-fe.h>


#define NGX_REALTIME_PG_PARAMS     10


struct ngx_realtime_pg_conf_s {
    ngx_str_t                  conninfo;      /* NUL-terminated */
    ngx_uint_t                 connections;   /* per worker */
    ngx_uint_t                 queue;         /* statements waiting, at most */
    ngx_msec_t                 timeout;       /* of a statement, all told */
    ngx_uint_t                 identify;      /* Postgres is told who asks:
                                                 values[0] of a statement */
};


/* the catalogue: a statement is known by its place in it */

typedef struct {
    const char                *name;          /* of the prepared statement */
    const char                *sql;
    ngx_uint_t                 nparams;
    unsigned                   idempotent:1;  /* may be sent twice */
} ngx_realtime_pg_stmt_t;


typedef enum {
    NGX_REALTIME_PG_OK = 0,        /* committed; res has the rows */
    NGX_REALTIME_PG_REFUSED,       /* Postgres said no: sqlstate tells why */
    NGX_REALTIME_PG_UNAVAILABLE,   /* no connection, or lost on the way */
    NGX_REALTIME_PG_BUSY,          /* the waiting list is full */
    NGX_REALTIME_PG_TIMEOUT        /* deadline */
} ngx_realtime_pg_status_e;


typedef struct ngx_realtime_pg_query_s  ngx_realtime_pg_query_t;

/* res is NULL unless OK or REFUSED; it is cleared after the handler */

typedef void (*ngx_realtime_pg_pt)(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);

struct ngx_realtime_pg_query_s {
    ngx_queue_t                queue;         /* db's */
    ngx_msec_t                 deadline;      /* db's: ngx_current_msec */
    unsigned                   alone:1;       /* db's: own Sync */
    unsigned                   lost:1;        /* db's: was on a lost conn, so
                                                 that what is not OK may have
                                                 happened all the same */
    unsigned                   again:1;       /* db's: had a conflict alone */
    unsigned                   solo:1;        /* db's: alone on a wire, because
                                                 it waits for a lock */
    unsigned                   waits:4;       /* db's: times it did */

    ngx_uint_t                 stmt;          /* index into the catalogue */
    uint32_t                   key;           /* hash of the row that it locks
                                                 or 0, see below */
    const char                *values[NGX_REALTIME_PG_PARAMS];
                                              /* text, NUL-terminated, or
                                                 NULL for SQL NULL */
    ngx_realtime_pg_pt         handler;
    void                      *data;          /* the caller's */
};


/*
 * Two statements that lock the same rows in opposite order, in two batches,
 * are a deadlock that Postgres breaks only after a second.  A statement that
 * writes to a row which others write to as well names that row by its key
 * (any hash of the id, the same one in every worker): statements of one key
 * are on one connection at a time, in the order in which they were queued,
 * and every batch is sent in the order of the keys.
 */


/*
 * What the statements need: the migrations 1 to n, but for numbers that have
 * no file.  The query gets an array of the others, and returns the first of
 * them that is not there, or NULL; a connection to a database where one is
 * missing is given up, and tried again.
 */

typedef struct {
    const char                *sql;
    const char *const         *files;         /* of the migration i + 1;
                                                 NULL: there is none */
    ngx_uint_t                 n;
} ngx_realtime_pg_schema_t;


/* one catalogue, before ngx_realtime_pg_init(); not copied */
void ngx_realtime_pg_catalogue(const ngx_realtime_pg_stmt_t *stmts,
    ngx_uint_t n, const ngx_realtime_pg_schema_t *schema);

/*
 * "realtime_database conninfo [connections=] [queue=] [timeout=]"; conf is
 * the ngx_realtime_main_conf_t.
 */
char *ngx_realtime_pg_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

ngx_int_t ngx_realtime_pg_init(ngx_cycle_t *cycle,
    ngx_realtime_pg_conf_t *conf);
/* no handler is called for what is left: the process ends */
void ngx_realtime_pg_exit(ngx_cycle_t *cycle);

/*
 * What is notified on the channel calls the handler, and so does each new
 * connection that listens, because before it nobody did.  It is a hint and no
 * more: one may be missing.  Before ngx_realtime_pg_init().
 */
typedef void (*ngx_realtime_pg_heard_pt)(void);

void ngx_realtime_pg_listen(const char *sql,
    ngx_realtime_pg_heard_pt heard);

/* there is a pool: without one nothing may be asked */
ngx_uint_t ngx_realtime_pg_configured(void);

/* the first parameter of a statement is whom it is for, and Postgres, told
   so, lets it see no more */
ngx_uint_t ngx_realtime_pg_identifies(void);

void ngx_realtime_pg_query(ngx_realtime_pg_query_t *q);

/* the five-character SQLSTATE of a REFUSED result, "" if there is none */
const char *ngx_realtime_pg_sqlstate(PGresult *res);

/* it says that a schema, table, column, function or type is not there */
ngx_uint_t ngx_realtime_pg_missing(const char *sqlstate);


#endif /* _NGX_REALTIME_PG_H_INCLUDED_ */
