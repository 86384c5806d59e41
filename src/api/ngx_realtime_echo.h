
/*
 * Copyright (C) ngx_realtime contributors
 */

#ifndef _NGX_REALTIME_ECHO_H_INCLUDED_
#define _NGX_REALTIME_ECHO_H_INCLUDED_


#include "ngx_realtime_session.h"


/*
 * "realtime_socket echo=socketio": the application that the public
 * conformance suite of Socket.IO asks for.  On connection it emits "auth"
 * with the object of CONNECT; "message" comes back as "message-back", and
 * "message-with-ack" is acknowledged with its arguments, attachments included.
 */

void ngx_realtime_echo_connected(ngx_realtime_socket_t *sk, rt_str_t auth);
void ngx_realtime_echo_event(ngx_realtime_socket_t *sk,
    ngx_realtime_in_t *in);


#endif /* _NGX_REALTIME_ECHO_H_INCLUDED_ */
