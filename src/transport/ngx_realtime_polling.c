
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * As with a WebSocket, send() only queues; at the end of the turn all that is
 * queued goes out as one payload, if a GET is parked.
 *
 * A transport that was closed is freed at the end of the turn too, so that
 * nobody's hands are on it.
 */


#include "ngx_realtime_counter.h"
#include "ngx_realtime_log.h"
#include "ngx_realtime_polling.h"
#include "ngx_realtime_slot.h"
#include "rt_eio.h"


typedef struct {
    ngx_realtime_transport_t   transport;  /* first: one is the other */
    ngx_realtime_waiter_t      parked;     /* generation 0: no GET */
    ngx_realtime_waiter_t      upload;     /* generation 0: no POST */
    ngx_realtime_out_t         out;
    size_t                     send_limit;
    ngx_queue_t                flush;      /* prev == NULL: not on the list */

    unsigned                   hold:1;     /* upgrading */
    unsigned                   slow:1;     /* over send_limit */
    unsigned                   left:1;     /* its GETs are answered "1" */
    unsigned                   dead:1;
} ngx_realtime_polling_t;


static void ngx_realtime_polling_send(ngx_realtime_transport_t *t,
    ngx_realtime_msg_t *m);
static void ngx_realtime_polling_close(ngx_realtime_transport_t *t,
    ngx_uint_t code);
static void ngx_realtime_polling_leave(ngx_realtime_transport_t *t,
    ngx_uint_t code);
static void ngx_realtime_polling_post(ngx_realtime_polling_t *p);
static void ngx_realtime_polling_flush_all(ngx_event_t *ev);
static void ngx_realtime_polling_flush(ngx_realtime_polling_t *p);
static void ngx_realtime_polling_answer(ngx_realtime_polling_t *p,
    const char *last);
static size_t ngx_realtime_polling_size(ngx_realtime_out_t *out);
static u_char *ngx_realtime_polling_print(u_char *buf,
    ngx_realtime_out_t *out);


static const ngx_realtime_transport_ops_t  ngx_realtime_polling_ops = {
    "polling",
    ngx_realtime_polling_send,
    ngx_realtime_polling_close,
    ngx_realtime_polling_leave
};


static ngx_queue_t                     ngx_realtime_polling_dirty;
static ngx_event_t                     ngx_realtime_polling_flusher;
static ngx_connection_t                ngx_realtime_polling_dummy;
static ngx_realtime_polling_answer_pt  ngx_realtime_polling_reply;


void
ngx_realtime_polling_init(ngx_cycle_t *cycle,
    ngx_realtime_polling_answer_pt answer)
{
    ngx_queue_init(&ngx_realtime_polling_dirty);

    ngx_realtime_polling_dummy.fd = (ngx_socket_t) -1;

    ngx_realtime_polling_flusher.data = &ngx_realtime_polling_dummy;
    ngx_realtime_polling_flusher.handler = ngx_realtime_polling_flush_all;
    ngx_realtime_polling_flusher.log = cycle->log;

    ngx_realtime_polling_reply = answer;
}


ngx_realtime_transport_t *
ngx_realtime_polling_create(size_t send_limit, ngx_log_t *log)
{
    ngx_realtime_polling_t  *p;

    p = ngx_calloc(sizeof(ngx_realtime_polling_t), log);
    if (p == NULL) {
        return NULL;
    }

    p->transport.ops = &ngx_realtime_polling_ops;
    p->transport.log = log;
    p->send_limit = send_limit;
    ngx_realtime_out_init(&p->out);

    return &p->transport;
}


ngx_uint_t
ngx_realtime_polling_is(ngx_realtime_transport_t *t)
{
    return t && t->ops == &ngx_realtime_polling_ops;
}


void
ngx_realtime_polling_push(ngx_realtime_transport_t *t)
{
    ngx_realtime_polling_t  *p;

    p = (ngx_realtime_polling_t *) t;

    if (p->parked.generation && p->out.first && !p->hold && !p->slow) {
        ngx_realtime_polling_answer(p, NULL);
    }
}


ngx_uint_t
ngx_realtime_polling_parked(ngx_realtime_transport_t *t)
{
    ngx_realtime_polling_t  *p;

    p = (ngx_realtime_polling_t *) t;

    return p->parked.generation != 0;
}


