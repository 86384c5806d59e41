
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * CONNECT: a namespace, a token, and then a new socket or, with a pid, the
 * one that the client had (ngx_realtime_recovery.c).
 */


#include "ngx_realtime_counter.h"
#include "ngx_realtime_detour.h"
#include "ngx_realtime_log.h"
#include "ngx_realtime_presence.h"
#include "ngx_realtime_recovery.h"
#include "ngx_realtime_revoke.h"
#include "ngx_realtime_session.h"
#include "ngx_realtime_slot.h"
#include "rt_json.h"
#include "rt_ws.h"


static ngx_int_t ngx_realtime_socket_authenticate(ngx_realtime_session_t *s,
    rt_str_t auth, ngx_pool_t *pool, ngx_realtime_identity_t *id,
    ngx_realtime_refusal_e *why, const char **detail);
static ngx_uint_t ngx_realtime_socket_asks_auth(ngx_realtime_session_t *s);
static void ngx_realtime_socket_accept(ngx_realtime_session_t *s,
    ngx_str_t *nsp, ngx_realtime_identity_t *id, rt_str_t auth,
    ngx_pool_t *pool);
static ngx_uint_t ngx_realtime_socket_is_too_many(ngx_realtime_session_t *s,
    ngx_realtime_identity_t *id, ngx_realtime_socket_t *resumed);
static void ngx_realtime_socket_limit(ngx_realtime_session_t *s,
    ngx_str_t *nsp, ngx_realtime_identity_t *id);
static ngx_realtime_socket_t *ngx_realtime_socket_resume(
    ngx_realtime_session_t *s, ngx_str_t *nsp, ngx_realtime_identity_t *id,
    rt_str_t auth, ngx_pool_t *pool, ngx_realtime_out_t *missed);
static ngx_int_t ngx_realtime_socket_text(rt_str_t value, ngx_str_t *text);
static void ngx_realtime_socket_answer(ngx_realtime_socket_t *sk);
static void ngx_realtime_socket_reject(ngx_realtime_session_t *s,
    rt_str_t nsp, const char *prefix, const ngx_str_t *message,
    const ngx_str_t *code);


void
ngx_realtime_socket_connect(ngx_realtime_session_t *s, rt_sio_packet_t *pkt)
{
    ngx_int_t                rc;
    ngx_str_t                none = ngx_null_string;
    ngx_str_t                invalid = ngx_string("Invalid namespace");
    ngx_str_t               *nsp;
    const char              *detail;
    ngx_pool_t              *pool;
    const ngx_str_t         *text;
    ngx_realtime_refusal_e   why;
    ngx_realtime_identity_t  id;

    nsp = ngx_realtime_socket_namespace(s, pkt->nsp);

    if (nsp == NULL) {
        ngx_realtime_count(connects_refused);
        ngx_realtime_log_client(NGX_LOG_INFO, s->transport->log,
                                "CONNECT refused", "unknown namespace",
                                &s->user, NULL);
        ngx_realtime_socket_reject(s, pkt->nsp, "", &invalid, &none);
        return;
    }

    if (ngx_realtime_socket_of(s, nsp->data, nsp->len)) {
        ngx_realtime_session_refuse(s, "a second CONNECT");
        return;
    }

    pool = ngx_create_pool(1024, s->transport->log);
    if (pool == NULL) {
        ngx_realtime_session_close(s, RT_WS_INTERNAL, "no memory");
        return;
    }

    why = NGX_REALTIME_R_INTERNAL;
    detail = "no memory";

    rc = ngx_realtime_socket_authenticate(s, pkt->json, pool, &id, &why,
                                          &detail);

    if (rc == NGX_OK) {
        ngx_realtime_socket_accept(s, nsp, &id, pkt->json, pool);

    } else {
        ngx_realtime_count(connects_refused);
        ngx_realtime_count(auth_refused);
        ngx_realtime_log_client(NGX_LOG_INFO, s->transport->log,
                                "CONNECT refused", detail, &s->user, NULL);

        text = &ngx_realtime_refusal(why)->socket_text;
        if (text->len == 0) {
            text = &ngx_realtime_refusal(why)->text;
        }

        ngx_realtime_socket_reject(s, pkt->nsp, "Authentication error: ",
                                   text, &ngx_realtime_refusal(why)->code);
    }

    ngx_destroy_pool(pool);
}


