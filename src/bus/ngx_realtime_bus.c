
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Waking.  A writer appends (release), then swaps "signaled" of the reader to
 * 1 and writes its eventfd only if it was 0.  A reader reads its eventfd,
 * stores 0 and only then looks at the rings; so either it sees the record, or
 * the writer sees the 0.  Both sides are sequentially consistent.
 *
 * A full ring is the same the other way round: the writer queues the record,
 * sets "waiting" of its ring and tries once more; a reader that moved its
 * cursor swaps "waiting" to 0 and wakes the writer if it was 1.
 */


#include "ngx_realtime_bus.h"
#include "ngx_realtime_ring.h"

#include <sys/eventfd.h>


#define NGX_REALTIME_BUS_TURN       512    /* records of a ring per turn */
#define NGX_REALTIME_BUS_PIECE      16384  /* bytes of a payload per record */
#define NGX_REALTIME_BUS_PARTS      8
#define NGX_REALTIME_BUS_WAITING    (16 * 1024 * 1024)  /* bytes, per worker */
#define NGX_REALTIME_BUS_SEEN       1000   /* ms */

#define NGX_REALTIME_BUS_FIRST      0x01   /* flag: a payload begins here */
#define NGX_REALTIME_BUS_MORE       0x02   /* flag: another piece follows */


typedef struct {
    uint64_t                   flag;
} __attribute__((aligned(NGX_REALTIME_CACHELINE)))
    ngx_realtime_bus_signaled_sh_t;


typedef struct {
    size_t                     ring_size;
    int                        fds[NGX_REALTIME_SLOTS];
    ngx_realtime_ring_t       *rings[NGX_REALTIME_SLOTS];
                                           /* made when first needed, kept */
    ngx_realtime_bus_signaled_sh_t  signaled[NGX_REALTIME_SLOTS];
} ngx_realtime_bus_sh_t;


typedef struct {
    ngx_queue_t                queue;
    ngx_realtime_ring_record_t record;
    u_char                     data[];
} ngx_realtime_bus_waiting_t;


/* a payload that comes in pieces, per producer */

typedef struct {
    u_char                    *data;
    size_t                     len;
    size_t                     size;
} ngx_realtime_bus_partial_t;


typedef struct {
    ngx_realtime_bus_sh_t     *sh;
    ngx_realtime_ring_t       *ring;       /* own */
    ngx_connection_t          *connection; /* around the eventfd */
    ngx_log_t                 *log;

    ngx_event_t                timer;      /* for "seen" */
    ngx_connection_t           dummy;      /* the debug log looks at its fd */
    unsigned                   behind:1;   /* not all is read that we know of */

    ngx_queue_t                waiting;    /* of ngx_realtime_bus_waiting_t */
    size_t                     waiting_bytes;

    ngx_realtime_bus_partial_t partial[NGX_REALTIME_SLOTS];
    ngx_realtime_bus_pt        handlers[NGX_REALTIME_BUS_MAX];
    void                     (*gap)(void);

    u_char                     buf[NGX_REALTIME_BUS_PIECE];
} ngx_realtime_bus_t;


static void *ngx_realtime_bus_keep(ngx_realtime_zone_sh_t *sh);
static void ngx_realtime_bus_retire(void *kept);
static ngx_int_t ngx_realtime_bus_ring(ngx_cycle_t *cycle);
static void ngx_realtime_bus_piece(ngx_realtime_ring_record_t *rec,
    const ngx_str_t *parts, ngx_uint_t n);
static void ngx_realtime_bus_wait(ngx_realtime_ring_record_t *rec,
    const ngx_str_t *parts, ngx_uint_t n);
static void ngx_realtime_bus_flush(void);
static void ngx_realtime_bus_wake(uint64_t mask);
static void ngx_realtime_bus_tick(ngx_event_t *ev);
static void ngx_realtime_bus_event(ngx_event_t *rev);
static ngx_int_t ngx_realtime_bus_drain(ngx_uint_t from);
static void ngx_realtime_bus_dispatch(ngx_uint_t from,
    ngx_realtime_ring_record_t *rec);
