
/*
 * Copyright (C) ngx_realtime contributors
 */

#ifndef _NGX_REALTIME_STATUS_H_INCLUDED_
#define _NGX_REALTIME_STATUS_H_INCLUDED_


#include "ngx_realtime.h"


/* content handlers of "realtime_status json" and "realtime_status
   prometheus": all counters, summed over the slots of the zone */
ngx_int_t ngx_realtime_status_json_handler(ngx_http_request_t *r);
ngx_int_t ngx_realtime_status_prometheus_handler(ngx_http_request_t *r);


#endif /* _NGX_REALTIME_STATUS_H_INCLUDED_ */
