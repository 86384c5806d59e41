
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * A note is checked, stored for all of its receivers in one statement, and
 * told to those who did not have it.
 *
 * The note is in the table of flights while Postgres has it: should its
 * worker die, or not hear how it ended, the caller repeats it with the same
 * id, and whoever finds the rows there tells what nobody was told.
 */


#include "ngx_realtime_chat_event.h"
#include "ngx_realtime_chat_flight.h"
#include "ngx_realtime_chat_jobs.h"
#include "ngx_realtime_chat_notify.h"
#include "ngx_realtime_chat_stmt.h"
#include "ngx_realtime_chat_text.h"
#include "ngx_realtime_counter.h"
#include "ngx_realtime_presence.h"
#include "ngx_realtime_room.h"
#include "rt_json.h"
#include "rt_uuid7.h"


#define NGX_REALTIME_NOTIFY_EVENT  "42[\"notification\","


/* of a call, in its pool */

typedef struct {
    ngx_realtime_chat_note_t   note;       /* users and strings: ours */
    uint64_t                   ms;
    ngx_int_t                  flight;
    u_char                     id[RT_UUID_LEN + 1];
    u_char                     at[NGX_INT64_LEN + 1];
    u_char                     expires[NGX_INT64_LEN + 1];
} ngx_realtime_chat_notifying_t;


static ngx_realtime_refusal_e ngx_realtime_chat_notify_check(
    ngx_realtime_chat_note_t *note);
static ngx_uint_t ngx_realtime_chat_notify_is_type(ngx_str_t *type);
static ngx_realtime_refusal_e ngx_realtime_chat_notify_id(
    ngx_realtime_call_t *call, ngx_realtime_chat_notifying_t *ctx,
    ngx_str_t *id);
static ngx_realtime_refusal_e ngx_realtime_chat_notify_users(
    ngx_realtime_call_t *call, ngx_realtime_chat_notifying_t *ctx,
    ngx_realtime_chat_note_t *note);
static int ngx_libc_cdecl ngx_realtime_chat_notify_order(const void *one,
    const void *two);
static ngx_int_t ngx_realtime_chat_notify_store(ngx_realtime_call_t *call,
    ngx_realtime_chat_notifying_t *ctx);
