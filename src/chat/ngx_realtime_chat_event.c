
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_chat_event.h"
#include "ngx_realtime_random.h"
#include "ngx_realtime_room.h"
#include "rt_json.h"
#include "rt_uuid7.h"


#define NGX_REALTIME_CHAT_RANDOM   10      /* bytes of one id */

#define NGX_REALTIME_CHAT_MESSAGE  "42[\"message\","
#define NGX_REALTIME_CHAT_SENT     "42[\"message_sent\","

#define ngx_realtime_chat_event_put(p, lit)                                   \
    ngx_cpymem(p, lit, sizeof(lit) - 1)


static ngx_realtime_msg_t *ngx_realtime_chat_event_sent(
    ngx_realtime_msg_t *message, ngx_log_t *log);
static u_char *ngx_realtime_chat_event_string(u_char *p, ngx_str_t *s);


ngx_int_t
ngx_realtime_chat_event_id(u_char *id, uint64_t *ms, ngx_log_t *log)
{
    u_char  random[NGX_REALTIME_CHAT_RANDOM];

    static rt_uuid7_t  state;

    if (ngx_realtime_random(random, sizeof(random), log) != NGX_OK) {
        return NGX_ERROR;
    }

    rt_uuid7(&state, ngx_realtime_chat_event_now(), random, id);

    id[RT_UUID_LEN] = '\0';
    *ms = state.ms;

    return NGX_OK;
}


void
ngx_realtime_chat_event_floor(u_char *id, uint64_t ms)
{
    (void) ngx_sprintf(id, "%08xL-%04xL-0000-0000-000000000000%Z",
                       (ms >> 16) & 0xffffffff, ms & 0xffff);
}


uint64_t
ngx_realtime_chat_event_ms(u_char *id)
{
    /* xxxxxxxx-xxxx- */

    return (uint64_t) ngx_hextoi(id, 8) << 16 | ngx_hextoi(&id[9], 4);
}


uint64_t
ngx_realtime_chat_event_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (uint64_t) tp->sec * 1000 + tp->msec;
}


ngx_realtime_msg_t *
ngx_realtime_chat_event_encode(ngx_realtime_chat_event_t *event,
    ngx_log_t *log)
{
    u_char              *p, *text;
    size_t               len, content;
    ngx_realtime_msg_t  *m;

    content = rt_json_escaped(event->content.data, event->content.len);

    len = sizeof(NGX_REALTIME_CHAT_MESSAGE
                 "{\"id\":\"\",\"conversationId\":\"\",\"senderId\":\"\""
                 ",\"timestamp\":\"\",\"message\":\"\",\"content\":\"\"}]") - 1
          + rt_json_escaped(event->sender.data, event->sender.len)
          + rt_json_escaped(event->conversation.data, event->conversation.len)
          + NGX_REALTIME_CHAT_TIME_LEN + NGX_REALTIME_UUID_LEN + 2 * content;

    if (event->client_id.data) {
        len += sizeof(",\"clientId\":\"\"") - 1
               + rt_json_escaped(event->client_id.data,
                                 event->client_id.len);
    }

    m = ngx_realtime_msg_event_alloc(len, log);
    if (m == NULL) {
        return NULL;
    }

    p = ngx_realtime_msg_payload(m);

    /* the ids first, where ngx_realtime_event_delivered() finds them */

    p = ngx_realtime_chat_event_put(p, NGX_REALTIME_CHAT_MESSAGE
                                       "{\"id\":\"");
    p = ngx_cpymem(p, event->id, NGX_REALTIME_UUID_LEN);
    p = ngx_realtime_chat_event_put(p, "\",\"conversationId\":\"");
    p = ngx_realtime_chat_event_string(p, &event->conversation);
    p = ngx_realtime_chat_event_put(p, "\",\"senderId\":\"");
    p = ngx_realtime_chat_event_string(p, &event->sender);
    p = ngx_realtime_chat_event_put(p, "\",\"timestamp\":\"");
    p = ngx_realtime_chat_event_time(p, event->ms);
    p = ngx_realtime_chat_event_put(p, "\",\"message\":\"");
    text = p;
    p = ngx_realtime_chat_event_string(p, &event->content);
    p = ngx_realtime_chat_event_put(p, "\",\"content\":\"");
    p = ngx_cpymem(p, text, content);

    if (event->client_id.data) {
        p = ngx_realtime_chat_event_put(p, "\",\"clientId\":\"");
        p = ngx_realtime_chat_event_string(p, &event->client_id);
    }

    ngx_memcpy(p, "\"}]", sizeof("\"}]") - 1);

    return m;
}


