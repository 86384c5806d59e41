
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * An Engine.IO session and the Socket.IO sockets in it, one per namespace.
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
#include "ngx_realtime_polling.h"
#include "ngx_realtime_room.h"
#include "ngx_realtime_table.h"
#include "ngx_realtime_transport.h"
#include "rt_sio.h"

#include <jansson.h>


typedef struct ngx_realtime_session_s  ngx_realtime_session_t;
typedef struct ngx_realtime_socket_s   ngx_realtime_socket_t;
typedef struct ngx_realtime_detour_s   ngx_realtime_detour_t;
typedef struct ngx_realtime_pending_s  ngx_realtime_pending_t;
typedef struct ngx_realtime_record_s   ngx_realtime_record_t;
typedef struct ngx_realtime_news_s     ngx_realtime_news_t;
typedef struct ngx_realtime_owed_s     ngx_realtime_owed_t;


struct ngx_realtime_session_s {
    ngx_realtime_transport_t  *transport;  /* NULL only if detour says so */
    ngx_realtime_loc_conf_t   *conf;       /* lives as long as the cycle */
    ngx_log_t                 *log;        /* of the cycle */
    ngx_queue_t                sockets;    /* of ngx_realtime_socket_t */
    ngx_queue_t                queue;      /* of the worker's sessions */
    ngx_realtime_ref_t         ref;

    ngx_realtime_age_t         age;        /* nearest of the following */
    ngx_msec_t                 ping_at;    /* next ping */
    ngx_msec_t                 pong_by;    /* valid if "pinged" */
    ngx_msec_t                 connect_by; /* valid without sockets */
    ngx_msec_t                 drain_at;   /* valid if "drain": leave, then
                                              if "left": be gone */

    ngx_str_t                  user;       /* named by a token in the header
                                              or cookie; len 0: none */
    time_t                     expires;    /* of that token, as the next two */
    time_t                     issued;
    u_char                     jti[NGX_REALTIME_JTI_LEN];

    ngx_realtime_pending_t    *pending;    /* a packet whose attachments are
                                              still to come */
    ngx_realtime_detour_t     *detour;     /* moving to or from another
                                              worker, or NULL */

    ngx_realtime_waiter_t      probing;    /* the WebSocket that may take over;
                                              generation 0: none */

    uint16_t                   place;      /* of its location */
    unsigned                   pinged:1;   /* a pong is due */
    unsigned                   drain:1;    /* the worker exits */
    unsigned                   left:1;     /* the client is told to go */
    unsigned                   notifies:1; /* that token has a role that may */
    unsigned                   moved:1;    /* from another worker */
    unsigned                   kicked:1;   /* told to go, and not heard any
                                              more */

    u_char                     sid[NGX_REALTIME_SID_LEN];
    u_char                     old_sid[NGX_REALTIME_SID_LEN];
                                           /* there; valid if "moved" */
};


struct ngx_realtime_socket_s {
    ngx_queue_t                queue;      /* session->sockets */
    ngx_realtime_session_t    *session;
    ngx_realtime_ref_t         ref;
    ngx_realtime_seat_t        seat;       /* in the user's room */
    ngx_str_t                  nsp;        /* the configuration's; "/" */
    ngx_realtime_identity_t    identity;   /* user points behind the struct */
    ngx_str_t                  id;         /* points to sid */
    ngx_realtime_record_t     *record;     /* in the zone, of recovery; NULL:
                                              it cannot come back */
    uint64_t                   owner;      /* of the record, when it was ours */
    time_t                     recheck;    /* zone time: until then events may
                                              come that it has already; or 0 */
    uint64_t                  *heads;      /* per slot, where its ring was when
                                              it came back; NULL: all until
                                              there has been read */
    ngx_msec_t                 lead;       /* of the warning before an expiry;
                                              0: none */
    time_t                     warned;     /* of this expiry; 0: of none */
    ngx_realtime_news_t       *news;       /* api's: what it was given when it
                                              came; NULL: no matter */
    ngx_realtime_owed_t       *owed;       /* acks that it was asked for; NULL:
                                              none */
    uint32_t                   presence;   /* its user's place; 0: none */
    ngx_queue_t                people;     /* of ngx_realtime_people.c; valid
                                              if "here" */
    uint64_t                   since;      /* ms, wall clock: CONNECT */
    unsigned                   here:1;     /* this worker's, and no other's */
    u_char                     sid[NGX_REALTIME_SID_LEN];
};


/*
 * An event of a client.  All of it is borrowed until the call returns, and
 * its JSON may be unescaped in place.
 */

