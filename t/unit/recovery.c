
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * What a socket that comes back is sent: exactly what it missed, whoever
 * published it and in whatever order it came to the old owner, or nothing and
 * a reason.  Publishers are processes, one for each slot; this one is the
 * worker of the socket.
 */


#include "records.h"

#define ZONE      (256 * 1024 * 1024)
#define WORKERS   5                    /* slots 1 to 5 publish */
#define EVENTS    4096


/* nginx's pools, as far as they are used here */

ngx_pool_t *
ngx_create_pool(size_t size, ngx_log_t *log)
{
    return calloc(1, sizeof(ngx_pool_t));
}


void
ngx_destroy_pool(ngx_pool_t *pool)
{
    free(pool);
}


void *
ngx_array_push(ngx_array_t *a)
{
    void  *p;

    if (a->nelts == a->nalloc) {
        p = malloc(2 * a->nalloc * a->size);
        memcpy(p, a->elts, a->nelts * a->size);
        a->elts = p;
        a->nalloc *= 2;
    }

    return (u_char *) a->elts + a->size * a->nelts++;
}


/* the publishers: told over a pipe, they answer with the place */

typedef struct {
    uint32_t    n;                         /* of the event: its content */
    uint32_t    len;
    char        user[16];
    time_t      now;
} order_t;

static struct {
    pid_t       pid;
    int         to;
    int         from;
} publishers[WORKERS + 1];


static uint64_t
event(const char *user, uint32_t n, uint32_t len)
{
    u_char               buf[32], *text;
    uint64_t             place;
    ngx_str_t            data, room;
    ngx_realtime_msg_t  *m;

    text = malloc(len + 32);
    data.data = text;
    data.len = sprintf((char *) text, "%u", n);
    memset(text + data.len, ' ', len);
    data.len += len;

    m = ngx_realtime_msg_event("e", &data, NULL);

    room.data = buf;
    room.len = sprintf((char *) buf, "user:%s", user);

    ngx_realtime_history_add(&room, ngx_realtime_history_hash(&room), NULL, m);

    place = m->place;
    ngx_realtime_msg_unref(m);
    free(text);

    return place;
}


static void
publisher(ngx_uint_t slot, int in, int out)
{
    order_t   order;
    uint64_t  place;

    records_worker(slot);

    while (read(in, &order, sizeof(order)) == sizeof(order)) {
        zone_clock(order.now);
        place = event(order.user, order.n, order.len);

        if (write(out, &place, sizeof(place)) != sizeof(place)) {
            break;
        }
    }

    _exit(0);
}


static void
start(void)
{
    int         to[2], from[2];
    ngx_uint_t  i;

    records_zone(ZONE);

    for (i = 1; i <= WORKERS; i++) {

        if (publishers[i].pid) {
            kill(publishers[i].pid, SIGKILL);
            zone_wait(publishers[i].pid);
            close(publishers[i].to);
            close(publishers[i].from);
        }

        if (pipe(to) != 0 || pipe(from) != 0) {
            abort();
        }

        zone_fork(publishers[i].pid, publisher(i, to[0], from[1]));

        close(to[0]);
        close(from[1]);
        publishers[i].to = to[1];
        publishers[i].from = from[0];
    }
}


static uint64_t
publish_to(const char *user, ngx_uint_t slot, uint32_t n, uint32_t len)
{
    order_t   order;
    uint64_t  place;

    if (slot == 0) {
        return event(user, n, len);
    }

    memset(&order, 0, sizeof(order));
    order.n = n;
    order.len = len;
    order.now = zone_time.sec;
    strcpy(order.user, user);

    if (write(publishers[slot].to, &order, sizeof(order)) != sizeof(order)
        || read(publishers[slot].from, &place, sizeof(place)) != sizeof(place))
    {
        abort();
    }

    return place;
}


#define publish(slot, n)  publish_to("ann", slot, n, 0)


/* the client: its socket, what it last got, and what it is to get */

