
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The ring of src/bus: order, wrap-around, a full ring, a lagging reader, a
 * reader given up, also in the middle of a copy, a producer killed while it appends, and a stress run of
 * one writer and three readers, in processes as in life.
 */


#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ngx_realtime_ring.h"
#include "tap.h"


#define SIZE   4096
#define ALL    (~(uint64_t) 0)


static ngx_realtime_ring_t *
new_ring(size_t size)
{
    u_char               *p;
    ngx_realtime_ring_t  *ring;

    p = mmap(NULL, sizeof(ngx_realtime_ring_t) + 64 + size,
             PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    ring = (ngx_realtime_ring_t *) p;
    ngx_realtime_ring_init(ring, p + sizeof(ngx_realtime_ring_t), size);

    return ring;
}


static ngx_int_t
append(ngx_realtime_ring_t *ring, uint64_t live, uint64_t readers,
    const void *data, size_t len, uint64_t *behind)
{
    uint64_t                    b;
    ngx_int_t                   rc;
    ngx_str_t                   parts[2];
    ngx_realtime_ring_record_t  rec;

    rec.type = 7;
    rec.flags = 3;
    rec.readers = readers;

    /* two parts, so that their order matters */

    parts[0].data = (u_char *) data;
    parts[0].len = len / 2;
    parts[1].data = (u_char *) data + len / 2;
    parts[1].len = len - len / 2;

    rc = ngx_realtime_ring_append(ring, live, &rec, parts, 2, &b);

    if (behind) {
        *behind = b;
    }

    return rc;
}


static void
test_order(void)
{
    u_char                       buf[256], text[32];
    ngx_uint_t                   i, ok;
    ngx_realtime_ring_t         *ring;
    ngx_realtime_ring_record_t   rec;

    ring = new_ring(SIZE);
    ngx_realtime_ring_start(ring, 1);
    ngx_realtime_ring_start(ring, 2);

    tap_ok(ngx_realtime_ring_read(ring, 1, &rec, buf, sizeof(buf)) == NGX_DONE,
           "an empty ring has nothing");

    ok = 1;

    for (i = 0; i < 10; i++) {
        sprintf((char *) text, "message %d", (int) i);
        ok &= append(ring, 6, (i % 2) ? 2 : 6, text, strlen((char *) text),
                     NULL)
              == NGX_OK;
    }

    tap_ok(ok, "ten records fit");

    for (i = 0; i < 10; i++) {
        sprintf((char *) text, "message %d", (int) i);

        ok &= ngx_realtime_ring_read(ring, 1, &rec, buf, sizeof(buf))
              == NGX_OK
              && rec.type == 7 && rec.flags == 3
              && rec.len == strlen((char *) text)
              && memcmp(buf, text, rec.len) == 0;
    }

    tap_ok(ok, "reader 1 gets all ten, in order, with type and flags");

    for (i = 0; i < 10; i += 2) {
        sprintf((char *) text, "message %d", (int) i);

        ok &= ngx_realtime_ring_read(ring, 2, &rec, buf, sizeof(buf))
              == NGX_OK
              && memcmp(buf, text, rec.len) == 0;
    }

    tap_ok(ok, "reader 2 gets the five that are for it");
    tap_ok(ngx_realtime_ring_read(ring, 2, &rec, buf, sizeof(buf)) == NGX_DONE,
           "and then nothing");
}


static void
test_wrap(void)
{
    u_char                       buf[1024], data[1024];
    size_t                       len;
    ngx_uint_t                   i, n, ok;
    ngx_realtime_ring_t         *ring;
    ngx_realtime_ring_record_t   rec;

    ring = new_ring(SIZE);
    ngx_realtime_ring_start(ring, 5);

    ok = 1;

    for (i = 0; i < 20000; i++) {
        len = (i * 37) % 1000;

        for (n = 0; n < len; n++) {
            data[n] = i + n;
        }

        ok &= append(ring, 1 << 5, 1 << 5, data, len, NULL) == NGX_OK
              && ngx_realtime_ring_read(ring, 5, &rec, buf, sizeof(buf))
                 == NGX_OK
              && rec.len == len
              && memcmp(buf, data, len) == 0;
    }

    tap_ok(ok, "20000 records of all sizes up to a quarter go round whole");
    tap_ok(ring->head > 1000 * SIZE, "over a thousand times round");
    tap_ok(ngx_realtime_ring_max(ring) == SIZE / 4 - 16,
           "the largest payload is a quarter less the header");
}


static void
test_full(void)
{
    u_char                       buf[256], data[100];
    uint64_t                     behind, seen;
    ngx_uint_t                   n;
    ngx_realtime_ring_t         *ring;
    ngx_realtime_ring_record_t   rec;

    ring = new_ring(SIZE);
    ngx_realtime_ring_start(ring, 3);
    ngx_realtime_ring_start(ring, 4);
    memset(data, 'x', sizeof(data));

    seen = 0;

    for (n = 0; append(ring, 3 << 3, 1 << 3, data, 100, &behind) == NGX_OK; n++)
    {
        seen |= behind;

        /* reader 4 is asked for nothing, but it keeps up */
        (void) ngx_realtime_ring_read(ring, 4, &rec, buf, sizeof(buf));
    }

    tap_ok(n == SIZE / 128 , "a full ring takes %d records", SIZE / 128);
    tap_ok(seen == 1 << 3, "only the reader over half behind is named");
    tap_ok(behind == 1 << 3, "also when the ring is full");
    tap_ok(ngx_realtime_ring_blockers(ring, 3 << 3, 100) == 1 << 3,
           "and it is the one that blocks");
    tap_ok(append(ring, 1 << 4, 1 << 4, data, 100, NULL) == NGX_OK,
           "a dead reader's cursor does not count");

    /* reader 3 came back from the dead without noticing: its slot's new
       owner starts anew and sees only what comes next */

    ngx_realtime_ring_start(ring, 3);
    tap_ok(ngx_realtime_ring_read(ring, 3, &rec, buf, sizeof(buf)) == NGX_DONE,
           "a reader that starts has nothing behind it");
    tap_ok(append(ring, 3 << 3, 1 << 3, "hi", 2, NULL) == NGX_OK
           && ngx_realtime_ring_read(ring, 3, &rec, buf, sizeof(buf)) == NGX_OK
           && rec.len == 2 && memcmp(buf, "hi", 2) == 0,
           "and reads what follows");
}


static void
test_never_addressed(void)
{
    u_char                data[100];
    uint64_t              behind;
    ngx_uint_t            i, named;
    ngx_realtime_ring_t  *ring;

    ring = new_ring(SIZE);
    ngx_realtime_ring_start(ring, 8);
    memset(data, 'y', sizeof(data));

    named = 0;

    for (i = 0; i < SIZE / 128; i++) {
        (void) append(ring, 1 << 8, 1 << 9, data, 100, &behind);
        named += (behind == 1 << 8);
    }

    tap_ok(named > 0 && named < SIZE / 128,
           "a live reader that is never addressed is woken in time");
}


static void
test_gap(void)
{
    u_char                       buf[256], data[100];
    ngx_int_t                    rc;
    ngx_uint_t                   i, n;
    ngx_realtime_ring_t         *ring;
    ngx_realtime_ring_record_t   rec;

    ring = new_ring(SIZE);
    ngx_realtime_ring_start(ring, 1);
    ngx_realtime_ring_start(ring, 2);
    memset(data, 'z', sizeof(data));

    while (append(ring, 6, 6, data, 100, NULL) == NGX_OK) {
        (void) ngx_realtime_ring_read(ring, 2, &rec, buf, sizeof(buf));
    }

    ngx_realtime_ring_give_up(ring, 1 << 1);

    n = 0;

    for (i = 0; i < 100; i++) {
        n += append(ring, 6, 6, data, 100, NULL) == NGX_OK;
        (void) ngx_realtime_ring_read(ring, 2, &rec, buf, sizeof(buf));
    }

    tap_ok(n == 100, "a reader given up blocks nobody");
    tap_ok(ngx_realtime_ring_read(ring, 1, &rec, buf, sizeof(buf))
           == NGX_ABORT, "it is told of the gap");
    tap_ok(ngx_realtime_ring_read(ring, 1, &rec, buf, sizeof(buf))
           == NGX_DONE, "once, and then has nothing");

    rc = append(ring, 6, 6, "after", 5, NULL);

    tap_ok(rc == NGX_OK
           && ngx_realtime_ring_read(ring, 1, &rec, buf, sizeof(buf)) == NGX_OK
           && memcmp(buf, "after", 5) == 0,
           "and reads what follows the gap");
}


static void
test_dead_producer(void)
{
    int                          status;
    pid_t                        pid;
    u_char                       buf[1024], data[1000];
    uint64_t                     head;
    ngx_uint_t                   n, ok;
    ngx_realtime_ring_t         *ring;
    ngx_realtime_ring_record_t   rec;

    ring = new_ring(65536);
    ngx_realtime_ring_start(ring, 1);

    ok = 1;

    for (n = 0; n < 20; n++) {

        pid = fork();

        if (pid == 0) {
            memset(data, 'a' + n, sizeof(data));

            for ( ;; ) {
                (void) append(ring, 2, 2, data, 999, NULL);
            }
        }

        usleep(2000);
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);

        /* what is half-written has no head behind it */

        head = ring->head;

        while (ngx_realtime_ring_read(ring, 1, &rec, buf, sizeof(buf))
               == NGX_OK)
        {
            ok &= rec.len == 999 && buf[0] == 'a' + n && buf[998] == 'a' + n;
        }

        ok &= ring->cursors[1].position == head;
    }

    tap_ok(ok, "20 producers killed while appending leave whole records");
    tap_ok(append(ring, 2, 2, "next", 4, NULL) == NGX_OK
           && ngx_realtime_ring_read(ring, 1, &rec, buf, sizeof(buf)) == NGX_OK
           && memcmp(buf, "next", 4) == 0,
           "and the next owner of the slot goes on");
}


