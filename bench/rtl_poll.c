
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Long-polling, one step after the other: what a client waits for.
 *
 *   polling, "event"   GET, parked       POST of an event ... its ack comes
 *                                        on the GET:   from the first byte of
 *                                        the POST to the last of the GET
 *   polling, "get"     the ack waits already:   one GET
 *   polling, "plain"   a location that returns 200:   one GET
 *   upgrade            GET, parked       "2probe" on a WebSocket ... the GET
 *                                        is released:   from the frame to the
 *                                        last byte of the GET
 *
 * Each of polling's is done on connections that stay, and, "_new", with a
 * connection for each request, whose connect() is part of it.  They take turns,
 * and so do the sessions, so that whatever else the machine does meets all.
 * Before each the server has RTL_POLL_PAUSE to finish what came before, and to
 * fall asleep: a parked GET is parked, and a plain one begins like the others.
 */

#define _GNU_SOURCE

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rtload.h"


#define RTL_POLL_SEPARATOR "\x1e"
#define RTL_POLL_NOBODY    0x100000     /* a user without a connection */

#define RTL_POLL_PAUSE     300          /* us */

#define RTL_POLL_CLOSE     "Connection: close\r\n"
#define RTL_POLL_UPGRADE   "Connection: Upgrade\r\n"                          \
                           "Upgrade: websocket\r\n"                           \
                           "Sec-WebSocket-Version: 13\r\n"                    \
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


typedef struct {
    unsigned           user;
    unsigned           acks;           /* ids that were used */
    unsigned           pinged:1;       /* a pong is due */
    rtl_http_t         get;
    rtl_http_t         post;
    char               sid[64];
} rtl_poll_t;


typedef enum {
    RTL_POLL_PLAIN = 0,
    RTL_POLL_EVENT,
    RTL_POLL_GET,
    RTL_POLL_KINDS
} rtl_poll_kind_e;


typedef struct {
    rtl_hist_t         hist[RTL_POLL_KINDS];    /* connections that stay */
    rtl_hist_t         fresh[RTL_POLL_KINDS];   /* new ones */
    rtl_http_t         plain;
    unsigned           counts:1;       /* the warm-up is over */
} rtl_poll_times_t;


static int rtl_poll_begin(rtl_t *rtl, rtl_poll_t *s, unsigned user);
static void rtl_poll_end(rtl_poll_t *s);
static void rtl_poll_plain(rtl_t *rtl, rtl_poll_times_t *t, int fresh);
static void rtl_poll_event(rtl_t *rtl, rtl_poll_times_t *t, rtl_poll_t *s,
    int fresh);
static void rtl_poll_get(rtl_t *rtl, rtl_poll_times_t *t, rtl_poll_t *s,
    int fresh);
static void rtl_poll_time(rtl_poll_times_t *t, int fresh,
    rtl_poll_kind_e kind, uint64_t start);
static uint64_t rtl_poll_pause(void);
static void rtl_poll_print(const rtl_hist_t *hist, const char *suffix);
static int rtl_poll_upgrade(rtl_t *rtl, rtl_poll_t *s, rtl_http_t *ws,
    uint64_t *took);
static int rtl_poll_upgraded(rtl_t *rtl, rtl_poll_t *s, rtl_http_t *ws);
static int rtl_poll_ask(rtl_t *rtl, rtl_poll_t *s, rtl_http_t *h,
    const char *more);
static int rtl_poll_wait(rtl_t *rtl, rtl_poll_t *s, rtl_http_t *h,
    const char *more, const char *want);
static int rtl_poll_packets(rtl_t *rtl, rtl_poll_t *s, char *body,
    const char *want);
static int rtl_poll_post(rtl_t *rtl, rtl_poll_t *s, rtl_http_t *h,
    const char *more, const char *body);
static int rtl_poll_posted(rtl_t *rtl, rtl_http_t *h);
static void rtl_poll_message(rtl_poll_t *s, char *text, char *ack);


