
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * A session as bytes, for another worker of the same nginx: whom its sockets
 * belong to, and what waits to be sent.
 */

#ifndef _NGX_REALTIME_STATE_H_INCLUDED_
#define _NGX_REALTIME_STATE_H_INCLUDED_


#include "ngx_realtime_detour.h"


size_t ngx_realtime_state_size(ngx_realtime_session_t *s,
    ngx_realtime_out_t *out);

/* writes that many bytes; how far this worker has read the rings is among
   them */
void ngx_realtime_state_print(ngx_realtime_session_t *s,
    ngx_realtime_out_t *out, u_char *p);

/* on t, which is sent what waited; had has room for all slots.  NULL: no
   memory, or bytes that make no sense; t is as it was */
ngx_realtime_session_t *ngx_realtime_state_restore(
    ngx_realtime_transport_t *t, ngx_realtime_loc_conf_t *conf, u_char *data,
    size_t len, uint64_t *had);


#endif /* _NGX_REALTIME_STATE_H_INCLUDED_ */
