
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * REST, closed loop: each connection asks again when it has its answer.
 *
 *   store   POST of a message; each connection is another user in another
 *           conversation, whose other participant is not there
 *   page    GET of the newest 50 messages of a conversation that the warm-up
 *           of "store" has filled, and, in turns, of a file of as many bytes:
 *           the CPU of both, of the server's processes
 */

#define _GNU_SOURCE

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "rtload.h"


#define RTL_REST_ROWS      50
#define RTL_REST_TURN      (RTL_SECOND / 4)
#define RTL_REST_HEAD      1200


typedef enum {
    RTL_REST_STORE = 0,
    RTL_REST_PAGE,
    RTL_REST_FILE,
    RTL_REST_KINDS
} rtl_rest_kind_e;


typedef struct {
    unsigned           number;
    unsigned           sent;         /* messages */
    uint64_t           when;         /* of the request */
    rtl_http_t         http;
    char               header[RTL_REST_HEAD];
} rtl_rest_conn_t;


typedef struct {
    uint64_t           count;
    uint64_t           cpu;          /* ns, of the server */
    uint64_t           time;         /* ns */
    size_t             bytes;        /* of the last body */
    rtl_hist_t         hist;
} rtl_rest_sum_t;


typedef struct {
    unsigned           n;
    rtl_rest_conn_t   *conns;
    struct pollfd     *fds;
    rtl_rest_sum_t     sums[RTL_REST_KINDS];
} rtl_rest_t;


static int rtl_rest_begin(rtl_t *rtl, rtl_rest_t *t);
static void rtl_rest_turn(rtl_t *rtl, rtl_rest_t *t, rtl_rest_kind_e kind,
    uint64_t took);
static void rtl_rest_ask(rtl_t *rtl, rtl_rest_conn_t *c,
    rtl_rest_kind_e kind);
static void rtl_rest_answer(rtl_t *rtl, rtl_rest_conn_t *c,
    rtl_rest_kind_e kind, rtl_rest_sum_t *sum);
static void rtl_rest_print(rtl_rest_t *t, rtl_rest_kind_e kind,
    const char *name);
static void rtl_rest_end(rtl_rest_t *t);


void
rtl_store(rtl_t *rtl)
{
    rtl_rest_t  t;

    if (rtl_rest_begin(rtl, &t) == 0) {
        rtl_rest_turn(rtl, &t, RTL_REST_STORE,
                      (uint64_t) (rtl->conf.warmup * 1e9));
        memset(t.sums, 0, sizeof(t.sums));
        rtl_rest_turn(rtl, &t, RTL_REST_STORE,
                      (uint64_t) (rtl->conf.seconds * 1e9));
    }

    rtl_rest_print(&t, RTL_REST_STORE, "store");
    printf(",\"messages\":%llu",
           (unsigned long long) t.sums[RTL_REST_STORE].count);
    rtl_rest_end(&t);
}


void
rtl_page(rtl_t *rtl)
{
    uint64_t    to;
    rtl_rest_t  t;

    if (rtl_rest_begin(rtl, &t) == 0) {

        while (t.conns[0].sent < 2 * RTL_REST_ROWS && !rtl->dead) {
            rtl_rest_turn(rtl, &t, RTL_REST_STORE, RTL_REST_TURN);
        }

        to = rtl_now() + (uint64_t) (rtl->conf.seconds * 1e9);

        while (rtl_now() < to && !rtl->dead) {
            rtl_rest_turn(rtl, &t, RTL_REST_PAGE, RTL_REST_TURN);
            rtl_rest_turn(rtl, &t, RTL_REST_FILE, RTL_REST_TURN);
        }
    }

    if (t.sums[RTL_REST_PAGE].bytes * 10 > t.sums[RTL_REST_FILE].bytes * 11
        || t.sums[RTL_REST_PAGE].bytes * 11 < t.sums[RTL_REST_FILE].bytes * 10)
    {
        rtl_error(rtl, "a page has %zu bytes, the file %zu",
                  t.sums[RTL_REST_PAGE].bytes, t.sums[RTL_REST_FILE].bytes);
    }

    rtl_rest_print(&t, RTL_REST_PAGE, "page");
    rtl_rest_print(&t, RTL_REST_FILE, "file");
    printf(",\"messages\":0");
    rtl_rest_end(&t);
}