void
rtl_polling(rtl_t *rtl)
{
    int                fresh;
    unsigned           i, n;
    uint64_t           from, to, now;
    rtl_poll_t        *sessions;
    rtl_poll_times_t  *t;

    n = rtl->conf.conns;
    t = calloc(1, sizeof(rtl_poll_times_t));
    sessions = calloc(n, sizeof(rtl_poll_t));

    if (t == NULL || sessions == NULL) {
        rtl_error(rtl, "no memory");
        return;
    }

    t->plain.fd = -1;

    for (i = 0; i < n && !rtl->dead; i++) {
        (void) rtl_poll_begin(rtl, &sessions[i], i);
    }

    from = rtl_now() + (uint64_t) (rtl->conf.warmup * 1e9);
    to = from + (uint64_t) (rtl->conf.seconds * 1e9);

    for (i = 0; !rtl->dead; i++) {

        now = rtl_now();
        t->counts = (now >= from);

        if (now >= to) {
            break;
        }

        fresh = i & 1;

        rtl_poll_plain(rtl, t, fresh);
        rtl_poll_event(rtl, t, &sessions[i / 2 % n], fresh);
        rtl_poll_get(rtl, t, &sessions[i / 2 % n], fresh);
    }

    rtl_poll_print(t->hist, "");
    rtl_poll_print(t->fresh, "_new");

    for (i = 0; i < n; i++) {
        rtl_poll_end(&sessions[i]);
    }

    rtl_http_close(&t->plain);
    free(sessions);
    free(t);
}


static int
rtl_poll_begin(rtl_t *rtl, rtl_poll_t *s, unsigned user)
{
    char  token[1024], header[1100], *sid;

    memset(s, 0, sizeof(rtl_poll_t));

    s->user = user;
    s->get.fd = -1;
    s->post.fd = -1;

    if (rtl_jwt(&rtl->conf, user, token, sizeof(token)) == -1) {
        rtl_error(rtl, "no token");
        rtl->dead = 1;
        return -1;
    }

    snprintf(header, sizeof(header), "Authorization: Bearer %s\r\n", token);

    if (rtl_http_send(rtl, &s->get, "GET",
                      "/socket.io/?EIO=4&transport=polling", header, NULL)
        == -1
        || rtl_http_receive(rtl, &s->get) != 200
        || (sid = strstr(s->get.body, "\"sid\":\"")) == NULL
        || sscanf(sid, "\"sid\":\"%63[^\"]", s->sid) != 1)
    {
        rtl_error(rtl, "no session: %.100s", s->get.body ? s->get.body : "");
        rtl->dead = 1;
        return -1;
    }

    if (rtl_poll_post(rtl, s, &s->post, "", "40") == -1
        || rtl_poll_posted(rtl, &s->post) == -1
        || rtl_poll_ask(rtl, s, &s->get, "") == -1)
    {
        return -1;
    }

    return rtl_poll_wait(rtl, s, &s->get, "", "42[\"connected\"");
}


static void
rtl_poll_end(rtl_poll_t *s)
{
    rtl_http_close(&s->get);
    rtl_http_close(&s->post);
}


static void
rtl_poll_plain(rtl_t *rtl, rtl_poll_times_t *t, int fresh)
{
    uint64_t     start;
    rtl_http_t   own, *h;

    own.fd = -1;
    h = fresh ? &own : &t->plain;

    start = rtl_poll_pause();

    if (rtl_http_send(rtl, h, "GET", "/plain", fresh ? RTL_POLL_CLOSE : "",
                      NULL)
        == 0)
    {
        if (rtl_http_receive(rtl, h) == 200) {
            rtl_poll_time(t, fresh, RTL_POLL_PLAIN, start);

        } else {
            rtl_error(rtl, "/plain is not 200");
        }
    }

    rtl_http_close(&own);
}


static void
rtl_poll_event(rtl_t *rtl, rtl_poll_times_t *t, rtl_poll_t *s, int fresh)
{
    char         text[512], ack[32];
    uint64_t     start;
    rtl_http_t   own[2], *get, *post;
    const char  *more;

    own[0].fd = -1;
    own[1].fd = -1;

    get = fresh ? &own[0] : &s->get;
    post = fresh ? &own[1] : &s->post;
    more = fresh ? RTL_POLL_CLOSE : "";

    rtl_poll_message(s, text, ack);

    if (rtl_poll_ask(rtl, s, get, more) == -1) {
        return;
    }

    start = rtl_poll_pause();

    if (rtl_poll_post(rtl, s, post, more, text) == 0
        && rtl_poll_wait(rtl, s, get, more, ack) == 0)
    {
        rtl_poll_time(t, fresh, RTL_POLL_EVENT, start);
        (void) rtl_poll_posted(rtl, post);
    }

    rtl_http_close(&own[0]);
    rtl_http_close(&own[1]);
}


