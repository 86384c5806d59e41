
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The use cases of chat.  A caller is an identity; whether it came by socket
 * or by REST is unknown here, and both doors get the same answers.
 *
 *   api/ fills a call -> chat checks and asks Postgres -> ... -> call->done()
 *
 * A call owns a pool; everything that it needs until done() is copied there.
 * ngx_realtime_call_done() runs call->done exactly once and then destroys the
 * pool: after it, the call is gone.  call->done must not keep pointers into
 * the call.  A use case may finish the call before it returns.
 */

#ifndef _NGX_REALTIME_CHAT_H_INCLUDED_
#define _NGX_REALTIME_CHAT_H_INCLUDED_


#include "ngx_realtime.h"
#include "ngx_realtime_refusal.h"
#include "ngx_realtime_pg.h"


typedef struct ngx_realtime_call_s  ngx_realtime_call_t;

typedef void (*ngx_realtime_call_pt)(ngx_realtime_call_t *call);

struct ngx_realtime_call_s {
    ngx_pool_t                *pool;
    ngx_log_t                 *log;        /* lives as long as the cycle */
    ngx_realtime_identity_t    caller;     /* copied into pool */
    ngx_str_t                  socket;     /* sid of the caller's socket, which
                                              gets the ack and not the event;
                                              len 0 for REST */

    unsigned                   mute:1;     /* nobody will read the result */
    ngx_realtime_refusal_e     refusal;    /* NONE: success */
    const char                *detail;     /* of a refusal, for the log; NULL:
                                              its code says all */
    ngx_uint_t                 status;     /* 200 or 201 on success */
    ngx_str_t                  result;     /* JSON of "data"; len 0: none */
    ngx_str_t                  extra;      /* JSON members beside "data", such
                                              as "pagination":{...}; or len 0 */
    ngx_str_t                  message;    /* for REST, what was done; or
                                              len 0 */

    ngx_realtime_call_pt       done;
    void                      *data;       /* the door's */
    ngx_realtime_call_pt       abandoned;  /* of a call that only waits, and
                                              must not be held up by nobody:
                                              whoever wanted the result has
                                              left, finish it now.  NULL: it
                                              goes on */

    ngx_realtime_pg_query_t    query;      /* chat's */
    void                      *ctx;        /* chat's */
};


/* NULL: no memory.  Copies user and socket. */

ngx_realtime_call_t *ngx_realtime_call_create(ngx_log_t *log,
    ngx_realtime_identity_t *caller, ngx_str_t *socket);
void ngx_realtime_call_done(ngx_realtime_call_t *call);
void ngx_realtime_call_refuse(ngx_realtime_call_t *call,
    ngx_realtime_refusal_e why);


/*
 * Strings that are arguments may point anywhere; what must outlive the call
 * of the function is copied.  A NULL data pointer means "not given".  They
 * are valid UTF-8 (the JSON parser saw to it) but otherwise unchecked.
 */

/*
 * The published widget sends each text by both doors, without a client id.
 * So a message by one of them and the same text by the other, within 10 s, are
 * one message.  The numbers are in the database, and their sum in SQL.
 */

typedef enum {
    NGX_REALTIME_CHAT_DOOR_NONE = 0,          /* never sent twice */
    NGX_REALTIME_CHAT_DOOR_SOCKET = 1,        /* event "message" */
    NGX_REALTIME_CHAT_DOOR_REST = 2           /* POST */
} ngx_realtime_chat_door_e;

typedef struct {
    ngx_str_t                  conversation;  /* id, any text */
    ngx_str_t                  content;       /* untrimmed */
    ngx_str_t                  client_id;     /* not given: NULL */
    ngx_str_t                  recipient;     /* must be the other one;
                                                 NULL: not checked */
    ngx_realtime_chat_door_e   door;
} ngx_realtime_chat_send_t;

typedef struct {
    ngx_str_t                  conversation;
    ngx_int_t                  limit;         /* 0: default; clamped */
    ngx_int_t                  offset;        /* clamped; without a pivot */
    ngx_str_t                  before;        /* message ids or NULL: the */
    ngx_str_t                  after;         /* first that is given counts */
    ngx_str_t                  around;
} ngx_realtime_chat_fetch_t;

typedef struct {
    ngx_int_t                  limit;
    ngx_str_t                  cursor;        /* opaque, or NULL */
} ngx_realtime_chat_list_t;


void ngx_realtime_chat_create(ngx_realtime_call_t *call,
    ngx_str_t *participant, ngx_str_t *title);
void ngx_realtime_chat_list(ngx_realtime_call_t *call,
    ngx_realtime_chat_list_t *args);
void ngx_realtime_chat_get(ngx_realtime_call_t *call,
    ngx_str_t *conversation);
void ngx_realtime_chat_send(ngx_realtime_call_t *call,
    ngx_realtime_chat_send_t *args);
void ngx_realtime_chat_fetch(ngx_realtime_call_t *call,
    ngx_realtime_chat_fetch_t *args);

/* up_to: message id, NULL: everything */
void ngx_realtime_chat_read(ngx_realtime_call_t *call,
    ngx_str_t *conversation, ngx_str_t *up_to);

void ngx_realtime_chat_delete(ngx_realtime_call_t *call,
    ngx_str_t *conversation);

/* realtime_message_relay on: checked for shape, delivered, not stored */
void ngx_realtime_chat_relay(ngx_realtime_call_t *call,
    ngx_realtime_chat_send_t *args);

/* realtime_users TABLE [COLUMN], ngx_realtime_chat_conf.c */
char *ngx_realtime_chat_users(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* configuration time: checks and quotes the names of realtime_users */
ngx_int_t ngx_realtime_chat_init(ngx_conf_t *cf,
    ngx_realtime_main_conf_t *rmcf);

/* in a worker, before db/ starts: registers the statements; their text is
   that of the cycle which the worker belongs to */
void ngx_realtime_chat_start(ngx_realtime_main_conf_t *rmcf);


#endif /* _NGX_REALTIME_CHAT_H_INCLUDED_ */
