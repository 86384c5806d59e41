
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * POST /notifications: to one user, to many, to those of a room, which is a
 * user's, or to everybody; at once or later.  What is for later or for
 * everybody is a job, and GET /jobs/: says how far it is.
 */


#include "ngx_realtime_api.h"
#include "ngx_realtime_chat_jobs.h"
#include "ngx_realtime_room.h"
#include "rt_json.h"


enum {
    NGX_REALTIME_API_NOTE_USER = 0,
    NGX_REALTIME_API_NOTE_USERS,
    NGX_REALTIME_API_NOTE_ROOM,
    NGX_REALTIME_API_NOTE_ALL,
    NGX_REALTIME_API_NOTE_TYPE,
    NGX_REALTIME_API_NOTE_TITLE,
    NGX_REALTIME_API_NOTE_MESSAGE,
    NGX_REALTIME_API_NOTE_DATA,
    NGX_REALTIME_API_NOTE_ID,
    NGX_REALTIME_API_NOTE_EXPIRES,
    NGX_REALTIME_API_NOTE_DELIVER,
    NGX_REALTIME_API_NOTE_VOLATILE,
    NGX_REALTIME_API_NOTE_MAX
};


static ngx_realtime_refusal_e ngx_realtime_api_notify_parse(
    ngx_realtime_call_t *call, rt_str_t *values,
    ngx_realtime_chat_note_t *note);
static ngx_realtime_refusal_e ngx_realtime_api_notify_times(rt_str_t *values,
    ngx_realtime_chat_note_t *note);
static ngx_realtime_refusal_e ngx_realtime_api_notify_data(
    ngx_realtime_call_t *call, rt_str_t value,
    ngx_realtime_chat_note_t *note);
static ngx_realtime_refusal_e ngx_realtime_api_notify_whom(
    ngx_realtime_call_t *call, rt_str_t *values,
    ngx_realtime_chat_note_t *note);
static ngx_realtime_refusal_e ngx_realtime_api_notify_users(
    ngx_realtime_call_t *call, rt_str_t array,
    ngx_realtime_chat_note_t *note);

#define ngx_realtime_api_notify_is(value)                                     \
    ((value).data && rt_json_type(value) != 'n')


void
ngx_realtime_api_notify(ngx_realtime_rest_t *rest, ngx_realtime_call_t *call)
{
    rt_str_t                  values[NGX_REALTIME_API_NOTE_MAX];
    ngx_realtime_refusal_e    why;
    ngx_realtime_chat_note_t  note;

    static const char  *const names[] = {
        "userId", "userIds", "room", "all", "type", "title", "message",
        "data", "id", "expiresAt", "deliverAt", "volatile"
    };

    ngx_realtime_api_members(rest, names, values, NGX_REALTIME_API_NOTE_MAX);

    ngx_memzero(&note, sizeof(ngx_realtime_chat_note_t));

    why = ngx_realtime_api_notify_parse(call, values, &note);

    if (why != NGX_REALTIME_R_NONE) {
        ngx_realtime_call_refuse(call, why);
        return;
    }

    ngx_realtime_chat_notify(call, &note);
}


static ngx_realtime_refusal_e
ngx_realtime_api_notify_parse(ngx_realtime_call_t *call, rt_str_t *values,
    ngx_realtime_chat_note_t *note)
{
    uint8_t                 type;
    ngx_realtime_refusal_e  why;

    type = rt_json_type(values[NGX_REALTIME_API_NOTE_VOLATILE]);

    if (type != 't' && type != 'f' && type != 'n' && type != 0) {
        return NGX_REALTIME_R_VOLATILE_INVALID;
    }

    note->transient = (type == 't');

    why = ngx_realtime_api_notify_data(call,
                                       values[NGX_REALTIME_API_NOTE_DATA],
                                       note);

    if (why == NGX_REALTIME_R_NONE) {
        why = ngx_realtime_api_notify_times(values, note);
    }

    /* from here on the body is unescaped */

    if (why == NGX_REALTIME_R_NONE) {
        why = ngx_realtime_api_notify_whom(call, values, note);
    }

    if (why != NGX_REALTIME_R_NONE) {
        return why;
    }

    if (!ngx_realtime_api_string(values[NGX_REALTIME_API_NOTE_TYPE],
                                 &note->type))
    {
        return NGX_REALTIME_R_NOTE_TYPE_INVALID;
    }

    if (!ngx_realtime_api_string(values[NGX_REALTIME_API_NOTE_TITLE],
                                 &note->title))
    {
        return NGX_REALTIME_R_TITLE_INVALID;
    }

    if (!ngx_realtime_api_string(values[NGX_REALTIME_API_NOTE_MESSAGE],
                                 &note->message))
    {
        return NGX_REALTIME_R_NOTE_MESSAGE_INVALID;
    }

    return ngx_realtime_api_string(values[NGX_REALTIME_API_NOTE_ID],
                                   &note->id)
           ? NGX_REALTIME_R_NONE : NGX_REALTIME_R_NOTE_ID_INVALID;
}


/* a time that has passed is now: a call that is repeated stays a good one */

