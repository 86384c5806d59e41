
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The Socket.IO event table: the twin of the route table of REST.
 *
 * A row takes the event's first argument, checks its shape and starts a use
 * case of chat/, or answers itself.  What comes back is an ack
 *
 *   {"status":"success","data":...}  or
 *   {"status":"error","code":"...","message":"..."[,"retryAfter":seconds]}
 *
 * or, when the client asked for none and the event was refused, the event
 * "error" {code,message,event}.  Nothing is dropped in silence.
 *
 * To add an event: a row, and a function of the row's type that fills the
 * arguments of a use case.
 */


#include "ngx_realtime_chat_presence.h"
#include "ngx_realtime_chat_typing.h"
#include "ngx_realtime_counter.h"
#include "ngx_realtime_echo.h"
#include "ngx_realtime_event.h"
#include "ngx_realtime_expiry.h"
#include "ngx_realtime_log.h"
#include "ngx_realtime_rate.h"
#include "ngx_realtime_time.h"
#include "rt_json.h"


#define NGX_REALTIME_EVENT_RETRY  1        /* seconds, what "retryAfter" says */


typedef struct ngx_realtime_event_s  ngx_realtime_event_t;

struct ngx_realtime_event_s {
    ngx_str_t                  name;
    ngx_uint_t                 serves;     /* what the location has to */
    ngx_realtime_event_pt      handler;
    ngx_realtime_rate_e        rate;       /* as what it is counted */
};


/* what the answer of a call needs: in the pool of the call */

typedef struct {
    const ngx_realtime_event_t  *event;
    ngx_realtime_ref_t           socket;
    uint64_t                     id;
    unsigned                     has_id:1;
} ngx_realtime_event_call_t;


static void ngx_realtime_event_connected(ngx_realtime_socket_t *sk,
    rt_str_t auth);
static void ngx_realtime_event_receive(ngx_realtime_socket_t *sk,
    ngx_realtime_in_t *in);
static void ngx_realtime_event_disconnected(ngx_realtime_socket_t *sk);
static const ngx_realtime_event_t *ngx_realtime_event_find(rt_str_t *name);
static ngx_realtime_refusal_e ngx_realtime_event_start(
    ngx_realtime_socket_t *sk, const ngx_realtime_event_t *event,
    ngx_realtime_in_t *in, ngx_uint_t *retry);
static ngx_realtime_refusal_e ngx_realtime_event_message(
    ngx_realtime_socket_t *sk, rt_str_t arg, ngx_realtime_call_t *call);
static ngx_realtime_refusal_e ngx_realtime_event_message_send(
    ngx_realtime_socket_t *sk, rt_str_t arg, ngx_realtime_call_t *call);
static ngx_realtime_refusal_e ngx_realtime_event_client_id(rt_str_t value,
    ngx_str_t *client_id);
static void ngx_realtime_event_done(ngx_realtime_call_t *call);
static void ngx_realtime_event_succeed(ngx_realtime_socket_t *sk,
    uint64_t id, ngx_realtime_call_t *call);
static void ngx_realtime_event_refuse(ngx_realtime_socket_t *sk,
    const char *event, unsigned has_id, uint64_t id,
    ngx_realtime_refusal_e why, const char *detail, ngx_uint_t retry);


const ngx_realtime_session_ops_t  ngx_realtime_event_ops = {
    ngx_realtime_event_connected,
    ngx_realtime_event_receive,
    ngx_realtime_event_delivered,
    ngx_realtime_event_disconnected
};