/*
 * A reader that is given up, and whose record is overwritten, in the middle of
 * its copy: the page of its buffer is forbidden, so the copy stops at its first
 * byte, and the handler of the fault plays the writer.
 */

static ngx_realtime_ring_t  *torn_ring;
static u_char               *torn_page;


static void
torn_fault(int sig)
{
    u_char    data[1000];
    unsigned  i;

    mprotect(torn_page, 4096, PROT_READ|PROT_WRITE);
    memset(data, 'B', sizeof(data));

    ngx_realtime_ring_give_up(torn_ring, 1 << 1);

    for (i = 0; i < 2 * SIZE / 1024; i++) {
        (void) append(torn_ring, 1 << 1, 1 << 1, data, sizeof(data), NULL);
    }
}


static void
test_torn(void)
{
    u_char                      data[1000];
    ngx_int_t                   rc;
    struct sigaction            sa, old;
    ngx_realtime_ring_record_t  rec;

    torn_ring = new_ring(SIZE);
    torn_page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);

    ngx_realtime_ring_start(torn_ring, 1);
    memset(data, 'A', sizeof(data));
    (void) append(torn_ring, 1 << 1, 1 << 1, data, sizeof(data), NULL);

    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = torn_fault;
    sigaction(SIGSEGV, &sa, &old);

    rc = ngx_realtime_ring_read(torn_ring, 1, &rec, torn_page, 4096);

    sigaction(SIGSEGV, &old, NULL);

    tap_ok(memchr(torn_page, 'B', sizeof(data)) != NULL,
           "a record is overwritten while it is copied");
    tap_ok(rc == NGX_ABORT, "the copy is not believed, the gap is told");
    tap_ok(ngx_realtime_ring_read(torn_ring, 1, &rec, torn_page, 4096)
           == NGX_DONE, "and the reader has been started anew");
}


