
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The life of tokens.
 *
 *     CONNECT, auth_refresh          exp - lead         exp    exp + leeway
 *   -------+-----------------------------+---------------+----------+-----
 *                                  auth_expiring                 the end
 *
 * Each socket has the expiry of its own token; the session, which is what can
 * be closed, ends with the first of them.  Only the socket in "/" is warned,
 * and only there a token can be renewed.  It speaks for the others of the
 * same user in its session: the warning is of the first of theirs that
 * expires, and a new token prolongs them as well, and the token of the
 * handshake, but shortens none of them.  Sockets of another user are left
 * alone.
 *
 * An expiry is told once: "warned" is the one that was, so that whatever
 * changes the nearest expiry asks for a new warning by itself.  lead is
 * realtime_auth_expiring, but after a refresh half of what the new token has
 * left, if that is less: a client that fetches a new token at each warning
 * would otherwise do nothing else where tokens are short-lived.
 *
 * There is no timer here: the session's one ageing entry looks at delay().
 */


#include "ngx_realtime_counter.h"
#include "ngx_realtime_expiry.h"
#include "ngx_realtime_log.h"
#include "ngx_realtime_time.h"
#include "rt_ws.h"


#define NGX_REALTIME_EXPIRY_DAY  86400000  /* ms; wheel and clock may differ */


static void ngx_realtime_expiry_token(ngx_realtime_identity_t *dst,
    ngx_realtime_identity_t *src);
static int64_t ngx_realtime_expiry_left(time_t at);
static time_t ngx_realtime_expiry_nearest(ngx_realtime_session_t *s,
    ngx_str_t *user);
static ngx_realtime_socket_t *ngx_realtime_expiry_to_warn(
    ngx_realtime_session_t *s, time_t *at);
static void ngx_realtime_expiry_end(ngx_realtime_session_t *s);
static ngx_uint_t ngx_realtime_expiry_same(ngx_str_t *a, ngx_str_t *b);
static ngx_uint_t ngx_realtime_expiry_later(time_t a, time_t b);


ngx_msec_int_t
ngx_realtime_expiry_delay(ngx_realtime_session_t *s)
{
    time_t                  at;
    int64_t                 delay, left;
    ngx_realtime_socket_t  *sk;

    delay = NGX_REALTIME_EXPIRY_DAY;

    at = ngx_realtime_expiry_nearest(s, NULL);

    if (at) {
        left = ngx_realtime_expiry_left(at + s->conf->auth->leeway);
        delay = ngx_min(delay, left);
    }

    sk = ngx_realtime_expiry_to_warn(s, &at);

    if (sk) {
        left = ngx_realtime_expiry_left(at) - (int64_t) sk->lead;
        delay = ngx_min(delay, left);
    }

    return (ngx_msec_int_t) ngx_max(delay, 0);
}


ngx_int_t
ngx_realtime_expiry_check(ngx_realtime_session_t *s)
{
    time_t  at;

    at = ngx_realtime_expiry_nearest(s, NULL);

    if (at && ngx_realtime_expiry_left(at + s->conf->auth->leeway) <= 0) {
        ngx_realtime_expiry_end(s);
        return NGX_DONE;
    }

    ngx_realtime_expiry_warn(s);

    return NGX_OK;
}


void
ngx_realtime_expiry_warn(ngx_realtime_session_t *s)
{
    u_char                  buf[NGX_REALTIME_EXPIRY_JSON_LEN];
    time_t                  at;
    ngx_str_t               data;
    ngx_realtime_socket_t  *sk;

    sk = ngx_realtime_expiry_to_warn(s, &at);

    if (sk == NULL
        || ngx_realtime_expiry_left(at) > (int64_t) sk->lead)
    {
        return;
    }

    sk->warned = at;

    ngx_realtime_count(auth_warnings);

    data.data = buf;
    data.len = ngx_realtime_expiry_json(buf, at) - buf;

    /* after a recovery it is said again */
    ngx_realtime_socket_emit_volatile(sk, "auth_expiring", &data);
}


/* NULL: nobody, or nobody any more */

static ngx_realtime_socket_t *
ngx_realtime_expiry_to_warn(ngx_realtime_session_t *s, time_t *at)
{
    ngx_realtime_socket_t  *sk;

    sk = ngx_realtime_socket_of(s, (u_char *) "/", 1);

    if (sk == NULL || sk->lead == 0) {
        return NULL;
    }

    *at = ngx_realtime_expiry_nearest(s, &sk->identity.user);

    return (*at == 0 || *at == sk->warned) ? NULL : sk;
}


