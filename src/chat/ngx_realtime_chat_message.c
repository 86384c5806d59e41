
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_chat.h"
#include "ngx_realtime_chat_event.h"
#include "ngx_realtime_chat_flight.h"
#include "ngx_realtime_chat_row.h"
#include "ngx_realtime_chat_stmt.h"
#include "ngx_realtime_chat_text.h"
#include "ngx_realtime_counter.h"
#include "rt_uuid7.h"


#define NGX_REALTIME_CHAT_NO_PARENT    "23503"  /* foreign_key_violation */

#define NGX_REALTIME_CHAT_TWIN_WINDOW  10000    /* ms */


typedef struct {
    uint64_t                   ms;
    ngx_int_t                  flight;
    u_char                     caller[RT_UUID_LEN + 1];
    u_char                     conversation[RT_UUID_LEN + 1];
    u_char                     recipient[RT_UUID_LEN + 1];
    u_char                     id[RT_UUID_LEN + 1];
    u_char                     since[RT_UUID_LEN + 1];
    u_char                     time[NGX_INT64_LEN + 1];
    u_char                     door[2];
} ngx_realtime_chat_sending_t;


static ngx_realtime_refusal_e ngx_realtime_chat_send_check(
    ngx_realtime_call_t *call, ngx_realtime_chat_send_t *args);
static ngx_int_t ngx_realtime_chat_send_id(ngx_realtime_call_t *call,
    ngx_realtime_chat_door_e door);
