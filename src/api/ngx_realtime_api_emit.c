
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * POST /rooms/:/emit: any event to the sockets of a room.  The rooms that
 * there are: "user:<id>".  What follows a comma in the name of a room is a
 * namespace, whose packets look different: it cannot be named here.
 *
 * With "ackTimeout" it is an event with an ack: ngx_realtime_api_ack.c.
 */


#include "ngx_realtime_api.h"
#include "ngx_realtime_chat_text.h"
#include "ngx_realtime_counter.h"
#include "ngx_realtime_presence.h"
#include "ngx_realtime_room.h"
#include "rt_json.h"


#define NGX_REALTIME_API_EXCEPT     64     /* bytes */


typedef struct {
    rt_str_t                   event;      /* JSON, as written */
    rt_str_t                   args;       /* what is between [ and ], or of
                                              length 0 */
    ngx_str_t                  user;       /* of the room */
    ngx_str_t                  except;     /* len 0: nobody */
    ngx_msec_t                 timeout;    /* of acks; 0: none are wanted */
    unsigned                   dispensable:1;
} ngx_realtime_api_emit_t;


static ngx_realtime_refusal_e ngx_realtime_api_emit_parse(
    ngx_realtime_rest_t *rest, ngx_realtime_call_t *call,
    ngx_realtime_api_emit_t *emit);
static ngx_uint_t ngx_realtime_api_emit_is_event(ngx_realtime_call_t *call,
    rt_str_t value);
static ngx_uint_t ngx_realtime_api_emit_args(
    ngx_realtime_api_emit_t *emit, rt_str_t args, rt_str_t payload);
static ngx_uint_t ngx_realtime_api_emit_timeout(
    ngx_realtime_api_emit_t *emit, rt_str_t value);
static void ngx_realtime_api_emit_ack(ngx_realtime_call_t *call,
    ngx_realtime_api_emit_t *emit);
static ngx_realtime_msg_t *ngx_realtime_api_emit_message(
    ngx_realtime_api_emit_t *emit);


void
ngx_realtime_api_emit(ngx_realtime_rest_t *rest, ngx_realtime_call_t *call)
{
    ngx_uint_t                n;
    ngx_realtime_msg_t       *m;
    ngx_realtime_refusal_e    why;
    ngx_realtime_loc_conf_t  *rlcf;
    ngx_realtime_api_emit_t   emit;

    why = ngx_realtime_api_emit_parse(rest, call, &emit);

    if (why != NGX_REALTIME_R_NONE) {
        ngx_realtime_call_refuse(call, why);
        return;
    }

    rlcf = ngx_http_get_module_loc_conf(rest->request, ngx_realtime_module);

    if (emit.event.len + emit.args.len > rlcf->max_payload) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_EVENT_TOO_LARGE);
        return;
    }

    if (emit.timeout) {
        ngx_realtime_api_emit_ack(call, &emit);
        return;
    }

    m = ngx_realtime_api_emit_message(&emit);
    if (m == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    n = ngx_realtime_presence_sockets(&emit.user);

    ngx_realtime_room_publish_user(&emit.user,
                                   emit.except.len ? &emit.except : NULL, m);
    ngx_realtime_msg_unref(m);

    ngx_realtime_count(api_emits);

    ngx_realtime_api_number(call, NGX_HTTP_ACCEPTED, "sockets", n);
}


static ngx_realtime_refusal_e
ngx_realtime_api_emit_parse(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call, ngx_realtime_api_emit_t *emit)
{
    uint8_t   type;
    rt_str_t  values[6];

    static const char  *const names[] = {
        "event", "args", "payload", "except", "volatile", "ackTimeout"
    };

    ngx_memzero(emit, sizeof(ngx_realtime_api_emit_t));

    ngx_realtime_api_members(rest, names, values, 6);

    if (!ngx_realtime_api_room(&rest->id, &emit->user)) {
        return NGX_REALTIME_R_ROOM_INVALID;
    }

    if (!ngx_realtime_api_emit_is_event(call, values[0])) {
        return NGX_REALTIME_R_EVENT_INVALID;
    }

    emit->event = values[0];

    if (!ngx_realtime_api_emit_args(emit, values[1], values[2])) {
        return NGX_REALTIME_R_ARGS_INVALID;
    }

    type = values[4].data ? rt_json_type(values[4]) : 'n';

    if (type != 't' && type != 'f' && type != 'n') {
        return NGX_REALTIME_R_VOLATILE_INVALID;
    }

    emit->dispensable = (type == 't');

    if (!ngx_realtime_api_emit_timeout(emit, values[5])) {
        return NGX_REALTIME_R_ACK_TIMEOUT_INVALID;
    }

    /* last: unescaping writes to the body */

    if (!ngx_realtime_api_string(values[3], &emit->except)
        || emit->except.len > NGX_REALTIME_API_EXCEPT
        || (emit->except.data && emit->except.len == 0))
    {
        return NGX_REALTIME_R_EXCEPT_INVALID;
    }

    return NGX_REALTIME_R_NONE;
}


