
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Connections: TCP, WebSocket upgrade, frames in and out.  At most conf.parallel handshakes are under way at a
 * time, so that a server is measured and not its listen queue.
 *
 * All connections read into one buffer; only a frame that has not ended yet
 * is kept with its connection, so 20,000 idle ones cost next to nothing.
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rtload.h"


#define RTL_CONN_READ      (256 * 1024)
#define RTL_CONN_EVENTS    256
#define RTL_CONN_FRAME     (64 * 1024)
#define RTL_CONN_OUT_MAX   (4 * 1024 * 1024)

/* the pair of RFC 6455, 1.3; a server that computes it anew costs the same */
#define RTL_CONN_KEY       "dGhlIHNhbXBsZSBub25jZQ=="
#define RTL_CONN_ACCEPT    "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


static void rtl_conn_started(rtl_t *rtl, rtl_conn_t *c);
static void rtl_conn_closed(rtl_t *rtl, rtl_conn_t *c, int clean);
static void rtl_conn_leave(rtl_t *rtl, rtl_conn_t *c, rtl_conn_state_e state);
static void rtl_conn_read(rtl_t *rtl, rtl_conn_t *c);
static size_t rtl_conn_parse(rtl_t *rtl, rtl_conn_t *c, char *p, size_t len);
static size_t rtl_conn_upgraded(rtl_t *rtl, rtl_conn_t *c, const char *p,
    size_t len);
static void rtl_conn_frame(rtl_t *rtl, rtl_conn_t *c, unsigned opcode,
    const char *p, size_t len);
static void rtl_conn_send(rtl_t *rtl, rtl_conn_t *c, unsigned opcode,
    const char *p, size_t len);
static void rtl_conn_write(rtl_t *rtl, rtl_conn_t *c, const char *p,
    size_t len);
static void rtl_conn_flush(rtl_t *rtl, rtl_conn_t *c);
static void rtl_conn_watch(rtl_t *rtl, rtl_conn_t *c, int op);


static char  rtl_conn_buf[RTL_CONN_READ];


int
rtl_conn_init(rtl_t *rtl, unsigned n)
{
    unsigned  i;

    rtl->epfd = epoll_create1(EPOLL_CLOEXEC);
    if (rtl->epfd == -1) {
        rtl_error(rtl, "epoll_create1: %s", strerror(errno));
        return -1;
    }

    rtl->conns = calloc(n, sizeof(rtl_conn_t));
    if (rtl->conns == NULL) {
        rtl_error(rtl, "no memory");
        return -1;
    }

    rtl->nconns = n;

    for (i = 0; i < n; i++) {
        rtl->conns[i].fd = -1;
        rtl->conns[i].user = i;
        rtl->conns[i].owner = -1;
    }

    return 0;
}


/* brings connections up until there are as many; 0, or -1 when it failed */

int
rtl_conn_ramp(rtl_t *rtl, unsigned upto)
{
    unsigned  before;
    uint64_t  stalled;

    rtl->target = (upto < rtl->nconns) ? upto : rtl->nconns;

    before = rtl->nready;
    stalled = rtl_now() + 20 * RTL_SECOND;

    while (rtl->nready < rtl->target && !rtl->dead) {

        while (rtl->nstarted < rtl->target
               && rtl->inflight < rtl->conf.parallel)
        {
            if (rtl_conn_open(rtl, &rtl->conns[rtl->nstarted]) == -1) {
                return -1;
            }

            rtl->nstarted++;
        }

        rtl_conn_poll(rtl, rtl_now() + RTL_SECOND);

        if (rtl->nready != before) {
            before = rtl->nready;
            stalled = rtl_now() + 20 * RTL_SECOND;
        }

        if (rtl_now() > stalled) {
            rtl_error(rtl, "handshakes stall: %u of %u are ready",
                      rtl->nready, rtl->target);
            return -1;
        }
    }

    return rtl->dead ? -1 : 0;
}


/* also for one that was closed: it asks for recovery, if it can */

int
rtl_conn_open(rtl_t *rtl, rtl_conn_t *c)
{
    int                 one;
    struct sockaddr_in  sin;

    c->again = (c->state == RTL_CONN_CLOSED);
    c->joined = 0;
    c->greeted = 0;
    c->recovered = 0;

    c->fd = socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);
    if (c->fd == -1) {
        rtl_error(rtl, "socket: %s", strerror(errno));
        return -1;
    }

    one = 1;
    (void) setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons(rtl->conf.port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    if (connect(c->fd, (struct sockaddr *) &sin, sizeof(sin)) == -1
        && errno != EINPROGRESS)
    {
        rtl_error(rtl, "connect: %s", strerror(errno));
        return -1;
    }

    c->state = RTL_CONN_CONNECTING;
    c->writing = 1;
    rtl->inflight++;

    rtl_conn_watch(rtl, c, EPOLL_CTL_ADD);

    return 0;
}


