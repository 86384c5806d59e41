
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The REST door: a request becomes a call of chat/, the outcome of the call
 * becomes the reply.
 *
 *   handler -> who (auth/) -> what (route) -> body -> call ... done -> reply
 *
 * While Postgres works the request is held by its count, and call->data
 * points to it.  A request that ends before its call (the worker closes it)
 * takes that pointer back: the call goes on, what it writes is written, and
 * it finds nobody to tell.  A client that leaves is noticed only when the
 * reply is sent: a call is short, and its write must not depend on whether
 * somebody waits.  But for a call that may be abandoned: there it is noticed at
 * once.
 */

#ifndef _NGX_REALTIME_REST_H_INCLUDED_
#define _NGX_REALTIME_REST_H_INCLUDED_


#include "ngx_realtime.h"
#include "ngx_realtime_chat.h"


typedef struct ngx_realtime_route_s  ngx_realtime_route_t;


/* of one request, in its pool */

typedef struct {
    ngx_http_request_t          *request;
    const ngx_realtime_route_t  *route;
    ngx_str_t                    id;        /* the ":" of the path */
    ngx_realtime_identity_t      caller;
    const char                  *detail;     /* of a refused token: for the
                                                log, not for the client */
    ngx_str_t                    text;      /* the body: an object, in valid
                                               UTF-8; checked, not parsed; may
                                               be written to */
    ngx_realtime_call_t         *call;      /* NULL: none is under way */

    ngx_uint_t                   retry;     /* s, for Retry-After; 0: the
                                               usual */
    ngx_realtime_refusal_e       refusal;   /* the reply: why not, or */
    ngx_uint_t                   status;    /* this and the content */
    ngx_buf_t                   *content;   /* NULL: no memory */

    unsigned                     inside:1;  /* the route's handler runs */
    unsigned                     ready:1;   /* the reply is complete */
    unsigned                     own:1;     /* what is sent is that reply, and
                                               not a page of nginx */
} ngx_realtime_rest_t;


/* the content handler of "realtime_chat" and of "realtime_api" */
ngx_int_t ngx_realtime_rest_handler(ngx_http_request_t *r);

/* replies, ngx_realtime_reply.c; return what the content handler returns */

ngx_int_t ngx_realtime_reply_refusal(ngx_http_request_t *r,
    ngx_realtime_refusal_e why, ngx_str_t *user);
ngx_int_t ngx_realtime_reply_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_buf_t *content);
ngx_int_t ngx_realtime_reply_options(ngx_http_request_t *r);

/* the envelope around the result of a call, or an error; NULL: no memory */
ngx_buf_t *ngx_realtime_reply_success(ngx_http_request_t *r,
    ngx_realtime_call_t *call);
ngx_buf_t *ngx_realtime_reply_error(ngx_http_request_t *r,
    const ngx_realtime_refusal_t *refusal);

/* what the headers say of such content, and Retry-After if it is wanted */
ngx_int_t ngx_realtime_reply_headers(ngx_http_request_t *r,
    ngx_buf_t *content);
ngx_int_t ngx_realtime_reply_retry(ngx_http_request_t *r, ngx_uint_t retry);

/* "Allow" for a mask of methods */
ngx_int_t ngx_realtime_reply_allow(ngx_http_request_t *r,
    ngx_uint_t methods);


#endif /* _NGX_REALTIME_REST_H_INCLUDED_ */
