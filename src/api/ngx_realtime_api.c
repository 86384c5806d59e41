
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * "realtime_api": the routes for back ends.  Who calls is a service
 * (ngx_realtime_rest.c has seen to that), and may do all of it.
 *
 * Bodies are checked and cut up in place, so that what is passed on to
 * clients stays as it was written.
 */


#include "ngx_realtime_api.h"
#include "ngx_realtime_people.h"
#include "ngx_realtime_presence.h"
#include "ngx_realtime_recovery.h"
#include "ngx_realtime_route.h"
#include "ngx_realtime_time.h"
#include "rt_json.h"


#define NGX_REALTIME_API_REASON  200       /* bytes */


static void ngx_realtime_api_user(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call);
static void ngx_realtime_api_user_found(void *data,
    ngx_realtime_asked_t *asked);
static void ngx_realtime_api_count(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call);
static void ngx_realtime_api_disconnect(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call);
static void ngx_realtime_api_disconnected(void *data,
    ngx_realtime_asked_t *asked);
static void ngx_realtime_api_ask(ngx_realtime_ask_e what,
    ngx_realtime_call_t *call, ngx_str_t *user, ngx_str_t *reason,
    ngx_realtime_ask_pt done);


/* of two that match the later counts */

const ngx_realtime_route_t  ngx_realtime_api_routes[] = {

    { NGX_HTTP_GET, ngx_string("/users/:"),
      ngx_realtime_api_user, NGX_REALTIME_RATE_NONE },

    { NGX_HTTP_GET, ngx_string("/users/count"),
      ngx_realtime_api_count, NGX_REALTIME_RATE_NONE },

    { NGX_HTTP_POST, ngx_string("/users/:/disconnect"),
      ngx_realtime_api_disconnect, NGX_REALTIME_RATE_NONE },

    { NGX_HTTP_POST, ngx_string("/tokens/revoke"),
      ngx_realtime_api_revoke, NGX_REALTIME_RATE_NONE },

    { NGX_HTTP_POST, ngx_string("/rooms/:/emit"),
      ngx_realtime_api_emit, NGX_REALTIME_RATE_NONE },

    { NGX_HTTP_POST, ngx_string("/notifications"),
      ngx_realtime_api_notify, NGX_REALTIME_RATE_NONE },

    { NGX_HTTP_GET, ngx_string("/jobs/:"),
      ngx_realtime_api_job, NGX_REALTIME_RATE_NONE },

    { 0, ngx_null_string, NULL, NGX_REALTIME_RATE_NONE }
};


static const char  *ngx_realtime_api_states[] = {
    "offline", "online", "away", "busy", "invisible"
};


static void
ngx_realtime_api_user(ngx_realtime_rest_t *rest, ngx_realtime_call_t *call)
{
    ngx_str_t  none = ngx_string("");

    ngx_realtime_api_ask(NGX_REALTIME_ASK_LOOK, call, &rest->id, &none,
                         ngx_realtime_api_user_found);
}


/*
 * Whether he is online is what the workers say; the table knows what he says
 * of himself, and since when he is gone.
 */

static void
ngx_realtime_api_user_found(void *data, ngx_realtime_asked_t *asked)
{
    ngx_realtime_call_t  *call = data;

    u_char                        *p;
    size_t                         size;
    ngx_str_t                     *user;
    ngx_realtime_presence_view_t   view;

    if (asked->failed) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_NO_ANSWER);
        return;
    }

    user = call->ctx;

    ngx_realtime_presence_of(user, &view);

    if (asked->n == 0) {
        view.state = NGX_REALTIME_PRESENCE_OFFLINE;

    } else if (view.state == NGX_REALTIME_PRESENCE_OFFLINE) {
        view.state = NGX_REALTIME_PRESENCE_ONLINE;
    }

    size = sizeof("{\"online\":false,\"state\":\"invisible\",\"lastSeen\":\"\","
                  "\"connections\":[]}") - 1
           + NGX_REALTIME_TIME_LEN + asked->list.len;

    p = ngx_pnalloc(call->pool, size);
    if (p == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    call->result.data = p;

    p = ngx_sprintf(p, "{\"online\":%s,\"state\":\"%s\",\"lastSeen\":",
                    asked->n ? "true" : "false",
                    ngx_realtime_api_states[view.state]);

    if (asked->n == 0 && view.left) {
        *p++ = '"';
        p = ngx_realtime_time_print(p, view.left, 0);
        *p++ = '"';

    } else {
        p = ngx_sprintf(p, "null");
    }

    p = ngx_sprintf(p, ",\"connections\":[%V]}", &asked->list);

    call->result.len = p - call->result.data;

    ngx_realtime_call_done(call);
}


static void
ngx_realtime_api_count(ngx_realtime_rest_t *rest, ngx_realtime_call_t *call)
{
    ngx_realtime_api_number(call, NGX_HTTP_OK, "count",
                            ngx_realtime_presence_count());
}