static ngx_int_t ngx_realtime_bus_collect(ngx_realtime_bus_partial_t *part,
    u_char *data, size_t len);
static void ngx_realtime_bus_forget(ngx_realtime_bus_partial_t *part);


const ngx_realtime_zone_keeper_t  ngx_realtime_bus_keeper = {
    ngx_realtime_bus_keep,
    ngx_realtime_bus_retire
};


ngx_realtime_bus_origin_t  ngx_realtime_bus_origin;

static ngx_realtime_bus_t  ngx_realtime_bus;


/* whose cursors count in our ring: nobody reads its own */

#define ngx_realtime_bus_readers()                                            \
    (ngx_realtime_slot_live_mask()                                            \
     & ~ngx_realtime_slot_bit(ngx_realtime_slot))


ngx_int_t
ngx_realtime_bus_create(ngx_realtime_zone_sh_t *sh, ngx_slab_pool_t *shpool,
    ngx_log_t *log)
{
    size_t                  size;
    ngx_uint_t              i;
    ngx_realtime_bus_sh_t  *bus;

    bus = ngx_slab_calloc(shpool, sizeof(ngx_realtime_bus_sh_t));
    if (bus == NULL) {
        return NGX_ERROR;
    }

    /* 1/128 of the zone, as a power of two from 128k to 4m: so all slots can
       have one, and half of the zone is left */

    for (size = 128 * 1024; size < 4 * 1024 * 1024; size *= 2) {
        if (size * 2 > sh->zone_size / 128) {
            break;
        }
    }

    bus->ring_size = size;

    for (i = 0; i < NGX_REALTIME_SLOTS; i++) {
        bus->fds[i] = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

        if (bus->fds[i] == -1) {
            ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                          "realtime: eventfd() failed");
            return NGX_ERROR;
        }
    }

    sh->bus = bus;

    return NGX_OK;
}


static void *
ngx_realtime_bus_keep(ngx_realtime_zone_sh_t *sh)
{
    int                    *fds;
    ngx_realtime_bus_sh_t  *bus;

    bus = sh->bus;

    fds = ngx_alloc(sizeof(bus->fds), ngx_cycle->log);

    if (fds) {
        ngx_memcpy(fds, bus->fds, sizeof(bus->fds));
    }

    return fds;
}


/* workers that still use the zone have descriptors of their own */

static void
ngx_realtime_bus_retire(void *kept)
{
    int         *fds = kept;
    ngx_uint_t   i;

    for (i = 0; i < NGX_REALTIME_SLOTS; i++) {
        (void) close(fds[i]);
    }

    ngx_free(fds);
}


