
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Clients that live through reloads of the server, which somebody else makes.
 *
 * conf.conns clients, and RTL_RELOAD_LANES times as many lanes between two of
 * them by chance.  conf.rate messages a second leave, each on a lane by chance
 * whose sender is connected at the moment; nothing is acknowledged.  A client
 * that is closed answers the Close, and comes back after a while by chance,
 * with what the server needs to recover its connection.  A receiver must get
 * exactly the next message of a lane: none lost, repeated or reordered, however
 * often either end was away.  (One that the server has not recovered, which it
 * says by another "pid" or none, may miss some; these are counted.)
 *
 * Traffic ends with SIGTERM, or after conf.seconds.
 */

#define _GNU_SOURCE

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "rtload.h"


#define RTL_RELOAD_LANES   4
#define RTL_RELOAD_TICK    (RTL_SECOND / 200)       /* who comes back? */
#define RTL_RELOAD_MIN     (RTL_SECOND / 10)        /* away */
#define RTL_RELOAD_MAX     (RTL_SECOND / 2)
#define RTL_RELOAD_LATE    (20 * RTL_SECOND)        /* for the last message */


typedef struct {
    unsigned           from;
    unsigned           to;
    uint32_t           seq;            /* the next to be sent */
    uint32_t           expect;         /* the next to come */
} rtl_reload_lane_t;


typedef struct {
    rtl_reload_lane_t *lanes;
    unsigned           nlanes;
    uint64_t          *back;           /* when a client comes back; 0: is here */
    uint64_t           looked;         /* for those, last */

    unsigned           recoverable;    /* clients, at the start */
    uint64_t           sent;
    uint64_t           received;
    uint64_t           lost;           /* to clients that are not recovered */
    uint64_t           closes;
    uint64_t           unclean;        /* of these, without a Close */
    uint64_t           retries;        /* handshakes that failed */
    uint64_t           recovered;
    uint64_t           forgotten;      /* came back as somebody new */
} rtl_reload_t;


static int rtl_reload_init(rtl_t *rtl, rtl_reload_t *t);
static unsigned rtl_reload_recoverable(rtl_t *rtl);
static int rtl_reload_may_miss(rtl_t *rtl);
static void rtl_reload_run(rtl_t *rtl, rtl_reload_t *t);
static void rtl_reload_end(rtl_t *rtl, rtl_reload_t *t);
static void rtl_reload_poll(rtl_t *rtl, rtl_reload_t *t, uint64_t until);
static void rtl_reload_send(rtl_t *rtl, rtl_reload_t *t);
static void rtl_reload_event(rtl_t *rtl, rtl_conn_t *c, const char *p,
    size_t len);
static void rtl_reload_closed(rtl_t *rtl, rtl_conn_t *c, int clean);
static uint32_t rtl_reload_random(uint32_t n);
static void rtl_reload_stop(int signo);


static volatile sig_atomic_t  rtl_reload_stopped;


void
rtl_reload(rtl_t *rtl)
{
    rtl_reload_t  t;

    memset(&t, 0, sizeof(rtl_reload_t));

    rtl->on_event = rtl_reload_event;
    rtl->data = &t;

    signal(SIGTERM, rtl_reload_stop);

    if (rtl_conn_init(rtl, rtl->conf.conns) == 0
        && rtl_reload_init(rtl, &t) == 0
        && rtl_conn_ramp(rtl, rtl->conf.conns) == 0)
    {
        rtl->on_close = rtl_reload_closed;
        t.recoverable = rtl_reload_recoverable(rtl);

        rtl_reload_run(rtl, &t);
        rtl_reload_end(rtl, &t);
    }

    printf(",\"clients\":%u,\"recoverable\":%u,\"sent\":%llu,"
           "\"received\":%llu,\"lost\":%llu,\"closes\":%llu,"
           "\"unclean\":%llu,\"retries\":%llu,\"recovered\":%llu,"
           "\"forgotten\":%llu",
           rtl->nready, t.recoverable,
           (unsigned long long) t.sent, (unsigned long long) t.received,
           (unsigned long long) t.lost, (unsigned long long) t.closes,
           (unsigned long long) t.unclean, (unsigned long long) t.retries,
           (unsigned long long) t.recovered, (unsigned long long) t.forgotten);

    free(t.lanes);
    free(t.back);
}


