
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
 * Ageing is up to two ticks late.  With intervals as short as those of the
 * conformance suites this matters, so the first ping is that much earlier,
 * and the time that a ping was late is taken off the time for the pong: a
 * session without a pong is over when interval and timeout have passed.
 *
 * Each session has one ageing entry for the nearest of: ping, pong, CONNECT,
 * expiry of its token and the warning before it, drain.
 *
 * Drain.  In an exiting worker every session has a random moment to leave:
 * the client is told to go (1001, a Close packet) and comes back to another
 * worker.  What it sent before it heard is dealt with for a little longer.
 *
 * Ownership.  The session belongs to its transport: when the transport says
 * "closed", or the session closes it, the session is freed.  An upcall of the
 * transport may thus free the session that it is for; transports allow that.
 */


#include "ngx_realtime_acks.h"
#include "ngx_realtime_counter.h"
#include "ngx_realtime_expiry.h"
#include "ngx_realtime_log.h"
#include "ngx_realtime_moved.h"
#include "ngx_realtime_people.h"
#include "ngx_realtime_random.h"
#include "ngx_realtime_recovery.h"
#include "ngx_realtime_session.h"
#include "ngx_realtime_slot.h"
#include "rt_eio.h"
#include "rt_ws.h"

#include <openssl/crypto.h>


/*
 * Sessions of a worker stand in a table.  A sid is base64url of
 *
 *   slot (1)  index (3)  place (2)  random (9)
 *
 * so that every worker can tell which one to ask, and whether the location of
 * a request is that which has let the session in.  72 random bits make it a
 * secret; the rest is none, but no other will do.
 */

#define NGX_REALTIME_SESSION_LATE  (2 * NGX_REALTIME_AGE_TICK)     /* ms */
#define NGX_REALTIME_SESSION_LEAVE 3000    /* ms, for last words */
#define NGX_REALTIME_SESSION_FETCH 2000    /* ms, to be told to go */

#define NGX_REALTIME_SID_BYTES     15
#define NGX_REALTIME_SID_PLACE     4       /* where it begins */
#define NGX_REALTIME_SESSIONS_MAX  0xffffff


static void ngx_realtime_session_packet(void *data, u_char *p, size_t len,
    ngx_uint_t binary);
static void ngx_realtime_session_closed(void *data, const char *reason);
static ngx_int_t ngx_realtime_session_base64(u_char **p, size_t *len);
static void ngx_realtime_session_echo(ngx_realtime_session_t *s, u_char *p,
    size_t len, ngx_uint_t binary);
static ngx_uint_t ngx_realtime_session_unconnected(ngx_realtime_session_t *s);
static ngx_int_t ngx_realtime_session_enter(ngx_realtime_session_t *s,
    uint16_t place);
static void ngx_realtime_session_age(ngx_realtime_age_t *age);
static void ngx_realtime_session_ping(ngx_realtime_session_t *s);
static void ngx_realtime_session_drain(void);
static void ngx_realtime_session_drain_one(ngx_realtime_session_t *s);
static void ngx_realtime_session_leave(ngx_realtime_session_t *s);


static const ngx_realtime_transport_up_t  ngx_realtime_session_up = {
    ngx_realtime_session_packet,
    ngx_realtime_session_closed
};


static ngx_queue_t           ngx_realtime_sessions;
static ngx_uint_t            ngx_realtime_sessions_n;
static ngx_realtime_table_t  ngx_realtime_session_table;
static ngx_realtime_msg_t   *ngx_realtime_session_ping_msg;

/* once the worker exits */
static ngx_uint_t            ngx_realtime_session_draining;
static ngx_msec_t            ngx_realtime_session_drain_by;
static ngx_msec_t            ngx_realtime_session_last_words =
    NGX_REALTIME_SESSION_LEAVE;
static ngx_msec_t            ngx_realtime_session_exit_by;  /* 0: no limit */


#define ngx_realtime_session_past(at)                                         \
    ((ngx_msec_int_t) ((at) - ngx_current_msec) <= 0)