/* contract, 1: auth.token, then what the handshake brought */

static ngx_int_t
ngx_realtime_socket_authenticate(ngx_realtime_session_t *s, rt_str_t auth,
    ngx_pool_t *pool, ngx_realtime_identity_t *id,
    ngx_realtime_refusal_e *why, const char **detail)
{
    u_char             *copy;
    rt_str_t            values[2], text;
    ngx_int_t           rc;
    ngx_str_t           token;

    static const char  *const names[] = { "token", "userId" };

    /* unescaping happens in place, and the application may want auth too */

    ngx_memzero(values, sizeof(values));

    if (auth.len) {
        copy = ngx_pnalloc(pool, auth.len);
        if (copy == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(copy, auth.data, auth.len);
        auth.data = copy;

        rt_json_members(auth, names, values, 2);
    }

    if (values[0].data && rt_json_type(values[0]) != 'n'
        && ngx_realtime_socket_asks_auth(s))
    {
        if (rt_json_string((u_char *) values[0].data, values[0].len, &text)
            != RT_OK)
        {
            *why = NGX_REALTIME_R_TOKEN_INVALID;
            *detail = "auth.token is no string";
            return NGX_DECLINED;
        }

        if (text.len == 0) {
            *why = NGX_REALTIME_R_TOKEN_MISSING;
            *detail = "auth.token is empty";
            return NGX_DECLINED;
        }

        token.data = (u_char *) text.data;
        token.len = text.len;

        rc = ngx_realtime_auth_verify(s->conf->auth, &token, pool,
                                      s->transport->log, id, why, detail);
        if (rc != NGX_OK) {
            return rc;
        }

    } else if (s->user.len) {

        if (s->expires && ngx_time() > s->expires + s->conf->auth->leeway) {
            *why = NGX_REALTIME_R_TOKEN_INVALID;
            *detail = "the token of the handshake expired";
            return NGX_DECLINED;
        }

        id->user = s->user;
        id->expires = s->expires;
        id->issued = s->issued;
        id->notifies = s->notifies;
        ngx_memcpy(id->jti, s->jti, NGX_REALTIME_JTI_LEN);

        if (ngx_realtime_revoke_is(id)) {
            *why = NGX_REALTIME_R_TOKEN_INVALID;
            *detail = "the token of the handshake is revoked";
            return NGX_DECLINED;
        }

    } else if (s->conf->echo) {

        /* the conformance suites have no tokens */

        ngx_memzero(id, sizeof(ngx_realtime_identity_t));
        ngx_str_set(&id->user, "conformance");

    } else {
        *why = NGX_REALTIME_R_TOKEN_MISSING;
        *detail = "no access token";
        return NGX_DECLINED;
    }

    if (values[1].data && rt_json_type(values[1]) != 'n'
        && (rt_json_string((u_char *) values[1].data, values[1].len, &text)
            != RT_OK
            || text.len != id->user.len
            || ngx_memcmp(text.data, id->user.data, text.len) != 0)
        && !s->conf->echo)
    {
        *why = NGX_REALTIME_R_TOKEN_PAYLOAD;
        *detail = "auth.userId is not the user of the token";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_realtime_socket_asks_auth(ngx_realtime_session_t *s)
{
    ngx_uint_t  i;

    if (s->conf->echo) {
        return 0;
    }

    for (i = 0; i < s->conf->auth->nsources; i++) {
        if (s->conf->auth->sources[i] == NGX_REALTIME_TOKEN_AUTH) {
            return 1;
        }
    }

    return 0;
}


/* the socket that the client had, or a new one */

static void
ngx_realtime_socket_accept(ngx_realtime_session_t *s, ngx_str_t *nsp,
    ngx_realtime_identity_t *id, rt_str_t auth, ngx_pool_t *pool)
{
    ngx_realtime_out_t      missed;
    ngx_realtime_socket_t  *sk;

    ngx_realtime_out_init(&missed);

    sk = ngx_realtime_socket_resume(s, nsp, id, auth, pool, &missed);

    if (ngx_realtime_socket_is_too_many(s, id, sk)) {

        if (sk) {
            ngx_realtime_out_drop(&missed);
            ngx_realtime_recovery_end(sk);
            ngx_realtime_socket_destroy(sk);
        }

        ngx_realtime_socket_limit(s, nsp, id);
        return;
    }

    if (sk == NULL) {
        sk = ngx_realtime_socket_create(s, nsp, id, NULL);

        if (sk == NULL) {
            ngx_realtime_session_close(s, RT_WS_INTERNAL, "no memory");
            return;
        }

        ngx_realtime_recovery_begin(sk);
    }

    ngx_realtime_count(connects);

    ngx_log_error(NGX_LOG_INFO, s->transport->log, 0,
                  "realtime: connected, user: \"%V\", socket: \"%V\", "
                  "slot: %i", &sk->identity.user, &sk->id, ngx_realtime_slot);

    ngx_realtime_socket_answer(sk);

    /* a client that knows of recovery takes events before the answer, too,
       but others do not; the list has them already */

    ngx_realtime_detour_send_out(s, &missed);

    ngx_realtime_session_rearm(s);
    ngx_realtime_socket_connected(sk, auth);
}


/*
 * A socket that came back is counted already, if the worker that had it has
 * not noticed yet that it is gone from there.
 */

static ngx_uint_t
ngx_realtime_socket_is_too_many(ngx_realtime_session_t *s,
    ngx_realtime_identity_t *id, ngx_realtime_socket_t *resumed)
{
    ngx_uint_t  n, max;

    max = s->conf->max_connections;

    if (max == 0 || s->conf->echo) {
        return 0;
    }

    n = ngx_realtime_presence_sockets(&id->user);

    return resumed ? n > max : n >= max;
}


static void
ngx_realtime_socket_limit(ngx_realtime_session_t *s, ngx_str_t *nsp,
    ngx_realtime_identity_t *id)
{
    rt_str_t                       name;
    const ngx_realtime_refusal_t  *refusal;

    refusal = ngx_realtime_refusal(NGX_REALTIME_R_TOO_MANY_CONNECTIONS);

    ngx_realtime_count(connects_refused);
    ngx_realtime_count(connects_limited);
    ngx_realtime_log_client(NGX_LOG_INFO, s->transport->log,
                            "CONNECT refused",
                            "realtime_max_connections_per_user", &id->user,
                            NULL);

    name.data = nsp->data;
    name.len = nsp->len;

    ngx_realtime_socket_reject(s, name, "", &refusal->text, &refusal->code);
}


/* NULL: nothing was asked for, or it starts anew */

static ngx_realtime_socket_t *
ngx_realtime_socket_resume(ngx_realtime_session_t *s, ngx_str_t *nsp,
    ngx_realtime_identity_t *id, rt_str_t auth, ngx_pool_t *pool,
    ngx_realtime_out_t *missed)
{
    u_char                 *copy;
    rt_str_t                values[2];
    ngx_str_t               pid, offset;
    const char             *why;
    ngx_realtime_socket_t  *sk;

    static const char      *const names[] = { "pid", "offset" };

    if (auth.len == 0 || s->conf->recovery == 0) {
        return NULL;
    }

    copy = ngx_pnalloc(pool, auth.len);
    if (copy == NULL) {
        return NULL;
    }

    ngx_memcpy(copy, auth.data, auth.len);
    auth.data = copy;

    rt_json_members(auth, names, values, 2);

    if (values[0].data == NULL || rt_json_type(values[0]) == 'n') {
        return NULL;
    }

    sk = NULL;
    why = "pid or offset is no string";

    if (ngx_realtime_socket_text(values[0], &pid) == NGX_OK
        && ngx_realtime_socket_text(values[1], &offset) == NGX_OK)
    {
        sk = ngx_realtime_recovery_resume(s, nsp, id, &pid, &offset, missed,
                                          &why);
    }

    if (sk) {
        ngx_realtime_count(recoveries);
        return sk;
    }

    ngx_realtime_count(recoveries_refused);
    ngx_realtime_log_client(NGX_LOG_INFO, s->transport->log, "not recovered",
                            why, &id->user, NULL);

    return NULL;
}


/* not given: of length 0 */

static ngx_int_t
ngx_realtime_socket_text(rt_str_t value, ngx_str_t *text)
{
    rt_str_t  out;

    ngx_str_null(text);

    if (value.data == NULL || rt_json_type(value) == 'n') {
        return NGX_OK;
    }

    if (rt_json_type(value) != '"'
        || rt_json_string((u_char *) value.data, value.len, &out) != RT_OK)
    {
        return NGX_DECLINED;
    }

    text->data = (u_char *) out.data;
    text->len = out.len;

    return NGX_OK;
}


/* {"sid":...,"pid":...} */

static void
ngx_realtime_socket_answer(ngx_realtime_socket_t *sk)
{
    u_char                  *p, buf[RT_SIO_NSP_MAX + 128];
    rt_str_t                 name;
    ngx_realtime_msg_t      *m;
    ngx_realtime_session_t  *s;

    s = sk->session;

    name.data = sk->nsp.data;
    name.len = sk->nsp.len;

    p = buf;
    *p++ = '4';
    p += rt_sio_header(p, RT_SIO_CONNECT, name, 0, 0);
    p = ngx_cpymem(p, "{\"sid\":\"", 8);
    p = ngx_cpymem(p, sk->sid, NGX_REALTIME_SID_LEN);

    if (sk->record) {
        p = ngx_cpymem(p, "\",\"pid\":\"", 9);
        p = ngx_realtime_recovery_pid(sk, p);
    }

    p = ngx_cpymem(p, "\"}", 2);

    m = ngx_realtime_msg_copy(buf, p - buf, 0, s->log);

    if (m) {
        ngx_realtime_socket_send(sk, m);
        ngx_realtime_msg_unref(m);
    }
}


/* code of length 0: no "data" member.  message and code are our own texts,
   the namespace is echoed and the parser has bounded it */

static void
ngx_realtime_socket_reject(ngx_realtime_session_t *s, rt_str_t nsp,
    const char *prefix, const ngx_str_t *message, const ngx_str_t *code)
{
    u_char              *p, buf[RT_SIO_NSP_MAX + 256];
    ngx_realtime_msg_t  *m;

    p = buf;

    *p++ = '4';
    p += rt_sio_header(p, RT_SIO_CONNECT_ERROR, nsp, 0, 0);
    p = ngx_slprintf(p, buf + sizeof(buf), "{\"message\":\"%s%V\"", prefix,
                     message);

    if (code->len) {
        p = ngx_slprintf(p, buf + sizeof(buf), ",\"data\":{\"code\":\"%V\"}",
                         code);
    }

    p = ngx_slprintf(p, buf + sizeof(buf), "}");

    m = ngx_realtime_msg_alloc(p - buf, s->transport->log);

    if (m) {
        ngx_memcpy(ngx_realtime_msg_payload(m), buf, p - buf);
        s->transport->ops->send(s->transport, m);
        ngx_realtime_msg_unref(m);
    }
}