/* record n: 8 bytes of n, then bytes that follow from n */

#define STRESS  200000


static void
stress_fill(u_char *data, uint64_t n, size_t len)
{
    size_t  i;

    memcpy(data, &n, 8);

    for (i = 8; i < len; i++) {
        data[i] = n * 31 + i;
    }
}


static int
stress_reader(ngx_realtime_ring_t *ring, ngx_uint_t reader, unsigned slow,
    volatile uint64_t *gaps)
{
    u_char                      buf[512], want[512];
    uint64_t                    n, next;
    ngx_int_t                   rc;
    ngx_uint_t                  gap;
    ngx_realtime_ring_record_t  rec;

    next = 0;
    gap = 0;

    for ( ;; ) {
        rc = ngx_realtime_ring_read(ring, reader, &rec, buf, sizeof(buf));

        if (rc == NGX_DONE) {
            if (slow) {
                usleep(500);
            }

            continue;
        }

        if (rc == NGX_ABORT) {
            (*gaps)++;
            gap = 1;
            continue;
        }

        memcpy(&n, buf, 8);
        stress_fill(want, n, rec.len);

        if (memcmp(buf, want, rec.len) != 0
            || rec.len != 8 + n % 300
            || (gap ? n < next : n != next))
        {
            return 1;
        }

        next = n + 1;
        gap = 0;

        if (next == STRESS) {
            return 0;
        }
    }
}


static void
test_stress(void)
{
    int                   status;
    pid_t                 pids[3];
    u_char                data[512];
    uint64_t              n, blockers;
    ngx_uint_t            i, bad, spins;
    volatile uint64_t    *gaps;
    ngx_realtime_ring_t  *ring;

    ring = new_ring(65536);
    gaps = mmap(NULL, 64, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1,
                0);

    for (i = 0; i < 3; i++) {
        ngx_realtime_ring_start(ring, i + 1);

        pids[i] = fork();

        if (pids[i] == 0) {
            alarm(60);
            _exit(stress_reader(ring, i + 1, i == 2, &gaps[i]));
        }
    }

    for (n = 0; n < STRESS; n++) {
        stress_fill(data, n, 8 + n % 300);
        spins = 0;

        while (append(ring, 0xe, 0xe, data, 8 + n % 300, NULL) == NGX_AGAIN) {

            /* the third reader is never waited for, the others are */

            blockers = ngx_realtime_ring_blockers(ring, 0xe, 8 + n % 300);

            if ((blockers & (1 << 3)) && n < STRESS - 1000) {
                ngx_realtime_ring_give_up(ring, 1 << 3);

            } else if (++spins > 100) {
                usleep(100);
            }
        }
    }

    bad = 0;

    for (i = 0; i < 3; i++) {
        waitpid(pids[i], &status, 0);
        bad += (status != 0);
    }

    tap_ok(bad == 0, "%d records to three processes: whole and in order",
           STRESS);
    tap_ok(gaps[0] == 0 && gaps[1] == 0, "the readers waited for miss none");
    tap_ok(gaps[2] > 0, "the slow one was given up, and told");
}


int
main(void)
{
    test_order();
    test_wrap();
    test_full();
    test_never_addressed();
    test_gap();
    test_dead_producer();
    test_torn();
    test_stress();

    return tap_done();
}
