
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * What a user does with his notifications.  They are his: those of others are
 * not there.
 */


#include "ngx_realtime_chat_event.h"
#include "ngx_realtime_chat_notify.h"
#include "ngx_realtime_chat_page.h"
#include "ngx_realtime_chat_row.h"
#include "ngx_realtime_chat_stmt.h"
#include "ngx_realtime_room.h"
#include "rt_uuid7.h"


#define NGX_REALTIME_NOTIFY_LIMIT  50
#define NGX_REALTIME_NOTIFY_MAX    100


/* of a call, in its pool */

typedef struct {
    ngx_uint_t                 n;          /* seen so far */
    int                        limit;
    u_char                     caller[RT_UUID_LEN + 1];
    u_char                     id[RT_UUID_LEN + 1];
    u_char                     number[NGX_INT64_LEN + 1];
} ngx_realtime_chat_notes_t;


static ngx_realtime_chat_notes_t *ngx_realtime_chat_notify_begin(
    ngx_realtime_call_t *call);
static ngx_realtime_chat_notes_t *ngx_realtime_chat_notify_one(
    ngx_realtime_call_t *call, ngx_str_t *id);
static void ngx_realtime_chat_notify_listed(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static void ngx_realtime_chat_notify_counted(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static void ngx_realtime_chat_notify_seen(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static void ngx_realtime_chat_notify_seen_all(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static void ngx_realtime_chat_notify_dismissed(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static ngx_int_t ngx_realtime_chat_notify_number(ngx_realtime_call_t *call,
    const char *name, ngx_int_t n);
static void ngx_realtime_chat_notify_tell(ngx_realtime_call_t *call,
    u_char *id);
static void ngx_realtime_chat_notify_news_come(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static ngx_int_t ngx_realtime_chat_notify_event(ngx_realtime_call_t *call,
    PGresult *res, int row, ngx_str_t *event);


static const ngx_realtime_chat_row_field_t  ngx_realtime_chat_note_fields[] =
{
    { ngx_realtime_chat_row_key("id"), NGX_REALTIME_CHAT_ROW_PLAIN,
      NGX_REALTIME_NOTE_ID },
    { ngx_realtime_chat_row_key("user_id"), NGX_REALTIME_CHAT_ROW_PLAIN,
      NGX_REALTIME_NOTE_USER_ID },
    { ngx_realtime_chat_row_key("type"), NGX_REALTIME_CHAT_ROW_PLAIN,
      NGX_REALTIME_NOTE_TYPE },
    { ngx_realtime_chat_row_key("title"), NGX_REALTIME_CHAT_ROW_TEXT,
      NGX_REALTIME_NOTE_TITLE },
    { ngx_realtime_chat_row_key("message"), NGX_REALTIME_CHAT_ROW_TEXT,
      NGX_REALTIME_NOTE_MESSAGE },
    { ngx_realtime_chat_row_key("data"), NGX_REALTIME_CHAT_ROW_JSON,
      NGX_REALTIME_NOTE_DATA },
    { ngx_realtime_chat_row_key("read"), NGX_REALTIME_CHAT_ROW_PRESENT,
      NGX_REALTIME_NOTE_READ_AT },
    { ngx_realtime_chat_row_key("read_at"), NGX_REALTIME_CHAT_ROW_PLAIN,
      NGX_REALTIME_NOTE_READ_AT },
    { ngx_realtime_chat_row_key("created_at"), NGX_REALTIME_CHAT_ROW_PLAIN,
      NGX_REALTIME_NOTE_CREATED_AT }
};


static const ngx_realtime_chat_row_shape_t  ngx_realtime_chat_note = {
    ngx_realtime_chat_note_fields,
    sizeof(ngx_realtime_chat_note_fields)
        / sizeof(ngx_realtime_chat_row_field_t)
};


void
ngx_realtime_chat_notify_list(ngx_realtime_call_t *call, ngx_int_t limit,
    ngx_str_t *before)
{
    ngx_realtime_chat_notes_t  *ctx;

    ctx = ngx_realtime_chat_notify_begin(call);
    if (ctx == NULL) {
        return;
    }

    if (before->len) {

        if (rt_uuid_parse(before->data, before->len, ctx->id) != RT_OK) {
            ngx_realtime_call_refuse(call, NGX_REALTIME_R_CURSOR_INVALID);
            return;
        }

        call->query.values[1] = (char *) ctx->id;
    }

    ctx->limit = ngx_realtime_chat_page_limit(limit,
                                              NGX_REALTIME_NOTIFY_LIMIT,
                                              NGX_REALTIME_NOTIFY_MAX);

    /* one more, which tells whether there is more */

    *ngx_sprintf(ctx->number, "%d", ctx->limit + 1) = '\0';
    call->query.values[2] = (char *) ctx->number;

    ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_NOTES,
                               ngx_realtime_chat_notify_listed);
}


/* NULL: the call was refused and is gone */

static ngx_realtime_chat_notes_t *
ngx_realtime_chat_notify_begin(ngx_realtime_call_t *call)
{
    ngx_realtime_chat_notes_t  *ctx;

    ctx = ngx_pcalloc(call->pool, sizeof(ngx_realtime_chat_notes_t));
    if (ctx == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return NULL;
    }

    call->ctx = ctx;

    return ngx_realtime_chat_stmt_begin(call, ctx->caller) == NGX_OK ? ctx
                                                                     : NULL;
}


/* a malformed id is one that is not there */

static ngx_realtime_chat_notes_t *
ngx_realtime_chat_notify_one(ngx_realtime_call_t *call, ngx_str_t *id)
{
    ngx_realtime_chat_notes_t  *ctx;

    ctx = ngx_realtime_chat_notify_begin(call);
    if (ctx == NULL) {
        return NULL;
    }

    if (rt_uuid_parse(id->data, id->len, ctx->id) != RT_OK) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_NOTIFICATION_NOT_FOUND);
        return NULL;
    }

    call->query.values[1] = (char *) ctx->id;
    call->query.key = ngx_realtime_chat_stmt_key(ctx->caller);

    return ctx;
}


static void
ngx_realtime_chat_notify_listed(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    int                         n, more;
    ngx_str_t                   next;
    ngx_realtime_call_t        *call;
    ngx_realtime_chat_notes_t  *ctx;

    call = q->data;
    ctx = call->ctx;

    if (ngx_realtime_chat_stmt_answer(call, status, res) != NGX_OK) {
        return;
    }

    n = PQntuples(res);

    if (n == 0) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_CURSOR_INVALID);
        return;
    }

    if (PQgetisnull(res, 0, NGX_REALTIME_NOTE_ID)) {
        n = 0;
    }

    more = (n > ctx->limit);
    n = ngx_min(n, ctx->limit);

    ngx_str_null(&next);

    if (more) {
        next.data = (u_char *) PQgetvalue(res, n - 1, NGX_REALTIME_NOTE_ID);
        next.len = RT_UUID_LEN;
    }

    if (ngx_realtime_chat_row_array(call, &ngx_realtime_chat_note, res, 0, n,
                                    1)
        != NGX_OK
        || ngx_realtime_chat_page_next(call, "nextBefore", &next) != NGX_OK)
    {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    ngx_realtime_call_done(call);
}


void
ngx_realtime_chat_notify_count(ngx_realtime_call_t *call)
{
    if (ngx_realtime_chat_notify_begin(call) == NULL) {
        return;
    }

    ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_UNREAD,
                               ngx_realtime_chat_notify_counted);
}


static void
ngx_realtime_chat_notify_counted(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    ngx_realtime_call_t  *call;

    call = q->data;

    if (ngx_realtime_chat_stmt_answer(call, status, res) != NGX_OK) {
        return;
    }

    if (ngx_realtime_chat_notify_number(call, "unreadCount",
                                        ngx_atoi((u_char *)
                                                 PQgetvalue(res, 0, 0),
                                                 PQgetlength(res, 0, 0)))
        != NGX_OK)
    {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    ngx_realtime_call_done(call);
}


static ngx_int_t
ngx_realtime_chat_notify_number(ngx_realtime_call_t *call, const char *name,
    ngx_int_t n)
{
    u_char  *p;

    p = ngx_pnalloc(call->pool, sizeof("{\"\":}") + ngx_strlen(name)
                                + NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    call->result.data = p;
    call->result.len = ngx_sprintf(p, "{\"%s\":%i}", name, n) - p;

    return NGX_OK;
}


void
ngx_realtime_chat_notify_see(ngx_realtime_call_t *call, ngx_str_t *id,
    ngx_uint_t acknowledged)
{
    ngx_realtime_chat_notes_t  *ctx;

    ctx = ngx_realtime_chat_notify_one(call, id);
    if (ctx == NULL) {
        return;
    }

    *ngx_sprintf(ctx->number, "%uL", ngx_realtime_chat_event_now()) = '\0';

    call->query.values[2] = (char *) ctx->number;
    call->query.values[3] = acknowledged ? "t" : "f";

    ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_SEE,
                               ngx_realtime_chat_notify_seen);
}


static void
ngx_realtime_chat_notify_seen(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    ngx_realtime_call_t        *call;
    ngx_realtime_chat_notes_t  *ctx;

    call = q->data;
    ctx = call->ctx;

    if (ngx_realtime_chat_stmt_found(call, status, res,
                                     NGX_REALTIME_R_NOTIFICATION_NOT_FOUND)
        != NGX_OK)
    {
        return;
    }

    if (PQgetvalue(res, 0, NGX_REALTIME_NOTE_WAS_UNREAD)[0] == 't') {
        ngx_realtime_chat_notify_tell(call, ctx->id);
    }

    if (ngx_realtime_chat_row_object(call, &ngx_realtime_chat_note, res, 0)
        != NGX_OK)
    {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    ngx_realtime_call_done(call);
}


void
ngx_realtime_chat_notify_see_all(ngx_realtime_call_t *call)
{
    ngx_realtime_chat_notes_t  *ctx;

    ctx = ngx_realtime_chat_notify_begin(call);
    if (ctx == NULL) {
        return;
    }

    *ngx_sprintf(ctx->number, "%uL", ngx_realtime_chat_event_now()) = '\0';

    call->query.values[1] = (char *) ctx->number;
    call->query.key = ngx_realtime_chat_stmt_key(ctx->caller);

    ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_SEE_ALL,
                               ngx_realtime_chat_notify_seen_all);
}


/* in steps, so that nobody waits behind a long statement */

static void
ngx_realtime_chat_notify_seen_all(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    ngx_int_t                   n;
    ngx_realtime_call_t        *call;
    ngx_realtime_chat_notes_t  *ctx;

    call = q->data;
    ctx = call->ctx;

    if (ngx_realtime_chat_stmt_answer(call, status, res) != NGX_OK) {
        return;
    }

    n = ngx_atoi((u_char *) PQgetvalue(res, 0, 0), PQgetlength(res, 0, 0));

    if (n > 0) {
        ctx->n += n;
    }

    if (n >= NGX_REALTIME_STMT_ROWS) {
        ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_SEE_ALL,
                                   ngx_realtime_chat_notify_seen_all);
        return;
    }

    if (ctx->n) {
        ngx_realtime_chat_notify_tell(call, NULL);
    }

    if (ngx_realtime_chat_notify_number(call, "count", ctx->n) != NGX_OK) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    ngx_str_set(&call->message, "All notifications marked as read");

    ngx_realtime_call_done(call);
}


void
ngx_realtime_chat_notify_dismiss(ngx_realtime_call_t *call, ngx_str_t *id)
{
    if (ngx_realtime_chat_notify_one(call, id) == NULL) {
        return;
    }

    ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_DISMISS,
                               ngx_realtime_chat_notify_dismissed);
}


