
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * A transport carries Engine.IO packets between a client and a session; it
 * knows neither what a packet means nor who the client is.
 *
 * The session calls down through ops, the transport calls up through up.
 * Nothing that is called down calls up before it returns, and a transport is
 * never freed inside a call of either direction: so a session may close its
 * transport from within an upcall, and a transport may report its end while
 * the session is busy with it.
 */

#ifndef _NGX_REALTIME_TRANSPORT_H_INCLUDED_
#define _NGX_REALTIME_TRANSPORT_H_INCLUDED_


#include "ngx_realtime.h"
#include "ngx_realtime_msg.h"
#include "rt.h"


typedef struct ngx_realtime_transport_s  ngx_realtime_transport_t;


typedef struct {
    const char                *name;       /* "websocket" */

    /* takes its own reference; what cannot be queued any more ends the
       transport with an upcall "closed" from the event loop */
    void                     (*send)(ngx_realtime_transport_t *t,
                                     ngx_realtime_msg_t *m);

    /* no upcall follows; code is a WebSocket close code */
    void                     (*close)(ngx_realtime_transport_t *t,
                                      ngx_uint_t code);

    /* says the same to the client, but what it sent before it heard still
       comes up; nothing more is sent */
    void                     (*leave)(ngx_realtime_transport_t *t,
                                      ngx_uint_t code);
} ngx_realtime_transport_ops_t;


typedef struct {
    /* one whole packet, or the bytes of an attachment; data is the
       transport's and may be written to until the call returns */
    void                     (*packet)(void *session, u_char *data,
                                       size_t len, ngx_uint_t binary);

    /* once, the last call: the client is gone or was refused; reason is a
       static text */
    void                     (*closed)(void *session, const char *reason);
} ngx_realtime_transport_up_t;


struct ngx_realtime_transport_s {
    const ngx_realtime_transport_ops_t  *ops;
    const ngx_realtime_transport_up_t   *up;
    void                                *session;  /* NULL: detached */
    ngx_log_t                           *log;
};


#endif /* _NGX_REALTIME_TRANSPORT_H_INCLUDED_ */
