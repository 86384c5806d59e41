
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * An event that is to be acknowledged, from the origin to the sockets.
 *
 * It goes to all workers, and not to those that the directory names: a socket
 * that moves is found here or there only if both have the record, see
 * ngx_realtime_detour.c, and every worker has to say who got it anyway.
 *
 * A worker says who is to get it before anybody does, so that its EMITTED
 * stands in the ring before its ACKs.
 */


#include "ngx_realtime_emission.h"
#include "ngx_realtime_people.h"
#include "ngx_realtime_recovery.h"


/* "42", id, "[" */
#define NGX_REALTIME_EMISSION_HEAD  (2 + NGX_INT32_LEN + 1)


/* EMIT: this, the user, the excepted sid, the packet */

typedef struct {
    ngx_realtime_due_t         due;
    uint16_t                   user;       /* lengths */
    uint8_t                    except;
    uint8_t                    dispensable;
} ngx_realtime_emission_t;


static ngx_uint_t ngx_realtime_emission_is_for(ngx_realtime_socket_t *sk,
    ngx_str_t *except);
static void ngx_realtime_emission_give(ngx_str_t *user, ngx_str_t *except,
    ngx_realtime_msg_t *m);
static void ngx_realtime_emission_comes(ngx_uint_t from, u_char *data,
    size_t len);
static ngx_realtime_msg_t *ngx_realtime_emission_copy(
    ngx_realtime_emission_t *head, u_char *data, size_t len);


static u_char  ngx_realtime_emission_sids[NGX_REALTIME_ACKS_SOCKETS
                                          * NGX_REALTIME_SID_LEN];


void
ngx_realtime_emission_init(void)
{
    ngx_realtime_bus_handle(NGX_REALTIME_BUS_EMIT,
                            ngx_realtime_emission_comes);
}


/* 42<id>[event,args] */

ngx_realtime_msg_t *
ngx_realtime_emission_message(ngx_realtime_acks_emit_t *emit,
    const ngx_realtime_due_t *due)
{
    u_char              *p, head[NGX_REALTIME_EMISSION_HEAD];
    size_t               len;
    ngx_realtime_msg_t  *m;

    len = ngx_sprintf(head, "42%uD[", due->id) - head;

    m = ngx_realtime_msg_alloc(len + emit->event.len
                               + (emit->args.len ? 1 + emit->args.len : 0)
                               + 1,
                               ngx_cycle->log);
    if (m == NULL) {
        return NULL;
    }

    if (ngx_realtime_msg_set_due(m, due, ngx_cycle->log) != NGX_OK) {
        ngx_realtime_msg_unref(m);
        return NULL;
    }

    m->dispensable = emit->dispensable;

    p = ngx_cpymem(ngx_realtime_msg_payload(m), head, len);
    p = ngx_cpymem(p, emit->event.data, emit->event.len);

    if (emit->args.len) {
        *p++ = ',';
        p = ngx_cpymem(p, emit->args.data, emit->args.len);
    }

    *p = ']';

    return m;
}


ngx_realtime_mask_t
ngx_realtime_emission_tell(ngx_realtime_acks_emit_t *emit,
    ngx_realtime_msg_t *m)
{
    ngx_str_t                parts[4];
    ngx_uint_t               n;
    ngx_realtime_mask_t      others;
    ngx_realtime_emission_t  head;

    others = ngx_realtime_slot_live_mask()
             & ~ngx_realtime_slot_bit(ngx_realtime_slot);

    ngx_memzero(&head, sizeof(head));
    head.due = *m->due;
    head.user = emit->user.len;
    head.except = emit->except.len;
    head.dispensable = m->dispensable;

    n = 0;

    parts[n].data = (u_char *) &head;
    parts[n++].len = sizeof(head);
    parts[n++] = emit->user;

    if (emit->except.len) {
        parts[n++] = emit->except;
    }

    parts[n].data = ngx_realtime_msg_payload(m);
    parts[n++].len = ngx_realtime_msg_payload_len(m);

    ngx_realtime_bus_send(others, NGX_REALTIME_BUS_EMIT, parts, n);

    /* for what this worker's own sockets are given now */

    ngx_realtime_bus_origin.from = ngx_realtime_slot;
    ngx_realtime_bus_origin.position = 0;
    ngx_realtime_bus_origin.readers = others
                                   | ngx_realtime_slot_bit(ngx_realtime_slot);

    return others;
}