static int
rtl_reload_init(rtl_t *rtl, rtl_reload_t *t)
{
    unsigned  i;

    if (rtl->conf.conns < 2 || rtl->conf.rate == 0) {
        rtl_error(rtl, "reload needs two clients and a rate");
        return -1;
    }

    t->nlanes = rtl->conf.conns * RTL_RELOAD_LANES;
    t->lanes = calloc(t->nlanes, sizeof(rtl_reload_lane_t));
    t->back = calloc(rtl->conf.conns, sizeof(uint64_t));

    if (t->lanes == NULL || t->back == NULL) {
        rtl_error(rtl, "no memory");
        return -1;
    }

    for (i = 0; i < t->nlanes; i++) {
        t->lanes[i].from = i / RTL_RELOAD_LANES;
        t->lanes[i].to = (t->lanes[i].from + 1
                          + rtl_reload_random(rtl->conf.conns - 1))
                         % rtl->conf.conns;
    }

    return 0;
}


/* clients with a pid */

static unsigned
rtl_reload_recoverable(rtl_t *rtl)
{
    unsigned  i, n;

    n = 0;

    for (i = 0; i < rtl->nconns; i++) {
        n += (rtl->conns[i].pid[0] != '\0');
    }

    return n;
}


/* some client, some message */

static int
rtl_reload_may_miss(rtl_t *rtl)
{
    unsigned  i;

    for (i = 0; i < rtl->nconns; i++) {
        if (rtl->conns[i].forgotten) {
            return 1;
        }
    }

    return 0;
}


static void
rtl_reload_run(rtl_t *rtl, rtl_reload_t *t)
{
    uint64_t  start, end, due, now;

    start = rtl_now();
    end = start + (uint64_t) (rtl->conf.seconds * 1e9);

    for (now = start;
         now < end && !rtl_reload_stopped && !rtl->errors;
         now = rtl_now())
    {
        due = start + (uint64_t) ((double) t->sent * 1e9 / rtl->conf.rate);

        if (due <= now) {
            rtl_reload_send(rtl, t);
        }

        rtl_reload_poll(rtl, t, due < end ? due : end);
    }
}


/* everybody is back, and everything has come */

static void
rtl_reload_end(rtl_t *rtl, rtl_reload_t *t)
{
    uint64_t  until;

    until = rtl_now() + RTL_RELOAD_LATE;

    while (rtl->nready < rtl->nconns || t->received < t->sent) {

        if (rtl->nready == rtl->nconns && rtl_reload_may_miss(rtl)) {
            break;
        }

        if (rtl_now() >= until || rtl->errors) {
            rtl_error(rtl, "%llu of %llu messages never came, %u of %u "
                      "clients are there",
                      (unsigned long long) (t->sent - t->received),
                      (unsigned long long) t->sent, rtl->nready, rtl->nconns);
            return;
        }

        rtl_reload_poll(rtl, t, until);
    }

    /* whatever comes now has come before, or comes late to who may miss it */

    until = rtl_now() + RTL_SECOND / 2;

    while (rtl_now() < until) {
        rtl_reload_poll(rtl, t, until);
    }

    t->lost = t->sent - t->received;
}


/* as rtl_conn_poll(), and opens the connections of those who are due */