static void
ngx_realtime_chat_notify_dismissed(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    ngx_realtime_call_t        *call;
    ngx_realtime_chat_notes_t  *ctx;

    call = q->data;
    ctx = call->ctx;

    if (ngx_realtime_chat_stmt_found(call, status, res,
                                     NGX_REALTIME_R_NOTIFICATION_NOT_FOUND)
        != NGX_OK)
    {
        return;
    }

    /* other sockets that show it as new need not any more */

    if (PQgetvalue(res, 0, 0)[0] == 't') {
        ngx_realtime_chat_notify_tell(call, ctx->id);
    }

    ngx_str_set(&call->message, "Notification deleted");

    ngx_realtime_call_done(call);
}


/* the user's other sockets; id NULL: all of them are read */

static void
ngx_realtime_chat_notify_tell(ngx_realtime_call_t *call, u_char *id)
{
    u_char               buf[sizeof("{\"id\":\"\"}") + RT_UUID_LEN];
    ngx_str_t            data, *except;
    ngx_realtime_msg_t  *m;

    except = call->socket.len ? &call->socket : NULL;

    if (!ngx_realtime_room_reaches_user(&call->caller.user, except)) {
        return;
    }

    if (id) {
        data.data = buf;
        data.len = ngx_sprintf(buf, "{\"id\":\"%*s\"}", (size_t) RT_UUID_LEN,
                               id) - buf;
    } else {
        ngx_str_set(&data, "{\"all\":true}");
    }

    m = ngx_realtime_msg_event("notification_read", &data, call->log);
    if (m == NULL) {
        return;
    }

    ngx_realtime_room_publish_user(&call->caller.user, except, m);
    ngx_realtime_msg_unref(m);
}


