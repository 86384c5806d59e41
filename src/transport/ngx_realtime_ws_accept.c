
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The HTTP side of a WebSocket: the handshake (RFC 6455, 4.2) and the way out
 * of the request.
 *
 *   content handler   101, NGX_DONE        the core may still touch r
 *   posted event      ready()              r and its pool for the last time
 *                     free the request     access log says 101
 *                     c->data = transport
 *
 * A connection that stays a request costs 9.6 kB of private memory when idle,
 * one that was taken out of it 1.1 kB.  The price: whatever hangs on the
 * request's pool (limit_conn's count, variables) ends at the 101.
 */


#include "ngx_realtime_header.h"
#include "ngx_realtime_ws.h"
#include "ngx_realtime_ws_deflate.h"

#include <ngx_sha1.h>


#define NGX_REALTIME_WS_GUID    "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define NGX_REALTIME_WS_KEY     24         /* base64 of 16 bytes */
#define NGX_REALTIME_WS_ACCEPT  28         /* base64 of 20 bytes */


/* in the request's pool */

typedef struct {
    ngx_event_t                event;
    ngx_http_request_t        *request;
    ngx_realtime_ws_conf_t     conf;
} ngx_realtime_ws_accept_t;


static ngx_uint_t ngx_realtime_ws_asks_upgrade(ngx_http_request_t *r);
static ngx_uint_t ngx_realtime_ws_has_token(ngx_str_t *value,
    const char *token, size_t len);
static ngx_int_t ngx_realtime_ws_respond(ngx_http_request_t *r);
static ngx_realtime_msg_t *ngx_realtime_ws_response(ngx_http_request_t *r);
static void ngx_realtime_ws_unpost(void *data);
static void ngx_realtime_ws_detach(ngx_event_t *ev);
static ngx_int_t ngx_realtime_ws_early(ngx_http_request_t *r,
    ngx_str_t *early);
static void ngx_realtime_ws_free_buffers(ngx_connection_t *c,
    ngx_http_connection_t *hc);


