
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_rest.h"
#include "ngx_realtime_counter.h"
#include "ngx_realtime_header.h"
#include "ngx_realtime_log.h"
#include "ngx_realtime_refusal.h"


#define NGX_REALTIME_REPLY_RETRY    "1"      /* seconds */

#define ngx_realtime_reply_put(p, lit)                                        \
    ngx_cpymem(p, lit, sizeof(lit) - 1)


typedef struct {
    ngx_uint_t                 method;
    ngx_str_t                  names;
} ngx_realtime_reply_method_t;


static const ngx_realtime_reply_method_t  ngx_realtime_reply_methods[] = {
    { NGX_HTTP_GET, ngx_string("GET, HEAD, ") },
    { NGX_HTTP_POST, ngx_string("POST, ") },
    { NGX_HTTP_PUT, ngx_string("PUT, ") },
    { NGX_HTTP_DELETE, ngx_string("DELETE, ") }
};

#define NGX_REALTIME_REPLY_METHODS                                            \
    (sizeof(ngx_realtime_reply_methods)                                       \
     / sizeof(ngx_realtime_reply_method_t))


static ngx_str_t  ngx_realtime_reply_type =
    ngx_string("application/json; charset=utf-8");
static ngx_str_t  ngx_realtime_reply_no_store = ngx_string("no-store");
static ngx_str_t  ngx_realtime_reply_bearer = ngx_string("Bearer");
static ngx_str_t  ngx_realtime_reply_seconds =
    ngx_string(NGX_REALTIME_REPLY_RETRY);


ngx_int_t
ngx_realtime_reply_refusal(ngx_http_request_t *r, ngx_realtime_refusal_e why,
    ngx_str_t *user)
{
    ngx_buf_t                     *b;
    ngx_int_t                      rc;
    const char                    *reason;
    ngx_realtime_rest_t           *rest;
    const ngx_realtime_refusal_t  *refusal;

    refusal = ngx_realtime_refusal(why);
    rest = ngx_http_get_module_ctx(r, ngx_realtime_module);

    reason = (rest && rest->detail) ? rest->detail
                                    : (char *) refusal->text.data;

    ngx_realtime_count(http_refused);

    ngx_realtime_log_client(NGX_LOG_INFO, r->connection->log,
                            "request refused", reason, user, NULL);

    /* of a body that was not read yet */

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (refusal->retry
        && ngx_realtime_reply_retry(r, rest ? rest->retry : 0) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (refusal->status == NGX_HTTP_UNAUTHORIZED
        && ngx_realtime_header_add(r, "WWW-Authenticate",
                                   &ngx_realtime_reply_bearer)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = ngx_realtime_reply_error(r, refusal);

    return ngx_realtime_reply_send(r, refusal->status, b);
}


ngx_buf_t *
ngx_realtime_reply_error(ngx_http_request_t *r,
    const ngx_realtime_refusal_t *refusal)
{
    size_t      size;
    ngx_buf_t  *b;

    size = sizeof("{\"status\":\"error\",\"message\":\"\",\"code\":\"\"}") - 1
           + refusal->text.len + refusal->code.len;

    b = ngx_create_temp_buf(r->pool, size);
    if (b == NULL) {
        return NULL;
    }

    /* texts of the table: nothing in them needs escaping */

    b->last = ngx_sprintf(b->last, "{\"status\":\"error\",\"message\":\"%V\","
                          "\"code\":\"%V\"}", &refusal->text, &refusal->code);

    return b;
}


ngx_buf_t *
ngx_realtime_reply_success(ngx_http_request_t *r, ngx_realtime_call_t *call)
{
    size_t      size;
    u_char     *p;
    ngx_buf_t  *b;

    size = sizeof("{\"status\":\"success\",\"message\":\"\",\"data\":,}") - 1
           + call->message.len + call->result.len + call->extra.len;

    b = ngx_create_temp_buf(r->pool, size);
    if (b == NULL) {
        return NULL;
    }

    p = ngx_realtime_reply_put(b->last, "{\"status\":\"success\"");

    if (call->message.len) {
        p = ngx_realtime_reply_put(p, ",\"message\":\"");
        p = ngx_cpymem(p, call->message.data, call->message.len);
        *p++ = '"';
    }

    if (call->result.len) {
        p = ngx_realtime_reply_put(p, ",\"data\":");
        p = ngx_cpymem(p, call->result.data, call->result.len);
    }

    if (call->extra.len) {
        *p++ = ',';
        p = ngx_cpymem(p, call->extra.data, call->extra.len);
    }

    *p++ = '}';

    b->last = p;

    return b;
}


ngx_int_t
ngx_realtime_reply_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_buf_t *content)
{
    ngx_int_t             rc;
    ngx_chain_t           out;
    ngx_realtime_rest_t  *rest;

    if (content == NULL || ngx_realtime_reply_headers(r, content) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rest = ngx_http_get_module_ctx(r, ngx_realtime_module);
    rest->own = 1;

    r->headers_out.status = status;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    content->last_buf = 1;
    content->last_in_chain = 1;

    out.buf = content;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


ngx_int_t
ngx_realtime_reply_headers(ngx_http_request_t *r, ngx_buf_t *content)
{
    r->headers_out.content_length_n = content->last - content->pos;

    /* the charset is in the type; the length is what gzip_types looks at */

    r->headers_out.content_type = ngx_realtime_reply_type;
    r->headers_out.content_type_len = sizeof("application/json") - 1;
    r->headers_out.content_type_lowcase = NULL;

    return ngx_realtime_header_add(r, "Cache-Control",
                                   &ngx_realtime_reply_no_store);
}


ngx_int_t
ngx_realtime_reply_retry(ngx_http_request_t *r, ngx_uint_t retry)
{
    ngx_str_t  value;

    if (retry == 0) {
        return ngx_realtime_header_add(r, "Retry-After",
                                       &ngx_realtime_reply_seconds);
    }

    value.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%ui", retry) - value.data;

    return ngx_realtime_header_add(r, "Retry-After", &value);
}


ngx_int_t
ngx_realtime_reply_options(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    return ngx_http_send_header(r);
}


ngx_int_t
ngx_realtime_reply_allow(ngx_http_request_t *r, ngx_uint_t methods)
{
    u_char                             *p;
    size_t                              size;
    ngx_str_t                           value;
    ngx_uint_t                          i;
    const ngx_realtime_reply_method_t  *m;

    size = sizeof("OPTIONS") - 1;

    m = ngx_realtime_reply_methods;

    for (i = 0; i < NGX_REALTIME_REPLY_METHODS; i++) {
        size += m[i].names.len;
    }

    p = ngx_pnalloc(r->pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;

    for (i = 0; i < NGX_REALTIME_REPLY_METHODS; i++) {
        if (methods & m[i].method) {
            p = ngx_cpymem(p, m[i].names.data, m[i].names.len);
        }
    }

    p = ngx_realtime_reply_put(p, "OPTIONS");

    value.len = p - value.data;

    return ngx_realtime_header_add(r, "Allow", &value);
}