ngx_int_t
ngx_realtime_polling_get(ngx_realtime_transport_t *t,
    const ngx_realtime_waiter_t *waiter)
{
    ngx_realtime_polling_t  *p;

    p = (ngx_realtime_polling_t *) t;

    if (p->parked.generation) {
        ngx_realtime_polling_reply(waiter, NGX_REALTIME_POLL_BAD, NULL, 0);
        ngx_realtime_polling_answer(p, "1");
        return NGX_BUSY;
    }

    p->parked = *waiter;

    if (p->hold) {
        ngx_realtime_polling_answer(p, "6");

    } else if (p->left) {
        ngx_realtime_polling_answer(p, "1");

    } else if (p->out.first) {
        ngx_realtime_polling_answer(p, NULL);
    }

    return NGX_OK;
}


ngx_int_t
ngx_realtime_polling_upload(ngx_realtime_transport_t *t,
    const ngx_realtime_waiter_t *waiter, ngx_uint_t done)
{
    ngx_realtime_polling_t  *p;

    p = (ngx_realtime_polling_t *) t;

    /* one in a worker that has died is over */

    if (p->upload.generation
        && !ngx_realtime_waiter_is(&p->upload, waiter)
        && ngx_realtime_slot_is(p->upload.slot, p->upload.owner))
    {
        return NGX_BUSY;
    }

    p->upload = *waiter;

    if (done) {
        p->upload.generation = 0;
    }

    return NGX_OK;
}


ngx_int_t
ngx_realtime_polling_abort(ngx_realtime_transport_t *t,
    const ngx_realtime_waiter_t *waiter)
{
    ngx_realtime_polling_t  *p;

    p = (ngx_realtime_polling_t *) t;

    if (ngx_realtime_waiter_is(&p->parked, waiter)) {
        p->parked.generation = 0;
        return NGX_OK;
    }

    if (ngx_realtime_waiter_is(&p->upload, waiter)) {
        p->upload.generation = 0;
        return NGX_OK;
    }

    return NGX_DECLINED;
}


void
ngx_realtime_polling_hold(ngx_realtime_transport_t *t, ngx_uint_t hold)
{
    ngx_realtime_polling_t  *p;

    p = (ngx_realtime_polling_t *) t;

    p->hold = hold;

    if (hold) {

        /* what was queued before goes with it, in the order of the queue */

        if (p->parked.generation) {
            ngx_realtime_polling_answer(p, "6");
        }

        return;
    }

    ngx_realtime_polling_post(p);
}


void
ngx_realtime_polling_hand_over(ngx_realtime_transport_t *t,
    ngx_realtime_out_t *out, ngx_log_t *log)
{
    ngx_realtime_msg_t      *m;
    ngx_realtime_polling_t  *p;

    p = (ngx_realtime_polling_t *) t;

    t->session = NULL;

    if (p->parked.generation) {
        ngx_realtime_polling_reply(&p->parked, NGX_REALTIME_POLL_PAYLOAD,
                                   (u_char *) "6", 1);
        p->parked.generation = 0;
    }

    for ( ;; ) {
        m = ngx_realtime_out_shift(&p->out);
        if (m == NULL) {
            break;
        }

        (void) ngx_realtime_out_push(out, m, log);
        ngx_realtime_msg_unref(m);
    }

    p->dead = 1;
    ngx_realtime_polling_post(p);
}


static void
ngx_realtime_polling_send(ngx_realtime_transport_t *t, ngx_realtime_msg_t *m)
{
    ngx_realtime_polling_t  *p;

    p = (ngx_realtime_polling_t *) t;

    if (p->dead || p->slow) {
        return;
    }

    if (p->out.bytes + m->len > p->send_limit && p->out.first) {

        if (m->dispensable) {
            return;
        }

        ngx_realtime_count(slow_consumers);
        p->slow = 1;

    } else if (ngx_realtime_out_push(&p->out, m, t->log) != NGX_OK) {
        p->slow = 1;

    } else {
        ngx_realtime_count(messages_out);
    }

    ngx_realtime_polling_post(p);
}


/* no upcall follows; the client hears "1" if it is listening */

static void
ngx_realtime_polling_close(ngx_realtime_transport_t *t, ngx_uint_t code)
{
    ngx_realtime_polling_t  *p;

    p = (ngx_realtime_polling_t *) t;

    t->session = NULL;

    if (p->parked.generation) {
        ngx_realtime_polling_answer(p, "1");
    }

    if (p->upload.generation) {
        /* nobody will read its body */
        ngx_realtime_polling_reply(&p->upload, NGX_REALTIME_POLL_BAD, NULL,
                                   0);
        p->upload.generation = 0;
    }

    p->dead = 1;
    ngx_realtime_polling_post(p);
}


