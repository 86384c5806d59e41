
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The history of src/room in several processes: the order of a chain, blocks
 * used again and again while they are read, writers killed at any moment.
 */


#include "history.h"


/* a ticket before, a ticket after: who was linked earlier began earlier */

#define WRITERS  4
#define EVENTS   4000

typedef struct {
    uint64_t    ticket;
    uint64_t    before[WRITERS][EVENTS];
    uint64_t    after[WRITERS][EVENTS];
} tickets_t;


static void
order_writer(tickets_t *t, uint32_t writer)
{
    uint32_t  n, seed;

    worker(writer + 1);
    seed = writer + 1;

    for (n = 0; n < EVENTS; n++) {
        t->before[writer][n] = __atomic_fetch_add(&t->ticket, 1,
                                                  __ATOMIC_SEQ_CST);
        (void) add(n % 3, writer, n, zone_random(&seed) % 100);

        t->after[writer][n] = __atomic_fetch_add(&t->ticket, 1,
                                                 __ATOMIC_SEQ_CST);
    }
}


static void
test_order(void)
{
    pid_t                  pids[WRITERS];
    int64_t                next[WRITERS];
    uint64_t               place;
    stamp_t                stamp, newer;
    tickets_t             *t;
    ngx_uint_t             i, room, n, ok, mixed, bad;
    ngx_realtime_entry_t   e;

    new_zone(4 * ZONE);
    t = zone_pages(sizeof(tickets_t), MAP_SHARED);

    for (i = 0; i < WRITERS; i++) {
        zone_fork(pids[i], order_writer(t, i));
    }

    bad = 0;

    for (i = 0; i < WRITERS; i++) {
        bad += zone_wait(pids[i]) != 0;
    }

    ok = (bad == 0);
    n = mixed = 0;

    for (room = 0; room < 3; room++) {

        for (i = 0; i < WRITERS; i++) {
            next[i] = EVENTS - 1;

            while (next[i] % 3 != (int64_t) room) {
                next[i]--;
            }
        }

        newer.writer = WRITERS;
        newer.n = 0;

        for (place = newest(room); place; place = e.previous) {

            if (ngx_realtime_history_read(place, &e) != NGX_OK
                || !is_whole(&e, place, &stamp) || stamp.writer >= WRITERS
                || stamp.n != next[stamp.writer])
            {
                ok = 0;
                break;
            }

            if (newer.writer != WRITERS) {
                mixed += newer.writer != stamp.writer;
                ok &= t->before[stamp.writer][stamp.n]
                      < t->after[newer.writer][newer.n];
            }

            next[stamp.writer] -= 3;
            newer = stamp;
            n++;
        }
    }

    tap_ok(ok, "each link leads to an older event, and no event is skipped");
    tap_ok(n == WRITERS * EVENTS, "every event of %d writers is on a chain",
           WRITERS);
    tap_ok(mixed > 0, "their chains are mixed");
}


/*
 * Round and round.  Writers note the places that they have been given, and
 * readers ask for these, most of all for those that are about to go.
 */

#define NOTED   65536

typedef struct {
    uint64_t    noted[NOTED];
    uint64_t    n;                         /* atomic */
    uint64_t    stop;
    uint64_t    read[8];                   /* per reader */
    uint64_t    declined[8];
    uint64_t    bad[8];
    uint64_t    walked[8];
} rounds_t;


static void
round_writer(rounds_t *r, uint32_t slot, uint32_t seed)
{
    uint32_t  n;
    uint64_t  place;

    worker(slot);

    for (n = 0; !__atomic_load_n(&r->stop, __ATOMIC_RELAXED); n++) {
        place = add(zone_random(&seed) % 5, slot, n,
                    zone_random(&seed) % 64 ? zone_random(&seed) % 400
                                            : zone_random(&seed) % 20000);

        __atomic_store_n(&r->noted[__atomic_fetch_add(&r->n, 1,
                                                      __ATOMIC_SEQ_CST)
                                   % NOTED],
                         place, __ATOMIC_RELEASE);
    }
}


static void
round_read(rounds_t *r, ngx_uint_t i, uint64_t place, uint64_t *previous)
{
    stamp_t               stamp;
    ngx_realtime_entry_t  e;

    *previous = 0;

    if (ngx_realtime_history_read(place, &e) != NGX_OK) {
        r->declined[i]++;
        return;
    }

    if (!is_whole(&e, place, &stamp)) {
        r->bad[i]++;
        return;
    }

    r->read[i]++;
    *previous = e.previous;
}