static const ngx_realtime_event_t  ngx_realtime_events[] = {
    { ngx_string("message"), NGX_REALTIME_SERVES_CHAT,
      ngx_realtime_event_message, NGX_REALTIME_RATE_MESSAGE },
    { ngx_string("message_send"), NGX_REALTIME_SERVES_CHAT,
      ngx_realtime_event_message_send, NGX_REALTIME_RATE_MESSAGE },
    { ngx_string("mark_as_read"), NGX_REALTIME_SERVES_CHAT,
      ngx_realtime_event_mark_as_read, NGX_REALTIME_RATE_READ },
    { ngx_string("auth_refresh"), NGX_REALTIME_SERVES_SOCKET,
      ngx_realtime_event_auth_refresh, NGX_REALTIME_RATE_NONE },
    { ngx_string("typing"), NGX_REALTIME_SERVES_CHAT,
      ngx_realtime_event_typing, NGX_REALTIME_RATE_TYPING },
    { ngx_string("presence"), NGX_REALTIME_SERVES_CHAT,
      ngx_realtime_event_presence, NGX_REALTIME_RATE_PRESENCE },
    { ngx_string("notification_ack"), NGX_REALTIME_SERVES_NOTIFICATIONS,
      ngx_realtime_event_notification_ack, NGX_REALTIME_RATE_READ },
    { ngx_string("send_notification"), NGX_REALTIME_SERVES_NOTIFICATIONS,
      ngx_realtime_event_send_notification, NGX_REALTIME_RATE_NOTIFICATION },
    { ngx_null_string, 0, NULL, NGX_REALTIME_RATE_NONE }
};


static void
ngx_realtime_event_connected(ngx_realtime_socket_t *sk, rt_str_t auth)
{
    u_char      *p, buf[256 + 6 * NGX_REALTIME_USER_MAX];
    ngx_str_t    data;
    ngx_time_t  *tp;

    if (sk->session->conf->echo) {
        ngx_realtime_echo_connected(sk, auth);
        return;
    }

    if (sk->nsp.len > 1) {
        /* chat is on the main namespace */
        return;
    }

    tp = ngx_timeofday();

    p = ngx_sprintf(buf, "{\"socketId\":\"%V\",\"userId\":\"", &sk->id);
    p = rt_json_escape(p, sk->identity.user.data, sk->identity.user.len);
    p = ngx_cpymem(p, "\",\"timestamp\":\"", sizeof("\",\"timestamp\":\"") - 1);
    p = ngx_realtime_time_print(p, tp->sec, tp->msec);
    p = ngx_cpymem(p, "\"}", 2);

    data.data = buf;
    data.len = p - buf;

    /* after a recovery there will be another one */
    ngx_realtime_socket_emit_volatile(sk, "connected", &data);
    ngx_realtime_expiry_warn(sk->session);

    if (sk->session->conf->serves & NGX_REALTIME_SERVES_CHAT) {
        ngx_realtime_event_presence_state(sk);
    }

    if (sk->session->conf->serves & NGX_REALTIME_SERVES_NOTIFICATIONS) {
        ngx_realtime_event_news(sk);
    }
}


static void
ngx_realtime_event_receive(ngx_realtime_socket_t *sk, ngx_realtime_in_t *in)
{
    ngx_uint_t                   retry;
    ngx_realtime_refusal_e       why;
    const ngx_realtime_event_t  *event;

    if (sk->session->conf->echo) {
        ngx_realtime_echo_event(sk, in);
        return;
    }

    event = (sk->nsp.len == 1) ? ngx_realtime_event_find(&in->name) : NULL;

    retry = NGX_REALTIME_EVENT_RETRY;

    if (event) {
        why = ngx_realtime_event_start(sk, event, in, &retry);

    } else {
        why = NGX_REALTIME_R_EVENT_UNKNOWN;
    }

    if (why != NGX_REALTIME_R_NONE) {
        ngx_realtime_event_refuse(sk, event ? (char *) event->name.data : NULL,
                                  in->has_id, in->id, why, NULL, retry);
    }
}


static void
ngx_realtime_event_disconnected(ngx_realtime_socket_t *sk)
{
    if (sk->nsp.len == 1) {
        ngx_realtime_chat_typing_left(&sk->id);
        ngx_realtime_chat_presence_left();
    }
}


static const ngx_realtime_event_t *
ngx_realtime_event_find(rt_str_t *name)
{
    const ngx_realtime_event_t  *event;

    for (event = ngx_realtime_events; event->name.len; event++) {
        if (event->name.len == name->len
            && ngx_memcmp(event->name.data, name->data, name->len) == 0)
        {
            return event;
        }
    }

    return NULL;
}


