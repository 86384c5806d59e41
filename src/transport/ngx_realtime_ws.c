
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * A WebSocket that is no HTTP request any more.
 *
 *   OPEN     packets both ways
 *   CLOSING  our Close is queued or sent, input is read only for the peer's
 *            Close; the session is detached; over after at most 3 s.  One that
 *            was told to leave keeps its session and its input until then
 *   DEAD     nothing more to say or hear: closed at the end of the turn
 *
 * Input.  All connections of a worker read into one buffer.  A message that
 * came whole is handed up from there; one that did not is collected in a
 * block of its own (message).  What the parser could not use yet, a cut-off
 * header or control frame, is kept in a block too (keep).  An idle connection
 * has neither.
 *
 * Output.  send() only queues a reference and puts the connection on the
 * worker's flush list; at the end of the turn of the event loop each is
 * written once, several messages with one system call.  The queue is bounded
 * by send_limit: over it what is volatile is dropped, and anything else ends
 * the connection.
 *
 * A few compressed bytes may make a lot of work: when those of one turn have
 * cost too much, the rest is kept too and waits for the next turn (paused).
 *
 * Only ngx_realtime_ws_settle() frees, and it runs where no caller is left on
 * the stack: behind the event handlers and in the flush.
 */


#include "ngx_realtime_age.h"
#include "ngx_realtime_counter.h"
#include "ngx_realtime_log.h"
#include "ngx_realtime_out.h"
#include "ngx_realtime_ws.h"
#include "ngx_realtime_ws_deflate.h"
#include "ngx_realtime_ws_message.h"
#include "rt_ws.h"

#include <ngx_event.h>


#define NGX_REALTIME_WS_BUFFER   65536     /* of the worker, each way */
#define NGX_REALTIME_WS_TURN     16        /* reads per event */
#define NGX_REALTIME_WS_LINGER   3000      /* ms, CLOSING at most */

/*
 * Of inflating, in bytes that come out of it, at 1 to 3 ns each; one that goes
 * in may take 60, in a message made for it.
 */

#define NGX_REALTIME_WS_COST     1048576   /* of an event */
#define NGX_REALTIME_WS_COST_IN  16        /* of a byte that goes in */


typedef enum {
    NGX_REALTIME_WS_OPEN = 0,
    NGX_REALTIME_WS_CLOSING,
    NGX_REALTIME_WS_DEAD
} ngx_realtime_ws_state_e;


typedef struct {
    ngx_realtime_transport_t   transport;  /* first: one is the other */
    ngx_connection_t          *connection;

    rt_ws_t                    parser;
    ngx_str_t                  keep;       /* malloc'ed; input not used yet */
    ngx_realtime_ws_message_t  message;    /* pieces so far */

    ngx_realtime_out_t         out;        /* not yet on the wire */
    ngx_realtime_loc_conf_t   *conf;

    ngx_queue_t                flush;      /* prev == NULL: not on the list */
    ngx_realtime_age_t         age;        /* CLOSING only */
    ngx_realtime_ws_state_e    state;

    unsigned                   close_sent:1;
    unsigned                   close_received:1;
    unsigned                   deaf:1;     /* input is read and thrown away */
    unsigned                   shut:1;     /* no more output: FIN sent */
    unsigned                   paused:1;   /* keep is for the next turn */
} ngx_realtime_ws_t;


static void ngx_realtime_ws_set_state(ngx_realtime_ws_t *ws,
    ngx_realtime_ws_state_e state);
static void ngx_realtime_ws_read_handler(ngx_event_t *rev);
static void ngx_realtime_ws_write_handler(ngx_event_t *wev);
static ngx_int_t ngx_realtime_ws_read(ngx_realtime_ws_t *ws);
static void ngx_realtime_ws_input(ngx_realtime_ws_t *ws, u_char *p,
    size_t len);
static void ngx_realtime_ws_keep(ngx_realtime_ws_t *ws, u_char *p,
    size_t len);
static void ngx_realtime_ws_frame(ngx_realtime_ws_t *ws, rt_ws_event_t *ev);
static void ngx_realtime_ws_piece(ngx_realtime_ws_t *ws, rt_ws_event_t *ev);
static void ngx_realtime_ws_send(ngx_realtime_transport_t *t,
    ngx_realtime_msg_t *m);
