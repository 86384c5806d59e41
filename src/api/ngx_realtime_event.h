
/*
 * Copyright (C) ngx_realtime contributors
 */

#ifndef _NGX_REALTIME_EVENT_H_INCLUDED_
#define _NGX_REALTIME_EVENT_H_INCLUDED_


#include "ngx_realtime_session.h"


/* the socket's door to chat/: for ngx_realtime_session_init() */
extern const ngx_realtime_session_ops_t  ngx_realtime_event_ops;


#endif /* _NGX_REALTIME_EVENT_H_INCLUDED_ */
