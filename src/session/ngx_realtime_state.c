
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_acks.h"
#include "ngx_realtime_pending.h"
#include "ngx_realtime_recovery.h"
#include "ngx_realtime_slot.h"
#include "ngx_realtime_state.h"


/* the head, then the user, then a socket after the other, then the messages,
   then the pending packet, then its attachments */

typedef struct {
    int64_t                    expires;
    int64_t                    issued;
    u_char                     jti[NGX_REALTIME_JTI_LEN];
    uint32_t                   nsockets;
    uint32_t                   nmessages;
    uint32_t                   user;       /* length; the bytes follow */
    uint32_t                   ping;       /* ms to the next one */
    uint32_t                   packet;     /* length of the pending one; 0:
                                              none */
    uint16_t                   expected;   /* attachments of it */
    uint16_t                   nattachments;
    uint32_t                   notifies;   /* its token may */
    uint32_t                   place;      /* of its location */
    uint64_t                   had[NGX_REALTIME_SLOTS];
} ngx_realtime_state_t;

typedef struct {
    int64_t                    expires;
    int64_t                    issued;
    u_char                     jti[NGX_REALTIME_JTI_LEN];
    uint64_t                   since;
    int64_t                    warned;
    uint64_t                   lead;
    uint64_t                   owner;      /* of the record of recovery */
    int64_t                    recheck;    /* it came back just now */
    uint64_t                   heads[NGX_REALTIME_SLOTS];
    uint32_t                   record;     /* its number; 0: none */
    uint16_t                   nsp;        /* lengths; the bytes follow */
    uint16_t                   user;
    uint16_t                   owed;       /* dues, which follow as well */
    uint32_t                   notifies;
    u_char                     sid[NGX_REALTIME_SID_LEN];
} ngx_realtime_state_socket_t;

typedef struct {
    uint64_t                   place;      /* in the history, or 0 */
    uint32_t                   len;        /* of the payload, which follows */
    uint16_t                   binary;
    uint16_t                   dispensable;
} ngx_realtime_state_message_t;


/* what is still to be read of a STATE */

typedef struct {
    u_char                    *pos;
    u_char                    *last;
} ngx_realtime_state_input_t;


static void ngx_realtime_state_print_pending(ngx_realtime_pending_t *pending,
    u_char *p);
static uint32_t ngx_realtime_state_ping(ngx_realtime_session_t *s);
static u_char *ngx_realtime_state_get(ngx_realtime_state_input_t *in,
    size_t len);
static ngx_int_t ngx_realtime_state_socket(ngx_realtime_session_t *s,
    ngx_realtime_state_input_t *in);
static ngx_int_t ngx_realtime_state_message(ngx_realtime_session_t *s,
    ngx_realtime_state_input_t *in);
static ngx_int_t ngx_realtime_state_pending(ngx_realtime_session_t *s,
    ngx_realtime_state_input_t *in, ngx_realtime_state_t *state);


size_t
ngx_realtime_state_size(ngx_realtime_session_t *s, ngx_realtime_out_t *out)
{
    size_t                    size;
    ngx_queue_t              *q;
    ngx_realtime_socket_t    *sk;
    ngx_realtime_out_node_t  *node;

    size = sizeof(ngx_realtime_state_t) + s->user.len;

    for (q = ngx_queue_head(&s->sockets);
         q != ngx_queue_sentinel(&s->sockets);
         q = ngx_queue_next(q))
    {
        sk = ngx_queue_data(q, ngx_realtime_socket_t, queue);
        size += sizeof(ngx_realtime_state_socket_t) + sk->nsp.len
                + sk->identity.user.len
                + ngx_realtime_owed_count(sk) * sizeof(ngx_realtime_due_t);
    }

    for (node = out->first; node; node = node->next) {
        size += sizeof(ngx_realtime_state_message_t)
                + ngx_realtime_msg_payload_len(node->message);
    }

    if (s->pending) {
        size += s->pending->len + s->pending->bytes
                + s->pending->n * sizeof(uint32_t);
    }

    return size;
}


