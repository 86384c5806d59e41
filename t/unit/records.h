
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * For the unit tests of recovery: a zone with a history and records, sockets
 * that have no client, and what their code calls of the layers beside it.
 */

#ifndef _RECORDS_H_INCLUDED_
#define _RECORDS_H_INCLUDED_


#include "zone.h"

#include "ngx_realtime_bus.h"
#include "ngx_realtime_record.h"
#include "ngx_realtime_recovery.h"


#define RECORDS_ZONE  (16 * 1024 * 1024)

typedef struct {
    ngx_realtime_session_t   session;
    ngx_realtime_loc_conf_t  conf;
    const char              *closed;       /* why; NULL: it is not */
} records_session_t;


uint64_t                     *ngx_realtime_counters;

static uint64_t               records_counters[NGX_REALTIME_C_MAX];
static int32_t               *records_expected;    /* of all rooms */
static ngx_realtime_bus_pt    records_told;
static ngx_realtime_mask_t    records_sent_to;
static uint32_t               records_sent;
static ngx_uint_t             records_behind;      /* with the bus */

ngx_realtime_bus_origin_t     ngx_realtime_bus_origin;

static uint64_t               records_heads[NGX_REALTIME_SLOTS];
static uint64_t               records_cursors[NGX_REALTIME_SLOTS];

/* a look at the zone in the middle of a call */
static void                 (*records_hook)(int32_t by);


u_char *
records_digits(void)
{
    return (u_char *) "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                      "0123456789-_";
}


void
ngx_encode_base64url(ngx_str_t *dst, ngx_str_t *src)
{
    size_t    i;
    uint32_t  n;

    /* lengths here are multiples of three */

    dst->len = src->len / 3 * 4;

    for (i = 0; i < src->len / 3; i++) {
        n = src->data[3 * i] << 16 | src->data[3 * i + 1] << 8
            | src->data[3 * i + 2];

        dst->data[4 * i] = records_digits()[n >> 18];
        dst->data[4 * i + 1] = records_digits()[n >> 12 & 63];
        dst->data[4 * i + 2] = records_digits()[n >> 6 & 63];
        dst->data[4 * i + 3] = records_digits()[n & 63];
    }
}


ngx_int_t
ngx_decode_base64url(ngx_str_t *dst, ngx_str_t *src)
{
    size_t    i;
    u_char   *digit;
    uint32_t  n;

    n = 0;
    dst->len = 0;

    for (i = 0; i < src->len; i++) {
        digit = memchr(records_digits(), src->data[i], 64);
        if (digit == NULL) {
            return NGX_ERROR;
        }

        n = n << 6 | (uint32_t) (digit - records_digits());

        if (i % 4 == 3) {
            dst->data[dst->len++] = n >> 16;
            dst->data[dst->len++] = n >> 8;
            dst->data[dst->len++] = n;
        }
    }

    return NGX_OK;
}


void
ngx_realtime_room_expect(uint32_t hash, int32_t by)
{
    if (records_hook) {
        records_hook(by);
    }

    __atomic_fetch_add(records_expected, by, __ATOMIC_SEQ_CST);
}


void
ngx_realtime_bus_handle(ngx_realtime_bus_type_e type,
    ngx_realtime_bus_pt handler)
{
    records_told = handler;
}


void
ngx_realtime_bus_send(ngx_realtime_mask_t mask, ngx_realtime_bus_type_e type,
    const ngx_str_t *parts, ngx_uint_t n)
{
    records_sent_to |= mask;
    memcpy(&records_sent, parts[0].data, sizeof(records_sent));
}


void
ngx_realtime_bus_heads(uint64_t *heads)
{
    memcpy(heads, records_heads, sizeof(records_heads));
}


void
ngx_realtime_bus_cursors(uint64_t *cursors)
{
    memcpy(cursors, records_cursors, sizeof(records_cursors));
}


time_t
ngx_realtime_bus_seen(void)
{
    ngx_realtime_slot_sh_t  *slot;

    slot = &ngx_realtime_zone_sh->slots[ngx_realtime_slot];

    if (!records_behind) {
        slot->seen = ngx_realtime_zone_time();
    }

    return slot->seen;
}


ngx_int_t
ngx_realtime_socket_room(ngx_realtime_socket_t *sk, ngx_str_t *room,
    u_char *buf)
{
    room->data = buf;
    room->len = sprintf((char *) buf, "user:%.*s%.*s",
                        (int) sk->identity.user.len, sk->identity.user.data,
                        sk->nsp.len > 1 ? (int) sk->nsp.len : 0,
                        sk->nsp.data);
    return NGX_OK;
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

        if (sk->nsp.len == len && memcmp(sk->nsp.data, nsp, len) == 0) {
            return sk;
        }
    }

    return NULL;
}


