
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_chat_event.h"
#include "ngx_realtime_room.h"
#include "rt_json.h"
#include "rt_uuid7.h"

#include <sys/random.h>


#define NGX_REALTIME_CHAT_ENTROPY  2560    /* bytes asked for at a time */
#define NGX_REALTIME_CHAT_RANDOM   10      /* bytes of one id */

#define ngx_realtime_chat_event_put(p, lit)                                   \
    ngx_cpymem(p, lit, sizeof(lit) - 1)


static ngx_str_t  ngx_realtime_chat_event_message =
    ngx_string("42[\"message\",");
static ngx_str_t  ngx_realtime_chat_event_sent =
    ngx_string("42[\"message_sent\",");


static u_char *ngx_realtime_chat_event_string(u_char *p, ngx_str_t *s);


ngx_int_t
ngx_realtime_chat_event_id(u_char *id, uint64_t *ms, ngx_log_t *log)
{
    ngx_time_t  *tp;

    /* filled after the fork: no two workers share a byte */

    static rt_uuid7_t  state;
    static u_char      random[NGX_REALTIME_CHAT_ENTROPY];
    static size_t      left;

    if (left == 0) {
        if (getrandom(random, sizeof(random), 0) != (ssize_t) sizeof(random))
        {
            ngx_log_error(NGX_LOG_CRIT, log, ngx_errno,
                          "realtime: getrandom() failed");
            return NGX_ERROR;
        }

        left = sizeof(random);
    }

    left -= NGX_REALTIME_CHAT_RANDOM;

    tp = ngx_timeofday();

    rt_uuid7(&state, (uint64_t) tp->sec * 1000 + tp->msec, random + left, id);

    id[RT_UUID_LEN] = '\0';
    *ms = state.ms;

    return NGX_OK;
}


ngx_int_t
ngx_realtime_chat_event_encode(ngx_realtime_chat_event_t *event,
    ngx_realtime_msg_t **message, ngx_realtime_msg_t **sent, ngx_log_t *log)
{
    u_char              *p, *text;
    size_t               len, content;
    ngx_str_t           *name;
    ngx_realtime_msg_t  *m;

    content = rt_json_escaped(event->content.data, event->content.len);

    len = sizeof("{\"senderId\":\"\",\"message\":\"\",\"conversationId\":\"\""
                 ",\"timestamp\":\"\",\"id\":\"\",\"content\":\"\"}]") - 1
          + rt_json_escaped(event->sender.data, event->sender.len)
          + rt_json_escaped(event->conversation.data, event->conversation.len)
          + NGX_REALTIME_CHAT_TIME_LEN + NGX_REALTIME_UUID_LEN + 2 * content;

    if (event->client_id.data) {
        len += sizeof(",\"clientId\":\"\"") - 1
               + rt_json_escaped(event->client_id.data,
                                 event->client_id.len);
    }

    name = &ngx_realtime_chat_event_message;

    m = ngx_realtime_msg_alloc(name->len + len, log);
    if (m == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(ngx_realtime_msg_payload(m), name->data, name->len);

    p = ngx_realtime_chat_event_put(p, "{\"senderId\":\"");
    p = ngx_realtime_chat_event_string(p, &event->sender);
    p = ngx_realtime_chat_event_put(p, "\",\"message\":\"");
    text = p;
    p = ngx_realtime_chat_event_string(p, &event->content);
    p = ngx_realtime_chat_event_put(p, "\",\"conversationId\":\"");
    p = ngx_realtime_chat_event_string(p, &event->conversation);
    p = ngx_realtime_chat_event_put(p, "\",\"timestamp\":\"");
    p = ngx_realtime_chat_event_time(p, event->ms);
    p = ngx_realtime_chat_event_put(p, "\",\"id\":\"");
    p = ngx_cpymem(p, event->id, NGX_REALTIME_UUID_LEN);
    p = ngx_realtime_chat_event_put(p, "\",\"content\":\"");
    p = ngx_cpymem(p, text, content);

    if (event->client_id.data) {
        p = ngx_realtime_chat_event_put(p, "\",\"clientId\":\"");
        p = ngx_realtime_chat_event_string(p, &event->client_id);
    }

    ngx_memcpy(p, "\"}]", sizeof("\"}]") - 1);

    *message = m;

    /* the same under the other name */

    text = ngx_realtime_msg_payload(m) + name->len;
    name = &ngx_realtime_chat_event_sent;

    m = ngx_realtime_msg_alloc(name->len + len, log);
    if (m == NULL) {
        ngx_realtime_msg_unref(*message);
        return NGX_ERROR;
    }

    p = ngx_cpymem(ngx_realtime_msg_payload(m), name->data, name->len);
    ngx_memcpy(p, text, len);

    *sent = m;

    return NGX_OK;
}


void
ngx_realtime_chat_event_publish(ngx_realtime_msg_t *message,
    ngx_realtime_msg_t *sent, ngx_str_t *recipient, ngx_str_t *user,
    ngx_str_t *socket)
{
    ngx_realtime_room_publish_user(recipient, NULL, message);
    ngx_realtime_msg_unref(message);

    ngx_realtime_room_publish_user(user, socket->len ? socket : NULL, sent);
    ngx_realtime_msg_unref(sent);
}


u_char *
ngx_realtime_chat_event_time(u_char *p, uint64_t ms)
{
    ngx_tm_t  tm;

    ngx_gmtime((time_t) (ms / 1000), &tm);

    return ngx_sprintf(p, "%4d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                       tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                       tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec,
                       (int) (ms % 1000));
}


static u_char *
ngx_realtime_chat_event_string(u_char *p, ngx_str_t *s)
{
    return rt_json_escape(p, s->data, s->len);
}
