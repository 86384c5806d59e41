
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The last look at what a realtime location sends: a header filter and a
 * body filter on top of nginx's own.
 *
 *   every reply            gets the CORS headers of its Origin, but not one
 *                          of "realtime_api"
 *   an error of nginx,     gets the envelope of the API instead of a page in
 *   where REST is served   HTML
 *
 * An error of nginx is what its special responses send: for allow and deny,
 * auth_request, limit_req, client_max_body_size, "return 503", a handler that
 * gave up.  An error_page goes first: what it leads to is another location's,
 * and stays as it is.  So does the text of "return 403 text".
 */

#ifndef _NGX_REALTIME_ENVELOPE_H_INCLUDED_
#define _NGX_REALTIME_ENVELOPE_H_INCLUDED_


#include "ngx_realtime.h"


/* postconfiguration */
ngx_int_t ngx_realtime_envelope_init(ngx_conf_t *cf);


#endif /* _NGX_REALTIME_ENVELOPE_H_INCLUDED_ */
