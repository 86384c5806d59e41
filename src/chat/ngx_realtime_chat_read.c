
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * What is done to a conversation as a whole: it is read, it is deleted.  Both
 * may touch any number of messages and do so in steps, each a statement of
 * its own, so that nobody waits behind a long one.
 *
 * A step whose connection was lost is sent again and finds nothing to do if
 * it had been committed.  What it did is told all the same: READ asks for the
 * messages of its very millisecond, DELETE knows from before whom to tell.
 */


#include "ngx_realtime_chat.h"
#include "ngx_realtime_chat_event.h"
#include "ngx_realtime_chat_pair.h"
#include "ngx_realtime_chat_row.h"
#include "ngx_realtime_chat_stmt.h"
#include "rt_uuid7.h"


typedef struct {
    uint64_t                   ms;
    ngx_uint_t                 n;             /* messages marked so far */
    u_char                     caller[RT_UUID_LEN + 1];
    u_char                     conversation[RT_UUID_LEN + 1];
    u_char                     other[RT_UUID_LEN + 1];   /* DELETE's */
    u_char                     up_to[RT_UUID_LEN + 1];
    u_char                     time[NGX_INT64_LEN + 1];
} ngx_realtime_chat_reading_t;


static ngx_realtime_chat_reading_t *ngx_realtime_chat_read_begin(
    ngx_realtime_call_t *call);
static void ngx_realtime_chat_read_marked(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static ngx_int_t ngx_realtime_chat_read_count(ngx_realtime_call_t *call,
    ngx_realtime_pg_status_e status, PGresult *res);
static void ngx_realtime_chat_read_done(ngx_realtime_call_t *call);
static void ngx_realtime_chat_read_tell(ngx_realtime_call_t *call,
    PGresult *res);
static void ngx_realtime_chat_read_other(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static void ngx_realtime_chat_read_deleted(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static void ngx_realtime_chat_read_tell_deleted(ngx_realtime_call_t *call);


#define ngx_realtime_chat_read_socket(call)                                   \
    ((call)->socket.len ? &(call)->socket : NULL)


void
ngx_realtime_chat_read(ngx_realtime_call_t *call, ngx_str_t *conversation,
    ngx_str_t *up_to)
{
    ngx_realtime_chat_reading_t  *r;

    r = ngx_realtime_chat_read_begin(call);
    if (r == NULL) {
        return;
    }

    if (rt_uuid_parse(conversation->data, conversation->len, r->conversation)
        != RT_OK)
    {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_CONVERSATION_NOT_FOUND);
        return;
    }

    if (up_to->data == NULL) {
        ngx_memcpy(r->up_to, NGX_REALTIME_STMT_LAST_UUID, RT_UUID_LEN);

    } else if (rt_uuid_parse(up_to->data, up_to->len, r->up_to) != RT_OK) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_UP_TO_INVALID);
        return;
    }

    r->ms = ngx_realtime_chat_event_now();
    *ngx_sprintf(r->time, "%uL", r->ms) = '\0';

    call->query.values[1] = (char *) r->conversation;
    call->query.values[2] = (char *) r->up_to;
    call->query.values[3] = (char *) r->time;
    call->query.key = ngx_realtime_chat_stmt_key(r->conversation);

    ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_READ,
                               ngx_realtime_chat_read_marked);
}


/* NULL: the call was refused and is gone */

static ngx_realtime_chat_reading_t *
ngx_realtime_chat_read_begin(ngx_realtime_call_t *call)
{
    ngx_realtime_chat_reading_t  *r;

    r = ngx_pcalloc(call->pool, sizeof(ngx_realtime_chat_reading_t));
    if (r == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return NULL;
    }

    call->ctx = r;

    return ngx_realtime_chat_stmt_begin(call, r->caller) == NGX_OK ? r : NULL;
}


static void
ngx_realtime_chat_read_marked(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    ngx_int_t                     n;
    ngx_realtime_call_t          *call;
    ngx_realtime_chat_reading_t  *r;

    call = q->data;
    r = call->ctx;

    n = ngx_realtime_chat_read_count(call, status, res);

    if (n == NGX_ERROR) {
        return;
    }

    if (q->stmt == NGX_REALTIME_STMT_WAS_READ) {
        /* what the steps before the lost one marked is among them */
        r->n = ngx_max(r->n, (ngx_uint_t) n);

    } else {
        r->n += n;
    }

    /* also if the lost step was a full one */

    if (n >= NGX_REALTIME_STMT_ROWS) {
        ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_READ,
                                   ngx_realtime_chat_read_marked);
        return;
    }

    if (n == 0 && q->lost && q->stmt == NGX_REALTIME_STMT_READ) {
        ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_WAS_READ,
                                   ngx_realtime_chat_read_marked);
        return;
    }

    ngx_realtime_chat_read_done(call);
}


/* how many are marked, which was told; NGX_ERROR: the call was refused */

