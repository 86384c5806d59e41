
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_counter.h"


#define NGX_REALTIME_COUNTER_GAUGE    1
#define NGX_REALTIME_COUNTER_COUNTER  0


const ngx_realtime_counter_t  ngx_realtime_counter_table[] = {

#define NGX_REALTIME_COUNTER_RECORD(name, kind, help)                         \
    { ngx_string(#name), ngx_string(help), NGX_REALTIME_COUNTER_##kind },

    NGX_REALTIME_COUNTERS(NGX_REALTIME_COUNTER_RECORD)
};


/* where a process counts that has no slot: the master, a cache manager */
static uint64_t  ngx_realtime_counters_nowhere[NGX_REALTIME_C_MAX];

uint64_t  *ngx_realtime_counters = ngx_realtime_counters_nowhere;
