
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * A session on its way from one worker to another: see
 * ngx_realtime_detour.c for what is exact about it.
 */

#ifndef _NGX_REALTIME_DETOUR_H_INCLUDED_
#define _NGX_REALTIME_DETOUR_H_INCLUDED_


#include "ngx_realtime_out.h"
#include "ngx_realtime_poll.h"


/* what the worker that has, or had, the session says to the other one */

typedef enum {
    /* to a probe */
    NGX_REALTIME_DETOUR_ALLOWED = 0,
    NGX_REALTIME_DETOUR_REFUSED,           /* with code */
    NGX_REALTIME_DETOUR_STATE,             /* the session, in the body */
    NGX_REALTIME_DETOUR_ENDED,             /* it is over, whatever you try */

    /* to the session that came of it, by the ref of JOINED */
    NGX_REALTIME_DETOUR_FORWARD,           /* a packet, in the body */
    NGX_REALTIME_DETOUR_END                /* you have all that you missed */
} ngx_realtime_detour_e;


typedef struct {
    ngx_realtime_ref_t         to;
    uint32_t                   kind;
    uint32_t                   code;       /* REFUSED: of Engine.IO; FORWARD:
                                              1 for an attachment */
    uint64_t                   place;      /* FORWARD: in the history, or 0 */
    ngx_realtime_due_t         due;        /* FORWARD: of call 0: none */
} ngx_realtime_detour_head_t;


/* per worker */
void ngx_realtime_detour_init(ngx_cycle_t *cycle);

/* to a waiter on whatever worker */
void ngx_realtime_upgrade_tell(const ngx_realtime_waiter_t *waiter,
    ngx_realtime_detour_head_t *head, u_char *body, size_t len);

/* FORWARD and END */
void ngx_realtime_detour_receive(ngx_uint_t from,
    ngx_realtime_detour_head_t *head, u_char *data, size_t len);

/* the session of STATE, on t; joins its rooms and says so to the worker that
   made sid.  NULL: no memory, or a STATE that makes no sense */
ngx_realtime_session_t *ngx_realtime_detour_restore(
    ngx_realtime_transport_t *t, ngx_realtime_loc_conf_t *conf, u_char *sid,
    u_char *data, size_t len);

/* sends what is in out, which is empty then */
void ngx_realtime_detour_send_out(ngx_realtime_session_t *s,
    ngx_realtime_out_t *out);

/* after an upgrade the heartbeat begins anew */
void ngx_realtime_detour_settle(ngx_realtime_session_t *s);


#endif /* _NGX_REALTIME_DETOUR_H_INCLUDED_ */
