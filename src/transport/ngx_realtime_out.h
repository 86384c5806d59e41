
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * An out queue: references to messages that a client has still to get, in
 * order.  The nodes come from a free list of the worker; an empty queue has
 * none.
 */

#ifndef _NGX_REALTIME_OUT_H_INCLUDED_
#define _NGX_REALTIME_OUT_H_INCLUDED_


#include "ngx_realtime_msg.h"


/* what a queued message costs beside its bytes: an empty pong has 2 of them,
   and a queue of those would hold many times what its limit says */
#define NGX_REALTIME_OUT_COST  64


typedef struct ngx_realtime_out_node_s  ngx_realtime_out_node_t;

struct ngx_realtime_out_node_s {
    ngx_realtime_out_node_t   *next;
    ngx_realtime_msg_t        *message;
};


typedef struct {
    ngx_realtime_out_node_t   *first;
    ngx_realtime_out_node_t  **last;       /* where the next one goes */
    size_t                     bytes;      /* of all, not yet written, and
                                              the cost of each */
    size_t                     done;       /* of the first, written */
} ngx_realtime_out_t;


void ngx_realtime_out_init(ngx_realtime_out_t *out);

/* takes its own reference; NGX_ERROR: no memory */
ngx_int_t ngx_realtime_out_push(ngx_realtime_out_t *out,
    ngx_realtime_msg_t *m, ngx_log_t *log);

/* the first message, whose reference is the caller's now; NULL: none */
ngx_realtime_msg_t *ngx_realtime_out_shift(ngx_realtime_out_t *out);

/*
 * Bytes to be written next: of the first message itself, or, where there are
 * several, of a copy of them in buf: a copy of a few small messages costs less
 * than a vector of them, and with TLS it makes one record.  A repeated call
 * gives the same bytes and perhaps more, as TLS asks for after a write that
 * would have blocked.
 */
ngx_str_t ngx_realtime_out_peek(ngx_realtime_out_t *out, u_char *buf,
    size_t size);

/* n bytes of those were written */
void ngx_realtime_out_written(ngx_realtime_out_t *out, size_t n);

void ngx_realtime_out_drop(ngx_realtime_out_t *out);


#endif /* _NGX_REALTIME_OUT_H_INCLUDED_ */
