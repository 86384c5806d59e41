
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The tables of REST routes: those of "realtime_chat", of
 * "realtime_notifications" and of "realtime_api".  A new route is a row and a
 * function, which takes the arguments out of the request and calls a use case
 * of chat/ or session/.
 */

#ifndef _NGX_REALTIME_ROUTE_H_INCLUDED_
#define _NGX_REALTIME_ROUTE_H_INCLUDED_


#include "ngx_realtime_rate.h"
#include "ngx_realtime_rest.h"


typedef void (*ngx_realtime_route_pt)(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call);

struct ngx_realtime_route_s {
    ngx_uint_t                 method;     /* NGX_HTTP_GET: and HEAD */
    ngx_str_t                  path;       /* after the location; ":" stands
                                              for one segment, any text */
    ngx_realtime_route_pt      handler;    /* must finish the call, now or
                                              later */
    ngx_realtime_rate_e        rate;       /* as what it is counted */
};


/* a table ends with a route without a method */

/* "realtime_api", ngx_realtime_api.c */
extern const ngx_realtime_route_t  ngx_realtime_api_routes[];


/* "realtime_notifications", ngx_realtime_route_notify.c */
extern const ngx_realtime_route_t  ngx_realtime_notify_routes[];


/*
 * Sets rest->route and rest->id.  Returns the methods of the path: 0 is an
 * unknown path; route is NULL if the request's method is not among them.
 */

ngx_uint_t ngx_realtime_route_find(ngx_realtime_rest_t *rest);


/* for handlers: an argument of the query; data is NULL if there is none */
void ngx_realtime_route_arg(ngx_realtime_rest_t *rest, const char *name,
    ngx_str_t *value);

/* 0: none, or no number */
ngx_int_t ngx_realtime_route_number(ngx_realtime_rest_t *rest,
    const char *name);


#endif /* _NGX_REALTIME_ROUTE_H_INCLUDED_ */