static void ngx_realtime_chat_notify_stored(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static ngx_int_t ngx_realtime_chat_notify_new(ngx_realtime_call_t *call,
    ngx_realtime_chat_notifying_t *ctx, PGresult *res);
static ngx_int_t ngx_realtime_chat_notify_tell_all(ngx_realtime_call_t *call,
    ngx_realtime_chat_notifying_t *ctx, ngx_str_t *users, ngx_uint_t n);
static ngx_realtime_msg_t *ngx_realtime_chat_notify_encode(
    ngx_realtime_chat_notifying_t *ctx, ngx_log_t *log);
static void ngx_realtime_chat_notify_end(ngx_realtime_call_t *call,
    ngx_realtime_chat_notifying_t *ctx);


void
ngx_realtime_chat_notify(ngx_realtime_call_t *call,
    ngx_realtime_chat_note_t *note)
{
    ngx_realtime_refusal_e          why;
    ngx_realtime_chat_notifying_t  *ctx;

    why = ngx_realtime_chat_notify_check(note);

    if (why != NGX_REALTIME_R_NONE) {
        ngx_realtime_call_refuse(call, why);
        return;
    }

    ctx = ngx_pcalloc(call->pool, sizeof(ngx_realtime_chat_notifying_t));
    if (ctx == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    call->ctx = ctx;
    ctx->note = *note;

    why = ngx_realtime_chat_notify_id(call, ctx, &note->id);

    if (why == NGX_REALTIME_R_NONE && !note->all) {
        why = ngx_realtime_chat_notify_users(call, ctx, note);
    }

    if (why != NGX_REALTIME_R_NONE) {
        ngx_realtime_call_refuse(call, why);
        return;
    }

    if (note->deliver || note->all) {
        ngx_realtime_chat_job_add(call, &ctx->note, ctx->id);
        return;
    }

    if (!note->transient) {

        if (!ngx_realtime_pg_configured()) {
            ngx_realtime_call_refuse(call, NGX_REALTIME_R_UNAVAILABLE);

        } else if (ngx_realtime_chat_notify_store(call, ctx) != NGX_OK) {
            ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        }

        return;
    }

    if (ngx_realtime_chat_notify_tell_all(call, ctx, ctx->note.users,
                                          ctx->note.nusers)
        != NGX_OK)
    {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    ngx_realtime_chat_notify_end(call, ctx);
}


static ngx_realtime_refusal_e
ngx_realtime_chat_notify_check(ngx_realtime_chat_note_t *note)
{
    if (!ngx_realtime_chat_notify_is_type(&note->type)) {
        return NGX_REALTIME_R_NOTE_TYPE_INVALID;
    }

    if (!ngx_realtime_chat_text_is_within(&note->title,
                                          NGX_REALTIME_NOTE_TITLE_MAX))
    {
        return NGX_REALTIME_R_TITLE_INVALID;
    }

    if (!ngx_realtime_chat_text_is_within(&note->message,
                                          NGX_REALTIME_NOTE_MESSAGE_MAX))
    {
        return NGX_REALTIME_R_NOTE_MESSAGE_INVALID;
    }

    if (note->data.len > NGX_REALTIME_NOTE_DATA_MAX) {
        return NGX_REALTIME_R_NOTE_DATA_TOO_LARGE;
    }

    if (note->nusers == 0 && !note->all) {
        return NGX_REALTIME_R_RECEIVERS_INVALID;
    }

    if (note->nusers > NGX_REALTIME_NOTE_USERS_MAX) {
        return NGX_REALTIME_R_RECEIVERS_TOO_MANY;
    }

    return NGX_REALTIME_R_NONE;
}


static ngx_uint_t
ngx_realtime_chat_notify_is_type(ngx_str_t *type)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < type->len; i++) {
        c = type->data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
              || c == '_' || c == '.' || c == '-'))
        {
            return 0;
        }
    }

    return type->len >= 1 && type->len <= NGX_REALTIME_NOTE_TYPE_MAX;
}


static ngx_realtime_refusal_e
ngx_realtime_chat_notify_id(ngx_realtime_call_t *call,
    ngx_realtime_chat_notifying_t *ctx, ngx_str_t *id)
{
    if (id->data == NULL) {
        return ngx_realtime_chat_event_id(ctx->id, &ctx->ms, call->log)
               == NGX_OK ? NGX_REALTIME_R_NONE : NGX_REALTIME_R_INTERNAL;
    }

    ctx->ms = ngx_realtime_chat_event_now();

    return rt_uuid_parse(id->data, id->len, ctx->id) == RT_OK
           ? NGX_REALTIME_R_NONE : NGX_REALTIME_R_NOTE_ID_INVALID;
}


/* each once, and UUIDs in lower case, as Postgres has them */

static ngx_realtime_refusal_e
ngx_realtime_chat_notify_users(ngx_realtime_call_t *call,
    ngx_realtime_chat_notifying_t *ctx, ngx_realtime_chat_note_t *note)
{
    u_char      *p;
    size_t       len;
    ngx_str_t   *user;
    ngx_uint_t   i, n;

    for (len = 0, i = 0; i < note->nusers; i++) {

        if (!ngx_realtime_chat_text_is_user(&note->users[i])) {
            return NGX_REALTIME_R_RECEIVERS_INVALID;
        }

        len += note->users[i].len;
    }

    user = ngx_palloc(call->pool, note->nusers * sizeof(ngx_str_t));
    p = ngx_pnalloc(call->pool, len);

    if (user == NULL || p == NULL) {
        return NGX_REALTIME_R_INTERNAL;
    }

    for (i = 0; i < note->nusers; i++) {
        user[i].data = p;
        user[i].len = note->users[i].len;

        if (rt_uuid_parse(note->users[i].data, user[i].len, p) != RT_OK) {

            if (!note->transient || note->deliver) {
                return NGX_REALTIME_R_RECEIVERS_NOT_UUID;
            }

            ngx_memcpy(p, note->users[i].data, user[i].len);
        }

        p += user[i].len;
    }

    ngx_qsort(user, note->nusers, sizeof(ngx_str_t),
              ngx_realtime_chat_notify_order);

    for (n = 1, i = 1; i < note->nusers; i++) {
        if (ngx_realtime_chat_notify_order(&user[i], &user[n - 1]) != 0) {
            user[n++] = user[i];
        }
    }

    ctx->note.users = user;
    ctx->note.nusers = n;

    return NGX_REALTIME_R_NONE;
}


