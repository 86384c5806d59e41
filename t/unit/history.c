
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The history of src/room: places and offsets, what is kept and for how long.
 */


#include "history.h"


static void
test_offsets(void)
{
    u_char              *p, text[12];
    uint32_t             seed;
    uint64_t             place, got;
    ngx_str_t            data = ngx_string("{}");
    ngx_uint_t           i, ok;
    ngx_realtime_msg_t  *m;

    ngx_realtime_msg_offsets = 1;
    seed = 7;
    ok = 1;

    for (i = 0; i < 20000; i++) {
        place = (uint64_t) zone_random(&seed) << 32 | zone_random(&seed);
        place >>= i % 64;

        m = ngx_realtime_msg_event("e", &data, NULL);
        ngx_realtime_msg_seal(m, place);

        p = m->data + m->len - 13;

        ok &= m->place == place
              && memcmp(p - 11, "42[\"e\",{},\"", 11) == 0
              && memcmp(p + 11, "\"]", 2) == 0
              && ngx_realtime_msg_place(p, 11, &got) == NGX_OK
              && got == place;

        ngx_realtime_msg_unref(m);
    }

    tap_ok(ok, "a place is an offset is the place");

    memcpy(text, "AAAAAAAAAAA", 12);
    tap_ok(ngx_realtime_msg_place(text, 11, &got) == NGX_OK && got == 0
           && ngx_realtime_msg_place(text, 10, &got) == NGX_ERROR
           && ngx_realtime_msg_place(text, 12, &got) == NGX_ERROR
           && ngx_realtime_msg_place(text, 0, &got) == NGX_ERROR,
           "eleven characters");

    ok = 1;

    for (i = 0; i < 256; i++) {
        text[i % 11] = i;
        ok &= (ngx_realtime_msg_place(text, 11, &got) == NGX_OK)
              == (i && memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
                              "uvwxyz0123456789-_", i, 64) != NULL);
        text[i % 11] = 'A';
    }

    tap_ok(ok, "of base64url only");
}


static void
test_kept(void)
{
    uint64_t               first, second, third;
    ngx_str_t             *room, except = ngx_string("12345678901234567890");
    stamp_t                stamp;
    ngx_realtime_msg_t    *m;
    ngx_realtime_entry_t   e;

    new_zone(ZONE);
    zone_clock(2000);

    tap_ok(newest(1) == 0, "a room without events has no chain");

    first = add(1, 0, 1, 100);

    tap_ok(newest(1) == first && ngx_realtime_history_read(first, &e) == NGX_OK
           && is_whole(&e, first, &stamp) && stamp.n == 1
           && e.previous == 0 && e.time == 2000
           && !e.lost && !e.dispensable && e.except.len == 0,
           "an event is kept, and on its chain");
    room = room_name(1);
    tap_bytes(e.room.data, e.room.len, room->data, room->len, "with its room");

    zone_clock(2001);
    zone_time.sec = 500;

    m = stamped(0, 2, 5);
    ngx_realtime_history_add(room, ngx_realtime_history_hash(room), &except,
                             m);
    second = m->place;
    ngx_realtime_msg_unref(m);

    tap_ok(ngx_realtime_history_read(second, &e) == NGX_OK
           && is_whole(&e, second, &stamp) && stamp.n == 2
           && e.previous == first,
           "the next one leads to it");
    tap_ok(e.time == 2001, "and is later, though the clock was set back");
    tap_bytes(e.except.data, e.except.len, except.data, except.len,
              "and has who is not to get it");

    m = stamped(0, 3, 0);
    ngx_realtime_history_add(NULL, 0, NULL, m);
    third = m->place;
    ngx_realtime_msg_unref(m);

    tap_ok(newest(1) == second
           && ngx_realtime_history_read(third, &e) == NGX_OK
           && is_whole(&e, third, &stamp) && e.previous == 0
           && e.room.len == 0,
           "what is for one socket is on no chain");

    m = stamped(0, 4, 10);
    m->dispensable = 1;
    ngx_realtime_history_add(room, ngx_realtime_history_hash(room), NULL, m);

    tap_ok(m->place > third && newest(1) == second
           && ngx_realtime_history_read(m->place, &e) == NGX_OK
           && e.dispensable && !e.lost && e.payload.len == 0,
           "a volatile event has a place, and that is all");
    ngx_realtime_msg_unref(m);

    tap_ok(ngx_realtime_history_read(first, &e) == NGX_OK
           && is_whole(&e, first, &stamp) && stamp.n == 1,
           "the first is still as it was");
}