typedef struct {
    ngx_realtime_socket_t  *sk;
    u_char                  pid[NGX_REALTIME_PID_LEN];
    uint64_t                got;           /* place; 0: nothing yet */
    const char             *why;
} client_t;


static client_t
client(const char *user)
{
    client_t  c;

    memset(&c, 0, sizeof(c));
    c.sk = records_socket(records_session(), user);
    (void) ngx_realtime_recovery_pid(c.sk, c.pid);

    return c;
}


/* it comes back: the numbers that it is sent, "new" if it starts anew */

static char *
back_as(client_t *c, const char *user)
{
    u_char                   text[NGX_REALTIME_OFFSET_TAIL + 8];
    ngx_str_t                pid, offset, data = ngx_string("0");
    records_session_t       *rs;
    ngx_realtime_msg_t      *m;
    ngx_realtime_out_t       missed;
    ngx_realtime_identity_t  id;

    static char              result[EVENTS * 8];
    char                    *p;

    rs = records_session();
    id = records_user(user);

    pid.data = c->pid;
    pid.len = sizeof(c->pid);

    ngx_str_null(&offset);

    if (c->got) {
        m = ngx_realtime_msg_event("", &data, NULL);
        ngx_realtime_msg_seal(m, c->got);
        memcpy(text, m->data + m->len - 13, 11);
        ngx_realtime_msg_unref(m);

        offset.data = text;
        offset.len = 11;
    }

    ngx_realtime_out_init(&missed);

    c->why = NULL;
    c->sk = ngx_realtime_recovery_resume(&rs->session, &records_nsp, &id, &pid,
                                         &offset, &missed, &c->why);
    if (c->sk == NULL) {
        return "new";
    }

    result[0] = '\0';
    p = result;

    while ((m = ngx_realtime_out_shift(&missed)) != NULL) {
        p += sprintf(p, "%s%d", p == result ? "" : " ",
                     atoi((char *) ngx_realtime_msg_payload(m)
                          + sizeof("42[\"e\",") - 1));
        ngx_realtime_msg_unref(m);
    }

    return result;
}


#define back(c)  back_as(c, "ann")


/* the claim: what it is sent, or why nothing */

static void
comes_back(client_t *c, const char *want, const char *claim)
{
    char  *got;

    got = back(c);

    tap_is(c->sk ? got : c->why, want, "%s", claim);
}


/* events in this order to the client, who gets them */

static void
deliver(client_t *c, uint64_t *places, ngx_uint_t n)
{
    while (n--) {
        if (records_note(c->sk, *places) == NGX_OK) {
            c->got = *places;
        }

        places++;
    }
}


static char *
numbers(ngx_uint_t from, ngx_uint_t to)
{
    static char   text[EVENTS * 8];
    char         *p;

    text[0] = '\0';

    for (p = text; from <= to; from++) {
        p += sprintf(p, "%s%d", p == text ? "" : " ", (int) from);
    }

    return text;
}


static void
test_simple(void)
{
    uint64_t    places[EVENTS];
    client_t    c;
    ngx_uint_t  i;

    start();
    c = client("ann");
    ngx_realtime_recovery_detach(c.sk);
    comes_back(&c, "", "nothing was sent, nothing is missed");

    for (i = 1; i <= 10; i++) {
        places[i] = publish(1 + i % 3, i);
    }

    comes_back(&c, numbers(1, 10), "an owner that was taken by surprise");
    ngx_realtime_recovery_detach(c.sk);
    comes_back(&c, numbers(1, 10), "the client got none of it");

    c.got = places[4];
    ngx_realtime_recovery_detach(c.sk);
    (void) publish(2, 11);
    comes_back(&c, numbers(5, 11), "it got some, and then another came");

    (void) publish_to("bob", 1, 12, 0);
    c.got = places[10];
    comes_back(&c, "11", "nobody else's");

    tap_is(back_as(&c, "bob") && c.sk == NULL ? c.why : "",
           "the pid of somebody else", "another user may not");
    comes_back(&c, "11", "which does not disturb");

    ngx_realtime_recovery_end(c.sk);
    comes_back(&c, "unknown pid", "who said goodbye");

    c = client("ann");
    ngx_realtime_recovery_detach(c.sk);
    zone_clock(1121);
    comes_back(&c, "it was away for too long", "too late");
}


