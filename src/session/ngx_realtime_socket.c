
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Socket.IO 5: EVENT and ACK with their attachments, DISCONNECT, in each
 * namespace that the location has.  CONNECT is in ngx_realtime_connect.c.
 *
 * A packet is checked and cut up in place (rt_json_check() and friends);
 * nothing is built that is read once.  One with attachments waits, copied,
 * until the last of them is there: no other packet may come in between.
 */


#include "ngx_realtime_acks.h"
#include "ngx_realtime_counter.h"
#include "ngx_realtime_log.h"
#include "ngx_realtime_history.h"
#include "ngx_realtime_pending.h"
#include "ngx_realtime_people.h"
#include "ngx_realtime_presence.h"
#include "ngx_realtime_recovery.h"
#include "ngx_realtime_session.h"
#include "ngx_realtime_slot.h"
#include "rt_json.h"
#include "rt_ws.h"


static void ngx_realtime_socket_complete(ngx_realtime_session_t *s,
    u_char *data, size_t len, ngx_str_t *attachments, ngx_uint_t n);
static void ngx_realtime_socket_event(ngx_realtime_session_t *s,
    ngx_realtime_socket_t *sk, rt_sio_packet_t *pkt, rt_str_t *name,
    ngx_str_t *attachments, ngx_uint_t n);
static void ngx_realtime_socket_disconnect(ngx_realtime_session_t *s,
    ngx_realtime_socket_t *sk);
static ngx_int_t ngx_realtime_socket_enter(ngx_realtime_socket_t *sk);
static void ngx_realtime_socket_is_here(ngx_realtime_socket_t *sk);
static void ngx_realtime_socket_is_gone(ngx_realtime_socket_t *sk);
static void ngx_realtime_socket_write(ngx_realtime_socket_t *sk, u_char type,
    unsigned has_id, uint64_t id, ngx_str_t *args, ngx_str_t *attachments,
    ngx_uint_t n);
static void ngx_realtime_socket_emit_event(ngx_realtime_socket_t *sk,
    const char *event, ngx_str_t *data, unsigned dispensable);
static ngx_str_t *ngx_realtime_socket_sid(void *member);
static ngx_uint_t ngx_realtime_socket_expected(void *member);


static ngx_realtime_room_ops_t  ngx_realtime_socket_room_ops = {
    ngx_realtime_socket_sid,
    ngx_realtime_socket_deliver,
    ngx_realtime_socket_expected
};


static const ngx_realtime_session_ops_t  *ngx_realtime_socket_ops;
static ngx_realtime_table_t               ngx_realtime_sockets;


ngx_int_t
ngx_realtime_socket_init(ngx_cycle_t *cycle,
    const ngx_realtime_session_ops_t *ops)
{
    ngx_realtime_socket_ops = ops;

    return ngx_realtime_room_init(cycle, &ngx_realtime_socket_room_ops);
}


void
ngx_realtime_socket_packet(ngx_realtime_session_t *s, u_char *data,
    size_t len)
{
    const char       *why;
    rt_sio_packet_t   pkt;

    if (s->pending) {
        ngx_realtime_session_refuse(s, "a packet between another one and its "
                                       "attachments");
        return;
    }

    if (rt_sio_parse(&pkt, data, len, &why) != RT_OK) {
        ngx_realtime_session_refuse(s, why);
        return;
    }

    if (pkt.attachments == 0) {
        ngx_realtime_socket_complete(s, data, len, NULL, 0);
        return;
    }

    if (ngx_realtime_pending_create(s, pkt.attachments, data, len) != NGX_OK) {
        ngx_realtime_session_close(s, RT_WS_INTERNAL, "no memory");
    }
}


void
ngx_realtime_socket_attachment(ngx_realtime_session_t *s, u_char *data,
    size_t len)
{
    ngx_realtime_pending_t  *pending;

    pending = s->pending;

    if (pending == NULL) {
        ngx_realtime_session_refuse(s, "an attachment that no packet "
                                       "announced");
        return;
    }

    if (pending->bytes + len > s->conf->max_payload) {
        ngx_realtime_session_refuse(s, "attachments over "
                                       "realtime_max_payload");
        return;
    }

    if (ngx_realtime_pending_add(pending, data, len, s->log) != NGX_OK) {
        ngx_realtime_session_close(s, RT_WS_INTERNAL, "no memory");
        return;
    }

    if (pending->n < pending->expected) {
        return;
    }

    /* the session may be gone when the packet has been dealt with */

    s->pending = NULL;

    ngx_realtime_socket_complete(s, pending->packet, pending->len,
                                 pending->attachments, pending->n);

    ngx_realtime_pending_free(pending);
}