static void
test_nowhere(void)
{
    uint64_t               place, bad[10];
    ngx_uint_t             i, ok;
    ngx_realtime_entry_t   e;

    new_zone(ZONE);
    place = add(1, 0, 1, 100);

    bad[0] = 0;
    bad[1] = place + 1;
    bad[2] = place + 8;                    /* within it */
    bad[3] = place - 8;                    /* the block's head */
    bad[4] = place - 16;
    bad[5] = place + BLOCK;                /* a block that is not written */
    bad[6] = place + (uint64_t) BLOCK * BLOCKS;
    bad[7] = place / BLOCK * BLOCK + BLOCK - 8;
    bad[8] = ~(uint64_t) 0;
    bad[9] = ~(uint64_t) 7;

    ok = 1;

    for (i = 0; i < 10; i++) {
        ok &= ngx_realtime_history_read(bad[i], &e) == NGX_DECLINED;
    }

    tap_ok(ok, "where no event is none is read");
}


static void
test_too_large(void)
{
    uint64_t               before, large, after, most;
    stamp_t                stamp;
    ngx_str_t             *room;
    ngx_realtime_entry_t   e;

    new_zone(ZONE);

    before = add(1, 0, 1, 100);
    large = add(1, 0, 2, BLOCK);
    after = add(1, 0, 3, 100);

    tap_ok(newest(1) == after
           && ngx_realtime_history_read(large, &e) == NGX_OK
           && e.lost && e.payload.len == 0 && e.previous == before,
           "what is too large is on the chain, but lost");

    room = room_name(1);
    tap_bytes(e.room.data, e.room.len, room->data, room->len,
              "and all can see whose it was");

    tap_ok(ngx_realtime_history_read(after, &e) == NGX_OK
           && is_whole(&e, after, &stamp) && e.previous == large
           && ngx_realtime_history_read(before, &e) == NGX_OK
           && is_whole(&e, before, &stamp),
           "its neighbours are whole");

    /* 16 of the block, 40 of the event, 9 of the room's name */

    most = (BLOCK - 16 - 40 - 9) / 8 * 8 - HEAD - sizeof(stamp_t) - TAIL - 8;

    large = add(1, 0, 4, most);

    tap_ok(ngx_realtime_history_read(large, &e) == NGX_OK
           && !e.lost && is_whole(&e, large, &stamp),
           "the largest fills a block");
}


/* each has begun a block and says no more; one goes round and round */

static void
one_event(ngx_uint_t slot, uint64_t *place)
{
    worker(slot);
    *place = add(1, slot, 1, 100);
}


static void
test_all_slots(void)
{
    pid_t                  pid;
    uint64_t              *places;
    stamp_t                stamp;
    ngx_uint_t             i, whole, left;
    ngx_realtime_entry_t   e;

    new_zone(ZONE);
    places = zone_pages(NGX_REALTIME_SLOTS * sizeof(uint64_t), MAP_SHARED);

    for (i = 1; i < NGX_REALTIME_SLOTS; i++) {
        zone_fork(pid, one_event(i, &places[i]));
        zone_wait(pid);
    }

    for (i = 0; i < 5 * BLOCKS; i++) {
        (void) add(2, 0, i, BLOCK * 2 / 3);
    }

    whole = 0;

    for (i = 1; i < NGX_REALTIME_SLOTS; i++) {
        whole += ngx_realtime_history_read(places[i], &e) == NGX_OK
                 && is_whole(&e, places[i], &stamp) && stamp.writer == i;
    }

    tap_ok(whole == NGX_REALTIME_SLOTS - 1,
           "the blocks of 63 workers are gone round");

    for (i = 1; i < NGX_REALTIME_SLOTS; i++) {
        ngx_realtime_history_forget_slot(i);
    }

    for (i = 0; i < 2 * BLOCKS; i++) {
        (void) add(2, 0, i, BLOCK * 2 / 3);
    }

    left = 0;

    for (i = 1; i < NGX_REALTIME_SLOTS; i++) {
        left += ngx_realtime_history_read(places[i], &e) == NGX_OK;
    }

    tap_ok(left == 0, "those of the dead are used again");
}


