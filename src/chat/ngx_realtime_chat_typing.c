
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Typing, of a socket in a conversation:
 *
 *                        "true"                          told the other one
 *      (nothing) ----------------------> typing          true
 *      typing    -- "true", 2 s later -> typing          true, again
 *      typing    -- "true", earlier ---> typing          -
 *      typing    -- "false" -----------> (nothing)       false
 *      typing    -- 6 s without "true" -> (nothing)      false
 *      typing    -- the socket left ---> (nothing)       false
 *
 * It is in the memory of the worker that has the socket, and goes with it: a
 * socket that moves to another worker begins anew there.  A worker that is
 * killed takes its "false" along, so a client stops showing it after some
 * seconds by itself as well.
 *
 * A socket types in a few conversations at a time; what it began first ends
 * when it begins one more.  That, and nothing else, bounds the table.
 */


#include "ngx_realtime_age.h"
#include "ngx_realtime_chat_event.h"
#include "ngx_realtime_chat_pair.h"
#include "ngx_realtime_chat_stmt.h"
#include "ngx_realtime_chat_typing.h"
#include "ngx_realtime_room.h"


#define NGX_REALTIME_CHAT_TYPING_LASTS    6000     /* ms */
#define NGX_REALTIME_CHAT_TYPING_REPEATS  2000     /* ms */
#define NGX_REALTIME_CHAT_TYPING_MAX      8        /* conversations */

#define NGX_REALTIME_CHAT_TYPING_BUCKETS  1024
#define NGX_REALTIME_CHAT_TYPING_SID      32       /* bytes, at most */


typedef struct {
    ngx_queue_t                queue;      /* its bucket's, oldest first */
    ngx_realtime_age_t         age;
    ngx_msec_t                 told;       /* "true" was told then */
    u_char                     conversation[RT_UUID_BYTES];
    u_char                     user[RT_UUID_BYTES];
    u_char                     other[RT_UUID_BYTES];
    size_t                     len;
    u_char                     socket[NGX_REALTIME_CHAT_TYPING_SID];
} ngx_realtime_chat_typing_t;


/* of a call, in its pool */

typedef struct {
    u_char                     caller[RT_UUID_LEN + 1];
    u_char                     text[RT_UUID_LEN + 1];   /* conversation */
    u_char                     conversation[RT_UUID_BYTES];
    u_char                     user[RT_UUID_BYTES];
    u_char                     other[RT_UUID_BYTES];
    uint32_t                   version;
    ngx_uint_t                 typing;
} ngx_realtime_chat_typing_call_t;


static void ngx_realtime_chat_typing_members(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static void ngx_realtime_chat_typing_apply(ngx_realtime_call_t *call);
static void ngx_realtime_chat_typing_go_on(ngx_realtime_call_t *call,
    ngx_realtime_chat_typing_t *t);
static ngx_realtime_chat_typing_t *ngx_realtime_chat_typing_begin(
    ngx_realtime_call_t *call, ngx_queue_t *bucket);
static ngx_queue_t *ngx_realtime_chat_typing_bucket(ngx_str_t *socket);
static ngx_uint_t ngx_realtime_chat_typing_is_of(
    ngx_realtime_chat_typing_t *t, ngx_str_t *socket);
static void ngx_realtime_chat_typing_age(ngx_realtime_age_t *age);
static void ngx_realtime_chat_typing_end(ngx_realtime_chat_typing_t *t);
static void ngx_realtime_chat_typing_tell(ngx_realtime_chat_typing_t *t,
    ngx_uint_t typing);


static ngx_queue_t
    ngx_realtime_chat_typing_buckets[NGX_REALTIME_CHAT_TYPING_BUCKETS];


void
ngx_realtime_chat_typing_init(void)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_REALTIME_CHAT_TYPING_BUCKETS; i++) {
        ngx_queue_init(&ngx_realtime_chat_typing_buckets[i]);
    }
}


