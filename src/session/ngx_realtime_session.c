
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Engine.IO 4: heartbeat, packets, the end.
 *
 * Heartbeat.  A ping goes out every ping_interval, whatever else is sent: the
 * stock client's own 45 s timer is reset by pings alone.  The first is a
 * little early by chance, so that clients that came together do not ping
 * together.  No pong within ping_timeout ends the session.
 *
 * Each session has one ageing entry for the nearest of: ping, pong, CONNECT,
 * expiry of its token, drain.
 *
 * Ownership.  The session belongs to its transport: when the transport says
 * "closed", or the session closes it, the session is freed.  An upcall of the
 * transport may thus free the session that it is for; transports allow that.
 */


#include "ngx_realtime_counter.h"
#include "ngx_realtime_log.h"
#include "ngx_realtime_session.h"
#include "ngx_realtime_slot.h"
#include "rt_eio.h"
#include "rt_ws.h"

#include <openssl/rand.h>


static void ngx_realtime_session_packet(void *data, u_char *p, size_t len,
    ngx_uint_t binary);
static void ngx_realtime_session_closed(void *data, const char *reason);
static void ngx_realtime_session_free(ngx_realtime_session_t *s,
    const char *reason);
static void ngx_realtime_session_open(ngx_realtime_session_t *s);
static void ngx_realtime_session_age(ngx_realtime_age_t *age);
static ngx_uint_t ngx_realtime_session_expired(ngx_realtime_session_t *s);
static void ngx_realtime_session_expire(ngx_realtime_session_t *s);
static void ngx_realtime_session_drain(void);


static const ngx_realtime_transport_up_t  ngx_realtime_session_up = {
    ngx_realtime_session_packet,
    ngx_realtime_session_closed
};


static ngx_queue_t          ngx_realtime_sessions;
static ngx_uint_t           ngx_realtime_sessions_n;
static ngx_realtime_msg_t  *ngx_realtime_session_ping;


ngx_int_t
ngx_realtime_session_init(ngx_cycle_t *cycle,
    const ngx_realtime_session_ops_t *ops)
{
    ngx_realtime_msg_t  *m;

    ngx_queue_init(&ngx_realtime_sessions);

    m = ngx_realtime_msg_alloc(1, cycle->log);
    if (m == NULL) {
        return NGX_ERROR;
    }

    *ngx_realtime_msg_payload(m) = RT_EIO_PING;
    ngx_realtime_session_ping = m;

    ngx_realtime_age_on_exiting(ngx_realtime_session_drain);

    return ngx_realtime_socket_init(cycle, ops);
}


ngx_int_t
ngx_realtime_session_id(u_char *sid)
{
    u_char     random[15];
    ngx_str_t  in, out;

    if (RAND_bytes(random, sizeof(random)) != 1) {
        return NGX_ERROR;
    }

    in.data = random;
    in.len = sizeof(random);
    out.data = sid;

    ngx_encode_base64url(&out, &in);

    return NGX_OK;
}


ngx_realtime_session_t *
ngx_realtime_session_create(ngx_realtime_transport_t *t,
    ngx_realtime_loc_conf_t *conf, ngx_str_t *user, time_t expires)
{
    ngx_realtime_session_t  *s;

    s = ngx_calloc(sizeof(ngx_realtime_session_t) + user->len, t->log);
    if (s == NULL) {
        return NULL;
    }

    if (ngx_realtime_session_id(s->sid) != NGX_OK) {
        ngx_free(s);
        return NULL;
    }

    s->transport = t;
    s->conf = conf;

    s->user.data = (u_char *) s + sizeof(ngx_realtime_session_t);
    s->user.len = user->len;

    if (user->len) {
        /* else data is NULL: the token comes with CONNECT */
        ngx_memcpy(s->user.data, user->data, user->len);
    }

    s->expires = expires;

    s->age.handler = ngx_realtime_session_age;
    s->connect_by = ngx_current_msec + conf->connect_timeout;
    s->ping_at = ngx_current_msec + conf->ping_interval
                 - ngx_random() % (conf->ping_interval / 8 + 1);

    t->up = &ngx_realtime_session_up;
    t->session = s;

    ngx_queue_insert_tail(&ngx_realtime_sessions, &s->queue);
    ngx_realtime_sessions_n++;

    ngx_realtime_gauge_inc(connections);
    ngx_realtime_count(handshakes);
    ngx_realtime_age_hold();

    ngx_realtime_session_open(s);
    ngx_realtime_session_rearm(s);

    return s;
}