void
ngx_realtime_socket_forget_pending(ngx_realtime_session_t *s)
{
    if (s->pending) {
        ngx_realtime_pending_free(s->pending);
        s->pending = NULL;
    }
}


static void
ngx_realtime_socket_complete(ngx_realtime_session_t *s, u_char *data,
    size_t len, ngx_str_t *attachments, ngx_uint_t n)
{
    rt_str_t                name;
    const char             *why;
    rt_sio_packet_t         pkt;
    ngx_realtime_socket_t  *sk;

    (void) rt_sio_parse(&pkt, data, len, &why);

    sk = ngx_realtime_socket_of(s, pkt.nsp.data, pkt.nsp.len);

    if (sk == NULL && pkt.type != RT_SIO_CONNECT) {
        ngx_realtime_session_refuse(s, "a packet for a namespace that is "
                                       "not joined");
        return;
    }

    if (pkt.json.len && rt_json_check(pkt.json.data, pkt.json.len) != RT_OK) {
        ngx_realtime_session_refuse(s, "malformed JSON");
        return;
    }

    if (rt_sio_check(&pkt, &name, &why) != RT_OK
        || (n && rt_sio_placeholders(pkt.json, n, &why) != RT_OK))
    {
        ngx_realtime_session_refuse(s, why);
        return;
    }

    switch (pkt.type) {

    case RT_SIO_CONNECT:
        ngx_realtime_socket_connect(s, &pkt);
        return;

    case RT_SIO_EVENT:
    case RT_SIO_BINARY_EVENT:
        ngx_realtime_socket_event(s, sk, &pkt, &name, attachments, n);
        return;

    case RT_SIO_DISCONNECT:
        ngx_realtime_socket_disconnect(s, sk);
        return;

    case RT_SIO_ACK:
    case RT_SIO_BINARY_ACK:
        ngx_realtime_owed_ack(sk, &pkt, n);
        return;

    default:
        ngx_realtime_session_refuse(s, "a packet that only servers send");
    }
}


static void
ngx_realtime_socket_event(ngx_realtime_session_t *s,
    ngx_realtime_socket_t *sk, rt_sio_packet_t *pkt, rt_str_t *name,
    ngx_str_t *attachments, ngx_uint_t n)
{
    ngx_realtime_in_t  in;

    in.name = *name;
    in.args = pkt->json;
    in.attachments = attachments;
    in.nattachments = n;
    in.id = pkt->id;
    in.has_id = pkt->has_id;

    ngx_realtime_socket_ops->event(sk, &in);
}


/* the session stays, as in Node, and may CONNECT again */

static void
ngx_realtime_socket_disconnect(ngx_realtime_session_t *s,
    ngx_realtime_socket_t *sk)
{
    ngx_log_error(NGX_LOG_INFO, s->transport->log, 0,
                  "realtime: disconnected: client namespace disconnect, "
                  "user: \"%V\", socket: \"%V\", slot: %i",
                  &sk->identity.user, &sk->id, ngx_realtime_slot);

    ngx_realtime_recovery_end(sk);
    ngx_realtime_socket_destroy(sk);

    if (ngx_queue_empty(&s->sockets)) {
        s->connect_by = ngx_current_msec + s->conf->connect_timeout;
        ngx_realtime_session_rearm(s);
    }
}


ngx_realtime_socket_t *
ngx_realtime_socket_of(ngx_realtime_session_t *s, const u_char *nsp,
    size_t len)
{
    ngx_queue_t            *q;
    ngx_realtime_socket_t  *sk;

    for (q = ngx_queue_head(&s->sockets);
         q != ngx_queue_sentinel(&s->sockets);
         q = ngx_queue_next(q))
    {
        sk = ngx_queue_data(q, ngx_realtime_socket_t, queue);

        if (sk->nsp.len == len && ngx_memcmp(sk->nsp.data, nsp, len) == 0) {
            return sk;
        }
    }

    return NULL;
}


