
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_slot.h"


#define NGX_REALTIME_SLOT_SWEEP  1000      /* ms */


static void ngx_realtime_slot_repair_locked(ngx_uint_t i);
static void ngx_realtime_slot_sweep(ngx_event_t *ev);


ngx_int_t  ngx_realtime_slot = -1;

static ngx_realtime_slot_dead_pt  ngx_realtime_slot_dead;
static ngx_event_t                ngx_realtime_slot_timer;
static ngx_connection_t           ngx_realtime_slot_dummy;
static void                     (*ngx_realtime_slot_swept)(void);


ngx_int_t
ngx_realtime_slot_attach(ngx_cycle_t *cycle, ngx_realtime_slot_dead_pt dead)
{
    ngx_uint_t               i;
    ngx_event_t             *ev;
    ngx_realtime_slot_sh_t  *slot;

    i = ngx_process_slot;

    if (i >= NGX_REALTIME_SLOTS) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                      "realtime: process slot %ui is beyond the %d that a "
                      "zone has, this worker answers 503; use at most %d "
                      "workers", i, NGX_REALTIME_SLOTS,
                      NGX_REALTIME_SLOTS / 2);
        return NGX_DECLINED;
    }

    ngx_realtime_slot_dead = dead;

    slot = &ngx_realtime_zone_sh->slots[i];

    ngx_shmtx_lock(&ngx_realtime_zone_pool->mutex);

    if (slot->pid) {
        ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0,
                      "realtime: slot %ui taken over from dead worker %P",
                      i, slot->pid);
        ngx_realtime_slot_repair_locked(i);
        slot->counters[NGX_REALTIME_C_slots_repaired]++;
    }

    slot->pid = ngx_pid;
    slot->generation++;
    slot->seen = ngx_realtime_zone_time();

    ngx_shmtx_unlock(&ngx_realtime_zone_pool->mutex);

    ngx_realtime_slot = i;
    ngx_realtime_counters = slot->counters;

    ev = &ngx_realtime_slot_timer;

    ngx_realtime_slot_dummy.fd = (ngx_socket_t) -1;
    ev->data = &ngx_realtime_slot_dummy;
    ev->handler = ngx_realtime_slot_sweep;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, NGX_REALTIME_SLOT_SWEEP);

    return NGX_OK;
}


void
ngx_realtime_slot_live(void)
{
    __atomic_fetch_or(&ngx_realtime_zone_sh->live,
                      ngx_realtime_slot_bit(ngx_realtime_slot),
                      __ATOMIC_SEQ_CST);
}


void
ngx_realtime_slot_detach(void)
{
    if (ngx_realtime_slot == -1) {
        return;
    }

    ngx_shmtx_lock(&ngx_realtime_zone_pool->mutex);
    ngx_realtime_slot_repair_locked(ngx_realtime_slot);
    ngx_shmtx_unlock(&ngx_realtime_zone_pool->mutex);

    ngx_realtime_slot = -1;
}


static void
ngx_realtime_slot_repair_locked(ngx_uint_t i)
{
    ngx_uint_t               n;
    ngx_realtime_slot_sh_t  *slot;

    slot = &ngx_realtime_zone_sh->slots[i];

    __atomic_fetch_and(&ngx_realtime_zone_sh->live, ~ngx_realtime_slot_bit(i),
                       __ATOMIC_SEQ_CST);

    ngx_realtime_slot_dead(i);

    for (n = 0; n < NGX_REALTIME_C_MAX; n++) {
        if (ngx_realtime_counter_table[n].gauge) {
            slot->counters[n] = 0;
        }
    }

    /* last: a slot with a pid is one that still needs the above */

    slot->pid = 0;
}


void
ngx_realtime_slot_on_sweep(void (*handler)(void))
{
    ngx_realtime_slot_swept = handler;
}


/*
 * Slots whose worker died and was not respawned: after a reload nobody takes
 * an old worker's place.  A dead worker is reaped by the master before its
 * pid can be given to another process, and kill() of a zombie succeeds, so
 * ESRCH means gone.
 */

static void
ngx_realtime_slot_sweep(ngx_event_t *ev)
{
    ngx_pid_t   pid;
    ngx_uint_t  i;

    for (i = 0; i < NGX_REALTIME_SLOTS; i++) {

        pid = ngx_realtime_zone_sh->slots[i].pid;

        if (pid == 0 || kill(pid, 0) == 0 || ngx_errno != NGX_ESRCH) {
            continue;
        }

        ngx_shmtx_lock(&ngx_realtime_zone_pool->mutex);

        if (ngx_realtime_zone_sh->slots[i].pid == pid) {
            ngx_realtime_slot_repair_locked(i);
            ngx_realtime_count(slots_repaired);

        } else {
            pid = 0;
        }

        ngx_shmtx_unlock(&ngx_realtime_zone_pool->mutex);

        if (pid) {
            ngx_log_error(NGX_LOG_NOTICE, ev->log, 0,
                          "realtime: slot %ui of dead worker %P cleaned up",
                          i, pid);
        }
    }

    if (ngx_realtime_slot_swept) {
        ngx_realtime_slot_swept();
    }

    ngx_add_timer(ev, NGX_REALTIME_SLOT_SWEEP);
}