ngx_int_t
ngx_realtime_ws_check(ngx_http_request_t *r, const char **why)
{
    u_char            buf[ngx_base64_decoded_length(NGX_REALTIME_WS_KEY)];
    ngx_str_t         key, *value;
    ngx_uint_t        n;
    ngx_str_t         version = ngx_string("13");
    ngx_table_elt_t  *h;

    if (r->method != NGX_HTTP_GET) {
        *why = "a WebSocket handshake is a GET";
        return NGX_HTTP_BAD_REQUEST;
    }

    /* HTTP/2 has no Upgrade, and its streams share a connection */

    if (r->http_version != NGX_HTTP_VERSION_11) {
        *why = "a WebSocket handshake needs HTTP/1.1";
        return NGX_HTTP_BAD_REQUEST;
    }

    h = r->headers_in.upgrade;

    if (h == NULL
        || !ngx_realtime_ws_has_token(&h->value, "websocket",
                                      sizeof("websocket") - 1))
    {
        *why = "no \"Upgrade: websocket\"";
        return NGX_HTTP_BAD_REQUEST;
    }

    if (!ngx_realtime_ws_asks_upgrade(r)) {
        *why = "no \"Connection: Upgrade\"";
        return NGX_HTTP_BAD_REQUEST;
    }

    if (r->headers_in.content_length_n > 0 || r->headers_in.chunked) {
        *why = "a WebSocket handshake with a body";
        return NGX_HTTP_BAD_REQUEST;
    }

    value = ngx_realtime_header_in(r, "sec-websocket-version", &n);

    if (n != 1 || !ngx_realtime_string_eq(value, "13")) {

        if (ngx_realtime_header_add(r, "Sec-WebSocket-Version", &version)
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        *why = "Sec-WebSocket-Version is not 13";
        return 426;
    }

    value = ngx_realtime_header_in(r, "sec-websocket-key", &n);

    key.data = buf;

    if (n != 1
        || value->len != NGX_REALTIME_WS_KEY
        || ngx_decode_base64(&key, value) != NGX_OK
        || key.len != 16)
    {
        *why = "Sec-WebSocket-Key is not 16 bytes in base64";
        return NGX_HTTP_BAD_REQUEST;
    }

    return NGX_OK;
}


ngx_int_t
ngx_realtime_ws_accept(ngx_http_request_t *r, ngx_realtime_ws_conf_t *conf)
{
    ngx_int_t                  rc;
    ngx_pool_cleanup_t        *cln;
    ngx_realtime_ws_accept_t  *a;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_realtime_ws_accept_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    a = cln->data;
    ngx_memzero(a, sizeof(ngx_realtime_ws_accept_t));

    a->request = r;
    a->conf = *conf;
    a->conf.deflate = 0;

    if (conf->loc->compression) {

        rc = ngx_realtime_ws_deflate_offer(r);
        if (rc == NGX_ERROR) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        a->conf.deflate = (rc == NGX_OK);
    }

    rc = ngx_realtime_ws_respond(r);
    if (rc != NGX_OK) {
        return rc;
    }

    cln->handler = ngx_realtime_ws_unpost;

    a->event.data = r->connection;
    a->event.handler = ngx_realtime_ws_detach;
    a->event.log = r->connection->log;

    ngx_post_event(&a->event, &ngx_posted_events);

    r->main->count++;

    return NGX_DONE;
}


static ngx_int_t
ngx_realtime_ws_respond(ngx_http_request_t *r)
{
    u_char            digest[20], *p;
    ngx_int_t         rc;
    ngx_str_t         in, out, *key;
    ngx_str_t         websocket = ngx_string("websocket");
    ngx_sha1_t        sha1;

    key = ngx_realtime_header_in(r, "sec-websocket-key", NULL);

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, key->data, key->len);
    ngx_sha1_update(&sha1, NGX_REALTIME_WS_GUID,
                    sizeof(NGX_REALTIME_WS_GUID) - 1);
    ngx_sha1_final(digest, &sha1);

    p = ngx_pnalloc(r->pool, NGX_REALTIME_WS_ACCEPT);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    in.data = digest;
    in.len = sizeof(digest);
    out.data = p;

    ngx_encode_base64(&out, &in);

    if (ngx_realtime_header_add(r, "Upgrade", &websocket) != NGX_OK
        || ngx_realtime_header_add(r, "Sec-WebSocket-Accept", &out) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* the header filter adds "Connection: upgrade" to a 101 itself */

    r->headers_out.status = NGX_HTTP_SWITCHING_PROTOCOLS;
    r->keepalive = 0;

    /* not flushed: it leaves with the first frame, in one write */

    rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* the 101 as the write filter holds it back; NULL: it does not, for
   postpone_output is 0, or there is no memory */

static ngx_realtime_msg_t *
ngx_realtime_ws_response(ngx_http_request_t *r)
{
    size_t               len;
    u_char              *p;
    ngx_chain_t         *cl;
    ngx_realtime_msg_t  *m;

    len = 0;

    for (cl = r->out; cl; cl = cl->next) {
        len += cl->buf->last - cl->buf->pos;
    }

    if (len == 0) {
        return NULL;
    }

    m = ngx_realtime_msg_alloc(len, r->connection->log);
    if (m == NULL) {
        return NULL;
    }

    /* as it is, without a frame around it */

    p = m->data;
    m->len = len;
    m->payload = 0;

    for (cl = r->out; cl; cl = cl->next) {
        p = ngx_cpymem(p, cl->buf->pos, cl->buf->last - cl->buf->pos);
    }

    r->out = NULL;
    r->connection->sent += len;

    return m;
}


/* "Connection" may come in several lines, which are one list */

static ngx_uint_t
ngx_realtime_ws_asks_upgrade(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == sizeof("connection") - 1
                && ngx_strncmp(h[i].lowcase_key, "connection", h[i].key.len)
                   == 0
                && ngx_realtime_ws_has_token(&h[i].value, "upgrade",
                                             sizeof("upgrade") - 1))
            {
                return 1;
            }
        }
    }

    return 0;
}


/* a comma-separated list of tokens, without regard to case */