void
ngx_realtime_chat_notify_news(ngx_realtime_call_t *call)
{
    ngx_realtime_chat_news_t  *news;

    static char  limit[NGX_INT_T_LEN + 1];

    news = ngx_pcalloc(call->pool, sizeof(ngx_realtime_chat_news_t));
    if (news == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    call->ctx = news;

    if (ngx_realtime_chat_stmt_begin(call, news->caller) != NGX_OK) {
        return;
    }

    *ngx_sprintf((u_char *) limit, "%d", NGX_REALTIME_NOTE_NEW) = '\0';
    call->query.values[1] = limit;

    ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_NEW,
                               ngx_realtime_chat_notify_news_come);
}


static void
ngx_realtime_chat_notify_news_come(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    int                        row;
    ngx_realtime_call_t       *call;
    ngx_realtime_chat_news_t  *news;

    call = q->data;
    news = call->ctx;

    if (ngx_realtime_chat_stmt_answer(call, status, res) != NGX_OK) {
        return;
    }

    row = ngx_min(PQntuples(res), NGX_REALTIME_NOTE_NEW);

    while (row--) {
        if (ngx_realtime_chat_notify_event(call, res, row,
                                           &news->events[news->n++])
            != NGX_OK)
        {
            ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
            return;
        }
    }

    ngx_realtime_call_done(call);
}