ngx_int_t
ngx_realtime_bus_init(ngx_cycle_t *cycle)
{
    ngx_uint_t            i;
    ngx_connection_t     *c;
    ngx_realtime_bus_t   *bus;
    ngx_realtime_ring_t  *ring;

    bus = &ngx_realtime_bus;

    bus->sh = ngx_realtime_zone_sh->bus;
    bus->log = cycle->log;
    ngx_queue_init(&bus->waiting);

    if (ngx_realtime_bus_ring(cycle) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_REALTIME_SLOTS; i++) {
        ring = __atomic_load_n(&bus->sh->rings[i], __ATOMIC_ACQUIRE);

        if (ring) {
            ngx_realtime_ring_start(ring, ngx_realtime_slot);
        }
    }

    c = ngx_get_connection(bus->sh->fds[ngx_realtime_slot], cycle->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->log = cycle->log;
    c->read->log = cycle->log;
    c->write->log = cycle->log;
    c->read->handler = ngx_realtime_bus_event;

    /* not a client's: nothing to complain of when the worker exits */
    c->read->channel = 1;

    if (ngx_add_event(c->read, NGX_READ_EVENT, NGX_CLEAR_EVENT) != NGX_OK) {
        ngx_free_connection(c);
        return NGX_ERROR;
    }

    bus->connection = c;

    /* a predecessor may have died between its read() and its store */

    __atomic_store_n(&bus->sh->signaled[ngx_realtime_slot].flag, 0,
                     __ATOMIC_SEQ_CST);

    bus->dummy.fd = (ngx_socket_t) -1;
    bus->timer.data = &bus->dummy;
    bus->timer.handler = ngx_realtime_bus_tick;
    bus->timer.log = cycle->log;
    bus->timer.cancelable = 1;

    ngx_add_timer(&bus->timer, NGX_REALTIME_BUS_SEEN);

    return NGX_OK;
}


void
ngx_realtime_bus_exit(ngx_cycle_t *cycle)
{
    ngx_realtime_bus_t  *bus;

    bus = &ngx_realtime_bus;

    if (bus->connection) {
        /* a last try for what could not be appended yet */
        ngx_realtime_bus_flush();
    }
}


void
ngx_realtime_bus_handle(ngx_realtime_bus_type_e type,
    ngx_realtime_bus_pt handler)
{
    ngx_realtime_bus.handlers[type] = handler;
}


void
ngx_realtime_bus_on_gap(void (*handler)(void))
{
    ngx_realtime_bus.gap = handler;
}


/* the ring of this slot: made once, then every owner of the slot goes on
   where its predecessor stopped */

static ngx_int_t
ngx_realtime_bus_ring(ngx_cycle_t *cycle)
{
    u_char                 *p;
    size_t                  size;
    ngx_realtime_ring_t    *ring;
    ngx_realtime_bus_sh_t  *sh;

    sh = ngx_realtime_bus.sh;
    ring = sh->rings[ngx_realtime_slot];

    if (ring == NULL) {

        size = ngx_align(sizeof(ngx_realtime_ring_t), ngx_pagesize);

        p = ngx_slab_alloc(ngx_realtime_zone_pool, size + sh->ring_size);
        if (p == NULL) {
            ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                          "realtime: no room in the zone for the bus of "
                          "slot %i, make realtime_zone larger",
                          ngx_realtime_slot);
            return NGX_ERROR;
        }

        ring = (ngx_realtime_ring_t *) p;
        ngx_realtime_ring_init(ring, p + size, sh->ring_size);

        __atomic_store_n(&sh->rings[ngx_realtime_slot], ring,
                         __ATOMIC_RELEASE);
    }

    ngx_realtime_bus.ring = ring;

    return NGX_OK;
}


void
ngx_realtime_bus_send(ngx_realtime_mask_t mask, ngx_realtime_bus_type_e type,
    const ngx_str_t *parts, ngx_uint_t n)
{
    size_t                       left, take;
    ngx_str_t                    piece[NGX_REALTIME_BUS_PARTS], rest;
    ngx_uint_t                   i, k, more;
    ngx_realtime_ring_record_t   rec;

    mask &= ngx_realtime_bus_readers();

    if (mask == 0 || ngx_realtime_bus.ring == NULL) {
        return;
    }

    ngx_realtime_count(bus_sent);

    rec.type = type;
    rec.flags = NGX_REALTIME_BUS_FIRST;
    rec.readers = mask;

    i = 0;
    ngx_str_null(&rest);

    do {
        left = NGX_REALTIME_BUS_PIECE;

        for (k = 0; left && k < NGX_REALTIME_BUS_PARTS; k++) {

            if (rest.len == 0) {
                if (i == n) {
                    break;
                }

                rest = parts[i++];
            }

            take = ngx_min(rest.len, left);

            piece[k].data = rest.data;
            piece[k].len = take;

            rest.data += take;
            rest.len -= take;
            left -= take;
        }

        more = (rest.len || i < n);

        if (more) {
            rec.flags |= NGX_REALTIME_BUS_MORE;
        }

        ngx_realtime_bus_piece(&rec, piece, k);

        rec.flags = 0;

    } while (more);
}


