
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The records of src/session: their states, the list, and who may do what
 * while another worker takes over, dies, or moves a session.
 */


#include "records.h"


#define RECORDS  (RECORDS_ZONE / 64 * 9 / sizeof(ngx_realtime_record_t))


static ngx_realtime_record_t *
record_of(ngx_realtime_socket_t *sk)
{
    return sk->record;
}


static ngx_uint_t
kind(ngx_realtime_record_t *rec)
{
    return ngx_realtime_record_kind(ngx_realtime_record_load(rec));
}


static ngx_uint_t
has(ngx_realtime_record_t *rec, uint64_t place)
{
    return ngx_realtime_record_has(rec, ngx_realtime_history_shorten(place));
}


/* what a worker does that the client has come back to */

static ngx_realtime_socket_t *
take_over(ngx_realtime_record_t *rec, records_session_t *rs)
{
    ngx_realtime_socket_t    *sk;
    ngx_realtime_identity_t   id;

    id = records_user("ann");
    sk = ngx_realtime_socket_create(&rs->session, &records_nsp, &id, rec->sid);

    while (ngx_realtime_record_take(rec, ngx_realtime_record_load(rec), sk)
           != NGX_OK)
    {
        /* void */
    }

    return sk;
}


/* nobody is told that it is LIVE before it is expected, nor after */

static ngx_uint_t  hook_live;

static void
hook(int32_t by)
{
    ngx_uint_t  i;

    for (i = 0; i < RECORDS; i++) {
        hook_live += kind(&ngx_realtime_records.first[i])
                     == NGX_REALTIME_RECORD_LIVE;
    }
}


static void
test_states(void)
{
    u_char                  pid[NGX_REALTIME_PID_LEN], secret[12], *p;
    ngx_str_t               text;
    records_session_t      *rs;
    ngx_realtime_socket_t  *sk;
    ngx_realtime_record_t  *rec;

    records_zone(RECORDS_ZONE);
    rs = records_session();

    records_hook = hook;
    sk = records_socket(rs, "ann");
    records_hook = NULL;

    rec = record_of(sk);

    tap_ok(rec && kind(rec) == NGX_REALTIME_RECORD_LIVE
           && *records_expected == 1,
           "a socket has a record, and is expected");
    tap_ok(hook_live == 0, "expected before it is there");

    p = ngx_realtime_recovery_pid(sk, pid);
    text.data = pid;
    text.len = p - pid;

    tap_ok(text.len == NGX_REALTIME_PID_LEN
           && ngx_realtime_record_of_pid(&text, secret) == rec
           && memcmp(secret, rec->secret, sizeof(secret)) == 0,
           "its pid leads to it");

    text.len--;
    tap_ok(ngx_realtime_record_of_pid(&text, secret) == NULL, "all of it");

    text.len++;
    memcpy(pid, "____", 4);
    tap_ok(ngx_realtime_record_of_pid(&text, secret) == NULL,
           "the number of no record leads nowhere");

    tap_ok(records_note(sk, 0) == NGX_OK && !has(rec, 0)
           && records_note(sk, 4096) == NGX_OK && has(rec, 4096)
           && !has(rec, 4104),
           "an event with a place is noted");

    ngx_realtime_recovery_detach(sk);

    tap_ok(sk->record == NULL && kind(rec) == NGX_REALTIME_RECORD_AWAY
           && has(rec, 4096) && rec->seen == 1000 && *records_expected == 1
           && !ngx_realtime_record_is_free(rec, rec->state),
           "away, it is expected still");

    zone_clock(1120);
    tap_ok(!ngx_realtime_record_is_free(rec, rec->state), "for its time");

    zone_clock(1121);
    tap_ok(ngx_realtime_record_is_free(rec, rec->state), "and not longer");

    sk = records_socket(rs, "bob");
    rec = record_of(sk);
    ngx_realtime_recovery_end(sk);

    tap_ok(kind(rec) == NGX_REALTIME_RECORD_FREE && sk->record == NULL
           && *records_expected == 1,
           "who has ended is not expected");
    tap_ok(records_note(sk, 8192) == NGX_OK && !has(rec, 8192),
           "and goes on without a record");

    rs->conf.recovery = 0;
    sk = records_socket(rs, "cid");
    tap_ok(sk->record == NULL && *records_expected == 1,
           "without recovery there is none");
}