static ngx_int_t
ngx_realtime_chat_notify_event(ngx_realtime_call_t *call, PGresult *res,
    int row, ngx_str_t *event)
{
    ngx_realtime_chat_told_note_t  note;

#define ngx_realtime_chat_notify_column(name, column)                         \
    note.name.data = (u_char *) PQgetvalue(res, row, column);                 \
    note.name.len = PQgetlength(res, row, column)

    ngx_realtime_chat_notify_column(id, NGX_REALTIME_NOTE_ID);
    ngx_realtime_chat_notify_column(type, NGX_REALTIME_NOTE_TYPE);
    ngx_realtime_chat_notify_column(title, NGX_REALTIME_NOTE_TITLE);
    ngx_realtime_chat_notify_column(message, NGX_REALTIME_NOTE_MESSAGE);
    ngx_realtime_chat_notify_column(data, NGX_REALTIME_NOTE_DATA);
    ngx_realtime_chat_notify_column(timestamp, NGX_REALTIME_NOTE_CREATED_AT);

#undef ngx_realtime_chat_notify_column

    event->data = ngx_pnalloc(call->pool,
                              ngx_realtime_chat_notify_size(&note));
    if (event->data == NULL) {
        return NGX_ERROR;
    }

    event->len = ngx_realtime_chat_notify_print(event->data, &note)
                 - event->data;

    return NGX_OK;
}
