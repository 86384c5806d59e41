
/*
 * Copyright (C) ngx_realtime contributors
 */


/*
 * The public suite of Socket.IO waits for one message after the other, and
 * misses what comes in one piece with the message before.  Node.js writes
 * each by itself; here a turn of the event loop is written at once.  So on a
 * WebSocket "auth" comes a little behind the answer to CONNECT.  Whatever the
 * client asks for earlier has to come behind "auth" as well.
 */


#include "ngx_realtime_echo.h"
#include "rt_json.h"


#define NGX_REALTIME_ECHO_DELAY  10        /* ms, and a tick at most */


typedef struct {
    ngx_queue_t                queue;
    ngx_realtime_age_t         age;
    ngx_realtime_ref_t         socket;
    size_t                     len;
    u_char                     auth[];
} ngx_realtime_echo_delayed_t;


static void ngx_realtime_echo_auth(ngx_realtime_socket_t *sk, rt_str_t auth);
static void ngx_realtime_echo_delay(ngx_realtime_socket_t *sk, rt_str_t auth);
static void ngx_realtime_echo_hurry(ngx_realtime_ref_t socket);
static void ngx_realtime_echo_age(ngx_realtime_age_t *age);
static void ngx_realtime_echo_delayed(ngx_realtime_echo_delayed_t *d);
static ngx_int_t ngx_realtime_echo_named(rt_str_t *name, const char *s);
static void ngx_realtime_echo_emit(ngx_realtime_socket_t *sk,
    const char *event, rt_str_t args, ngx_str_t *attachments, ngx_uint_t n);


static ngx_queue_t  ngx_realtime_echo_waiting = {
    &ngx_realtime_echo_waiting, &ngx_realtime_echo_waiting
};


void
ngx_realtime_echo_connected(ngx_realtime_socket_t *sk, rt_str_t auth)
{
    if (ngx_realtime_polling_is(sk->session->transport)) {
        /* both are in one payload, and all of them read that */
        ngx_realtime_echo_auth(sk, auth);
        return;
    }

    ngx_realtime_echo_delay(sk, auth);
}


static void
ngx_realtime_echo_auth(ngx_realtime_socket_t *sk, rt_str_t auth)
{
    rt_str_t  none = { 2, (const uint8_t *) "{}" };

    ngx_realtime_echo_emit(sk, "auth", auth.len ? auth : none, NULL, 0);
}


static void
ngx_realtime_echo_delay(ngx_realtime_socket_t *sk, rt_str_t auth)
{
    ngx_queue_t                  *q, *next;
    ngx_realtime_echo_delayed_t  *d;

    /* no more are kept than there are sockets */

    for (q = ngx_queue_head(&ngx_realtime_echo_waiting);
         q != ngx_queue_sentinel(&ngx_realtime_echo_waiting);
         q = next)
    {
        next = ngx_queue_next(q);
        d = ngx_queue_data(q, ngx_realtime_echo_delayed_t, queue);

        if (ngx_realtime_socket_find(d->socket) == NULL) {
            ngx_realtime_echo_delayed(d);
        }
    }

    d = ngx_alloc(sizeof(ngx_realtime_echo_delayed_t) + auth.len,
                  sk->session->log);
    if (d == NULL) {
        return;
    }

    ngx_memzero(d, sizeof(ngx_realtime_echo_delayed_t));

    d->age.handler = ngx_realtime_echo_age;
    d->socket = sk->ref;
    d->len = auth.len;

    if (auth.len) {
        ngx_memcpy(d->auth, auth.data, auth.len);
    }

    ngx_queue_insert_tail(&ngx_realtime_echo_waiting, &d->queue);
    ngx_realtime_age_set(&d->age, NGX_REALTIME_ECHO_DELAY);
}


/* what is delayed of this socket has to come now */

static void
ngx_realtime_echo_hurry(ngx_realtime_ref_t socket)
{
    ngx_queue_t                  *q;
    ngx_realtime_echo_delayed_t  *d;

    for (q = ngx_queue_head(&ngx_realtime_echo_waiting);
         q != ngx_queue_sentinel(&ngx_realtime_echo_waiting);
         q = ngx_queue_next(q))
    {
        d = ngx_queue_data(q, ngx_realtime_echo_delayed_t, queue);

        if (d->socket.index == socket.index
            && d->socket.generation == socket.generation)
        {
            ngx_realtime_echo_delayed(d);
            return;
        }
    }
}


static void
ngx_realtime_echo_age(ngx_realtime_age_t *age)
{
    ngx_realtime_echo_delayed(ngx_queue_data(age, ngx_realtime_echo_delayed_t,
                                             age));
}


/* emits it, if its socket is still there, and frees it */

static void
ngx_realtime_echo_delayed(ngx_realtime_echo_delayed_t *d)
{
    rt_str_t                auth;
    ngx_realtime_socket_t  *sk;

    sk = ngx_realtime_socket_find(d->socket);

    if (sk) {
        auth.data = d->auth;
        auth.len = d->len;
        ngx_realtime_echo_auth(sk, auth);
    }

    ngx_realtime_age_unset(&d->age);
    ngx_queue_remove(&d->queue);
    ngx_free(d);
}


void
ngx_realtime_echo_event(ngx_realtime_socket_t *sk, ngx_realtime_in_t *in)
{
    rt_str_t   rest;
    ngx_str_t  args;

    ngx_realtime_echo_hurry(sk->ref);

    rest = rt_json_rest(in->args);

    if (ngx_realtime_echo_named(&in->name, "message")) {
        ngx_realtime_echo_emit(sk, "message-back", rest, in->attachments,
                               in->nattachments);
        return;
    }

    if (in->has_id && ngx_realtime_echo_named(&in->name, "message-with-ack")) {
        args.data = (u_char *) rest.data;
        args.len = rest.len;

        ngx_realtime_socket_ack(sk, in->id, &args, in->attachments,
                                in->nattachments);
    }
}


static ngx_int_t
ngx_realtime_echo_named(rt_str_t *name, const char *s)
{
    return name->len == ngx_strlen(s) && ngx_memcmp(name->data, s, name->len)
                                         == 0;
}


/* args: the inside of an array, without the name; may be empty */

static void
ngx_realtime_echo_emit(ngx_realtime_socket_t *sk, const char *event,
    rt_str_t args, ngx_str_t *attachments, ngx_uint_t n)
{
    u_char     *p;
    ngx_str_t   all;

    all.data = ngx_alloc(ngx_strlen(event) + args.len + 3, sk->session->log);
    if (all.data == NULL) {
        return;
    }

    p = all.data;
    *p++ = '"';
    p = ngx_cpymem(p, event, ngx_strlen(event));
    *p++ = '"';

    if (args.len) {
        *p++ = ',';
        p = ngx_cpymem(p, args.data, args.len);
    }

    all.len = p - all.data;

    ngx_realtime_socket_emit_args(sk, &all, attachments, n);

    ngx_free(all.data);
}