static void
round_reader(rounds_t *r, ngx_uint_t i)
{
    uint32_t    seed;
    uint64_t    place, previous, n, lag;
    ngx_uint_t  steps;

    worker(40 + i);
    seed = i + 1;
    lag = 1000;

    while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {

        /* the distance at which half of them are gone */

        n = __atomic_load_n(&r->n, __ATOMIC_ACQUIRE);
        place = r->noted[(n - 1 - lag - zone_random(&seed) % 64) % NOTED];

        if (n > lag + 64 && place) {
            n = r->declined[i];
            round_read(r, i, place, &previous);

            if (r->declined[i] > n) {
                lag -= (lag > 100) ? 7 : 0;

            } else if (lag < NOTED / 2) {
                lag += 7;
            }
        }

        if (zone_random(&seed) % 512) {
            continue;
        }

        /* a chain, to its end or to where it is overwritten */

        for (place = newest(zone_random(&seed) % 5), steps = 0;
             place && steps < 100000;
             place = previous, steps++)
        {
            round_read(r, i, place, &previous);
        }

        r->walked[i]++;
    }
}


static void
test_rounds(void)
{
    pid_t        pids[6];
    uint64_t     read, declined, bad, walked;
    rounds_t    *r;
    ngx_uint_t   i, died;

    new_zone(ZONE);
    r = zone_pages(sizeof(rounds_t), MAP_SHARED);

    for (i = 0; i < 3; i++) {
        zone_fork(pids[i], round_writer(r, i + 1, i + 1));
        zone_fork(pids[3 + i], round_reader(r, i));
    }

    sleep(3);
    r->stop = 1;

    died = 0;

    for (i = 0; i < 6; i++) {
        died += zone_wait(pids[i]) != 0;
    }

    read = declined = bad = walked = 0;

    for (i = 0; i < 3; i++) {
        read += r->read[i];
        declined += r->declined[i];
        bad += r->bad[i];
        walked += r->walked[i];
    }

    printf("# %d events, %d read, %d declined, %d walks\n", (int) r->n,
           (int) read, (int) declined, (int) walked);

    tap_ok(died == 0 && newest(0) > (uint64_t) 4 * BLOCK * BLOCKS,
           "three writers go round several times");
    tap_ok(read > 1000 && declined > 100 && walked > 10,
           "three readers follow them, and are late");
    tap_ok(bad == 0, "and read no event that is not that of its place");
}


/*
 * A block used again in the middle of a copy: the page that the reader copies
 * to is forbidden, and the handler of the fault lets another worker write.
 */

static ngx_uint_t  torn;


static void
torn_writer(void)
{
    uint32_t  n;

    worker(9);

    for (n = 0; n < 2 * BLOCKS; n++) {
        (void) add(2, 9, n, BLOCK / 2);
    }
}


static void
torn_fault(int sig)
{
    pid_t  pid;

    mprotect(zone_buf, BLOCK, PROT_READ|PROT_WRITE);
    torn++;

    zone_fork(pid, torn_writer());
    zone_wait(pid);
}


static void
test_torn(void)
{
    uint64_t               place;
    ngx_int_t              rc;
    struct sigaction       sa, old;
    ngx_realtime_entry_t   e;

    new_zone(ZONE);
    place = add(1, 0, 1, 1000);

    /* let go of the block, or nobody would write there */

    ngx_realtime_history_forget_slot(0);

    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = torn_fault;
    sa.sa_flags = SA_NODEFER;
    sigaction(SIGSEGV, &sa, &old);

    mprotect(zone_buf, BLOCK, PROT_NONE);

    rc = ngx_realtime_history_read(place, &e);

    sigaction(SIGSEGV, &old, NULL);

    tap_ok(torn == 1, "an event is overwritten while it is copied");
    tap_ok(rc == NGX_DECLINED, "the copy is not believed");
}


/* writers killed at any moment, and their successors */

static void
test_killed(void)
{
    pid_t        pid, steady;
    uint32_t     seed;
    uint64_t     place, previous;
    rounds_t    *r;
    ngx_uint_t   i, steps;

    new_zone(ZONE);
    r = zone_pages(sizeof(rounds_t), MAP_SHARED);
    seed = 99;

    zone_fork(steady, round_writer(r, 1, 1));

    for (i = 0; i < 150; i++) {
        zone_fork(pid, round_writer(r, 2, i + 2));
        usleep(500 + zone_random(&seed) % 15000);
        kill(pid, SIGKILL);
        zone_wait(pid);

        ngx_realtime_history_forget_slot(2);

        for (place = newest(i % 5), steps = 0;
             place && steps < 2000;
             place = previous, steps++)
        {
            round_read(r, 0, place, &previous);
        }
    }

    r->stop = 1;
    tap_ok(zone_wait(steady) == 0, "150 writers of one slot killed");
    tap_ok(r->read[0] > 1000 && r->bad[0] == 0,
           "leave whole events on the chains");
}


int
main(void)
{
    test_order();
    test_rounds();
    test_torn();
    test_killed();

    return tap_done();
}
