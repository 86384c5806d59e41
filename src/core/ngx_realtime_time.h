
/*
 * Copyright (C) ngx_realtime contributors
 */

#ifndef _NGX_REALTIME_TIME_H_INCLUDED_
#define _NGX_REALTIME_TIME_H_INCLUDED_


#include "ngx_realtime.h"


#define NGX_REALTIME_TIME_LEN  (sizeof("1970-01-01T00:00:00.000Z") - 1)


/* ISO 8601 in UTC, as everywhere towards clients; returns its end */
u_char *ngx_realtime_time_print(u_char *p, time_t sec, ngx_uint_t msec);

/* exactly that form, with or without milliseconds, from 1970 on; NGX_ERROR */
ngx_int_t ngx_realtime_time_parse(ngx_str_t *text, time_t *sec,
    ngx_uint_t *msec);


#endif /* _NGX_REALTIME_TIME_H_INCLUDED_ */