static void ngx_realtime_ws_queue(ngx_realtime_ws_t *ws,
    ngx_realtime_msg_t *m);
static void ngx_realtime_ws_post(ngx_realtime_ws_t *ws);
static void ngx_realtime_ws_send_control(ngx_realtime_ws_t *ws,
    ngx_uint_t opcode, const u_char *data, size_t len);
static void ngx_realtime_ws_send_close(ngx_realtime_ws_t *ws,
    ngx_uint_t code);
static void ngx_realtime_ws_close(ngx_realtime_transport_t *t,
    ngx_uint_t code);
static void ngx_realtime_ws_leave(ngx_realtime_transport_t *t,
    ngx_uint_t code);
static void ngx_realtime_ws_closed(ngx_realtime_ws_t *ws,
    const char *reason);
static void ngx_realtime_ws_refuse(ngx_realtime_ws_t *ws, ngx_uint_t code,
    const char *why);
static void ngx_realtime_ws_flush_all(ngx_event_t *ev);
static ngx_int_t ngx_realtime_ws_output(ngx_realtime_ws_t *ws);
static void ngx_realtime_ws_flush(ngx_realtime_ws_t *ws);
static void ngx_realtime_ws_linger(ngx_realtime_age_t *age);
static void ngx_realtime_ws_settle(ngx_realtime_ws_t *ws);


static const ngx_realtime_transport_ops_t  ngx_realtime_ws_ops = {
    "websocket",
    ngx_realtime_ws_send,
    ngx_realtime_ws_close,
    ngx_realtime_ws_leave
};


/* of the worker */

static ngx_queue_t       ngx_realtime_ws_dirty;     /* flush list */
static ngx_event_t       ngx_realtime_ws_flusher;
static ngx_connection_t  ngx_realtime_ws_dummy;
static u_char            ngx_realtime_ws_in[NGX_REALTIME_WS_BUFFER];
static u_char            ngx_realtime_ws_outbuf[NGX_REALTIME_WS_BUFFER];
static size_t            ngx_realtime_ws_cost;      /* of this turn */


void
ngx_realtime_ws_init(ngx_cycle_t *cycle)
{
    ngx_queue_init(&ngx_realtime_ws_dirty);

    ngx_realtime_ws_dummy.fd = (ngx_socket_t) -1;

    ngx_realtime_ws_flusher.data = &ngx_realtime_ws_dummy;
    ngx_realtime_ws_flusher.handler = ngx_realtime_ws_flush_all;
    ngx_realtime_ws_flusher.log = cycle->log;
}


ngx_realtime_transport_t *
ngx_realtime_ws_create(ngx_connection_t *c, ngx_realtime_ws_conf_t *conf,
    ngx_realtime_msg_t *response)
{
    ngx_realtime_ws_t  *ws;

    ws = ngx_pcalloc(c->pool, sizeof(ngx_realtime_ws_t));
    if (ws == NULL) {
        return NULL;
    }

    ws->transport.ops = &ngx_realtime_ws_ops;
    ws->transport.log = c->log;
    ws->connection = c;
    ws->conf = conf->loc;
    ws->age.handler = ngx_realtime_ws_linger;

    ngx_realtime_out_init(&ws->out);

    if (response
        && ngx_realtime_out_push(&ws->out, response, c->log) != NGX_OK)
    {
        return NULL;
    }

    rt_ws_init(&ws->parser, conf->loc->max_payload);
    ws->parser.allow_rsv1 = conf->deflate;

    return &ws->transport;
}


void
ngx_realtime_ws_abandon(ngx_realtime_transport_t *t)
{
    ngx_realtime_out_drop(&((ngx_realtime_ws_t *) t)->out);
}


