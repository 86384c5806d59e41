
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Where a request comes from: may it, and what is a browser told?
 *
 *   Origin header                        answer     cookie   CORS headers
 *   ----------------------------------------------------------------------
 *   none: no browser, or a plain GET     NONE       yes      none
 *   scheme and Host of the request       TRUSTED    yes      with credentials
 *   listed                               TRUSTED    yes      with credentials
 *   let in by "*", or a listed "null"    ANY        no       without
 *   any other, or several                FOREIGN    -        none
 *
 * A browser adds the cookies of a site to whatever any page sends there, so
 * an origin that everybody can have ("null" is that of a sandboxed frame) is
 * never believed by its cookie: auth/ does not look at it.
 *
 * Origins are compared as RFC 6454 says: scheme and host without regard to
 * case, the port by its number.  Nothing is decoded, resolved or repaired: a
 * text that is not exactly scheme://host[:port] equals no origin.
 */

#ifndef _NGX_REALTIME_ORIGIN_H_INCLUDED_
#define _NGX_REALTIME_ORIGIN_H_INCLUDED_


#include "ngx_realtime_auth.h"


typedef enum {
    NGX_REALTIME_ORIGIN_NONE = 0,
    NGX_REALTIME_ORIGIN_TRUSTED,
    NGX_REALTIME_ORIGIN_ANY,
    NGX_REALTIME_ORIGIN_FOREIGN
} ngx_realtime_origin_e;


ngx_realtime_origin_e ngx_realtime_origin_check(ngx_http_request_t *r,
    ngx_realtime_auth_conf_t *conf);

/*
 * The CORS headers of a reply, success or error: none for an origin that is
 * not allowed.  Once is enough, twice does no harm.  The header filter of
 * api/ calls this for everything that a realtime location sends.
 */

ngx_int_t ngx_realtime_origin_headers(ngx_http_request_t *r,
    ngx_realtime_auth_conf_t *conf);

/*
 * Answers the preflight of an allowed origin, and returns what a content
 * handler returns; NGX_DECLINED: this is none, nothing was done.
 */

ngx_int_t ngx_realtime_origin_preflight(ngx_http_request_t *r,
    ngx_realtime_auth_conf_t *conf);

/* realtime_allowed_origins ORIGIN ... | * */
char *ngx_realtime_origin_allow(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_REALTIME_ORIGIN_H_INCLUDED_ */