ngx_int_t
ngx_realtime_session_init(ngx_cycle_t *cycle,
    const ngx_realtime_session_ops_t *ops)
{
    ngx_realtime_msg_t  *m;

    ngx_queue_init(&ngx_realtime_sessions);
    ngx_realtime_session_table.max = NGX_REALTIME_SESSIONS_MAX;

    m = ngx_realtime_msg_alloc(1, cycle->log);
    if (m == NULL) {
        return NGX_ERROR;
    }

    *ngx_realtime_msg_payload(m) = RT_EIO_PING;
    ngx_realtime_session_ping_msg = m;

    ngx_realtime_age_on_exiting(ngx_realtime_session_drain);

    if (ngx_realtime_people_init(cycle) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_realtime_socket_init(cycle, ops);
}


ngx_int_t
ngx_realtime_session_random(u_char *sid, ngx_log_t *log)
{
    u_char     random[NGX_REALTIME_SID_BYTES];
    ngx_str_t  in, out;

    if (ngx_realtime_random(random, sizeof(random), log) != NGX_OK) {
        return NGX_ERROR;
    }

    in.data = random;
    in.len = sizeof(random);
    out.data = sid;

    ngx_encode_base64url(&out, &in);

    return NGX_OK;
}


/* a place in the table, and the sid that leads to it */

static ngx_int_t
ngx_realtime_session_enter(ngx_realtime_session_t *s, uint16_t place)
{
    u_char     raw[NGX_REALTIME_SID_BYTES];
    ngx_str_t  in, out;

    if (ngx_realtime_random(raw, sizeof(raw), s->log) != NGX_OK
        || ngx_realtime_table_add(&ngx_realtime_session_table, s, &s->ref)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    raw[0] = (u_char) ngx_realtime_slot;
    raw[1] = (u_char) (s->ref.index >> 16);
    raw[2] = (u_char) (s->ref.index >> 8);
    raw[3] = (u_char) s->ref.index;
    ngx_memcpy(raw + NGX_REALTIME_SID_PLACE, &place, sizeof(place));

    in.data = raw;
    in.len = sizeof(raw);
    out.data = s->sid;

    ngx_encode_base64url(&out, &in);

    return NGX_OK;
}


ngx_realtime_session_t *
ngx_realtime_session_find(ngx_realtime_ref_t ref)
{
    return ngx_realtime_table_find(&ngx_realtime_session_table, ref);
}


ngx_realtime_session_t *
ngx_realtime_session_by_sid(const u_char *sid)
{
    u_char                   raw[NGX_REALTIME_SID_BYTES + 1];
    ngx_str_t                in, out;
    ngx_realtime_session_t  *s;

    in.data = (u_char *) sid;
    in.len = NGX_REALTIME_SID_LEN;
    out.data = raw;

    if (ngx_decode_base64url(&out, &in) != NGX_OK) {
        return NULL;
    }

    s = ngx_realtime_table_at(&ngx_realtime_session_table,
                              raw[1] << 16 | raw[2] << 8 | raw[3]);

    if (s == NULL
        || CRYPTO_memcmp(s->sid, sid, NGX_REALTIME_SID_LEN) != 0)
    {
        return NULL;
    }

    return s;
}


ngx_int_t
ngx_realtime_session_slot(ngx_str_t *sid, ngx_uint_t *slot)
{
    u_char     raw[NGX_REALTIME_SID_BYTES + 1];
    ngx_str_t  out;

    out.data = raw;

    if (sid->len != NGX_REALTIME_SID_LEN
        || ngx_decode_base64url(&out, sid) != NGX_OK
        || raw[0] >= NGX_REALTIME_SLOTS)
    {
        return NGX_ERROR;
    }

    *slot = raw[0];

    return NGX_OK;
}


/* the same in every worker, and after a reload */

uint16_t
ngx_realtime_session_place(ngx_http_request_t *r)
{
    uint32_t                   crc;
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_core_srv_conf_t  *cscf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    ngx_crc32_init(crc);
    ngx_crc32_update(&crc, cscf->server_name.data, cscf->server_name.len);
    ngx_crc32_update(&crc, (u_char *) " ", 1);
    ngx_crc32_update(&crc, clcf->name.data, clcf->name.len);
    ngx_crc32_final(crc);

    return (uint16_t) (crc ^ crc >> 16);
}


ngx_int_t
ngx_realtime_session_here(ngx_str_t *sid, ngx_http_request_t *r)
{
    u_char     raw[NGX_REALTIME_SID_BYTES + 1];
    uint16_t   place;
    ngx_str_t  out;

    out.data = raw;

    if (ngx_decode_base64url(&out, sid) != NGX_OK) {
        return NGX_ERROR;
    }

    place = ngx_realtime_session_place(r);

    return ngx_memcmp(raw + NGX_REALTIME_SID_PLACE, &place, sizeof(place))
           ? NGX_ERROR : NGX_OK;
}


ngx_realtime_session_t *
ngx_realtime_session_create(ngx_realtime_transport_t *t,
    ngx_realtime_loc_conf_t *conf, uint16_t place,
    ngx_realtime_identity_t *id)
{
    ngx_realtime_session_t  *s;

    s = ngx_calloc(sizeof(ngx_realtime_session_t) + id->user.len, t->log);
    if (s == NULL) {
        return NULL;
    }

    s->log = ngx_cycle->log;

    if (ngx_realtime_session_enter(s, place) != NGX_OK) {
        ngx_free(s);
        return NULL;
    }

    s->conf = conf;
    s->place = place;
    ngx_queue_init(&s->sockets);

    s->user.data = (u_char *) s + sizeof(ngx_realtime_session_t);
    s->user.len = id->user.len;
    s->expires = id->expires;
    s->issued = id->issued;
    s->notifies = id->notifies;
    ngx_memcpy(s->jti, id->jti, NGX_REALTIME_JTI_LEN);

    if (id->user.len) {
        ngx_memcpy(s->user.data, id->user.data, id->user.len);
    }

    s->age.handler = ngx_realtime_session_age;
    s->connect_by = ngx_current_msec + conf->connect_timeout;
    s->ping_at = ngx_current_msec + conf->ping_interval
                 - ngx_min(NGX_REALTIME_SESSION_LATE, conf->ping_interval / 3)
                 - ngx_random() % (conf->ping_interval / 8 + 1);

    ngx_queue_insert_tail(&ngx_realtime_sessions, &s->queue);
    ngx_realtime_sessions_n++;

    ngx_realtime_gauge_inc(connections);
    ngx_realtime_age_hold();

    ngx_realtime_session_attach(s, t);

    if (ngx_realtime_session_draining) {
        /* its request had come before the worker was told to exit */
        ngx_realtime_session_drain_one(s);
    }

    ngx_realtime_session_rearm(s);

    return s;
}


void
ngx_realtime_session_attach(ngx_realtime_session_t *s,
    ngx_realtime_transport_t *t)
{
    s->transport = t;

    t->up = &ngx_realtime_session_up;
    t->session = s;
}


void
ngx_realtime_session_open(ngx_realtime_session_t *s, ngx_uint_t upgrades)
{
    size_t               len;
    u_char               buf[RT_EIO_OPEN_MAX];
    rt_eio_open_t        open;
    ngx_realtime_msg_t  *m;

    open.sid.data = s->sid;
    open.sid.len = sizeof(s->sid);
    open.upgrades = upgrades ? 1 : 0;
    open.ping_interval = s->conf->ping_interval;
    open.ping_timeout = s->conf->ping_timeout;
    open.max_payload = s->conf->max_payload;

    len = rt_eio_open(buf, sizeof(buf), &open);

    m = ngx_realtime_msg_alloc(len, s->log);
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

    if (s->kicked) {

        if (!binary && len == 1 && *p == RT_EIO_CLOSE) {
            ngx_realtime_session_close(s, RT_WS_NO_STATUS, "client close");
        }

        return;
    }

    if (!binary && len && *p == RT_EIO_BASE64) {

        if (ngx_realtime_session_base64(&p, &len) != NGX_OK) {
            ngx_realtime_session_refuse(s, "an attachment that is no base64");
            return;
        }

        binary = 1;
    }

    if (s->conf->echo == NGX_REALTIME_ECHO_ENGINE
        && (binary || (len && *p == RT_EIO_MESSAGE)))
    {
        ngx_realtime_session_echo(s, p, len, binary);
        return;
    }

    if (binary) {
        ngx_realtime_socket_attachment(s, p, len);
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


/* on a WebSocket, from a client with "forceBase64"; one packet, in place */

static ngx_int_t
ngx_realtime_session_base64(u_char **p, size_t *len)
{
    u_char    *pos, *last;
    rt_str_t   bytes;
    unsigned   binary;

    pos = *p;
    last = pos + *len;

    if (rt_eio_next(&pos, last, &bytes, &binary) != RT_OK || pos != last) {
        return NGX_ERROR;
    }

    *p = (u_char *) bytes.data;
    *len = bytes.len;

    return NGX_OK;
}


/* "realtime_socket echo=engine" */

static void
ngx_realtime_session_echo(ngx_realtime_session_t *s, u_char *p, size_t len,
    ngx_uint_t binary)
{
    ngx_realtime_msg_t  *m;

    m = ngx_realtime_msg_copy(p, len, binary, s->log);

    if (m) {
        s->transport->ops->send(s->transport, m);
        ngx_realtime_msg_unref(m);
    }
}


static void
ngx_realtime_session_closed(void *data, const char *reason)
{
    ngx_realtime_session_t  *s = data;

    s->transport = NULL;

    ngx_realtime_session_free(s, s->left ? "server shutting down" : reason);
}


void
ngx_realtime_session_close(ngx_realtime_session_t *s, ngx_uint_t code,
    const char *reason)
{
    ngx_realtime_transport_t  *t;

    t = s->transport;

    /* first the words, which name the client by its connection's log */

    ngx_realtime_session_free(s, reason);

    if (t) {
        t->ops->close(t, code);
    }
}


/*
 * The session is one that drains from now on.  With a WebSocket the client is
 * to close it at once; one that polls has to fetch the word first: its stock
 * client does not understand it together with the end of the transport.
 */

ngx_uint_t
ngx_realtime_session_kick(ngx_realtime_session_t *s, const char *reason)
{
    ngx_uint_t              n;
    ngx_realtime_socket_t  *sk;

    for (n = 0; !ngx_queue_empty(&s->sockets); n++) {

        sk = ngx_queue_data(ngx_queue_head(&s->sockets),
                            ngx_realtime_socket_t, queue);

        ngx_log_error(NGX_LOG_INFO, ngx_realtime_session_log(s), 0,
                      "realtime: disconnected: %s, user: \"%V\", "
                      "socket: \"%V\", slot: %i", reason,
                      &sk->identity.user, &sk->id, ngx_realtime_slot);

        ngx_realtime_socket_dismiss(sk);
        ngx_realtime_recovery_end(sk);
        ngx_realtime_socket_destroy(sk);
    }

    s->kicked = 1;
    s->drain = 1;
    s->drain_at = ngx_current_msec + NGX_REALTIME_SESSION_FETCH;

    if (!ngx_realtime_polling_is(s->transport)) {
        s->left = 1;
        s->transport->ops->leave(s->transport, RT_WS_NO_STATUS);
    }

    ngx_realtime_session_rearm(s);

    return n;
}


void
ngx_realtime_session_refuse(ngx_realtime_session_t *s, const char *why)
{
    ngx_realtime_count(protocol_errors);
    ngx_realtime_log_client(NGX_LOG_INFO, ngx_realtime_session_log(s),
                            "session refused", why,
                            ngx_realtime_session_user(s),
                            ngx_realtime_session_socket_id(s));

    /* as the reference server does: a Close without a status, 1005 */
    ngx_realtime_session_close(s, RT_WS_NO_STATUS, "parse error");
}


void
ngx_realtime_session_close_all(void)
{
    ngx_queue_t             *q;
    ngx_realtime_session_t  *s;

    ngx_realtime_moved_remove_all();

    while (!ngx_queue_empty(&ngx_realtime_sessions)) {
        q = ngx_queue_head(&ngx_realtime_sessions);
        s = ngx_queue_data(q, ngx_realtime_session_t, queue);
        ngx_realtime_session_close(s, RT_WS_GOING_AWAY, "missed messages");
    }
}


void
ngx_realtime_session_free(ngx_realtime_session_t *s, const char *reason)
{
    ngx_queue_t            *q;
    ngx_realtime_socket_t  *sk;

    while (!ngx_queue_empty(&s->sockets)) {

        q = ngx_queue_head(&s->sockets);
        sk = ngx_queue_data(q, ngx_realtime_socket_t, queue);

        if (reason) {
            ngx_log_error(NGX_LOG_INFO, ngx_realtime_session_log(s), 0,
                          "realtime: disconnected: %s, user: \"%V\", "
                          "socket: \"%V\", slot: %i", reason,
                          &sk->identity.user, &sk->id, ngx_realtime_slot);
        }

        ngx_realtime_socket_destroy(sk);
    }

    ngx_realtime_socket_forget_pending(s);
    ngx_realtime_detour_free(s);

    ngx_realtime_age_unset(&s->age);
    ngx_realtime_age_release();

    ngx_realtime_table_remove(&ngx_realtime_session_table, s->ref);

    ngx_queue_remove(&s->queue);
    ngx_realtime_sessions_n--;
    ngx_realtime_gauge_dec(connections);

    ngx_realtime_detour_tell_end(s);

    ngx_free(s);
}


ngx_log_t *
ngx_realtime_session_log(ngx_realtime_session_t *s)
{
    return s->transport ? s->transport->log : s->log;
}


ngx_str_t *
ngx_realtime_session_user(ngx_realtime_session_t *s)
{
    ngx_realtime_socket_t  *sk;

    if (ngx_queue_empty(&s->sockets)) {
        return &s->user;
    }

    sk = ngx_queue_data(ngx_queue_head(&s->sockets), ngx_realtime_socket_t,
                        queue);

    return &sk->identity.user;
}


ngx_str_t *
ngx_realtime_session_socket_id(ngx_realtime_session_t *s)
{
    ngx_realtime_socket_t  *sk;

    if (ngx_queue_empty(&s->sockets)) {
        return NULL;
    }

    sk = ngx_queue_data(ngx_queue_head(&s->sockets), ngx_realtime_socket_t,
                        queue);

    return &sk->id;
}


static ngx_uint_t
ngx_realtime_session_unconnected(ngx_realtime_session_t *s)
{
    return ngx_queue_empty(&s->sockets)
           && !s->kicked
           && s->conf->echo != NGX_REALTIME_ECHO_ENGINE;
}


void
ngx_realtime_session_rearm(ngx_realtime_session_t *s)
{
    ngx_msec_int_t  delay, d;

    delay = (s->pinged ? s->pong_by : s->ping_at) - ngx_current_msec;

    if (ngx_realtime_session_unconnected(s)) {
        d = s->connect_by - ngx_current_msec;
        delay = ngx_min(delay, d);
    }

    if (s->drain) {
        d = s->drain_at - ngx_current_msec;
        delay = ngx_min(delay, d);
    }

    d = ngx_realtime_expiry_delay(s);
    delay = ngx_min(delay, d);

    ngx_realtime_age_set(&s->age, ngx_max(delay, 0));
}


static void
ngx_realtime_session_age(ngx_realtime_age_t *age)
{
    ngx_realtime_session_t  *s;

    s = ngx_queue_data(age, ngx_realtime_session_t, age);

    if (s->drain && ngx_realtime_session_past(s->drain_at)) {
        ngx_realtime_session_leave(s);
        return;
    }

    if (ngx_realtime_session_unconnected(s)
        && ngx_realtime_session_past(s->connect_by))
    {
        ngx_realtime_count(connect_timeouts);
        ngx_realtime_log_client(NGX_LOG_INFO, ngx_realtime_session_log(s),
                                "session closed", "no CONNECT in time",
                                &s->user, NULL);
        ngx_realtime_session_close(s, RT_WS_NO_STATUS, "connect timeout");
        return;
    }

    if (ngx_realtime_expiry_check(s) == NGX_DONE) {
        return;
    }

    if (s->pinged && ngx_realtime_session_past(s->pong_by)) {
        ngx_realtime_count(ping_timeouts);
        ngx_realtime_log_client(NGX_LOG_INFO, ngx_realtime_session_log(s),
                                "session closed", "no pong in time",
                                ngx_realtime_session_user(s),
                                ngx_realtime_session_socket_id(s));
        ngx_realtime_session_close(s, RT_WS_NO_STATUS, "ping timeout");
        return;
    }

    ngx_realtime_session_ping(s);
    ngx_realtime_session_rearm(s);
}


static void
ngx_realtime_session_ping(ngx_realtime_session_t *s)
{
    ngx_msec_t  late;

    if (s->pinged || !ngx_realtime_session_past(s->ping_at)) {
        return;
    }

    late = ngx_current_msec - s->ping_at;
    late = ngx_min(late, NGX_REALTIME_SESSION_LATE);
    late = ngx_min(late, s->conf->ping_timeout / 2);

    s->ping_at = ngx_current_msec + s->conf->ping_interval;

    if (s->transport == NULL) {
        /* moving: the new owner pings */
        return;
    }

    s->pinged = 1;
    s->pong_by = ngx_current_msec + s->conf->ping_timeout - late;

    s->transport->ops->send(s->transport, ngx_realtime_session_ping_msg);
}


/*
 * The worker exits (a reload): its sessions leave one after the other, at
 * random moments within realtime_drain_timeout, so that the clients do not
 * come back to the new workers all at once; and all of them before nginx's
 * worker_shutdown_timeout cuts off what is left.
 */

static void
ngx_realtime_session_drain(void)
{
    ngx_msec_t                 window, words, limit;
    ngx_queue_t               *q;
    ngx_core_conf_t           *ccf;
    ngx_realtime_session_t    *s;
    ngx_realtime_main_conf_t  *rmcf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(ngx_cycle->conf_ctx,
                                           ngx_core_module);
    rmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_realtime_module);
    window = rmcf->drain_timeout;
    words = NGX_REALTIME_SESSION_LEAVE;
    limit = ccf->shutdown_timeout;

    if (limit) {
        words = ngx_min(words, limit / 4);
        window = ngx_min(window, limit - words);
        ngx_realtime_session_exit_by = ngx_current_msec + limit;
    }

    ngx_realtime_acks_drain();

    ngx_realtime_session_draining = 1;
    ngx_realtime_session_drain_by = ngx_current_msec + window;
    ngx_realtime_session_last_words = words;

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

        if (ngx_realtime_detour_is_ghost(s)) {
            /* has moved, and goes when it has forwarded what it owes */
            ngx_realtime_age_set(&s->age, ngx_realtime_session_within(
                                     s->age.at - ngx_current_msec));
            continue;
        }

        ngx_realtime_session_drain_one(s);
        ngx_realtime_session_rearm(s);
    }
}


ngx_msec_t
ngx_realtime_session_within(ngx_msec_int_t delay)
{
    ngx_msec_int_t  left;

    if (ngx_realtime_session_exit_by) {
        left = ngx_realtime_session_exit_by - ngx_current_msec;
        delay = ngx_min(delay, left);
    }

    return ngx_max(delay, 0);
}


static void
ngx_realtime_session_drain_one(ngx_realtime_session_t *s)
{
    ngx_msec_int_t  left;

    left = ngx_realtime_session_drain_by - ngx_current_msec;

    if (s->kicked) {
        left = ngx_min(left, NGX_REALTIME_SESSION_FETCH);
    }

    s->drain = 1;
    s->drain_at = ngx_current_msec
                  + (left > 0 ? ngx_random() % (left + 1) : 0);
}


/* first the word to go, and a while later the end, whatever was heard */

static void
ngx_realtime_session_leave(ngx_realtime_session_t *s)
{
    if (s->left || s->transport == NULL) {
        ngx_realtime_session_close(s, RT_WS_GOING_AWAY,
                                   "server shutting down");
        return;
    }

    s->left = 1;
    s->drain_at = ngx_current_msec + ngx_realtime_session_last_words;

    s->transport->ops->leave(s->transport, RT_WS_GOING_AWAY);

    ngx_realtime_session_rearm(s);
}