u_char *
ngx_realtime_emission_list(ngx_str_t *user, ngx_str_t *except,
    ngx_realtime_emitted_t *emitted)
{
    u_char                 *p;
    ngx_realtime_socket_t  *sk;

    ngx_memzero(emitted, sizeof(ngx_realtime_emitted_t));

    p = ngx_realtime_emission_sids;

    for (sk = ngx_realtime_people_next(user, NULL);
         sk;
         sk = ngx_realtime_people_next(user, sk))
    {
        if (!ngx_realtime_emission_is_for(sk, except)) {
            continue;
        }

        if (emitted->n == NGX_REALTIME_ACKS_SOCKETS) {
            emitted->more++;
            continue;
        }

        p = ngx_cpymem(p, sk->sid, NGX_REALTIME_SID_LEN);
        emitted->n++;
    }

    return ngx_realtime_emission_sids;
}


static ngx_uint_t
ngx_realtime_emission_is_for(ngx_realtime_socket_t *sk, ngx_str_t *except)
{
    if (sk->nsp.len != 1) {
        return 0;
    }

    if (sk->id.len == except->len
        && ngx_memcmp(sk->id.data, except->data, except->len) == 0)
    {
        return 0;
    }

    return !ngx_realtime_recovery_is_early(sk);
}


void
ngx_realtime_emission_deliver(ngx_realtime_acks_emit_t *emit,
    ngx_realtime_msg_t *m)
{
    ngx_realtime_emission_give(&emit->user, &emit->except, m);
}


/* it only queues: nobody comes or goes meanwhile */

static void
ngx_realtime_emission_give(ngx_str_t *user, ngx_str_t *except,
    ngx_realtime_msg_t *m)
{
    ngx_realtime_socket_t  *sk;

    for (sk = ngx_realtime_people_next(user, NULL);
         sk;
         sk = ngx_realtime_people_next(user, sk))
    {
        if (ngx_realtime_emission_is_for(sk, except)) {
            ngx_realtime_socket_deliver(sk, m);
        }
    }
}


/* an event of another worker */

static void
ngx_realtime_emission_comes(ngx_uint_t from, u_char *data, size_t len)
{
    ngx_str_t                 user, except, parts[2];
    ngx_realtime_msg_t       *m;
    ngx_realtime_emitted_t    emitted;
    ngx_realtime_emission_t   head;

    if (len < sizeof(head)) {
        return;
    }

    ngx_memcpy(&head, data, sizeof(head));

    data += sizeof(head);
    len -= sizeof(head);

    if (len < (size_t) head.user + head.except
        || head.user > NGX_REALTIME_USER_MAX)
    {
        return;
    }

    user.data = data;
    user.len = head.user;
    except.data = data + user.len;
    except.len = head.except;
    data = except.data + except.len;
    len -= user.len + except.len;

    m = NULL;

    parts[1].data = ngx_realtime_emission_list(&user, &except, &emitted);

    if (emitted.n) {
        m = ngx_realtime_emission_copy(&head, data, len);

        if (m == NULL) {
            /* nobody here gets it */
            emitted.more += emitted.n;
            emitted.n = 0;
        }
    }

    emitted.call = head.due.call;

    parts[0].data = (u_char *) &emitted;
    parts[0].len = sizeof(emitted);
    parts[1].len = emitted.n * NGX_REALTIME_SID_LEN;

    ngx_realtime_bus_send(ngx_realtime_slot_bit(from),
                          NGX_REALTIME_BUS_EMITTED, parts, emitted.n ? 2 : 1);

    if (m) {
        ngx_realtime_emission_give(&user, &except, m);
        ngx_realtime_msg_unref(m);
    }
}


static ngx_realtime_msg_t *
ngx_realtime_emission_copy(ngx_realtime_emission_t *head, u_char *data,
    size_t len)
{
    ngx_realtime_msg_t  *m;

    m = ngx_realtime_msg_copy(data, len, 0, ngx_cycle->log);
    if (m == NULL) {
        return NULL;
    }

    if (ngx_realtime_msg_set_due(m, &head->due, ngx_cycle->log) != NGX_OK) {
        ngx_realtime_msg_unref(m);
        return NULL;
    }

    m->dispensable = head->dispensable;

    return m;
}