/* long ago, more than the list holds; then one at the moment of the drop */

static void
test_long_lived(void)
{
    uint64_t    place;
    client_t    c;
    ngx_uint_t  i;

    start();
    c = client("ann");

    for (i = 1; i <= 300; i++) {
        place = publish(1, i);
        deliver(&c, &place, 1);
    }

    zone_clock(1100);
    ngx_realtime_recovery_detach(c.sk);
    (void) publish(1, 301);
    (void) publish(2, 302);
    zone_clock(1130);
    (void) publish(2, 303);

    comes_back(&c, "301 302 303",
           "a socket that has been sent more than its list holds");
}


/*
 * So fast that the list holds the last seconds only, and in another order than
 * that of the chain.
 */

static void
test_fast(void)
{
    uint64_t      places[EVENTS], swap;
    uint32_t      seed;
    client_t      c;
    ngx_uint_t    i, k, round, total, depth, wrong;

    wrong = 0;
    seed = 11;

    for (round = 0; round < 30; round++) {

        if (round % 10 == 0) {
            start();
        }

        c = client("ann");
        depth = 2 + round % 5;
        total = 150 + round;

        for (i = 1; i <= total; i++) {
            places[i] = publish(i % depth, i);
        }

        /* of different workers, they change places */

        for (i = 1; i + depth <= total; i += depth) {
            for (k = depth - 1; k > 0; k--) {
                uint32_t  n = zone_random(&seed) % (k + 1);

                swap = places[i + n];
                places[i + n] = places[i + k];
                places[i + k] = swap;
            }
        }

        deliver(&c, &places[1], total);

        /* then the worker is gone, with all that came after */

        for (i = 1; i <= 12; i++) {
            (void) publish(i % depth, total + i);
        }

        wrong += strcmp(back(&c), numbers(total + 1, total + 12)) != 0;

        if (wrong == 1) {
            printf("# round %d: %s: %s\n", (int) round,
                   c.why ? c.why : "", numbers(total + 1, total + 12));
            wrong++;
        }

        if (c.sk) {
            ngx_realtime_recovery_end(c.sk);
        }
    }

    tap_ok(wrong == 0, "the list has another order, and is too short");
}


/* an event in the middle was not delivered: its ring was not read yet */

static void
test_late_ring(void)
{
    uint64_t    place;
    client_t    c;
    ngx_uint_t  i;

    start();
    c = client("ann");

    for (i = 1; i <= 200; i++) {
        place = publish(1 + i % 2, i);
        deliver(&c, &place, 1);
    }

    (void) publish(3, 201);

    for (i = 202; i <= 220; i++) {
        place = publish(1 + i % 2, i);
        deliver(&c, &place, 1);
    }

    (void) publish(3, 221);

    comes_back(&c, "201 221", "one ring was read later than the others");
}


/* the new owner has not read yet what is on the chain: then it comes again */

static void
test_behind(void)
{
    uint64_t    places[EVENTS];
    client_t    c;
    ngx_uint_t  i, n;

    start();
    c = client("ann");

    for (i = 1; i <= 600; i++) {
        places[i] = publish(1 + i % 2, i);
        records_heads[1 + i % 2] = i;
    }

    comes_back(&c, numbers(1, 600), "a worker that is behind gives all");

    places[601] = publish(1, 601);
    places[602] = publish(2, 602);
    n = 0;

    for (i = 1; i <= 602; i++) {
        ngx_realtime_bus_origin.from = 1 + i % 2;
        ngx_realtime_bus_origin.position = i - 1;
        records_cursors[1 + i % 2] = i;

        if (!ngx_realtime_recovery_is_early(c.sk)
            && records_note(c.sk, places[i]) == NGX_OK)
        {
            n++;
        }
    }

    tap_ok(n == 2, "and from the bus only what is new");
    tap_ok(c.sk->heads == NULL, "and is not behind any more");

    memset(records_heads, 0, sizeof(records_heads));
    memset(records_cursors, 0, sizeof(records_cursors));
    ngx_memzero(&ngx_realtime_bus_origin, sizeof(ngx_realtime_bus_origin_t));
}