static int
rtl_rest_begin(rtl_t *rtl, rtl_rest_t *t)
{
    char      token[1024];
    unsigned  i;

    memset(t, 0, sizeof(rtl_rest_t));

    t->n = rtl->conf.conns;
    t->conns = calloc(t->n, sizeof(rtl_rest_conn_t));
    t->fds = calloc(t->n, sizeof(struct pollfd));

    if (t->conns == NULL || t->fds == NULL) {
        rtl_error(rtl, "no memory");
        return -1;
    }

    for (i = 0; i < t->n; i++) {
        t->conns[i].number = i;
        t->conns[i].http.fd = -1;
    }

    for (i = 0; i < t->n; i++) {

        if (rtl_jwt(&rtl->conf, 2 * i, token, sizeof(token)) == -1) {
            rtl_error(rtl, "no token");
            return -1;
        }

        snprintf(t->conns[i].header, RTL_REST_HEAD,
                 "Authorization: Bearer %s\r\n", token);
    }

    return 0;
}


/* all ask for so long, and have their answers at the end of it */

static void
rtl_rest_turn(rtl_t *rtl, rtl_rest_t *t, rtl_rest_kind_e kind, uint64_t took)
{
    unsigned         i, open;
    uint64_t         start, cpu;
    rtl_rest_sum_t  *sum;

    sum = &t->sums[kind];
    start = rtl_now();
    cpu = rtl_proc_cpu(&rtl->conf);

    for (i = 0; i < t->n && !rtl->dead; i++) {
        rtl_rest_ask(rtl, &t->conns[i], kind);
        t->fds[i].fd = t->conns[i].http.fd;
        t->fds[i].events = POLLIN;
    }

    for (open = t->n; open && !rtl->dead; /* void */) {

        (void) poll(t->fds, t->n, -1);

        for (i = 0; i < t->n && !rtl->dead; i++) {

            if (t->fds[i].fd == -1 || t->fds[i].revents == 0) {
                continue;
            }

            rtl_rest_answer(rtl, &t->conns[i], kind, sum);

            if (rtl_now() - start < took && !rtl->dead) {
                rtl_rest_ask(rtl, &t->conns[i], kind);
                t->fds[i].fd = t->conns[i].http.fd;

            } else {
                t->fds[i].fd = -1;
                open--;
            }
        }
    }

    sum->cpu += rtl_proc_cpu(&rtl->conf) - cpu;
    sum->time += rtl_now() - start;
}


static void
rtl_rest_ask(rtl_t *rtl, rtl_rest_conn_t *c, rtl_rest_kind_e kind)
{
    char  uri[128], body[512];

    c->when = rtl_now();

    if (kind == RTL_REST_FILE) {
        (void) rtl_http_send(rtl, &c->http, "GET", "/page.json", c->header,
                             NULL);
        return;
    }

    snprintf(uri, sizeof(uri), "/api/chat/conversations/" RTL_CONVERSATION
             "/messages%s", c->number,
             kind == RTL_REST_PAGE ? "?limit=50" : "");

    if (kind == RTL_REST_PAGE) {
        (void) rtl_http_send(rtl, &c->http, "GET", uri, c->header, NULL);
        return;
    }

    snprintf(body, sizeof(body), "{\"content\":\"%0*u\","
             "\"clientId\":\"%x-%x-%llx\"}", (int) rtl->conf.size, c->sent,
             c->number, c->sent, (unsigned long long) c->when);

    c->sent++;

    (void) rtl_http_send(rtl, &c->http, "POST", uri, c->header, body);
}


static void
rtl_rest_answer(rtl_t *rtl, rtl_rest_conn_t *c, rtl_rest_kind_e kind,
    rtl_rest_sum_t *sum)
{
    int  status;

    status = rtl_http_receive(rtl, &c->http);

    if (status != (kind == RTL_REST_STORE ? 201 : 200)) {
        rtl_error(rtl, "status %d: %.100s", status,
                  status > 0 ? c->http.body : "");
        rtl->dead = 1;
        return;
    }

    sum->count++;
    sum->bytes = strlen(c->http.body);
    rtl_hist_add(&sum->hist, rtl_now() - c->when);
}


static void
rtl_rest_print(rtl_rest_t *t, rtl_rest_kind_e kind, const char *name)
{
    double           n;
    char             hist[32];
    rtl_rest_sum_t  *sum;

    sum = &t->sums[kind];
    n = sum->count ? (double) sum->count : 1;

    printf(",\"%s_per_second\":%.1f,\"%s_cpu_us\":%.3f,\"%s_bytes\":%zu",
           name, sum->time ? n * 1e9 / (double) sum->time : 0,
           name, (double) sum->cpu / 1e3 / n, name, sum->bytes);

    snprintf(hist, sizeof(hist), "%s_ms", name);
    rtl_hist_print(&sum->hist, hist);
}


static void
rtl_rest_end(rtl_rest_t *t)
{
    unsigned  i;

    for (i = 0; t->conns && i < t->n; i++) {
        rtl_http_close(&t->conns[i].http);
    }

    free(t->conns);
    free(t->fds);
}
