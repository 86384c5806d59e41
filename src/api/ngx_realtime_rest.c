
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_rest.h"
#include "ngx_realtime_auth.h"
#include "ngx_realtime_counter.h"
#include "ngx_realtime_header.h"
#include "ngx_realtime_origin.h"
#include "ngx_realtime_route.h"
#include "ngx_realtime_slot.h"
#include "rt_json.h"
#include "rt_utf8.h"


#define NGX_REALTIME_REST_WRITES                                              \
    (NGX_HTTP_POST|NGX_HTTP_PUT|NGX_HTTP_PATCH|NGX_HTTP_DELETE)

#define NGX_REALTIME_REST_BODIES                                              \
    (NGX_HTTP_POST|NGX_HTTP_PUT|NGX_HTTP_PATCH)


static ngx_int_t ngx_realtime_rest_auth(ngx_realtime_rest_t *rest,
    ngx_realtime_refusal_e *why);
static ngx_uint_t ngx_realtime_rest_origin(ngx_http_request_t *r,
    ngx_realtime_auth_conf_t *conf);
static ngx_int_t ngx_realtime_rest_auth_service(ngx_realtime_rest_t *rest,
    ngx_realtime_refusal_e *why);

static ngx_int_t ngx_realtime_rest_read_body(ngx_realtime_rest_t *rest);
static ngx_uint_t ngx_realtime_rest_is_json(ngx_http_request_t *r);
static void ngx_realtime_rest_body_handler(ngx_http_request_t *r);
static ngx_realtime_refusal_e ngx_realtime_rest_parse_body(
    ngx_realtime_rest_t *rest);
static ngx_int_t ngx_realtime_rest_body_text(ngx_http_request_t *r,
    ngx_str_t *text);
static ngx_int_t ngx_realtime_rest_body_copy(ngx_http_request_t *r,
    ngx_str_t *text);

static void ngx_realtime_rest_call(ngx_realtime_rest_t *rest);
static ngx_int_t ngx_realtime_rest_begin(ngx_realtime_rest_t *rest);
static void ngx_realtime_rest_watch(ngx_http_request_t *r);
static void ngx_realtime_rest_done(ngx_realtime_call_t *call);
static void ngx_realtime_rest_reply(ngx_realtime_rest_t *rest);
static void ngx_realtime_rest_detach(void *data);


