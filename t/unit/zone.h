
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * A zone for the unit tests of what lives in one: memory that forked
 * processes share, one slot each, and the few symbols of nginx that the code
 * under test calls.  A process is a worker once zone_worker() has given it
 * its slot.
 */

#ifndef _ZONE_H_INCLUDED_
#define _ZONE_H_INCLUDED_


#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ngx_realtime_history.h"
#include "ngx_realtime_slot.h"
#include "tap.h"


ngx_int_t                ngx_realtime_slot = -1;
ngx_realtime_zone_sh_t  *ngx_realtime_zone_sh;

static ngx_time_t          zone_time;
volatile ngx_time_t       *ngx_cached_time = &zone_time;
volatile ngx_msec_t        ngx_current_msec;
ngx_pid_t                  ngx_pid;

static u_char             *zone_pos, *zone_end;
static u_char             *zone_buf;       /* what a reader copies to */
static ngx_log_t           zone_log;
static ngx_cycle_t         zone_cycle;


/* nginx's, as far as they are called */

void *
ngx_alloc(size_t size, ngx_log_t *log)
{
    return malloc(size);
}


void *
ngx_calloc(size_t size, ngx_log_t *log)
{
    return calloc(1, size);
}


void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
    /* void */
}


/* not nginx's, but one that does as well */

uint32_t
ngx_murmur_hash2(u_char *data, size_t len)
{
    uint32_t  h;

    for (h = 2166136261u; len; len--) {
        h = (h ^ *data++) * 16777619;
    }

    return h;
}


/* zeroed, shared, and never given back: a zone's parts are made once */

void *
ngx_slab_calloc(ngx_slab_pool_t *pool, size_t size)
{
    u_char  *p;

    p = ngx_align_ptr(zone_pos, 64);

    if (p + size > zone_end) {
        return NULL;
    }

    zone_pos = p + size;

    return p;
}


static void *
zone_pages(size_t size, int flags)
{
    void  *p;

    p = mmap(NULL, size, PROT_READ|PROT_WRITE,
             flags|MAP_ANONYMOUS|MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        abort();
    }

    return p;
}


/* of a worker: one for each process and size, so that it may start again */

void *
ngx_palloc(ngx_pool_t *pool, size_t size)
{
    static size_t  had;

    if (pool) {
        return malloc(size);
    }

    if (had != size) {
        zone_buf = zone_pages(size, MAP_PRIVATE);
        had = size;
    }

    return zone_buf;
}


void *
ngx_pcalloc(ngx_pool_t *pool, size_t size)
{
    return calloc(1, size);
}


static inline void
zone_clock(time_t s)
{
    zone_time.sec = s;
    ngx_current_msec = (ngx_msec_t) s * 1000;
}


/* an empty zone that says it has this size; the history is not in it yet */

static inline void
zone_new(size_t size)
{
    zone_pos = zone_pages(size, MAP_SHARED);
    zone_end = zone_pos + size;

    ngx_realtime_zone_sh = ngx_slab_calloc(NULL,
                                           sizeof(ngx_realtime_zone_sh_t));
    ngx_realtime_zone_sh->zone_size = size;

    zone_cycle.log = &zone_log;
    zone_clock(1000);
}


/* runs f in a process of its own; it is the test's to wait for */

#define zone_fork(pid, f)                                                     \
    do {                                                                      \
        fflush(stdout);                                                       \
        pid = fork();                                                         \
        if (pid == 0) {                                                       \
            alarm(120);                                                       \
            f;                                                                \
            _exit(0);                                                         \
        }                                                                     \
    } while (0)


static inline int
zone_wait(pid_t pid)
{
    int  status;

    return waitpid(pid, &status, 0) == pid ? status : -1;
}


static inline uint32_t
zone_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;

    return *seed;
}


#endif /* _ZONE_H_INCLUDED_ */
