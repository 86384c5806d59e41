
/*
 * Copyright (C) ngx_realtime contributors
 */

/* Events about people and not about messages: who is typing, who is there. */


#include "ngx_realtime_chat_presence.h"
#include "ngx_realtime_chat_typing.h"
#include "ngx_realtime_event.h"
#include "rt_json.h"
#include "rt_uuid7.h"


static void ngx_realtime_event_presence_done(ngx_realtime_call_t *call);


/* {conversationId, isTyping} */

ngx_realtime_refusal_e
ngx_realtime_event_typing(ngx_realtime_socket_t *sk, rt_str_t arg,
    ngx_realtime_call_t *call)
{
    u_char      type;
    rt_str_t    v[2];
    ngx_str_t   conversation;

    static const char  *const names[] = { "conversationId", "isTyping" };

    rt_json_members(arg, names, v, 2);

    if (ngx_realtime_event_string(v[0], &conversation) != NGX_OK) {
        return NGX_REALTIME_R_CONVERSATION_NOT_FOUND;
    }

    type = rt_json_type(v[1]);

    if (type != 't' && type != 'f') {
        return NGX_REALTIME_R_TYPING_INVALID;
    }

    ngx_realtime_chat_typing(call, &conversation, type == 't');

    return NGX_REALTIME_R_NONE;
}


/* {state} */

ngx_realtime_refusal_e
ngx_realtime_event_presence(ngx_realtime_socket_t *sk, rt_str_t arg,
    ngx_realtime_call_t *call)
{
    rt_str_t   v[1];
    ngx_str_t  state;

    static const char  *const names[] = { "state" };

    rt_json_members(arg, names, v, 1);

    if (ngx_realtime_event_string(v[0], &state) != NGX_OK) {
        return NGX_REALTIME_R_STATE_INVALID;
    }

    ngx_realtime_chat_presence_say(call, sk->presence, &state);

    return NGX_REALTIME_R_NONE;
}


void
ngx_realtime_event_presence_state(ngx_realtime_socket_t *sk)
{
    u_char                text[RT_UUID_LEN];
    ngx_realtime_ref_t   *ref;
    ngx_realtime_call_t  *call;

    if (rt_uuid_parse(sk->identity.user.data, sk->identity.user.len, text)
        != RT_OK)
    {
        return;
    }

    call = ngx_realtime_call_create(ngx_cycle->log, &sk->identity, &sk->id);
    if (call == NULL) {
        return;
    }

    ref = ngx_palloc(call->pool, sizeof(ngx_realtime_ref_t));
    if (ref == NULL) {
        ngx_destroy_pool(call->pool);
        return;
    }

    *ref = sk->ref;

    call->data = ref;
    call->done = ngx_realtime_event_presence_done;

    ngx_realtime_chat_presence_connected(call, sk->presence);
}


/* a socket that hears nothing asks by REST who is there, or does without */

static void
ngx_realtime_event_presence_done(ngx_realtime_call_t *call)
{
    ngx_realtime_ref_t     *ref;
    ngx_realtime_socket_t  *sk;

    ref = call->data;
    sk = ngx_realtime_socket_find(*ref);

    if (sk && call->refusal == NGX_REALTIME_R_NONE) {
        ngx_realtime_socket_emit_volatile(sk, "presence_state",
                                          &call->result);
    }
}
