
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Notifications at a socket.
 *
 * One that comes anew is given what its user has not read.  The same note may
 * be told at that moment as well, by a worker that has just stored it: before
 * the answer of Postgres is here, or right behind it.  So for some seconds a
 * socket remembers which ones it was given.
 *
 *   connected --> asking: told ones are noted --> given but for these
 *                                             --> told ones that were given
 *                                                 are dropped, 5 s --> forget
 *
 * A socket that came back needs none of this: recovery gives it all that it
 * missed, and what was unread before it had.
 */


#include "ngx_realtime_age.h"
#include "ngx_realtime_chat_notify.h"
#include "ngx_realtime_counter.h"
#include "ngx_realtime_event.h"
#include "rt_json.h"
#include "rt_uuid7.h"


#define NGX_REALTIME_EVENT_NEWS_TIME  5000     /* ms */
#define NGX_REALTIME_EVENT_NEWS_MAX   1024     /* ids that are remembered */

#define NGX_REALTIME_EVENT_NOTE       "42[\"notification\",{\"id\":\""


struct ngx_realtime_news_s {
    ngx_queue_t                queue;      /* of those that were answered, by
                                              time */
    ngx_realtime_ref_t         socket;
    ngx_msec_t                 until;
    ngx_array_t                ids;        /* of RT_UUID_BYTES, in the pool */
    ngx_pool_t                *pool;
};


static ngx_realtime_news_t *ngx_realtime_event_news_create(
    ngx_realtime_socket_t *sk);
static void ngx_realtime_event_news_done(ngx_realtime_call_t *call);
static ngx_uint_t ngx_realtime_event_news_note(ngx_realtime_news_t *news,
    const u_char *text);
static void ngx_realtime_event_news_later(ngx_realtime_news_t *news);
static void ngx_realtime_event_news_expire(ngx_realtime_age_t *age);
static void ngx_realtime_event_news_forget(ngx_realtime_news_t *news);


static ngx_queue_t         ngx_realtime_event_news_told;
static ngx_realtime_age_t  ngx_realtime_event_news_age;


void
ngx_realtime_event_notify_init(void)
{
    ngx_queue_init(&ngx_realtime_event_news_told);
    ngx_realtime_event_news_age.handler = ngx_realtime_event_news_expire;
}


/* {notificationId} */

ngx_realtime_refusal_e
ngx_realtime_event_notification_ack(ngx_realtime_socket_t *sk, rt_str_t arg,
    ngx_realtime_call_t *call)
{
    rt_str_t   v[1];
    ngx_str_t  id;

    static const char  *const names[] = { "notificationId" };

    rt_json_members(arg, names, v, 1);

    if (ngx_realtime_event_string(v[0], &id) != NGX_OK) {
        return NGX_REALTIME_R_NOTIFICATION_NOT_FOUND;
    }

    ngx_realtime_chat_notify_see(call, &id, 1);

    return NGX_REALTIME_R_NONE;
}


/* {userId, type, title, message, data?}, for those whose token has a role */

ngx_realtime_refusal_e
ngx_realtime_event_send_notification(ngx_realtime_socket_t *sk, rt_str_t arg,
    ngx_realtime_call_t *call)
{
    rt_str_t                  v[5];
    ngx_str_t                 user;
    ngx_realtime_chat_note_t  note;

    static const char        *const names[] = {
        "userId", "type", "title", "message", "data"
    };

    if (!sk->identity.notifies) {
        return NGX_REALTIME_R_FORBIDDEN;
    }

    ngx_memzero(&note, sizeof(ngx_realtime_chat_note_t));

    rt_json_members(arg, names, v, 5);

    if (v[4].data && rt_json_type(v[4]) != 'n') {

        if (rt_json_type(v[4]) != '{') {
            return NGX_REALTIME_R_NOTE_DATA_INVALID;
        }

        note.data.data = (u_char *) v[4].data;
        note.data.len = v[4].len;
    }

    if (ngx_realtime_event_string(v[0], &user) != NGX_OK) {
        return NGX_REALTIME_R_RECEIVERS_INVALID;
    }

    if (ngx_realtime_event_string(v[1], &note.type) != NGX_OK) {
        return NGX_REALTIME_R_NOTE_TYPE_INVALID;
    }

    if (ngx_realtime_event_string(v[2], &note.title) != NGX_OK) {
        return NGX_REALTIME_R_TITLE_INVALID;
    }

    if (ngx_realtime_event_string(v[3], &note.message) != NGX_OK) {
        return NGX_REALTIME_R_NOTE_MESSAGE_INVALID;
    }

    note.users = &user;
    note.nusers = 1;

    ngx_realtime_chat_notify(call, &note);

    return NGX_REALTIME_R_NONE;
}


void
ngx_realtime_event_news(ngx_realtime_socket_t *sk)
{
    u_char                text[RT_UUID_LEN];
    ngx_realtime_call_t  *call;
    ngx_realtime_news_t  *news;

    if (rt_uuid_parse(sk->identity.user.data, sk->identity.user.len, text)
        != RT_OK
        || sk->recheck)
    {
        /* nothing is stored for such a user; or it came back */
        return;
    }

    call = ngx_realtime_call_create(ngx_cycle->log, &sk->identity, &sk->id);
    if (call == NULL) {
        return;
    }

    news = ngx_realtime_event_news_create(sk);
    if (news == NULL) {
        ngx_destroy_pool(call->pool);
        return;
    }

    sk->news = news;

    call->data = news;
    call->done = ngx_realtime_event_news_done;

    ngx_realtime_chat_notify_news(call);
}


