
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Socket.IO 5 on "/": CONNECT with its authentication, EVENT, ACK,
 * DISCONNECT.
 *
 * Sockets of a worker stand in a table; ngx_realtime_ref_t is an index into
 * it and the generation of the entry.  A generation is even while the entry
 * is free and odd while it is taken, so that a stale reference never matches.
 */


#include "ngx_realtime_counter.h"
#include "ngx_realtime_log.h"
#include "ngx_realtime_session.h"
#include "ngx_realtime_slot.h"
#include "rt_json.h"
#include "rt_ws.h"


typedef struct {
    ngx_realtime_socket_t     *socket;     /* NULL: free */
    uint32_t                   generation;
    uint32_t                   next;       /* free list */
} ngx_realtime_socket_entry_t;


static void ngx_realtime_socket_connect(ngx_realtime_session_t *s,
    rt_sio_packet_t *pkt, json_t *auth);
static ngx_int_t ngx_realtime_socket_authenticate(ngx_realtime_session_t *s,
    json_t *auth, ngx_pool_t *pool, ngx_realtime_identity_t *id,
    ngx_realtime_refusal_e *why, const char **detail);
static void ngx_realtime_socket_accept(ngx_realtime_session_t *s,
    ngx_realtime_identity_t *id);
static void ngx_realtime_socket_reject(ngx_realtime_session_t *s,
    rt_str_t nsp, const char *prefix, const ngx_str_t *message,
    const ngx_str_t *code);
static ngx_realtime_socket_t *ngx_realtime_socket_create(
    ngx_realtime_session_t *s, ngx_realtime_identity_t *id);
static ngx_int_t ngx_realtime_socket_enter(ngx_realtime_socket_t *sk);
static ngx_int_t ngx_realtime_socket_grow(void);
static ngx_str_t *ngx_realtime_socket_sid(void *member);
static void ngx_realtime_socket_deliver(void *member, ngx_realtime_msg_t *m);


static ngx_realtime_room_ops_t  ngx_realtime_socket_room_ops = {
    ngx_realtime_socket_sid,
    ngx_realtime_socket_deliver
};


static const ngx_realtime_session_ops_t  *ngx_realtime_socket_ops;
static ngx_realtime_socket_entry_t       *ngx_realtime_sockets;
static uint32_t                           ngx_realtime_sockets_size;
static uint32_t                           ngx_realtime_sockets_free;


#define NGX_REALTIME_SOCKETS_END  0xffffffff


ngx_int_t
ngx_realtime_socket_init(ngx_cycle_t *cycle,
    const ngx_realtime_session_ops_t *ops)
{
    ngx_realtime_socket_ops = ops;
    ngx_realtime_sockets_free = NGX_REALTIME_SOCKETS_END;

    return ngx_realtime_room_init(cycle, &ngx_realtime_socket_room_ops);
}


void
ngx_realtime_socket_packet(ngx_realtime_session_t *s, u_char *data,
    size_t len)
{
    json_t           *payload;
    const char       *why;
    rt_sio_packet_t   pkt;

    if (rt_sio_parse(&pkt, data, len, &why) != RT_OK) {
        ngx_realtime_session_refuse(s, why);
        return;
    }

    if (pkt.type == RT_SIO_BINARY_EVENT || pkt.type == RT_SIO_BINARY_ACK) {
        ngx_realtime_session_refuse(s, "binary events are not served");
        return;
    }

    if (pkt.type != RT_SIO_CONNECT
        && (s->socket == NULL || pkt.nsp.len != 1))
    {
        ngx_realtime_session_refuse(s, "a packet for a namespace that is "
                                       "not joined");
        return;
    }

    payload = NULL;

    if (pkt.json.len
        && rt_json_parse(pkt.json.data, pkt.json.len, &payload) != RT_OK)
    {
        ngx_realtime_session_refuse(s, "malformed JSON");
        return;
    }

    if (rt_sio_check(&pkt, payload, &why) != RT_OK) {
        json_decref(payload);
        ngx_realtime_session_refuse(s, why);
        return;
    }

    switch (pkt.type) {

    case RT_SIO_CONNECT:
        ngx_realtime_socket_connect(s, &pkt, payload);
        break;

    case RT_SIO_EVENT:
        ngx_realtime_socket_ops->event(s->socket, payload, pkt.has_id,
                                       pkt.id);
        break;

    case RT_SIO_DISCONNECT:

        /* the session stays, as in Node, and may CONNECT again */

        ngx_log_error(NGX_LOG_INFO, s->transport->log, 0,
                      "realtime: disconnected: client namespace disconnect, "
                      "user: \"%V\", socket: \"%V\", slot: %i",
                      &s->socket->identity.user, &s->socket->id,
                      ngx_realtime_slot);

        ngx_realtime_socket_destroy(s->socket);
        s->connect_by = ngx_current_msec + s->conf->connect_timeout;
        ngx_realtime_session_rearm(s);
        break;

    case RT_SIO_ACK:
        /* nothing here asks for one: an unknown id is ignored, as in Node */
        break;

    default:
        ngx_realtime_session_refuse(s, "a packet that only servers send");
    }

    json_decref(payload);
}