void
ngx_realtime_chat_typing(ngx_realtime_call_t *call, ngx_str_t *conversation,
    ngx_uint_t typing)
{
    ngx_realtime_chat_typing_call_t  *ctx;

    ctx = ngx_pcalloc(call->pool, sizeof(ngx_realtime_chat_typing_call_t));
    if (ctx == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    call->ctx = ctx;
    ctx->typing = typing;

    if (ngx_realtime_chat_stmt_begin(call, ctx->caller) != NGX_OK) {
        return;
    }

    if (rt_uuid_parse(conversation->data, conversation->len, ctx->text)
        != RT_OK)
    {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_CONVERSATION_NOT_FOUND);
        return;
    }

    rt_uuid_pack(ctx->caller, ctx->user);
    rt_uuid_pack(ctx->text, ctx->conversation);

    switch (ngx_realtime_chat_pair_find(ctx->conversation, ctx->user,
                                        ctx->other))
    {
    case NGX_OK:
        ngx_realtime_chat_typing_apply(call);
        return;

    case NGX_DECLINED:
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_CONVERSATION_NOT_FOUND);
        return;

    default: /* NGX_AGAIN */
        ctx->version = ngx_realtime_version(ctx->conversation);
        call->query.values[1] = (char *) ctx->text;

        ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_OTHER,
                                   ngx_realtime_chat_typing_members);
    }
}


static void
ngx_realtime_chat_typing_members(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    u_char                           *other, text[RT_UUID_LEN];
    ngx_realtime_call_t              *call;
    ngx_realtime_chat_typing_call_t  *ctx;

    call = q->data;
    ctx = call->ctx;

    if (ngx_realtime_chat_stmt_answer(call, status, res) != NGX_OK) {
        return;
    }

    other = NULL;

    if (PQntuples(res) && rt_uuid_parse((u_char *) PQgetvalue(res, 0, 0),
                                        PQgetlength(res, 0, 0), text)
                          == RT_OK)
    {
        rt_uuid_pack(text, ctx->other);
        other = ctx->other;
    }

    ngx_realtime_chat_pair_keep(ctx->conversation, ctx->version, ctx->user,
                                other);

    if (other == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_CONVERSATION_NOT_FOUND);
        return;
    }

    ngx_realtime_chat_typing_apply(call);
}


/* it takes part in the conversation: what was it doing there? */

static void
ngx_realtime_chat_typing_apply(ngx_realtime_call_t *call)
{
    ngx_uint_t                        n;
    ngx_queue_t                      *q, *bucket;
    ngx_realtime_chat_typing_t       *t, *found, *oldest;
    ngx_realtime_chat_typing_call_t  *ctx;

    ctx = call->ctx;
    bucket = ngx_realtime_chat_typing_bucket(&call->socket);

    found = NULL;
    oldest = NULL;
    n = 0;

    for (q = ngx_queue_head(bucket);
         q != ngx_queue_sentinel(bucket);
         q = ngx_queue_next(q))
    {
        t = ngx_queue_data(q, ngx_realtime_chat_typing_t, queue);

        if (!ngx_realtime_chat_typing_is_of(t, &call->socket)) {
            continue;
        }

        if (ngx_memcmp(t->conversation, ctx->conversation, RT_UUID_BYTES)
            == 0)
        {
            found = t;
            break;
        }

        if (n++ == 0) {
            oldest = t;
        }
    }

    if (ctx->typing) {

        if (found == NULL) {
            if (n == NGX_REALTIME_CHAT_TYPING_MAX) {
                ngx_realtime_chat_typing_end(oldest);
            }

            found = ngx_realtime_chat_typing_begin(call, bucket);
        }

        if (found == NULL) {
            ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
            return;
        }

        ngx_realtime_chat_typing_go_on(call, found);

    } else if (found) {
        ngx_realtime_chat_typing_end(found);
    }

    if (ctx->typing) {
        ngx_str_set(&call->result, "{\"isTyping\":true}");

    } else {
        ngx_str_set(&call->result, "{\"isTyping\":false}");
    }

    ngx_realtime_call_done(call);
}


static void
ngx_realtime_chat_typing_go_on(ngx_realtime_call_t *call,
    ngx_realtime_chat_typing_t *t)
{
    if (ngx_current_msec - t->told >= NGX_REALTIME_CHAT_TYPING_REPEATS) {
        t->told = ngx_current_msec;
        ngx_realtime_chat_typing_tell(t, 1);
    }

    ngx_realtime_age_set(&t->age, NGX_REALTIME_CHAT_TYPING_LASTS);
}


