
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Who is here, by user: a hash table of this worker's sockets.  Sockets of a
 * user are in one chain, whatever their namespace, and so may be those of
 * others.  A socket is in it as long as it is "here": a session that moves is
 * in two workers for a moment, so that nobody overlooks it.
 *
 * A session that moves when its user is disconnected: the worker that it
 * comes from may hear of it when it has sent the session off, and the other
 * one before it has got it.  So the first one, whose session is a ghost then,
 * tells the other once more, behind what it has sent.  Of a revocation the
 * zone knows, and who gets a session looks there.
 */


#include "ngx_realtime_acks.h"
#include "ngx_realtime_bus.h"
#include "ngx_realtime_counter.h"
#include "ngx_realtime_log.h"
#include "ngx_realtime_people.h"
#include "ngx_realtime_slot.h"
#include "ngx_realtime_time.h"
#include "rt_json.h"
#include "rt_uuid7.h"
#include "rt_ws.h"


#define NGX_REALTIME_PEOPLE_CHAINS  16384  /* a power of two */

/* of JSON without the user and the namespace */
#define NGX_REALTIME_PEOPLE_TEXT    256


static ngx_queue_t *ngx_realtime_people_chain(ngx_str_t *user);
static u_char *ngx_realtime_people_print_one(ngx_realtime_socket_t *sk,
    u_char *p);
static void ngx_realtime_people_revoke_chain(ngx_queue_t *chain,
    ngx_realtime_revoke_t *revoke);
static void ngx_realtime_people_void(ngx_realtime_session_t *s);
static void ngx_realtime_people_told(ngx_uint_t from, u_char *data,
    size_t len);


static ngx_queue_t  *ngx_realtime_people;


ngx_int_t
ngx_realtime_people_init(ngx_cycle_t *cycle)
{
    ngx_uint_t  i;

    ngx_realtime_people = ngx_palloc(cycle->pool, NGX_REALTIME_PEOPLE_CHAINS
                                                  * sizeof(ngx_queue_t));
    if (ngx_realtime_people == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_REALTIME_PEOPLE_CHAINS; i++) {
        ngx_queue_init(&ngx_realtime_people[i]);
    }

    ngx_realtime_bus_handle(NGX_REALTIME_BUS_REVOKED,
                            ngx_realtime_people_told);
    ngx_realtime_ask_init();
    ngx_realtime_acks_init(cycle);

    return NGX_OK;
}


uint64_t
ngx_realtime_people_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (uint64_t) tp->sec * 1000 + tp->msec;
}


void
ngx_realtime_people_add(ngx_realtime_socket_t *sk)
{
    ngx_queue_insert_tail(ngx_realtime_people_chain(&sk->identity.user),
                          &sk->people);
}


void
ngx_realtime_people_remove(ngx_realtime_socket_t *sk)
{
    if (sk->people.prev) {
        ngx_queue_remove(&sk->people);
        sk->people.prev = NULL;
    }
}


void
ngx_realtime_people_remove_all(ngx_realtime_session_t *s)
{
    ngx_queue_t  *q;

    for (q = ngx_queue_head(&s->sockets);
         q != ngx_queue_sentinel(&s->sockets);
         q = ngx_queue_next(q))
    {
        ngx_realtime_people_remove(ngx_queue_data(q, ngx_realtime_socket_t,
                                                  queue));
    }
}


/* a UUID is the same in either case of its letters, as a room's name is */

static ngx_queue_t *
ngx_realtime_people_chain(ngx_str_t *user)
{
    u_char      buf[NGX_REALTIME_ROOM_USER_MAX];
    ngx_str_t   name;
    ngx_uint_t  i;

    i = 0;

    if (ngx_realtime_room_of_user(&name, buf, user) == NGX_OK) {
        i = ngx_murmur_hash2(name.data, name.len)
            & (NGX_REALTIME_PEOPLE_CHAINS - 1);
    }

    return &ngx_realtime_people[i];
}