static ngx_realtime_refusal_e
ngx_realtime_event_start(ngx_realtime_socket_t *sk,
    const ngx_realtime_event_t *event, ngx_realtime_in_t *in,
    ngx_uint_t *retry)
{
    rt_str_t                    arg;
    ngx_uint_t                  wait;
    ngx_realtime_call_t        *call;
    ngx_realtime_refusal_e      why;
    ngx_realtime_event_call_t  *ctx;

    if (!(sk->session->conf->serves & event->serves)) {
        return NGX_REALTIME_R_EVENT_UNKNOWN;
    }

    wait = ngx_realtime_rate(sk->session->conf->rates, event->rate,
                             &sk->identity.user);
    if (wait) {
        *retry = wait;
        return NGX_REALTIME_R_RATE_LIMITED;
    }

    /* others may follow it, which rt_json_members() does not see */

    arg = rt_json_rest(in->args);

    if (rt_json_type(arg) != '{') {
        return NGX_REALTIME_R_PAYLOAD_INVALID;
    }

    call = ngx_realtime_call_create(ngx_cycle->log, &sk->identity, &sk->id);
    if (call == NULL) {
        return NGX_REALTIME_R_INTERNAL;
    }

    ctx = ngx_palloc(call->pool, sizeof(ngx_realtime_event_call_t));
    if (ctx == NULL) {
        ngx_destroy_pool(call->pool);
        return NGX_REALTIME_R_INTERNAL;
    }

    ctx->event = event;
    ctx->socket = sk->ref;
    ctx->has_id = in->has_id;
    ctx->id = in->id;

    call->data = ctx;
    call->done = ngx_realtime_event_done;
    call->mute = !in->has_id;

    /* the use case may finish, and free, the call before it returns */

    why = event->handler(sk, arg, call);

    if (why != NGX_REALTIME_R_NONE) {
        ngx_realtime_call_refuse(call, why);
    }

    return NGX_REALTIME_R_NONE;
}


/* {recipientId, message, conversationId, clientId?} */

static ngx_realtime_refusal_e
ngx_realtime_event_message(ngx_realtime_socket_t *sk, rt_str_t arg,
    ngx_realtime_call_t *call)
{
    rt_str_t                   v[4];
    ngx_realtime_refusal_e     why;
    ngx_realtime_chat_send_t   send;

    static const char         *const names[] = {
        "conversationId", "recipientId", "message", "clientId"
    };

    /* all are cut out before the first is unescaped, in place */

    rt_json_members(arg, names, v, 4);

    if (ngx_realtime_event_string(v[0], &send.conversation) != NGX_OK) {
        return NGX_REALTIME_R_CONVERSATION_NOT_FOUND;
    }

    if (ngx_realtime_event_string(v[1], &send.recipient) != NGX_OK) {
        return NGX_REALTIME_R_RECIPIENT_INVALID;
    }

    if (v[2].data == NULL || rt_json_type(v[2]) != '"') {
        return NGX_REALTIME_R_CONTENT_REQUIRED;
    }

    if (ngx_realtime_event_string(v[2], &send.content) != NGX_OK) {
        return NGX_REALTIME_R_CONTENT_INVALID;
    }

    why = ngx_realtime_event_client_id(v[3], &send.client_id);
    if (why != NGX_REALTIME_R_NONE) {
        return why;
    }

    send.door = NGX_REALTIME_CHAT_DOOR_SOCKET;

    if (sk->session->conf->relay) {
        ngx_realtime_chat_relay(call, &send);

    } else {
        ngx_realtime_chat_send(call, &send);
    }

    return NGX_REALTIME_R_NONE;
}


/* {conversationId, content, clientId} */

static ngx_realtime_refusal_e
ngx_realtime_event_message_send(ngx_realtime_socket_t *sk, rt_str_t arg,
    ngx_realtime_call_t *call)
{
    rt_str_t                   v[3];
    ngx_realtime_refusal_e     why;
    ngx_realtime_chat_send_t   send;

    static const char         *const names[] = {
        "conversationId", "content", "clientId"
    };

    rt_json_members(arg, names, v, 3);

    ngx_str_null(&send.recipient);
    send.door = NGX_REALTIME_CHAT_DOOR_NONE;

    if (ngx_realtime_event_string(v[0], &send.conversation) != NGX_OK) {
        return NGX_REALTIME_R_CONVERSATION_NOT_FOUND;
    }

    if (v[1].data == NULL || rt_json_type(v[1]) != '"') {
        return NGX_REALTIME_R_CONTENT_REQUIRED;
    }

    if (ngx_realtime_event_string(v[1], &send.content) != NGX_OK) {
        return NGX_REALTIME_R_CONTENT_INVALID;
    }

    why = ngx_realtime_event_client_id(v[2], &send.client_id);
    if (why != NGX_REALTIME_R_NONE) {
        return why;
    }

    ngx_realtime_chat_send(call, &send);

    return NGX_REALTIME_R_NONE;
}