/* what one worker says now and then is kept as long as what others say */

static void
test_quiet(void)
{
    pid_t                  pid;
    uint64_t              *first, last;
    stamp_t                stamp;
    ngx_uint_t             i;
    ngx_realtime_entry_t   e;

    new_zone(ZONE);
    first = zone_pages(sizeof(uint64_t), MAP_SHARED);

    (void) add(1, 0, 0, 10);

    for (i = 0; i < 120; i++) {
        zone_clock(1001 + i);
        zone_fork(pid, one_event(1, first));
        zone_wait(pid);
    }

    last = add(1, 0, 1, 10);
    ngx_realtime_history_forget_slot(0);

    for (i = 0; i < 100; i++) {
        zone_clock(1200 + i);
        zone_fork(pid, one_event(1, first));
        zone_wait(pid);
    }

    tap_ok(ngx_realtime_history_read(last, &e) == NGX_OK
           && is_whole(&e, last, &stamp) && stamp.n == 1,
           "news in an old block are kept");
    tap_ok(ngx_realtime_history_lost() < 1120, "older ones are lost");

    for (i = 0; i < 60; i++) {
        zone_clock(1300 + i);
        zone_fork(pid, one_event(1, first));
        zone_wait(pid);
    }

    tap_ok(ngx_realtime_history_read(last, &e) == NGX_DECLINED
           && ngx_realtime_history_lost() >= 1120,
           "until it is their turn");
}


/*
 * In a large zone blocks are of 1m, and a worker that starts takes a new one:
 * 32768 of these are the 32 bits of a short place.
 */

#define LARGE  (512 * 1024 * 1024)


static void
restarts(ngx_uint_t slot, ngx_uint_t n)
{
    while (n--) {
        worker(slot);
        (void) add(3, slot, n, 0);
    }
}


static void
test_short(void)
{
    pid_t       pid;
    uint64_t    place, idle;
    ngx_uint_t  i, ok;

    new_zone(LARGE);
    ok = 1;

    for (i = 0; i < 70; i++) {
        restarts(0, 1000);
        place = add(1, 0, i, 10);
        ok &= ngx_realtime_history_expand(ngx_realtime_history_shorten(place))
              == place;
    }

    tap_ok(ok && place >> 36 != 0, "a short place is made long again");

    /* a worker that is silent while the others go round */

    idle = add(1, 0, 1, 10);

    zone_fork(pid, restarts(1, 70000));
    zone_wait(pid);

    place = add(1, 0, 2, 10);

    tap_ok(place > idle
           && ngx_realtime_history_expand(ngx_realtime_history_shorten(place))
              == place,
           "also of a worker that was silent for long");
}


static void
test_lost(void)
{
    ngx_uint_t  i;

    new_zone(ZONE);

    /* two to a block: 128 events in 64 blocks, second 3000 + n / 32 */

    for (i = 0; i < BLOCKS; i++) {
        zone_clock(3000 + i / 32);
        (void) add(1, 0, i, BLOCK / 3);
    }

    tap_ok(ngx_realtime_history_lost() == 0, "nothing is lost yet");

    for (i = BLOCKS; i < 2 * BLOCKS; i++) {
        zone_clock(3000 + i / 32);
        (void) add(1, 0, i, BLOCK / 3);
    }

    /* block 128, the first piece of memory, is the 128th taken */

    tap_ok(ngx_realtime_history_lost() == 0, "nor when all blocks are full");

    zone_clock(3100);
    (void) add(1, 0, i++, BLOCK / 3);

    tap_ok(ngx_realtime_history_lost() == 3000,
           "the first block goes: its second is lost");

    for (i = 0; i < 32; i++) {
        (void) add(1, 0, i, BLOCK / 3);
    }

    tap_ok(ngx_realtime_history_lost() == 3001, "then the next second");

    /* the newest event of a block counts, whoever wrote the others */

    for (i = 0; i < 2 * BLOCKS; i++) {
        (void) add(1, 0, i, BLOCK / 3);
    }

    tap_ok(ngx_realtime_history_lost() == 3100, "and then all of it");
}


int
main(void)
{
    test_offsets();
    test_kept();
    test_nowhere();
    test_too_large();
    test_all_slots();
    test_quiet();
    test_short();
    test_lost();

    return tap_done();
}