ngx_uint_t
ngx_realtime_api_room(ngx_str_t *room, ngx_str_t *user)
{
    u_char  *p, *last;

    if (room->len < sizeof(NGX_REALTIME_ROOM_USER) - 1
        || ngx_memcmp(room->data, NGX_REALTIME_ROOM_USER,
                      sizeof(NGX_REALTIME_ROOM_USER) - 1)
           != 0)
    {
        return 0;
    }

    user->data = room->data + sizeof(NGX_REALTIME_ROOM_USER) - 1;
    user->len = room->len - (sizeof(NGX_REALTIME_ROOM_USER) - 1);

    last = user->data + user->len;
    p = user->data;

    while ((p = ngx_strlchr(p, last, ',')) != NULL) {
        if (++p < last && *p == '/') {
            return 0;
        }
    }

    return ngx_realtime_api_is_user(user);
}


/* looked at in a copy: it goes out as it was written */

static ngx_uint_t
ngx_realtime_api_emit_is_event(ngx_realtime_call_t *call, rt_str_t value)
{
    u_char     *copy;
    rt_str_t    text;
    ngx_str_t   name;

    if (value.data == NULL || rt_json_type(value) != '"'
        || value.len > NGX_REALTIME_CHAT_EVENT_MAX * 6 + 2)
    {
        return 0;
    }

    copy = ngx_pnalloc(call->pool, value.len);
    if (copy == NULL) {
        return 0;
    }

    ngx_memcpy(copy, value.data, value.len);

    if (rt_json_string(copy, value.len, &text) != RT_OK) {
        return 0;
    }

    name.data = (u_char *) text.data;
    name.len = text.len;

    return ngx_realtime_chat_text_is_event(&name);
}


static ngx_uint_t
ngx_realtime_api_emit_args(ngx_realtime_api_emit_t *emit, rt_str_t args,
    rt_str_t payload)
{
    if (args.data == NULL) {
        emit->args = payload;
        return 1;
    }

    if (payload.data || rt_json_type(args) != '[') {
        return 0;
    }

    if (rt_json_items(args, NULL, 0)) {
        emit->args = rt_json_trim(args.data + 1, args.len - 2);
    }

    return 1;
}


/* null is no time either: who wants no ack does not ask for it */

static ngx_uint_t
ngx_realtime_api_emit_timeout(ngx_realtime_api_emit_t *emit, rt_str_t value)
{
    ngx_int_t  n;

    if (value.data == NULL) {
        return 1;
    }

    /* digits: neither a sign nor a fraction nor an exponent */

    n = ngx_atoi((u_char *) value.data, value.len);

    if (n < 1 || n > NGX_REALTIME_ACKS_TIMEOUT) {
        return 0;
    }

    emit->timeout = n;

    return 1;
}


static void
ngx_realtime_api_emit_ack(ngx_realtime_call_t *call,
    ngx_realtime_api_emit_t *emit)
{
    ngx_realtime_acks_emit_t  acks;

    acks.user = emit->user;
    acks.except = emit->except;
    acks.event.data = (u_char *) emit->event.data;
    acks.event.len = emit->event.len;
    acks.args.data = (u_char *) emit->args.data;
    acks.args.len = emit->args.len;
    acks.timeout = emit->timeout;
    acks.dispensable = emit->dispensable;

    ngx_realtime_api_ack(call, &acks);
}


/* 42[event,args]; a volatile one is not kept for those who come back */

static ngx_realtime_msg_t *
ngx_realtime_api_emit_message(ngx_realtime_api_emit_t *emit)
{
    u_char              *p;
    size_t               len;
    ngx_realtime_msg_t  *m;

    len = sizeof("42[]") - 1 + emit->event.len
          + (emit->args.len ? 1 + emit->args.len : 0);

    m = emit->dispensable ? ngx_realtime_msg_alloc(len, ngx_cycle->log)
                          : ngx_realtime_msg_event_alloc(len, ngx_cycle->log);
    if (m == NULL) {
        return NULL;
    }

    m->dispensable = emit->dispensable;

    p = ngx_cpymem(ngx_realtime_msg_payload(m), "42[", 3);
    p = ngx_cpymem(p, emit->event.data, emit->event.len);

    if (emit->args.len) {
        *p++ = ',';
        p = ngx_cpymem(p, emit->args.data, emit->args.len);
    }

    *p = ']';

    return m;
}