static void
ngx_realtime_api_disconnect(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call)
{
    rt_str_t   value;
    ngx_str_t  reason;

    static const char  *const names[] = { "reason" };

    ngx_realtime_api_members(rest, names, &value, 1);

    ngx_str_set(&reason, "disconnected by a service");

    if (!ngx_realtime_api_string(value, &reason)
        || reason.len > NGX_REALTIME_API_REASON)
    {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_REASON_INVALID);
        return;
    }

    ngx_realtime_api_clean(&reason);

    ngx_realtime_api_ask(NGX_REALTIME_ASK_KICK, call, &rest->id, &reason,
                         ngx_realtime_api_disconnected);
}


static void
ngx_realtime_api_disconnected(void *data, ngx_realtime_asked_t *asked)
{
    ngx_realtime_call_t  *call = data;

    ngx_str_t  *user;

    if (asked->failed) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_NO_ANSWER);
        return;
    }

    /* nor does anybody come back whose connection had just broken */

    user = call->ctx;

    ngx_realtime_recovery_forget_user(user);

    ngx_realtime_api_number(call, NGX_HTTP_ACCEPTED, "sockets", asked->n);
}


static void
ngx_realtime_api_ask(ngx_realtime_ask_e what, ngx_realtime_call_t *call,
    ngx_str_t *user, ngx_str_t *reason, ngx_realtime_ask_pt done)
{
    ngx_str_t  *copy;

    if (!ngx_realtime_api_is_user(user)) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_USER_INVALID);
        return;
    }

    /* the request may be gone when the workers have answered */

    copy = ngx_palloc(call->pool, sizeof(ngx_str_t) + user->len);
    if (copy == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    copy->len = user->len;
    copy->data = (u_char *) copy + sizeof(ngx_str_t);
    ngx_memcpy(copy->data, user->data, user->len);

    call->ctx = copy;

    switch (ngx_realtime_ask(what, copy, reason, done, call)) {

    case NGX_OK:
        return;

    case NGX_BUSY:
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_BUSY);
        return;

    default:
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
    }
}


void
ngx_realtime_api_number(ngx_realtime_call_t *call, ngx_uint_t status,
    const char *name, ngx_uint_t n)
{
    u_char  *p;

    p = ngx_pnalloc(call->pool, ngx_strlen(name) + sizeof("{\"\":}") - 1
                                + NGX_INT_T_LEN);
    if (p == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    call->status = status;
    call->result.data = p;
    call->result.len = ngx_sprintf(p, "{\"%s\":%ui}", name, n) - p;

    ngx_realtime_call_done(call);
}


void
ngx_realtime_api_members(ngx_realtime_rest_t *rest,
    const char *const *names, rt_str_t *values, size_t n)
{
    rt_str_t  object;

    object.data = rest->text.data;
    object.len = rest->text.len;

    rt_json_members(object, names, values, n);
}


ngx_uint_t
ngx_realtime_api_string(rt_str_t value, ngx_str_t *text)
{
    rt_str_t  out;

    if (value.data == NULL || rt_json_type(value) == 'n') {
        return 1;
    }

    if (rt_json_type(value) != '"'
        || rt_json_string((u_char *) value.data, value.len, &out) != RT_OK)
    {
        return 0;
    }

    text->data = (u_char *) out.data;
    text->len = out.len;

    return 1;
}


ngx_int_t
ngx_realtime_api_time(rt_str_t value, int64_t *ms)
{
    time_t      sec;
    size_t      i;
    int64_t     n;
    ngx_str_t   text;
    ngx_uint_t  msec;

    if (value.data == NULL || rt_json_type(value) == 'n') {
        return NGX_DECLINED;
    }

    if (rt_json_type(value) == '0') {

        /* as in a token */

        n = 0;

        for (i = 0; i < value.len; i++) {
            if (value.data[i] < '0' || value.data[i] > '9' || i > 11) {
                return NGX_ERROR;
            }

            n = n * 10 + (value.data[i] - '0');
        }

        *ms = n * 1000;

        return NGX_OK;
    }

    ngx_str_null(&text);

    if (!ngx_realtime_api_string(value, &text)
        || ngx_realtime_time_parse(&text, &sec, &msec) != NGX_OK)
    {
        return NGX_ERROR;
    }

    *ms = (int64_t) sec * 1000 + msec;

    return NGX_OK;
}


void
ngx_realtime_api_clean(ngx_str_t *text)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {
        if (text->data[i] < 0x20 || text->data[i] == 0x7f) {
            text->data[i] = ' ';
        }
    }
}


ngx_uint_t
ngx_realtime_api_is_user(ngx_str_t *user)
{
    size_t  i;

    for (i = 0; i < user->len; i++) {
        if (user->data[i] < 0x20 || user->data[i] == 0x7f) {
            return 0;
        }
    }

    return user->len && user->len <= NGX_REALTIME_USER_MAX;
}
