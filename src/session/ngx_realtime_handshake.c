
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_counter.h"
#include "ngx_realtime_handshake.h"
#include "ngx_realtime_header.h"
#include "ngx_realtime_log.h"
#include "ngx_realtime_origin.h"
#include "ngx_realtime_poll.h"
#include "ngx_realtime_session.h"
#include "ngx_realtime_slot.h"
#include "ngx_realtime_upgrade.h"
#include "ngx_realtime_ws.h"
#include "rt_eio.h"


/* from the content handler to the moment when there is a connection */

typedef struct {
    ngx_realtime_loc_conf_t   *conf;
    ngx_realtime_identity_t    identity;   /* user.len 0: no token yet */
} ngx_realtime_handshake_t;


typedef struct {
    ngx_str_t                  sid;        /* len 0: a new session */
    ngx_uint_t                 websocket;  /* else polling */
} ngx_realtime_handshake_query_t;


static ngx_int_t ngx_realtime_handshake_check(ngx_http_request_t *r,
    ngx_realtime_handshake_query_t *q, const char **why);
static ngx_uint_t ngx_realtime_handshake_bad_origin(ngx_http_request_t *r);
static ngx_int_t ngx_realtime_handshake_allow(ngx_http_request_t *r,
    const char **why);
static ngx_int_t ngx_realtime_handshake_websocket(ngx_http_request_t *r,
    ngx_realtime_handshake_t *hs);
static ngx_int_t ngx_realtime_handshake_identify(ngx_http_request_t *r,
    ngx_realtime_handshake_t *hs, ngx_realtime_refusal_e *reason,
    const char **why);
static ngx_int_t ngx_realtime_handshake_denied(ngx_http_request_t *r,
    ngx_realtime_refusal_e reason, const char *why);
static ngx_int_t ngx_realtime_handshake_ready(ngx_realtime_transport_t *t,
    ngx_http_request_t *r, void *data);
static ngx_int_t ngx_realtime_handshake_refuse(ngx_http_request_t *r,
    ngx_uint_t status, ngx_int_t code, const char *message, const char *why);