static ngx_realtime_refusal_e
ngx_realtime_event_client_id(rt_str_t value, ngx_str_t *client_id)
{
    ngx_str_null(client_id);

    if (value.data == NULL || rt_json_type(value) == 'n') {
        return NGX_REALTIME_R_NONE;
    }

    return ngx_realtime_event_string(value, client_id) == NGX_OK
               ? NGX_REALTIME_R_NONE : NGX_REALTIME_R_CLIENT_ID_INVALID;
}


ngx_int_t
ngx_realtime_event_string(rt_str_t value, ngx_str_t *text)
{
    rt_str_t  out;

    if (value.data == NULL
        || rt_json_string((uint8_t *) value.data, value.len, &out) != RT_OK)
    {
        return NGX_DECLINED;
    }

    text->data = (u_char *) out.data;
    text->len = out.len;

    return NGX_OK;
}


static void
ngx_realtime_event_done(ngx_realtime_call_t *call)
{
    ngx_realtime_socket_t      *sk;
    ngx_realtime_event_call_t  *ctx;

    ctx = call->data;

    sk = ngx_realtime_socket_find(ctx->socket);

    if (sk == NULL) {
        /* the client left while Postgres worked: it will ask again with the
           same clientId, or refetch */
        return;
    }

    if (call->refusal != NGX_REALTIME_R_NONE) {
        ngx_realtime_event_refuse(sk, (char *) ctx->event->name.data,
                                  ctx->has_id, ctx->id, call->refusal,
                                  call->detail, NGX_REALTIME_EVENT_RETRY);
        return;
    }

    if (ctx->has_id) {
        ngx_realtime_event_succeed(sk, ctx->id, call);
    }
}


static void
ngx_realtime_event_succeed(ngx_realtime_socket_t *sk, uint64_t id,
    ngx_realtime_call_t *call)
{
    u_char     *p;
    ngx_str_t   arg;

    p = ngx_pnalloc(call->pool, sizeof("{\"status\":\"success\",\"data\":}")
                                + call->result.len);
    if (p == NULL) {
        return;
    }

    arg.data = p;
    p = ngx_cpymem(p, "{\"status\":\"success\"", 19);

    if (call->result.len) {
        p = ngx_cpymem(p, ",\"data\":", 8);
        p = ngx_cpymem(p, call->result.data, call->result.len);
    }

    *p++ = '}';
    arg.len = p - arg.data;

    ngx_realtime_socket_ack(sk, id, &arg, NULL, 0);
}


/* event is NULL for one that we have no name for; detail may be NULL */

static void
ngx_realtime_event_refuse(ngx_realtime_socket_t *sk, const char *event,
    unsigned has_id, uint64_t id, ngx_realtime_refusal_e why,
    const char *detail, ngx_uint_t retry)
{
    u_char                        *p, *last, buf[512];
    ngx_str_t                      json;
    const ngx_realtime_refusal_t  *refusal;

    refusal = ngx_realtime_refusal(why);

    ngx_realtime_count(events_refused);
    ngx_realtime_log_client(NGX_LOG_INFO, ngx_realtime_session_log(sk->session),
                            event ? event : "unknown event",
                            detail ? detail : (char *) refusal->code.data,
                            &sk->identity.user, &sk->id);

    last = buf + sizeof(buf);
    p = buf;

    p = ngx_slprintf(p, last, "{%s\"code\":\"%V\",\"message\":\"%V\"",
                     has_id ? "\"status\":\"error\"," : "", &refusal->code,
                     &refusal->text);

    if (refusal->retry) {
        p = ngx_slprintf(p, last, ",\"retryAfter\":%ui", retry);
    }

    if (!has_id && event) {
        p = ngx_slprintf(p, last, ",\"event\":\"%s\"", event);
    }

    p = ngx_slprintf(p, last, "}");

    json.data = buf;
    json.len = p - buf;

    if (has_id) {
        ngx_realtime_socket_ack(sk, id, &json, NULL, 0);

    } else {
        ngx_realtime_socket_emit(sk, "error", &json);
    }
}
