
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The floor: what the kernel alone costs.  Bare epoll; a frame is unmasked,
 * a ready header is put before it, and it is written.  No JWT, no JSON, no
 * timer, no limit: not a server, a measure.
 *
 *   floor PORT [WORKERS]
 *
 * A client asks for "GET /NNNNNNNN" and is from then on addressed by that
 * number; a message is "NNNNNNNN" and the payload, and goes to everybody who
 * has that number.  Workers share the listening port and hand messages over
 * through one byte ring for each pair of them, with an eventfd that is
 * written only when the reader is not already due to wake.
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/sha.h>


#define FLOOR_IDS       65536
#define FLOOR_FDS       65536
#define FLOOR_WORKERS   8
#define FLOOR_RING      (1u << 20)
#define FLOOR_FRAME     2000
#define FLOOR_GUID      "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


typedef struct {
    _Atomic uint32_t   head;             /* writer */
    _Atomic uint32_t   tail;             /* reader */
    unsigned char      data[FLOOR_RING];
} floor_ring_t;


typedef struct {
    _Atomic uint8_t    workers[FLOOR_IDS];   /* bits: who has the number */
    _Atomic int        signaled[FLOOR_WORKERS];
    int                eventfd[FLOOR_WORKERS];
    floor_ring_t       ring[FLOOR_WORKERS][FLOOR_WORKERS];   /* to, from */
} floor_shared_t;


typedef struct {
    int                id;               /* -1: not yet upgraded */
    int                next;             /* fd with the same number, or -1 */
    unsigned           nrest;            /* bytes in rests[fd] */
} floor_conn_t;


static int  nworkers, self, epfd, listener;
static floor_shared_t  *sh;
static floor_conn_t  conns[FLOOR_FDS];
static unsigned char  rests[FLOOR_FDS][FLOOR_FRAME + 8];
static int  first[FLOOR_IDS];            /* fd, of this worker, or -1 */
static unsigned char  buf[256 * 1024];


static void
floor_die(const char *what)
{
    perror(what);
    exit(1);
}


static void
floor_watch(int fd)
{
    struct epoll_event  ee;

    ee.events = EPOLLIN;
    ee.data.fd = fd;

    if (epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ee) == -1) {
        floor_die("epoll_ctl");
    }
}


static void
floor_close(int fd)
{
    int  id, *p;

    id = conns[fd].id;

    if (id != -1) {
        for (p = &first[id]; *p != -1; p = &conns[*p].next) {
            if (*p == fd) {
                *p = conns[fd].next;
                break;
            }
        }

        if (first[id] == -1) {
            atomic_fetch_and(&sh->workers[id], (uint8_t) ~(1 << self));
        }
    }

    close(fd);
}


static void
floor_accept(void)
{
    int  fd, one;

    fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK|SOCK_CLOEXEC);

    if (fd == -1) {
        return;
    }

    if (fd >= FLOOR_FDS) {
        close(fd);
        return;
    }

    one = 1;
    (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));

    conns[fd].id = -1;
    conns[fd].next = -1;
    conns[fd].nrest = 0;
    floor_watch(fd);
}


/* a whole request comes at once from the load generator */

static int
floor_upgrade(int fd, unsigned char *p, size_t len)
{
    int            id, n;
    char          *key, *end, reply[256], accept[32];
    char           joined[128];
    unsigned char  sha[SHA_DIGEST_LENGTH];

    p[len] = '\0';

    key = strstr((char *) p, "Sec-WebSocket-Key: ");

    if (key == NULL || sscanf((char *) p, "GET /%8d ", &id) != 1
        || id < 0 || id >= FLOOR_IDS)
    {
        return -1;
    }

    key += sizeof("Sec-WebSocket-Key: ") - 1;
    end = strchr(key, '\r');

    if (end == NULL || end - key > 64) {
        return -1;
    }

    n = snprintf(joined, sizeof(joined), "%.*s" FLOOR_GUID,
                 (int) (end - key), key);
    SHA1((unsigned char *) joined, (size_t) n, sha);
    EVP_EncodeBlock((unsigned char *) accept, sha, sizeof(sha));

    n = snprintf(reply, sizeof(reply),
                 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                 accept);

    /* reachable before the client knows that it is */

    conns[fd].id = id;
    conns[fd].next = first[id];
    first[id] = fd;
    atomic_fetch_or(&sh->workers[id], (uint8_t) (1 << self));

    return (write(fd, reply, (size_t) n) == n) ? 0 : -1;
}