static ngx_uint_t
ngx_realtime_ws_has_token(ngx_str_t *value, const char *token, size_t len)
{
    u_char  *p, *last, *end;

    p = value->data;
    end = p + value->len;

    while (p < end) {

        while (p < end && (*p == ' ' || *p == '\t' || *p == ',')) {
            p++;
        }

        for (last = p; last < end && *last != ','; last++) { /* void */ }

        while (last > p && (last[-1] == ' ' || last[-1] == '\t')) {
            last--;
        }

        if ((size_t) (last - p) == len
            && ngx_strncasecmp(p, (u_char *) token, len) == 0)
        {
            return 1;
        }

        p = last;

        while (p < end && *p != ',') {
            p++;
        }
    }

    return 0;
}


static void
ngx_realtime_ws_unpost(void *data)
{
    ngx_realtime_ws_accept_t  *a = data;

    if (a->event.posted) {
        ngx_delete_posted_event(&a->event);
    }
}


static void
ngx_realtime_ws_detach(ngx_event_t *ev)
{
    ngx_str_t                  early;
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_connection_t     *hc;
    ngx_realtime_msg_t        *m;
    ngx_realtime_ws_conf_t    *conf;
    ngx_realtime_ws_accept_t  *a;
    ngx_realtime_transport_t  *t;

    c = ev->data;
    a = ngx_queue_data(ev, ngx_realtime_ws_accept_t, event);
    r = a->request;
    conf = &a->conf;

    if (r->main->count != 1 || r->buffered || r->blocked || c->error) {
        /* even the 101 did not fit into the socket buffer */
        ngx_http_finalize_request(r, NGX_HTTP_CLOSE);
        return;
    }

    if (ngx_realtime_ws_early(r, &early) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_CLOSE);
        return;
    }

    t = NULL;
    m = ngx_realtime_ws_response(r);

    if (r->out == NULL) {
        t = ngx_realtime_ws_create(c, conf, m);
    }

    if (m) {
        ngx_realtime_msg_unref(m);
    }

    if (t == NULL || conf->ready(t, r, conf->data) != NGX_OK) {

        if (t) {
            ngx_realtime_ws_abandon(t);
        }

        if (early.data) {
            ngx_free(early.data);
        }

        ngx_http_finalize_request(r, NGX_HTTP_CLOSE);
        return;
    }

    hc = r->http_connection;

    /* the access log still reads the header buffers */
    ngx_http_free_request(r, 0);

    ngx_realtime_ws_free_buffers(c, hc);

    c->destroyed = 0;
    c->requests = 0;
    c->log->action = "serving a WebSocket";

    ngx_realtime_ws_start(t, &early);

    if (early.data) {
        ngx_free(early.data);
    }
}


/* what the client sent behind its handshake stands in a buffer that is about
   to be freed */

static ngx_int_t
ngx_realtime_ws_early(ngx_http_request_t *r, ngx_str_t *early)
{
    ngx_buf_t  *b;

    b = r->header_in;

    early->len = b->last - b->pos;
    early->data = NULL;

    if (early->len == 0) {
        return NGX_OK;
    }

    early->data = ngx_alloc(early->len, r->connection->log);
    if (early->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(early->data, b->pos, early->len);

    return NGX_OK;
}


static void
ngx_realtime_ws_free_buffers(ngx_connection_t *c, ngx_http_connection_t *hc)
{
    ngx_chain_t  *ln;

    for (ln = hc->free; ln; ln = ln->next) {
        if (ngx_pfree(c->pool, ln->buf->start) == NGX_OK) {
            ln->buf->start = NULL;
        }
    }

    for (ln = hc->busy; ln; ln = ln->next) {
        if (ngx_pfree(c->pool, ln->buf->start) == NGX_OK) {
            ln->buf->start = NULL;
        }
    }

    hc->free = NULL;
    hc->busy = NULL;
    hc->nbusy = 0;

    if (c->buffer && ngx_pfree(c->pool, c->buffer->start) == NGX_OK) {
        c->buffer->start = NULL;
    }

    c->buffer = NULL;

#if (NGX_HTTP_SSL)
    if (c->ssl) {
        ngx_ssl_free_buffer(c);
    }
#endif
}
