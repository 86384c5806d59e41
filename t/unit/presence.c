
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The table of users of src/room: how many sockets, what others are told, who
 * has to go when it is full; and several workers at it at once, with one that
 * dies.
 */


#include "zone.h"

#include "ngx_realtime_counter.h"
#include "ngx_realtime_presence.h"

#include <ngx_md5.h>


#define ZONE     (8 * 1024 * 1024)
#define USERS    2048              /* places, of a zone of this size */
#define GRACE    10

#define ANN      "018f4d1e-7c00-7000-8000-00000000000a"
#define BOB      "018f4d1e-7c00-7000-8000-00000000000b"


typedef ngx_realtime_presence_view_t  view_t;


ngx_slab_pool_t         *ngx_realtime_zone_pool;
uint64_t                *ngx_realtime_counters;
ngx_uint_t               ngx_exiting;

static uint64_t          counters[NGX_REALTIME_C_MAX];
static int              *mutex;            /* shared */


void
ngx_shmtx_lock(ngx_shmtx_t *mtx)
{
    int  nobody;

    do {
        nobody = 0;
    } while (!__atomic_compare_exchange_n(mutex, &nobody, (int) getpid(), 0,
                                          __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));
}


void
ngx_shmtx_unlock(ngx_shmtx_t *mtx)
{
    __atomic_store_n(mutex, 0, __ATOMIC_SEQ_CST);
}


/* any digest does */

void
ngx_md5_init(ngx_md5_t *ctx)
{
    ctx->bytes = 0;
    ctx->a = 2166136261u;
}


void
ngx_md5_update(ngx_md5_t *ctx, const void *data, size_t size)
{
    ctx->bytes += size;
    ctx->a = ngx_murmur_hash2((u_char *) data, size) ^ ctx->a;
}


void
ngx_md5_final(u_char result[16], ngx_md5_t *ctx)
{
    memset(result, 0, 16);
    memcpy(result, &ctx->a, 4);
    memcpy(result + 8, &ctx->bytes, 8);
}


static void
worker(ngx_uint_t slot)
{
    ngx_realtime_slot = slot;
    __atomic_fetch_or(&ngx_realtime_zone_sh->live, ngx_realtime_slot_bit(slot),
                      __ATOMIC_SEQ_CST);

    if (ngx_realtime_presence_init(&zone_cycle, GRACE) != NGX_OK) {
        abort();
    }
}


static void
new_table(void)
{
    zone_new(ZONE);

    mutex = ngx_slab_calloc(NULL, sizeof(int));
    ngx_realtime_zone_pool = ngx_slab_calloc(NULL, sizeof(ngx_slab_pool_t));
    ngx_realtime_counters = counters;
    memset(counters, 0, sizeof(counters));
    ngx_exiting = 0;

    if (ngx_realtime_presence_create(ngx_realtime_zone_sh, NULL, &zone_log)
        != NGX_OK)
    {
        abort();
    }

    worker(0);
}


static ngx_str_t
name(const char *text)
{
    ngx_str_t  s = { strlen(text), (u_char *) text };

    return s;
}


/* one of any number of users, with an id of version 7 */

static ngx_str_t
numbered(ngx_uint_t i)
{
    static char  text[37];

    sprintf(text, "018f4d1e-7c00-7000-8000-%012lx", (unsigned long) i);

    return name(text);
}


static uint32_t
enter(const char *text)
{
    ngx_str_t  user = name(text);

    return ngx_realtime_presence_enter(&user);
}


static view_t
look(const char *text)
{
    view_t     view;
    ngx_str_t  user = name(text);

    ngx_realtime_presence_of(&user, &view);

    return view;
}


static ngx_uint_t
sockets(const char *text)
{
    ngx_str_t  user = name(text);

    return ngx_realtime_presence_sockets(&user);
}


/* a second passes: how many are due, and the first of them */

static ngx_uint_t
sweep(u_char *id)
{
    u_char      ids[16 * NGX_REALTIME_PRESENCE_ID];
    ngx_uint_t  n;

    n = ngx_realtime_presence_due(ids, 16, 1);

    if (n && id) {
        memcpy(id, ids, NGX_REALTIME_PRESENCE_ID);
    }

    return n;
}


static void
tell(uint32_t place)
{
    u_char                     id[NGX_REALTIME_PRESENCE_ID];

    (void) ngx_realtime_presence_settle(place);

    /* the id of ann, as its bytes */
    memcpy(id, "\x01\x8f\x4d\x1e\x7c\x00\x70\x00"
               "\x80\x00\x00\x00\x00\x00\x00\x0a", sizeof(id));

    ngx_realtime_presence_is_told(id);
}


