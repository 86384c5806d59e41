
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The sockets of a user, for those who manage him and not what he is sent:
 * back ends (api/) that look, disconnect and revoke.  In all namespaces and
 * on all workers: see ngx_realtime_people.c for this one, and
 * ngx_realtime_ask.c for how the others are asked.
 */

#ifndef _NGX_REALTIME_PEOPLE_H_INCLUDED_
#define _NGX_REALTIME_PEOPLE_H_INCLUDED_


#include "ngx_realtime_revoke.h"
#include "ngx_realtime_session.h"


#define NGX_REALTIME_PEOPLE_LIST    1000   /* connections in an answer */


/* per worker */
ngx_int_t ngx_realtime_people_init(ngx_cycle_t *cycle);

/* ms, wall clock */
uint64_t ngx_realtime_people_now(void);

/* the same user: a UUID is so in either case of its letters */
ngx_uint_t ngx_realtime_people_same(ngx_str_t *one, ngx_str_t *other);

/* a socket is this worker's, or not any more */
void ngx_realtime_people_add(ngx_realtime_socket_t *sk);
void ngx_realtime_people_remove(ngx_realtime_socket_t *sk);

/* of a session that has moved, once this worker has read what the other one
   had read before it: until then it has to be found here */
void ngx_realtime_people_remove_all(ngx_realtime_session_t *s);

/* the one of his that comes after sk, the first one after NULL; or NULL.  A
   session that is a ghost still has its sockets */
ngx_realtime_socket_t *ngx_realtime_people_next(ngx_str_t *user,
    ngx_realtime_socket_t *sk);

/*
 * His sockets here, up to NGX_REALTIME_PEOPLE_LIST, one after the other: sid,
 * a uint16_t, and as many bytes of JSON.  Returns how many bytes there are;
 * buf NULL: how many there would be.
 */
size_t ngx_realtime_people_print(ngx_str_t *user, u_char *buf);

/*
 * Disconnects them.  Returns how many; again: a session of his is just moving
 * to another worker, which has to be told by a record that comes after it.
 */
ngx_uint_t ngx_realtime_people_kick(ngx_str_t *user, const char *reason,
    ngx_uint_t *again);

/* closes what has a token that is void now: here, and on all workers */
void ngx_realtime_people_revoke(ngx_realtime_revoke_t *revoke);

/* the same for a session that came from another worker */
void ngx_realtime_people_recheck(ngx_realtime_session_t *s);


/*
 * All workers: ngx_realtime_ask.c
 */

typedef enum {
    NGX_REALTIME_ASK_LOOK = 0,             /* his sockets */
    NGX_REALTIME_ASK_KICK,                 /* disconnect them */
    NGX_REALTIME_ASK_KICK_MOVED            /* nobody waits for an answer */
} ngx_realtime_ask_e;


typedef struct {
    ngx_uint_t                 n;          /* sockets */
    ngx_str_t                  list;       /* LOOK: JSON, between [ and ];
                                              borrowed until done returns */
    unsigned                   failed:1;   /* a worker did not answer */
} ngx_realtime_asked_t;

typedef void (*ngx_realtime_ask_pt)(void *data, ngx_realtime_asked_t *asked);


void ngx_realtime_ask_init(void);

/*
 * done is called once, perhaps before this returns.  reason: of KICK, for the
 * log.  NGX_BUSY: too many are waiting; NGX_ERROR: no memory; then it is not
 * called.
 */
ngx_int_t ngx_realtime_ask(ngx_realtime_ask_e what, ngx_str_t *user,
    ngx_str_t *reason, ngx_realtime_ask_pt done, void *data);


#endif /* _NGX_REALTIME_PEOPLE_H_INCLUDED_ */