/* TCP is up */

static void
rtl_conn_started(rtl_t *rtl, rtl_conn_t *c)
{
    int        n, err;
    char       token[1024], request[2048];
    socklen_t  len;

    err = 0;
    len = sizeof(err);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1 || err) {
        rtl_conn_lost(rtl, c, strerror(err ? err : errno));
        return;
    }

    c->state = RTL_CONN_UPGRADING;
    c->writing = 0;
    rtl_conn_watch(rtl, c, EPOLL_CTL_MOD);

    if (c->plain) {
        rtl_conn_ready(rtl, c);
        return;
    }

    token[0] = '\0';

    if (rtl->conf.proto == RTL_PROTO_SOCKETIO
        && rtl_jwt(&rtl->conf, c->user, token, sizeof(token)) == -1)
    {
        rtl_conn_lost(rtl, c, "no token");
        return;
    }

    n = snprintf(request, sizeof(request), "GET ");

    if (rtl->conf.proto == RTL_PROTO_SOCKETIO) {
        n += snprintf(request + n, sizeof(request) - (size_t) n,
                      "/socket.io/?EIO=4&transport=websocket");

    } else {
        n += snprintf(request + n, sizeof(request) - (size_t) n, "/%08u",
                      c->user);
    }

    n += snprintf(request + n, sizeof(request) - (size_t) n,
                  " HTTP/1.1\r\n"
                  "Host: 127.0.0.1:%u\r\n"
                  "Upgrade: websocket\r\n"
                  "Connection: Upgrade\r\n"
                  "Sec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: " RTL_CONN_KEY "\r\n"
                  "%s%s%s\r\n",
                  rtl->conf.port, token[0] ? "Authorization: Bearer " : "",
                  token, token[0] ? "\r\n" : "");

    rtl_conn_write(rtl, c, request, (size_t) n);
}


void
rtl_conn_ready(rtl_t *rtl, rtl_conn_t *c)
{
    c->state = RTL_CONN_READY;
    rtl->nready++;
    rtl->inflight--;
}


/* in most runs nothing closes a connection, so every loss ends them */

void
rtl_conn_lost(rtl_t *rtl, rtl_conn_t *c, const char *why)
{
    if (rtl->on_close) {
        rtl_conn_closed(rtl, c, 0);
        return;
    }

    rtl_error(rtl, "connection %u was lost in state %d: %s", c->user,
              (int) c->state, why);

    c->state = RTL_CONN_CLOSED;
    rtl->dead = 1;
    close(c->fd);
    c->fd = -1;
}


static void
rtl_conn_closed(rtl_t *rtl, rtl_conn_t *c, int clean)
{
    rtl_conn_leave(rtl, c, RTL_CONN_CLOSED);

    close(c->fd);
    c->fd = -1;

    free(c->rest);
    free(c->out);
    c->rest = NULL;
    c->nrest = 0;
    c->out = NULL;
    c->nout = 0;

    rtl->on_close(rtl, c, clean);
}


/* it is neither ready any more nor on its way to be */

static void
rtl_conn_leave(rtl_t *rtl, rtl_conn_t *c, rtl_conn_state_e state)
{
    if (c->state == RTL_CONN_READY) {
        rtl->nready--;

    } else if (c->state < RTL_CONN_READY) {
        rtl->inflight--;
    }

    if (c->state < state) {
        c->state = state;
    }
}


void
rtl_conn_close_all(rtl_t *rtl)
{
    unsigned     i;
    rtl_conn_t  *c;

    for (i = 0; i < rtl->nstarted; i++) {
        c = &rtl->conns[i];

        if (c->fd != -1) {
            close(c->fd);
        }

        free(c->rest);
        free(c->out);
    }

    free(rtl->conns);
    close(rtl->epfd);
}


/* serves what is there; sleeps, until that time at most, if nothing is */

