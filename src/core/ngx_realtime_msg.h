
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * An outgoing packet: encoded once, immutable, shared by every out queue.
 *
 *   data: [ WebSocket header 2..10 ][ Engine.IO packet: '4' '2' JSON ... ]
 *                                   ^ data + payload
 *
 * A server's WebSocket header depends on the length alone (RFC 6455, 5.2: a
 * server must not mask), so one frame serves all receivers; a polling
 * transport takes the part from payload on.  Messages are private to a
 * worker; the bus carries the payload and the other worker makes its own.
 */

#ifndef _NGX_REALTIME_MSG_H_INCLUDED_
#define _NGX_REALTIME_MSG_H_INCLUDED_


#include "ngx_realtime.h"


typedef struct {
    uint32_t                   refs;
    uint32_t                   len;        /* bytes of data, header included */
    uint8_t                    payload;    /* offset of the packet in data */
    unsigned                   dispensable:1;  /* volatile: dropped when slow */
    unsigned                   binary:1;       /* payload: an attachment */
    u_char                     data[];
} ngx_realtime_msg_t;


#define ngx_realtime_msg_payload(m)      ((m)->data + (m)->payload)
#define ngx_realtime_msg_payload_len(m)  ((m)->len - (m)->payload)


/* refs is 1; exactly len bytes of payload are to be filled in; NULL: no
   memory, logged */
ngx_realtime_msg_t *ngx_realtime_msg_alloc(size_t len, ngx_log_t *log);

/* a copy of a packet, or of an attachment's bytes */
ngx_realtime_msg_t *ngx_realtime_msg_copy(const u_char *data, size_t len,
    ngx_uint_t binary, ngx_log_t *log);

#define ngx_realtime_msg_ref(m)    ((m)->refs++)
void ngx_realtime_msg_unref(ngx_realtime_msg_t *m);

/*
 * "42" and [event,data], both given as JSON text: event is a bare name that
 * needs no escaping, data a JSON value.
 */
ngx_realtime_msg_t *ngx_realtime_msg_event(const char *event,
    ngx_str_t *data, ngx_log_t *log);


#endif /* _NGX_REALTIME_MSG_H_INCLUDED_ */
