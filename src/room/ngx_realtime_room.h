
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Who is where.  A room is a name; its members are local to a worker, and
 * the zone knows only which workers have any: see ngx_realtime_room.c for the
 * directory and its proof.
 *
 * room/ does not know what a member is: session/ registers how to give it a
 * message.
 */

#ifndef _NGX_REALTIME_ROOM_H_INCLUDED_
#define _NGX_REALTIME_ROOM_H_INCLUDED_


#include "ngx_realtime.h"
#include "ngx_realtime_msg.h"


typedef struct ngx_realtime_room_s    ngx_realtime_room_t;

/* a seat: one member in one room; the member embeds or allocates it */

typedef struct {
    ngx_queue_t                queue;      /* room->seats */
    ngx_realtime_room_t       *room;       /* NULL: not seated */
    void                      *member;
} ngx_realtime_seat_t;


typedef struct {
    /* the sid that "except" is compared with */
    ngx_str_t *(*sid)(void *member);
    void (*deliver)(void *member, ngx_realtime_msg_t *m);
    /* whether ngx_realtime_room_expect() has counted it */
    ngx_uint_t (*expected)(void *member);
} ngx_realtime_room_ops_t;


ngx_int_t ngx_realtime_room_init(ngx_cycle_t *cycle,
    ngx_realtime_room_ops_t *ops);

/* NGX_OK, NGX_ERROR (no memory) */
ngx_int_t ngx_realtime_room_join(ngx_realtime_seat_t *seat, ngx_str_t *name,
    void *member);
void ngx_realtime_room_leave(ngx_realtime_seat_t *seat);

/*
 * Gives m to every member of the room on every worker, but not to the socket
 * whose sid is except (NULL: none), and keeps it for those who come back.  The
 * caller keeps its reference.  An event is published once, to one room: that
 * seals it.
 */
void ngx_realtime_room_publish(ngx_str_t *name, ngx_str_t *except,
    ngx_realtime_msg_t *m);

/*
 * The room that every socket of a user is in: "user:<id>".  Postgres knows
 * UUIDs in lower case only, tokens may have them in any: the room of a UUID is
 * the lower-case one.  buf has room for NGX_REALTIME_ROOM_USER_MAX bytes;
 * NGX_ERROR: no user has an id so long.
 */
#define NGX_REALTIME_ROOM_USER      "user:"
#define NGX_REALTIME_ROOM_USER_MAX                                            \
    (sizeof(NGX_REALTIME_ROOM_USER) - 1 + NGX_REALTIME_USER_MAX)

ngx_int_t ngx_realtime_room_of_user(ngx_str_t *name, u_char *buf,
    ngx_str_t *user);

void ngx_realtime_room_publish_user(ngx_str_t *user, ngx_str_t *except,
    ngx_realtime_msg_t *m);

/* to many users, each named once: kept once, and sent to a worker once */
void ngx_realtime_room_publish_users(ngx_str_t *users, ngx_uint_t n,
    ngx_realtime_msg_t *m);

/*
 * Whether somebody would get it, now or when he comes back.  It may say 1 for
 * nobody, never 0 for somebody.
 */
ngx_uint_t ngx_realtime_room_reaches_user(ngx_str_t *user,
    ngx_str_t *except);

/* by 1 or -1: how many, here or away, are to get what the room gets; hash is
   ngx_realtime_history_hash() of its name */
void ngx_realtime_room_expect(uint32_t hash, int32_t by);


#endif /* _NGX_REALTIME_ROOM_H_INCLUDED_ */