static void
rtl_poll_get(rtl_t *rtl, rtl_poll_times_t *t, rtl_poll_t *s, int fresh)
{
    char         text[512], ack[32];
    uint64_t     start;
    rtl_http_t   own, *get;
    const char  *more;

    own.fd = -1;
    get = fresh ? &own : &s->get;
    more = fresh ? RTL_POLL_CLOSE : "";

    if (s->pinged) {
        s->pinged = 0;

        if (rtl_poll_post(rtl, s, &s->post, "", "3") == -1
            || rtl_poll_posted(rtl, &s->post) == -1)
        {
            return;
        }
    }

    rtl_poll_message(s, text, ack);

    if (rtl_poll_post(rtl, s, &s->post, "", text) == -1
        || rtl_poll_posted(rtl, &s->post) == -1)
    {
        return;
    }

    start = rtl_poll_pause();

    if (rtl_poll_ask(rtl, s, get, more) == 0
        && rtl_poll_wait(rtl, s, get, more, ack) == 0)
    {
        rtl_poll_time(t, fresh, RTL_POLL_GET, start);
    }

    rtl_http_close(&own);
}


static void
rtl_poll_time(rtl_poll_times_t *t, int fresh, rtl_poll_kind_e kind,
    uint64_t start)
{
    if (t->counts) {
        rtl_hist_add(fresh ? &t->fresh[kind] : &t->hist[kind],
                     rtl_now() - start);
    }
}


/* returns the time after it */

static uint64_t
rtl_poll_pause(void)
{
    (void) usleep(RTL_POLL_PAUSE);

    return rtl_now();
}


/* each, and how often the plain one goes into it */

static void
rtl_poll_print(const rtl_hist_t *hist, const char *suffix)
{
    char      name[32];
    double    plain;
    unsigned  i;

    static const char *const  names[RTL_POLL_KINDS] = {
        "plain", "event", "get"
    };

    plain = rtl_hist_ms(&hist[RTL_POLL_PLAIN], 0.5);

    for (i = 0; i < RTL_POLL_KINDS; i++) {
        snprintf(name, sizeof(name), "%s%s_ms", names[i], suffix);
        rtl_hist_print(&hist[i], name);

        printf(",\"%s%s_plain\":%.3f", names[i], suffix,
               plain > 0 ? rtl_hist_ms(&hist[i], 0.5) / plain : 0);
    }
}


/*
 * With --place different only those count whose WebSocket is another worker's
 * than the GET.
 */

void
rtl_upgrade(rtl_t *rtl)
{
    unsigned     i;
    uint64_t     from, to, took;
    rtl_poll_t  *s;
    rtl_hist_t  *released;
    rtl_http_t   ws;

    s = calloc(1, sizeof(rtl_poll_t));
    released = calloc(1, sizeof(rtl_hist_t));

    if (s == NULL || released == NULL) {
        rtl_error(rtl, "no memory");
        return;
    }

    from = rtl_now() + (uint64_t) (rtl->conf.warmup * 1e9);
    to = from + (uint64_t) (rtl->conf.seconds * 1e9);

    for (i = 0; rtl_now() < to && !rtl->dead; i++) {

        ws.fd = -1;

        if (rtl_poll_begin(rtl, s, i % 1000) == 0
            && rtl_poll_upgrade(rtl, s, &ws, &took) == 0
            && rtl_now() >= from
            && (rtl->conf.place == RTL_PLACE_ANY
                || s->get.worker != ws.worker))
        {
            rtl_hist_add(released, took);
        }

        rtl_http_close(&ws);
        rtl_poll_end(s);
    }

    if (released->count == 0) {
        rtl_error(rtl, "no upgrade was of the kind that was asked for");
    }

    printf(",\"upgrades\":%u", i);
    rtl_hist_print(released, "released_ms");

    free(s);
    free(released);
}


static int
rtl_poll_upgrade(rtl_t *rtl, rtl_poll_t *s, rtl_http_t *ws, uint64_t *took)
{
    int          status;
    char         uri[256];
    uint64_t     start;
    const char  *text;

    snprintf(uri, sizeof(uri), "/socket.io/?EIO=4&transport=websocket&sid=%s",
             s->sid);

    if (rtl_poll_ask(rtl, s, &s->get, "") == -1
        || rtl_http_send(rtl, ws, "GET", uri, RTL_POLL_UPGRADE, NULL) == -1)
    {
        return -1;
    }

    status = rtl_http_receive(rtl, ws);

    if (status != 101) {
        rtl_error(rtl, "no upgrade: %d", status);
        rtl->dead = 1;
        return -1;
    }

    start = rtl_poll_pause();

    if (rtl_http_text(rtl, ws, "2probe") == -1
        || rtl_http_receive(rtl, &s->get) != 200)
    {
        return -1;
    }

    *took = rtl_now() - start;

    if (strcmp(s->get.body, "2") == 0) {
        /* a ping was first, and the GET was none that waits */
        return -1;
    }

    text = rtl_http_frame(rtl, ws);

    if (text == NULL || strcmp(text, "3probe") != 0
        || strcmp(s->get.body, "6") != 0)
    {
        rtl_error(rtl, "a probe that is answered \"%.100s\", a GET \"%.100s\"",
                  text ? text : "", s->get.body);
        rtl->dead = 1;
        return -1;
    }

    return rtl_poll_upgraded(rtl, s, ws);
}