void
ngx_realtime_state_print(ngx_realtime_session_t *s, ngx_realtime_out_t *out,
    u_char *p)
{
    u_char                         *start;
    ngx_queue_t                    *q;
    ngx_realtime_msg_t             *m;
    ngx_realtime_socket_t          *sk;
    ngx_realtime_out_node_t        *node;
    ngx_realtime_state_t            state;
    ngx_realtime_state_socket_t     socket;
    ngx_realtime_state_message_t    message;

    start = p;

    ngx_memzero(&state, sizeof(state));
    state.expires = s->expires;
    state.issued = s->issued;
    state.notifies = s->notifies;
    ngx_memcpy(state.jti, s->jti, NGX_REALTIME_JTI_LEN);
    state.user = s->user.len;
    state.place = s->place;
    state.ping = ngx_realtime_state_ping(s);
    ngx_realtime_bus_cursors(state.had);

    p = ngx_cpymem(p, &state, sizeof(state));
    p = ngx_cpymem(p, s->user.data, s->user.len);

    for (q = ngx_queue_head(&s->sockets);
         q != ngx_queue_sentinel(&s->sockets);
         q = ngx_queue_next(q))
    {
        sk = ngx_queue_data(q, ngx_realtime_socket_t, queue);

        ngx_memzero(&socket, sizeof(socket));
        socket.expires = sk->identity.expires;
        socket.issued = sk->identity.issued;
        socket.notifies = sk->identity.notifies;
        ngx_memcpy(socket.jti, sk->identity.jti, NGX_REALTIME_JTI_LEN);
        socket.since = sk->since;
        socket.record = ngx_realtime_recovery_number(sk);
        socket.owner = sk->owner;
        socket.recheck = sk->recheck;

        if (sk->heads) {
            ngx_memcpy(socket.heads, sk->heads, sizeof(socket.heads));
        }

        socket.warned = sk->warned;
        socket.lead = sk->lead;
        socket.nsp = sk->nsp.len;
        socket.user = sk->identity.user.len;
        socket.owed = ngx_realtime_owed_count(sk);
        ngx_memcpy(socket.sid, sk->sid, NGX_REALTIME_SID_LEN);

        p = ngx_cpymem(p, &socket, sizeof(socket));
        p = ngx_cpymem(p, sk->nsp.data, sk->nsp.len);
        p = ngx_cpymem(p, sk->identity.user.data, sk->identity.user.len);
        p = ngx_realtime_owed_print(sk, p);

        state.nsockets++;
    }

    for (node = out->first; node; node = node->next) {

        m = node->message;

        ngx_memzero(&message, sizeof(message));
        message.len = ngx_realtime_msg_payload_len(m);
        message.binary = m->binary;
        message.dispensable = m->dispensable;
        message.place = m->place;

        p = ngx_cpymem(p, &message, sizeof(message));
        p = ngx_cpymem(p, ngx_realtime_msg_payload(m), message.len);

        state.nmessages++;
    }

    if (s->pending) {
        state.packet = s->pending->len;
        state.expected = s->pending->expected;
        state.nattachments = s->pending->n;

        ngx_realtime_state_print_pending(s->pending, p);
    }

    ngx_memcpy(start, &state, sizeof(state));
}


static void
ngx_realtime_state_print_pending(ngx_realtime_pending_t *pending, u_char *p)
{
    uint32_t    len;
    ngx_uint_t  i;

    p = ngx_cpymem(p, pending->packet, pending->len);

    for (i = 0; i < pending->n; i++) {
        len = pending->attachments[i].len;

        p = ngx_cpymem(p, &len, sizeof(len));
        p = ngx_cpymem(p, pending->attachments[i].data, len);
    }
}


/* a worker that is behind with its pings owes one at once */

static uint32_t
ngx_realtime_state_ping(ngx_realtime_session_t *s)
{
    ngx_msec_int_t  left;

    left = s->ping_at - ngx_current_msec;

    return ngx_max(left, 0);
}


ngx_realtime_session_t *
ngx_realtime_state_restore(ngx_realtime_transport_t *t,
    ngx_realtime_loc_conf_t *conf, u_char *data, size_t len, uint64_t *had)
{
    u_char                       *p;
    uint32_t                      i;
    ngx_realtime_session_t       *s;
    ngx_realtime_identity_t       id;
    ngx_realtime_state_t          state;
    ngx_realtime_state_input_t    in;

    in.pos = data;
    in.last = data + len;

    p = ngx_realtime_state_get(&in, sizeof(state));
    if (p == NULL) {
        return NULL;
    }

    ngx_memcpy(&state, p, sizeof(state));

    id.user.len = state.user;
    id.user.data = ngx_realtime_state_get(&in, id.user.len);
    if (id.user.data == NULL) {
        return NULL;
    }

    id.expires = state.expires;
    id.issued = state.issued;
    id.notifies = state.notifies;
    ngx_memcpy(id.jti, state.jti, NGX_REALTIME_JTI_LEN);

    s = ngx_realtime_session_create(t, conf, state.place, &id);
    if (s == NULL) {
        return NULL;
    }

    for (i = 0; i < state.nsockets; i++) {
        if (ngx_realtime_state_socket(s, &in) != NGX_OK) {
            goto failed;
        }
    }

    for (i = 0; i < state.nmessages; i++) {
        if (ngx_realtime_state_message(s, &in) != NGX_OK) {
            goto failed;
        }
    }

    if (ngx_realtime_state_pending(s, &in, &state) != NGX_OK) {
        goto failed;
    }

    /* the client's timer goes on, wherever its session is */
    s->ping_at = ngx_current_msec + state.ping;

    ngx_memcpy(had, state.had, sizeof(state.had));

    return s;

failed:

    s->transport = NULL;
    ngx_realtime_session_free(s, "not restored");

    return NULL;
}