void
ngx_realtime_ws_start(ngx_realtime_transport_t *t, ngx_str_t *early)
{
    ngx_connection_t   *c;
    ngx_realtime_ws_t  *ws;

    ws = (ngx_realtime_ws_t *) t;
    c = ws->connection;

    c->data = ws;
    c->idle = 0;
    c->read->handler = ngx_realtime_ws_read_handler;
    c->write->handler = ngx_realtime_ws_write_handler;

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

#if (NGX_SSL)
    if (c->ssl) {
        /* the same bytes may come from another buffer, see the flush */
        SSL_set_mode(c->ssl->connection, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }
#endif

    ngx_realtime_ws_post(ws);

    if (early->len) {
        ngx_realtime_ws_input(ws, early->data, early->len);
    }

    ngx_realtime_ws_read_handler(c->read);
}


static void
ngx_realtime_ws_set_state(ngx_realtime_ws_t *ws, ngx_realtime_ws_state_e state)
{
    if (state <= ws->state) {
        return;
    }

    ws->state = state;

    if (state == NGX_REALTIME_WS_CLOSING) {
        ngx_realtime_age_set(&ws->age, NGX_REALTIME_WS_LINGER);
        ngx_realtime_age_hold();

    } else if (ws->age.queue.prev) {
        ngx_realtime_age_unset(&ws->age);
        ngx_realtime_age_release();
    }

    /* whatever comes next is done by the flush */

    ngx_realtime_ws_post(ws);
}


static void
ngx_realtime_ws_read_handler(ngx_event_t *rev)
{
    ngx_int_t           rc;
    ngx_connection_t   *c;
    ngx_realtime_ws_t  *ws;

    c = rev->data;
    ws = c->data;

    if (c->close) {
        /* worker_shutdown_timeout: nobody is waited for */
        ngx_realtime_ws_closed(ws, "server shutting down");
        ngx_realtime_ws_set_state(ws, NGX_REALTIME_WS_DEAD);
        ngx_realtime_ws_settle(ws);
        return;
    }

    rc = ngx_realtime_ws_read(ws);

    if (rc == NGX_ERROR) {
        ngx_realtime_ws_closed(ws, "transport close");
        ngx_realtime_ws_set_state(ws, NGX_REALTIME_WS_DEAD);

    } else if (rc == NGX_BUSY) {
        /* the others first */
        ngx_post_event(rev, &ngx_posted_next_events);

    } else if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_realtime_ws_closed(ws, "transport error");
        ngx_realtime_ws_set_state(ws, NGX_REALTIME_WS_DEAD);
    }

    ngx_realtime_ws_settle(ws);
}


/* NGX_OK: read until there was nothing; NGX_BUSY: there is more; NGX_ERROR:
   the client is gone */

static ngx_int_t
ngx_realtime_ws_read(ngx_realtime_ws_t *ws)
{
    u_char            *buf;
    ssize_t            n;
    ngx_uint_t         turn;
    ngx_connection_t  *c;

    c = ws->connection;
    buf = ngx_realtime_ws_in;

    ngx_realtime_ws_cost = 0;

    if (ws->paused) {
        ws->paused = 0;
        ngx_realtime_ws_input(ws, buf, 0);
    }

    for (turn = 0; turn < NGX_REALTIME_WS_TURN; turn++) {

        if (ws->paused) {
            break;
        }

        n = c->recv(c, buf, NGX_REALTIME_WS_BUFFER);

        if (n == NGX_AGAIN) {
            return NGX_OK;
        }

        if (n == NGX_ERROR || n == 0) {
            /* a WebSocket has no half-close */
            return NGX_ERROR;
        }

        ngx_realtime_ws_input(ws, buf, n);

        if (ws->state == NGX_REALTIME_WS_DEAD) {
            return NGX_OK;
        }

        /*
         * A short read of a socket is the last one, epoll tells of more; TLS
         * may hold decrypted bytes that epoll knows nothing of.
         */

        if (!c->read->ready && !ws->paused
#if (NGX_SSL)
            && c->ssl == NULL
#endif
           )
        {
            return NGX_OK;
        }
    }

    return NGX_BUSY;
}


static void
ngx_realtime_ws_input(ngx_realtime_ws_t *ws, u_char *p, size_t len)
{
    int             rc;
    u_char         *joined, *last;
    rt_ws_event_t   ev;

    joined = NULL;

    if (ws->keep.len) {

        joined = ngx_alloc(ws->keep.len + len, ws->connection->log);
        if (joined == NULL) {
            ngx_realtime_ws_refuse(ws, RT_WS_INTERNAL, "no memory");
            return;
        }

        ngx_memcpy(ngx_cpymem(joined, ws->keep.data, ws->keep.len), p, len);

        p = joined;
        len += ws->keep.len;

        ngx_free(ws->keep.data);
        ngx_str_null(&ws->keep);
    }

    last = p + len;

    for ( ;; ) {

        if (ws->deaf || ws->state == NGX_REALTIME_WS_DEAD) {
            break;
        }

        if (ngx_realtime_ws_cost < NGX_REALTIME_WS_COST) {
            rc = rt_ws_next(&ws->parser, &p, last, &ev);

        } else {
            ws->paused = 1;
            rc = RT_AGAIN;
        }

        if (rc == RT_OK) {
            ngx_realtime_ws_frame(ws, &ev);
            continue;
        }

        if (rc == RT_AGAIN) {
            ngx_realtime_ws_keep(ws, p, last - p);

        } else {
            ngx_realtime_ws_refuse(ws, ev.code, ev.text);
        }

        break;
    }

    if (joined) {
        ngx_free(joined);
    }
}


