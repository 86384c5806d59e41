
/*
 * Copyright (C) ngx_realtime contributors
 */


/*
 * realtime_message_relay: the compatibility mode without a row.  Whoever has
 * a token may write to anyone, as in the system that the contract describes:
 * only the shape is checked, and the event gets an id and a time.
 */


#include "ngx_realtime_chat.h"
#include "ngx_realtime_chat_event.h"
#include "ngx_realtime_chat_text.h"
#include "ngx_realtime_counter.h"


#define NGX_REALTIME_CHAT_RELAY_CONVERSATION_MAX  128    /* characters */


static ngx_realtime_refusal_e ngx_realtime_chat_relay_check(
    ngx_realtime_chat_send_t *args, ngx_realtime_chat_event_t *event);
static ngx_int_t ngx_realtime_chat_relay_result(ngx_realtime_call_t *call,
    ngx_realtime_chat_event_t *event);


void
ngx_realtime_chat_relay(ngx_realtime_call_t *call,
    ngx_realtime_chat_send_t *args)
{
    ngx_realtime_msg_t         *message;
    ngx_realtime_refusal_e      why;
    ngx_realtime_chat_event_t   event;

    u_char  id[NGX_REALTIME_UUID_LEN + 1];

    event.sender = call->caller.user;

    why = ngx_realtime_chat_relay_check(args, &event);

    if (why != NGX_REALTIME_R_NONE) {
        ngx_realtime_call_refuse(call, why);
        return;
    }

    if (ngx_realtime_chat_event_id(id, &event.ms, call->log) != NGX_OK) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    ngx_memcpy(event.id, id, NGX_REALTIME_UUID_LEN);

    if (!call->mute && ngx_realtime_chat_relay_result(call, &event) != NGX_OK)
    {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    message = ngx_realtime_chat_event_encode(&event, call->log);
    if (message == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    ngx_realtime_count(relayed);

    ngx_realtime_chat_event_publish(message, &args->recipient,
                                    &call->caller.user, &call->socket,
                                    call->log);

    ngx_realtime_call_done(call);
}


static ngx_realtime_refusal_e
ngx_realtime_chat_relay_check(ngx_realtime_chat_send_t *args,
    ngx_realtime_chat_event_t *event)
{
    ngx_realtime_refusal_e  why;

    event->content = args->content;
    event->conversation = args->conversation;
    event->client_id = args->client_id;

    if (!ngx_realtime_chat_text_is_user(&args->recipient)) {
        return NGX_REALTIME_R_RECIPIENT_INVALID;
    }

    if (!ngx_realtime_chat_text_is_within(&event->conversation,
                                   NGX_REALTIME_CHAT_RELAY_CONVERSATION_MAX))
    {
        return NGX_REALTIME_R_CONVERSATION_NOT_FOUND;
    }

    if (event->client_id.data) {
        why = ngx_realtime_chat_text_client_id(&event->client_id);
        if (why != NGX_REALTIME_R_NONE) {
            return why;
        }
    }

    return ngx_realtime_chat_text_content(&event->content);
}


/* for an ack: what the sender could not know */

static ngx_int_t
ngx_realtime_chat_relay_result(ngx_realtime_call_t *call,
    ngx_realtime_chat_event_t *event)
{
    u_char  *p;

    p = ngx_pnalloc(call->pool, sizeof("{\"id\":\"\",\"timestamp\":\"\"}") - 1
                                + NGX_REALTIME_UUID_LEN
                                + NGX_REALTIME_CHAT_TIME_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    call->result.data = p;

    p = ngx_cpymem(p, "{\"id\":\"", sizeof("{\"id\":\"") - 1);
    p = ngx_cpymem(p, event->id, NGX_REALTIME_UUID_LEN);
    p = ngx_cpymem(p, "\",\"timestamp\":\"", sizeof("\",\"timestamp\":\"") - 1);
    p = ngx_realtime_chat_event_time(p, event->ms);
    p = ngx_cpymem(p, "\"}", sizeof("\"}") - 1);

    call->result.len = p - call->result.data;

    return NGX_OK;
}