void
rtl_conn_poll(rtl_t *rtl, uint64_t until)
{
    int                  i, n;
    uint64_t             now, ns;
    rtl_conn_t          *c;
    struct timespec      ts;
    struct epoll_event   events[RTL_CONN_EVENTS];

    now = rtl_now();
    ns = (until > now) ? until - now : 0;

    ts.tv_sec = (time_t) (ns / RTL_SECOND);
    ts.tv_nsec = (long) (ns % RTL_SECOND);

    n = epoll_pwait2(rtl->epfd, events, RTL_CONN_EVENTS, &ts, NULL);

    if (n == -1 && errno != EINTR) {
        rtl_error(rtl, "epoll_pwait2: %s", strerror(errno));
        rtl->dead = 1;
    }

    for (i = 0; i < n; i++) {
        c = events[i].data.ptr;

        if (c->state == RTL_CONN_CONNECTING) {
            rtl_conn_started(rtl, c);
            continue;
        }

        if ((events[i].events & EPOLLOUT) && c->state != RTL_CONN_CLOSED) {
            rtl_conn_flush(rtl, c);
        }

        if ((events[i].events & ~(uint32_t) EPOLLOUT)
            && c->state != RTL_CONN_CLOSED)
        {
            rtl_conn_read(rtl, c);
        }
    }
}


/* answers pings and takes messages until that time */

void
rtl_conn_wait(rtl_t *rtl, uint64_t until)
{
    while (rtl_now() < until && !rtl->dead) {
        rtl_conn_poll(rtl, until);
    }
}


static void
rtl_conn_read(rtl_t *rtl, rtl_conn_t *c)
{
    size_t   len, used;
    ssize_t  n;

    len = c->nrest;

    if (len) {
        memcpy(rtl_conn_buf, c->rest, len);
    }

    n = recv(c->fd, rtl_conn_buf + len, sizeof(rtl_conn_buf) - len, 0);

    if (c->state == RTL_CONN_CLOSING && n >= 0) {

        /* to close before the server does might throw away what is unread
           there */

        if (n == 0) {
            rtl_conn_closed(rtl, c, 1);
        }

        return;
    }

    if (n <= 0) {
        if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }

        rtl_conn_lost(rtl, c, n ? strerror(errno) : "closed by the server");
        return;
    }

    len += (size_t) n;
    used = rtl_conn_parse(rtl, c, rtl_conn_buf, len);

    if (c->state >= RTL_CONN_CLOSING) {
        return;
    }

    len -= used;

    if (len == 0) {
        free(c->rest);
        c->rest = NULL;

    } else {
        char  *rest;

        if (len > RTL_CONN_READ / 2
            || (rest = realloc(c->rest, len)) == NULL)
        {
            rtl_conn_lost(rtl, c, "too large a frame");
            return;
        }

        memcpy(rest, rtl_conn_buf + used, len);
        c->rest = rest;
    }

    c->nrest = len;
}


/* returns how many of the bytes were used */

static size_t
rtl_conn_parse(rtl_t *rtl, rtl_conn_t *c, char *p, size_t len)
{
    size_t          used, need, size, i;
    unsigned char  *f;

    used = 0;

    if (c->plain) {
        while ((i = rtl_api_reply(rtl, c, p + used, len - used)) != 0) {
            used += i;
        }

        return used;
    }

    if (c->state == RTL_CONN_UPGRADING) {
        used = rtl_conn_upgraded(rtl, c, p, len);
        if (used == 0) {
            return 0;
        }
    }

    while (c->state < RTL_CONN_CLOSING && len - used >= 2) {
        f = (unsigned char *) p + used;

        if ((f[0] & 0xf0) != 0x80 || (f[1] & 0x80)) {
            rtl_conn_lost(rtl, c, "unexpected frame from the server");
            return used;
        }

        size = f[1] & 0x7f;
        need = (size == 126) ? 4 : (size == 127) ? 10 : 2;

        if (len - used < need) {
            break;
        }

        if (need > 2) {
            for (size = 0, i = 2; i < need; i++) {
                size = size << 8 | f[i];
            }
        }

        if (size > RTL_CONN_READ / 2) {
            rtl_conn_lost(rtl, c, "too large a frame");
            return used;
        }

        if (len - used < need + size) {
            break;
        }

        rtl_conn_frame(rtl, c, f[0] & 0x0f, (char *) f + need, size);
        used += need + size;
    }

    return used;
}


static size_t
rtl_conn_upgraded(rtl_t *rtl, rtl_conn_t *c, const char *p, size_t len)
{
    const char  *end;

    end = memmem(p, len, "\r\n\r\n", 4);

    if (end == NULL) {
        return 0;
    }

    if (len < 12 || memcmp(p, "HTTP/1.1 101", 12) != 0) {
        rtl_error(rtl, "upgrade refused: %.60s", p);
        rtl_conn_lost(rtl, c, "no 101");
        return 0;
    }

    if (memmem(p, (size_t) (end - p), RTL_CONN_ACCEPT,
               sizeof(RTL_CONN_ACCEPT) - 1)
        == NULL)
    {
        rtl_conn_lost(rtl, c, "wrong Sec-WebSocket-Accept");
        return 0;
    }

    if (rtl->conf.proto == RTL_PROTO_RAW) {
        rtl_conn_ready(rtl, c);

    } else {
        c->state = RTL_CONN_OPENING;
    }

    return (size_t) (end - p) + 4;
}