static ngx_int_t
ngx_realtime_chat_read_count(ngx_realtime_call_t *call,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    ngx_int_t  n;

    if (ngx_realtime_chat_stmt_found(call, status, res,
                                     NGX_REALTIME_R_CONVERSATION_NOT_FOUND)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    n = ngx_atoi((u_char *) PQgetvalue(res, 0, NGX_REALTIME_MARKED_COUNT),
                 PQgetlength(res, 0, NGX_REALTIME_MARKED_COUNT));

    if (n > 0) {
        ngx_realtime_chat_read_tell(call, res);
    }

    return n < 0 ? 0 : n;
}


static void
ngx_realtime_chat_read_done(ngx_realtime_call_t *call)
{
    u_char                       *p;
    ngx_realtime_chat_reading_t  *r;

    r = call->ctx;

    p = ngx_pnalloc(call->pool, sizeof("{\"count\":}") + NGX_INT_T_LEN);
    if (p == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    call->result.data = p;
    call->result.len = ngx_sprintf(p, "{\"count\":%ui}", r->n) - p;
    ngx_str_set(&call->message, "Messages marked as read");

    ngx_realtime_call_done(call);
}


/* the sender, and the other sockets of the reader */

static void
ngx_realtime_chat_read_tell(ngx_realtime_call_t *call, PGresult *res)
{
    u_char                       *newest;
    ngx_str_t                     sender;
    ngx_realtime_chat_reading_t  *r;

    r = call->ctx;

    newest = (u_char *) PQgetvalue(res, 0, NGX_REALTIME_MARKED_NEWEST);

    sender.data = (u_char *) PQgetvalue(res, 0, NGX_REALTIME_MARKED_OTHER);
    sender.len = RT_UUID_LEN;

    ngx_realtime_chat_event_tell("message_read", &sender, NULL,
                                 r->conversation, r->caller, newest, r->ms,
                                 call->log);

    ngx_realtime_chat_event_tell("conversation_read", &call->caller.user,
                                 ngx_realtime_chat_read_socket(call),
                                 r->conversation, r->caller, newest, r->ms,
                                 call->log);
}


void
ngx_realtime_chat_delete(ngx_realtime_call_t *call, ngx_str_t *conversation)
{
    ngx_realtime_chat_reading_t  *r;

    r = ngx_realtime_chat_read_begin(call);
    if (r == NULL) {
        return;
    }

    if (rt_uuid_parse(conversation->data, conversation->len, r->conversation)
        != RT_OK)
    {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_NOT_DELETED);
        return;
    }

    r->ms = ngx_realtime_chat_event_now();

    call->query.values[1] = (char *) r->conversation;

    ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_OTHER,
                               ngx_realtime_chat_read_other);
}


static void
ngx_realtime_chat_read_other(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    ngx_realtime_call_t          *call;
    ngx_realtime_chat_reading_t  *r;

    call = q->data;
    r = call->ctx;

    if (ngx_realtime_chat_stmt_found(call, status, res,
                                     NGX_REALTIME_R_NOT_DELETED)
        != NGX_OK)
    {
        return;
    }

    ngx_memcpy(r->other, PQgetvalue(res, 0, 0), RT_UUID_LEN);

    call->query.key = ngx_realtime_chat_stmt_key(r->conversation);

    ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_DELETE,
                               ngx_realtime_chat_read_deleted);
}


static void
ngx_realtime_chat_read_deleted(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    ngx_realtime_call_t  *call;

    call = q->data;

    if (ngx_realtime_chat_stmt_answer(call, status, res) != NGX_OK) {
        return;
    }

    if (PQntuples(res) == 0 && !q->lost) {

        /* the other one was faster */

        ngx_realtime_call_refuse(call, NGX_REALTIME_R_NOT_DELETED);
        return;
    }

    if (PQntuples(res) && PQgetvalue(res, 0, 0)[0] == '0') {

        /* there are more messages than one statement deletes */

        ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_DELETE,
                                   ngx_realtime_chat_read_deleted);
        return;
    }

    ngx_realtime_chat_read_tell_deleted(call);

    ngx_str_set(&call->message, "Conversation deleted");

    ngx_realtime_call_done(call);
}


static void
ngx_realtime_chat_read_tell_deleted(ngx_realtime_call_t *call)
{
    ngx_str_t                     other;
    ngx_realtime_chat_reading_t  *r;

    r = call->ctx;

    other.data = r->other;
    other.len = RT_UUID_LEN;

    ngx_realtime_chat_pair_gone(r->conversation, r->caller, other.data);

    ngx_realtime_chat_event_tell("conversation_deleted", &other, NULL,
                                 r->conversation, r->caller, NULL, r->ms,
                                 call->log);

    ngx_realtime_chat_event_tell("conversation_deleted", &call->caller.user,
                                 ngx_realtime_chat_read_socket(call),
                                 r->conversation, r->caller, NULL, r->ms,
                                 call->log);
}
