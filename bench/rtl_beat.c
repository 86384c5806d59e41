
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Silent connections and their heartbeats, more than one process may hold:
 *
 *   parent   memory     wait for all       CPU  ... conf.seconds ...  CPU
 *              |        conf.warmup         |                          |
 *   child      connect, "r" ->              <- "b"  counts pings       <- "e"
 *                                                              report ->
 *
 * A child ends with its report, or when the parent has gone.
 */

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rtload.h"


#define RTL_BEAT_CHILD     10000        /* connections */
#define RTL_BEAT_CHILDREN  16
#define RTL_BEAT_RAMP      180          /* seconds, at most */
#define RTL_BEAT_TURN      (RTL_SECOND / 20)


typedef struct {
    uint64_t           pings;
    uint64_t           errors;
    char               first_error[256];
} rtl_beat_report_t;


typedef struct {
    pid_t              pid;
    int                up;              /* read what the child says */
    int                down;
} rtl_beat_child_t;


static int rtl_beat_fork(rtl_t *rtl, rtl_beat_child_t *child, unsigned first,
    unsigned n);
static int rtl_beat_child(rtl_t *rtl, int up, int down, unsigned first,
    unsigned n);
static int rtl_beat_ready(rtl_t *rtl, rtl_beat_child_t *child);
static void rtl_beat_measure(rtl_t *rtl, rtl_beat_child_t *children,
    unsigned n);
static uint64_t rtl_beat_reports(rtl_t *rtl, rtl_beat_child_t *children,
    unsigned n);
static void rtl_beat_sleep(double seconds);
static void rtl_beat_event(rtl_t *rtl, rtl_conn_t *c, const char *p,
    size_t len);


void
rtl_beat(rtl_t *rtl)
{
    unsigned           i, n, first, conns;
    rtl_memory_t       base, full;
    rtl_beat_child_t   children[RTL_BEAT_CHILDREN];

    conns = rtl->conf.conns;
    n = (conns + RTL_BEAT_CHILD - 1) / RTL_BEAT_CHILD;

    if (n > RTL_BEAT_CHILDREN) {
        rtl_error(rtl, "too many connections");
        return;
    }

    rtl_proc_memory(&rtl->conf, &base);

    for (i = 0, first = 0; i < n; i++) {

        if (rtl_beat_fork(rtl, &children[i], first,
                          (conns - first) / (n - i))
            == -1)
        {
            break;
        }

        first += (conns - first) / (n - i);
    }

    n = i;

    for (i = 0; i < n; i++) {
        if (rtl_beat_ready(rtl, &children[i]) == -1) {
            break;
        }
    }

    if (rtl->errors == 0) {
        rtl_beat_measure(rtl, children, n);

        rtl_proc_memory(&rtl->conf, &full);

        printf(",\"connections\":%u,\"private_bytes\":%.1f,"
               "\"shared_bytes\":%.1f", conns,
               ((double) full.private_dirty - (double) base.private_dirty)
               / conns,
               ((double) full.shared_dirty - (double) base.shared_dirty)
               / conns);
    }

    for (i = 0; i < n; i++) {
        close(children[i].down);
        close(children[i].up);
        (void) waitpid(children[i].pid, NULL, 0);
    }
}


static int
rtl_beat_fork(rtl_t *rtl, rtl_beat_child_t *child, unsigned first, unsigned n)
{
    int  up[2], down[2], rc;

    if (pipe2(up, O_CLOEXEC) == -1 || pipe2(down, O_CLOEXEC) == -1) {
        rtl_error(rtl, "pipe2: %s", strerror(errno));
        return -1;
    }

    fflush(stdout);

    child->pid = fork();

    if (child->pid == -1) {
        rtl_error(rtl, "fork: %s", strerror(errno));
        return -1;
    }

    if (child->pid == 0) {
        close(up[0]);
        close(down[1]);

        rc = rtl_beat_child(rtl, up[1], down[0], first, n);

        _exit(rc == 0 ? 0 : 1);
    }

    close(up[1]);
    close(down[0]);

    child->up = up[0];
    child->down = down[1];

    return 0;
}