/* of a flood that goes to this socket alone nothing is on a chain */

static void
test_flood(void)
{
    uint64_t              place;
    client_t              c;
    ngx_uint_t            i;
    ngx_str_t             data = ngx_string("1");
    ngx_realtime_msg_t   *m;

    start();
    c = client("ann");

    place = publish(1, 1);
    deliver(&c, &place, 1);

    for (i = 0; i < 200; i++) {
        m = ngx_realtime_msg_event("error", &data, NULL);
        ngx_realtime_history_add(NULL, 0, &c.sk->id, m);
        place = m->place;
        deliver(&c, &place, 1);
        ngx_realtime_msg_unref(m);
    }

    ngx_realtime_recovery_detach(c.sk);
    comes_back(&c, "too many events at once",
               "nobody knows whether it had the event before");
}


/* the clock on the wall is set back while the client is away */

static void
test_clock(void)
{
    client_t  c;

    start();
    c = client("ann");
    zone_clock(1060);
    ngx_realtime_recovery_detach(c.sk);

    zone_time.sec = 500;
    (void) publish_to("ann", 0, 1, 0);

    comes_back(&c, "1", "time goes on, whatever the clock says");
}


static void
test_lost(void)
{
    client_t    c;
    uint64_t    place;
    ngx_uint_t  i;

    start();
    c = client("ann");
    ngx_realtime_recovery_detach(c.sk);
    (void) publish_to("ann", 1, 1, 4 * 1024 * 1024);
    comes_back(&c, "an event is not in the history any more",
               "an event that is too large to be kept");

    /* all is overwritten but what was long ago */

    c = client("ann");
    place = publish(1, 1);
    deliver(&c, &place, 1);
    zone_clock(1010);

    for (i = 0; i < 300; i++) {
        (void) publish_to("bob", 2, 1, 400 * 1024);
    }

    zone_clock(1020);
    ngx_realtime_recovery_detach(c.sk);
    (void) publish(2, 2);
    comes_back(&c, "2", "what it had may be overwritten");

    ngx_realtime_recovery_detach(c.sk);
    zone_clock(1040);

    for (i = 0; i < 300; i++) {
        (void) publish_to("bob", 2, 1, 400 * 1024);
    }

    zone_clock(1041);
    (void) publish(2, 3);
    comes_back(&c, "the history does not go back so far",
               "what it missed may not");

    c = client("ann");
    ngx_realtime_recovery_detach(c.sk);

    for (i = 0; i < 300; i++) {
        (void) publish_to("bob", 2, 1, 400 * 1024);
    }

    (void) publish(2, 3);

    for (i = 0; i < 300; i++) {
        (void) publish_to("bob", 2, 1, 400 * 1024);
    }

    comes_back(&c, "the history does not go back so far",
               "nor what it was never sent");
}


/* a short place that means another event by now is nobody else's event */

static void
test_stale(void)
{
    client_t    c;
    uint64_t    mine, other;

    start();
    c = client("ann");
    mine = publish(1, 1);
    other = publish_to("bob", 1, 2, 0);

    deliver(&c, &mine, 1);
    (void) records_note(c.sk, other);

    ngx_realtime_recovery_detach(c.sk);
    comes_back(&c, "an event is not in the history any more",
               "an entry that leads to the event of another user");
}


int
main(void)
{
    ngx_uint_t  i;

    test_simple();
    test_long_lived();
    test_fast();
    test_late_ring();
    test_behind();
    test_flood();
    test_clock();
    test_lost();
    test_stale();

    for (i = 1; i <= WORKERS; i++) {
        kill(publishers[i].pid, SIGKILL);
    }

    return tap_done();
}