static void
ngx_realtime_socket_connect(ngx_realtime_session_t *s, rt_sio_packet_t *pkt,
    json_t *auth)
{
    ngx_int_t                rc;
    ngx_str_t                none = ngx_null_string;
    ngx_str_t                invalid = ngx_string("Invalid namespace");
    const char              *detail;
    ngx_pool_t              *pool;
    const ngx_str_t         *text;
    ngx_realtime_refusal_e   why;
    ngx_realtime_identity_t  id;

    if (pkt->nsp.len != 1) {
        ngx_realtime_count(connects_refused);
        ngx_realtime_log_client(NGX_LOG_INFO, s->transport->log,
                                "CONNECT refused", "unknown namespace",
                                &s->user, NULL);
        ngx_realtime_socket_reject(s, pkt->nsp, "", &invalid, &none);
        return;
    }

    if (s->socket) {
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

    rc = ngx_realtime_socket_authenticate(s, auth, pool, &id, &why, &detail);

    if (rc == NGX_OK) {
        ngx_realtime_socket_accept(s, &id);

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
ngx_realtime_socket_authenticate(ngx_realtime_session_t *s, json_t *auth,
    ngx_pool_t *pool, ngx_realtime_identity_t *id,
    ngx_realtime_refusal_e *why, const char **detail)
{
    json_t     *value;
    ngx_int_t   rc;
    ngx_str_t   token;
    ngx_uint_t  i;

    value = json_object_get(auth, "token");

    for (i = 0; i < s->conf->auth->nsources; i++) {
        if (s->conf->auth->sources[i] == NGX_REALTIME_TOKEN_AUTH) {
            break;
        }
    }

    if (i == s->conf->auth->nsources || json_is_null(value)) {
        value = NULL;
    }

    if (value) {
        token.data = (u_char *) json_string_value(value);
        token.len = json_string_length(value);

        if (token.len == 0) {
            *why = json_is_string(value) ? NGX_REALTIME_R_TOKEN_MISSING
                                         : NGX_REALTIME_R_TOKEN_INVALID;
            *detail = "auth.token is not a token";
            return NGX_DECLINED;
        }

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

    } else {
        *why = NGX_REALTIME_R_TOKEN_MISSING;
        *detail = "no access token";
        return NGX_DECLINED;
    }

    value = json_object_get(auth, "userId");

    if (value && !json_is_null(value)
        && !(json_string_length(value) == id->user.len
             && ngx_memcmp(json_string_value(value), id->user.data,
                           id->user.len) == 0))
    {
        *why = NGX_REALTIME_R_TOKEN_PAYLOAD;
        *detail = "auth.userId is not the user of the token";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static void
ngx_realtime_socket_accept(ngx_realtime_session_t *s,
    ngx_realtime_identity_t *id)
{
    u_char                 *p;
    ngx_realtime_msg_t     *m;
    ngx_realtime_socket_t  *sk;

    sk = ngx_realtime_socket_create(s, id);
    if (sk == NULL) {
        ngx_realtime_session_close(s, RT_WS_INTERNAL, "no memory");
        return;
    }

    ngx_log_error(NGX_LOG_INFO, s->transport->log, 0,
                  "realtime: connected, user: \"%V\", socket: \"%V\", "
                  "slot: %i", &sk->identity.user, &sk->id, ngx_realtime_slot);

    m = ngx_realtime_msg_alloc(sizeof("40{\"sid\":\"\"}") - 1
                               + NGX_REALTIME_SID_LEN, s->transport->log);
    if (m) {
        p = ngx_cpymem(ngx_realtime_msg_payload(m), "40{\"sid\":\"", 10);
        p = ngx_cpymem(p, sk->sid, NGX_REALTIME_SID_LEN);
        (void) ngx_cpymem(p, "\"}", 2);

        ngx_realtime_socket_send(sk, m);
        ngx_realtime_msg_unref(m);
    }

    ngx_realtime_session_rearm(s);
    ngx_realtime_socket_ops->connected(sk);
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


static ngx_realtime_socket_t *
ngx_realtime_socket_create(ngx_realtime_session_t *s,
    ngx_realtime_identity_t *id)
{
    ngx_realtime_socket_t  *sk;

    sk = ngx_calloc(sizeof(ngx_realtime_socket_t) + id->user.len,
                    s->transport->log);
    if (sk == NULL) {
        return NULL;
    }

    sk->session = s;
    sk->id.data = sk->sid;
    sk->id.len = sizeof(sk->sid);
    sk->identity.expires = id->expires;
    sk->identity.user.len = id->user.len;
    sk->identity.user.data = (u_char *) sk + sizeof(ngx_realtime_socket_t);
    ngx_memcpy(sk->identity.user.data, id->user.data, id->user.len);

    if (ngx_realtime_session_id(sk->sid) != NGX_OK
        || ngx_realtime_socket_enter(sk) != NGX_OK)
    {
        ngx_free(sk);
        return NULL;
    }

    s->socket = sk;

    ngx_realtime_gauge_inc(sockets);
    ngx_realtime_count(connects);

    return sk;
}


/* a seat in the user's room and a place in the table */

static ngx_int_t
ngx_realtime_socket_enter(ngx_realtime_socket_t *sk)
{
    u_char                        name[NGX_REALTIME_ROOM_USER_MAX];
    ngx_str_t                     room;
    ngx_realtime_socket_entry_t  *e;

    if (ngx_realtime_sockets_free == NGX_REALTIME_SOCKETS_END
        && ngx_realtime_socket_grow() != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_realtime_room_of_user(&room, name, &sk->identity.user) != NGX_OK
        || ngx_realtime_room_join(&sk->seat, &room, sk) != NGX_OK)
    {
        return NGX_ERROR;
    }

    sk->ref.index = ngx_realtime_sockets_free;

    e = &ngx_realtime_sockets[sk->ref.index];

    ngx_realtime_sockets_free = e->next;

    e->socket = sk;
    e->generation++;
    sk->ref.generation = e->generation;

    return NGX_OK;
}


static ngx_int_t
ngx_realtime_socket_grow(void)
{
    uint32_t                      i, size;
    ngx_realtime_socket_entry_t  *e;

    size = ngx_realtime_sockets_size ? ngx_realtime_sockets_size * 2 : 64;

    e = realloc(ngx_realtime_sockets,
                size * sizeof(ngx_realtime_socket_entry_t));
    if (e == NULL) {
        return NGX_ERROR;
    }

    for (i = ngx_realtime_sockets_size; i < size; i++) {
        e[i].socket = NULL;
        e[i].generation = 0;
        e[i].next = (i + 1 < size) ? i + 1 : NGX_REALTIME_SOCKETS_END;
    }

    ngx_realtime_sockets_free = ngx_realtime_sockets_size;
    ngx_realtime_sockets = e;
    ngx_realtime_sockets_size = size;

    return NGX_OK;
}


void
ngx_realtime_socket_destroy(ngx_realtime_socket_t *sk)
{
    ngx_realtime_socket_entry_t  *e;

    ngx_realtime_room_leave(&sk->seat);

    e = &ngx_realtime_sockets[sk->ref.index];

    e->socket = NULL;
    e->generation++;
    e->next = ngx_realtime_sockets_free;
    ngx_realtime_sockets_free = sk->ref.index;

    sk->session->socket = NULL;

    ngx_realtime_gauge_dec(sockets);

    ngx_free(sk);
}


ngx_realtime_socket_t *
ngx_realtime_socket_find(ngx_realtime_ref_t ref)
{
    ngx_realtime_socket_entry_t  *e;

    if (ref.index >= ngx_realtime_sockets_size) {
        return NULL;
    }

    e = &ngx_realtime_sockets[ref.index];

    return (e->generation == ref.generation) ? e->socket : NULL;
}


void
ngx_realtime_socket_send(ngx_realtime_socket_t *sk, ngx_realtime_msg_t *m)
{
    ngx_realtime_transport_t  *t;

    t = sk->session->transport;
    t->ops->send(t, m);
}


void
ngx_realtime_socket_emit(ngx_realtime_socket_t *sk, const char *event,
    ngx_str_t *data)
{
    ngx_realtime_msg_t  *m;

    m = ngx_realtime_msg_event(event, data, sk->session->transport->log);

    if (m) {
        ngx_realtime_socket_send(sk, m);
        ngx_realtime_msg_unref(m);
    }
}


void
ngx_realtime_socket_ack(ngx_realtime_socket_t *sk, uint64_t id,
    ngx_str_t *arg)
{
    u_char              *p, head[32];
    size_t               len;
    rt_str_t             nsp = { 1, (const uint8_t *) "/" };
    ngx_realtime_msg_t  *m;

    head[0] = '4';
    len = 1 + rt_sio_header(head + 1, RT_SIO_ACK, nsp, 1, id);

    m = ngx_realtime_msg_alloc(len + arg->len + 2,
                               sk->session->transport->log);
    if (m == NULL) {
        return;
    }

    p = ngx_cpymem(ngx_realtime_msg_payload(m), head, len);
    *p++ = '[';
    p = ngx_cpymem(p, arg->data, arg->len);
    *p = ']';

    ngx_realtime_socket_send(sk, m);
    ngx_realtime_msg_unref(m);
}


static ngx_str_t *
ngx_realtime_socket_sid(void *member)
{
    ngx_realtime_socket_t  *sk = member;

    return &sk->id;
}


static void
ngx_realtime_socket_deliver(void *member, ngx_realtime_msg_t *m)
{
    ngx_realtime_socket_send(member, m);
}