static void
ngx_realtime_ws_keep(ngx_realtime_ws_t *ws, u_char *p, size_t len)
{
    if (len == 0) {
        return;
    }

    ws->keep.data = ngx_alloc(len, ws->connection->log);

    if (ws->keep.data == NULL) {
        ngx_realtime_ws_refuse(ws, RT_WS_INTERNAL, "no memory");
        return;
    }

    ngx_memcpy(ws->keep.data, p, len);
    ws->keep.len = len;
}


static void
ngx_realtime_ws_frame(ngx_realtime_ws_t *ws, rt_ws_event_t *ev)
{
    switch (ev->opcode) {

    case RT_WS_PING:

        if (ws->state == NGX_REALTIME_WS_OPEN) {
            ngx_realtime_ws_send_control(ws, RT_WS_PONG, ev->data.data,
                                         ev->data.len);
        }

        return;

    case RT_WS_PONG:
        return;

    case RT_WS_CLOSE:

        ws->close_received = 1;
        ws->deaf = 1;

        ngx_realtime_ws_closed(ws, "transport close");

        if (ws->state == NGX_REALTIME_WS_OPEN) {
            ngx_realtime_ws_send_close(ws, ev->code);
            ngx_realtime_ws_set_state(ws, NGX_REALTIME_WS_CLOSING);

        } else if (ws->out.first == NULL) {
            /* the answer to our Close; clients wait for the end of TCP */
            ngx_realtime_ws_set_state(ws, NGX_REALTIME_WS_DEAD);
        }

        return;

    default:

        if (ws->transport.session) {
            ngx_realtime_ws_piece(ws, ev);
        }
    }
}


static void
ngx_realtime_ws_piece(ngx_realtime_ws_t *ws, rt_ws_event_t *ev)
{
    u_char                    *data;
    size_t                     len;
    ngx_str_t                  inflated;
    ngx_uint_t                 code;
    const char                *why;
    ngx_realtime_transport_t  *t;

    t = &ws->transport;

    data = (u_char *) ev->data.data;
    len = ev->data.len;

    if (!ev->first || !ev->last) {

        if (ngx_realtime_ws_message_add(&ws->message, &ev->data, ev->last,
                                        ws->connection->log)
            != NGX_OK)
        {
            ngx_realtime_ws_refuse(ws, RT_WS_INTERNAL, "no memory");
            return;
        }

        if (!ev->last) {
            return;
        }

        data = ws->message.data;
        len = ws->message.len;
    }

    ngx_str_null(&inflated);

    if (ev->compressed) {

        code = ngx_realtime_ws_deflate_inflate(data, len, ws->parser.max,
                                               ev->opcode == RT_WS_TEXT,
                                               &inflated, &why);
        if (code) {
            ngx_realtime_ws_refuse(ws, code, why);
            return;
        }

        ngx_realtime_ws_cost += len * NGX_REALTIME_WS_COST_IN + inflated.len;

        data = inflated.data;
        len = inflated.len;
    }

    ngx_realtime_count(messages_in);

    if (t->session) {
        t->up->packet(t->session, data, len, ev->opcode == RT_WS_BINARY);
    }

    if (inflated.data) {
        ngx_free(inflated.data);
    }

    ngx_realtime_ws_message_drop(&ws->message);
}