static void
test_list(void)
{
    uint64_t                i;
    ngx_uint_t              ok;
    ngx_realtime_socket_t  *sk;
    ngx_realtime_record_t  *rec;

    records_zone(RECORDS_ZONE);
    sk = records_socket(records_session(), "ann");
    rec = record_of(sk);
    ok = 1;

    for (i = 1; i <= 1000; i++) {
        ok &= records_note(sk, i * 8) == NGX_OK && has(rec, i * 8)
              && (i <= 127 || (has(rec, (i - 126) * 8)
                               && !has(rec, (i - 127) * 8)));
    }

    tap_ok(ok, "the list has the last 127, whatever came before");

    /* near the end of what the count can say */

    sk->record->state |= NGX_REALTIME_RECORD_COUNT - 200;

    for (i = 2001; i <= 2600; i++) {
        ok &= records_note(sk, i * 8) == NGX_OK && has(rec, i * 8)
              && (i <= 2127 || (has(rec, (i - 126) * 8)
                                && !has(rec, (i - 127) * 8)));
    }

    tap_ok(ok, "also after four billion events");
}


/* the record has come round to somebody else between a look and a grasp */

static void
test_exchanged(void)
{
    uint64_t                 state;
    ngx_uint_t               i;
    records_session_t       *rs;
    ngx_realtime_socket_t   *sk, thief;
    ngx_realtime_record_t   *rec;

    records_zone(RECORDS_ZONE);
    rs = records_session();

    sk = records_socket(rs, "ann");
    rec = record_of(sk);
    state = ngx_realtime_record_load(rec);
    ngx_realtime_recovery_end(sk);

    for (i = 0; i < 100000; i++) {
        sk = records_socket(rs, "bob");

        if (record_of(sk) == rec) {
            break;
        }

        ngx_realtime_socket_destroy(sk);
        zone_clock(zone_time.sec + 121);
    }

    tap_ok(record_of(sk) == rec && kind(rec) == NGX_REALTIME_RECORD_LIVE,
           "a record goes round");
    tap_ok(ngx_realtime_record_take(rec, state, &thief) == NGX_DECLINED
           && records_note(sk, 8) == NGX_OK,
           "who has seen it before does not get it");
}


static void
test_take(void)
{
    uint32_t                number;
    records_session_t      *here, *there;
    ngx_realtime_socket_t  *sk, *new;
    ngx_realtime_record_t  *rec;

    records_zone(RECORDS_ZONE);
    here = records_session();
    there = records_session();

    sk = records_socket(here, "ann");
    rec = record_of(sk);
    number = ngx_realtime_record_number(rec);
    (void) records_note(sk, 8);

    /* by another worker: what this one knows of its own sockets, it keeps */

    ngx_realtime_slot = 1;
    new = take_over(rec, there);
    ngx_realtime_slot = 0;
    ngx_realtime_records.sockets[number] = sk;

    tap_ok(records_note(sk, 16) == NGX_DECLINED && !has(rec, 16),
           "the old owner sends nothing more");
    tap_ok(records_note(new, 24) == NGX_OK && has(rec, 8) && has(rec, 24),
           "the new one goes on in the list");

    records_told(1, (u_char *) &number, sizeof(number));
    tap_ok(here->closed && kind(rec) == NGX_REALTIME_RECORD_LIVE
           && records_note(new, 32) == NGX_OK,
           "told, the old owner closes, and leaves the record alone");

    /* by the same worker */

    sk = new;
    here = records_session();
    new = take_over(rec, here);

    tap_ok(records_note(sk, 40) == NGX_DECLINED
           && records_note(new, 48) == NGX_OK && !has(rec, 40),
           "the same within a worker");

    ngx_realtime_recovery_detach(sk);
    tap_ok(ngx_realtime_records.sockets[number] == new
           && kind(rec) == NGX_REALTIME_RECORD_LIVE,
           "whose old socket is not in the way");

    number = 0xffffff;
    records_told(1, (u_char *) &number, sizeof(number));
    records_told(1, (u_char *) &number, 2);
    tap_ok(here->closed == NULL, "what makes no sense closes nothing");
}


