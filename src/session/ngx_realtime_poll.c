
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The worker that has the request: see ngx_realtime_poll.h.
 */


#include "ngx_realtime_counter.h"
#include "ngx_realtime_handshake.h"
#include "ngx_realtime_log.h"
#include "ngx_realtime_poll.h"
#include "ngx_realtime_serve.h"
#include "ngx_realtime_slot.h"
#include "rt_eio.h"


#define NGX_REALTIME_POLL_CHECK  1000      /* ms: is the other worker there? */
#define NGX_REALTIME_POLL_WAIT   50        /* ms: a GET may be on its way */


/* a request that waits for its answer; in its pool */

typedef struct {
    ngx_http_request_t        *request;
    ngx_realtime_ref_t         ref;
    ngx_realtime_age_t         age;
    ngx_str_t                  sid;        /* len 0: a handshake */
    ngx_uint_t                 slot;       /* who has the session */
    uint64_t                   generation; /* of that slot */
    ngx_int_t                  rc;         /* of the reply, if answered before
                                              the handler returned */
    unsigned                   get:1;
    unsigned                   uploading:1;  /* and that is known to slot */
    unsigned                   wrong:1;    /* a forbidden type of body */
    unsigned                   close:1;    /* a Close that is not done */
    unsigned                   later:1;    /* and waits for a GET */
    unsigned                   answered:1;
    unsigned                   suspended:1;  /* the handler has returned */
} ngx_realtime_poll_t;


/* ANSWER on the bus; the body follows */

typedef struct {
    ngx_realtime_ref_t         waiter;
    uint32_t                   kind;
} ngx_realtime_poll_answer_t;


static ngx_realtime_poll_t *ngx_realtime_poll_create(ngx_http_request_t *r,
    ngx_str_t *sid, ngx_uint_t slot);
static void ngx_realtime_poll_cleanup(void *data);
static ngx_int_t ngx_realtime_poll_handshake(ngx_realtime_poll_t *poll,
    ngx_realtime_identity_t *identity);
static ngx_int_t ngx_realtime_poll_get(ngx_realtime_poll_t *poll);
static ngx_int_t ngx_realtime_poll_post(ngx_realtime_poll_t *poll);
static void ngx_realtime_poll_upload(ngx_realtime_poll_t *poll);
static void ngx_realtime_poll_body(ngx_http_request_t *r);
static void ngx_realtime_poll_drop(ngx_realtime_poll_t *poll,
    ngx_int_t status);