void
ngx_realtime_expiry_renew(ngx_realtime_socket_t *sk,
    ngx_realtime_identity_t *id)
{
    time_t                   expires;
    int64_t                  left;
    ngx_queue_t             *q;
    ngx_realtime_socket_t   *other;
    ngx_realtime_session_t  *s;

    s = sk->session;

    expires = id->expires;

    ngx_realtime_expiry_token(&sk->identity, id);
    sk->lead = s->conf->auth_expiring;

    if (expires) {
        left = ngx_max(ngx_realtime_expiry_left(expires), 0);
        sk->lead = ngx_min(sk->lead, (ngx_msec_t) left / 2);
    }

    for (q = ngx_queue_head(&s->sockets);
         q != ngx_queue_sentinel(&s->sockets);
         q = ngx_queue_next(q))
    {
        other = ngx_queue_data(q, ngx_realtime_socket_t, queue);

        if (ngx_realtime_expiry_same(&other->identity.user,
                                     &sk->identity.user)
            && ngx_realtime_expiry_later(expires, other->identity.expires))
        {
            ngx_realtime_expiry_token(&other->identity, id);
        }
    }

    if (ngx_realtime_expiry_same(&s->user, &sk->identity.user)
        && ngx_realtime_expiry_later(expires, s->expires))
    {
        s->expires = expires;
        s->issued = id->issued;
        s->notifies = id->notifies;
        ngx_memcpy(s->jti, id->jti, NGX_REALTIME_JTI_LEN);
    }

    ngx_realtime_session_rearm(s);
}


/* of the same user */

static void
ngx_realtime_expiry_token(ngx_realtime_identity_t *dst,
    ngx_realtime_identity_t *src)
{
    dst->expires = src->expires;
    dst->issued = src->issued;
    dst->notifies = src->notifies;
    ngx_memcpy(dst->jti, src->jti, NGX_REALTIME_JTI_LEN);
}


/* ms until the second "at" begins; negative: it has begun */

static int64_t
ngx_realtime_expiry_left(time_t at)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return ((int64_t) at - tp->sec) * 1000 - (int64_t) tp->msec;
}


/*
 * The first expiry of a socket's token, user NULL: of anybody's; 0: none.  A
 * session that has no socket lives by the token of its handshake.
 */

static time_t
ngx_realtime_expiry_nearest(ngx_realtime_session_t *s, ngx_str_t *user)
{
    time_t                  at;
    ngx_queue_t            *q;
    ngx_realtime_socket_t  *sk;

    if (ngx_queue_empty(&s->sockets)) {
        return s->expires;
    }

    at = 0;

    for (q = ngx_queue_head(&s->sockets);
         q != ngx_queue_sentinel(&s->sockets);
         q = ngx_queue_next(q))
    {
        sk = ngx_queue_data(q, ngx_realtime_socket_t, queue);

        if ((user == NULL
             || ngx_realtime_expiry_same(&sk->identity.user, user))
            && ngx_realtime_expiry_later(at, sk->identity.expires))
        {
            at = sk->identity.expires;
        }
    }

    return at;
}


/* contract, 1: at exp and leeway the socket is closed */

static void
ngx_realtime_expiry_end(ngx_realtime_session_t *s)
{
    ngx_str_t               args = ngx_string("\"error\","
                                    "{\"code\":\"token_expired\","
                                    "\"message\":\"Authentication error: "
                                    "Invalid or expired token\"}");
    ngx_queue_t            *q;
    ngx_realtime_socket_t  *sk;

    ngx_realtime_count(auth_expired);
    ngx_realtime_log_client(NGX_LOG_INFO, ngx_realtime_session_log(s),
                            "session closed", "its token expired",
                            ngx_realtime_session_user(s),
                            ngx_realtime_session_socket_id(s));

    for (q = ngx_queue_head(&s->sockets);
         q != ngx_queue_sentinel(&s->sockets);
         q = ngx_queue_next(q))
    {
        sk = ngx_queue_data(q, ngx_realtime_socket_t, queue);
        ngx_realtime_socket_emit_args(sk, &args, NULL, 0);
    }

    ngx_realtime_session_close(s, RT_WS_POLICY, "token expired");
}


static ngx_uint_t
ngx_realtime_expiry_same(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len && ngx_memcmp(a->data, b->data, a->len) == 0;
}


/* 0 is never */

static ngx_uint_t
ngx_realtime_expiry_later(time_t a, time_t b)
{
    return b != 0 && (a == 0 || a > b);
}


u_char *
ngx_realtime_expiry_json(u_char *p, time_t expires)
{
    p = ngx_cpymem(p, "{\"expiresAt\":", sizeof("{\"expiresAt\":") - 1);

    if (expires) {
        *p++ = '"';
        p = ngx_realtime_time_print(p, expires, 0);
        *p++ = '"';

    } else {
        p = ngx_cpymem(p, "null", 4);
    }

    *p++ = '}';

    return p;
}
