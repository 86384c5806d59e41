
/*
 * Copyright (C) ngx_realtime contributors
 */

#include "rtload.h"


static unsigned rtl_hist_index(uint64_t ns);
static uint64_t rtl_hist_value(unsigned i);


void
rtl_hist_add(rtl_hist_t *h, uint64_t ns)
{
    h->slot[rtl_hist_index(ns)]++;
    h->count++;

    if (ns > h->max) {
        h->max = ns;
    }
}


static unsigned
rtl_hist_index(uint64_t ns)
{
    unsigned  shift, i;

    if (ns < RTL_HIST_STEPS) {
        return (unsigned) ns;
    }

    shift = 63 - (unsigned) __builtin_clzll(ns) - 6;
    i = shift * RTL_HIST_STEPS + (unsigned) (ns >> shift);

    return (i < RTL_HIST_SLOTS) ? i : RTL_HIST_SLOTS - 1;
}


/* the highest value that falls into slot i */

static uint64_t
rtl_hist_value(unsigned i)
{
    unsigned  shift;
    uint64_t  step;

    if (i < 2 * RTL_HIST_STEPS) {
        return i;
    }

    shift = i / RTL_HIST_STEPS - 1;
    step = i % RTL_HIST_STEPS + RTL_HIST_STEPS;

    return ((step + 1) << shift) - 1;
}


double
rtl_hist_ms(const rtl_hist_t *h, double quantile)
{
    unsigned  i;
    uint64_t  n, want, value;

    want = (uint64_t) (quantile * (double) h->count + 0.5);
    n = 0;

    for (i = 0; i < RTL_HIST_SLOTS; i++) {
        n += h->slot[i];

        if (n >= want && n != 0) {
            value = rtl_hist_value(i);
            return (double) (value < h->max ? value : h->max) / 1e6;
        }
    }

    return 0;
}


void
rtl_hist_print(const rtl_hist_t *h, const char *name)
{
    printf(",\"%s\":{\"count\":%llu,\"p50\":%.4f,\"p90\":%.4f,\"p99\":%.4f,"
           "\"p999\":%.4f,\"max\":%.4f}",
           name, (unsigned long long) h->count,
           rtl_hist_ms(h, 0.5), rtl_hist_ms(h, 0.9), rtl_hist_ms(h, 0.99),
           rtl_hist_ms(h, 0.999), (double) h->max / 1e6);
}