static u_char *
ngx_realtime_state_get(ngx_realtime_state_input_t *in, size_t len)
{
    u_char  *p;

    if ((size_t) (in->last - in->pos) < len) {
        return NULL;
    }

    p = in->pos;
    in->pos += len;

    return p;
}


static ngx_int_t
ngx_realtime_state_socket(ngx_realtime_session_t *s,
    ngx_realtime_state_input_t *in)
{
    u_char                       *p, *owed;
    rt_str_t                      name;
    ngx_str_t                    *nsp;
    ngx_realtime_socket_t        *sk;
    ngx_realtime_identity_t       id;
    ngx_realtime_state_socket_t   socket;

    p = ngx_realtime_state_get(in, sizeof(socket));
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(&socket, p, sizeof(socket));

    name.len = socket.nsp;
    name.data = ngx_realtime_state_get(in, name.len);
    id.user.len = socket.user;
    id.user.data = ngx_realtime_state_get(in, id.user.len);
    id.expires = socket.expires;
    id.issued = socket.issued;
    id.notifies = socket.notifies;
    ngx_memcpy(id.jti, socket.jti, NGX_REALTIME_JTI_LEN);

    owed = ngx_realtime_state_get(in,
                                socket.owed * sizeof(ngx_realtime_due_t));

    if (name.data == NULL || id.user.data == NULL || owed == NULL) {
        return NGX_ERROR;
    }

    /* a reload may have taken the namespace away */

    nsp = ngx_realtime_socket_namespace(s, name);

    if (nsp == NULL) {
        return NGX_ERROR;
    }

    sk = ngx_realtime_socket_create(s, nsp, &id, socket.sid);
    if (sk == NULL) {
        return NGX_ERROR;
    }

    sk->since = socket.since;
    sk->warned = socket.warned;
    sk->lead = socket.lead;
    sk->recheck = socket.recheck;

    if (ngx_realtime_owed_restore(sk, owed, socket.owed) != NGX_OK
        || ngx_realtime_recovery_rings(sk, socket.heads) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_realtime_recovery_adopt(sk, socket.record, socket.owner);
}


static ngx_int_t
ngx_realtime_state_message(ngx_realtime_session_t *s,
    ngx_realtime_state_input_t *in)
{
    u_char                        *p;
    ngx_realtime_msg_t            *m;
    ngx_realtime_state_message_t   message;

    p = ngx_realtime_state_get(in, sizeof(message));
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(&message, p, sizeof(message));

    p = ngx_realtime_state_get(in, message.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    m = ngx_realtime_msg_copy(p, message.len, message.binary, s->log);
    if (m == NULL) {
        return NGX_ERROR;
    }

    m->dispensable = message.dispensable;
    m->place = message.place;
    m->offset = (message.place != 0);

    s->transport->ops->send(s->transport, m);
    ngx_realtime_msg_unref(m);

    return NGX_OK;
}


static ngx_int_t
ngx_realtime_state_pending(ngx_realtime_session_t *s,
    ngx_realtime_state_input_t *in, ngx_realtime_state_t *state)
{
    u_char      *p;
    uint32_t     len;
    ngx_uint_t   i;

    if (state->packet == 0) {
        return NGX_OK;
    }

    p = ngx_realtime_state_get(in, state->packet);

    if (p == NULL || state->expected > RT_SIO_ATTACHMENTS
        || state->nattachments >= state->expected
        || ngx_realtime_pending_create(s, state->expected, p, state->packet)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < state->nattachments; i++) {

        p = ngx_realtime_state_get(in, sizeof(len));
        if (p == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(&len, p, sizeof(len));

        p = ngx_realtime_state_get(in, len);

        if (p == NULL
            || ngx_realtime_pending_add(s->pending, p, len, s->log) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