static void
ngx_realtime_polling_leave(ngx_realtime_transport_t *t, ngx_uint_t code)
{
    ngx_realtime_polling_t  *p;

    p = (ngx_realtime_polling_t *) t;

    p->left = 1;

    if (p->parked.generation) {
        ngx_realtime_polling_answer(p, "1");
    }
}


static void
ngx_realtime_polling_post(ngx_realtime_polling_t *p)
{
    if (p->flush.prev) {
        return;
    }

    ngx_queue_insert_tail(&ngx_realtime_polling_dirty, &p->flush);

    if (!ngx_realtime_polling_flusher.posted) {
        ngx_post_event(&ngx_realtime_polling_flusher, &ngx_posted_events);
    }
}


static void
ngx_realtime_polling_flush_all(ngx_event_t *ev)
{
    ngx_queue_t             *q;
    ngx_realtime_polling_t  *p;

    while (!ngx_queue_empty(&ngx_realtime_polling_dirty)) {

        q = ngx_queue_head(&ngx_realtime_polling_dirty);
        ngx_queue_remove(q);
        q->prev = NULL;

        p = ngx_queue_data(q, ngx_realtime_polling_t, flush);

        ngx_realtime_polling_flush(p);

        if (p->dead && p->flush.prev == NULL) {
            ngx_realtime_out_drop(&p->out);
            ngx_free(p);
        }
    }
}


static void
ngx_realtime_polling_flush(ngx_realtime_polling_t *p)
{
    void                      *session;
    ngx_realtime_transport_t  *t;

    t = &p->transport;

    if (p->slow && !p->dead) {

        ngx_realtime_log_client(NGX_LOG_INFO, t->log, "polling closed",
                                "the client reads too slowly", NULL, NULL);

        session = t->session;

        ngx_realtime_polling_close(t, 0);

        if (session) {
            t->up->closed(session, "transport error");
        }

        return;
    }

    ngx_realtime_polling_push(t);
}


/* answers the parked GET with all that is queued, and last behind it */

static void
ngx_realtime_polling_answer(ngx_realtime_polling_t *p, const char *last)
{
    u_char                 *buf, *end;
    size_t                  size;
    ngx_realtime_waiter_t   waiter;

    waiter = p->parked;
    p->parked.generation = 0;

    size = ngx_realtime_polling_size(&p->out) + 2;

    buf = ngx_alloc(size, p->transport.log);
    if (buf == NULL) {
        ngx_realtime_polling_reply(&waiter, NGX_REALTIME_POLL_BAD, NULL, 0);
        return;
    }

    end = ngx_realtime_polling_print(buf, &p->out);

    if (last) {
        if (end != buf) {
            *end++ = RT_EIO_SEPARATOR;
        }

        *end++ = *last;
    }

    ngx_realtime_polling_reply(&waiter, NGX_REALTIME_POLL_PAYLOAD, buf,
                               end - buf);

    ngx_realtime_out_drop(&p->out);
    ngx_free(buf);
}


static size_t
ngx_realtime_polling_size(ngx_realtime_out_t *out)
{
    size_t                    size, len;
    ngx_realtime_out_node_t  *node;

    size = 0;

    for (node = out->first; node; node = node->next) {
        len = ngx_realtime_msg_payload_len(node->message);
        size += 1 + (node->message->binary ? rt_eio_binary_size(len) : len);
    }

    return size;
}


static u_char *
ngx_realtime_polling_print(u_char *buf, ngx_realtime_out_t *out)
{
    u_char                   *p;
    size_t                    len;
    ngx_realtime_msg_t       *m;
    ngx_realtime_out_node_t  *node;

    p = buf;

    for (node = out->first; node; node = node->next) {

        m = node->message;
        len = ngx_realtime_msg_payload_len(m);

        if (p != buf) {
            *p++ = RT_EIO_SEPARATOR;
        }

        p = m->binary ? rt_eio_binary(p, ngx_realtime_msg_payload(m), len)
                      : ngx_cpymem(p, ngx_realtime_msg_payload(m), len);
    }

    return p;
}
