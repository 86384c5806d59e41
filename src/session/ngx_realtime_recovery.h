
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Connection state recovery (Socket.IO 4.6): a socket whose connection broke
 * comes back with the same id, and with what it missed, on whatever worker.
 * See ngx_realtime_recovery.c for how.
 */

#ifndef _NGX_REALTIME_RECOVERY_H_INCLUDED_
#define _NGX_REALTIME_RECOVERY_H_INCLUDED_


#include "ngx_realtime_out.h"
#include "ngx_realtime_session.h"
#include "ngx_realtime_zone.h"


/* 15 bytes as base64url: which record, and a secret */
#define NGX_REALTIME_PID_LEN  20


/* zone part, see ngx_realtime_zone.h */
ngx_int_t ngx_realtime_recovery_create(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log);

/* in a worker that has its slot; offsets: whether any location recovers */
ngx_int_t ngx_realtime_recovery_init(ngx_cycle_t *cycle, ngx_uint_t offsets);

/* no worker has the slot any more; called with the slab mutex held */
void ngx_realtime_recovery_forget_slot(ngx_uint_t slot);

/* a record for sk, which sits in its room already; without one (the zone is
   full, the location does not recover) it has no pid and gets no offsets */
void ngx_realtime_recovery_begin(ngx_realtime_socket_t *sk);

/* writes NGX_REALTIME_PID_LEN bytes; returns what is behind them */
u_char *ngx_realtime_recovery_pid(ngx_realtime_socket_t *sk, u_char *p);

/*
 * m is about to go to the client: NGX_OK; NGX_DECLINED: not to, it has m
 * already, or it is somebody else's client now.
 */
ngx_int_t ngx_realtime_recovery_note(ngx_realtime_socket_t *sk,
    ngx_realtime_msg_t *m);

/* the same for a message of a session that is moving between workers */
ngx_int_t ngx_realtime_recovery_note_any(ngx_realtime_session_t *s,
    ngx_realtime_msg_t *m);

/*
 * Whether what its room has for sk, and the bus has just brought, was on the
 * chain when it came back, and so it had or was sent it then.
 */
ngx_uint_t ngx_realtime_recovery_is_early(ngx_realtime_socket_t *sk);

/* where the rings were when sk came back, which is noted if some were not read
   that far; NGX_ERROR: no memory */
ngx_int_t ngx_realtime_recovery_rings(ngx_realtime_socket_t *sk,
    uint64_t *heads);

/* the socket ends: it may come back, or not */
void ngx_realtime_recovery_detach(ngx_realtime_socket_t *sk);
void ngx_realtime_recovery_end(ngx_realtime_socket_t *sk);

/* those of a user who are away do not come back */
void ngx_realtime_recovery_forget_user(ngx_str_t *user);

/*
 * A session that moves to another worker: the client is as if away, until it
 * is there.  The record's number goes along, 0: none, with sk->owner.
 * NGX_DECLINED: it has come back somewhere else meanwhile.
 */
void ngx_realtime_recovery_leave(ngx_realtime_socket_t *sk);
uint32_t ngx_realtime_recovery_number(ngx_realtime_socket_t *sk);
ngx_int_t ngx_realtime_recovery_adopt(ngx_realtime_socket_t *sk,
    uint32_t number, uint64_t owner);

/*
 * A CONNECT with a pid and perhaps an offset, of a user whose token has just
 * been checked.  The socket as it was, in its room again, and in missed what
 * it has to be sent after the answer; NULL: it starts anew, why says why.
 */
ngx_realtime_socket_t *ngx_realtime_recovery_resume(
    ngx_realtime_session_t *s, ngx_str_t *nsp, ngx_realtime_identity_t *id,
    ngx_str_t *pid, ngx_str_t *offset, ngx_realtime_out_t *missed,
    const char **why);


#endif /* _NGX_REALTIME_RECOVERY_H_INCLUDED_ */
