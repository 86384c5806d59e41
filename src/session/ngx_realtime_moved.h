
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Sids of sessions that began here and went to another worker when they
 * became WebSockets.  As at the reference server, a request with such a sid
 * is a bad one while the session lives, and of an unknown session after that.
 *
 *   ghost is over      add
 *   GONE comes         remove: the worker that has the session says so
 *   that worker died   is not, whatever is noted
 *
 * What a dead worker has left is freed with the next entry for its slot.  A
 * worker that exits takes its notes along: its sids are unknown from then on.
 */

#ifndef _NGX_REALTIME_MOVED_H_INCLUDED_
#define _NGX_REALTIME_MOVED_H_INCLUDED_


#include "ngx_realtime_polling.h"


void ngx_realtime_moved_init(void);

/* to: in the worker that has it now.  Without memory it is not noted */
void ngx_realtime_moved_add(u_char *sid, const ngx_realtime_waiter_t *to,
    ngx_log_t *log);

ngx_uint_t ngx_realtime_moved_is(u_char *sid);
void ngx_realtime_moved_remove(u_char *sid);

/* a GONE may have been lost */
void ngx_realtime_moved_remove_all(void);


#endif /* _NGX_REALTIME_MOVED_H_INCLUDED_ */
