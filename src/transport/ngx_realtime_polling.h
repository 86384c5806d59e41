
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * HTTP long-polling, the end at which the session is.
 *
 * It has no connection: requests land on any worker, and who waits for an
 * answer is a ngx_realtime_waiter_t that session/ knows how to reach.  At most
 * one GET is parked here; what is sent while none is waits in the out queue.
 */

#ifndef _NGX_REALTIME_POLLING_H_INCLUDED_
#define _NGX_REALTIME_POLLING_H_INCLUDED_


#include "ngx_realtime_out.h"
#include "ngx_realtime_transport.h"


typedef struct {
    uint32_t                   slot;       /* worker that has the request */
    uint32_t                   index;      /* its reference there */
    uint64_t                   generation; /* 0: nobody waits */
    uint64_t                   owner;      /* generation of the slot: a worker
                                              may die and be replaced */
} ngx_realtime_waiter_t;


#define ngx_realtime_waiter_is(a, b)                                          \
    ((a)->generation == (b)->generation && (a)->index == (b)->index           \
     && (a)->slot == (b)->slot && (a)->owner == (b)->owner)


/* what a request is answered with */

typedef enum {
    NGX_REALTIME_POLL_PAYLOAD = 0,         /* 200, text/plain, the body */
    NGX_REALTIME_POLL_OK,                  /* 200, text/html, "ok" */
    NGX_REALTIME_POLL_BAD,                 /* 400, no body */
    NGX_REALTIME_POLL_ERROR,               /* 400, JSON; body[0]: its code */
    NGX_REALTIME_POLL_LATER                /* none yet: ask once more */
} ngx_realtime_poll_e;


typedef void (*ngx_realtime_polling_answer_pt)(
    const ngx_realtime_waiter_t *waiter, ngx_realtime_poll_e kind,
    u_char *body, size_t len);


/* per worker */
void ngx_realtime_polling_init(ngx_cycle_t *cycle,
    ngx_realtime_polling_answer_pt answer);

/* NULL: no memory */
ngx_realtime_transport_t *ngx_realtime_polling_create(size_t send_limit,
    ngx_log_t *log);

ngx_uint_t ngx_realtime_polling_is(ngx_realtime_transport_t *t);

/* a parked GET is answered now, if it can be, and not at the end of the turn */
void ngx_realtime_polling_push(ngx_realtime_transport_t *t);

/* does a GET wait? */
ngx_uint_t ngx_realtime_polling_parked(ngx_realtime_transport_t *t);

/*
 * A GET: answered at once if something is queued, parked if not.  NGX_BUSY:
 * another one is parked; the waiter is answered with BAD, the other one with
 * the Close packet, and the caller ends the session.
 */
ngx_int_t ngx_realtime_polling_get(ngx_realtime_transport_t *t,
    const ngx_realtime_waiter_t *waiter);

/*
 * A POST whose body is on its way, or, if done, is there or will not come.
 * NGX_BUSY: another one is on its way, which engine.io does not allow.
 */
ngx_int_t ngx_realtime_polling_upload(ngx_realtime_transport_t *t,
    const ngx_realtime_waiter_t *waiter, ngx_uint_t done);

/* the client of a parked GET, or of a POST on its way, went away: NGX_OK if
   it was this one */
ngx_int_t ngx_realtime_polling_abort(ngx_realtime_transport_t *t,
    const ngx_realtime_waiter_t *waiter);

/* an upgrade is under way: GETs are answered with NOOP, the parked one now,
   and what is sent stays in the queue; or it failed */
void ngx_realtime_polling_hold(ngx_realtime_transport_t *t, ngx_uint_t hold);

/* the upgrade is done: what is queued goes to out in order, t is freed */
void ngx_realtime_polling_hand_over(ngx_realtime_transport_t *t,
    ngx_realtime_out_t *out, ngx_log_t *log);


#endif /* _NGX_REALTIME_POLLING_H_INCLUDED_ */
