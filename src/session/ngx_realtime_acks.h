
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Events that the clients acknowledge, to those who sent them from outside:
 * back ends (api/).
 *
 *   origin                              workers, this one among them
 *   EMIT  due, user, packet ------->    the sockets of the user
 *                           <-------    EMITTED  due, their sids
 *                                       a due on the list of each: 42<id>[..]
 *   one less to wait for    <-------    ACK  due, sid, [..]  <---- 43<id>[..]
 *   all of them, or too late: done
 *
 * A due is what a socket owes: which call, of which worker, under which id of
 * an ack, until when.  It is on the list of the socket from the moment that the
 * event goes to the client, and moves with the socket to other workers: see
 * ngx_realtime_owed.c.  An ack whose id is not on the list of the very socket
 * goes no further, so that a client can speak for itself only, and once.
 *
 * The origin (ngx_realtime_acks.c) keeps who got the event by sid and not by
 * number: a socket that is just moving is named by two workers.
 *
 * Nothing here is kept for those who come back: a socket that ends owes
 * nothing any more, and its origin hears so.
 */

#ifndef _NGX_REALTIME_ACKS_H_INCLUDED_
#define _NGX_REALTIME_ACKS_H_INCLUDED_


#include "ngx_realtime_session.h"


#define NGX_REALTIME_ACKS_TIMEOUT   30000  /* ms, at most */
#define NGX_REALTIME_ACKS_SOCKETS   1000   /* that a call waits for */
#define NGX_REALTIME_ACKS_ONE       65536  /* bytes of an ack */
#define NGX_REALTIME_ACKS_CALL      1048576    /* of those of a call */
#define NGX_REALTIME_ACKS_ALL       16777216   /* of those of a worker */


/* borrowed: it is copied before acks_emit() returns */

typedef struct {
    ngx_str_t                  user;
    ngx_str_t                  except;     /* a sid, or of length 0 */
    ngx_str_t                  event;      /* JSON */
    ngx_str_t                  args;       /* JSON, the inside of an array, or
                                              of length 0 */
    ngx_msec_t                 timeout;
    unsigned                   dispensable:1;
} ngx_realtime_acks_emit_t;


typedef struct {
    ngx_str_t                  list;       /* JSON, an array per ack and what is
                                              between them; borrowed until done
                                              returns */
    ngx_uint_t                 missing;    /* sockets */
    unsigned                   failed:1;   /* a worker did not answer */
} ngx_realtime_acked_t;

typedef void (*ngx_realtime_acks_pt)(void *data, ngx_realtime_acked_t *acked);


void ngx_realtime_acks_init(ngx_cycle_t *cycle);

/*
 * The event to all sockets of the user in the namespace "/", on all workers.
 * done is called once, after this has returned, unless *ref is cancelled.
 * NGX_BUSY: too many are waiting; NGX_ERROR: no memory; then nobody got it.
 */
ngx_int_t ngx_realtime_acks_emit(ngx_realtime_acks_emit_t *emit,
    ngx_realtime_acks_pt done, void *data, ngx_realtime_ref_t *ref);
void ngx_realtime_acks_cancel(ngx_realtime_ref_t ref);

/* the worker exits: what it waits for must not hold it up */
void ngx_realtime_acks_drain(void);


typedef enum {
    NGX_REALTIME_ACKS_ACK = 0,
    NGX_REALTIME_ACKS_NONE                 /* and there will not be one */
} ngx_realtime_acks_kind_e;

/* to the origin of the due, from the socket with this sid; text: an array */
void ngx_realtime_acks_tell(const ngx_realtime_due_t *due, u_char *sid,
    ngx_realtime_acks_kind_e kind, rt_str_t text);


/* what a socket owes, ngx_realtime_owed.c */

/*
 * m is about to go to the client; without a due of m this does nothing.
 * NGX_DECLINED: it is not to go, the socket owes too much already.
 */
ngx_int_t ngx_realtime_owed_note(ngx_realtime_socket_t *sk,
    ngx_realtime_msg_t *m);

/* the same for a message of a session that is moving between workers */
ngx_int_t ngx_realtime_owed_note_any(ngx_realtime_session_t *s,
    ngx_realtime_msg_t *m);

/* an ACK of the client, with so many attachments */
void ngx_realtime_owed_ack(ngx_realtime_socket_t *sk, rt_sio_packet_t *pkt,
    ngx_uint_t attachments);

/* the socket ends; gone: here, and not on another worker */
void ngx_realtime_owed_free(ngx_realtime_socket_t *sk, ngx_uint_t gone);

/* for a STATE: how many dues, and their bytes, one after the other */
ngx_uint_t ngx_realtime_owed_count(ngx_realtime_socket_t *sk);
u_char *ngx_realtime_owed_print(ngx_realtime_socket_t *sk, u_char *p);
/* NGX_ERROR: no memory, or there cannot be so many */
ngx_int_t ngx_realtime_owed_restore(ngx_realtime_socket_t *sk, u_char *p,
    ngx_uint_t n);


#endif /* _NGX_REALTIME_ACKS_H_INCLUDED_ */