static void
test_move(void)
{
    uint32_t                number;
    uint64_t                owner;
    ngx_uint_t              slot;
    records_session_t      *from, *to, *back;
    ngx_realtime_socket_t  *sk, *moved, *returned;
    ngx_realtime_record_t  *rec;
    ngx_realtime_identity_t id;

    records_zone(RECORDS_ZONE);
    from = records_session();
    to = records_session();
    id = records_user("ann");

    sk = records_socket(from, "ann");
    rec = record_of(sk);
    (void) records_note(sk, 8);

    ngx_realtime_recovery_leave(sk);
    number = ngx_realtime_recovery_number(sk);
    owner = sk->owner;

    tap_ok(kind(rec) == NGX_REALTIME_RECORD_AWAY && rec->seen == 1000
           && number == ngx_realtime_record_number(rec) + 1,
           "who moves is away");

    zone_clock(1009);
    ngx_realtime_recovery_detach(sk);
    tap_ok(rec->seen == 1000,
           "and does not get more at the worker that it came from");

    ngx_realtime_slot = 1;
    moved = ngx_realtime_socket_create(&to->session, &records_nsp, &id,
                                       rec->sid);
    tap_ok(ngx_realtime_recovery_adopt(moved, number, owner) == NGX_OK
           && moved->record == rec && kind(rec) == NGX_REALTIME_RECORD_LIVE
           && records_note(moved, 16) == NGX_OK && has(rec, 8),
           "until it is there");

    tap_ok(ngx_realtime_recovery_adopt(moved, 0, 0) == NGX_OK
           && ngx_realtime_recovery_adopt(moved, 0xffffffff, owner)
              == NGX_DECLINED
           && ngx_realtime_recovery_adopt(moved, number, owner)
              == NGX_DECLINED,
           "once");

    /* the client gives up in the middle, and comes back elsewhere, or just to
       where it was */

    for (slot = 0; slot < 4; slot++) {

        ngx_realtime_slot = 1;
        sk = moved;
        number = ngx_realtime_recovery_number(sk);
        owner = sk->owner;

        if (slot & 1) {
            ngx_realtime_recovery_leave(sk);
        }

        ngx_realtime_slot = slot / 2;
        back = records_session();
        returned = take_over(rec, back);

        ngx_realtime_slot = 3;
        moved = ngx_realtime_socket_create(&to->session, &records_nsp, &id,
                                           rec->sid);

        tap_ok(ngx_realtime_recovery_adopt(moved, number, owner)
               == NGX_DECLINED
               && records_note(returned, 800 + 8 * slot) == NGX_OK,
               "a move that is too late takes nothing away");

        moved = returned;
    }
}


static void
test_dead(void)
{
    ngx_uint_t              n;
    records_session_t      *rs;
    ngx_realtime_socket_t  *live, *away, *other;
    ngx_realtime_record_t  *rec, *filling;

    records_zone(RECORDS_ZONE);
    rs = records_session();

    ngx_realtime_slot = 2;
    live = records_socket(rs, "ann");
    away = records_socket(rs, "bob");
    rec = record_of(away);
    ngx_realtime_recovery_detach(away);

    ngx_realtime_slot = 3;
    other = records_socket(rs, "cid");

    filling = &ngx_realtime_records.first[0];

    for (n = 0; filling->state; n++) {
        filling++;
    }

    filling->state = ngx_realtime_record_state(NGX_REALTIME_RECORD_FILLING,
                                               (uint64_t) 2 << 56, 0);

    ngx_realtime_zone_sh->slots[2].seen = 1050;
    zone_clock(1053);
    ngx_realtime_recovery_forget_slot(2);

    tap_ok(kind(record_of(live)) == NGX_REALTIME_RECORD_AWAY
           && record_of(live)->seen == 1050
           && record_of(live)->until == 1053 + 120,
           "a dead worker's sockets are away since it was well");
    tap_ok(records_note(live, 8) == NGX_DECLINED, "and nobody's");
    tap_ok(kind(rec) == NGX_REALTIME_RECORD_AWAY && rec->seen == 1000
           && rec->until == 1120, "who was away before is as before");
    tap_ok(kind(filling) == NGX_REALTIME_RECORD_FREE,
           "what it had just begun is free");
    tap_ok(records_note(other, 8) == NGX_OK
           && kind(record_of(other)) == NGX_REALTIME_RECORD_LIVE,
           "and others have not noticed");
}


/* stopped, a worker says what it knew when it had last read its rings */