ngx_int_t
ngx_realtime_handshake_handler(ngx_http_request_t *r)
{
    ngx_int_t                        rc;
    const char                      *why;
    ngx_realtime_loc_conf_t         *rlcf;
    ngx_realtime_refusal_e           reason;
    ngx_realtime_handshake_t        *hs;
    ngx_realtime_handshake_query_t   q;

    if (ngx_realtime_slot == -1) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    rlcf = ngx_http_get_module_loc_conf(r, ngx_realtime_module);

    rc = ngx_realtime_origin_preflight(r, rlcf->auth);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_realtime_handshake_check(r, &q, &why);
    if (rc != NGX_OK) {
        return ngx_realtime_handshake_error(r, rc - 1, why);
    }

    if (q.sid.len) {

        if (ngx_realtime_session_here(&q.sid, r) != NGX_OK) {
            return ngx_realtime_handshake_error(r, RT_EIO_SID_UNKNOWN,
                                                "a sid of no session here");
        }

        return q.websocket ? ngx_realtime_upgrade_handler(r, &q.sid)
                           : ngx_realtime_poll_handler(r, &q.sid, NULL);
    }

    hs = ngx_pcalloc(r->pool, sizeof(ngx_realtime_handshake_t));
    if (hs == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    hs->conf = rlcf;

    /* an answer that went out is NGX_OK, too: it is not made in there */

    rc = ngx_realtime_handshake_identify(r, hs, &reason, &why);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_DECLINED) {
        return ngx_realtime_handshake_denied(r, reason, why);
    }

    if (q.websocket) {
        return ngx_realtime_handshake_websocket(r, hs);
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_realtime_poll_handler(r, NULL, &hs->identity);
}


static ngx_int_t
ngx_realtime_handshake_websocket(ngx_http_request_t *r,
    ngx_realtime_handshake_t *hs)
{
    ngx_int_t                rc;
    const char              *why;
    ngx_realtime_ws_conf_t   conf;

    rc = ngx_realtime_ws_check(r, &why);
    if (rc != NGX_OK) {
        return ngx_realtime_handshake_refuse(r, rc, RT_EIO_BAD_REQUEST,
                                        rt_eio_errors[RT_EIO_BAD_REQUEST],
                                        why);
    }

    conf.loc = hs->conf;
    conf.ready = ngx_realtime_handshake_ready;
    conf.data = hs;

    return ngx_realtime_ws_accept(r, &conf);
}


/* NGX_OK; or 1 + the code of Engine.IO */

static ngx_int_t
ngx_realtime_handshake_check(ngx_http_request_t *r,
    ngx_realtime_handshake_query_t *q, const char **why)
{
    ngx_int_t  rc;
    ngx_str_t  value;

    ngx_str_null(&q->sid);

    if (ngx_http_arg(r, (u_char *) "transport", 9, &value) != NGX_OK) {
        *why = "transport is neither \"polling\" nor \"websocket\"";
        return 1 + RT_EIO_TRANSPORT_UNKNOWN;
    }

    q->websocket = ngx_realtime_string_eq(&value, "websocket");

    if (!q->websocket && !ngx_realtime_string_eq(&value, "polling")) {
        *why = "transport is neither \"polling\" nor \"websocket\"";
        return 1 + RT_EIO_TRANSPORT_UNKNOWN;
    }

    if (ngx_realtime_handshake_bad_origin(r)) {
        *why = "control characters in Origin";
        return 1 + RT_EIO_BAD_REQUEST;
    }

    if (ngx_http_arg(r, (u_char *) "sid", 3, &q->sid) == NGX_OK
        && q->sid.len)
    {

        if (q->sid.len != NGX_REALTIME_SID_LEN) {
            *why = "a sid that no session has";
            return 1 + RT_EIO_SID_UNKNOWN;
        }

        if (q->websocket && r->headers_in.upgrade == NULL) {
            *why = "transport is \"websocket\", but there is no Upgrade";
            return 1 + RT_EIO_BAD_REQUEST;
        }

        if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_POST))) {
            *why = "neither GET nor POST";
            return 1 + RT_EIO_BAD_METHOD;
        }

        return ngx_realtime_handshake_allow(r, why);
    }

    if (r->method != NGX_HTTP_GET) {
        *why = "the handshake is not a GET";
        return 1 + RT_EIO_BAD_METHOD;
    }

    if (q->websocket && r->headers_in.upgrade == NULL) {
        *why = "transport is \"websocket\", but there is no Upgrade";
        return 1 + RT_EIO_BAD_REQUEST;
    }

    rc = ngx_realtime_handshake_allow(r, why);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_arg(r, (u_char *) "EIO", 3, &value) != NGX_OK
        || !ngx_realtime_string_eq(&value, "4"))
    {
        *why = "EIO is not 4";
        return 1 + RT_EIO_VERSION;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_realtime_handshake_bad_origin(ngx_http_request_t *r)
{
    u_char           *p, *last;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_in.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len != sizeof("origin") - 1
                || ngx_strncmp(h[i].lowcase_key, "origin", h[i].key.len) != 0)
            {
                continue;
            }

            last = h[i].value.data + h[i].value.len;

            for (p = h[i].value.data; p < last; p++) {
                if (*p < 0x20 || *p == 0x7f) {
                    return 1;
                }
            }
        }
    }

    return 0;
}


/* at the place of engine.io's allowRequest(), and behind a handshake too */

static ngx_int_t
ngx_realtime_handshake_allow(ngx_http_request_t *r, const char **why)
{
    ngx_realtime_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_realtime_module);

    if (ngx_realtime_origin_check(r, rlcf->auth)
        != NGX_REALTIME_ORIGIN_FOREIGN)
    {
        return NGX_OK;
    }

    *why = "Origin not allowed";

    return 1 + RT_EIO_FORBIDDEN;
}


/*
 * A token in a header, a cookie or the query is checked before the upgrade
 * (contract, 1); without one the CONNECT packet has to bring it.
 */

static ngx_int_t
ngx_realtime_handshake_identify(ngx_http_request_t *r,
    ngx_realtime_handshake_t *hs, ngx_realtime_refusal_e *reason,
    const char **why)
{
    ngx_str_t  token;

    if (ngx_realtime_auth_token(hs->conf->auth, r, &token) == 0) {
        return NGX_OK;
    }

    return ngx_realtime_auth_verify(hs->conf->auth, &token, r->pool,
                                    r->connection->log, &hs->identity, reason,
                                    why);
}