static ngx_int_t ngx_realtime_poll_copy(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_int_t ngx_realtime_poll_suspend_get(ngx_realtime_poll_t *poll);
static ngx_int_t ngx_realtime_poll_suspend(ngx_realtime_poll_t *poll);
static void ngx_realtime_poll_check(ngx_realtime_age_t *age);
static ngx_int_t ngx_realtime_poll_close(ngx_realtime_poll_t *poll);
static void ngx_realtime_poll_answered(ngx_uint_t from, u_char *data,
    size_t len);
static void ngx_realtime_poll_finish(ngx_realtime_poll_t *poll,
    ngx_realtime_poll_e kind, u_char *body, size_t len);
static ngx_int_t ngx_realtime_poll_reply(ngx_realtime_poll_t *poll,
    ngx_realtime_poll_e kind, u_char *body, size_t len);


static ngx_realtime_table_t  ngx_realtime_polls;


ngx_int_t
ngx_realtime_poll_init(ngx_cycle_t *cycle)
{
    ngx_realtime_polling_init(cycle, ngx_realtime_poll_answer);

    ngx_realtime_bus_handle(NGX_REALTIME_BUS_POLL,
                            ngx_realtime_serve_received);
    ngx_realtime_bus_handle(NGX_REALTIME_BUS_ANSWER,
                            ngx_realtime_poll_answered);

    return NGX_OK;
}


ngx_int_t
ngx_realtime_poll_handler(ngx_http_request_t *r, ngx_str_t *sid,
    ngx_realtime_identity_t *identity)
{
    ngx_uint_t            slot;
    ngx_realtime_poll_t  *poll;

    slot = ngx_realtime_slot;

    if (sid && ngx_realtime_session_slot(sid, &slot) != NGX_OK) {
        return ngx_realtime_handshake_error(r, RT_EIO_SID_UNKNOWN,
                                            "a sid of nobody");
    }

    poll = ngx_realtime_poll_create(r, sid, slot);

    if (poll == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (sid == NULL) {
        return ngx_realtime_poll_handshake(poll, identity);
    }

    if (r->method == NGX_HTTP_POST) {
        return ngx_realtime_poll_post(poll);
    }

    return ngx_realtime_poll_get(poll);
}


static ngx_realtime_poll_t *
ngx_realtime_poll_create(ngx_http_request_t *r, ngx_str_t *sid,
    ngx_uint_t slot)
{
    ngx_http_cleanup_t   *cln;
    ngx_realtime_poll_t  *poll;

    poll = ngx_pcalloc(r->pool, sizeof(ngx_realtime_poll_t));
    cln = ngx_http_cleanup_add(r, 0);

    if (poll == NULL || cln == NULL
        || ngx_realtime_table_add(&ngx_realtime_polls, poll, &poll->ref)
           != NGX_OK)
    {
        return NULL;
    }

    cln->handler = ngx_realtime_poll_cleanup;
    cln->data = poll;

    poll->request = r;
    poll->get = (r->method != NGX_HTTP_POST);
    poll->slot = slot;
    poll->generation = ngx_realtime_slot_generation(slot);
    poll->age.handler = ngx_realtime_poll_check;

    if (sid) {
        poll->sid = *sid;
    }

    ngx_realtime_age_hold();

    return poll;
}


/* the request ends, answered or not */

static void
ngx_realtime_poll_cleanup(void *data)
{
    ngx_realtime_poll_t  *poll = data;

    ngx_realtime_poll_op_e  op;

    if (poll->sid.len && !poll->answered && (poll->get || poll->uploading)) {

        /* as at the reference server, a body that nginx found too long does
           no harm, and one that is cut off ends the session */

        op = (poll->request->err_status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE)
             ? NGX_REALTIME_POLL_DROP : NGX_REALTIME_POLL_ABORT;

        (void) ngx_realtime_poll_ask(&poll->sid, op, poll->ref, NULL, 0);
    }

    if (poll->close && !poll->answered) {
        /* who closes does not always wait for the answer */
        poll->answered = 1;
        (void) ngx_realtime_poll_close(poll);
    }

    ngx_realtime_table_remove(&ngx_realtime_polls, poll->ref);
    ngx_realtime_age_unset(&poll->age);
    ngx_realtime_age_release();
}


static ngx_int_t
ngx_realtime_poll_handshake(ngx_realtime_poll_t *poll,
    ngx_realtime_identity_t *identity)
{
    ngx_http_request_t        *r;
    ngx_realtime_waiter_t      waiter;
    ngx_realtime_session_t    *s;
    ngx_realtime_loc_conf_t   *rlcf;
    ngx_realtime_transport_t  *t;

    r = poll->request;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_realtime_module);

    t = ngx_realtime_polling_create(rlcf->send_limit, ngx_cycle->log);
    if (t == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    s = ngx_realtime_session_create(t, rlcf, ngx_realtime_session_place(r),
                                    identity);
    if (s == NULL) {
        t->ops->close(t, 0);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_realtime_count(handshakes);
    ngx_realtime_session_open(s, 1);

    waiter.slot = ngx_realtime_slot;
    waiter.index = poll->ref.index;
    waiter.generation = poll->ref.generation;
    waiter.owner = ngx_realtime_slot_generation(ngx_realtime_slot);

    (void) ngx_realtime_polling_get(t, &waiter);

    return ngx_realtime_poll_suspend_get(poll);
}


static ngx_int_t
ngx_realtime_poll_get(ngx_realtime_poll_t *poll)
{
    ngx_int_t  rc;

    rc = ngx_http_discard_request_body(poll->request);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_realtime_poll_ask(&poll->sid, NGX_REALTIME_POLL_GET, poll->ref,
                              NULL, 0)
        != NGX_OK)
    {
        poll->answered = 1;
        return ngx_realtime_handshake_error(poll->request, RT_EIO_SID_UNKNOWN,
                                            "the worker of the sid is gone");
    }

    return ngx_realtime_poll_suspend_get(poll);
}


static ngx_int_t
ngx_realtime_poll_post(ngx_realtime_poll_t *poll)
{
    ngx_int_t                 rc;
    ngx_str_t                *type;
    ngx_http_request_t       *r;
    ngx_realtime_loc_conf_t  *rlcf;

    r = poll->request;
    rlcf = ngx_http_get_module_loc_conf(r, ngx_realtime_module);

    if (r->headers_in.content_length_n > (off_t) rlcf->max_payload) {
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    /* Engine.IO 4 has base64 instead */

    type = r->headers_in.content_type ? &r->headers_in.content_type->value
                                      : NULL;

    poll->wrong = (type
                   && ngx_realtime_string_eq(type,
                                             "application/octet-stream"));

    ngx_http_set_ctx(r, poll, ngx_realtime_module);
    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r, ngx_realtime_poll_body);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    if (rc == NGX_AGAIN) {
        ngx_realtime_poll_upload(poll);
    }

    return NGX_DONE;
}


/* the answer, if it is not one for the whole POST, comes before the body */

static void
ngx_realtime_poll_upload(ngx_realtime_poll_t *poll)
{
    ngx_http_request_t  *r;

    r = poll->request;

    poll->uploading = 1;

    if (ngx_realtime_poll_ask(&poll->sid, NGX_REALTIME_POLL_UPLOAD, poll->ref,
                              NULL, 0)
        != NGX_OK)
    {
        poll->answered = 1;
        ngx_http_finalize_request(r,
            ngx_realtime_handshake_error(r, RT_EIO_SID_UNKNOWN,
                                         "the worker of the sid is gone"));
        return;
    }

    if (poll->answered) {
        ngx_http_finalize_request(r, poll->rc);
        return;
    }

    poll->suspended = 1;
}


static void
ngx_realtime_poll_body(ngx_http_request_t *r)
{
    ngx_int_t                 rc;
    ngx_str_t                 body;
    ngx_realtime_poll_t      *poll;
    ngx_realtime_loc_conf_t  *rlcf;

    poll = ngx_http_get_module_ctx(r, ngx_realtime_module);
    rlcf = ngx_http_get_module_loc_conf(r, ngx_realtime_module);

    poll->suspended = 0;

    if (ngx_realtime_poll_copy(r, &body) != NGX_OK) {
        ngx_realtime_poll_drop(poll, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    if (body.len > rlcf->max_payload) {
        /* chunked: known only now */
        ngx_realtime_poll_drop(poll, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE);
        return;
    }

    if (poll->wrong) {
        /* what is no payload ends the session */
        body.len = 0;
    }

    /*
     * A Close may overtake the GET that the client has sent just before, to
     * another worker, which would then find no session.
     */

    poll->close = (body.len == 1 && body.data[0] == RT_EIO_CLOSE);
    poll->uploading = 0;

    if (ngx_realtime_poll_ask(&poll->sid,
                              poll->close ? NGX_REALTIME_POLL_CLOSE
                                          : NGX_REALTIME_POLL_POST,
                              poll->ref, body.data, body.len)
        != NGX_OK)
    {
        poll->answered = 1;
        ngx_http_finalize_request(r,
            ngx_realtime_handshake_error(r, RT_EIO_SID_UNKNOWN,
                                         "the worker of the sid is gone"));
        return;
    }

    rc = ngx_realtime_poll_suspend(poll);

    if (rc != NGX_DONE) {
        ngx_http_finalize_request(r, rc);
    }
}


static void
ngx_realtime_poll_drop(ngx_realtime_poll_t *poll, ngx_int_t status)
{
    if (poll->uploading) {
        poll->uploading = 0;
        (void) ngx_realtime_poll_ask(&poll->sid, NGX_REALTIME_POLL_DROP,
                                     poll->ref, NULL, 0);
    }

    poll->answered = 1;
    ngx_http_finalize_request(poll->request, status);
}


/* the body in one piece, wherever nginx has put it */

static ngx_int_t
ngx_realtime_poll_copy(ngx_http_request_t *r, ngx_str_t *body)
{
    u_char       *p;
    size_t        size;
    ssize_t       n;
    ngx_chain_t  *cl;

    body->len = 0;
    body->data = NULL;

    if (r->request_body == NULL) {
        return NGX_OK;
    }

    size = 0;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    p = ngx_pnalloc(r->pool, size + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    body->data = p;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {

        if (ngx_buf_in_memory(cl->buf)) {
            p = ngx_cpymem(p, cl->buf->pos, cl->buf->last - cl->buf->pos);
            continue;
        }

        if (!cl->buf->in_file) {
            continue;
        }

        size = cl->buf->file_last - cl->buf->file_pos;
        n = ngx_read_file(cl->buf->file, p, size, cl->buf->file_pos);

        if (n != (ssize_t) size) {
            return NGX_ERROR;
        }

        p += size;
    }

    body->len = p - body->data;

    return NGX_OK;
}


static ngx_int_t
ngx_realtime_poll_suspend_get(ngx_realtime_poll_t *poll)
{
    ngx_int_t  rc;

    rc = ngx_realtime_poll_suspend(poll);

    if (rc == NGX_DONE) {
        /* reading a body counts the request, nothing did here */
        poll->request->main->count++;
    }

    return rc;
}


/* NGX_DONE: the answer comes later; or what came of the one that is there */

static ngx_int_t
ngx_realtime_poll_suspend(ngx_realtime_poll_t *poll)
{
    if (poll->answered) {
        return poll->rc;
    }

    poll->suspended = 1;
    poll->request->read_event_handler = ngx_http_test_reading;

    ngx_realtime_age_set(&poll->age, poll->later ? NGX_REALTIME_POLL_WAIT
                                                 : NGX_REALTIME_POLL_CHECK);

    return NGX_DONE;
}


static void
ngx_realtime_poll_check(ngx_realtime_age_t *age)
{
    u_char                code;
    ngx_realtime_poll_t  *poll;

    poll = ngx_queue_data(age, ngx_realtime_poll_t, age);

    if (poll->close) {
        ngx_realtime_age_set(age, NGX_REALTIME_POLL_CHECK);

        /* the request may be over when it returns */

        if (ngx_realtime_poll_close(poll) == NGX_OK) {
            return;
        }

    } else if (ngx_realtime_slot_is(poll->slot, poll->generation)) {
        ngx_realtime_age_set(age, NGX_REALTIME_POLL_CHECK);
        return;
    }

    code = RT_EIO_SID_UNKNOWN;
    ngx_realtime_poll_finish(poll, NGX_REALTIME_POLL_ERROR, &code, 1);
}


static ngx_int_t
ngx_realtime_poll_close(ngx_realtime_poll_t *poll)
{
    u_char  packet;

    packet = RT_EIO_CLOSE;
    poll->close = 0;

    return ngx_realtime_poll_ask(&poll->sid, NGX_REALTIME_POLL_POST, poll->ref,
                                 &packet, 1);
}


void
ngx_realtime_poll_answer(const ngx_realtime_waiter_t *waiter,
    ngx_realtime_poll_e kind, u_char *body, size_t len)
{
    ngx_str_t                    parts[2];
    ngx_realtime_ref_t           ref;
    ngx_realtime_poll_t         *poll;
    ngx_realtime_poll_answer_t   head;

    ref.index = waiter->index;
    ref.generation = waiter->generation;

    if (waiter->slot == (uint32_t) ngx_realtime_slot) {

        poll = ngx_realtime_table_find(&ngx_realtime_polls, ref);

        if (poll) {
            ngx_realtime_poll_finish(poll, kind, body, len);
        }

        return;
    }

    ngx_memzero(&head, sizeof(head));
    head.waiter = ref;
    head.kind = kind;

    parts[0].data = (u_char *) &head;
    parts[0].len = sizeof(head);
    parts[1].data = body;
    parts[1].len = len;

    ngx_realtime_bus_send(ngx_realtime_slot_bit(waiter->slot),
                          NGX_REALTIME_BUS_ANSWER, parts, len ? 2 : 1);
}


static void
ngx_realtime_poll_answered(ngx_uint_t from, u_char *data, size_t len)
{
    ngx_realtime_poll_t         *poll;
    ngx_realtime_poll_answer_t   head;

    if (len < sizeof(head)) {
        return;
    }

    ngx_memcpy(&head, data, sizeof(head));

    poll = ngx_realtime_table_find(&ngx_realtime_polls, head.waiter);

    if (poll) {
        ngx_realtime_poll_finish(poll, head.kind, data + sizeof(head),
                                 len - sizeof(head));
    }
}


static void
ngx_realtime_poll_finish(ngx_realtime_poll_t *poll, ngx_realtime_poll_e kind,
    u_char *body, size_t len)
{
    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    if (poll->answered || poll->request->header_sent) {
        /* the latter by nginx, as when a body does not come in time */
        return;
    }

    if (kind == NGX_REALTIME_POLL_LATER) {

        poll->later = 1;

        if (poll->suspended) {
            ngx_realtime_age_set(&poll->age, NGX_REALTIME_POLL_WAIT);
        }

        return;
    }

    poll->answered = 1;
    ngx_realtime_age_unset(&poll->age);

    r = poll->request;
    c = r->connection;

    rc = ngx_realtime_poll_reply(poll, kind, body, len);

    if (!poll->suspended) {
        /* the handler is still on the stack */
        poll->rc = rc;
        return;
    }

    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_realtime_poll_reply(ngx_realtime_poll_t *poll, ngx_realtime_poll_e kind,
    u_char *body, size_t len)
{
    u_char              *p;
    ngx_str_t            text = ngx_string("text/plain; charset=UTF-8");
    ngx_str_t            html = ngx_string("text/html");
    ngx_str_t            ok = ngx_string("ok");
    ngx_str_t            copy;
    ngx_http_request_t  *r;

    r = poll->request;

    switch (kind) {

    case NGX_REALTIME_POLL_PAYLOAD:

        p = ngx_pnalloc(r->pool, len + 1);
        if (p == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ngx_memcpy(p, body, len);
        copy.data = p;
        copy.len = len;

        return ngx_realtime_handshake_reply(r, NGX_HTTP_OK, &text, &copy);

    case NGX_REALTIME_POLL_OK:
        return ngx_realtime_handshake_reply(r, NGX_HTTP_OK, &html, &ok);

    case NGX_REALTIME_POLL_BAD:
        ngx_str_null(&copy);
        return ngx_realtime_handshake_reply(r, NGX_HTTP_BAD_REQUEST, &html,
                                            &copy);

    default: /* NGX_REALTIME_POLL_ERROR */
        return ngx_realtime_handshake_error(r, *body,
                                            "a poll of no polling session");
    }
}


ngx_int_t
ngx_realtime_poll_ask(ngx_str_t *sid, ngx_realtime_poll_op_e op,
    ngx_realtime_ref_t waiter, u_char *body, size_t len)
{
    ngx_str_t                  parts[2];
    ngx_uint_t                 slot;
    ngx_realtime_waiter_t      w;
    ngx_realtime_poll_head_t   head;

    if (ngx_realtime_session_slot(sid, &slot) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (slot == (ngx_uint_t) ngx_realtime_slot) {
        w.slot = slot;
        w.index = waiter.index;
        w.generation = waiter.generation;
        w.owner = ngx_realtime_slot_generation(slot);

        ngx_realtime_serve_request(sid->data, op, &w, body, len);
        return NGX_OK;
    }

    if (!(ngx_realtime_slot_live_mask() & ngx_realtime_slot_bit(slot))) {
        return NGX_DECLINED;
    }

    ngx_memzero(&head, sizeof(head));
    head.op = op;
    head.waiter = waiter;
    head.owner = ngx_realtime_slot_generation(ngx_realtime_slot);
    ngx_memcpy(head.sid, sid->data, NGX_REALTIME_SID_LEN);

    parts[0].data = (u_char *) &head;
    parts[0].len = sizeof(head);
    parts[1].data = body;
    parts[1].len = len;

    ngx_realtime_bus_send(ngx_realtime_slot_bit(slot), NGX_REALTIME_BUS_POLL,
                          parts, len ? 2 : 1);

    return NGX_OK;
}
