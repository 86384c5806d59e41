
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_envelope.h"
#include "ngx_realtime_counter.h"
#include "ngx_realtime_header.h"
#include "ngx_realtime_origin.h"
#include "ngx_realtime_rest.h"


/* of a request whose page is replaced */

typedef struct {
    ngx_buf_t                 *content;   /* NULL: it is on its way */
} ngx_realtime_envelope_t;


static ngx_int_t ngx_realtime_envelope_header_filter(ngx_http_request_t *r);
static ngx_uint_t ngx_realtime_envelope_is_page(ngx_http_request_t *r);
static ngx_int_t ngx_realtime_envelope_replace(ngx_http_request_t *r);
static const ngx_realtime_refusal_t *ngx_realtime_envelope_refusal(
    ngx_uint_t status);
static ngx_int_t ngx_realtime_envelope_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);


/* the filters below these two */
static ngx_http_output_header_filter_pt  ngx_realtime_envelope_next_header;
static ngx_http_output_body_filter_pt    ngx_realtime_envelope_next_body;


#define NGX_REALTIME_ENVELOPE(status, code, text, retry)                      \
    { ngx_string(code), ngx_string(text), ngx_null_string, status, retry }

static const ngx_realtime_refusal_t  ngx_realtime_envelopes[] = {
    NGX_REALTIME_ENVELOPE(400, "bad_request", "Bad request", 0),
    NGX_REALTIME_ENVELOPE(401, "unauthorized", "Authentication required", 0),
    NGX_REALTIME_ENVELOPE(403, "access_denied", "Access denied", 0),
    NGX_REALTIME_ENVELOPE(404, "not_found", "Not found", 0),
    NGX_REALTIME_ENVELOPE(405, "method_not_allowed", "Method not allowed", 0),
    NGX_REALTIME_ENVELOPE(411, "length_required",
                          "Content-Length required", 0),
    NGX_REALTIME_ENVELOPE(413, "body_too_large", "Request body too large", 0),
    NGX_REALTIME_ENVELOPE(429, "too_many_requests",
                          "Too many requests, try again later", 1),
    NGX_REALTIME_ENVELOPE(500, "internal", "Internal error", 0),
    NGX_REALTIME_ENVELOPE(502, "bad_gateway", "Bad gateway", 0),
    NGX_REALTIME_ENVELOPE(503, "service_unavailable",
                          "Service unavailable, try again later", 1),
    NGX_REALTIME_ENVELOPE(504, "gateway_timeout", "Gateway timeout", 0)
};

/* all others, by their first digit */

static const ngx_realtime_refusal_t  ngx_realtime_envelope_4xx =
    NGX_REALTIME_ENVELOPE(400, "request_refused", "Request refused", 0);
static const ngx_realtime_refusal_t  ngx_realtime_envelope_5xx =
    NGX_REALTIME_ENVELOPE(500, "server_error", "Server error", 0);


ngx_int_t
ngx_realtime_envelope_init(ngx_conf_t *cf)
{
    ngx_realtime_envelope_next_header = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_realtime_envelope_header_filter;

    ngx_realtime_envelope_next_body = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_realtime_envelope_body_filter;

    return NGX_OK;
}


static ngx_int_t
ngx_realtime_envelope_header_filter(ngx_http_request_t *r)
{
    ngx_realtime_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_realtime_module);

    /* a 101 is no reply that a page could read */

    if (r != r->main
        || !(rlcf->serves
             & (NGX_REALTIME_SERVES_SOCKET|NGX_REALTIME_SERVES_REST
                |NGX_REALTIME_SERVES_API))
        || r->headers_out.status < NGX_HTTP_OK)
    {
        return ngx_realtime_envelope_next_header(r);
    }

    /* a page has no business with the routes for back ends */

    if (rlcf->serves != NGX_REALTIME_SERVES_API
        && ngx_realtime_origin_headers(r, rlcf->auth) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!(rlcf->serves & NGX_REALTIME_SERVES_SOCKET)
        && ngx_realtime_envelope_is_page(r)
        && ngx_realtime_envelope_replace(r) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_realtime_envelope_next_header(r);
}


/*
 * Nothing but a special response leaves its status in err_status; an
 * error_page that leads here does too, and is answered by REST itself.
 */

static ngx_uint_t
ngx_realtime_envelope_is_page(ngx_http_request_t *r)
{
    ngx_realtime_rest_t  *rest;

    rest = ngx_http_get_module_ctx(r, ngx_realtime_module);

    return r->err_status >= NGX_HTTP_BAD_REQUEST && !(rest && rest->own);
}


static ngx_int_t
ngx_realtime_envelope_replace(ngx_http_request_t *r)
{
    ngx_realtime_envelope_t       *ctx;
    const ngx_realtime_refusal_t  *refusal;

    ngx_realtime_count(http_refused);

    /* refused before it came to the handler */

    if (ngx_http_get_module_ctx(r, ngx_realtime_module) == NULL) {
        ngx_realtime_count(http_requests);
    }

    ctx = ngx_palloc(r->pool, sizeof(ngx_realtime_envelope_t));
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    refusal = ngx_realtime_envelope_refusal(r->headers_out.status);

    ctx->content = ngx_realtime_reply_error(r, refusal);
    if (ctx->content == NULL) {
        return NGX_ERROR;
    }

    ctx->content->last_buf = 1;
    ctx->content->last_in_chain = 1;

    ngx_http_set_ctx(r, ctx, ngx_realtime_envelope_module);

    if (refusal->retry && !ngx_realtime_header_is_out(r, "Retry-After")
        && ngx_realtime_reply_retry(r, 0) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_clear_content_length(r);

    return ngx_realtime_reply_headers(r, ctx->content);
}


static const ngx_realtime_refusal_t *
ngx_realtime_envelope_refusal(ngx_uint_t status)
{
    ngx_uint_t  i;

    for (i = 0;
         i < sizeof(ngx_realtime_envelopes) / sizeof(ngx_realtime_refusal_t);
         i++)
    {
        if (ngx_realtime_envelopes[i].status == status) {
            return &ngx_realtime_envelopes[i];
        }
    }

    return status < NGX_HTTP_INTERNAL_SERVER_ERROR
           ? &ngx_realtime_envelope_4xx : &ngx_realtime_envelope_5xx;
}


static ngx_int_t
ngx_realtime_envelope_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t                *b;
    ngx_chain_t              *cl, out;
    ngx_realtime_envelope_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_realtime_envelope_module);

    if (ctx == NULL || in == NULL) {
        return ngx_realtime_envelope_next_body(r, in);
    }

    /* nobody may wait for a buffer of the page to be sent */

    for (cl = in; cl; cl = cl->next) {
        b = cl->buf;
        b->pos = b->last;
        b->file_pos = b->file_last;
    }

    if (ctx->content == NULL) {
        return ngx_realtime_envelope_next_body(r, NULL);
    }

    out.buf = ctx->content;
    out.next = NULL;

    ctx->content = NULL;

    return ngx_realtime_envelope_next_body(r, &out);
}