/* it is a session, and its events are answered */

static int
rtl_poll_upgraded(rtl_t *rtl, rtl_poll_t *s, rtl_http_t *ws)
{
    char         text[512], ack[32];
    const char  *answer;

    if (rtl_http_text(rtl, ws, "5") == -1) {
        return -1;
    }

    /* an event that fits into the shortest of frames */

    snprintf(ack, sizeof(ack), "43%u[", s->acks);
    snprintf(text, sizeof(text), "42%u[\"message\",{\"recipientId\":\""
             RTL_USER "\",\"conversationId\":\"c\",\"message\":\"m\"}]",
             s->acks++, RTL_POLL_NOBODY);

    if (rtl_http_text(rtl, ws, text) == -1) {
        return -1;
    }

    answer = rtl_http_frame(rtl, ws);

    if (answer == NULL || strncmp(answer, ack, strlen(ack)) != 0) {
        rtl_error(rtl, "after the upgrade: \"%.100s\"", answer ? answer : "");
        rtl->dead = 1;
        return -1;
    }

    return 0;
}


/* a GET that waits for what comes */

static int
rtl_poll_ask(rtl_t *rtl, rtl_poll_t *s, rtl_http_t *h, const char *more)
{
    char  uri[256];

    snprintf(uri, sizeof(uri), "/socket.io/?EIO=4&transport=polling&sid=%s",
             s->sid);

    return rtl_http_send(rtl, h, "GET", uri, more, NULL);
}


/* until its answer, or that of a further one, has the packet */

static int
rtl_poll_wait(rtl_t *rtl, rtl_poll_t *s, rtl_http_t *h, const char *more,
    const char *want)
{
    int  status;

    for ( ;; ) {
        status = rtl_http_receive(rtl, h);

        if (status != 200) {
            rtl_error(rtl, "a GET is answered %d", status);
            rtl->dead = 1;
            return -1;
        }

        if (rtl_poll_packets(rtl, s, h->body, want)) {
            return 0;
        }

        if (rtl->dead || rtl_poll_ask(rtl, s, h, more) == -1) {
            return -1;
        }
    }
}


/* 1: a packet that begins with that is among them */

static int
rtl_poll_packets(rtl_t *rtl, rtl_poll_t *s, char *body, const char *want)
{
    int    found;
    char  *packet, *next;

    found = 0;

    for (packet = strtok_r(body, RTL_POLL_SEPARATOR, &next);
         packet;
         packet = strtok_r(NULL, RTL_POLL_SEPARATOR, &next))
    {
        if (strncmp(packet, want, strlen(want)) == 0) {
            found = 1;

        } else if (packet[0] == '2') {
            s->pinged = 1;

        } else if (strncmp(packet, "40{", 3) != 0) {
            rtl_error(rtl, "packet: %.150s", packet);
            rtl->dead = 1;
        }
    }

    return found;
}


static int
rtl_poll_post(rtl_t *rtl, rtl_poll_t *s, rtl_http_t *h, const char *more,
    const char *body)
{
    char  uri[256];

    snprintf(uri, sizeof(uri), "/socket.io/?EIO=4&transport=polling&sid=%s",
             s->sid);

    return rtl_http_send(rtl, h, "POST", uri, more, body);
}


static int
rtl_poll_posted(rtl_t *rtl, rtl_http_t *h)
{
    int  status;

    status = rtl_http_receive(rtl, h);

    if (status != 200 || strcmp(h->body, "ok") != 0) {
        rtl_error(rtl, "a POST is answered %d", status);
        rtl->dead = 1;
        return -1;
    }

    return 0;
}


static void
rtl_poll_message(rtl_poll_t *s, char *text, char *ack)
{
    sprintf(ack, "43%u[", s->acks);
    sprintf(text, "42%u[\"message\",{\"recipientId\":\"" RTL_USER "\","
            "\"conversationId\":\"" RTL_CONVERSATION "\","
            "\"message\":\"what a client has to say\"}]", s->acks++,
            RTL_POLL_NOBODY, s->user);
}