static ngx_int_t
ngx_realtime_handshake_denied(ngx_http_request_t *r,
    ngx_realtime_refusal_e reason, const char *why)
{
    u_char           *p, buf[256];
    const ngx_str_t  *text;

    ngx_realtime_count(auth_refused);

    text = &ngx_realtime_refusal(reason)->socket_text;
    if (text->len == 0) {
        text = &ngx_realtime_refusal(reason)->text;
    }

    p = ngx_slprintf(buf, buf + sizeof(buf) - 1,
                     "Authentication error: %V", text);
    *p = '\0';

    return ngx_realtime_handshake_refuse(r, NGX_HTTP_FORBIDDEN,
                                         RT_EIO_FORBIDDEN, (char *) buf, why);
}


static ngx_int_t
ngx_realtime_handshake_ready(ngx_realtime_transport_t *t,
    ngx_http_request_t *r, void *data)
{
    ngx_realtime_handshake_t  *hs = data;

    ngx_realtime_session_t  *s;

    s = ngx_realtime_session_create(t, hs->conf, ngx_realtime_session_place(r),
                                    &hs->identity);
    if (s == NULL) {
        return NGX_ERROR;
    }

    ngx_realtime_count(handshakes);
    ngx_realtime_session_open(s, 0);

    return NGX_OK;
}


ngx_int_t
ngx_realtime_handshake_error(ngx_http_request_t *r, ngx_int_t code,
    const char *why)
{
    return ngx_realtime_handshake_refuse(r, code == RT_EIO_FORBIDDEN
                                            ? NGX_HTTP_FORBIDDEN
                                            : NGX_HTTP_BAD_REQUEST,
                                         code, rt_eio_errors[code], why);
}


/*
 * engine.io answers a failed request with JSON, and a failed upgrade with the
 * bare message and a closed connection.
 */

static ngx_int_t
ngx_realtime_handshake_refuse(ngx_http_request_t *r, ngx_uint_t status,
    ngx_int_t code, const char *message, const char *why)
{
    u_char     *p;
    size_t      size;
    ngx_str_t   json = ngx_string("application/json");
    ngx_str_t   html = ngx_string("text/html");
    ngx_str_t   body;

    ngx_realtime_count(handshakes_refused);
    ngx_realtime_log_client(NGX_LOG_INFO, r->connection->log,
                            "handshake refused", why, NULL, NULL);

    if (r->headers_in.upgrade && r->http_version < NGX_HTTP_VERSION_20) {

        r->keepalive = 0;

        body.data = (u_char *) message;
        body.len = ngx_strlen(message);

        p = ngx_pnalloc(r->pool, body.len);
        if (p == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ngx_memcpy(p, message, body.len);
        body.data = p;

        return ngx_realtime_handshake_reply(r, status, &html, &body);
    }

    size = sizeof("{\"code\":,\"message\":\"\"}") + NGX_INT_T_LEN
           + ngx_strlen(message);

    body.data = ngx_pnalloc(r->pool, size);
    if (body.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.len = ngx_snprintf(body.data, size,
                            "{\"code\":%i,\"message\":\"%s\"}", code, message)
               - body.data;

    return ngx_realtime_handshake_reply(r, status, &json, &body);
}


ngx_int_t
ngx_realtime_handshake_reply(ngx_http_request_t *r, ngx_uint_t status,
    const ngx_str_t *type, ngx_str_t *body)
{
    u_char      *p;
    ngx_int_t    rc;
    ngx_buf_t   *b;
    ngx_str_t    no_store = ngx_string("no-store");
    ngx_chain_t  out;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_realtime_header_add(r, "Cache-Control", &no_store) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = status;
    r->headers_out.content_length_n = body->len;

    /* the charset is in the type; the length is what gzip_types looks at */

    p = ngx_strlchr(type->data, type->data + type->len, ';');

    r->headers_out.content_type = *type;
    r->headers_out.content_type_len = p ? (size_t) (p - type->data)
                                        : type->len;
    r->headers_out.content_type_lowcase = NULL;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->pos = body->data;
    b->last = body->data + body->len;
    b->memory = (body->len != 0);
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, &out);
}