static int
rtl_beat_child(rtl_t *rtl, int up, int down, unsigned first, unsigned n)
{
    char               command;
    ssize_t            rc;
    unsigned           i;
    uint64_t           pings;
    rtl_beat_report_t  report;

    rtl->on_event = rtl_beat_event;

    if (rtl_conn_init(rtl, n) == -1) {
        return -1;
    }

    for (i = 0; i < n; i++) {
        rtl->conns[i].user = first + i;
    }

    (void) rtl_conn_ramp(rtl, n);
    (void) fcntl(down, F_SETFL, O_NONBLOCK);

    if (write(up, rtl->errors ? "f" : "r", 1) != 1) {
        return -1;
    }

    pings = 0;

    for ( ;; ) {
        rc = read(down, &command, 1);

        if (rc == 0 || (rc == 1 && command == 'e')) {
            break;
        }

        if (rc == 1) {
            pings = rtl->pings;
        }

        rtl_conn_wait(rtl, rtl_now() + RTL_BEAT_TURN);

        if (rtl->dead) {
            /* the parent hears of it when it asks */
            rtl_beat_sleep((double) RTL_BEAT_TURN / RTL_SECOND);
        }
    }

    memset(&report, 0, sizeof(report));

    report.pings = rtl->pings - pings;
    report.errors = rtl->errors;
    memcpy(report.first_error, rtl->first_error, sizeof(report.first_error));

    return write(up, &report, sizeof(report)) == sizeof(report) ? 0 : -1;
}


static int
rtl_beat_ready(rtl_t *rtl, rtl_beat_child_t *child)
{
    char           answer;
    struct pollfd  pfd;

    pfd.fd = child->up;
    pfd.events = POLLIN;

    if (poll(&pfd, 1, RTL_BEAT_RAMP * 1000) != 1
        || read(child->up, &answer, 1) != 1)
    {
        rtl_error(rtl, "the connections do not come up");
        return -1;
    }

    if (answer != 'r') {
        (void) rtl_beat_reports(rtl, child, 1);
        return -1;
    }

    return 0;
}


static void
rtl_beat_measure(rtl_t *rtl, rtl_beat_child_t *children, unsigned n)
{
    unsigned  i;
    uint64_t  cpu, start, pings;

    rtl_beat_sleep(rtl->conf.warmup);

    for (i = 0; i < n; i++) {
        if (write(children[i].down, "b", 1) != 1) {
            rtl_error(rtl, "a child has gone");
            return;
        }
    }

    start = rtl_now();
    cpu = rtl_proc_cpu(&rtl->conf);

    rtl_beat_sleep(rtl->conf.seconds);

    cpu = rtl_proc_cpu(&rtl->conf) - cpu;
    start = rtl_now() - start;

    pings = rtl_beat_reports(rtl, children, n);

    if (pings == 0) {
        rtl_error(rtl, "no heartbeat came");
        pings = 1;
    }

    printf(",\"cpu_percent\":%.3f,\"cpu_us\":%.3f,\"pings_each\":%.3f",
           100.0 * (double) cpu / (double) start,
           (double) cpu / 1e3 / (double) pings,
           (double) pings / rtl->conf.conns);
}


static uint64_t
rtl_beat_reports(rtl_t *rtl, rtl_beat_child_t *children, unsigned n)
{
    unsigned           i;
    uint64_t           pings;
    rtl_beat_report_t  report;

    pings = 0;

    for (i = 0; i < n; i++) {

        if (write(children[i].down, "e", 1) != 1
            || read(children[i].up, &report, sizeof(report))
               != sizeof(report))
        {
            rtl_error(rtl, "a child has gone");
            continue;
        }

        pings += report.pings;

        if (report.errors) {
            rtl_error(rtl, "%s", report.first_error);
        }
    }

    return pings;
}


static void
rtl_beat_sleep(double seconds)
{
    (void) usleep((useconds_t) (seconds * 1e6));
}


static void
rtl_beat_event(rtl_t *rtl, rtl_conn_t *c, const char *p, size_t len)
{
    (void) rtl;
    (void) c;
    (void) p;
    (void) len;
}