typedef struct {
    rt_str_t                   name;       /* unescaped; data NULL: a number */
    rt_str_t                   args;       /* the array, JSON */
    ngx_str_t                 *attachments;
    ngx_uint_t                 nattachments;
    uint64_t                   id;         /* of the ack, if has_id */
    unsigned                   has_id:1;
} ngx_realtime_in_t;


/* what api/ does with a socket; auth is the object of CONNECT, len 0: none */

typedef struct {
    void (*connected)(ngx_realtime_socket_t *sk, rt_str_t auth);
    void (*event)(ngx_realtime_socket_t *sk, ngx_realtime_in_t *in);
    /* what its room has for it is to go, also after a recovery; 1: not to,
       it has that already (of what recovery gives this is not asked) */
    ngx_uint_t (*delivered)(ngx_realtime_socket_t *sk, ngx_realtime_msg_t *m);
    /* it ends, or is another worker's from now on */
    void (*disconnected)(ngx_realtime_socket_t *sk);
} ngx_realtime_session_ops_t;


/* per worker */
ngx_int_t ngx_realtime_session_init(ngx_cycle_t *cycle,
    const ngx_realtime_session_ops_t *ops);

/*
 * A new session on t with a fresh sid; id: of the handshake's token, user of
 * length 0: there was none; place: that of its location, or anything if the
 * client never hears the sid.  NULL: no memory.
 */
ngx_realtime_session_t *ngx_realtime_session_create(
    ngx_realtime_transport_t *t, ngx_realtime_loc_conf_t *conf,
    uint16_t place, ngx_realtime_identity_t *id);

/* says OPEN to the client */
void ngx_realtime_session_open(ngx_realtime_session_t *s,
    ngx_uint_t upgrades);

/* closes and frees; reason is for the log; code is a WebSocket close code */
void ngx_realtime_session_close(ngx_realtime_session_t *s, ngx_uint_t code,
    const char *reason);

/* frees without a word to the transport */
void ngx_realtime_session_free(ngx_realtime_session_t *s,
    const char *reason);

/* from now on t carries the session */
void ngx_realtime_session_attach(ngx_realtime_session_t *s,
    ngx_realtime_transport_t *t);

/*
 * As disconnectSockets(true) of Socket.IO: each of its sockets is told to go
 * and cannot be recovered, then the connection is closed.  Returns how many
 * there were.  s is gone, or will be, and hears nothing any more.
 */
ngx_uint_t ngx_realtime_session_kick(ngx_realtime_session_t *s,
    const char *reason);

/* the client broke the protocol: one line, one counter, close */
void ngx_realtime_session_refuse(ngx_realtime_session_t *s, const char *why);

/* every session of this worker, at once: records were lost on the bus */
void ngx_realtime_session_close_all(void);

/* ms that something may take: delay, or less if the worker exits before */
ngx_msec_t ngx_realtime_session_within(ngx_msec_int_t delay);

/* arms the session's one ageing entry for its nearest deadline */
void ngx_realtime_session_rearm(ngx_realtime_session_t *s);

/* by its reference, or by its sid; NULL: gone */
ngx_realtime_session_t *ngx_realtime_session_find(ngx_realtime_ref_t ref);
ngx_realtime_session_t *ngx_realtime_session_by_sid(const u_char *sid);

/*
 * The sid of a session tells which slot made it, so that whichever worker
 * gets a request knows whom to ask: NGX_ERROR if it is no sid of ours.
 */
ngx_int_t ngx_realtime_session_slot(ngx_str_t *sid, ngx_uint_t *slot);

/*
 * It tells the location as well: what checked the client there, keys and
 * "allow", did not check him for another one.  NGX_ERROR: not this one.
 */
uint16_t ngx_realtime_session_place(ngx_http_request_t *r);
ngx_int_t ngx_realtime_session_here(ngx_str_t *sid, ngx_http_request_t *r);

/* 15 random bytes as 20 characters; NGX_ERROR: no randomness */
ngx_int_t ngx_realtime_session_random(u_char *sid, ngx_log_t *log);

/* for what is said about the client: its connection's, while it has one */
ngx_log_t *ngx_realtime_session_log(ngx_realtime_session_t *s);

/* the first socket's user and id for a line in the log, or NULL */
ngx_str_t *ngx_realtime_session_user(ngx_realtime_session_t *s);
ngx_str_t *ngx_realtime_session_socket_id(ngx_realtime_session_t *s);


/* Socket.IO, ngx_realtime_socket.c */

ngx_int_t ngx_realtime_socket_init(ngx_cycle_t *cycle,
    const ngx_realtime_session_ops_t *ops);

