
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
 *
 * Connection state recovery: the last argument of an event without ack id is
 * its offset, a string that a client of Socket.IO gives back when it returns.
 * Ours is the event's place in the history, so it is the same for all who get
 * the event.  It is known only when the event is published: an event is
 * made with room for it and sealed then, before anybody has seen it.
 *
 * One compressed frame serves all receivers too.  It is a message of its own:
 * transport/ makes it when the first connection that has the extension takes
 * the message, and the message keeps it for the others.
 */

#ifndef _NGX_REALTIME_MSG_H_INCLUDED_
#define _NGX_REALTIME_MSG_H_INCLUDED_


#include "ngx_realtime.h"
#include "ngx_realtime_table.h"


/*
 * An event that the client is to acknowledge: who waits for it.  Of session/,
 * see ngx_realtime_acks.h.
 */

typedef struct {
    ngx_realtime_ref_t         call;       /* in the worker of slot */
    uint32_t                   slot;
    uint32_t                   id;         /* of the ack, as in the packet */
    ngx_msec_t                 until;      /* on the clock of all workers */
} ngx_realtime_due_t;


typedef struct ngx_realtime_msg_s  ngx_realtime_msg_t;

struct ngx_realtime_msg_s {
    uint64_t                   place;      /* in the history; 0: none */
    ngx_realtime_msg_t        *plain;      /* without the offset, once asked
                                              for; ours */
    ngx_realtime_msg_t        *deflated;   /* a reference; NULL: not tried;
                                              itself: it would not be smaller */
    ngx_realtime_due_t        *due;        /* NULL: nobody waits; ours */
    uint32_t                   refs;
    uint32_t                   len;        /* bytes of data, header included */
    uint8_t                    payload;    /* offset of the packet in data */
    unsigned                   dispensable:1;  /* volatile: dropped when slow */
    unsigned                   binary:1;       /* payload: an attachment */
    unsigned                   offset:1;       /* payload: ends with one */
    u_char                     data[];
};


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

/* a copy of due; NGX_ERROR: no memory */
ngx_int_t ngx_realtime_msg_set_due(ngx_realtime_msg_t *m,
    const ngx_realtime_due_t *due, ngx_log_t *log);

/*
 * "42" and [event,data], both given as JSON text: event is a bare name that
 * needs no escaping, data a JSON value.  To be published or sealed.
 */
ngx_realtime_msg_t *ngx_realtime_msg_event(const char *event,
    ngx_str_t *data, ngx_log_t *log);

/*
 * An event of len bytes of payload to be filled in, the last of them "]",
 * and after them, unless nobody here recovers, room for an offset.
 */
ngx_realtime_msg_t *ngx_realtime_msg_event_alloc(size_t len, ngx_log_t *log);

/* ,"0123456789A" before the "]": 64 bits, base64url */
#define NGX_REALTIME_OFFSET_LEN   11
#define NGX_REALTIME_OFFSET_TAIL  (NGX_REALTIME_OFFSET_LEN + 3)

void ngx_realtime_msg_seal(ngx_realtime_msg_t *m, uint64_t place);

/* the same event without its offset, or m itself; m's, not the caller's;
   NULL: no memory */
ngx_realtime_msg_t *ngx_realtime_msg_plain(ngx_realtime_msg_t *m,
    ngx_log_t *log);

/* what seal() wrote; NGX_ERROR: nothing of ours */
ngx_int_t ngx_realtime_msg_place(const u_char *offset, size_t len,
    uint64_t *place);


/* whether events have offsets: set once, in a starting worker */
extern ngx_uint_t  ngx_realtime_msg_offsets;


#endif /* _NGX_REALTIME_MSG_H_INCLUDED_ */
