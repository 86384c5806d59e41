
/*
 * Copyright (C) ngx_realtime contributors
 */

#ifndef _NGX_REALTIME_WS_H_INCLUDED_
#define _NGX_REALTIME_WS_H_INCLUDED_


#include "ngx_realtime_transport.h"


typedef struct {
    ngx_realtime_loc_conf_t   *loc;        /* its sizes, its compression */
    ngx_uint_t                 deflate;    /* agreed on; by _accept() */

    /*
     * The connection is a WebSocket now: sets t->up and t->session and may
     * send.  Anything but NGX_OK closes the connection.  The request and its
     * pool are still there, for the last time.
     */
    ngx_int_t                (*ready)(ngx_realtime_transport_t *t,
                                      ngx_http_request_t *r, void *data);
    void                      *data;
} ngx_realtime_ws_conf_t;


/* per worker, before the first connection */
void ngx_realtime_ws_init(ngx_cycle_t *cycle);

/* is this request a WebSocket handshake that is allowed to be one?  NGX_OK,
   or the HTTP status to refuse it with (400, or 426 with the header that RFC
   6455, 4.4 asks for already set) and *why */
ngx_int_t ngx_realtime_ws_check(ngx_http_request_t *r, const char **why);

/*
 * Answers 101 and takes the connection out of the request.  To be returned
 * from a content handler.  conf is copied.
 */
ngx_int_t ngx_realtime_ws_accept(ngx_http_request_t *r,
    ngx_realtime_ws_conf_t *conf);

/* the transport on a connection that is a request no more.  response goes
   out first, NULL: it has; early is what the client sent behind its
   handshake.  NULL: no memory */
ngx_realtime_transport_t *ngx_realtime_ws_create(ngx_connection_t *c,
    ngx_realtime_ws_conf_t *conf, ngx_realtime_msg_t *response);

/* instead of a start; the connection's pool has the rest */
void ngx_realtime_ws_abandon(ngx_realtime_transport_t *t);
void ngx_realtime_ws_start(ngx_realtime_transport_t *t, ngx_str_t *early);


#endif /* _NGX_REALTIME_WS_H_INCLUDED_ */