static void
test_sockets(void)
{
    pid_t       pid;
    uint32_t    places[40];
    ngx_uint_t  i, ok;

    new_table();

    tap_ok(sockets(ANN) == 0, "nobody is here");
    tap_ok(look(ANN).state == NGX_REALTIME_PRESENCE_OFFLINE, "nor known");

    ok = 1;

    for (i = 0; i < 40; i++) {
        places[i] = enter(i % 2 ? ANN : "018F4D1E-7C00-7000-8000-00000000000A");
        ok &= places[i] == places[0] && sockets(ANN) == i + 1;
    }

    tap_ok(ok, "forty sockets are one user, counted one by one");
    tap_ok(ngx_realtime_presence_count() == 1, "one user");

    zone_fork(pid, {
        worker(1);
        _exit(sockets(ANN) == 15 && sockets("ann") == 0 ? 0 : 1);
    });
    tap_ok(zone_wait(pid) == 0, "another worker counts them up to 15");

    for (i = 39; i > 0; i--) {
        ngx_realtime_presence_leave(places[i]);
        ok &= sockets(ANN) == i;
    }

    tap_ok(ok && look(ANN).state == NGX_REALTIME_PRESENCE_ONLINE,
           "the last one is still here");

    ngx_realtime_presence_leave(places[0]);
    ngx_realtime_presence_leave(0);

    tap_ok(sockets(ANN) == 0 && look(ANN).left == 1000
           && ngx_realtime_presence_count() == 0,
           "then he has left, and when");

    tap_ok(enter("ann") && enter("Ann") && sockets("ann") == 1
           && sockets("Ann") == 1 && sockets("AnN") == 0,
           "other ids than UUIDs are taken as they are");
}


static void
test_states(void)
{
    view_t                        view;
    uint32_t                      place;
    ngx_realtime_presence_seen_t  seen[4];

    new_table();

    place = enter(ANN);

    tap_ok(look(ANN).told == NGX_REALTIME_PRESENCE_OFFLINE, "not told yet");
    tap_ok(ngx_realtime_presence_settle(place) == 1
           && look(ANN).told == NGX_REALTIME_PRESENCE_ONLINE,
           "who comes is online");
    tap_ok(ngx_realtime_presence_settle(place) == 0, "told once");

    ngx_realtime_presence_say(place, NGX_REALTIME_PRESENCE_BUSY);
    tap_ok(ngx_realtime_presence_settle(place) == 1
           && look(ANN).told == NGX_REALTIME_PRESENCE_BUSY, "busy");

    zone_clock(1005);
    ngx_realtime_presence_say(place, NGX_REALTIME_PRESENCE_INVISIBLE);

    tap_ok(ngx_realtime_presence_settle(place) == 1, "invisible");

    view = look(ANN);
    tap_ok(view.told == NGX_REALTIME_PRESENCE_OFFLINE
           && view.state == NGX_REALTIME_PRESENCE_INVISIBLE
           && view.seen == 1005 && view.sockets == 1,
           "is offline for others, since now");

    tap_ok(ngx_realtime_presence_unsaved(seen, 4) == 1
           && seen[0].seen == 1005, "which is to be saved");

    seen[0].seen = 1004;
    ngx_realtime_presence_is_saved(&seen[0]);
    tap_ok(ngx_realtime_presence_unsaved(seen, 4) == 1,
           "an older time was saved: this one is not");

    ngx_realtime_presence_is_saved(&seen[0]);
    tap_ok(ngx_realtime_presence_unsaved(seen, 4) == 0, "saved");
}


static void
test_grace(void)
{
    u_char                        id[NGX_REALTIME_PRESENCE_ID];
    uint32_t                      place;
    ngx_realtime_presence_seen_t  seen[4];

    new_table();

    place = enter(ANN);
    tell(place);
    tap_ok(sweep(NULL) == 0, "told: nothing is due");

    ngx_realtime_presence_say(place, NGX_REALTIME_PRESENCE_AWAY);
    tell(place);

    zone_clock(2000);
    ngx_realtime_presence_leave(place);

    zone_clock(2000 + GRACE);
    tap_ok(sweep(NULL) == 0, "within the grace nobody is told");

    place = enter(ANN);
    tap_ok(ngx_realtime_presence_settle(place) == 0
           && look(ANN).state == NGX_REALTIME_PRESENCE_AWAY,
           "who is back by then was never gone, and says what he said");

    zone_clock(3000);
    ngx_realtime_presence_leave(place);
    zone_clock(3001 + GRACE);

    tap_ok(sweep(id) == 1 && id[15] == 0x0a
           && look(ANN).told == NGX_REALTIME_PRESENCE_OFFLINE
           && look(ANN).seen == 3000,
           "after it he is offline, since he left");
    tap_ok(ngx_realtime_presence_unsaved(seen, 4) == 1 && seen[0].seen == 3000,
           "and this is to be saved");

    ngx_realtime_presence_is_told(id);
    tap_ok(sweep(NULL) == 0, "told once");

    zone_clock(4000);
    place = enter(ANN);
    tap_ok(look(ANN).state == NGX_REALTIME_PRESENCE_ONLINE
           && ngx_realtime_presence_settle(place) == 1,
           "a later visit starts anew");
}


