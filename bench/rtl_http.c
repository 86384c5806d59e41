
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * HTTP/1.1 for what is measured one after the other: a blocking connection,
 * a request, the whole response; and text frames once it is a WebSocket.
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "rtload.h"


#define RTL_HTTP_TIMEOUT   10           /* seconds, for each read */


static ssize_t rtl_http_fill(rtl_t *rtl, rtl_http_t *h);
static void rtl_http_failed(rtl_t *rtl, rtl_http_t *h, const char *what);
static void rtl_http_header(const char *head, const char *name, char *value,
    size_t size);


int
rtl_http_open(rtl_t *rtl, rtl_http_t *h)
{
    int                 one;
    struct timeval      tv;
    struct sockaddr_in  sin;

    h->len = 0;
    h->used = 0;

    h->fd = socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0);
    if (h->fd == -1) {
        rtl_http_failed(rtl, h, "socket");
        return -1;
    }

    one = 1;
    tv.tv_sec = RTL_HTTP_TIMEOUT;
    tv.tv_usec = 0;

    (void) setsockopt(h->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void) setsockopt(h->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons(rtl->conf.port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    if (connect(h->fd, (struct sockaddr *) &sin, sizeof(sin)) == -1) {
        rtl_http_failed(rtl, h, "connect");
        return -1;
    }

    return 0;
}


void
rtl_http_close(rtl_http_t *h)
{
    if (h->fd != -1) {
        close(h->fd);
        h->fd = -1;
    }
}


/* more: further header lines, or "" */

int
rtl_http_send(rtl_t *rtl, rtl_http_t *h, const char *method, const char *uri,
    const char *more, const char *body)
{
    int   n;
    char  request[RTL_HTTP_BUF];

    if (h->fd == -1 && rtl_http_open(rtl, h) == -1) {
        return -1;
    }

    n = snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\n"
                 "Host: 127.0.0.1:%u\r\n%s", method, uri, rtl->conf.port,
                 more);

    if (body) {
        n += snprintf(request + n, sizeof(request) - (size_t) n,
                      "Content-Type: %s\r\n"
                      "Content-Length: %zu\r\n\r\n%s",
                      body[0] == '{' ? "application/json"
                                     : "text/plain;charset=UTF-8",
                      strlen(body), body);

    } else {
        n += snprintf(request + n, sizeof(request) - (size_t) n, "\r\n");
    }

    if (send(h->fd, request, (size_t) n, MSG_NOSIGNAL) != n) {
        rtl_http_failed(rtl, h, "send");
        return -1;
    }

    return 0;
}


/*
 * The whole response: its status, or -1; h->body is NUL-terminated until the
 * next call.  A server that wants to close the connection has it closed.
 */

int
rtl_http_receive(rtl_t *rtl, rtl_http_t *h)
{
    int      status;
    char    *end, value[64];
    size_t   need;

    h->len = 0;
    end = NULL;

    while (end == NULL) {

        if (rtl_http_fill(rtl, h) <= 0) {
            return -1;
        }

        end = strstr(h->buf, "\r\n\r\n");
    }

    *end = '\0';

    if (sscanf(h->buf, "HTTP/1.1 %d", &status) != 1) {
        rtl_http_failed(rtl, h, "no HTTP/1.1");
        return -1;
    }

    rtl_http_header(h->buf, "\r\nX-Worker: ", value, sizeof(value));
    h->worker = value[0] ? atoi(value) : -1;

    h->used = (size_t) (end - h->buf) + 4;
    h->body = h->buf + h->used;

    if (status == 101) {
        return status;
    }

    rtl_http_header(h->buf, "\r\nContent-Length: ", value, sizeof(value));

    if (value[0] == '\0') {
        rtl_http_failed(rtl, h, "a response without a length");
        return -1;
    }

    need = h->used + (size_t) atoi(value);

    while (h->len < need) {
        if (rtl_http_fill(rtl, h) <= 0) {
            return -1;
        }
    }

    rtl_http_header(h->buf, "\r\nConnection: ", value, sizeof(value));

    if (strcmp(value, "close") == 0) {
        rtl_http_close(h);
    }

    return status;
}


/* the value of a header by "\r\nName: "; "": there is none */

static void
rtl_http_header(const char *head, const char *name, char *value, size_t size)
{
    size_t       n;
    const char  *p;

    value[0] = '\0';

    p = strcasestr(head, name);
    if (p == NULL) {
        return;
    }

    p += strlen(name);
    n = strcspn(p, "\r\n");

    if (n < size) {
        memcpy(value, p, n);
        value[n] = '\0';
    }
}


static ssize_t
rtl_http_fill(rtl_t *rtl, rtl_http_t *h)
{
    ssize_t  n;

    if (h->len >= sizeof(h->buf) - 1) {
        rtl_http_failed(rtl, h, "too large a response");
        return -1;
    }

    n = recv(h->fd, h->buf + h->len, sizeof(h->buf) - 1 - h->len, 0);

    if (n <= 0) {
        rtl_http_failed(rtl, h, n ? "recv" : "closed by the server");
        return n;
    }

    h->len += (size_t) n;
    h->buf[h->len] = '\0';

    return n;
}


static void
rtl_http_failed(rtl_t *rtl, rtl_http_t *h, const char *what)
{
    rtl_error(rtl, "%s: %s", what, errno ? strerror(errno) : "");

    errno = 0;
    rtl->dead = 1;
    rtl_http_close(h);
}


int
rtl_http_text(rtl_t *rtl, rtl_http_t *h, const char *text)
{
    char    frame[RTL_HTTP_BUF];
    size_t  len;

    /* a mask of zeros is one, too; all of these texts are short */

    len = strlen(text);

    frame[0] = (char) 0x81;
    frame[1] = (char) (0x80 | len);
    memset(frame + 2, 0, 4);
    memcpy(frame + 6, text, len);

    if (len > 125
        || send(h->fd, frame, len + 6, MSG_NOSIGNAL) != (ssize_t) len + 6)
    {
        rtl_http_failed(rtl, h, "send");
        return -1;
    }

    return 0;
}


/* the next frame, a text; NULL: there is none */

const char *
rtl_http_frame(rtl_t *rtl, rtl_http_t *h)
{
    size_t          need, size;
    unsigned char  *f;

    /* what was used goes, what came behind it stays */

    memmove(h->buf, h->buf + h->used, h->len - h->used);
    h->len -= h->used;
    h->used = 0;

    for ( ;; ) {
        f = (unsigned char *) h->buf;
        size = (h->len > 1) ? f[1] & 0x7f : 0;
        need = (size == 126) ? 4 : 2;

        if (size == 126 && h->len >= 4) {
            size = (size_t) f[2] << 8 | f[3];
        }

        if (h->len >= need && h->len > 1 && h->len >= need + size) {
            break;
        }

        if (rtl_http_fill(rtl, h) <= 0) {
            return NULL;
        }
    }

    if (f[0] != 0x81 || size >= sizeof(h->text)) {
        rtl_http_failed(rtl, h, "not a short text frame");
        return NULL;
    }

    memcpy(h->text, f + need, size);
    h->text[size] = '\0';
    h->used = need + size;

    return h->text;
}