static void
rtl_reload_poll(rtl_t *rtl, rtl_reload_t *t, uint64_t until)
{
    unsigned     i;
    uint64_t     now;
    rtl_conn_t  *c;

    now = rtl_now();

    if (now - t->looked >= RTL_RELOAD_TICK) {

        t->looked = now;

        for (i = 0; i < rtl->nconns; i++) {
            c = &rtl->conns[i];

            if (t->back[i] && c->state == RTL_CONN_READY) {

                t->back[i] = 0;

                if (c->recovered) {
                    t->recovered++;

                } else {
                    t->forgotten++;
                }

            } else if (t->back[i] && c->state == RTL_CONN_CLOSED
                       && t->back[i] <= now
                       && rtl->inflight < rtl->conf.parallel)
            {
                if (rtl_conn_open(rtl, c) == -1) {
                    return;
                }
            }
        }
    }

    if (until > now + RTL_RELOAD_TICK) {
        until = now + RTL_RELOAD_TICK;
    }

    rtl_conn_poll(rtl, until);
}


static void
rtl_reload_send(rtl_t *rtl, rtl_reload_t *t)
{
    int                 n;
    char                text[512];
    unsigned            i;
    rtl_conn_t         *from;
    rtl_reload_lane_t  *lane;

    do {
        i = rtl_reload_random(t->nlanes);
        lane = &t->lanes[i];
        from = &rtl->conns[lane->from];

    } while (rtl->nready && from->state != RTL_CONN_READY);

    if (from->state != RTL_CONN_READY) {
        return;
    }

    n = snprintf(text, sizeof(text), "42[\"message\",{\"recipientId\":\""
                 RTL_USER "\",\"conversationId\":\"" RTL_CONVERSATION
                 "\",\"message\":\"%08x%08x\"}]", lane->to, i, i, lane->seq);

    lane->seq++;
    t->sent++;

    rtl_conn_text(rtl, from, text, (size_t) n);
}


static void
rtl_reload_event(rtl_t *rtl, rtl_conn_t *c, const char *p, size_t len)
{
    char                text[17];
    unsigned            i, seq;
    const char         *content;
    rtl_reload_t       *t;
    rtl_reload_lane_t  *lane;

    static const char  key[] = "\"message\":\"";

    t = rtl->data;

    if (len < 11 || memcmp(p, "[\"message\",", 11) != 0) {

        if (len > 8 && memcmp(p, "[\"error\"", 8) == 0) {
            rtl_error(rtl, "event: %.*s", len > 150 ? 150 : (int) len, p);
        }

        return;
    }

    content = memmem(p + 11, len - 11, key, sizeof(key) - 1);

    if (content == NULL
        || (size_t) (content - p) + sizeof(key) - 1 + 16 > len)
    {
        rtl_error(rtl, "no such message: %.*s", len > 150 ? 150 : (int) len,
                  p);
        return;
    }

    memcpy(text, content + sizeof(key) - 1, 16);
    text[16] = '\0';

    if (sscanf(text, "%8x%8x", &i, &seq) != 2 || i >= t->nlanes
        || t->lanes[i].to != c->user)
    {
        rtl_error(rtl, "client %u got \"%s\", which is not for it", c->user,
                  text);
        return;
    }

    lane = &t->lanes[i];

    if (seq >= lane->seq || seq < lane->expect
        || (seq > lane->expect && !c->forgotten))
    {
        rtl_error(rtl, "client %u expected message %u of %u from client %u, "
                  "got %u", c->user, lane->expect, lane->seq, lane->from, seq);
    }

    lane->expect = seq + 1;
    t->received++;
}


static void
rtl_reload_closed(rtl_t *rtl, rtl_conn_t *c, int clean)
{
    rtl_reload_t  *t;

    t = rtl->data;

    if (t->back[c->user]) {
        t->retries++;

    } else {
        t->closes++;
        t->unclean += !clean;
    }

    t->back[c->user] = rtl_now() + RTL_RELOAD_MIN
                       + rtl_reload_random((uint32_t) (RTL_RELOAD_MAX
                                                       - RTL_RELOAD_MIN));
}


/* the same in every run: what differs is the server's */

static uint32_t
rtl_reload_random(uint32_t n)
{
    static uint32_t  state = 2463534242u;

    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;

    return state % n;
}


static void
rtl_reload_stop(int signo)
{
    (void) signo;

    rtl_reload_stopped = 1;
}
