
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * rtload: a load generator for Socket.IO servers that checks what it gets.
 *
 * One thread, one epoll.  rtl_conn.c brings WebSocket connections up,
 * rtl_sio.c cuts what comes over them into events; rtl_traffic.c (relay,
 * fan-out, stored, and those whose sender is a back end: rtl_api.c),
 * rtl_ramp.c (connect, idle), rtl_beat.c, rtl_reload.c, rtl_poll.c and
 * rtl_rest.c (store, page) are the modes, the last two on the blocking
 * connections of rtl_http.c; rtl_proc.c asks the kernel what the server has
 * used.  Every message carries its lane and its number, every
 * receiver expects exactly the next one: a message that is lost,
 * repeated, reordered or altered is an error of the run.
 */

#ifndef _RTLOAD_H_INCLUDED_
#define _RTLOAD_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>


#define RTL_SECOND         1000000000ull     /* all times are nanoseconds */

#define RTL_PIDS           64
#define RTL_ID_LEN         36
#define RTL_OFFSET_LEN     64           /* of a pid or an offset, at most */

/* users and conversations are UUIDs made of a number; run seeds the same */
#define RTL_USER           "00000000-0000-7000-8000-%012x"
#define RTL_CONVERSATION   "00000000-0000-7000-9000-%012x"


typedef struct rtl_s       rtl_t;
typedef struct rtl_conn_s  rtl_conn_t;
typedef struct rtl_lane_s  rtl_lane_t;


typedef enum {
    RTL_PROTO_SOCKETIO = 0,
    RTL_PROTO_RAW                 /* peers/floor.c, peers/rawws.js */
} rtl_proto_e;


/* which workers the two ends of a lane must be on */

typedef enum {
    RTL_PLACE_ANY = 0,
    RTL_PLACE_DIFFERENT
} rtl_place_e;


/* state          leaves when                                           */

typedef enum {
    RTL_CONN_NEW = 0,
    RTL_CONN_CONNECTING,    /* TCP is up: the upgrade is sent           */
    RTL_CONN_UPGRADING,     /* 101 has come                             */
    RTL_CONN_OPENING,       /* Engine.IO open has come: CONNECT is sent */
    RTL_CONN_JOINING,       /* "40" and "connected" have both come      */
    RTL_CONN_READY,
    RTL_CONN_CLOSING,       /* Close was answered: the server closes    */
    RTL_CONN_CLOSED
} rtl_conn_state_e;


typedef struct {
    const char        *mode;
    uint16_t           port;         /* on 127.0.0.1 */
    rtl_proto_e        proto;
    rtl_place_e        place;
    unsigned           conns;        /* lanes, receivers or connections */
    unsigned           more;         /* idle: then as many again */
    unsigned           parallel;     /* handshakes in flight */
    unsigned           size;         /* bytes of a message's content */
    double             rate;         /* messages a second; 0: closed loop */
    double             warmup;       /* seconds */
    double             seconds;      /* the measured window */
    unsigned char      key[256];
    size_t             key_len;
    pid_t              pids[RTL_PIDS];     /* as given */
    unsigned           npids;
} rtl_conf_t;


/*
 * Log-linear: 64 steps to each power of two, so a figure is at most 1.6 %
 * above what was measured.
 */

#define RTL_HIST_STEPS     64
#define RTL_HIST_SLOTS     (RTL_HIST_STEPS * 42)

typedef struct {
    uint64_t           slot[RTL_HIST_SLOTS];
    uint64_t           count;
    uint64_t           max;
} rtl_hist_t;


struct rtl_conn_s {
    int                fd;
    rtl_conn_state_e   state;
    unsigned           user;         /* the number in RTL_USER */
    unsigned           joined:1;     /* "40{" has come */
    unsigned           greeted:1;    /* "connected" has come */
    unsigned           recovered:1;  /* with the pid that was asked for */
    unsigned           again:1;      /* it was closed before */
    unsigned           forgotten:1;  /* once it was not recovered */
    unsigned           plain:1;      /* HTTP, a back end's: rtl_api.c */
    unsigned           writing:1;    /* EPOLLOUT is on */
    int                owner;        /* index of the server process, or -1 */
    rtl_lane_t        *lane;
    uint32_t           expect;       /* as a receiver: the next number */
    char               pid[RTL_OFFSET_LEN];     /* "": none yet */
    char               offset[RTL_OFFSET_LEN];  /* of the last event */

    char              *rest;         /* the begin of an unfinished frame */
    size_t             nrest;
    char              *out;          /* what the socket did not take */
    size_t             nout;
};


struct rtl_s {
    rtl_conf_t         conf;
    int                epfd;

    rtl_conn_t        *conns;
    unsigned           nconns;       /* allocated */
    unsigned           nstarted;
    unsigned           nready;
    unsigned           inflight;     /* handshakes */
    unsigned           target;       /* start up to that many */

    unsigned           dead:1;       /* a connection was lost: give up */
    uint64_t           pings;        /* of Engine.IO, answered */
    uint64_t           errors;
    char               first_error[256];

