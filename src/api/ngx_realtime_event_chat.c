
/*
 * Copyright (C) ngx_realtime contributors
 */

/* Events about what became of a message: it is delivered, it is read. */


#include "ngx_realtime_chat_receipt.h"
#include "ngx_realtime_event.h"
#include "rt_json.h"
#include "rt_uuid7.h"


#define NGX_REALTIME_EVENT_ID    "42[\"message\",{\"id\":\""
#define NGX_REALTIME_EVENT_IN    "\",\"conversationId\":\""
#define NGX_REALTIME_EVENT_FROM  "\",\"senderId\":\""

#define NGX_REALTIME_EVENT_IN_AT                                              \
    (sizeof(NGX_REALTIME_EVENT_ID) - 1 + RT_UUID_LEN)
#define NGX_REALTIME_EVENT_FROM_AT                                            \
    (NGX_REALTIME_EVENT_IN_AT + sizeof(NGX_REALTIME_EVENT_IN) - 1             \
     + RT_UUID_LEN)

#define ngx_realtime_event_is(p, lit)                                         \
    (ngx_memcmp(p, lit, sizeof(lit) - 1) == 0)


/* {conversationId, upTo?} */

ngx_realtime_refusal_e
ngx_realtime_event_mark_as_read(ngx_realtime_socket_t *sk, rt_str_t arg,
    ngx_realtime_call_t *call)
{
    rt_str_t    v[2];
    ngx_str_t   conversation, up_to;

    static const char  *const names[] = { "conversationId", "upTo" };

    rt_json_members(arg, names, v, 2);

    if (ngx_realtime_event_string(v[0], &conversation) != NGX_OK) {
        return NGX_REALTIME_R_CONVERSATION_NOT_FOUND;
    }

    ngx_str_null(&up_to);

    if (v[1].data && rt_json_type(v[1]) != 'n'
        && ngx_realtime_event_string(v[1], &up_to) != NGX_OK)
    {
        return NGX_REALTIME_R_UP_TO_INVALID;
    }

    ngx_realtime_chat_read(call, &conversation, &up_to);

    return NGX_REALTIME_R_NONE;
}


/*
 * What goes to a socket is known by its first bytes: ids come first in a
 * message, see ngx_realtime_chat_event_encode().
 */

ngx_uint_t
ngx_realtime_event_delivered(ngx_realtime_socket_t *sk, ngx_realtime_msg_t *m)
{
    u_char  *p, user[RT_UUID_LEN], conversation[RT_UUID_LEN];

    if (ngx_realtime_event_is_old_news(sk, m)) {
        return 1;
    }

    p = ngx_realtime_msg_payload(m);

    if (ngx_realtime_msg_payload_len(m)
        < NGX_REALTIME_EVENT_FROM_AT + sizeof(NGX_REALTIME_EVENT_FROM)
        || !ngx_realtime_event_is(p, NGX_REALTIME_EVENT_ID)
        || !ngx_realtime_event_is(p + NGX_REALTIME_EVENT_IN_AT,
                                  NGX_REALTIME_EVENT_IN)
        || !ngx_realtime_event_is(p + NGX_REALTIME_EVENT_FROM_AT,
                                  NGX_REALTIME_EVENT_FROM)
        || rt_uuid_parse(p + NGX_REALTIME_EVENT_IN_AT
                         + sizeof(NGX_REALTIME_EVENT_IN) - 1, RT_UUID_LEN,
                         conversation)
           != RT_OK
        || rt_uuid_parse(sk->identity.user.data, sk->identity.user.len, user)
           != RT_OK)
    {
        /* what is relayed may have any text there */
        return 0;
    }

    p += sizeof(NGX_REALTIME_EVENT_ID) - 1;

    ngx_realtime_chat_receipt_add(user, conversation, p, p);

    return 0;
}