static ngx_realtime_news_t *
ngx_realtime_event_news_create(ngx_realtime_socket_t *sk)
{
    ngx_pool_t           *pool;
    ngx_realtime_news_t  *news;

    pool = ngx_create_pool(512, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    news = ngx_palloc(pool, sizeof(ngx_realtime_news_t));

    if (news == NULL
        || ngx_array_init(&news->ids, pool, 4, RT_UUID_BYTES) != NGX_OK)
    {
        ngx_destroy_pool(pool);
        return NULL;
    }

    news->pool = pool;
    news->socket = sk->ref;

    return news;
}


/*
 * Without Postgres the socket is given nothing: it asks by REST, or comes
 * again.  One that has moved to another worker is still to be found here, and
 * what it is sent goes after it.
 */

static void
ngx_realtime_event_news_done(ngx_realtime_call_t *call)
{
    ngx_uint_t                 i;
    ngx_realtime_news_t       *news;
    ngx_realtime_socket_t     *sk;
    ngx_realtime_chat_news_t  *given;

    news = call->data;
    sk = ngx_realtime_socket_find(news->socket);

    if (sk && call->refusal == NGX_REALTIME_R_NONE) {

        given = call->ctx;

        for (i = 0; i < given->n; i++) {

            if (ngx_realtime_event_news_note(news, given->events[i].data
                                             + NGX_REALTIME_NOTE_ID_AT))
            {
                continue;
            }

            ngx_realtime_count(notifications_given);
            ngx_realtime_socket_emit(sk, "notification", &given->events[i]);

            /* it may have been the last straw */

            sk = ngx_realtime_socket_find(news->socket);
            if (sk == NULL) {
                break;
            }
        }
    }

    ngx_realtime_event_news_later(news);
}


ngx_uint_t
ngx_realtime_event_is_old_news(ngx_realtime_socket_t *sk,
    ngx_realtime_msg_t *m)
{
    u_char  *p;
    size_t   len;

    if (sk->news == NULL) {
        return 0;
    }

    p = ngx_realtime_msg_payload(m);
    len = sizeof(NGX_REALTIME_EVENT_NOTE) - 1;

    if (ngx_realtime_msg_payload_len(m) < len + RT_UUID_LEN
        || ngx_memcmp(p, NGX_REALTIME_EVENT_NOTE, len) != 0)
    {
        return 0;
    }

    return ngx_realtime_event_news_note(sk->news, p + len);
}


/* 1: it was noted before */

static ngx_uint_t
ngx_realtime_event_news_note(ngx_realtime_news_t *news, const u_char *text)
{
    u_char      *p, id[RT_UUID_BYTES], lower[RT_UUID_LEN];
    ngx_uint_t   i;

    if (rt_uuid_parse(text, RT_UUID_LEN, lower) != RT_OK) {
        return 0;
    }

    rt_uuid_pack(lower, id);

    p = news->ids.elts;

    for (i = 0; i < news->ids.nelts; i++) {
        if (ngx_memcmp(p + i * RT_UUID_BYTES, id, RT_UUID_BYTES) == 0) {
            return 1;
        }
    }

    if (news->ids.nelts < NGX_REALTIME_EVENT_NEWS_MAX) {
        p = ngx_array_push(&news->ids);

        if (p) {
            ngx_memcpy(p, id, RT_UUID_BYTES);
        }
    }

    return 0;
}


static void
ngx_realtime_event_news_later(ngx_realtime_news_t *news)
{
    if (ngx_queue_empty(&ngx_realtime_event_news_told)) {
        ngx_realtime_age_set(&ngx_realtime_event_news_age,
                             NGX_REALTIME_EVENT_NEWS_TIME);
    }

    news->until = ngx_current_msec + NGX_REALTIME_EVENT_NEWS_TIME;
    ngx_queue_insert_tail(&ngx_realtime_event_news_told, &news->queue);
}


static void
ngx_realtime_event_news_expire(ngx_realtime_age_t *age)
{
    ngx_msec_int_t        left;
    ngx_realtime_news_t  *news;

    while (!ngx_queue_empty(&ngx_realtime_event_news_told)) {

        news = ngx_queue_data(ngx_queue_head(&ngx_realtime_event_news_told),
                              ngx_realtime_news_t, queue);

        left = news->until - ngx_current_msec;

        if (left > 0) {
            ngx_realtime_age_set(age, left);
            return;
        }

        ngx_queue_remove(&news->queue);
        ngx_realtime_event_news_forget(news);
    }
}


static void
ngx_realtime_event_news_forget(ngx_realtime_news_t *news)
{
    ngx_realtime_socket_t  *sk;

    sk = ngx_realtime_socket_find(news->socket);

    if (sk) {
        sk->news = NULL;
    }

    ngx_destroy_pool(news->pool);
}
