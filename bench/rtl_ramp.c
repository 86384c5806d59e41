
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Connections and nothing else: what it costs to bring one up, and what one
 * holds while it is silent.
 */

#include "rtload.h"


static void rtl_ramp_event(rtl_t *rtl, rtl_conn_t *c, const char *p,
    size_t len);
static void rtl_idle_step(rtl_t *rtl, const char *name, unsigned upto,
    unsigned before, const rtl_memory_t *base, rtl_memory_t *m);


/*
 * A quarter as many come first, unmeasured: the second and later thousand
 * are what a running server sees (buffers are mapped, code is compiled).
 */

void
rtl_connect(rtl_t *rtl)
{
    double    n;
    uint64_t  cpu, own, time;
    unsigned  warm;

    warm = rtl->conf.conns / 4;
    rtl->on_event = rtl_ramp_event;

    if (rtl_conn_init(rtl, warm + rtl->conf.conns) == -1
        || rtl_conn_ramp(rtl, warm) == -1)
    {
        return;
    }

    cpu = rtl_proc_cpu(&rtl->conf);
    own = rtl_proc_own_cpu();
    time = rtl_now();

    if (rtl_conn_ramp(rtl, warm + rtl->conf.conns) == -1) {
        return;
    }

    time = rtl_now() - time;
    cpu = rtl_proc_cpu(&rtl->conf) - cpu;
    own = rtl_proc_own_cpu() - own;
    n = (double) rtl->conf.conns;

    printf(",\"connections\":%u,\"per_second\":%.1f,\"cpu_us\":%.3f,"
           "\"client_cpu_us\":%.3f", rtl->conf.conns,
           n * 1e9 / (double) time, (double) cpu / 1e3 / n,
           (double) own / 1e3 / n);
}


void
rtl_idle(rtl_t *rtl)
{
    unsigned      n;
    rtl_memory_t  base, first, second;

    n = rtl->conf.conns;
    rtl->on_event = rtl_ramp_event;

    rtl_proc_memory(&rtl->conf, &base);

    printf(",\"base_private\":%llu", (unsigned long long) base.private_dirty);

    if (rtl_conn_init(rtl, n + rtl->conf.more) == -1) {
        return;
    }

    rtl_idle_step(rtl, "idle", n, 0, &base, &first);

    if (rtl->conf.more) {
        rtl_idle_step(rtl, "marginal", n + rtl->conf.more, n, &first,
                      &second);
    }
}


static void
rtl_idle_step(rtl_t *rtl, const char *name, unsigned upto, unsigned before,
    const rtl_memory_t *base, rtl_memory_t *m)
{
    double  n;

    if (rtl_conn_ramp(rtl, upto) == -1) {
        return;
    }

    rtl_conn_wait(rtl, rtl_now() + (uint64_t) (rtl->conf.seconds * 1e9));

    rtl_proc_memory(&rtl->conf, m);
    n = (double) (upto - before);

    printf(",\"%s\":{\"connections\":%u,\"private_bytes\":%.1f,"
           "\"shared_bytes\":%.1f}", name, upto - before,
           ((double) m->private_dirty - (double) base->private_dirty) / n,
           ((double) m->shared_dirty - (double) base->shared_dirty) / n);
}


/* presence and the like may come; nothing is expected */

static void
rtl_ramp_event(rtl_t *rtl, rtl_conn_t *c, const char *p, size_t len)
{
    (void) rtl;
    (void) c;
    (void) p;
    (void) len;
}