static ngx_realtime_refusal_e
ngx_realtime_api_notify_times(rt_str_t *values,
    ngx_realtime_chat_note_t *note)
{
    int64_t      ms, now;
    ngx_time_t  *tp;

    tp = ngx_timeofday();
    now = (int64_t) tp->sec * 1000 + (int64_t) tp->msec;

    switch (ngx_realtime_api_time(values[NGX_REALTIME_API_NOTE_DELIVER],
                                  &ms))
    {
    case NGX_DECLINED:
        break;

    case NGX_OK:
        if (ms > now) {
            note->deliver = ms;
            now = ms;
        }

        break;

    default: /* NGX_ERROR */
        return NGX_REALTIME_R_DELIVER_INVALID;
    }

    switch (ngx_realtime_api_time(values[NGX_REALTIME_API_NOTE_EXPIRES],
                                  &ms))
    {
    case NGX_DECLINED:
        return NGX_REALTIME_R_NONE;

    case NGX_OK:
        if (ms > now) {
            note->expires = ms;
            return NGX_REALTIME_R_NONE;
        }

        /* fall through */

    default: /* NGX_ERROR */
        return NGX_REALTIME_R_EXPIRES_INVALID;
    }
}


/* as it was written: a copy, because the call outlives the body */

static ngx_realtime_refusal_e
ngx_realtime_api_notify_data(ngx_realtime_call_t *call, rt_str_t value,
    ngx_realtime_chat_note_t *note)
{
    if (!ngx_realtime_api_notify_is(value)) {
        return NGX_REALTIME_R_NONE;
    }

    if (rt_json_type(value) != '{') {
        return NGX_REALTIME_R_NOTE_DATA_INVALID;
    }

    if (value.len > NGX_REALTIME_NOTE_DATA_MAX) {
        return NGX_REALTIME_R_NOTE_DATA_TOO_LARGE;
    }

    note->data.len = value.len;
    note->data.data = ngx_pnalloc(call->pool, value.len);
    if (note->data.data == NULL) {
        return NGX_REALTIME_R_INTERNAL;
    }

    ngx_memcpy(note->data.data, value.data, value.len);

    return NGX_REALTIME_R_NONE;
}


/* one of userId, userIds, room and all */

static ngx_realtime_refusal_e
ngx_realtime_api_notify_whom(ngx_realtime_call_t *call, rt_str_t *values,
    ngx_realtime_chat_note_t *note)
{
    rt_str_t    value;
    ngx_str_t  *user, name;
    ngx_uint_t  i, n, which;

    n = 0;
    which = 0;

    for (i = NGX_REALTIME_API_NOTE_USER; i <= NGX_REALTIME_API_NOTE_ALL; i++) {
        if (ngx_realtime_api_notify_is(values[i])) {
            which = i;
            n++;
        }
    }

    if (n != 1) {
        return NGX_REALTIME_R_RECEIVERS_INVALID;
    }

    value = values[which];

    if (which == NGX_REALTIME_API_NOTE_ALL) {
        note->all = (rt_json_type(value) == 't');
        return note->all ? NGX_REALTIME_R_NONE : NGX_REALTIME_R_ALL_INVALID;
    }

    if (which == NGX_REALTIME_API_NOTE_USERS) {
        return ngx_realtime_api_notify_users(call, value, note);
    }

    if (rt_json_type(value) != '"' || !ngx_realtime_api_string(value, &name)) {
        return NGX_REALTIME_R_RECEIVERS_INVALID;
    }

    user = ngx_palloc(call->pool, sizeof(ngx_str_t));
    if (user == NULL) {
        return NGX_REALTIME_R_INTERNAL;
    }

    *user = name;

    if (which == NGX_REALTIME_API_NOTE_ROOM
        && !ngx_realtime_api_room(&name, user))
    {
        return NGX_REALTIME_R_ROOM_INVALID;
    }

    note->users = user;
    note->nusers = 1;

    return NGX_REALTIME_R_NONE;
}


static ngx_realtime_refusal_e
ngx_realtime_api_notify_users(ngx_realtime_call_t *call, rt_str_t array,
    ngx_realtime_chat_note_t *note)
{
    size_t      i, n;
    rt_str_t   *items;
    ngx_str_t  *users;

    if (rt_json_type(array) != '[') {
        return NGX_REALTIME_R_RECEIVERS_INVALID;
    }

    n = rt_json_items(array, NULL, 0);

    if (n == 0) {
        return NGX_REALTIME_R_RECEIVERS_INVALID;
    }

    if (n > NGX_REALTIME_NOTE_USERS_MAX) {
        return NGX_REALTIME_R_RECEIVERS_TOO_MANY;
    }

    items = ngx_palloc(call->pool, n * sizeof(rt_str_t));
    users = ngx_palloc(call->pool, n * sizeof(ngx_str_t));

    if (items == NULL || users == NULL) {
        return NGX_REALTIME_R_INTERNAL;
    }

    (void) rt_json_items(array, items, n);

    for (i = 0; i < n; i++) {
        if (rt_json_type(items[i]) != '"'
            || !ngx_realtime_api_string(items[i], &users[i]))
        {
            return NGX_REALTIME_R_RECEIVERS_INVALID;
        }
    }

    note->users = users;
    note->nusers = n;

    return NGX_REALTIME_R_NONE;
}


void
ngx_realtime_api_job(ngx_realtime_rest_t *rest, ngx_realtime_call_t *call)
{
    ngx_realtime_chat_job_get(call, &rest->id);
}