static void
rtl_conn_frame(rtl_t *rtl, rtl_conn_t *c, unsigned opcode, const char *p,
    size_t len)
{
    switch (opcode) {

    case 1:
        if (rtl->conf.proto == RTL_PROTO_SOCKETIO) {
            rtl_sio_packet(rtl, c, p, len);

        } else if (rtl->on_event) {
            rtl->on_event(rtl, c, p, len);
        }

        return;

    case 9:
        rtl_conn_send(rtl, c, 10, p, len);
        return;

    case 8:

        if (rtl->on_close) {
            rtl_conn_send(rtl, c, 8, p, len < 2 ? 0 : 2);
            rtl_conn_leave(rtl, c, RTL_CONN_CLOSING);
            return;
        }

        rtl_conn_lost(rtl, c, "close frame");
        return;

    default:
        rtl_conn_lost(rtl, c, "unexpected opcode");
    }
}


void
rtl_conn_text(rtl_t *rtl, rtl_conn_t *c, const char *p, size_t len)
{
    if (c->plain) {
        rtl_conn_write(rtl, c, p, len);

    } else {
        rtl_conn_send(rtl, c, 1, p, len);
    }
}


static void
rtl_conn_send(rtl_t *rtl, rtl_conn_t *c, unsigned opcode, const char *p,
    size_t len)
{
    size_t           i, n;
    uint32_t         mask;
    unsigned char   *m;

    static uint32_t        seed = 2463534242u;
    static unsigned char   frame[RTL_CONN_FRAME + 8];

    if (len > RTL_CONN_FRAME) {
        rtl_conn_lost(rtl, c, "too long a message");
        return;
    }

    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    mask = seed;
    m = (unsigned char *) &mask;

    frame[0] = (unsigned char) (0x80 | opcode);

    if (len < 126) {
        frame[1] = (unsigned char) (0x80 | len);
        n = 2;

    } else {
        frame[1] = 0x80 | 126;
        frame[2] = (unsigned char) (len >> 8);
        frame[3] = (unsigned char) len;
        n = 4;
    }

    memcpy(frame + n, m, 4);
    n += 4;

    for (i = 0; i < len; i++) {
        frame[n + i] = (unsigned char) p[i] ^ m[i & 3];
    }

    rtl_conn_write(rtl, c, (char *) frame, n + len);
}


static void
rtl_conn_write(rtl_t *rtl, rtl_conn_t *c, const char *p, size_t len)
{
    char     *out;
    ssize_t   n;

    n = 0;

    if (c->nout == 0) {
        n = send(c->fd, p, len, MSG_NOSIGNAL);

        if (n == -1 && errno != EAGAIN && errno != EINTR) {
            rtl_conn_lost(rtl, c, strerror(errno));
            return;
        }

        n = (n == -1) ? 0 : n;

        if ((size_t) n == len) {
            return;
        }
    }

    p += n;
    len -= (size_t) n;

    if (c->nout + len > RTL_CONN_OUT_MAX
        || (out = realloc(c->out, c->nout + len)) == NULL)
    {
        rtl_conn_lost(rtl, c, "the server does not read");
        return;
    }

    memcpy(out + c->nout, p, len);
    c->out = out;
    c->nout += len;

    if (!c->writing) {
        c->writing = 1;
        rtl_conn_watch(rtl, c, EPOLL_CTL_MOD);
    }
}


static void
rtl_conn_flush(rtl_t *rtl, rtl_conn_t *c)
{
    ssize_t  n;

    n = send(c->fd, c->out, c->nout, MSG_NOSIGNAL);

    if (n == -1) {
        if (errno != EAGAIN && errno != EINTR) {
            rtl_conn_lost(rtl, c, strerror(errno));
        }

        return;
    }

    c->nout -= (size_t) n;
    memmove(c->out, c->out + n, c->nout);

    if (c->nout == 0) {
        c->writing = 0;
        rtl_conn_watch(rtl, c, EPOLL_CTL_MOD);
    }
}


static void
rtl_conn_watch(rtl_t *rtl, rtl_conn_t *c, int op)
{
    struct epoll_event  ee;

    ee.events = EPOLLIN | (c->writing ? (uint32_t) EPOLLOUT : 0);
    ee.data.ptr = c;

    if (epoll_ctl(rtl->epfd, op, c->fd, &ee) == -1) {
        rtl_conn_lost(rtl, c, strerror(errno));
    }
}