static void ngx_realtime_chat_sent(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static void ngx_realtime_chat_sent_landed(ngx_realtime_call_t *call);
static void ngx_realtime_chat_sent_failed(ngx_realtime_call_t *call,
    ngx_realtime_pg_status_e status, PGresult *res);
static ngx_realtime_refusal_e ngx_realtime_chat_sent_check(
    ngx_realtime_call_t *call, PGresult *res);
static void ngx_realtime_chat_sent_finish(ngx_realtime_call_t *call,
    PGresult *res);
static void ngx_realtime_chat_sent_deliver(ngx_realtime_call_t *call,
    PGresult *res);
static void ngx_realtime_chat_sent_text(PGresult *res, int column,
    ngx_str_t *text);


void
ngx_realtime_chat_send(ngx_realtime_call_t *call,
    ngx_realtime_chat_send_t *args)
{
    ngx_uint_t                    twin;
    ngx_realtime_refusal_e        why;
    ngx_realtime_chat_sending_t  *s;

    s = ngx_pcalloc(call->pool, sizeof(ngx_realtime_chat_sending_t));
    if (s == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    call->ctx = s;

    if (ngx_realtime_chat_stmt_begin(call, s->caller) != NGX_OK) {
        return;
    }

    why = ngx_realtime_chat_send_check(call, args);

    if (why == NGX_REALTIME_R_NONE
        && ngx_realtime_chat_send_id(call, args->door) != NGX_OK)
    {
        why = NGX_REALTIME_R_INTERNAL;
    }

    if (why != NGX_REALTIME_R_NONE) {
        ngx_realtime_call_refuse(call, why);
        return;
    }

    s->flight = ngx_realtime_chat_flight_begin(s->id);

    /* who names his messages does not send them twice without saying so */

    twin = (args->door && args->client_id.data == NULL);

    ngx_realtime_chat_stmt_ask(call, twin ? NGX_REALTIME_STMT_TWIN
                                          : NGX_REALTIME_STMT_SEND,
                               ngx_realtime_chat_sent);
}


/* the arguments, checked and copied: they become parameters */

static ngx_realtime_refusal_e
ngx_realtime_chat_send_check(ngx_realtime_call_t *call,
    ngx_realtime_chat_send_t *args)
{
    const char                  **values;
    ngx_str_t                     content;
    ngx_realtime_refusal_e        why;
    ngx_realtime_chat_sending_t  *s;

    s = call->ctx;
    values = call->query.values;

    content = args->content;

    why = ngx_realtime_chat_text_content(&content);
    if (why != NGX_REALTIME_R_NONE) {
        return why;
    }

    if (args->client_id.data) {
        why = ngx_realtime_chat_text_client_id(&args->client_id);
        if (why != NGX_REALTIME_R_NONE) {
            return why;
        }

        values[4] = ngx_realtime_chat_text_copy(call->pool, &args->client_id);
        if (values[4] == NULL) {
            return NGX_REALTIME_R_INTERNAL;
        }
    }

    if (rt_uuid_parse(args->conversation.data, args->conversation.len,
                      s->conversation)
        != RT_OK)
    {
        return NGX_REALTIME_R_CONVERSATION_NOT_FOUND;
    }

    values[1] = (char *) s->conversation;

    if (args->recipient.data) {
        if (rt_uuid_parse(args->recipient.data, args->recipient.len,
                          s->recipient)
            != RT_OK)
        {
            return NGX_REALTIME_R_RECIPIENT_INVALID;
        }

        values[6] = (char *) s->recipient;
    }

    values[3] = ngx_realtime_chat_text_copy(call->pool, &content);
    if (values[3] == NULL) {
        return NGX_REALTIME_R_INTERNAL;
    }

    return NGX_REALTIME_R_NONE;
}


static ngx_int_t
ngx_realtime_chat_send_id(ngx_realtime_call_t *call,
    ngx_realtime_chat_door_e door)
{
    ngx_realtime_chat_sending_t  *s;

    s = call->ctx;

    if (ngx_realtime_chat_event_id(s->id, &s->ms, call->log) != NGX_OK) {
        return NGX_ERROR;
    }

    *ngx_sprintf(s->time, "%uL", s->ms) = '\0';

    call->query.values[2] = (char *) s->id;
    call->query.values[5] = (char *) s->time;

    s->door[0] = '0' + door;
    call->query.values[7] = (char *) s->door;

    ngx_realtime_chat_event_floor(s->since, s->ms
                                            - NGX_REALTIME_CHAT_TWIN_WINDOW);
    call->query.values[8] = (char *) s->since;

    /*
     * One conversation is on one connection at a time: its messages are
     * committed, and so delivered, in the order of their ids.
     */

    call->query.key = ngx_realtime_chat_stmt_key(s->conversation);

    return NGX_OK;
}


/* of SEND, and of the REPEAT that may follow it */

static void
ngx_realtime_chat_sent(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    ngx_realtime_call_t     *call;
    ngx_realtime_refusal_e   why;

    call = q->data;

    if (status != NGX_REALTIME_PG_OK) {
        ngx_realtime_chat_sent_failed(call, status, res);
        return;
    }

    ngx_realtime_chat_sent_landed(call);

    why = ngx_realtime_chat_sent_check(call, res);

    if (why != NGX_REALTIME_R_NONE) {
        ngx_realtime_call_refuse(call, why);
        return;
    }

    if (PQgetisnull(res, 0, NGX_REALTIME_MESSAGE_ID)) {

        /* what it conflicts with was committed while it ran */

        q->values[1] = q->values[4];

        ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_REPEAT,
                                   ngx_realtime_chat_sent);
        return;
    }

    ngx_realtime_chat_sent_finish(call, res);
}


/* what this call stored, this call publishes now */

static void
ngx_realtime_chat_sent_landed(ngx_realtime_call_t *call)
{
    ngx_realtime_chat_sending_t  *s;

    s = call->ctx;

    ngx_realtime_chat_flight_end(s->flight);
    s->flight = NGX_REALTIME_FLIGHT_NONE;
}


static void
ngx_realtime_chat_sent_failed(ngx_realtime_call_t *call,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    ngx_realtime_chat_sending_t  *s;

    s = call->ctx;

    if (call->query.lost) {
        ngx_realtime_chat_flight_doubt(s->flight);

    } else {
        ngx_realtime_chat_sent_landed(call);
    }

    if (status == NGX_REALTIME_PG_REFUSED
        && ngx_strcmp(ngx_realtime_pg_sqlstate(res),
                      NGX_REALTIME_CHAT_NO_PARENT)
           == 0)
    {
        /* the conversation was deleted while the statement ran */

        ngx_realtime_call_refuse(call, NGX_REALTIME_R_CONVERSATION_NOT_FOUND);
        return;
    }

    (void) ngx_realtime_chat_stmt_answer(call, status, res);
}


static ngx_realtime_refusal_e
ngx_realtime_chat_sent_check(ngx_realtime_call_t *call, PGresult *res)
{
    ngx_realtime_chat_sending_t  *s;

    s = call->ctx;

    if (PQntuples(res) == 0) {

        /* REPEAT: the other message went away with its conversation */

        return call->query.stmt == NGX_REALTIME_STMT_REPEAT
               ? NGX_REALTIME_R_BUSY
               : NGX_REALTIME_R_CONVERSATION_NOT_FOUND;
    }

    if (call->query.stmt != NGX_REALTIME_STMT_REPEAT
        && call->query.values[6]
        && ngx_strcmp(PQgetvalue(res, 0, NGX_REALTIME_MESSAGE_OTHER),
                      s->recipient)
           != 0)
    {
        return NGX_REALTIME_R_RECIPIENT_INVALID;
    }

    if (!PQgetisnull(res, 0, NGX_REALTIME_MESSAGE_ID)
        && ngx_strcmp(PQgetvalue(res, 0,
                                 NGX_REALTIME_MESSAGE_CONVERSATION_ID),
                      s->conversation)
           != 0)
    {
        return NGX_REALTIME_R_CONFLICT;
    }

    return NGX_REALTIME_R_NONE;
}


static void
ngx_realtime_chat_sent_finish(ngx_realtime_call_t *call, PGresult *res)
{
    u_char                       *id;
    ngx_uint_t                    own;
    ngx_realtime_chat_sending_t  *s;

    s = call->ctx;

    id = (u_char *) PQgetvalue(res, 0, NGX_REALTIME_MESSAGE_ID);
    own = (ngx_strcmp(id, s->id) == 0);

    /* the call that stored it may not have lived to tell anybody */

    if (own || ngx_realtime_chat_flight_claim(id)) {
        ngx_realtime_count(chat_messages);
        ngx_realtime_chat_sent_deliver(call, res);
    }

    /* the caller of the other door does not know that it is one */

    if (own || call->query.stmt == NGX_REALTIME_STMT_TWIN) {
        call->status = NGX_HTTP_CREATED;
    }

    if (!own) {
        ngx_realtime_count(chat_repeats);
    }

    if (ngx_realtime_chat_row_object(call, &ngx_realtime_chat_message, res, 0)
        != NGX_OK)
    {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    ngx_realtime_call_done(call);
}


/* as it is stored: a repeat may say something else */

static void
ngx_realtime_chat_sent_deliver(ngx_realtime_call_t *call, PGresult *res)
{
    ngx_str_t                   recipient;
    ngx_realtime_msg_t         *message;
    ngx_realtime_chat_event_t   event;

    ngx_realtime_chat_sent_text(res, NGX_REALTIME_MESSAGE_SENDER_ID,
                                &event.sender);
    ngx_realtime_chat_sent_text(res, NGX_REALTIME_MESSAGE_CONVERSATION_ID,
                                &event.conversation);
    ngx_realtime_chat_sent_text(res, NGX_REALTIME_MESSAGE_CONTENT,
                                &event.content);
    ngx_realtime_chat_sent_text(res, NGX_REALTIME_MESSAGE_CLIENT_ID,
                                &event.client_id);
    ngx_realtime_chat_sent_text(res, NGX_REALTIME_MESSAGE_OTHER, &recipient);

    ngx_memcpy(event.id, PQgetvalue(res, 0, NGX_REALTIME_MESSAGE_ID),
               RT_UUID_LEN);
    event.ms = ngx_realtime_chat_event_ms(event.id);

    message = ngx_realtime_chat_event_encode(&event, call->log);
    if (message == NULL) {
        /* it is stored all the same, and that is what the call was for */
        return;
    }

    ngx_realtime_chat_event_publish(message, &recipient, &call->caller.user,
                                    &call->socket, call->log);
}


static void
ngx_realtime_chat_sent_text(PGresult *res, int column, ngx_str_t *text)
{
    ngx_str_null(text);

    if (!PQgetisnull(res, 0, column)) {
        text->data = (u_char *) PQgetvalue(res, 0, column);
        text->len = PQgetlength(res, 0, column);
    }
}