ngx_uint_t
ngx_realtime_people_same(ngx_str_t *one, ngx_str_t *other)
{
    u_char  a[RT_UUID_LEN], b[RT_UUID_LEN];

    if (one->len != other->len) {
        return 0;
    }

    if (ngx_memcmp(one->data, other->data, one->len) == 0) {
        return 1;
    }

    return rt_uuid_parse(one->data, one->len, a) == RT_OK
           && rt_uuid_parse(other->data, other->len, b) == RT_OK
           && ngx_memcmp(a, b, RT_UUID_LEN) == 0;
}


ngx_realtime_socket_t *
ngx_realtime_people_next(ngx_str_t *user, ngx_realtime_socket_t *sk)
{
    ngx_queue_t  *q, *chain;

    chain = ngx_realtime_people_chain(user);

    for (q = sk ? ngx_queue_next(&sk->people) : ngx_queue_head(chain);
         q != ngx_queue_sentinel(chain);
         q = ngx_queue_next(q))
    {
        sk = ngx_queue_data(q, ngx_realtime_socket_t, people);

        if (ngx_realtime_people_same(&sk->identity.user, user)) {
            return sk;
        }
    }

    return NULL;
}


size_t
ngx_realtime_people_print(ngx_str_t *user, u_char *buf)
{
    size_t                  size;
    u_char                 *p;
    ngx_uint_t              n;
    ngx_queue_t            *q, *chain;
    ngx_realtime_socket_t  *sk;

    chain = ngx_realtime_people_chain(user);
    size = 0;
    p = buf;
    n = 0;

    for (q = ngx_queue_head(chain);
         q != ngx_queue_sentinel(chain) && n < NGX_REALTIME_PEOPLE_LIST;
         q = ngx_queue_next(q))
    {
        sk = ngx_queue_data(q, ngx_realtime_socket_t, people);

        if (!ngx_realtime_people_same(&sk->identity.user, user)) {
            continue;
        }

        n++;

        if (buf) {
            p = ngx_realtime_people_print_one(sk, p);

        } else {
            size += NGX_REALTIME_SID_LEN + sizeof(uint16_t)
                    + NGX_REALTIME_PEOPLE_TEXT
                    + rt_json_escaped(sk->identity.user.data,
                                      sk->identity.user.len)
                    + rt_json_escaped(sk->nsp.data, sk->nsp.len);
        }
    }

    return buf ? (size_t) (p - buf) : size;
}


static u_char *
ngx_realtime_people_print_one(ngx_realtime_socket_t *sk, u_char *p)
{
    u_char                    *start;
    uint16_t                   len;
    ngx_realtime_transport_t  *t;

    p = ngx_cpymem(p, sk->sid, NGX_REALTIME_SID_LEN);

    start = p;
    p += sizeof(uint16_t);

    p = ngx_sprintf(p, "{\"userId\":\"");
    p = rt_json_escape(p, sk->identity.user.data, sk->identity.user.len);
    p = ngx_sprintf(p, "\",\"socketId\":\"%V\",\"connectedAt\":\"", &sk->id);
    p = ngx_realtime_time_print(p, (time_t) (sk->since / 1000),
                                sk->since % 1000);

    /* a session that moves has none here, and comes from polling */

    t = sk->session->transport;

    p = ngx_sprintf(p, "\",\"transport\":\"%s\",\"namespace\":\"",
                    t ? t->ops->name : "polling");
    p = rt_json_escape(p, sk->nsp.data, sk->nsp.len);
    p = ngx_sprintf(p, "\"}");

    len = p - start - sizeof(uint16_t);
    ngx_memcpy(start, &len, sizeof(uint16_t));

    return p;
}


ngx_uint_t
ngx_realtime_people_kick(ngx_str_t *user, const char *reason,
    ngx_uint_t *again)
{
    ngx_uint_t              n;
    ngx_queue_t            *q, *chain;
    ngx_realtime_socket_t  *sk;

    chain = ngx_realtime_people_chain(user);

    *again = 0;
    n = 0;

    q = ngx_queue_head(chain);

    while (q != ngx_queue_sentinel(chain)) {
        sk = ngx_queue_data(q, ngx_realtime_socket_t, people);
        q = ngx_queue_next(q);

        if (!ngx_realtime_people_same(&sk->identity.user, user)) {
            continue;
        }

        if (ngx_realtime_detour_is_ghost(sk->session)) {
            *again = 1;
            continue;
        }

        n += ngx_realtime_session_kick(sk->session, reason);

        /* the next one may have been of that session */
        q = ngx_queue_head(chain);
    }

    ngx_realtime_count_n(kicked, n);

    return n;
}