static void
ngx_realtime_session_open(ngx_realtime_session_t *s)
{
    size_t               len;
    u_char               buf[RT_EIO_OPEN_MAX];
    rt_eio_open_t        open;
    ngx_realtime_msg_t  *m;

    open.sid.data = s->sid;
    open.sid.len = sizeof(s->sid);
    open.upgrades = 0;
    open.ping_interval = s->conf->ping_interval;
    open.ping_timeout = s->conf->ping_timeout;
    open.max_payload = s->conf->max_payload;

    len = rt_eio_open(buf, sizeof(buf), &open);

    m = ngx_realtime_msg_alloc(len, s->transport->log);
    if (m) {
        ngx_memcpy(ngx_realtime_msg_payload(m), buf, len);
        s->transport->ops->send(s->transport, m);
        ngx_realtime_msg_unref(m);
    }
}


static void
ngx_realtime_session_packet(void *data, u_char *p, size_t len,
    ngx_uint_t binary)
{
    ngx_realtime_session_t  *s = data;

    rt_eio_packet_t  pkt;

    if (binary) {
        ngx_realtime_session_refuse(s, "an attachment that no packet "
                                       "announced");
        return;
    }

    if (rt_eio_parse(&pkt, p, len) != RT_OK) {
        ngx_realtime_session_refuse(s, "not an Engine.IO packet");
        return;
    }

    switch (pkt.type) {

    case RT_EIO_MESSAGE:
        ngx_realtime_socket_packet(s, p + 1, len - 1);
        return;

    case RT_EIO_PONG:

        if (s->pinged) {
            s->pinged = 0;
            ngx_realtime_session_rearm(s);
        }

        return;

    case RT_EIO_CLOSE:
        ngx_realtime_session_close(s, RT_WS_NO_STATUS, "client close");
        return;

    case RT_EIO_PING:
        ngx_realtime_session_refuse(s, "invalid heartbeat direction");
        return;

    case RT_EIO_NOOP:
        return;

    default:
        /* OPEN is the server's, UPGRADE is for a probing transport */
        ngx_realtime_session_refuse(s, "unexpected Engine.IO packet");
    }
}


static void
ngx_realtime_session_closed(void *data, const char *reason)
{
    ngx_realtime_session_t  *s = data;

    ngx_realtime_session_free(s, reason);
}


void
ngx_realtime_session_close(ngx_realtime_session_t *s, ngx_uint_t code,
    const char *reason)
{
    s->transport->ops->close(s->transport, code);
    ngx_realtime_session_free(s, reason);
}


void
ngx_realtime_session_refuse(ngx_realtime_session_t *s, const char *why)
{
    ngx_realtime_socket_t  *sk;

    sk = s->socket;

    ngx_realtime_count(protocol_errors);
    ngx_realtime_log_client(NGX_LOG_INFO, s->transport->log,
                            "session refused", why,
                            sk ? &sk->identity.user : &s->user,
                            sk ? &sk->id : NULL);

    /* as the reference server does: a Close without a status, 1005 */
    ngx_realtime_session_close(s, RT_WS_NO_STATUS, "parse error");
}


void
ngx_realtime_session_close_all(void)
{
    ngx_queue_t             *q;
    ngx_realtime_session_t  *s;

    while (!ngx_queue_empty(&ngx_realtime_sessions)) {
        q = ngx_queue_head(&ngx_realtime_sessions);
        s = ngx_queue_data(q, ngx_realtime_session_t, queue);
        ngx_realtime_session_close(s, RT_WS_GOING_AWAY, "missed messages");
    }
}


static void
ngx_realtime_session_free(ngx_realtime_session_t *s, const char *reason)
{
    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, s->transport->log, 0,
                   "realtime session closed: %s, socket:%p",
                   reason, s->socket);

    if (s->socket) {
        ngx_log_error(NGX_LOG_INFO, s->transport->log, 0,
                      "realtime: disconnected: %s, user: \"%V\", "
                      "socket: \"%V\", slot: %i", reason,
                      &s->socket->identity.user, &s->socket->id,
                      ngx_realtime_slot);
        ngx_realtime_socket_destroy(s->socket);
    }

    ngx_realtime_age_unset(&s->age);
    ngx_realtime_age_release();

    ngx_queue_remove(&s->queue);
    ngx_realtime_sessions_n--;
    ngx_realtime_gauge_dec(connections);

    ngx_free(s);
}