    void             (*on_event)(rtl_t *rtl, rtl_conn_t *c, const char *p,
                                 size_t len);
    void             (*on_ack)(rtl_t *rtl, rtl_conn_t *c, const char *p,
                               size_t len);
    void             (*on_reply)(rtl_t *rtl, rtl_conn_t *c);   /* a 202 */

    /* NULL: a connection that is lost ends the run.  Otherwise it is closed,
       and may be opened again; clean: the server has sent a Close */
    void             (*on_close)(rtl_t *rtl, rtl_conn_t *c, int clean);

    void              *data;         /* the mode's own */
};


/* rtload.c */

uint64_t rtl_now(void);
void rtl_error(rtl_t *rtl, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));


/* rtl_hist.c */

void rtl_hist_add(rtl_hist_t *h, uint64_t ns);
double rtl_hist_ms(const rtl_hist_t *h, double quantile);
void rtl_hist_print(const rtl_hist_t *h, const char *name);


/* rtl_jwt.c: a HS256 token for the user, good for a day */

int rtl_jwt(const rtl_conf_t *conf, unsigned user, char *out, size_t size);


/* rtl_proc.c */

typedef struct {
    uint64_t           private_dirty;    /* bytes, all processes */
    uint64_t           shared_dirty;     /* bytes of MAP_SHARED memory */
} rtl_memory_t;

unsigned rtl_proc_tree(const rtl_conf_t *conf, pid_t *pids, unsigned max);
uint64_t rtl_proc_cpu(const rtl_conf_t *conf);
uint64_t rtl_proc_own_cpu(void);
void rtl_proc_memory(const rtl_conf_t *conf, rtl_memory_t *m);
int rtl_proc_owners(rtl_t *rtl);


/* rtl_conn.c */

int rtl_conn_init(rtl_t *rtl, unsigned n);
int rtl_conn_ramp(rtl_t *rtl, unsigned upto);
int rtl_conn_open(rtl_t *rtl, rtl_conn_t *c);
void rtl_conn_poll(rtl_t *rtl, uint64_t until);
void rtl_conn_wait(rtl_t *rtl, uint64_t until);
void rtl_conn_ready(rtl_t *rtl, rtl_conn_t *c);
void rtl_conn_lost(rtl_t *rtl, rtl_conn_t *c, const char *why);
void rtl_conn_text(rtl_t *rtl, rtl_conn_t *c, const char *p, size_t len);
void rtl_conn_close_all(rtl_t *rtl);


/* rtl_http.c; fd is -1 between connections, and opened by the next request */

#define RTL_HTTP_BUF       65536

typedef struct {
    int                fd;
    int                worker;       /* of X-Worker, or -1 */
    size_t             len;          /* bytes in buf */
    size_t             used;         /* of these, by the head, or by frames */
    char              *body;
    char               buf[RTL_HTTP_BUF];
    char               text[RTL_HTTP_BUF];
} rtl_http_t;

int rtl_http_open(rtl_t *rtl, rtl_http_t *h);
void rtl_http_close(rtl_http_t *h);
int rtl_http_send(rtl_t *rtl, rtl_http_t *h, const char *method,
    const char *uri, const char *more, const char *body);
int rtl_http_receive(rtl_t *rtl, rtl_http_t *h);
int rtl_http_text(rtl_t *rtl, rtl_http_t *h, const char *text);
const char *rtl_http_frame(rtl_t *rtl, rtl_http_t *h);


/* rtl_api.c */

typedef enum {
    RTL_CALL_NONE = 0,
    RTL_CALL_EMIT,                /* an event to the room of "first" */
    RTL_CALL_VOLATILE,            /* a notification without rows */
    RTL_CALL_STORED               /* and with them */
} rtl_call_kind_e;

typedef struct {
    rtl_call_kind_e    kind;
    unsigned           first;        /* the users first, first + 1, ... */
    unsigned           users;        /* so many */
    const char        *content;
} rtl_call_t;

char *rtl_api_request(const rtl_t *rtl, const rtl_call_t *call, size_t *len,
    size_t *content);
size_t rtl_api_reply(rtl_t *rtl, rtl_conn_t *c, const char *p, size_t len);


/* rtl_sio.c: a packet of Engine.IO has come */

void rtl_sio_packet(rtl_t *rtl, rtl_conn_t *c, const char *p, size_t len);


/* the modes; they print their part of the JSON object */

void rtl_relay(rtl_t *rtl);
void rtl_fanout(rtl_t *rtl);
void rtl_stored(rtl_t *rtl);
void rtl_notify(rtl_t *rtl);
void rtl_notify_many(rtl_t *rtl);
void rtl_notify_stored(rtl_t *rtl);
void rtl_emit_many(rtl_t *rtl);
void rtl_connect(rtl_t *rtl);
void rtl_idle(rtl_t *rtl);
void rtl_reload(rtl_t *rtl);
void rtl_polling(rtl_t *rtl);
void rtl_upgrade(rtl_t *rtl);
void rtl_beat(rtl_t *rtl);
void rtl_store(rtl_t *rtl);
void rtl_page(rtl_t *rtl);


#endif /* _RTLOAD_H_INCLUDED_ */