ngx_str_t *
ngx_realtime_socket_namespace(ngx_realtime_session_t *s, rt_str_t nsp)
{
    ngx_str_t         *name;
    ngx_uint_t         i;

    static ngx_str_t   root = ngx_string("/");

    if (nsp.len == 1) {
        return &root;
    }

    if (s->conf->namespaces == NULL) {
        return NULL;
    }

    name = s->conf->namespaces->elts;

    for (i = 0; i < s->conf->namespaces->nelts; i++) {
        if (name[i].len == nsp.len
            && ngx_memcmp(name[i].data, nsp.data, nsp.len) == 0)
        {
            return &name[i];
        }
    }

    return NULL;
}


ngx_realtime_socket_t *
ngx_realtime_socket_create(ngx_realtime_session_t *s, ngx_str_t *nsp,
    ngx_realtime_identity_t *id, u_char *sid)
{
    ngx_realtime_socket_t  *sk;

    sk = ngx_calloc(sizeof(ngx_realtime_socket_t) + id->user.len, s->log);
    if (sk == NULL) {
        return NULL;
    }

    sk->session = s;
    sk->nsp = *nsp;
    sk->id.data = sk->sid;
    sk->id.len = sizeof(sk->sid);
    sk->identity.expires = id->expires;
    sk->identity.issued = id->issued;
    sk->identity.notifies = id->notifies;
    ngx_memcpy(sk->identity.jti, id->jti, NGX_REALTIME_JTI_LEN);
    sk->since = ngx_realtime_people_now();
    sk->lead = s->conf->auth_expiring;
    sk->identity.user.len = id->user.len;
    sk->identity.user.data = (u_char *) sk + sizeof(ngx_realtime_socket_t);
    ngx_memcpy(sk->identity.user.data, id->user.data, id->user.len);

    if (sid) {
        ngx_memcpy(sk->sid, sid, NGX_REALTIME_SID_LEN);

    } else if (ngx_realtime_session_random(sk->sid, s->log) != NGX_OK) {
        ngx_free(sk);
        return NULL;
    }

    if (ngx_realtime_socket_enter(sk) != NGX_OK) {
        ngx_free(sk);
        return NULL;
    }

    ngx_queue_insert_tail(&s->sockets, &sk->queue);
    ngx_realtime_gauge_inc(sockets);

    return sk;
}


/*
 * A seat in the user's room and a place in the table.  What chat publishes to
 * a user is for the main namespace; the rooms of others are their own.
 */

