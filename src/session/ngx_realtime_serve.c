
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The worker that has the session: what the requests of ngx_realtime_poll.h
 * come to.
 */


#include "ngx_realtime_counter.h"
#include "ngx_realtime_moved.h"
#include "ngx_realtime_poll.h"
#include "ngx_realtime_serve.h"
#include "rt_eio.h"
#include "rt_utf8.h"
#include "rt_ws.h"


static void ngx_realtime_serve_post(ngx_realtime_session_t *s,
    ngx_realtime_poll_op_e op, const ngx_realtime_waiter_t *waiter,
    u_char *body, size_t len);
static void ngx_realtime_serve_overlap(ngx_realtime_session_t *s,
    const ngx_realtime_waiter_t *waiter);
static void ngx_realtime_serve_payload(ngx_realtime_session_t *s,
    const ngx_realtime_waiter_t *waiter, u_char *body, size_t len);
static ngx_int_t ngx_realtime_serve_packets(ngx_realtime_session_t *s,
    u_char *body, size_t len);


void
ngx_realtime_serve_received(ngx_uint_t from, u_char *data, size_t len)
{
    ngx_realtime_waiter_t      waiter;
    ngx_realtime_poll_head_t   head;

    if (len < sizeof(head)) {
        return;
    }

    ngx_memcpy(&head, data, sizeof(head));

    waiter.slot = from;
    waiter.index = head.waiter.index;
    waiter.generation = head.waiter.generation;
    waiter.owner = head.owner;

    ngx_realtime_serve_request(head.sid, head.op, &waiter,
                               data + sizeof(head), len - sizeof(head));
}


void
ngx_realtime_serve_request(u_char *sid, ngx_realtime_poll_op_e op,
    const ngx_realtime_waiter_t *waiter, u_char *body, size_t len)
{
    u_char                   code;
    ngx_realtime_session_t  *s;

    s = ngx_realtime_session_by_sid(sid);

    if (op >= NGX_REALTIME_POLL_PROBE) {
        ngx_realtime_upgrade_request(s, sid, op, waiter, body, len);
        return;
    }

    if (s == NULL || s->detour || !ngx_realtime_polling_is(s->transport)) {

        if (op != NGX_REALTIME_POLL_ABORT && op != NGX_REALTIME_POLL_DROP) {
            code = (s || ngx_realtime_moved_is(sid)) ? RT_EIO_BAD_REQUEST
                                                     : RT_EIO_SID_UNKNOWN;
            ngx_realtime_poll_answer(waiter, NGX_REALTIME_POLL_ERROR, &code,
                                     1);
        }

        return;
    }

    switch (op) {

    case NGX_REALTIME_POLL_GET:

        ngx_realtime_detour_check_probing(s);

        if (ngx_realtime_polling_get(s->transport, waiter) != NGX_OK) {
            ngx_realtime_session_refuse(s, "a second GET beside a parked "
                                           "one");
        }

        return;

    case NGX_REALTIME_POLL_UPLOAD:

        if (ngx_realtime_polling_upload(s->transport, waiter, 0) != NGX_OK) {
            ngx_realtime_serve_overlap(s, waiter);
        }

        return;

    case NGX_REALTIME_POLL_DROP:
        (void) ngx_realtime_polling_upload(s->transport, waiter, 1);
        return;

    case NGX_REALTIME_POLL_CLOSE:
    case NGX_REALTIME_POLL_POST:
        ngx_realtime_serve_post(s, op, waiter, body, len);
        return;

    default: /* NGX_REALTIME_POLL_ABORT */

        if (ngx_realtime_polling_abort(s->transport, waiter) == NGX_OK) {
            ngx_realtime_session_close(s, RT_WS_NO_STATUS, "transport close");
        }
    }
}


static void
ngx_realtime_serve_post(ngx_realtime_session_t *s, ngx_realtime_poll_op_e op,
    const ngx_realtime_waiter_t *waiter, u_char *body, size_t len)
{
    if (ngx_realtime_polling_upload(s->transport, waiter, 1) != NGX_OK) {
        ngx_realtime_serve_overlap(s, waiter);
        return;
    }

    if (op == NGX_REALTIME_POLL_CLOSE
        && !ngx_realtime_polling_parked(s->transport))
    {
        ngx_realtime_poll_answer(waiter, NGX_REALTIME_POLL_LATER, NULL, 0);
        return;
    }

    ngx_realtime_serve_payload(s, waiter, body, len);
}


static void
ngx_realtime_serve_overlap(ngx_realtime_session_t *s,
    const ngx_realtime_waiter_t *waiter)
{
    ngx_realtime_poll_answer(waiter, NGX_REALTIME_POLL_BAD, NULL, 0);
    ngx_realtime_session_refuse(s, "a second POST beside one that uploads");
}


static void
ngx_realtime_serve_payload(ngx_realtime_session_t *s,
    const ngx_realtime_waiter_t *waiter, u_char *body, size_t len)
{
    ngx_realtime_ref_t  ref;

    ref = s->ref;

    if (len == 0 || rt_utf8_check(body, len) != RT_OK
        || ngx_realtime_serve_packets(s, body, len) != NGX_OK)
    {
        s = ngx_realtime_session_find(ref);

        if (s) {
            ngx_realtime_session_refuse(s, "a POST that is no payload");
        }

        ngx_realtime_poll_answer(waiter, NGX_REALTIME_POLL_BAD, NULL, 0);
        return;
    }

    /* the client waits for what comes on its GET, not for this "ok" */

    s = ngx_realtime_session_find(ref);

    if (s && ngx_realtime_polling_is(s->transport)) {
        ngx_realtime_polling_push(s->transport);
    }

    ngx_realtime_poll_answer(waiter, NGX_REALTIME_POLL_OK, NULL, 0);
}


/* a packet may end the session; then the rest is for nobody */

static ngx_int_t
ngx_realtime_serve_packets(ngx_realtime_session_t *s, u_char *body, size_t len)
{
    int                        rc;
    u_char                    *pos, *last;
    rt_str_t                   data;
    unsigned                   binary;
    ngx_realtime_ref_t         ref;
    ngx_realtime_transport_t  *t;

    ref = s->ref;
    pos = body;
    last = body + len;

    for ( ;; ) {

        rc = rt_eio_next(&pos, last, &data, &binary);

        if (rc == RT_AGAIN) {
            return NGX_OK;
        }

        if (rc != RT_OK) {
            return NGX_ERROR;
        }

        ngx_realtime_count(messages_in);

        t = s->transport;

        if (!binary && data.len == 1 && data.data[0] == RT_EIO_CLOSE) {
            /* who says it himself hears no Close in his GET, but a NOOP */
            ngx_realtime_polling_hold(t, 1);
        }

        t->up->packet(s, (u_char *) data.data, data.len, binary);

        s = ngx_realtime_session_find(ref);

        if (s == NULL) {
            /* closed by the client: fine; or refused: said and logged */
            return (data.len == 1 && data.data[0] == RT_EIO_CLOSE)
                   ? NGX_OK : NGX_ERROR;
        }
    }
}