static void
ngx_realtime_ws_send(ngx_realtime_transport_t *t, ngx_realtime_msg_t *m)
{
    ngx_realtime_ws_t  *ws;

    ws = (ngx_realtime_ws_t *) t;

    if (ws->state != NGX_REALTIME_WS_OPEN) {
        return;
    }

    if (ws->parser.allow_rsv1
        && ngx_realtime_msg_payload_len(m) >= ws->conf->compression_threshold)
    {
        m = ngx_realtime_ws_deflate_frame(m, ws->connection->log);
    }

    if (ws->out.bytes + m->len > ws->conf->send_limit
        && ngx_realtime_ws_output(ws) == NGX_ERROR)
    {
        /* the flush will find that out, too */
        return;
    }

    /* what is left now is what the client has not read */

    if (ws->out.bytes + m->len > ws->conf->send_limit && ws->out.bytes) {

        if (m->dispensable) {
            return;
        }

        /* the session hears of it from the flush, not inside its own call */

        if (ws->connection->error == 0) {
            ws->connection->error = 1;
            ngx_realtime_count(slow_consumers);
            ngx_realtime_ws_queue(ws, m);
        }

        return;
    }

    ngx_realtime_count(messages_out);

    if (m->data[0] & RT_WS_RSV1) {
        ngx_realtime_count(deflated_sent);
    }

    ngx_realtime_ws_queue(ws, m);
}


static void
ngx_realtime_ws_queue(ngx_realtime_ws_t *ws, ngx_realtime_msg_t *m)
{
    if (ngx_realtime_out_push(&ws->out, m, ws->connection->log) != NGX_OK) {
        ws->connection->error = 1;
    }

    ngx_realtime_ws_post(ws);
}


/* to be looked at, at the end of this turn */

static void
ngx_realtime_ws_post(ngx_realtime_ws_t *ws)
{
    if (ws->flush.prev) {
        return;
    }

    ngx_queue_insert_tail(&ngx_realtime_ws_dirty, &ws->flush);

    if (!ngx_realtime_ws_flusher.posted) {
        ngx_post_event(&ngx_realtime_ws_flusher, &ngx_posted_events);
    }
}


static void
ngx_realtime_ws_send_control(ngx_realtime_ws_t *ws, ngx_uint_t opcode,
    const u_char *data, size_t len)
{
    ngx_realtime_msg_t  *m;

    m = ngx_realtime_msg_alloc(len, ws->connection->log);
    if (m == NULL) {
        return;
    }

    /* at most 125 bytes: the header is two, and only its opcode differs */

    rt_ws_header(m->data, opcode, len);
    ngx_memcpy(ngx_realtime_msg_payload(m), data, len);
    m->dispensable = 1;

    if (ws->out.bytes + m->len <= ws->conf->send_limit
        || opcode == RT_WS_CLOSE)
    {
        ngx_realtime_ws_queue(ws, m);
    }

    ngx_realtime_msg_unref(m);
}


static void
ngx_realtime_ws_send_close(ngx_realtime_ws_t *ws, ngx_uint_t code)
{
    u_char  status[2];
    size_t  len;

    len = 0;

    if (code != RT_WS_NO_STATUS) {
        status[0] = code >> 8;
        status[1] = code;
        len = 2;
    }

    ngx_realtime_ws_send_control(ws, RT_WS_CLOSE, status, len);
    ws->close_sent = 1;
}


static void
ngx_realtime_ws_close(ngx_realtime_transport_t *t, ngx_uint_t code)
{
    t->session = NULL;

    ngx_realtime_ws_leave(t, code);
}


static void
ngx_realtime_ws_leave(ngx_realtime_transport_t *t, ngx_uint_t code)
{
    ngx_realtime_ws_t  *ws;

    ws = (ngx_realtime_ws_t *) t;

    if (ws->state == NGX_REALTIME_WS_OPEN) {
        ngx_realtime_ws_send_close(ws, code);
        ngx_realtime_ws_set_state(ws, NGX_REALTIME_WS_CLOSING);
    }
}


static void
ngx_realtime_ws_closed(ngx_realtime_ws_t *ws, const char *reason)
{
    void                      *session;
    ngx_realtime_transport_t  *t;

    t = &ws->transport;
    session = t->session;

    if (session) {
        t->session = NULL;
        t->up->closed(session, reason);
    }
}


/* the client's fault: a line, a counter, a code, and the session is told */

static void
ngx_realtime_ws_refuse(ngx_realtime_ws_t *ws, ngx_uint_t code,
    const char *why)
{
    /* nothing behind it can be understood */
    ws->deaf = 1;

    if (ws->state != NGX_REALTIME_WS_OPEN) {
        ngx_realtime_ws_closed(ws, "transport error");
        ngx_realtime_ws_set_state(ws, NGX_REALTIME_WS_DEAD);
        return;
    }

    ngx_realtime_count(protocol_errors);
    ngx_realtime_log_client(NGX_LOG_INFO, ws->connection->log,
                            "WebSocket refused", why, NULL, NULL);

    ngx_realtime_ws_send_close(ws, code);
    ngx_realtime_ws_closed(ws, "transport error");
    ngx_realtime_ws_set_state(ws, NGX_REALTIME_WS_CLOSING);
}