void
ngx_realtime_session_rearm(ngx_realtime_session_t *s)
{
    time_t          left, expires;
    ngx_msec_int_t  delay, d;

    delay = s->pinged ? (ngx_msec_int_t) (s->pong_by - ngx_current_msec)
                      : (ngx_msec_int_t) (s->ping_at - ngx_current_msec);

    if (s->socket == NULL || s->drain) {
        d = s->connect_by - ngx_current_msec;
        delay = ngx_min(delay, d);
    }

    expires = s->socket ? s->socket->identity.expires : s->expires;

    if (expires) {
        left = expires + s->conf->auth->leeway - ngx_time();

        /* a day at most: milliseconds of a distant year do not fit */
        d = ngx_max(ngx_min(left, 86400), 0) * 1000 + 1;
        delay = ngx_min(delay, d);
    }

    ngx_realtime_age_set(&s->age, ngx_max(delay, 0));
}


static void
ngx_realtime_session_age(ngx_realtime_age_t *age)
{
    ngx_msec_t               now;
    ngx_realtime_session_t  *s;

    s = ngx_queue_data(age, ngx_realtime_session_t, age);
    now = ngx_current_msec;

    if (s->drain && (ngx_msec_int_t) (s->connect_by - now) <= 0) {
        ngx_realtime_session_close(s, RT_WS_GOING_AWAY,
                                   "server shutting down");
        return;
    }

    if (s->socket == NULL && (ngx_msec_int_t) (s->connect_by - now) <= 0) {
        ngx_realtime_count(connect_timeouts);
        ngx_realtime_log_client(NGX_LOG_INFO, s->transport->log,
                                "session closed", "no CONNECT in time",
                                &s->user, NULL);
        ngx_realtime_session_close(s, RT_WS_NO_STATUS, "connect timeout");
        return;
    }

    if (ngx_realtime_session_expired(s)) {
        ngx_realtime_session_expire(s);
        return;
    }

    if (s->pinged && (ngx_msec_int_t) (s->pong_by - now) <= 0) {
        ngx_realtime_count(ping_timeouts);
        ngx_realtime_log_client(NGX_LOG_INFO, s->transport->log,
                                "session closed", "no pong in time",
                                s->socket ? &s->socket->identity.user
                                          : &s->user,
                                s->socket ? &s->socket->id : NULL);
        ngx_realtime_session_close(s, RT_WS_NO_STATUS, "ping timeout");
        return;
    }

    if (!s->pinged && (ngx_msec_int_t) (s->ping_at - now) <= 0) {
        s->pinged = 1;
        s->pong_by = now + s->conf->ping_timeout;
        s->ping_at = now + s->conf->ping_interval;

        s->transport->ops->send(s->transport, ngx_realtime_session_ping);
    }

    ngx_realtime_session_rearm(s);
}


static ngx_uint_t
ngx_realtime_session_expired(ngx_realtime_session_t *s)
{
    time_t  expires;

    expires = s->socket ? s->socket->identity.expires : s->expires;

    return expires && ngx_time() > expires + s->conf->auth->leeway;
}


/* contract, 1: a socket does not outlive its token */

static void
ngx_realtime_session_expire(ngx_realtime_session_t *s)
{
    ngx_str_t  why = ngx_string("{\"code\":\"token_expired\",\"message\":"
                                "\"Authentication error: Invalid or expired "
                                "token\"}");

    ngx_realtime_count(auth_expired);
    ngx_realtime_log_client(NGX_LOG_INFO, s->transport->log,
                            "session closed", "its token expired",
                            s->socket ? &s->socket->identity.user : &s->user,
                            s->socket ? &s->socket->id : NULL);

    if (s->socket) {
        ngx_realtime_socket_emit(s->socket, "error", &why);
    }

    ngx_realtime_session_close(s, RT_WS_POLICY, "token expired");
}


/*
 * The worker exits (a reload): its sessions are closed one after the other,
 * at random moments within realtime_drain_timeout, so that the clients do not
 * come back to the new workers all at once.
 */

static void
ngx_realtime_session_drain(void)
{
    ngx_msec_t                 window;
    ngx_queue_t               *q;
    ngx_realtime_session_t    *s;
    ngx_realtime_main_conf_t  *rmcf;

    rmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_realtime_module);
    window = rmcf->drain_timeout;

    if (ngx_realtime_sessions_n) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "realtime: draining %ui sessions over %M ms",
                      ngx_realtime_sessions_n, window);
    }

    for (q = ngx_queue_head(&ngx_realtime_sessions);
         q != ngx_queue_sentinel(&ngx_realtime_sessions);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_realtime_session_t, queue);

        s->drain = 1;
        s->connect_by = ngx_current_msec + ngx_random() % (window + 1);
        ngx_realtime_session_rearm(s);
    }
}
