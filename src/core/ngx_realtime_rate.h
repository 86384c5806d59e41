
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * How often a user may do something, counted over all workers and both doors.
 *
 * A generic cell rate algorithm in an array of the zone: a cell is the time
 * at which the user will have been as quiet as if he had never come, and a tag
 * that says whose it is.  So a cell in the past is free, nothing has to be
 * swept, a worker that dies leaves nothing behind, and a decision is one
 * compare and swap.  Should all cells that a user may have be taken by others,
 * he is not limited at that moment.
 */

#ifndef _NGX_REALTIME_RATE_H_INCLUDED_
#define _NGX_REALTIME_RATE_H_INCLUDED_


#include "ngx_realtime_zone.h"


/* what is counted: name in realtime_event_rate */

#define NGX_REALTIME_RATES(X)                                                 \
    X(MESSAGE, "message")            /* message_send and POST, too */         \
    X(TYPING, "typing")                                                       \
    X(PRESENCE, "presence")                                                   \
    X(READ, "mark_as_read")          /* REST too, and notifications */        \
    X(CONVERSATION, "conversation")  /* POST: a new one */                    \
    X(NOTIFICATION, "send_notification")


typedef enum {
    NGX_REALTIME_RATE_NONE = 0,
#define NGX_REALTIME_RATE_NAME(name, text)  NGX_REALTIME_RATE_##name,
    NGX_REALTIME_RATES(NGX_REALTIME_RATE_NAME)
#undef NGX_REALTIME_RATE_NAME
    NGX_REALTIME_RATE_MAX
} ngx_realtime_rate_e;


typedef struct {
    uint32_t                   interval;   /* 0.1 ms between two; 0: any */
    uint32_t                   burst;      /* at once, at least 1 */
} ngx_realtime_rate_t;

struct ngx_realtime_rates_s {
    ngx_realtime_rate_t        of[NGX_REALTIME_RATE_MAX];
};


/* zone part, see ngx_realtime_zone.h */
ngx_int_t ngx_realtime_rate_create(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log);

/* realtime_event_rate NAME=Nr/s [burst=N] ... | off */
char *ngx_realtime_rate_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* once more; 0: he may, or the seconds after which he may; rates may be
   NULL */
ngx_uint_t ngx_realtime_rate(ngx_realtime_rates_t *rates,
    ngx_realtime_rate_e what, ngx_str_t *user);


#endif /* _NGX_REALTIME_RATE_H_INCLUDED_ */
