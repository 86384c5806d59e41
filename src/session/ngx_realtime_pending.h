
/*
 * Copyright (C) ngx_realtime contributors
 */

#ifndef _NGX_REALTIME_PENDING_H_INCLUDED_
#define _NGX_REALTIME_PENDING_H_INCLUDED_


#include "ngx_realtime_session.h"


/* a packet whose attachments are still to come */

struct ngx_realtime_pending_s {
    ngx_uint_t                 expected;   /* attachments, all told */
    ngx_uint_t                 n;          /* those that are there */
    size_t                     bytes;      /* of them */
    ngx_str_t                  attachments[RT_SIO_ATTACHMENTS];
    size_t                     len;        /* of the packet */
    u_char                     packet[];
};


/* becomes s->pending, with none of the expected attachments.  NGX_ERROR: no
   memory */
ngx_int_t ngx_realtime_pending_create(ngx_realtime_session_t *s,
    ngx_uint_t expected, const u_char *packet, size_t len);

/* one more of them, copied */
ngx_int_t ngx_realtime_pending_add(ngx_realtime_pending_t *pending,
    const u_char *data, size_t len, ngx_log_t *log);

void ngx_realtime_pending_free(ngx_realtime_pending_t *pending);


#endif /* _NGX_REALTIME_PENDING_H_INCLUDED_ */
