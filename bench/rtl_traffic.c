
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Messages from one connection to others: relay, fan-out, stored; and from a
 * back end, which sends requests to the API: notify, emit.
 *
 * A lane is one sender and its receivers.  In a closed loop it has one
 * message in flight and sends the next when that one has arrived everywhere
 * (stored: has been acknowledged, a back end's: has been replied to).  In an open loop messages leave by the
 * clock, lane after lane, and their latency counts from the moment when they
 * should have left: a stalled server cannot hide behind a stalled sender.
 *
 *   start        from            to
 *     | warm-up   | window        | drain (open and late ones arrive)
 *     +-----------+---------------+------+
 *                CPU             CPU
 *
 * Latency is taken of every message that should leave inside the window,
 * CPU is divided by the deliveries (stored: acks) inside it.
 */

#define _GNU_SOURCE

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rtload.h"


#define RTL_LANE_OPEN      4096     /* messages in flight, a power of two */
#define RTL_LANE_MASK      (RTL_LANE_OPEN - 1)
#define RTL_DRAIN          (5 * RTL_SECOND)
#define RTL_ACK_BASE       10000000u


struct rtl_lane_s {
    rtl_conn_t        *from;
    unsigned           number;
    unsigned           receivers;
    uint32_t           seq;            /* the next to be sent */
    uint32_t           replied;        /* by the API */
    uint64_t           open;           /* deliveries and acks to come */
    uint64_t           arrived;        /* deliveries */

    char              *text;           /* the packet, ready but for seq */
    size_t             len;
    size_t             content;        /* offset of the content in it */
    size_t             client_id;      /* offset of its number, or 0 */
    size_t             ack_id;         /* likewise */

    uint64_t           when[RTL_LANE_OPEN];     /* it should have left */
    uint64_t           unacked[RTL_LANE_OPEN];  /* the same, until acked */
};


typedef struct {
    rtl_lane_t        *lanes;
    unsigned           nlanes;
    rtl_call_kind_e    call;           /* of a back end */
    unsigned           stored:1;
    unsigned           sending:1;
    uint64_t           from;           /* the window */
    uint64_t           to;

    uint64_t           sent;
    uint64_t           delivered;
    uint64_t           acked;
    rtl_hist_t         delivery;
    rtl_hist_t         last;           /* of a message's deliveries; in a
                                          closed loop */
    rtl_hist_t         ack;
} rtl_traffic_t;


static int rtl_traffic_init(rtl_t *rtl, unsigned nlanes,
    rtl_call_kind_e call);
static unsigned rtl_traffic_place(rtl_t *rtl);
static rtl_conn_t *rtl_traffic_take(rtl_t *rtl, unsigned *at, int owner,
    int same);
static void rtl_traffic_fanout(rtl_t *rtl, rtl_call_kind_e call, int one);
static void rtl_traffic_lane(rtl_t *rtl, unsigned n, rtl_conn_t *from,
    rtl_conn_t *to, unsigned receivers);
static size_t rtl_traffic_text(rtl_t *rtl, rtl_lane_t *lane, unsigned to,
    char *out, size_t size);
static void rtl_traffic_request(rtl_t *rtl, rtl_lane_t *lane, unsigned to);
static void rtl_traffic_run(rtl_t *rtl);
static uint64_t rtl_traffic_pace(rtl_t *rtl, uint64_t start, uint64_t now);
static void rtl_traffic_drain(rtl_t *rtl);
static void rtl_traffic_send(rtl_t *rtl, rtl_lane_t *lane, uint64_t when);
static void rtl_traffic_event(rtl_t *rtl, rtl_conn_t *c, const char *p,
    size_t len);
static const char *rtl_traffic_content(rtl_t *rtl, const char *p, size_t len);
static void rtl_traffic_ack(rtl_t *rtl, rtl_conn_t *c, const char *p,
    size_t len);
static void rtl_traffic_reply(rtl_t *rtl, rtl_conn_t *c);
static void rtl_traffic_free(rtl_traffic_t *t);
static void rtl_traffic_hex(char *p, uint32_t n);
static void rtl_traffic_decimal(char *p, uint32_t n);


void
rtl_relay(rtl_t *rtl)
{
    unsigned  i, n, pairs;

    pairs = rtl->conf.conns;

    /* workers accept unevenly: have half as many again to choose from */

    n = (rtl->conf.place == RTL_PLACE_ANY) ? 2 * pairs : 3 * pairs;

    if (rtl_conn_init(rtl, n) == -1 || rtl_conn_ramp(rtl, n) == -1
        || rtl_traffic_init(rtl, pairs, RTL_CALL_NONE) == -1)
    {
        return;
    }

    if (rtl->conf.place == RTL_PLACE_ANY) {
        for (i = 0; i < pairs; i++) {
            rtl_traffic_lane(rtl, i, &rtl->conns[2 * i],
                             &rtl->conns[2 * i + 1], 1);
        }

    } else if (rtl_traffic_place(rtl) < pairs / 2) {
        rtl_error(rtl, "too few pairs can be placed as asked");
        return;
    }

    rtl_traffic_run(rtl);
}


/* one sender; all receivers are connections of one user */

void
rtl_fanout(rtl_t *rtl)
{
    rtl_traffic_fanout(rtl, RTL_CALL_NONE, 1);
}


/* the same, and the sender is a back end */

void
rtl_emit_many(rtl_t *rtl)
{
    rtl_traffic_fanout(rtl, RTL_CALL_EMIT, 1);
}


/* a back end; each receiver is another user */

void
rtl_notify_many(rtl_t *rtl)
{
    rtl_traffic_fanout(rtl, RTL_CALL_VOLATILE, 0);
}


void
rtl_notify_stored(rtl_t *rtl)
{
    rtl_traffic_fanout(rtl, RTL_CALL_STORED, 0);
}


static void
rtl_traffic_fanout(rtl_t *rtl, rtl_call_kind_e call, int one)
{
    unsigned  i, n;

    n = rtl->conf.conns + 1;

    if (rtl_conn_init(rtl, n) == -1) {
        return;
    }

    rtl->conns[0].plain = (call != RTL_CALL_NONE);

    for (i = 1; one && i < n; i++) {
        rtl->conns[i].user = 1;
    }

    if (rtl_conn_ramp(rtl, n) == -1 || rtl_traffic_init(rtl, 1, call) == -1) {
        return;
    }

    rtl_traffic_lane(rtl, 0, &rtl->conns[0], &rtl->conns[1], n - 1);

    for (i = 1; i < n; i++) {
        rtl->conns[i].lane = rtl->conns[1].lane;
    }

    rtl_traffic_run(rtl);
}


/* pairs of a connection of a back end and one of the user that it notifies */

void
rtl_notify(rtl_t *rtl)
{
    unsigned  i, n;

    n = 2 * rtl->conf.conns;

    if (rtl_conn_init(rtl, n) == -1) {
        return;
    }

    for (i = 0; i < n; i += 2) {
        rtl->conns[i].plain = 1;
    }

    if (rtl_conn_ramp(rtl, n) == -1
        || rtl_traffic_init(rtl, rtl->conf.conns, RTL_CALL_VOLATILE) == -1)
    {
        return;
    }

    for (i = 0; i < n; i += 2) {
        rtl_traffic_lane(rtl, i / 2, &rtl->conns[i], &rtl->conns[i + 1], 1);
    }

    rtl_traffic_run(rtl);
}


void
rtl_stored(rtl_t *rtl)
{
    unsigned        i, n;
    rtl_traffic_t  *t;

    n = 2 * rtl->conf.conns;

    if (rtl_conn_init(rtl, n) == -1 || rtl_conn_ramp(rtl, n) == -1
        || rtl_traffic_init(rtl, rtl->conf.conns, RTL_CALL_NONE) == -1)
    {
        return;
    }

    t = rtl->data;
    t->stored = 1;
    rtl->on_ack = rtl_traffic_ack;

    for (i = 0; i < rtl->conf.conns; i++) {
        rtl_traffic_lane(rtl, i, &rtl->conns[2 * i], &rtl->conns[2 * i + 1],
                         1);
    }

    rtl_traffic_run(rtl);
}


static int
rtl_traffic_init(rtl_t *rtl, unsigned nlanes, rtl_call_kind_e call)
{
    rtl_traffic_t  *t;

    t = calloc(1, sizeof(rtl_traffic_t));
    if (t == NULL) {
        rtl_error(rtl, "no memory");
        return -1;
    }

    t->lanes = calloc(nlanes, sizeof(rtl_lane_t));
    if (t->lanes == NULL) {
        free(t);
        rtl_error(rtl, "no memory");
        return -1;
    }

    t->call = call;

    rtl->data = t;
    rtl->on_event = rtl_traffic_event;
    rtl->on_reply = rtl_traffic_reply;

    return 0;
}


/* pairs up connections that different processes hold */

static unsigned
rtl_traffic_place(rtl_t *rtl)
{
    unsigned     n, i, j;
    rtl_conn_t  *from, *to;

    if (rtl_proc_owners(rtl) < 2) {
        rtl_error(rtl, "one process holds all connections");
        return 0;
    }

    i = 0;
    j = 0;

    for (n = 0; n < rtl->conf.conns; n++) {
        from = rtl_traffic_take(rtl, &i, rtl->conns[0].owner, 1);
        to = rtl_traffic_take(rtl, &j, rtl->conns[0].owner, 0);

        if (from == NULL || to == NULL) {
            break;
        }

        rtl_traffic_lane(rtl, n, from, to, 1);
    }

    return n;
}


/* the next connection from *at on that has, or has not, that owner */

static rtl_conn_t *
rtl_traffic_take(rtl_t *rtl, unsigned *at, int owner, int same)
{
    rtl_conn_t  *c;

    while (*at < rtl->nconns) {
        c = &rtl->conns[(*at)++];

        if (c->owner != -1 && (c->owner == owner) == same) {
            return c;
        }
    }

    return NULL;
}


static void
rtl_traffic_lane(rtl_t *rtl, unsigned n, rtl_conn_t *from, rtl_conn_t *to,
    unsigned receivers)
{
    size_t          size;
    rtl_lane_t     *lane;
    rtl_traffic_t  *t;

    t = rtl->data;
    lane = &t->lanes[n];

    lane->number = n;
    lane->from = from;
    lane->receivers = receivers;
    from->lane = lane;
    to->lane = lane;
    t->nlanes = n + 1;

    if (t->call) {
        rtl_traffic_request(rtl, lane, to->user);
        return;
    }

    size = rtl->conf.size + 512;

    lane->text = malloc(size);
    if (lane->text == NULL) {
        rtl_error(rtl, "no memory");
        rtl->dead = 1;
        return;
    }

    lane->len = rtl_traffic_text(rtl, lane, to->user, lane->text, size);
}


/* "LLLLLLLLSSSSSSSS" and filler, in the packet of the protocol */

static size_t
rtl_traffic_text(rtl_t *rtl, rtl_lane_t *lane, unsigned to, char *out,
    size_t size)
{
    int             n;
    unsigned        i;
    rtl_traffic_t  *t;

    t = rtl->data;

    if (rtl->conf.proto == RTL_PROTO_RAW) {
        n = snprintf(out, size, "%08u", to);

    } else if (t->stored) {
        lane->ack_id = 2;
        n = snprintf(out, size, "4200000000[\"message_send\","
                     "{\"conversationId\":\"" RTL_CONVERSATION "\","
                     "\"clientId\":\"%08x-0000-7000-%04x-0000",
                     lane->number, (unsigned) rtl_now(),
                     lane->number & 0xffff);
        lane->client_id = (size_t) n;
        n += snprintf(out + n, size - (size_t) n, "00000000\","
                      "\"content\":\"");

    } else {
        n = snprintf(out, size, "42[\"message\",{\"recipientId\":\"" RTL_USER
                     "\",\"conversationId\":\"" RTL_CONVERSATION
                     "\",\"message\":\"", to, lane->number);
    }

    lane->content = (size_t) n;
    n += snprintf(out + n, size - (size_t) n, "%08x%08x", lane->number, 0);

    for (i = 16; i < rtl->conf.size; i++) {
        out[n++] = (char) ('a' + (lane->number + i) % 26);
    }

    if (rtl->conf.proto == RTL_PROTO_SOCKETIO) {
        n += snprintf(out + n, size - (size_t) n, "\"}]");
    }

    return (size_t) n;
}


/* the same content, in a request */

static void
rtl_traffic_request(rtl_t *rtl, rtl_lane_t *lane, unsigned to)
{
    char             content[32769];
    unsigned         i;
    rtl_call_t       call;
    rtl_traffic_t   *t;

    t = rtl->data;

    i = (unsigned) snprintf(content, sizeof(content), "%08x%08x",
                            lane->number, 0);

    for ( /* void */ ; i < rtl->conf.size; i++) {
        content[i] = (char) ('a' + (lane->number + i) % 26);
    }

    content[i] = '\0';

    call.kind = t->call;
    call.first = to;
    call.users = lane->receivers;
    call.content = content;

    lane->text = rtl_api_request(rtl, &call, &lane->len, &lane->content);

    if (lane->text == NULL) {
        rtl_error(rtl, "no memory");
        rtl->dead = 1;
    }
}


static void
rtl_traffic_run(rtl_t *rtl)
{
    double          count;
    unsigned        i;
    uint64_t        now, start, next, cpu, own, from, messages;
    rtl_traffic_t  *t;

    t = rtl->data;
    start = rtl_now();
    t->from = start + (uint64_t) (rtl->conf.warmup * 1e9);
    t->to = t->from + (uint64_t) (rtl->conf.seconds * 1e9);
    t->sending = 1;
    cpu = own = from = messages = 0;

    if (rtl->conf.rate == 0) {
        for (i = 0; i < t->nlanes; i++) {
            rtl_traffic_send(rtl, &t->lanes[i], rtl_now());
        }
    }

    for (now = start; now < t->to && !rtl->dead; now = rtl_now()) {

        if (from == 0 && now >= t->from) {
            cpu = rtl_proc_cpu(&rtl->conf);
            own = rtl_proc_own_cpu();
            messages = t->stored ? t->acked : t->delivered;
            from = now;
        }

        next = from ? t->to : t->from;

        if (rtl->conf.rate != 0) {
            uint64_t  due = rtl_traffic_pace(rtl, start, now);

            next = (due < next) ? due : next;
        }

        rtl_conn_poll(rtl, next);
    }

    t->sending = 0;
    cpu = rtl_proc_cpu(&rtl->conf) - cpu;
    own = rtl_proc_own_cpu() - own;
    messages = (t->stored ? t->acked : t->delivered) - messages;
    count = messages ? (double) messages : 1;

    rtl_traffic_drain(rtl);

    printf(",\"lanes\":%u,\"size\":%u,\"rate\":%.0f,\"messages\":%llu,"
           "\"per_second\":%.1f,\"cpu_us\":%.3f,\"client_cpu_us\":%.3f",
           t->nlanes, rtl->conf.size, rtl->conf.rate,
           (unsigned long long) messages,
           count * 1e9 / (double) (now - from), (double) cpu / 1e3 / count,
           (double) own / 1e3 / count);

    rtl_hist_print(&t->delivery, "delivery_ms");

    if (t->stored || t->call) {
        rtl_hist_print(&t->ack, "ack_ms");
    }

    if (rtl->conf.rate == 0) {
        rtl_hist_print(&t->last, "last_ms");
    }

    rtl_traffic_free(t);
}


/* sends what is due; returns when the next one will be */

static uint64_t
rtl_traffic_pace(rtl_t *rtl, uint64_t start, uint64_t now)
{
    unsigned        burst;
    uint64_t        due;
    rtl_traffic_t  *t;

    t = rtl->data;

    for (burst = 0; ; burst++) {
        due = start + (uint64_t) ((double) t->sent * 1e9 / rtl->conf.rate);

        /* late by many: read in between */

        if (due > now || burst == 64 || rtl->dead) {
            return due;
        }

        rtl_traffic_send(rtl, &t->lanes[t->sent % t->nlanes], due);
    }
}


static void
rtl_traffic_drain(rtl_t *rtl)
{
    unsigned        i;
    uint64_t        until, open;
    rtl_traffic_t  *t;

    t = rtl->data;

    /* a run that has failed already need not wait for what is lost */

    until = rtl_now() + (rtl->errors ? RTL_SECOND : RTL_DRAIN);

    for ( ;; ) {
        open = 0;

        for (i = 0; i < t->nlanes; i++) {
            open += t->lanes[i].open;
        }

        if (open == 0 || rtl->dead) {
            break;
        }

        if (rtl_now() >= until) {
            rtl_error(rtl, "%llu deliveries or acks never came",
                      (unsigned long long) open);
            return;
        }

        rtl_conn_poll(rtl, until);
    }

    /* whatever comes now was not asked for; the receivers will tell */

    rtl_conn_wait(rtl, rtl_now() + RTL_SECOND / 5);
}


static void
rtl_traffic_send(rtl_t *rtl, rtl_lane_t *lane, uint64_t when)
{
    uint32_t        seq;
    rtl_traffic_t  *t;

    t = rtl->data;
    seq = lane->seq;

    if (lane->open >= (uint64_t) lane->receivers * RTL_LANE_OPEN / 2) {
        rtl_error(rtl, "the server is behind by %u messages on a lane",
                  RTL_LANE_OPEN / 2);
        rtl->dead = 1;
        return;
    }

    rtl_traffic_hex(lane->text + lane->content + 8, seq);

    if (t->stored) {
        rtl_traffic_hex(lane->text + lane->client_id, seq);
        rtl_traffic_decimal(lane->text + lane->ack_id, RTL_ACK_BASE + seq);
    }

    if (t->stored || t->call) {
        lane->unacked[seq & RTL_LANE_MASK] = when;
        lane->open++;
    }

    lane->when[seq & RTL_LANE_MASK] = when;
    lane->open += lane->receivers;
    lane->seq++;
    t->sent++;

    rtl_conn_text(rtl, lane->from, lane->text, lane->len);
}


static void
rtl_traffic_event(rtl_t *rtl, rtl_conn_t *c, const char *p, size_t len)
{
    char            digits[8];
    uint64_t        when, now;
    rtl_lane_t     *lane;
    const char     *content, *want;
    rtl_traffic_t  *t;

    t = rtl->data;
    lane = c->lane;

    content = rtl_traffic_content(rtl, p, len);
    if (content == NULL) {
        return;
    }

    if (lane == NULL || c == lane->from) {
        rtl_error(rtl, "connection %u got somebody else's message", c->user);
        return;
    }

    want = lane->text + lane->content;
    rtl_traffic_hex(digits, c->expect);

    if (memcmp(content, want, 8) != 0
        || memcmp(content + 16, want + 16, rtl->conf.size - 16) != 0)
    {
        rtl_error(rtl, "altered: \"%.*s\" came for \"%.*s\"",
                  (int) rtl->conf.size, content, (int) rtl->conf.size, want);
        return;
    }

    if (c->expect == lane->seq || memcmp(content + 8, digits, 8) != 0) {
        rtl_error(rtl, "lane %u expected message %u of %u, got 0x%.8s",
                  lane->number, c->expect, lane->seq, content + 8);
        return;
    }

    now = rtl_now();
    when = lane->when[c->expect & RTL_LANE_MASK];

    if (when >= t->from && when < t->to) {
        rtl_hist_add(&t->delivery, now - when);
    }

    c->expect++;
    lane->open--;
    t->delivered++;

    if (++lane->arrived % lane->receivers == 0
        && when >= t->from && when < t->to)
    {
        rtl_hist_add(&t->last, now - when);
    }

    if (lane->open == 0 && rtl->conf.rate == 0 && t->sending) {
        rtl_traffic_send(rtl, lane, now);
    }
}


/* the content of a "message" event; NULL when it is another event, or bad */

static const char *
rtl_traffic_content(rtl_t *rtl, const char *p, size_t len)
{
    size_t          n;
    const char     *content, *last, *event;
    rtl_traffic_t  *t;

    static const char  key[] = "\"message\":\"";

    t = rtl->data;
    last = p + len;
    event = t->call ? "[\"notification\"," : "[\"message\",";
    n = strlen(event);

    if (rtl->conf.proto == RTL_PROTO_RAW) {
        if (len != rtl->conf.size) {
            rtl_error(rtl, "%zu bytes came for %u", len, rtl->conf.size);
            return NULL;
        }

        return p;
    }

    if (len < n || memcmp(p, event, n) != 0) {
        if (len > 8 && memcmp(p, "[\"error\"", 8) == 0) {
            rtl_error(rtl, "event: %.*s", len > 150 ? 150 : (int) len, p);
        }

        return NULL;
    }

    content = memmem(p + n, len - n, key, sizeof(key) - 1);

    if (content != NULL) {
        content += sizeof(key) - 1;

        if ((size_t) (last - content) > rtl->conf.size
            && content[rtl->conf.size] == '"')
        {
            return content;
        }
    }

    rtl_error(rtl, "no such message: %.*s", len > 150 ? 150 : (int) len, p);

    return NULL;
}


/* <id>[{"status":"success",...}] */

static void
rtl_traffic_ack(rtl_t *rtl, rtl_conn_t *c, const char *p, size_t len)
{
    size_t          i;
    uint32_t        id;
    uint64_t        when, now;
    rtl_lane_t     *lane;
    rtl_traffic_t  *t;

    t = rtl->data;
    lane = c->lane;
    id = 0;

    for (i = 0; i < len && i < 9 && p[i] >= '0' && p[i] <= '9'; i++) {
        id = id * 10 + (uint32_t) (p[i] - '0');
    }

    id -= RTL_ACK_BASE;

    if (lane == NULL || c != lane->from || id >= lane->seq
        || lane->unacked[id & RTL_LANE_MASK] == 0)
    {
        rtl_error(rtl, "an ack that nobody waits for: %.*s",
                  len > 100 ? 100 : (int) len, p);
        return;
    }

    if (memmem(p, len, "\"status\":\"success\"", 18) == NULL) {
        rtl_error(rtl, "refused: %.*s", len > 150 ? 150 : (int) len, p);
    }

    now = rtl_now();
    when = lane->unacked[id & RTL_LANE_MASK];
    lane->unacked[id & RTL_LANE_MASK] = 0;

    if (when >= t->from && when < t->to) {
        rtl_hist_add(&t->ack, now - when);
    }

    lane->open--;
    t->acked++;

    if (lane->open == 0 && rtl->conf.rate == 0 && t->sending) {
        rtl_traffic_send(rtl, lane, now);
    }
}


/* of the API: the oldest request of the lane has its reply */

static void
rtl_traffic_reply(rtl_t *rtl, rtl_conn_t *c)
{
    uint64_t        when, now;
    rtl_lane_t     *lane;
    rtl_traffic_t  *t;

    t = rtl->data;
    lane = c->lane;

    if (lane == NULL || lane->replied == lane->seq) {
        rtl_error(rtl, "a reply that nobody waits for");
        return;
    }

    now = rtl_now();
    when = lane->unacked[lane->replied++ & RTL_LANE_MASK];

    if (when >= t->from && when < t->to) {
        rtl_hist_add(&t->ack, now - when);
    }

    lane->open--;
    t->acked++;

    if (lane->open == 0 && rtl->conf.rate == 0 && t->sending) {
        rtl_traffic_send(rtl, lane, now);
    }
}


static void
rtl_traffic_free(rtl_traffic_t *t)
{
    unsigned  i;

    for (i = 0; i < t->nlanes; i++) {
        free(t->lanes[i].text);
    }

    free(t->lanes);
    free(t);
}


static void
rtl_traffic_hex(char *p, uint32_t n)
{
    int  i;

    for (i = 7; i >= 0; i--) {
        p[i] = "0123456789abcdef"[n & 15];
        n >>= 4;
    }
}


static void
rtl_traffic_decimal(char *p, uint32_t n)
{
    int  i;

    for (i = 7; i >= 0; i--) {
        p[i] = (char) ('0' + n % 10);
        n /= 10;
    }
}