static void
floor_deliver(int id, const unsigned char *frame, size_t len)
{
    int  fd;

    for (fd = first[id]; fd != -1; fd = conns[fd].next) {
        if (write(fd, frame, len) != (ssize_t) len) {
            floor_die("a receiver does not read");
        }
    }
}


/* [ len:4 | id:4 | frame ], byte by byte around the end */

static void
floor_ring_copy(floor_ring_t *r, uint32_t at, void *p, size_t len, int out)
{
    size_t          part;
    unsigned char  *q;

    q = p;
    at &= FLOOR_RING - 1;
    part = (len < FLOOR_RING - at) ? len : FLOOR_RING - at;

    if (out) {
        memcpy(q, r->data + at, part);
        memcpy(q + part, r->data, len - part);

    } else {
        memcpy(r->data + at, q, part);
        memcpy(r->data, q + part, len - part);
    }
}


static void
floor_hand_over(int to, int id, unsigned char *frame, size_t len)
{
    uint32_t       head, record[2];
    uint64_t       one;
    floor_ring_t  *r;

    r = &sh->ring[to][self];
    head = atomic_load_explicit(&r->head, memory_order_relaxed);

    if (head + 8 + len - atomic_load(&r->tail) > FLOOR_RING) {
        fputs("a worker lags\n", stderr);
        exit(1);
    }

    record[0] = (uint32_t) len;
    record[1] = (uint32_t) id;

    floor_ring_copy(r, head, record, 8, 0);
    floor_ring_copy(r, head + 8, frame, len, 0);
    atomic_store(&r->head, head + 8 + (uint32_t) len);

    if (atomic_exchange(&sh->signaled[to], 1) == 0) {
        one = 1;
        if (write(sh->eventfd[to], &one, 8) != 8) {
            floor_die("eventfd");
        }
    }
}


static void
floor_taken_over(void)
{
    int            from;
    uint32_t       tail, record[2];
    uint64_t       n;
    floor_ring_t  *r;

    static unsigned char  frame[FLOOR_FRAME + 16];

    if (read(sh->eventfd[self], &n, 8) != 8) {
        return;
    }

    atomic_store(&sh->signaled[self], 0);

    for (from = 0; from < nworkers; from++) {
        r = &sh->ring[self][from];
        tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

        while (tail != atomic_load(&r->head)) {
            floor_ring_copy(r, tail, record, 8, 1);
            floor_ring_copy(r, tail + 8, frame, record[0], 1);
            tail += 8 + record[0];
            atomic_store(&r->tail, tail);

            floor_deliver((int) record[1], frame, record[0]);
        }
    }
}


/* the eight digits make room for the header */

static int
floor_message(unsigned char *p, size_t len)
{
    int            id, i, w;
    unsigned char  digits[9];

    if (len < 8) {
        return -1;
    }

    memcpy(digits, p, 8);
    digits[8] = '\0';
    id = atoi((char *) digits);

    if (id < 0 || id >= FLOOR_IDS) {
        return -1;
    }

    p += 8;
    len -= 8;

    if (len < 126) {
        p -= 2;
        p[1] = (unsigned char) len;
        i = 2;

    } else {
        p -= 4;
        p[1] = 126;
        p[2] = (unsigned char) (len >> 8);
        p[3] = (unsigned char) len;
        i = 4;
    }

    p[0] = 0x81;
    len += (size_t) i;

    w = atomic_load_explicit(&sh->workers[id], memory_order_relaxed);

    for (i = 0; i < nworkers; i++) {
        if (!(w & (1 << i))) {
            continue;
        }

        if (i == self) {
            floor_deliver(id, p, len);

        } else {
            floor_hand_over(i, id, p, len);
        }
    }

    return 0;
}