void
ngx_realtime_chat_event_publish(ngx_realtime_msg_t *message,
    ngx_str_t *recipient, ngx_str_t *user, ngx_str_t *socket, ngx_log_t *log)
{
    ngx_str_t           *except;
    ngx_realtime_msg_t  *sent;

    except = socket->len ? socket : NULL;

    /* most senders have one socket: then nobody wants the second event */

    if (ngx_realtime_room_reaches_user(user, except)) {

        sent = ngx_realtime_chat_event_sent(message, log);

        if (sent) {
            ngx_realtime_room_publish_user(user, except, sent);
            ngx_realtime_msg_unref(sent);
        }
    }

    ngx_realtime_room_publish_user(recipient, NULL, message);
    ngx_realtime_msg_unref(message);
}


/* the same under the other name */

static ngx_realtime_msg_t *
ngx_realtime_chat_event_sent(ngx_realtime_msg_t *message, ngx_log_t *log)
{
    u_char              *p;
    size_t               len;
    ngx_realtime_msg_t  *m;

    p = ngx_realtime_msg_payload(message)
        + sizeof(NGX_REALTIME_CHAT_MESSAGE) - 1;

    len = ngx_realtime_msg_payload_len(message)
          - (sizeof(NGX_REALTIME_CHAT_MESSAGE) - 1);

    if (message->offset) {
        len -= NGX_REALTIME_OFFSET_TAIL;
    }

    m = ngx_realtime_msg_event_alloc(sizeof(NGX_REALTIME_CHAT_SENT) - 1 + len,
                                     log);
    if (m == NULL) {
        return NULL;
    }

    ngx_memcpy(ngx_realtime_chat_event_put(ngx_realtime_msg_payload(m),
                                           NGX_REALTIME_CHAT_SENT),
               p, len);

    return m;
}


void
ngx_realtime_chat_event_tell(const char *name, ngx_str_t *to,
    ngx_str_t *except, u_char *conversation, u_char *user, u_char *up_to,
    uint64_t ms, ngx_log_t *log)
{
    u_char              *p;
    ngx_str_t            data;
    ngx_realtime_msg_t  *m;

    u_char  buf[sizeof("{\"conversationId\":\"\",\"userId\":\"\",\"upTo\":\"\","
                       "\"timestamp\":\"\"}")
                + 3 * RT_UUID_LEN + NGX_REALTIME_CHAT_TIME_LEN];

    if (!ngx_realtime_room_reaches_user(to, except)) {
        return;
    }

    p = ngx_sprintf(buf, "{\"conversationId\":\"%*s\",\"userId\":\"%*s\",",
                    (size_t) RT_UUID_LEN, conversation,
                    (size_t) RT_UUID_LEN, user);

    if (up_to) {
        p = ngx_sprintf(p, "\"upTo\":\"%*s\",", (size_t) RT_UUID_LEN, up_to);
    }

    p = ngx_realtime_chat_event_put(p, "\"timestamp\":\"");
    p = ngx_realtime_chat_event_time(p, ms);
    p = ngx_realtime_chat_event_put(p, "\"}");

    data.data = buf;
    data.len = p - buf;

    m = ngx_realtime_msg_event(name, &data, log);
    if (m == NULL) {
        return;
    }

    ngx_realtime_room_publish_user(to, except, m);
    ngx_realtime_msg_unref(m);
}


u_char *
ngx_realtime_chat_event_time(u_char *p, uint64_t ms)
{
    ngx_tm_t  tm;

    /* most messages are of the same second as the one before */

    static u_char    text[NGX_REALTIME_CHAT_TIME_LEN + 1];
    static uint64_t  second;

    if (second != ms / 1000) {
        second = ms / 1000;

        ngx_gmtime((time_t) second, &tm);

        (void) ngx_sprintf(text, "%4d-%02d-%02dT%02d:%02d:%02d.000Z%Z",
                           tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                           tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec);
    }

    text[20] = '0' + ms / 100 % 10;
    text[21] = '0' + ms / 10 % 10;
    text[22] = '0' + ms % 10;

    return ngx_cpymem(p, text, NGX_REALTIME_CHAT_TIME_LEN);
}


static u_char *
ngx_realtime_chat_event_string(u_char *p, ngx_str_t *s)
{
    return rt_json_escape(p, s->data, s->len);
}