static ngx_realtime_chat_typing_t *
ngx_realtime_chat_typing_begin(ngx_realtime_call_t *call, ngx_queue_t *bucket)
{
    ngx_realtime_chat_typing_t       *t;
    ngx_realtime_chat_typing_call_t  *ctx;

    ctx = call->ctx;

    t = ngx_calloc(sizeof(ngx_realtime_chat_typing_t), call->log);
    if (t == NULL) {
        return NULL;
    }

    ngx_memcpy(t->conversation, ctx->conversation, RT_UUID_BYTES);
    ngx_memcpy(t->user, ctx->user, RT_UUID_BYTES);
    ngx_memcpy(t->other, ctx->other, RT_UUID_BYTES);

    t->len = ngx_min(call->socket.len, NGX_REALTIME_CHAT_TYPING_SID);
    ngx_memcpy(t->socket, call->socket.data, t->len);

    t->age.handler = ngx_realtime_chat_typing_age;
    t->told = ngx_current_msec - NGX_REALTIME_CHAT_TYPING_REPEATS;

    ngx_queue_insert_tail(bucket, &t->queue);

    return t;
}


static ngx_queue_t *
ngx_realtime_chat_typing_bucket(ngx_str_t *socket)
{
    return &ngx_realtime_chat_typing_buckets[
               ngx_murmur_hash2(socket->data, socket->len)
               % NGX_REALTIME_CHAT_TYPING_BUCKETS];
}


static ngx_uint_t
ngx_realtime_chat_typing_is_of(ngx_realtime_chat_typing_t *t,
    ngx_str_t *socket)
{
    return t->len == socket->len
           && ngx_memcmp(t->socket, socket->data, t->len) == 0;
}


void
ngx_realtime_chat_typing_left(ngx_str_t *socket)
{
    ngx_queue_t                 *q, *next, *bucket;
    ngx_realtime_chat_typing_t  *t;

    bucket = ngx_realtime_chat_typing_bucket(socket);

    for (q = ngx_queue_head(bucket);
         q != ngx_queue_sentinel(bucket);
         q = next)
    {
        next = ngx_queue_next(q);
        t = ngx_queue_data(q, ngx_realtime_chat_typing_t, queue);

        if (ngx_realtime_chat_typing_is_of(t, socket)) {
            ngx_realtime_chat_typing_end(t);
        }
    }
}


static void
ngx_realtime_chat_typing_age(ngx_realtime_age_t *age)
{
    ngx_realtime_chat_typing_end(ngx_queue_data(age,
                                          ngx_realtime_chat_typing_t, age));
}


static void
ngx_realtime_chat_typing_end(ngx_realtime_chat_typing_t *t)
{
    ngx_realtime_age_unset(&t->age);
    ngx_queue_remove(&t->queue);

    ngx_realtime_chat_typing_tell(t, 0);

    ngx_free(t);
}


/* without an offset: nobody wants it after the connection broke */

static void
ngx_realtime_chat_typing_tell(ngx_realtime_chat_typing_t *t,
    ngx_uint_t typing)
{
    u_char              *p, text[RT_UUID_LEN], buf[256];
    uint64_t             ms;
    ngx_str_t            other;
    ngx_time_t          *tp;
    ngx_realtime_msg_t  *m;

    rt_uuid_print(t->other, text);

    other.data = text;
    other.len = RT_UUID_LEN;

    if (!ngx_realtime_room_reaches_user(&other, NULL)) {
        return;
    }

    tp = ngx_timeofday();
    ms = (uint64_t) tp->sec * 1000 + tp->msec;

    p = ngx_sprintf(buf, "42[\"user_typing\",{\"userId\":\"");
    rt_uuid_print(t->user, p);
    p = ngx_sprintf(p + RT_UUID_LEN, "\",\"conversationId\":\"");
    rt_uuid_print(t->conversation, p);
    p = ngx_sprintf(p + RT_UUID_LEN, "\",\"isTyping\":%s,\"timestamp\":\"",
                    typing ? "true" : "false");
    p = ngx_realtime_chat_event_time(p, ms);
    p = ngx_sprintf(p, "\"}]");

    m = ngx_realtime_msg_copy(buf, p - buf, 0, ngx_cycle->log);

    if (m) {
        m->dispensable = 1;

        ngx_realtime_room_publish_user(&other, NULL, m);
        ngx_realtime_count(typing_told);

        ngx_realtime_msg_unref(m);
    }
}