static void
ngx_realtime_ws_flush_all(ngx_event_t *ev)
{
    ngx_queue_t        *q;
    ngx_realtime_ws_t  *ws;

    while (!ngx_queue_empty(&ngx_realtime_ws_dirty)) {

        q = ngx_queue_head(&ngx_realtime_ws_dirty);
        ngx_queue_remove(q);
        q->prev = NULL;

        ws = ngx_queue_data(q, ngx_realtime_ws_t, flush);

        ngx_realtime_ws_flush(ws);
        ngx_realtime_ws_settle(ws);
    }
}


static void
ngx_realtime_ws_write_handler(ngx_event_t *wev)
{
    ngx_connection_t   *c;
    ngx_realtime_ws_t  *ws;

    c = wev->data;
    ws = c->data;

    ngx_realtime_ws_flush(ws);
    ngx_realtime_ws_settle(ws);
}


/* as much as the socket takes; calls nobody */

static ngx_int_t
ngx_realtime_ws_output(ngx_realtime_ws_t *ws)
{
    ssize_t            n;
    ngx_str_t          bytes;
    ngx_connection_t  *c;

    c = ws->connection;

    while (ws->out.first && c->write->ready) {

        bytes = ngx_realtime_out_peek(&ws->out, ngx_realtime_ws_outbuf,
                                      NGX_REALTIME_WS_BUFFER);

        n = c->send(c, bytes.data, bytes.len);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        ngx_realtime_out_written(&ws->out, n);
    }

    return NGX_OK;
}


static void
ngx_realtime_ws_flush(ngx_realtime_ws_t *ws)
{
    ngx_connection_t  *c;

    c = ws->connection;

    if (c->error && ws->state == NGX_REALTIME_WS_OPEN) {
        ngx_realtime_log_client(NGX_LOG_INFO, c->log, "WebSocket closed",
                                "the client reads too slowly", NULL, NULL);
        ngx_realtime_ws_closed(ws, "transport error");
        ngx_realtime_ws_set_state(ws, NGX_REALTIME_WS_DEAD);
        return;
    }

    if (ngx_realtime_ws_output(ws) == NGX_ERROR) {
        ngx_realtime_ws_closed(ws, "transport close");
        ngx_realtime_ws_set_state(ws, NGX_REALTIME_WS_DEAD);
        return;
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_realtime_ws_closed(ws, "transport error");
        ngx_realtime_ws_set_state(ws, NGX_REALTIME_WS_DEAD);
        return;
    }

    if (ws->out.first || !ws->close_sent || !ws->deaf || ws->shut) {
        return;
    }

    /*
     * RFC 6455, 7.1.1: the server ends TCP first, by a half-close.  A close()
     * now would answer what the client still writes with a reset, and the
     * client might lose what is under way to it, our Close at least.
     */

    (void) ngx_shutdown_socket(c->fd, NGX_WRITE_SHUTDOWN);
    ws->shut = 1;
}


static void
ngx_realtime_ws_linger(ngx_realtime_age_t *age)
{
    ngx_realtime_ws_t  *ws;

    ws = ngx_queue_data(age, ngx_realtime_ws_t, age);

    ngx_realtime_age_release();
    ngx_realtime_ws_closed(ws, "transport close");
    ngx_realtime_ws_set_state(ws, NGX_REALTIME_WS_DEAD);
}


/* frees what is dead; nobody may use ws after it */

static void
ngx_realtime_ws_settle(ngx_realtime_ws_t *ws)
{
    ngx_connection_t  *c;

    if (ws->state != NGX_REALTIME_WS_DEAD) {
        return;
    }

    c = ws->connection;

    ngx_realtime_out_drop(&ws->out);

    if (ws->keep.data) {
        ngx_free(ws->keep.data);
    }

    ngx_realtime_ws_message_drop(&ws->message);

    if (ws->flush.prev) {
        ngx_queue_remove(&ws->flush);
    }

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    ngx_http_close_connection(c);
}