static void
test_behind(void)
{
    ngx_realtime_socket_t  *sk;
    ngx_realtime_record_t  *rec;

    records_zone(RECORDS_ZONE);
    sk = records_socket(records_session(), "ann");
    rec = record_of(sk);

    ngx_realtime_zone_sh->slots[0].seen = 1001;
    records_behind = 1;
    zone_clock(1020);
    ngx_realtime_recovery_detach(sk);

    tap_ok(rec->seen == 1001 && rec->until == 1140,
           "who is behind with the bus does not vouch for the time since");
}


static void
test_full(void)
{
    ngx_uint_t               i, k, n, ok;
    records_session_t       *rs;
    ngx_realtime_socket_t  **sk, *more;

    records_zone(RECORDS_ZONE);
    rs = records_session();
    sk = calloc(10000, sizeof(ngx_realtime_socket_t *));

    /* it looks at some of the records only, and then gives up: tries once
       more for each */

    for (i = n = 0; i < 10000; i++) {
        sk[n] = records_socket(rs, "ann");
        n += sk[n]->record != NULL;
    }

    tap_ok(n == RECORDS && *records_expected == (int32_t) n,
           "%d sockets have a record", (int) n);
    tap_ok(records_counters[NGX_REALTIME_C_recovery_full] == 10000 - n,
           "the others have none, and are counted");
    tap_ok(records_note(sk[n], 8) == NGX_OK, "but get their events");

    for (i = 0; i < n; i++) {
        ngx_realtime_recovery_detach(sk[i]);
    }

    more = records_socket(rs, "bob");
    tap_ok(more->record == NULL, "those away have theirs");

    zone_clock(1121);
    ok = 1;

    for (i = k = 0; i < 10000; i++) {
        more = records_socket(rs, "bob");
        if (more->record == NULL) {
            continue;
        }

        k++;
        ok &= records_note(more, 8) == NGX_OK
              && ngx_realtime_record_count(more->record->state) == 1;
    }

    tap_ok(ok && k == n && *records_expected == (int32_t) n,
           "for their time; then all are given away again");
}


/*
 * Two workers, each noting as fast as it can until the other takes over: the
 * one who takes believes exactly what was noted, in the order in which it was.
 */

#define ROUNDS  6000

typedef struct {
    uint32_t    turn;                      /* atomic: round that is on */
    uint32_t    done;                      /* atomic: round whose old owner
                                              has noticed */
    uint32_t    nnoted;
    uint32_t    noted[1024];               /* the last that were sent */
    uint32_t    declined;                  /* and the one that was not */
    uint32_t    wrong;
    uint32_t    seen;                      /* declined ones in a cell */
} race_t;


static void
race_believed(race_t *race, ngx_realtime_record_t *rec, uint64_t old)
{
    uint64_t    i, first;
    uint32_t    n, place, *cell;
    ngx_uint_t  bad;

    bad = 0;
    first = ngx_realtime_record_oldest(old);
    n = ngx_realtime_record_count(old);

    if (n != race->nnoted) {
        bad = 1;
    }

    for (i = first; i < n; i++) {
        place = race->noted[i % 1024];
        bad |= rec->list[i % NGX_REALTIME_RECORD_LIST] != place
               || (i > first && !ngx_realtime_record_has(rec, place));
    }

    bad |= ngx_realtime_record_has(rec, race->declined);

    race->wrong += bad;

    for (cell = rec->list; cell < rec->list + NGX_REALTIME_RECORD_LIST; cell++)
    {
        race->seen += (*cell == race->declined);
    }
}


static void
race_worker(race_t *race, ngx_realtime_record_t *rec, uint32_t me)
{
    uint32_t                round, seed, spin, n;
    uint64_t                place, state;
    records_session_t      *rs;
    ngx_realtime_socket_t   sk;

    ngx_realtime_slot = me;
    rs = records_session();
    seed = me + 5;
    place = me * 8;                        /* short places of its own */

    memset(&sk, 0, sizeof(sk));
    sk.session = &rs->session;

    for (round = me; round < ROUNDS; round += 2) {

        while (__atomic_load_n(&race->turn, __ATOMIC_ACQUIRE) != round) {
            sched_yield();
        }

        for (spin = zone_random(&seed) % 4000; spin; spin--) {
            __asm__ volatile ("" ::: "memory");
        }

        do {
            state = ngx_realtime_record_load(rec);
        } while (ngx_realtime_record_take(rec, state, &sk) != NGX_OK);

        n = ngx_realtime_record_count(state);

        /* the first note may meet the last one of the old owner */

        if (round & 2) {
            place += 16;
            race->wrong += records_note(&sk, place) != NGX_OK;
        }

        while (__atomic_load_n(&race->done, __ATOMIC_ACQUIRE) != round) {
            sched_yield();
        }

        race_believed(race, rec, state);

        if (race->wrong) {
            _exit(1);
        }

        if (round & 2) {
            race->noted[n++ % 1024] = ngx_realtime_history_shorten(place);
        }

        __atomic_store_n(&race->turn, round + 1, __ATOMIC_RELEASE);

        for ( ;; ) {
            place += 16;

            if (records_note(&sk, place) != NGX_OK) {
                break;
            }

            race->noted[n++ % 1024] = ngx_realtime_history_shorten(place);
        }

        race->nnoted = n;
        race->declined = ngx_realtime_history_shorten(place);

        __atomic_store_n(&race->done, round + 1, __ATOMIC_RELEASE);
    }

    /* the last one lets go of nothing: nobody comes after it */
}