static ngx_int_t
ngx_realtime_socket_enter(ngx_realtime_socket_t *sk)
{
    u_char     name[NGX_REALTIME_SOCKET_ROOM_MAX];
    ngx_str_t  room;

    if (ngx_realtime_socket_room(sk, &room, name) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_realtime_room_join(&sk->seat, &room, sk) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_realtime_table_add(&ngx_realtime_sockets, sk, &sk->ref)
        != NGX_OK)
    {
        ngx_realtime_room_leave(&sk->seat);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_realtime_socket_room(ngx_realtime_socket_t *sk, ngx_str_t *room,
    u_char *buf)
{
    if (ngx_realtime_room_of_user(room, buf, &sk->identity.user) != NGX_OK) {
        return NGX_ERROR;
    }

    if (sk->nsp.len > 1) {
        buf[room->len] = ',';
        ngx_memcpy(&buf[room->len + 1], sk->nsp.data, sk->nsp.len);
        room->len += 1 + sk->nsp.len;
    }

    return NGX_OK;
}


void
ngx_realtime_socket_destroy(ngx_realtime_socket_t *sk)
{
    ngx_realtime_socket_is_gone(sk);
    ngx_realtime_owed_free(sk, !ngx_realtime_detour_is_ghost(sk->session));
    ngx_realtime_people_remove(sk);
    ngx_realtime_recovery_detach(sk);
    ngx_realtime_room_leave(&sk->seat);
    ngx_realtime_table_remove(&ngx_realtime_sockets, sk->ref);
    ngx_queue_remove(&sk->queue);

    if (!ngx_realtime_detour_is_ghost(sk->session)) {
        ngx_realtime_gauge_dec(sockets);
    }

    if (sk->heads) {
        ngx_free(sk->heads);
    }

    ngx_free(sk);
}


void
ngx_realtime_socket_connected(ngx_realtime_socket_t *sk, rt_str_t auth)
{
    ngx_realtime_socket_is_here(sk);
    ngx_realtime_socket_ops->connected(sk, auth);
}


ngx_uint_t
ngx_realtime_socket_delivered(ngx_realtime_socket_t *sk,
    ngx_realtime_msg_t *m)
{
    return ngx_realtime_socket_ops->delivered(sk, m);
}


/*
 * A session that moves is, for a moment, in two workers.  It arrives in the
 * new one before it leaves the old, so that nobody sees its user go away.
 */

void
ngx_realtime_socket_arrive(ngx_realtime_session_t *s)
{
    ngx_queue_t  *q;

    for (q = ngx_queue_head(&s->sockets);
         q != ngx_queue_sentinel(&s->sockets);
         q = ngx_queue_next(q))
    {
        ngx_realtime_socket_is_here(ngx_queue_data(q, ngx_realtime_socket_t,
                                                   queue));
    }
}


void
ngx_realtime_socket_leave(ngx_realtime_session_t *s)
{
    ngx_queue_t  *q;

    for (q = ngx_queue_head(&s->sockets);
         q != ngx_queue_sentinel(&s->sockets);
         q = ngx_queue_next(q))
    {
        ngx_realtime_socket_is_gone(ngx_queue_data(q, ngx_realtime_socket_t,
                                                   queue));
    }
}


static void
ngx_realtime_socket_is_here(ngx_realtime_socket_t *sk)
{
    sk->here = 1;

    ngx_realtime_people_add(sk);

    if (!sk->session->conf->echo) {
        sk->presence = ngx_realtime_presence_enter(&sk->identity.user);
    }
}


static void
ngx_realtime_socket_is_gone(ngx_realtime_socket_t *sk)
{
    if (!sk->here) {
        return;
    }

    sk->here = 0;

    /* a ghost is looked for until its END */

    if (!ngx_realtime_detour_is_ghost(sk->session)) {
        ngx_realtime_people_remove(sk);
    }

    ngx_realtime_socket_ops->disconnected(sk);

    ngx_realtime_presence_leave(sk->presence);
    sk->presence = 0;
}


ngx_realtime_socket_t *
ngx_realtime_socket_find(ngx_realtime_ref_t ref)
{
    return ngx_realtime_table_find(&ngx_realtime_sockets, ref);
}


void
ngx_realtime_socket_dismiss(ngx_realtime_socket_t *sk)
{
    u_char                   packet[RT_SIO_NSP_MAX + 8];
    size_t                   len;
    rt_str_t                 nsp;
    ngx_realtime_msg_t      *m;
    ngx_realtime_session_t  *s;

    s = sk->session;

    nsp.data = sk->nsp.data;
    nsp.len = sk->nsp.len;

    packet[0] = '4';
    len = 1 + rt_sio_header(packet + 1, RT_SIO_DISCONNECT, nsp, 0, 0);

    m = ngx_realtime_msg_copy(packet, len, 0, s->log);

    if (m) {
        s->transport->ops->send(s->transport, m);
        ngx_realtime_msg_unref(m);
    }
}


void
ngx_realtime_socket_send(ngx_realtime_socket_t *sk, ngx_realtime_msg_t *m)
{
    ngx_realtime_session_t  *s;

    s = sk->session;

    if (s->detour) {
        ngx_realtime_detour_deliver(s, m, 0);
        return;
    }

    s->transport->ops->send(s->transport, m);
}


void
ngx_realtime_socket_emit(ngx_realtime_socket_t *sk, const char *event,
    ngx_str_t *data)
{
    ngx_realtime_socket_emit_event(sk, event, data, 0);
}


void
ngx_realtime_socket_emit_volatile(ngx_realtime_socket_t *sk,
    const char *event, ngx_str_t *data)
{
    ngx_realtime_socket_emit_event(sk, event, data, 1);
}


static void
ngx_realtime_socket_emit_event(ngx_realtime_socket_t *sk, const char *event,
    ngx_str_t *data, unsigned dispensable)
{
    ngx_realtime_msg_t  *m, *out;

    m = ngx_realtime_msg_event(event, data, sk->session->log);
    if (m == NULL) {
        return;
    }

    m->dispensable = dispensable;
    out = m;

    if (sk->record == NULL) {
        out = ngx_realtime_msg_plain(m, sk->session->log);

    } else if (m->offset) {
        ngx_realtime_history_add(NULL, 0, &sk->id, m);
    }

    /* on a detour, who passes it on to the client notes it */

    if (out && (sk->session->detour
                || ngx_realtime_recovery_note(sk, out) == NGX_OK))
    {
        ngx_realtime_socket_send(sk, out);
    }

    ngx_realtime_msg_unref(m);
}


void
ngx_realtime_socket_emit_args(ngx_realtime_socket_t *sk, ngx_str_t *args,
    ngx_str_t *attachments, ngx_uint_t n)
{
    ngx_realtime_socket_write(sk, n ? RT_SIO_BINARY_EVENT : RT_SIO_EVENT, 0,
                              0, args, attachments, n);
}


void
ngx_realtime_socket_ack(ngx_realtime_socket_t *sk, uint64_t id,
    ngx_str_t *args, ngx_str_t *attachments, ngx_uint_t n)
{
    ngx_realtime_socket_write(sk, n ? RT_SIO_BINARY_ACK : RT_SIO_ACK, 1, id,
                              args, attachments, n);
}


/* attachments follow their packet at once: nothing may come in between */

static void
ngx_realtime_socket_write(ngx_realtime_socket_t *sk, u_char type,
    unsigned has_id, uint64_t id, ngx_str_t *args, ngx_str_t *attachments,
    ngx_uint_t n)
{
    u_char              *p, head[RT_SIO_NSP_MAX + 48];
    size_t               len;
    rt_str_t             nsp;
    ngx_uint_t           i;
    ngx_realtime_msg_t  *m;

    nsp.data = sk->nsp.data;
    nsp.len = sk->nsp.len;

    head[0] = '4';
    len = 1 + rt_sio_binary_header(head + 1, type, n, nsp, has_id, id);

    m = ngx_realtime_msg_alloc(len + args->len + 2, sk->session->log);
    if (m == NULL) {
        return;
    }

    p = ngx_cpymem(ngx_realtime_msg_payload(m), head, len);
    *p++ = '[';
    p = ngx_cpymem(p, args->data, args->len);
    *p = ']';

    ngx_realtime_socket_send(sk, m);
    ngx_realtime_msg_unref(m);

    for (i = 0; i < n; i++) {

        m = ngx_realtime_msg_copy(attachments[i].data, attachments[i].len, 1,
                                  sk->session->log);
        if (m == NULL) {
            /* the client finds the packet cut off, and comes back */
            return;
        }

        ngx_realtime_socket_send(sk, m);
        ngx_realtime_msg_unref(m);
    }
}


static ngx_str_t *
ngx_realtime_socket_sid(void *member)
{
    ngx_realtime_socket_t  *sk = member;

    return &sk->id;
}


void
ngx_realtime_socket_deliver(void *member, ngx_realtime_msg_t *m)
{
    ngx_realtime_socket_t  *sk = member;

    ngx_realtime_session_t  *s;

    s = sk->session;

    if (ngx_realtime_recovery_is_early(sk)
        || ngx_realtime_socket_delivered(sk, m))
    {
        return;
    }

    if (sk->record == NULL) {
        m = ngx_realtime_msg_plain(m, s->log);
        if (m == NULL) {
            return;
        }
    }

    if (s->detour) {
        ngx_realtime_detour_deliver(s, m, 1);
        return;
    }

    if (ngx_realtime_recovery_note(sk, m) == NGX_OK
        && ngx_realtime_owed_note(sk, m) == NGX_OK)
    {
        s->transport->ops->send(s->transport, m);
    }
}


static ngx_uint_t
ngx_realtime_socket_expected(void *member)
{
    ngx_realtime_socket_t  *sk = member;

    return sk->record != NULL;
}


char *
ngx_realtime_socket_namespaces(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_realtime_loc_conf_t  *rlcf = conf;

    u_char      *p;
    ngx_str_t   *value, *nsp;
    ngx_uint_t   i;

    if (rlcf->namespaces) {
        return "is duplicate";
    }

    value = cf->args->elts;

    rlcf->namespaces = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                        sizeof(ngx_str_t));
    if (rlcf->namespaces == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        p = value[i].data;

        if (value[i].len < 2 || value[i].len > RT_SIO_NSP_MAX || *p != '/'
            || ngx_strlchr(p, p + value[i].len, ',')
            || ngx_strlchr(p, p + value[i].len, '"')
            || ngx_strlchr(p, p + value[i].len, '?'))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "realtime_namespaces: \"%V\" is no "
                               "namespace, write for example \"/admin\"; "
                               "\"/\" is always there", &value[i]);
            return NGX_CONF_ERROR;
        }

        nsp = ngx_array_push(rlcf->namespaces);
        if (nsp == NULL) {
            return NGX_CONF_ERROR;
        }

        *nsp = value[i];
    }

    return NGX_CONF_OK;
}