void
ngx_realtime_bus_cursors(uint64_t *cursors)
{
    ngx_uint_t            i;
    ngx_realtime_ring_t  *ring;

    for (i = 0; i < NGX_REALTIME_SLOTS; i++) {

        ring = ngx_realtime_bus.sh->rings[i];

        if (ring == NULL) {
            cursors[i] = 0;

        } else if (i == (ngx_uint_t) ngx_realtime_slot) {
            cursors[i] = ring->head;

        } else {
            cursors[i] = ring->cursors[ngx_realtime_slot].position;
        }
    }
}


void
ngx_realtime_bus_heads(uint64_t *heads)
{
    ngx_uint_t            i;
    ngx_realtime_ring_t  *ring;

    for (i = 0; i < NGX_REALTIME_SLOTS; i++) {
        ring = ngx_realtime_bus.sh->rings[i];
        heads[i] = ring ? __atomic_load_n(&ring->head, __ATOMIC_SEQ_CST) : 0;
    }
}


void
ngx_realtime_bus_poke(void)
{
    ngx_event_t  *rev;

    rev = ngx_realtime_bus.connection->read;

    if (!rev->posted) {
        ngx_post_event(rev, &ngx_posted_events);
    }
}


/*
 * A worker that was stopped for a while still has to read what came meanwhile,
 * and until it has, it cannot say of a client that it had everything.
 */

time_t
ngx_realtime_bus_seen(void)
{
    ngx_realtime_bus_t      *bus;
    ngx_realtime_slot_sh_t  *slot;

    bus = &ngx_realtime_bus;
    slot = &ngx_realtime_zone_sh->slots[ngx_realtime_slot];

    if (!bus->behind
        && __atomic_load_n(&bus->sh->signaled[ngx_realtime_slot].flag,
                           __ATOMIC_SEQ_CST)
           == 0)
    {
        slot->seen = ngx_realtime_zone_time();
    }

    return slot->seen;
}


static void
ngx_realtime_bus_tick(ngx_event_t *ev)
{
    (void) ngx_realtime_bus_seen();

    ngx_add_timer(ev, NGX_REALTIME_BUS_SEEN);
}


static void
ngx_realtime_bus_piece(ngx_realtime_ring_record_t *rec,
    const ngx_str_t *parts, ngx_uint_t n)
{
    uint64_t             behind;
    ngx_realtime_bus_t  *bus;

    bus = &ngx_realtime_bus;

    if (ngx_queue_empty(&bus->waiting)) {

        if (ngx_realtime_ring_append(bus->ring, ngx_realtime_bus_readers(),
                                     rec, parts, n, &behind)
            == NGX_OK)
        {
            ngx_realtime_bus_wake(rec->readers | behind);
            return;
        }

        ngx_realtime_bus_wake(behind);
    }

    ngx_realtime_bus_wait(rec, parts, n);
}


static void
ngx_realtime_bus_wait(ngx_realtime_ring_record_t *rec, const ngx_str_t *parts,
    ngx_uint_t n)
{
    u_char                      *p;
    size_t                       len;
    uint64_t                     blockers;
    ngx_uint_t                   i;
    ngx_realtime_bus_t          *bus;
    ngx_realtime_bus_waiting_t  *w;

    bus = &ngx_realtime_bus;

    len = 0;
    for (i = 0; i < n; i++) {
        len += parts[i].len;
    }

    w = ngx_alloc(sizeof(ngx_realtime_bus_waiting_t) + len, bus->log);

    if (w) {
        w->record = *rec;
        w->record.len = len;

        p = w->data;
        for (i = 0; i < n; i++) {
            p = ngx_cpymem(p, parts[i].data, parts[i].len);
        }

        ngx_queue_insert_tail(&bus->waiting, &w->queue);
        bus->waiting_bytes += len;
        ngx_realtime_count(bus_queued);
    }

    if (w == NULL || bus->waiting_bytes > NGX_REALTIME_BUS_WAITING) {
        /* whoever holds the ring up is told that it missed something */

        blockers = ngx_realtime_ring_blockers(bus->ring,
                                              ngx_realtime_bus_readers(),
                                              NGX_REALTIME_BUS_PIECE);

        if (w == NULL) {
            blockers |= rec->readers;
        }

        ngx_realtime_ring_give_up(bus->ring, blockers);
        ngx_realtime_bus_wake(blockers);
    }

    ngx_realtime_bus_flush();
}