static void
test_race(void)
{
    pid_t                   pids[2];
    race_t                 *race;
    ngx_realtime_socket_t  *sk;
    ngx_realtime_record_t  *rec;

    records_zone(RECORDS_ZONE);
    race = zone_pages(sizeof(race_t), MAP_SHARED);

    sk = records_socket(records_session(), "ann");
    rec = record_of(sk);

    zone_fork(pids[0], race_worker(race, rec, 0));
    zone_fork(pids[1], race_worker(race, rec, 1));

    /* the last worker to take it would note for ever */

    while (__atomic_load_n(&race->turn, __ATOMIC_ACQUIRE) < ROUNDS
           && race->wrong == 0)
    {
        usleep(1000);
    }

    (void) take_over(rec, records_session());

    tap_ok(race->wrong == 0 && race->turn == ROUNDS
           && zone_wait(pids[0]) == 0 && zone_wait(pids[1]) == 0,
           "%d times taken from an owner that was noting: the list is what "
           "was sent", ROUNDS);
    tap_ok(race->seen > 10, "though a cell was changed too late %d times",
           (int) race->seen);
}


/* killed at any moment: too many may be expected then, never too few */

static void
busy(ngx_uint_t slot, uint32_t seed)
{
    uint64_t                place;
    records_session_t      *rs;
    ngx_realtime_socket_t  *sk;

    records_worker(slot);
    rs = records_session();

    for (place = 8; ; place += 8) {
        sk = records_socket(rs, "ann");
        (void) records_note(sk, place);

        switch (zone_random(&seed) % 4) {

        case 0:
            ngx_realtime_recovery_end(sk);
            break;

        case 1:
            ngx_realtime_recovery_leave(sk);
            (void) ngx_realtime_recovery_adopt(sk,
                       ngx_realtime_recovery_number(sk), sk->owner);
            break;
        }

        ngx_realtime_socket_destroy(sk);

        /* all that are away come free */
        zone_clock(zone_time.sec + 500);
    }
}


static void
test_killed(void)
{
    pid_t                   pid;
    uint32_t                seed;
    ngx_uint_t              i, n, wrong, stuck;
    ngx_realtime_record_t  *rec;

    records_zone(RECORDS_ZONE);
    seed = 3;
    wrong = stuck = 0;

    for (i = 0; i < 300; i++) {
        zone_fork(pid, busy(4, i + 1));
        usleep(300 + zone_random(&seed) % 3000);
        kill(pid, SIGKILL);
        zone_wait(pid);

        ngx_realtime_recovery_forget_slot(4);

        n = 0;

        for (rec = ngx_realtime_records.first;
             rec < ngx_realtime_records.first + RECORDS;
             rec++)
        {
            n += kind(rec) == NGX_REALTIME_RECORD_AWAY;
            stuck += kind(rec) == NGX_REALTIME_RECORD_FILLING
                     || kind(rec) == NGX_REALTIME_RECORD_LIVE;
        }

        wrong += (int32_t) n > *records_expected;
    }

    tap_ok(wrong == 0, "300 workers killed: all that may come back are "
                       "expected");
    tap_ok(stuck == 0, "and none has a record still");
}


int
main(void)
{
    test_states();
    test_list();
    test_exchanged();
    test_take();
    test_move();
    test_dead();
    test_behind();
    test_full();
    test_race();
    test_killed();

    return tap_done();
}