static void
floor_read(int fd)
{
    size_t          len, size, head, i;
    ssize_t         n;
    unsigned char  *p, *mask;

    head = conns[fd].nrest;
    memcpy(buf, rests[fd], head);

    n = recv(fd, buf + head, sizeof(buf) - 1 - head, 0);

    if (n <= 0) {
        if (n == 0 || errno != EAGAIN) {
            floor_close(fd);
        }

        return;
    }

    if (conns[fd].id == -1) {
        if (floor_upgrade(fd, buf, (size_t) n) == -1) {
            floor_close(fd);
        }

        return;
    }

    p = buf;
    len = head + (size_t) n;

    while (len >= 6) {
        size = p[1] & 0x7f;
        head = 6;

        if (size == 126) {
            head = 8;
            size = (size_t) p[2] << 8 | p[3];
        }

        if ((p[0] & 0x0f) == 8 || size > FLOOR_FRAME) {
            floor_close(fd);
            return;
        }

        if (len < head + size) {
            break;
        }

        mask = p + head - 4;
        p += head;

        for (i = 0; i < size; i++) {
            p[i] ^= mask[i & 3];
        }

        if (floor_message(p, size) == -1) {
            floor_close(fd);
            return;
        }

        p += size;
        len -= head + size;
    }

    /* the begin of a frame that ends in a later segment */

    if (len > sizeof(rests[fd])) {
        floor_close(fd);
        return;
    }

    memcpy(rests[fd], p, len);
    conns[fd].nrest = (unsigned) len;
}


static void
floor_run(uint16_t port)
{
    int                 i, n, one, fd;
    struct sockaddr_in  sin;
    struct epoll_event  events[512];

    memset(first, 0xff, sizeof(first));

    epfd = epoll_create1(0);
    listener = socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, 0);

    one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons(port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    if (bind(listener, (struct sockaddr *) &sin, sizeof(sin)) == -1
        || listen(listener, 1024) == -1)
    {
        floor_die("listen");
    }

    floor_watch(listener);
    floor_watch(sh->eventfd[self]);

    for ( ;; ) {
        n = epoll_wait(epfd, events, 512, -1);

        for (i = 0; i < n; i++) {
            fd = events[i].data.fd;

            if (fd == listener) {
                floor_accept();

            } else if (fd == sh->eventfd[self]) {
                floor_taken_over();

            } else {
                floor_read(fd);
            }
        }
    }
}


int
main(int argc, char **argv)
{
    int            i;
    struct rlimit  rl;

    if (argc < 2) {
        fputs("usage: floor PORT [WORKERS]\n", stderr);
        return 2;
    }

    nworkers = (argc > 2) ? atoi(argv[2]) : 1;

    if (nworkers < 1 || nworkers > FLOOR_WORKERS) {
        return 2;
    }

    signal(SIGPIPE, SIG_IGN);

    if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
        rl.rlim_cur = rl.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &rl);
    }

    sh = mmap(NULL, sizeof(floor_shared_t), PROT_READ|PROT_WRITE,
              MAP_SHARED|MAP_ANONYMOUS, -1, 0);
    if (sh == MAP_FAILED) {
        floor_die("mmap");
    }

    for (i = 0; i < nworkers; i++) {
        sh->eventfd[i] = eventfd(0, EFD_NONBLOCK);
    }

    for (i = 1; i < nworkers; i++) {
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            self = i;
            break;
        }
    }

    floor_run((uint16_t) atoi(argv[1]));

    return 0;
}