static void
ngx_realtime_bus_flush(void)
{
    uint64_t                     behind, live;
    ngx_str_t                    part;
    ngx_queue_t                 *q;
    ngx_realtime_bus_t          *bus;
    ngx_realtime_bus_waiting_t  *w;

    bus = &ngx_realtime_bus;

    while (!ngx_queue_empty(&bus->waiting)) {

        q = ngx_queue_head(&bus->waiting);
        w = ngx_queue_data(q, ngx_realtime_bus_waiting_t, queue);

        part.data = w->data;
        part.len = w->record.len;

        /* before the try: a reader that moves after it will wake us */
        __atomic_store_n(&bus->ring->waiting, 1, __ATOMIC_SEQ_CST);

        live = ngx_realtime_bus_readers();

        if (ngx_realtime_ring_append(bus->ring, live, &w->record, &part, 1,
                                     &behind)
            != NGX_OK)
        {
            ngx_realtime_bus_wake(behind);
            return;
        }

        ngx_realtime_bus_wake(w->record.readers | behind);

        ngx_queue_remove(q);
        bus->waiting_bytes -= part.len;
        ngx_free(w);
    }

    __atomic_store_n(&bus->ring->waiting, 0, __ATOMIC_SEQ_CST);
}


static void
ngx_realtime_bus_wake(uint64_t mask)
{
    ngx_uint_t              i;
    ngx_realtime_bus_sh_t  *sh;

    static const uint64_t   one = 1;

    sh = ngx_realtime_bus.sh;

    for ( /* void */ ; mask; mask &= mask - 1) {

        i = __builtin_ctzll(mask);

        if (__atomic_exchange_n(&sh->signaled[i].flag, 1, __ATOMIC_SEQ_CST)) {
            continue;
        }

        ngx_realtime_count(bus_wakeups);

        if (write(sh->fds[i], &one, sizeof(one)) == -1
            && ngx_errno != NGX_EAGAIN)
        {
            ngx_log_error(NGX_LOG_ALERT, ngx_realtime_bus.log, ngx_errno,
                          "realtime: write() to eventfd of slot %ui failed",
                          i);
        }
    }
}


static void
ngx_realtime_bus_event(ngx_event_t *rev)
{
    uint64_t             n;
    ngx_int_t            rc;
    ngx_uint_t           i, more;
    ngx_realtime_bus_t  *bus;

    bus = &ngx_realtime_bus;

    bus->behind = 1;

    if (read(bus->sh->fds[ngx_realtime_slot], &n, sizeof(n)) == -1
        && ngx_errno != NGX_EAGAIN)
    {
        ngx_log_error(NGX_LOG_ALERT, bus->log, ngx_errno,
                      "realtime: read() of eventfd failed");
    }

    __atomic_store_n(&bus->sh->signaled[ngx_realtime_slot].flag, 0,
                     __ATOMIC_SEQ_CST);

    ngx_realtime_bus_flush();

    more = 0;

    for (i = 0; i < NGX_REALTIME_SLOTS; i++) {

        if (i == (ngx_uint_t) ngx_realtime_slot || bus->sh->rings[i] == NULL) {
            continue;
        }

        rc = ngx_realtime_bus_drain(i);

        if (rc == NGX_AGAIN) {
            more = 1;
        }

        if (__atomic_exchange_n(&bus->sh->rings[i]->waiting, 0,
                                __ATOMIC_SEQ_CST))
        {
            ngx_realtime_bus_wake(ngx_realtime_slot_bit(i));
        }
    }

    if (more) {
        /* let the clients have their turn first */
        ngx_post_event(rev, &ngx_posted_next_events);
        return;
    }

    bus->behind = 0;
}


