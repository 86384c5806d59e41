
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Handlers of "realtime_api" that have a file of their own, and what all of
 * them use.
 */

#ifndef _NGX_REALTIME_API_H_INCLUDED_
#define _NGX_REALTIME_API_H_INCLUDED_


#include "ngx_realtime_acks.h"
#include "ngx_realtime_rest.h"
#include "rt.h"


/* ngx_realtime_api_emit.c, ngx_realtime_api_notify.c,
   ngx_realtime_api_revoke.c */
void ngx_realtime_api_emit(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call);
void ngx_realtime_api_notify(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call);
void ngx_realtime_api_job(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call);
void ngx_realtime_api_revoke(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call);


/* ngx_realtime_api_ack.c: finishes the call with the acks of an event */
void ngx_realtime_api_ack(ngx_realtime_call_t *call,
    ngx_realtime_acks_emit_t *emit);

/* finishes the call with {"name":n} */
void ngx_realtime_api_number(ngx_realtime_call_t *call, ngx_uint_t status,
    const char *name, ngx_uint_t n);

/* of the body; data NULL: not there */
void ngx_realtime_api_members(ngx_realtime_rest_t *rest,
    const char *const *names, rt_str_t *values, size_t n);

/* leaves text as it is for what is not there, or null; 0: no string.  The body
   is written to: it has to be cut up before. */
ngx_uint_t ngx_realtime_api_string(rt_str_t value, ngx_str_t *text);

/* ISO 8601 or whole seconds, to milliseconds; NGX_DECLINED: not there, or
   null; NGX_ERROR: no time */
ngx_int_t ngx_realtime_api_time(rt_str_t value, int64_t *ms);

/* "user:<id>"; 0: there is no such kind of room */
ngx_uint_t ngx_realtime_api_room(ngx_str_t *room, ngx_str_t *user);

/* for a line in the log */
void ngx_realtime_api_clean(ngx_str_t *text);

ngx_uint_t ngx_realtime_api_is_user(ngx_str_t *user);


#endif /* _NGX_REALTIME_API_H_INCLUDED_ */
