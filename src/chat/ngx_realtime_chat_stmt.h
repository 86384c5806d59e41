
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The statements of chat.  Each is whole in itself: it authorises, writes and
 * returns what the answer needs, so that a use case is one round trip and one
 * place in a batch.  The first parameter is always the caller.
 */

#ifndef _NGX_REALTIME_CHAT_STMT_H_INCLUDED_
#define _NGX_REALTIME_CHAT_STMT_H_INCLUDED_


#include "ngx_realtime_chat.h"


typedef enum {
    NGX_REALTIME_STMT_CREATE = 0,  /* caller, participant, id, title */
    NGX_REALTIME_STMT_PAIR,        /* caller, participant */
    NGX_REALTIME_STMT_LIST,        /* caller, before: us, id; limit */
    NGX_REALTIME_STMT_GET,         /* caller, conversation */
    NGX_REALTIME_STMT_SEND,        /* caller, conversation, id, content,
                                      client id, ms, recipient */
    NGX_REALTIME_STMT_TWIN,        /* the same, and door, since */
    NGX_REALTIME_STMT_REPEAT,      /* caller, client id, id */
    NGX_REALTIME_STMT_FETCH,       /* caller, conversation, pivot, how many
                                      before it, from it on, offset */
    NGX_REALTIME_STMT_READ,        /* caller, conversation, up to, ms */
    NGX_REALTIME_STMT_WAS_READ,    /* the same */
    NGX_REALTIME_STMT_DELIVERED,   /* caller, conversation, from, to, ms */
    NGX_REALTIME_STMT_DELETE,      /* caller, conversation */
    NGX_REALTIME_STMT_OTHER,       /* caller, conversation */
    NGX_REALTIME_STMT_PARTNERS,    /* users: an array; the module asks */
    NGX_REALTIME_STMT_SEEN,        /* users, seconds: arrays; likewise */
    NGX_REALTIME_STMT_NOTES,       /* caller, before: id; limit */
    NGX_REALTIME_STMT_NEW,         /* caller, how many at most */
    NGX_REALTIME_STMT_UNREAD,      /* caller */
    NGX_REALTIME_STMT_SEE,         /* caller, id, ms, acknowledged */
    NGX_REALTIME_STMT_SEE_ALL,     /* caller, ms */
    NGX_REALTIME_STMT_DISMISS,     /* caller, id */
    NGX_REALTIME_STMT_NOTE,        /* "*": the module; users: an array; id,
                                      type, title, message, data, ms,
                                      expires: ms */
    NGX_REALTIME_STMT_JOB_ADD,     /* "*", id, kind, users, payload, data,
                                      expires: ms; run: ms or NULL, total */
    NGX_REALTIME_STMT_JOB_GET,     /* "*", id */
    NGX_REALTIME_STMT_JOBS_CLAIM,  /* "*" */
    NGX_REALTIME_STMT_JOBS_NEXT,   /* "*" */
    NGX_REALTIME_STMT_JOB_STEP,    /* "*", id, last id, how many, total */
    NGX_REALTIME_STMT_JOB_END,     /* "*", id, error */
    NGX_REALTIME_STMT_PURGE,       /* "*" */
    NGX_REALTIME_STMT_PEOPLE       /* "*", after: id or NULL */
} ngx_realtime_chat_stmt_e;


/* rows that one statement changes at most: a call that has more asks again */
#define NGX_REALTIME_STMT_ROWS       1000
#define NGX_REALTIME_STMT_ROWS_TEXT  "1000"


/* to_char() and not a cast: DateStyle and TimeZone belong to the database */

#define NGX_REALTIME_STMT_TIME(value)                                         \
    "to_char(" value " at time zone 'UTC',"                                   \
    " 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

#define NGX_REALTIME_STMT_MS(param)                                           \
    "timestamptz 'epoch' + " param "::bigint * interval '1 millisecond' "


/* what Postgres compares as later than everything */
#define NGX_REALTIME_STMT_LAST_UUID  "ffffffff-ffff-ffff-ffff-ffffffffffff"
#define NGX_REALTIME_STMT_LAST_US    "9999999999999999"


/*
 * Begins every use case: the caller becomes the first parameter, into a
 * buffer that lives as long as the call.  NGX_ERROR: the call was refused
 * and is gone.
 */

ngx_int_t ngx_realtime_chat_stmt_begin(ngx_realtime_call_t *call,
    u_char *caller);

/* query.key of a statement that writes to the row of this id */

uint32_t ngx_realtime_chat_stmt_key(u_char *id);

void ngx_realtime_chat_stmt_ask(ngx_realtime_call_t *call,
    ngx_realtime_chat_stmt_e stmt, ngx_realtime_pg_pt handler);

/* begins every handler; NGX_ERROR: the call was refused and is gone */

ngx_int_t ngx_realtime_chat_stmt_answer(ngx_realtime_call_t *call,
    ngx_realtime_pg_status_e status, PGresult *res);

/* the same where a row is expected; without one the call is refused by none */

ngx_int_t ngx_realtime_chat_stmt_found(ngx_realtime_call_t *call,
    ngx_realtime_pg_status_e status, PGresult *res,
    ngx_realtime_refusal_e none);


#endif /* _NGX_REALTIME_CHAT_STMT_H_INCLUDED_ */
