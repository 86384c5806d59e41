
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * An Engine.IO session and the Socket.IO socket in it.
 *
 *   transport --packet--> session --event--> api/ (through ops)
 *   room      --deliver-> socket  --send---> transport
 *
 * A session has a secret id (knowing it is being it) and a transport; a
 * socket has a public id and an identity.  A session without a socket is
 * allowed only for connect_timeout.
 *
 * Who must remember a socket across a wait (Postgres, the bus) remembers its
 * ngx_realtime_ref_t and looks it up again: a socket that is gone is a normal
 * outcome.
 */

#ifndef _NGX_REALTIME_SESSION_H_INCLUDED_
#define _NGX_REALTIME_SESSION_H_INCLUDED_


#include "ngx_realtime.h"
#include "ngx_realtime_age.h"
#include "ngx_realtime_auth.h"
#include "ngx_realtime_msg.h"
#include "ngx_realtime_room.h"
#include "ngx_realtime_transport.h"
#include "rt_sio.h"

#include <jansson.h>


typedef struct ngx_realtime_session_s  ngx_realtime_session_t;
typedef struct ngx_realtime_socket_s   ngx_realtime_socket_t;


typedef struct {
    uint32_t                   index;
    uint32_t                   generation; /* 0: no socket has it */
} ngx_realtime_ref_t;


struct ngx_realtime_session_s {
    ngx_realtime_transport_t  *transport;  /* NULL: closed, about to go */
    ngx_realtime_loc_conf_t   *conf;       /* lives as long as the cycle */
    ngx_realtime_socket_t     *socket;     /* of "/"; NULL before CONNECT */
    ngx_queue_t                queue;      /* of the worker's sessions */

    ngx_realtime_age_t         age;        /* nearest of the following */
    ngx_msec_t                 ping_at;    /* next ping */
    ngx_msec_t                 pong_by;    /* valid if "pinged" */
    ngx_msec_t                 connect_by; /* valid if there is no socket */

    ngx_str_t                  user;       /* named by a token in the header
                                              or cookie; len 0: none */
    time_t                     expires;    /* of that token */

    unsigned                   pinged:1;   /* a pong is due */
    unsigned                   drain:1;    /* the worker exits: close at
                                              connect_by */

    u_char                     sid[NGX_REALTIME_SID_LEN];
};


struct ngx_realtime_socket_s {
    ngx_realtime_session_t    *session;
    ngx_realtime_ref_t         ref;
    ngx_realtime_seat_t        seat;       /* in user:<id> */
    ngx_realtime_identity_t    identity;   /* user points behind the struct */
    ngx_str_t                  id;         /* points to sid */
    u_char                     sid[NGX_REALTIME_SID_LEN];
};


/*
 * What api/ does with a socket.  event: args is the whole array (args[0] is
 * the name, a string or a number), borrowed; has_id with id when the client
 * wants an ack.
 */

typedef struct {
    void (*connected)(ngx_realtime_socket_t *sk);
    void (*event)(ngx_realtime_socket_t *sk, json_t *args, unsigned has_id,
        uint64_t id);
} ngx_realtime_session_ops_t;


/* per worker */
ngx_int_t ngx_realtime_session_init(ngx_cycle_t *cycle,
    const ngx_realtime_session_ops_t *ops);

/* a new session on t; user and expires as in the struct.  NULL: no memory */
ngx_realtime_session_t *ngx_realtime_session_create(
    ngx_realtime_transport_t *t, ngx_realtime_loc_conf_t *conf,
    ngx_str_t *user, time_t expires);

/* closes and frees; reason is for the log; code is a WebSocket close code */
void ngx_realtime_session_close(ngx_realtime_session_t *s, ngx_uint_t code,
    const char *reason);

/* the client broke the protocol: one line, one counter, close */
void ngx_realtime_session_refuse(ngx_realtime_session_t *s, const char *why);

/* every session of this worker, at once: records were lost on the bus */
void ngx_realtime_session_close_all(void);

/* arms the session's one ageing entry for its nearest deadline */
void ngx_realtime_session_rearm(ngx_realtime_session_t *s);

/* 15 random bytes as 20 characters; NGX_ERROR: no randomness */
ngx_int_t ngx_realtime_session_id(u_char *sid);


/* Socket.IO, ngx_realtime_socket.c */

ngx_int_t ngx_realtime_socket_init(ngx_cycle_t *cycle,
    const ngx_realtime_session_ops_t *ops);

/* one Engine.IO message; may close s: the caller looks at nothing after */
void ngx_realtime_socket_packet(ngx_realtime_session_t *s, u_char *data,
    size_t len);
void ngx_realtime_socket_destroy(ngx_realtime_socket_t *sk);

/* NULL: gone */
ngx_realtime_socket_t *ngx_realtime_socket_find(ngx_realtime_ref_t ref);

void ngx_realtime_socket_send(ngx_realtime_socket_t *sk,
    ngx_realtime_msg_t *m);
/* "42" with ["event",data]; data is JSON */
void ngx_realtime_socket_emit(ngx_realtime_socket_t *sk, const char *event,
    ngx_str_t *data);
/* "43<id>" with [arg]; arg is JSON */
void ngx_realtime_socket_ack(ngx_realtime_socket_t *sk, uint64_t id,
    ngx_str_t *arg);


#endif /* _NGX_REALTIME_SESSION_H_INCLUDED_ */