void
ngx_realtime_people_revoke(ngx_realtime_revoke_t *revoke)
{
    ngx_str_t  part;

    part.data = (u_char *) revoke;
    part.len = sizeof(ngx_realtime_revoke_t);

    ngx_realtime_bus_send(ngx_realtime_slot_live_mask(),
                          NGX_REALTIME_BUS_REVOKED, &part, 1);

    ngx_realtime_people_told(ngx_realtime_slot, part.data, part.len);
}


/*
 * All chains: whose jti it is, or which chain a user has whose digest it is,
 * nobody knows.  A revocation is rare.
 */

static void
ngx_realtime_people_told(ngx_uint_t from, u_char *data, size_t len)
{
    ngx_uint_t             i;
    ngx_realtime_revoke_t  revoke;

    if (len != sizeof(ngx_realtime_revoke_t)) {
        return;
    }

    ngx_memcpy(&revoke, data, sizeof(ngx_realtime_revoke_t));

    for (i = 0; i < NGX_REALTIME_PEOPLE_CHAINS; i++) {
        ngx_realtime_people_revoke_chain(&ngx_realtime_people[i], &revoke);
    }
}


static void
ngx_realtime_people_revoke_chain(ngx_queue_t *chain,
    ngx_realtime_revoke_t *revoke)
{
    u_char                  key[NGX_REALTIME_JTI_LEN];
    ngx_queue_t            *q;
    ngx_realtime_socket_t  *sk;

    q = ngx_queue_head(chain);

    while (q != ngx_queue_sentinel(chain)) {
        sk = ngx_queue_data(q, ngx_realtime_socket_t, people);
        q = ngx_queue_next(q);

        if (sk->session->conf->echo
            || ngx_realtime_detour_is_ghost(sk->session))
        {
            continue;
        }

        if (revoke->kind == NGX_REALTIME_REVOKE_USER) {
            ngx_realtime_revoke_key(NGX_REALTIME_REVOKE_USER,
                                    &sk->identity.user, key);
        }

        if (ngx_realtime_revoke_covers(revoke, &sk->identity, key)) {
            ngx_realtime_people_void(sk->session);
            q = ngx_queue_head(chain);
        }
    }
}


void
ngx_realtime_people_recheck(ngx_realtime_session_t *s)
{
    ngx_queue_t            *q;
    ngx_realtime_socket_t  *sk;

    for (q = ngx_queue_head(&s->sockets);
         q != ngx_queue_sentinel(&s->sockets);
         q = ngx_queue_next(q))
    {
        sk = ngx_queue_data(q, ngx_realtime_socket_t, queue);

        if (!s->conf->echo && ngx_realtime_revoke_is(&sk->identity)) {
            ngx_realtime_people_void(s);
            return;
        }
    }
}


/* as when a token expires */

static void
ngx_realtime_people_void(ngx_realtime_session_t *s)
{
    ngx_str_t               args = ngx_string("\"error\","
                                    "{\"code\":\"token_revoked\","
                                    "\"message\":\"Authentication error: "
                                    "Invalid or expired token\"}");
    ngx_queue_t            *q;
    ngx_realtime_socket_t  *sk;

    ngx_realtime_log_client(NGX_LOG_INFO, ngx_realtime_session_log(s),
                            "session closed", "its token is revoked",
                            ngx_realtime_session_user(s),
                            ngx_realtime_session_socket_id(s));

    for (q = ngx_queue_head(&s->sockets);
         q != ngx_queue_sentinel(&s->sockets);
         q = ngx_queue_next(q))
    {
        sk = ngx_queue_data(q, ngx_realtime_socket_t, queue);

        ngx_realtime_socket_emit_args(sk, &args, NULL, 0);
        ngx_realtime_count(revoked);
    }

    ngx_realtime_session_close(s, RT_WS_POLICY, "token revoked");
}
