
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Polling requests.  Any worker takes any request of any session:
 *
 *   worker B                            worker A, which has the session
 *   GET or POST with sid -- POLL -->    transport/polling
 *   the request waits                   parks the GET, or deals with the POST
 *   the request is answered <-- ANSWER  when there is something to say
 *
 * The sid names A.  Where A is B itself, the same calls are made without the
 * bus.  A request whose worker A dies is answered within a second or two with
 * "Session ID unknown", upon which clients connect anew.
 *
 * One POST at a time, as at the reference server: if the body does not come
 * with the headers, A hears of it (UPLOAD) before it is there.
 */

#ifndef _NGX_REALTIME_POLL_H_INCLUDED_
#define _NGX_REALTIME_POLL_H_INCLUDED_


#include "ngx_realtime_bus.h"
#include "ngx_realtime_polling.h"
#include "ngx_realtime_session.h"


/* what is asked of the worker that has the session */

typedef enum {
    NGX_REALTIME_POLL_GET = 0,
    NGX_REALTIME_POLL_POST,                /* with the body */
    NGX_REALTIME_POLL_CLOSE,               /* a POST of a Close, and no more;
                                              LATER if no GET is parked */
    NGX_REALTIME_POLL_UPLOAD,              /* a POST whose body is to come */
    NGX_REALTIME_POLL_DROP,                /* it came to nothing */
    NGX_REALTIME_POLL_ABORT,               /* the client of a GET, or of an
                                              UPLOAD, is gone */
    NGX_REALTIME_POLL_PROBE,               /* may a WebSocket take over? */
    NGX_REALTIME_POLL_HOLD,                /* it was probed: release the GET */
    NGX_REALTIME_POLL_RELEASE,             /* it failed: go on polling */
    NGX_REALTIME_POLL_TAKE,                /* it takes over: give me all */
    NGX_REALTIME_POLL_JOINED,              /* it sits in the rooms: cursors */
    NGX_REALTIME_POLL_GONE                 /* what came of it is over */
} ngx_realtime_poll_op_e;


/* a request on the bus; the body follows */

typedef struct {
    uint32_t                   op;
    ngx_realtime_ref_t         waiter;     /* at the asking worker */
    uint64_t                   owner;      /* generation of its slot */
    u_char                     sid[NGX_REALTIME_SID_LEN];
} ngx_realtime_poll_head_t;


ngx_int_t ngx_realtime_poll_init(ngx_cycle_t *cycle);

/* content of a request with transport=polling; sid NULL: a handshake, which
   identity is for (user.len 0: no token yet) */
ngx_int_t ngx_realtime_poll_handler(ngx_http_request_t *r, ngx_str_t *sid,
    ngx_realtime_identity_t *identity);

/*
 * Asks the worker that has the session; the answer comes to the waiter.
 * NGX_DECLINED: there is no such worker any more.
 */
ngx_int_t ngx_realtime_poll_ask(ngx_str_t *sid, ngx_realtime_poll_op_e op,
    ngx_realtime_ref_t waiter, u_char *body, size_t len);

/* an answer to the waiter, in whatever worker it is */
void ngx_realtime_poll_answer(const ngx_realtime_waiter_t *waiter,
    ngx_realtime_poll_e kind, u_char *body, size_t len);

/* upgrade/'s part of the requests, in the worker that has the session of sid;
   s may be NULL */
void ngx_realtime_upgrade_request(ngx_realtime_session_t *s, u_char *sid,
    ngx_realtime_poll_op_e op, const ngx_realtime_waiter_t *waiter,
    u_char *body, size_t len);


#endif /* _NGX_REALTIME_POLL_H_INCLUDED_ */