/* what could not be told, or not be known to have been told, comes again */

static void
test_again(void)
{
    u_char      id[NGX_REALTIME_PRESENCE_ID];
    uint32_t    place;
    ngx_uint_t  i, n;

    new_table();

    place = enter(ANN);
    (void) ngx_realtime_presence_settle(place);

    for (i = 1, n = 0; i <= 7; i++) {
        n = sweep(id);

        if (n) {
            break;
        }
    }

    tap_ok(n == 1 && i == 7, "nobody said that it was told: again");

    ngx_realtime_presence_is_untold(id);

    for (i = 1; i < 4; i++) {
        n = sweep(NULL);
    }

    tap_ok(n == 0 && sweep(NULL) == 1, "it could not be told: again");

    ngx_realtime_presence_is_told(id);

    zone_clock(2000);
    ngx_realtime_presence_leave(place);
    zone_clock(2001 + GRACE);
    (void) sweep(NULL);
    ngx_realtime_presence_is_told(id);

    place = enter(ANN);
    (void) ngx_realtime_presence_settle(place);
    ngx_realtime_presence_is_told(id);

    tap_ok(sweep(NULL) == 1, "back in the moment of being offline: repeated");
    ngx_realtime_presence_is_told(id);
    tap_ok(sweep(NULL) == 0, "once");
}


/* who has to go: nobody who is here, and of the others who is saved first */

static void
test_full(void)
{
    ngx_str_t                     user;
    ngx_uint_t                    i, in, refused, here;
    static uint32_t               places[2 * USERS];
    u_char                        ids[16 * NGX_REALTIME_PRESENCE_ID];
    view_t                        view;
    ngx_realtime_presence_seen_t  seen[1];

    new_table();

    in = refused = 0;

    for (i = 0; i < 2 * USERS; i++) {
        user = numbered(i);
        places[i] = ngx_realtime_presence_enter(&user);
        in += places[i] != 0;
        refused += places[i] == 0;
    }

    tap_ok(in <= USERS && in > USERS * 9 / 10 && in + refused == 2 * USERS
           && counters[NGX_REALTIME_C_presence_full] == refused,
           "a full table refuses, and counts: %lu in", (unsigned long) in);

    here = 0;

    for (i = 0; i < 2 * USERS; i++) {
        user = numbered(i);
        here += ngx_realtime_presence_sockets(&user);
    }

    tap_ok(here == in && ngx_realtime_presence_count() == in,
           "and forgets nobody who is here");

    /* two leave: of one is to be saved when, of the other nothing is */

    for (i = 0; i < 2 * USERS; i++) {
        if (places[i] == 0) {
            continue;
        }

        if (i % 2) {
            (void) ngx_realtime_presence_settle(places[i]);
        }
    }

    zone_clock(2000);

    for (i = 0; i < 2 * USERS; i++) {
        if (places[i]) {
            ngx_realtime_presence_leave(places[i]);
        }
    }

    in = 0;

    for (i = 0; i < USERS / 4; i++) {
        user = numbered(10 * USERS + i);
        in += ngx_realtime_presence_enter(&user) != 0;
    }

    here = 0;

    for (i = 1; i < 2 * USERS; i += 2) {
        user = numbered(i);
        ngx_realtime_presence_of(&user, &view);
        here += places[i] && view.told != NGX_REALTIME_PRESENCE_ONLINE;
    }

    tap_ok(in == USERS / 4 && here == 0,
           "who left makes room, but not who is still said to be online");

    zone_clock(2001 + GRACE);

    while (ngx_realtime_presence_due(ids, 16, 0)) {
        /* void */
    }

    tap_ok(ngx_realtime_presence_unsaved(seen, 1) == 1,
           "they have a last time to be saved");
}


static void
test_dead_worker(void)
{
    pid_t     pid;
    uint32_t  place;

    new_table();

    place = enter(ANN);
    tell(place);

    zone_fork(pid, {
        worker(1);
        (void) enter(ANN);
        (void) enter(BOB);
        (void) ngx_realtime_presence_settle(enter(BOB));
    });
    zone_wait(pid);

    tap_ok(sockets(ANN) == 2 && sockets(BOB) == 2, "a worker had sockets");

    zone_clock(1500);
    ngx_realtime_presence_forget_slot(1);

    tap_ok(sockets(ANN) == 1 && sockets(BOB) == 0,
           "it died: only its own are gone");
    tap_ok(look(BOB).left == 1500
           && look(BOB).told == NGX_REALTIME_PRESENCE_ONLINE,
           "whose users have the grace, from now");

    zone_clock(1501 + GRACE);
    tap_ok(sweep(NULL) == 1 && look(BOB).told == NGX_REALTIME_PRESENCE_OFFLINE
           && look(ANN).told == NGX_REALTIME_PRESENCE_ONLINE,
           "and then are offline");
}


