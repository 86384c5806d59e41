
/*
 * Copyright (C) ngx_realtime contributors
 */

/* Events about people and not about messages: who is typing. */


#include "ngx_realtime_chat_typing.h"
#include "ngx_realtime_event.h"
#include "rt_json.h"


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