ngx_realtime_socket_t *
ngx_realtime_socket_create(ngx_realtime_session_t *s, ngx_str_t *nsp,
    ngx_realtime_identity_t *id, u_char *sid)
{
    ngx_realtime_socket_t  *sk;

    static uint32_t         n;

    sk = calloc(1, sizeof(ngx_realtime_socket_t));

    sk->session = s;
    sk->nsp = *nsp;
    sk->identity = *id;
    sk->id.data = sk->sid;
    sk->id.len = NGX_REALTIME_SID_LEN;

    if (sid) {
        memcpy(sk->sid, sid, NGX_REALTIME_SID_LEN);

    } else {
        memset(sk->sid, 'A', NGX_REALTIME_SID_LEN);
        memcpy(sk->sid, &ngx_realtime_slot, sizeof(int));
        n++;
        memcpy(sk->sid + sizeof(int), &n, sizeof(n));
    }

    ngx_queue_insert_tail(&s->sockets, &sk->queue);

    return sk;
}


void
ngx_realtime_socket_destroy(ngx_realtime_socket_t *sk)
{
    ngx_realtime_recovery_detach(sk);
    ngx_queue_remove(&sk->queue);
    free(sk);
}


/* names here are no UUIDs */

ngx_uint_t
ngx_realtime_people_same(ngx_str_t *one, ngx_str_t *other)
{
    return one->len == other->len
           && memcmp(one->data, other->data, one->len) == 0;
}


void
ngx_realtime_session_close(ngx_realtime_session_t *s, ngx_uint_t code,
    const char *reason)
{
    while (!ngx_queue_empty(&s->sockets)) {
        ngx_realtime_socket_destroy(ngx_queue_data(
                                        ngx_queue_head(&s->sockets),
                                        ngx_realtime_socket_t, queue));
    }

    ((records_session_t *) s)->closed = reason;
}


ngx_uint_t
ngx_realtime_socket_delivered(ngx_realtime_socket_t *sk,
    ngx_realtime_msg_t *m)
{
    return 0;
}


/* a worker with this slot, from now on */

static inline void
records_worker(ngx_uint_t slot)
{
    static ngx_uint_t  had = NGX_REALTIME_SLOTS;

    ngx_realtime_slot = slot;
    ngx_pid = getpid();
    ngx_realtime_counters = records_counters;

    if (had != slot) {
        srandom(slot + 1);
        had = slot;
    }

    if (ngx_realtime_history_init(&zone_cycle) != NGX_OK
        || ngx_realtime_recovery_init(&zone_cycle, 1) != NGX_OK)
    {
        abort();
    }
}


static inline void
records_zone(size_t size)
{
    zone_new(size);

    if (ngx_realtime_history_create(ngx_realtime_zone_sh, NULL, &zone_log)
        != NGX_OK
        || ngx_realtime_recovery_create(ngx_realtime_zone_sh, NULL, &zone_log)
           != NGX_OK)
    {
        abort();
    }

    records_expected = ngx_slab_calloc(NULL, sizeof(int32_t));
    records_sent_to = 0;
    records_behind = 0;

    records_worker(0);
}


static inline records_session_t *
records_session(void)
{
    records_session_t  *rs;

    rs = calloc(1, sizeof(records_session_t));
    rs->session.conf = &rs->conf;
    rs->session.place = 77;
    rs->conf.recovery = 120000;
    rs->conf.send_limit = 1024 * 1024;
    ngx_queue_init(&rs->session.sockets);

    return rs;
}


static ngx_str_t  records_nsp = ngx_string("/");


static inline ngx_realtime_identity_t
records_user(const char *name)
{
    ngx_realtime_identity_t  id;

    id.user.data = (u_char *) name;
    id.user.len = strlen(name);
    id.expires = 0;

    return id;
}


/* a socket of the user that can come back */

static inline ngx_realtime_socket_t *
records_socket(records_session_t *rs, const char *user)
{
    ngx_realtime_socket_t    *sk;
    ngx_realtime_identity_t   id;

    id = records_user(user);
    sk = ngx_realtime_socket_create(&rs->session, &records_nsp, &id, NULL);
    ngx_realtime_recovery_begin(sk);

    return sk;
}


/* NGX_OK: an event with this place may go to the client */

static inline ngx_int_t
records_note(ngx_realtime_socket_t *sk, uint64_t place)
{
    ngx_realtime_msg_t  m;

    m.place = place;

    return ngx_realtime_recovery_note(sk, &m);
}


#endif /* _RECORDS_H_INCLUDED_ */