/* one Engine.IO message, or the bytes of an attachment; may close s: the
   caller looks at nothing after */
void ngx_realtime_socket_packet(ngx_realtime_session_t *s, u_char *data,
    size_t len);
void ngx_realtime_socket_attachment(ngx_realtime_session_t *s, u_char *data,
    size_t len);
void ngx_realtime_socket_forget_pending(ngx_realtime_session_t *s);

/* id is copied; sid NULL: a fresh one.  NULL: no memory */
ngx_realtime_socket_t *ngx_realtime_socket_create(ngx_realtime_session_t *s,
    ngx_str_t *nsp, ngx_realtime_identity_t *id, u_char *sid);
void ngx_realtime_socket_destroy(ngx_realtime_socket_t *sk);

/* DISCONNECT, past whatever detour its session is on */
void ngx_realtime_socket_dismiss(ngx_realtime_socket_t *sk);

/* NULL: gone, or not joined */
ngx_realtime_socket_t *ngx_realtime_socket_find(ngx_realtime_ref_t ref);
ngx_realtime_socket_t *ngx_realtime_socket_of(ngx_realtime_session_t *s,
    const u_char *nsp, size_t len);

/* the configuration's name, which outlives a packet; NULL: unknown here */
ngx_str_t *ngx_realtime_socket_namespace(ngx_realtime_session_t *s,
    rt_str_t nsp);

/* realtime_namespaces /NAME ... */
char *ngx_realtime_socket_namespaces(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* the room in which it sits; buf has NGX_REALTIME_SOCKET_ROOM_MAX bytes;
   NGX_ERROR: no user has an id so long */
#define NGX_REALTIME_SOCKET_ROOM_MAX                                          \
    (NGX_REALTIME_ROOM_USER_MAX + RT_SIO_NSP_MAX + 1)

ngx_int_t ngx_realtime_socket_room(ngx_realtime_socket_t *sk,
    ngx_str_t *room, u_char *buf);

/* CONNECT, ngx_realtime_connect.c */
void ngx_realtime_socket_connect(ngx_realtime_session_t *s,
    rt_sio_packet_t *pkt);
void ngx_realtime_socket_connected(ngx_realtime_socket_t *sk, rt_str_t auth);
ngx_uint_t ngx_realtime_socket_delivered(ngx_realtime_socket_t *sk,
    ngx_realtime_msg_t *m);

/* the sockets of a session that moves: to this worker, or from it */
void ngx_realtime_socket_arrive(ngx_realtime_session_t *s);
void ngx_realtime_socket_leave(ngx_realtime_session_t *s);

/* what its room, or who else sends to all sockets of a user, has for it */
void ngx_realtime_socket_deliver(void *member, ngx_realtime_msg_t *m);

/* one packet of Engine.IO, to this client wherever its session is now */
void ngx_realtime_socket_send(ngx_realtime_socket_t *sk,
    ngx_realtime_msg_t *m);
/* ["event",data]; data is JSON */
void ngx_realtime_socket_emit(ngx_realtime_socket_t *sk, const char *event,
    ngx_str_t *data);
/* the same, but nobody wants it after the connection broke */
void ngx_realtime_socket_emit_volatile(ngx_realtime_socket_t *sk,
    const char *event, ngx_str_t *data);
/* the answer to in->id; args is the inside of an array, JSON; attachments
   follow it when there are any */
void ngx_realtime_socket_ack(ngx_realtime_socket_t *sk, uint64_t id,
    ngx_str_t *args, ngx_str_t *attachments, ngx_uint_t n);
/* an event whose arguments are the inside of an array, name included */
void ngx_realtime_socket_emit_args(ngx_realtime_socket_t *sk, ngx_str_t *args,
    ngx_str_t *attachments, ngx_uint_t n);


/* a packet that the session's client is to get, from a room or its own */
void ngx_realtime_detour_deliver(ngx_realtime_session_t *s,
    ngx_realtime_msg_t *m, ngx_uint_t from_room);
void ngx_realtime_detour_free(ngx_realtime_session_t *s);
ngx_uint_t ngx_realtime_detour_is_ghost(ngx_realtime_session_t *s);

/* to whoever waits for the session: it is over, and in no table any more */
void ngx_realtime_detour_tell_end(ngx_realtime_session_t *s);

/* polls on if the worker of the WebSocket that may take over has died */
void ngx_realtime_detour_check_probing(ngx_realtime_session_t *s);


#endif /* _NGX_REALTIME_SESSION_H_INCLUDED_ */
