
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Headers of requests and replies that nginx has no field for.
 */

#ifndef _NGX_REALTIME_HEADER_H_INCLUDED_
#define _NGX_REALTIME_HEADER_H_INCLUDED_


#include "ngx_realtime.h"


/*
 * The value of the first header of this name in the request; NULL: there is
 * none.  count is the number of them, or NULL.
 */

ngx_str_t *ngx_realtime_header_in(ngx_http_request_t *r, const char *name,
    ngx_uint_t *count);

/* whether the reply has such a header by now */
ngx_uint_t ngx_realtime_header_is_out(ngx_http_request_t *r,
    const char *name);

/* name and value live as long as the request; NGX_ERROR: no memory */
ngx_int_t ngx_realtime_header_add(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);


#endif /* _NGX_REALTIME_HEADER_H_INCLUDED_ */