ngx_int_t
ngx_realtime_rest_handler(ngx_http_request_t *r)
{
    ngx_int_t                 rc;
    ngx_uint_t                methods, api;
    ngx_realtime_rest_t      *rest;
    ngx_realtime_refusal_e    why;
    ngx_realtime_loc_conf_t  *rlcf;

    if (ngx_realtime_slot == -1) {
        /* this process takes no part: it has neither counters nor database */
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    ngx_realtime_count(http_requests);

    rest = ngx_pcalloc(r->pool, sizeof(ngx_realtime_rest_t));
    if (rest == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rest->request = r;

    ngx_http_set_ctx(r, rest, ngx_realtime_module);

    rlcf = ngx_http_get_module_loc_conf(r, ngx_realtime_module);

    api = (rlcf->serves == NGX_REALTIME_SERVES_API);

    if (!api) {
        rc = ngx_realtime_origin_preflight(r, rlcf->auth);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    methods = ngx_realtime_route_find(rest);

    /* other OPTIONS have no credentials either, and learn as little */

    if (api || r->method != NGX_HTTP_OPTIONS) {
        rc = api ? ngx_realtime_rest_auth_service(rest, &why)
                 : ngx_realtime_rest_auth(rest, &why);

        if (rc == NGX_ERROR) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (rc == NGX_DECLINED) {
            return ngx_realtime_reply_refusal(r, why, &rest->caller.user);
        }
    }

    if (methods == 0) {
        return ngx_realtime_reply_refusal(r,
                                          NGX_REALTIME_R_ENDPOINT_NOT_FOUND,
                                          &rest->caller.user);
    }

    if (rest->route == NULL) {
        if (ngx_realtime_reply_allow(r, methods) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (r->method == NGX_HTTP_OPTIONS) {
            return ngx_realtime_reply_options(r);
        }

        return ngx_realtime_reply_refusal(r, NGX_REALTIME_R_METHOD,
                                          &rest->caller.user);
    }

    rest->retry = ngx_realtime_rate(rlcf->rates, rest->route->rate,
                                    &rest->caller.user);
    if (rest->retry) {
        return ngx_realtime_reply_refusal(r, NGX_REALTIME_R_RATE_LIMITED,
                                          &rest->caller.user);
    }

    if (r->method & NGX_REALTIME_REST_BODIES) {
        return ngx_realtime_rest_read_body(rest);
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    r->main->count++;

    ngx_realtime_rest_call(rest);

    return NGX_DONE;
}


/* NGX_DECLINED: *why; NGX_ERROR: no memory */

static ngx_int_t
ngx_realtime_rest_auth(ngx_realtime_rest_t *rest, ngx_realtime_refusal_e *why)
{
    ngx_int_t                  rc;
    ngx_str_t                  token;
    const char                *detail;
    ngx_uint_t                 source;
    ngx_http_request_t        *r;
    ngx_realtime_loc_conf_t   *rlcf;

    r = rest->request;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_realtime_module);

    source = ngx_realtime_auth_token(rlcf->auth, r, &token);

    if (source == 0) {
        *why = NGX_REALTIME_R_TOKEN_MISSING;
        ngx_realtime_count(auth_refused);
        return NGX_DECLINED;
    }

    rc = ngx_realtime_auth_verify(rlcf->auth, &token, r->pool,
                                  r->connection->log, &rest->caller, why,
                                  &detail);

    if (rc == NGX_DECLINED) {
        rest->detail = detail;
        ngx_realtime_count(auth_refused);
        return NGX_DECLINED;
    }

    /* a browser sends a cookie along whoever made it send the request */

    if (rc == NGX_OK
        && source == NGX_REALTIME_TOKEN_COOKIE
        && (r->method & NGX_REALTIME_REST_WRITES)
        && !ngx_realtime_rest_origin(r, rlcf->auth))
    {
        *why = NGX_REALTIME_R_ORIGIN;
        return NGX_DECLINED;
    }

    return rc;
}


/* as the browser says; without a word from it, a cookie proves nothing */

static ngx_uint_t
ngx_realtime_rest_origin(ngx_http_request_t *r,
    ngx_realtime_auth_conf_t *conf)
{
    ngx_str_t  *site;

    site = ngx_realtime_header_in(r, "sec-fetch-site", NULL);

    return (site && ngx_realtime_string_eq(site, "same-origin"))
           || ngx_realtime_origin_check(r, conf)
              == NGX_REALTIME_ORIGIN_TRUSTED;
}


/*
 * A back end has no cookie.  What is not there is asked for, and what is wrong
 * is refused: it would not help to log in again.
 */

static ngx_int_t
ngx_realtime_rest_auth_service(ngx_realtime_rest_t *rest,
    ngx_realtime_refusal_e *why)
{
    ngx_int_t                 rc;
    ngx_str_t                 token;
    const char               *detail;
    ngx_http_request_t       *r;
    ngx_realtime_loc_conf_t  *rlcf;

    r = rest->request;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_realtime_module);

    ngx_str_set(&rest->caller.user, "");

    if (rlcf->auth->api_access == NGX_REALTIME_ACCESS_NGINX) {
        return NGX_OK;
    }

    if (ngx_realtime_auth_token_bearer(r, &token) != NGX_OK) {
        *why = NGX_REALTIME_R_TOKEN_MISSING;
        ngx_realtime_count(auth_refused);
        return NGX_DECLINED;
    }

    rc = ngx_realtime_auth_verify_service(rlcf->auth, &token, r->pool,
                                          r->connection->log, &rest->caller,
                                          &detail);

    if (rc == NGX_DECLINED) {
        *why = NGX_REALTIME_R_SERVICE;
        rest->detail = detail;
        ngx_realtime_count(auth_refused);
    }

    return rc;
}


static ngx_int_t
ngx_realtime_rest_read_body(ngx_realtime_rest_t *rest)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = rest->request;

    if ((r->headers_in.content_length_n > 0 || r->headers_in.chunked)
        && !ngx_realtime_rest_is_json(r))
    {
        return ngx_realtime_reply_refusal(r, NGX_REALTIME_R_MEDIA_TYPE,
                                          &rest->caller.user);
    }

    /* client_max_body_size is nginx's own to enforce, chunked or not */

    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r, ngx_realtime_rest_body_handler);

    if (rc == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
        return ngx_realtime_reply_refusal(r, NGX_REALTIME_R_BODY_TOO_LARGE,
                                          &rest->caller.user);
    }

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


static ngx_uint_t
ngx_realtime_rest_is_json(ngx_http_request_t *r)
{
    u_char      c;
    size_t      len;
    ngx_str_t  *type;

    if (r->headers_in.content_type == NULL) {
        return 0;
    }

    type = &r->headers_in.content_type->value;
    len = sizeof("application/json") - 1;

    if (type->len < len
        || ngx_strncasecmp(type->data, (u_char *) "application/json", len)
           != 0)
    {
        return 0;
    }

    /* parameters, such as a charset, change nothing: JSON is UTF-8 */

    if (type->len == len) {
        return 1;
    }

    c = type->data[len];

    return c == ';' || c == ' ' || c == '\t';
}


static void
ngx_realtime_rest_body_handler(ngx_http_request_t *r)
{
    ngx_realtime_rest_t     *rest;
    ngx_realtime_refusal_e   why;

    rest = ngx_http_get_module_ctx(r, ngx_realtime_module);

    why = ngx_realtime_rest_parse_body(rest);

    if (why != NGX_REALTIME_R_NONE) {
        ngx_http_finalize_request(r,
                                  ngx_realtime_reply_refusal(r, why,
                                                      &rest->caller.user));
        return;
    }

    ngx_realtime_rest_call(rest);
}


static ngx_realtime_refusal_e
ngx_realtime_rest_parse_body(ngx_realtime_rest_t *rest)
{
    rt_str_t   value;
    ngx_str_t  text;

    if (ngx_realtime_rest_body_text(rest->request, &text) != NGX_OK) {
        return NGX_REALTIME_R_INTERNAL;
    }

    /* no body is an object without members: its route says what it misses */

    if (text.len == 0) {
        ngx_str_set(&rest->text, "{}");
        return NGX_REALTIME_R_NONE;
    }

    if (rt_json_check(text.data, text.len) != RT_OK
        || rt_utf8_check(text.data, text.len) != RT_OK)
    {
        return NGX_REALTIME_R_JSON_MALFORMED;
    }

    value = rt_json_trim(text.data, text.len);

    if (rt_json_type(value) != '{') {
        return NGX_REALTIME_R_PAYLOAD_INVALID;
    }

    rest->text.data = (u_char *) value.data;
    rest->text.len = value.len;

    return NGX_REALTIME_R_NONE;
}


static ngx_int_t
ngx_realtime_rest_body_text(ngx_http_request_t *r, ngx_str_t *text)
{
    ngx_chain_t  *cl;

    text->len = 0;

    if (r->request_body == NULL || r->request_body->bufs == NULL) {
        return NGX_OK;
    }

    cl = r->request_body->bufs;

    if (cl->next == NULL && !cl->buf->in_file) {
        text->data = cl->buf->pos;
        text->len = cl->buf->last - cl->buf->pos;
        return NGX_OK;
    }

    return ngx_realtime_rest_body_copy(r, text);
}


/*
 * A body over client_body_buffer_size is in a file that nginx has just
 * written: its pages are still in memory, and reading them does not wait.
 */

static ngx_int_t
ngx_realtime_rest_body_copy(ngx_http_request_t *r, ngx_str_t *text)
{
    off_t         size;
    u_char       *p;
    ssize_t       n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    size = 0;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    p = ngx_pnalloc(r->pool, (size_t) size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;
    text->len = (size_t) size;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        b = cl->buf;

        if (ngx_buf_in_memory(b)) {
            p = ngx_cpymem(p, b->pos, b->last - b->pos);
            continue;
        }

        /* the end of a chunked body is a buffer of its own, without bytes */

        if (!b->in_file) {
            continue;
        }

        size = b->file_last - b->file_pos;

        n = ngx_read_file(b->file, p, (size_t) size, b->file_pos);

        if (n != (ssize_t) size) {
            return NGX_ERROR;
        }

        p += n;
    }

    return NGX_OK;
}


/* the request is counted: it is there until it is finalized below */

static void
ngx_realtime_rest_call(ngx_realtime_rest_t *rest)
{
    if (ngx_realtime_rest_begin(rest) != NGX_OK) {
        rest->refusal = NGX_REALTIME_R_INTERNAL;
        rest->ready = 1;

    } else {

        /* the reply waits until the handler no longer uses the request */

        rest->inside = 1;
        rest->route->handler(rest, rest->call);
        rest->inside = 0;
    }

    if (rest->ready) {
        ngx_realtime_rest_reply(rest);

    } else if (rest->call->abandoned) {
        ngx_realtime_rest_watch(rest->request);
    }
}


/* an end that has come with the request is no event of its own any more */

static void
ngx_realtime_rest_watch(ngx_http_request_t *r)
{
    ngx_event_t  *rev;

    r->read_event_handler = ngx_http_test_reading;

    rev = r->connection->read;

    if (rev->pending_eof) {
        ngx_post_event(rev, &ngx_posted_events);
    }
}


static ngx_int_t
ngx_realtime_rest_begin(ngx_realtime_rest_t *rest)
{
    ngx_http_cleanup_t  *cln;

    cln = ngx_http_cleanup_add(rest->request, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_realtime_rest_detach;
    cln->data = rest;

    /* a call may outlive the connection, and so may its log */

    rest->call = ngx_realtime_call_create(ngx_cycle->log, &rest->caller,
                                          NULL);
    if (rest->call == NULL) {
        return NGX_ERROR;
    }

    rest->call->done = ngx_realtime_rest_done;
    rest->call->data = rest;

    return NGX_OK;
}


static void
ngx_realtime_rest_done(ngx_realtime_call_t *call)
{
    ngx_connection_t     *c;
    ngx_http_request_t   *r;
    ngx_realtime_rest_t  *rest;

    rest = call->data;

    if (rest == NULL) {
        return;
    }

    rest->call = NULL;

    r = rest->request;
    c = r->connection;

    rest->refusal = call->refusal;

    if (call->refusal == NGX_REALTIME_R_NONE) {
        rest->status = call->status;
        rest->content = ngx_realtime_reply_success(r, call);
    }

    rest->ready = 1;

    if (rest->inside) {
        return;
    }

    /* an event of Postgres and not of this connection */

    ngx_http_set_log_request(c->log, r);

    ngx_realtime_rest_reply(rest);

    ngx_http_run_posted_requests(c);
}


static void
ngx_realtime_rest_reply(ngx_realtime_rest_t *rest)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = rest->request;

    if (rest->refusal != NGX_REALTIME_R_NONE) {
        rc = ngx_realtime_reply_refusal(r, rest->refusal, &rest->caller.user);

    } else {
        rc = ngx_realtime_reply_send(r, rest->status, rest->content);
    }

    ngx_http_finalize_request(r, rc);
}


static void
ngx_realtime_rest_detach(void *data)
{
    ngx_realtime_rest_t  *rest = data;

    ngx_realtime_call_t  *call;

    call = rest->call;

    if (call == NULL) {
        return;
    }

    rest->call = NULL;
    call->data = NULL;

    if (call->abandoned) {
        call->abandoned(call);
    }
}
