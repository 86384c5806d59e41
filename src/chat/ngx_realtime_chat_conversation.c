
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_chat.h"
#include "ngx_realtime_chat_event.h"
#include "ngx_realtime_chat_page.h"
#include "ngx_realtime_chat_presence.h"
#include "ngx_realtime_chat_row.h"
#include "ngx_realtime_chat_stmt.h"
#include "ngx_realtime_chat_text.h"
#include "rt_uuid7.h"


#define NGX_REALTIME_CHAT_LIST_LIMIT  50
#define NGX_REALTIME_CHAT_LIST_MAX    100

#define NGX_REALTIME_CHAT_US_MAX      16      /* digits, to the year 2286 */

#define NGX_REALTIME_CHAT_TITLE       "Chat with "


typedef struct {
    u_char                     caller[RT_UUID_LEN + 1];
    u_char                     participant[RT_UUID_LEN + 1];
    u_char                     id[RT_UUID_LEN + 1];
} ngx_realtime_chat_creating_t;


typedef struct {
    u_char                     caller[RT_UUID_LEN + 1];
    u_char                     us[NGX_REALTIME_CHAT_US_MAX + 1];
    u_char                     id[RT_UUID_LEN + 1];
    u_char                     count[NGX_INT_T_LEN + 1];
    int                        limit;
} ngx_realtime_chat_listing_t;


typedef struct {
    u_char                     caller[RT_UUID_LEN + 1];
    u_char                     conversation[RT_UUID_LEN + 1];
} ngx_realtime_chat_getting_t;


static ngx_realtime_refusal_e ngx_realtime_chat_create_check(
    ngx_realtime_call_t *call, ngx_str_t *participant, ngx_str_t *title);
static void ngx_realtime_chat_created(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static ngx_int_t ngx_realtime_chat_cursor(ngx_str_t *cursor,
    ngx_realtime_chat_listing_t *l);
static void ngx_realtime_chat_listed(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static void ngx_realtime_chat_got(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);


void
ngx_realtime_chat_create(ngx_realtime_call_t *call, ngx_str_t *participant,
    ngx_str_t *title)
{
    uint64_t                       ms;
    ngx_realtime_refusal_e         why;
    ngx_realtime_chat_creating_t  *c;

    c = ngx_palloc(call->pool, sizeof(ngx_realtime_chat_creating_t));
    if (c == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    call->ctx = c;

    if (ngx_realtime_chat_stmt_begin(call, c->caller) != NGX_OK) {
        return;
    }

    why = ngx_realtime_chat_create_check(call, participant, title);

    if (why == NGX_REALTIME_R_NONE
        && ngx_realtime_chat_event_id(c->id, &ms, call->log) != NGX_OK)
    {
        why = NGX_REALTIME_R_INTERNAL;
    }

    if (why != NGX_REALTIME_R_NONE) {
        ngx_realtime_call_refuse(call, why);
        return;
    }

    call->query.values[1] = (char *) c->participant;
    call->query.values[2] = (char *) c->id;

    /* of the pair, whoever of the two asks */

    call->query.key = ngx_realtime_chat_stmt_key(c->caller)
                      ^ ngx_realtime_chat_stmt_key(c->participant);

    ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_CREATE,
                               ngx_realtime_chat_created);
}


static ngx_realtime_refusal_e
ngx_realtime_chat_create_check(ngx_realtime_call_t *call,
    ngx_str_t *participant, ngx_str_t *title)
{
    ngx_str_t                      s;
    ngx_realtime_refusal_e         why;
    ngx_realtime_chat_creating_t  *c;

    u_char  text[sizeof(NGX_REALTIME_CHAT_TITLE) + RT_UUID_LEN];

    c = call->ctx;

    if (participant->len == 0) {
        return NGX_REALTIME_R_PARTICIPANT_REQUIRED;
    }

    if (rt_uuid_parse(participant->data, participant->len, c->participant)
        != RT_OK)
    {
        return NGX_REALTIME_R_USER_NOT_FOUND;
    }

    c->participant[RT_UUID_LEN] = '\0';

    if (ngx_memcmp(c->participant, c->caller, RT_UUID_LEN) == 0) {
        return NGX_REALTIME_R_PARTICIPANT_SELF;
    }

    if (title->data) {
        s = *title;

        why = ngx_realtime_chat_text_title(&s);
        if (why != NGX_REALTIME_R_NONE) {
            return why;
        }

    } else {
        s.data = text;
        s.len = ngx_sprintf(text, NGX_REALTIME_CHAT_TITLE "%s",
                            c->participant)
                - text;
    }

    call->query.values[3] = ngx_realtime_chat_text_copy(call->pool, &s);

    return call->query.values[3] ? NGX_REALTIME_R_NONE
                                 : NGX_REALTIME_R_INTERNAL;
}


/* of CREATE, and of the PAIR that may follow it */

static void
ngx_realtime_chat_created(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    ngx_realtime_call_t           *call;
    ngx_realtime_chat_creating_t  *c;

    call = q->data;
    c = call->ctx;

    if (ngx_realtime_chat_stmt_answer(call, status, res) != NGX_OK) {
        return;
    }

    if (PQntuples(res) == 0) {

        /* no such user; or the pair was deleted between two statements */

        ngx_realtime_call_refuse(call, q->stmt == NGX_REALTIME_STMT_CREATE
                                       ? NGX_REALTIME_R_USER_NOT_FOUND
                                       : NGX_REALTIME_R_BUSY);
        return;
    }

    if (PQgetisnull(res, 0, NGX_REALTIME_CONVERSATION_ID)) {
        ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_PAIR,
                                   ngx_realtime_chat_created);
        return;
    }

    if (ngx_realtime_chat_row_object(call, &ngx_realtime_chat_conversation,
                                     res, 0)
        != NGX_OK)
    {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    if (ngx_strcmp(PQgetvalue(res, 0, NGX_REALTIME_CONVERSATION_ID), c->id)
        == 0)
    {
        call->status = NGX_HTTP_CREATED;
        ngx_realtime_chat_presence_paired(c->caller, c->participant);
    }

    ngx_realtime_call_done(call);
}


void
ngx_realtime_chat_list(ngx_realtime_call_t *call,
    ngx_realtime_chat_list_t *args)
{
    ngx_realtime_chat_listing_t  *l;

    l = ngx_palloc(call->pool, sizeof(ngx_realtime_chat_listing_t));
    if (l == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    call->ctx = l;

    if (ngx_realtime_chat_stmt_begin(call, l->caller) != NGX_OK) {
        return;
    }

    if (ngx_realtime_chat_cursor(&args->cursor, l) != NGX_OK) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_CURSOR_INVALID);
        return;
    }

    l->limit = ngx_realtime_chat_page_limit(args->limit,
                                       NGX_REALTIME_CHAT_LIST_LIMIT,
                                       NGX_REALTIME_CHAT_LIST_MAX);

    /* one more tells whether there is more */

    *ngx_sprintf(l->count, "%d", l->limit + 1) = '\0';

    call->query.values[1] = (char *) l->us;
    call->query.values[2] = (char *) l->id;
    call->query.values[3] = (char *) l->count;

    ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_LIST,
                               ngx_realtime_chat_listed);
}