/* NGX_OK: empty; NGX_AGAIN: a turn's worth was read, more may be there */

static ngx_int_t
ngx_realtime_bus_drain(ngx_uint_t from)
{
    ngx_int_t                    rc;
    ngx_uint_t                   n;
    ngx_realtime_bus_t          *bus;
    ngx_realtime_ring_t         *ring;
    ngx_realtime_ring_record_t   rec;

    bus = &ngx_realtime_bus;
    ring = bus->sh->rings[from];

    for (n = 0; n < NGX_REALTIME_BUS_TURN; n++) {

        rc = ngx_realtime_ring_read(ring, ngx_realtime_slot, &rec, bus->buf,
                                    sizeof(bus->buf));

        if (rc == NGX_DONE) {
            return NGX_OK;
        }

        if (rc == NGX_ABORT) {
            ngx_realtime_count(bus_gaps);
            ngx_realtime_bus_forget(&bus->partial[from]);

            ngx_log_error(NGX_LOG_WARN, bus->log, 0,
                          "realtime: this worker was too slow, messages of "
                          "slot %ui are lost, its clients are closed to "
                          "refetch", from);
            bus->gap();
            continue;
        }

        ngx_realtime_bus_origin.from = from;
        ngx_realtime_bus_origin.position =
            ngx_realtime_ring_began(ring, ngx_realtime_slot, &rec);
        ngx_realtime_bus_origin.readers = rec.readers;

        ngx_realtime_bus_dispatch(from, &rec);
    }

    return NGX_AGAIN;
}


static void
ngx_realtime_bus_dispatch(ngx_uint_t from, ngx_realtime_ring_record_t *rec)
{
    ngx_realtime_bus_t          *bus;
    ngx_realtime_bus_partial_t  *part;

    bus = &ngx_realtime_bus;
    part = &bus->partial[from];

    if (rec->type >= NGX_REALTIME_BUS_MAX || bus->handlers[rec->type] == NULL)
    {
        /* of a worker that runs newer code: nobody here can be meant */
        return;
    }

    if (rec->flags & NGX_REALTIME_BUS_FIRST) {

        /* what an earlier owner of the slot left unfinished */
        ngx_realtime_bus_forget(part);

        if (!(rec->flags & NGX_REALTIME_BUS_MORE)) {
            ngx_realtime_count(bus_received);
            bus->handlers[rec->type](from, bus->buf, rec->len);
            return;
        }

    } else if (part->data == NULL) {
        /* its beginning fell into a gap */
        return;
    }

    if (ngx_realtime_bus_collect(part, bus->buf, rec->len) != NGX_OK) {
        ngx_realtime_bus_forget(part);
        bus->gap();
        return;
    }

    if (rec->flags & NGX_REALTIME_BUS_MORE) {
        return;
    }

    ngx_realtime_count(bus_received);
    bus->handlers[rec->type](from, part->data, part->len);
    ngx_realtime_bus_forget(part);
}


static ngx_int_t
ngx_realtime_bus_collect(ngx_realtime_bus_partial_t *part, u_char *data,
    size_t len)
{
    u_char  *p;
    size_t   size;

    if (part->size - part->len < len) {

        size = ngx_max(part->size * 2, part->len + len);

        p = ngx_alloc(size, ngx_realtime_bus.log);
        if (p == NULL) {
            return NGX_ERROR;
        }

        if (part->len) {
            ngx_memcpy(p, part->data, part->len);
        }

        ngx_free(part->data);

        part->data = p;
        part->size = size;
    }

    ngx_memcpy(part->data + part->len, data, len);
    part->len += len;

    return NGX_OK;
}


static void
ngx_realtime_bus_forget(ngx_realtime_bus_partial_t *part)
{
    if (part->data) {
        ngx_free(part->data);
        ngx_memzero(part, sizeof(ngx_realtime_bus_partial_t));
    }
}