static int ngx_libc_cdecl
ngx_realtime_chat_notify_order(const void *one, const void *two)
{
    const ngx_str_t  *a = one;
    const ngx_str_t  *b = two;

    return (int) ngx_memn2cmp(a->data, b->data, a->len, b->len);
}


/* NGX_ERROR: no memory */

static ngx_int_t
ngx_realtime_chat_notify_store(ngx_realtime_call_t *call,
    ngx_realtime_chat_notifying_t *ctx)
{
    u_char                    *p, *array;
    ngx_str_t                 *text[4];
    ngx_uint_t                 i;
    ngx_realtime_chat_note_t  *note;

    note = &ctx->note;

    array = ngx_pnalloc(call->pool, note->nusers * (RT_UUID_LEN + 1) + 2);
    if (array == NULL) {
        return NGX_ERROR;
    }

    p = array;

    for (i = 0; i < note->nusers; i++) {
        *p++ = i ? ',' : '{';
        p = ngx_cpymem(p, note->users[i].data, RT_UUID_LEN);
    }

    *p++ = '}';
    *p = '\0';

    *ngx_sprintf(ctx->at, "%uL", ctx->ms) = '\0';

    call->query.values[0] = "*";
    call->query.values[1] = (char *) array;
    call->query.values[2] = (char *) ctx->id;
    call->query.values[7] = (char *) ctx->at;

    text[0] = &note->type;
    text[1] = &note->title;
    text[2] = &note->message;
    text[3] = &note->data;

    for (i = 0; i < 4; i++) {

        if (text[i]->len == 0) {
            continue;
        }

        p = (u_char *) ngx_realtime_chat_text_copy(call->pool, text[i]);
        if (p == NULL) {
            return NGX_ERROR;
        }

        text[i]->data = p;
        call->query.values[3 + i] = (char *) p;
    }

    if (note->expires) {
        *ngx_sprintf(ctx->expires, "%uL", note->expires) = '\0';
        call->query.values[8] = (char *) ctx->expires;
    }

    ctx->flight = ngx_realtime_chat_flight_begin(ctx->id);

    call->query.data = call;

    ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_NOTE,
                               ngx_realtime_chat_notify_stored);

    return NGX_OK;
}


static void
ngx_realtime_chat_notify_stored(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    ngx_int_t                       rc;
    ngx_realtime_call_t            *call;
    ngx_realtime_chat_notifying_t  *ctx;

    call = q->data;
    ctx = call->ctx;

    if (status != NGX_REALTIME_PG_OK) {

        if (q->lost) {
            ngx_realtime_chat_flight_doubt(ctx->flight);
        } else {
            ngx_realtime_chat_flight_end(ctx->flight);
        }

        (void) ngx_realtime_chat_stmt_answer(call, status, res);
        return;
    }

    ngx_realtime_count_n(notifications_stored, PQntuples(res));

    rc = ngx_realtime_chat_notify_new(call, ctx, res);

    ngx_realtime_chat_flight_end(ctx->flight);

    if (rc != NGX_OK) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    ngx_realtime_chat_notify_end(call, ctx);
}


/* those who have it since now; or all, if nobody was told the first time */

