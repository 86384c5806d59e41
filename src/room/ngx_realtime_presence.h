
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Which users are here, with how many sockets, and what others were told of
 * them: a table in the zone.  See ngx_realtime_presence.c for its layout.
 *
 * The table knows no conversations: who is to be told, and how, is chat's.
 */

#ifndef _NGX_REALTIME_PRESENCE_H_INCLUDED_
#define _NGX_REALTIME_PRESENCE_H_INCLUDED_


#include "ngx_realtime_zone.h"


#define NGX_REALTIME_PRESENCE_ID  16       /* bytes: those of a UUID */


typedef enum {
    NGX_REALTIME_PRESENCE_OFFLINE = 0,
    NGX_REALTIME_PRESENCE_ONLINE,
    NGX_REALTIME_PRESENCE_AWAY,
    NGX_REALTIME_PRESENCE_BUSY,
    NGX_REALTIME_PRESENCE_INVISIBLE        /* to others: offline */
} ngx_realtime_presence_e;


/* what there is to know about a user at this moment */

typedef struct {
    ngx_uint_t                 sockets;    /* on all workers */
    ngx_realtime_presence_e    state;      /* what he says; without sockets
                                              OFFLINE */
    time_t                     left;       /* s: when the last one of some
                                              worker left; 0: not known */
    ngx_realtime_presence_e    told;       /* what others know, never
                                              INVISIBLE */
    time_t                     seen;       /* s: when others saw him go; 0:
                                              not since he is in the table */
} ngx_realtime_presence_view_t;


typedef struct {
    u_char                     id[NGX_REALTIME_PRESENCE_ID];
    time_t                     seen;
} ngx_realtime_presence_seen_t;


/* zone part, see ngx_realtime_zone.h */
ngx_int_t ngx_realtime_presence_create(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log);

/* in a worker that has its slot; grace, in s: how long somebody may be away
   before others are told */
ngx_int_t ngx_realtime_presence_init(ngx_cycle_t *cycle, time_t grace);

/* no worker has the slot any more; called with the slab mutex held */
void ngx_realtime_presence_forget_slot(ngx_uint_t slot);


/*
 * One more socket of the user here: his place in the table, which is his until
 * as many leave(); 0: the table is full, he has none.
 */
uint32_t ngx_realtime_presence_enter(ngx_str_t *user);
void ngx_realtime_presence_leave(uint32_t place);

/* how many he has, on all workers: those of another worker count up to 15 */
ngx_uint_t ngx_realtime_presence_sockets(ngx_str_t *user);

/* of any user; id is that of a UUID; all zero if he is not in the table */
void ngx_realtime_presence_look(const u_char *id,
    ngx_realtime_presence_view_t *view);

/* the same, by his name */
void ngx_realtime_presence_of(ngx_str_t *user,
    ngx_realtime_presence_view_t *view);


/* how many users have a socket: looks at the whole table */
ngx_uint_t ngx_realtime_presence_count(void);


/* what he says of himself, by a place of this worker */
void ngx_realtime_presence_say(uint32_t place, ngx_realtime_presence_e state);

/*
 * Makes "told" what it should be for a user who is here.  1: it changed, and
 * whoever called has to tell those who want to know, and then to say that it
 * did: until then, the sweep takes care that it is not forgotten.
 */
ngx_uint_t ngx_realtime_presence_settle(uint32_t place);
void ngx_realtime_presence_is_told(const u_char *id);

/* it could not be done: the sweep will bring it again */
void ngx_realtime_presence_is_untold(const u_char *id);


/*
 * The sweep, once a second.  One worker does it: 1, this one.
 */
ngx_uint_t ngx_realtime_presence_sweeps(void);

/* this worker exits, and all others that there are do as well: 1 */
ngx_uint_t ngx_realtime_presence_ends(void);

/* whose last socket is gone is offline since then, whatever the grace */
void ngx_realtime_presence_end(void);

/* up to n users of whom something is to be told: those whose grace is over,
   who are told to be offline from now on, and those that were not told; first:
   a second has passed */
ngx_uint_t ngx_realtime_presence_due(u_char *ids, ngx_uint_t n,
    ngx_uint_t first);

/* up to n users whose last time is not in Postgres */
ngx_uint_t ngx_realtime_presence_unsaved(ngx_realtime_presence_seen_t *seen,
    ngx_uint_t n);
void ngx_realtime_presence_is_saved(ngx_realtime_presence_seen_t *seen);


#endif /* _NGX_REALTIME_PRESENCE_H_INCLUDED_ */