/* "<microseconds>.<conversation id>" of the last row that was seen */

static ngx_int_t
ngx_realtime_chat_cursor(ngx_str_t *cursor, ngx_realtime_chat_listing_t *l)
{
    size_t   i;
    u_char  *dot;

    if (cursor->len == 0) {
        ngx_memcpy(l->us, NGX_REALTIME_STMT_LAST_US,
                   sizeof(NGX_REALTIME_STMT_LAST_US));
        ngx_memcpy(l->id, NGX_REALTIME_STMT_LAST_UUID,
                   sizeof(NGX_REALTIME_STMT_LAST_UUID));
        return NGX_OK;
    }

    dot = ngx_strlchr(cursor->data, cursor->data + cursor->len, '.');

    if (dot == NULL
        || dot == cursor->data
        || dot - cursor->data > NGX_REALTIME_CHAT_US_MAX)
    {
        return NGX_ERROR;
    }

    for (i = 0; cursor->data + i < dot; i++) {
        if (cursor->data[i] < '0' || cursor->data[i] > '9') {
            return NGX_ERROR;
        }

        l->us[i] = cursor->data[i];
    }

    l->us[i] = '\0';

    if (rt_uuid_parse(dot + 1, cursor->len - i - 1, l->id) != RT_OK) {
        return NGX_ERROR;
    }

    l->id[RT_UUID_LEN] = '\0';

    return NGX_OK;
}


static void
ngx_realtime_chat_listed(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    int                           n;
    ngx_str_t                     cursor;
    ngx_realtime_call_t          *call;
    ngx_realtime_chat_listing_t  *l;

    u_char  text[NGX_INT64_LEN + sizeof(".") + RT_UUID_LEN];

    call = q->data;
    l = call->ctx;

    if (ngx_realtime_chat_stmt_answer(call, status, res) != NGX_OK) {
        return;
    }

    n = PQntuples(res);
    cursor.len = 0;

    if (n > l->limit) {
        n = l->limit;

        cursor.data = text;
        cursor.len = ngx_snprintf(text, sizeof(text), "%s.%s",
                          PQgetvalue(res, n - 1,
                                     NGX_REALTIME_CONVERSATION_CURSOR),
                          PQgetvalue(res, n - 1,
                                     NGX_REALTIME_CONVERSATION_ID))
                     - text;
    }

    if (ngx_realtime_chat_row_array(call, &ngx_realtime_chat_conversation,
                                    res, 0, n, 1)
        != NGX_OK
        || ngx_realtime_chat_page_next(call, "nextCursor", &cursor)
           != NGX_OK)
    {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    ngx_realtime_call_done(call);
}


void
ngx_realtime_chat_get(ngx_realtime_call_t *call, ngx_str_t *conversation)
{
    ngx_realtime_chat_getting_t  *g;

    g = ngx_palloc(call->pool, sizeof(ngx_realtime_chat_getting_t));
    if (g == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    if (ngx_realtime_chat_stmt_begin(call, g->caller) != NGX_OK) {
        return;
    }

    if (rt_uuid_parse(conversation->data, conversation->len, g->conversation)
        != RT_OK)
    {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_CONVERSATION_NOT_FOUND);
        return;
    }

    g->conversation[RT_UUID_LEN] = '\0';

    call->query.values[1] = (char *) g->conversation;

    ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_GET,
                               ngx_realtime_chat_got);
}


static void
ngx_realtime_chat_got(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    ngx_realtime_call_t  *call;

    call = q->data;

    if (ngx_realtime_chat_stmt_found(call, status, res,
                                     NGX_REALTIME_R_CONVERSATION_NOT_FOUND)
        != NGX_OK)
    {
        return;
    }

    if (ngx_realtime_chat_row_object(call, &ngx_realtime_chat_conversation,
                                     res, 0)
        != NGX_OK)
    {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    ngx_realtime_call_done(call);
}