static ngx_int_t
ngx_realtime_chat_notify_new(ngx_realtime_call_t *call,
    ngx_realtime_chat_notifying_t *ctx, PGresult *res)
{
    int         row, n;
    ngx_str_t  *users;

    n = PQntuples(res);

    if ((ngx_uint_t) n == ctx->note.nusers
        || call->query.lost
        || ngx_realtime_chat_flight_claim(ctx->id))
    {
        return ngx_realtime_chat_notify_tell_all(call, ctx, ctx->note.users,
                                                 ctx->note.nusers);
    }

    if (n == 0) {
        return NGX_OK;
    }

    users = ngx_palloc(call->pool, n * sizeof(ngx_str_t));
    if (users == NULL) {
        return NGX_ERROR;
    }

    for (row = 0; row < n; row++) {
        users[row].data = (u_char *) PQgetvalue(res, row, 0);
        users[row].len = PQgetlength(res, row, 0);
    }

    return ngx_realtime_chat_notify_tell_all(call, ctx, users, n);
}


static ngx_int_t
ngx_realtime_chat_notify_tell_all(ngx_realtime_call_t *call,
    ngx_realtime_chat_notifying_t *ctx, ngx_str_t *users, ngx_uint_t n)
{
    ngx_realtime_msg_t  *m;

    m = ngx_realtime_chat_notify_encode(ctx, call->log);
    if (m == NULL) {
        return NGX_ERROR;
    }

    ngx_realtime_count(notifications);

    if (n == 1) {
        ngx_realtime_room_publish_user(users, NULL, m);

    } else {
        ngx_realtime_room_publish_users(users, n, m);
    }

    ngx_realtime_msg_unref(m);

    return NGX_OK;
}


static ngx_realtime_msg_t *
ngx_realtime_chat_notify_encode(ngx_realtime_chat_notifying_t *ctx,
    ngx_log_t *log)
{
    u_char                         *p, time[NGX_REALTIME_CHAT_TIME_LEN];
    size_t                          len;
    ngx_realtime_msg_t             *m;
    ngx_realtime_chat_told_note_t   note;

    (void) ngx_realtime_chat_event_time(time, ctx->ms);

    note.id.data = ctx->id;
    note.id.len = RT_UUID_LEN;
    note.type = ctx->note.type;
    note.title = ctx->note.title;
    note.message = ctx->note.message;
    note.data = ctx->note.data;
    note.timestamp.data = time;
    note.timestamp.len = sizeof(time);

    len = sizeof(NGX_REALTIME_NOTIFY_EVENT "]") - 1
          + ngx_realtime_chat_notify_size(&note);

    m = ngx_realtime_msg_event_alloc(len, log);
    if (m == NULL) {
        return NULL;
    }

    p = ngx_cpymem(ngx_realtime_msg_payload(m), NGX_REALTIME_NOTIFY_EVENT,
                   sizeof(NGX_REALTIME_NOTIFY_EVENT) - 1);
    p = ngx_realtime_chat_notify_print(p, &note);
    *p = ']';

    return m;
}


static void
ngx_realtime_chat_notify_end(ngx_realtime_call_t *call,
    ngx_realtime_chat_notifying_t *ctx)
{
    u_char      *p;
    ngx_uint_t   i, online;

    online = 0;

    for (i = 0; i < ctx->note.nusers; i++) {
        if (ngx_realtime_presence_sockets(&ctx->note.users[i])) {
            online++;
        }
    }

    p = ngx_pnalloc(call->pool,
                    sizeof("{\"id\":\"\",\"online\":,\"offline\":}")
                    + RT_UUID_LEN + 2 * NGX_INT_T_LEN);
    if (p == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    call->status = NGX_HTTP_ACCEPTED;
    call->result.data = p;

    p = ngx_sprintf(p, "{\"id\":\"%*s\",\"online\":%ui,\"offline\":%ui}",
                    (size_t) RT_UUID_LEN, ctx->id, online,
                    ctx->note.nusers - online);

    call->result.len = p - call->result.data;

    ngx_realtime_call_done(call);
}