static void
test_sweepers(void)
{
    pid_t  pid;

    new_table();

    zone_fork(pid, {
        worker(5);
        _exit(ngx_realtime_presence_sweeps() ? 1 : 0);
    });

    tap_ok(zone_wait(pid) == 0 && ngx_realtime_presence_sweeps(),
           "one worker sweeps");

    zone_fork(pid, {
        worker(5);
        ngx_realtime_zone_sh->live &= ~ngx_realtime_slot_bit(0);
        _exit(ngx_realtime_presence_sweeps() ? 0 : 1);
    });
    tap_ok(zone_wait(pid) == 0, "another one does if it is gone");

    ngx_realtime_zone_sh->live |= ngx_realtime_slot_bit(0);
    ngx_exiting = 1;
    tap_ok(!ngx_realtime_presence_sweeps(), "not one that exits");
    ngx_exiting = 0;
    tap_ok(!ngx_realtime_presence_sweeps(), "it has passed that on");
}


/* nginx quits: nobody is left to sweep, and no grace is waited for */

static void
test_end(void)
{
    pid_t                         pid;
    uint32_t                      place;
    ngx_realtime_presence_seen_t  seen[4];

    new_table();

    place = enter(ANN);
    tell(place);

    zone_fork(pid, worker(1));
    zone_wait(pid);

    ngx_exiting = 1;
    tap_ok(!ngx_realtime_presence_ends(), "another worker is there: no end");

    ngx_realtime_presence_end();
    tap_ok(look(ANN).told == NGX_REALTIME_PRESENCE_ONLINE,
           "who is here stays whatever comes");

    ngx_realtime_zone_sh->live &= ~ngx_realtime_slot_bit(1);
    ngx_realtime_presence_leave(place);
    tap_ok(ngx_realtime_presence_ends(), "the last one exits");

    ngx_realtime_presence_end();
    tap_ok(look(ANN).told == NGX_REALTIME_PRESENCE_OFFLINE
           && ngx_realtime_presence_unsaved(seen, 4) == 1
           && seen[0].seen == 1000,
           "all are offline since they left");
}


/*
 * Workers come and go with few places for many users, while others look: who
 * is found has his own sockets, of which there are at most WORKERS.
 */

#define WORKERS  4
#define ROUNDS   20000
#define CROWD    4000

static void
come_and_go(ngx_uint_t slot)
{
    uint32_t    seed, places[8];
    ngx_str_t   user;
    ngx_uint_t  i;

    worker(slot);
    seed = slot + 1;
    memset(places, 0, sizeof(places));

    for (i = 0; i < ROUNDS; i++) {
        ngx_realtime_presence_leave(places[i % 8]);

        /* eight in a row are different users */
        user = numbered(zone_random(&seed) % (CROWD / 8) * 8 + i % 8);
        places[i % 8] = ngx_realtime_presence_enter(&user);
    }

    for (i = 0; i < 8; i++) {
        ngx_realtime_presence_leave(places[i]);
    }
}


static void
look_on(void)
{
    view_t      view;
    uint32_t    seed;
    ngx_str_t   user;
    ngx_uint_t  i;

    worker(WORKERS);
    seed = 77;

    for (i = 0; i < 10 * ROUNDS; i++) {
        user = numbered(zone_random(&seed) % CROWD);
        ngx_realtime_presence_of(&user, &view);

        if (view.sockets > WORKERS) {
            _exit(1);
        }
    }
}


static void
test_race(void)
{
    pid_t       pids[WORKERS + 1];
    ngx_str_t   user;
    ngx_uint_t  i, bad, left;

    new_table();

    for (i = 0; i < WORKERS; i++) {
        zone_fork(pids[i], come_and_go(i));
    }

    zone_fork(pids[WORKERS], look_on());

    bad = 0;

    for (i = 0; i <= WORKERS; i++) {
        bad += zone_wait(pids[i]) != 0;
    }

    tap_ok(bad == 0, "nobody is seen with the sockets of another");

    left = 0;

    for (i = 0; i < CROWD; i++) {
        user = numbered(i);
        left += ngx_realtime_presence_sockets(&user);
    }

    tap_ok(left == 0 && ngx_realtime_presence_count() == 0,
           "and all have left in the end");
}


int
main(void)
{
    test_sockets();
    test_states();
    test_grace();
    test_again();
    test_full();
    test_dead_worker();
    test_sweepers();
    test_end();
    test_race();

    return tap_done();
}
