
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Notifications: a row for each receiver, an event for each of his sockets.
 *
 *   note --insert, one statement--> rows --commit--> "notification", once
 *                                     |
 *     read, acknowledged, deleted  <--+-->  given again at each CONNECT: the
 *                                           newest that are unread
 *
 * One note to many is one id, one statement, one packet and one publish.  Who
 * had a note of this id already is not told again.  A volatile one has no
 * row: whoever is away does not get it.
 */

#ifndef _NGX_REALTIME_CHAT_NOTIFY_H_INCLUDED_
#define _NGX_REALTIME_CHAT_NOTIFY_H_INCLUDED_


#include "ngx_realtime_chat.h"


#define NGX_REALTIME_NOTE_TYPE_MAX     50
#define NGX_REALTIME_NOTE_TITLE_MAX    200       /* characters */
#define NGX_REALTIME_NOTE_MESSAGE_MAX  4000
#define NGX_REALTIME_NOTE_DATA_MAX     16384     /* bytes */
#define NGX_REALTIME_NOTE_USERS_MAX    10000
#define NGX_REALTIME_NOTE_NEW          50        /* given at a CONNECT */


/* places of the columns that statements return for a notification */

enum {
    NGX_REALTIME_NOTE_ID = 0,
    NGX_REALTIME_NOTE_USER_ID,
    NGX_REALTIME_NOTE_TYPE,
    NGX_REALTIME_NOTE_TITLE,
    NGX_REALTIME_NOTE_MESSAGE,
    NGX_REALTIME_NOTE_DATA,
    NGX_REALTIME_NOTE_READ_AT,
    NGX_REALTIME_NOTE_CREATED_AT,
    NGX_REALTIME_NOTE_WAS_UNREAD           /* of what was read or deleted */
};


/* strings that are arguments may point anywhere, as in ngx_realtime_chat.h */

typedef struct {
    ngx_str_t                 *users;      /* any ids; UUIDs to be stored */
    ngx_uint_t                 nusers;
    ngx_str_t                  type;
    ngx_str_t                  title;
    ngx_str_t                  message;
    ngx_str_t                  data;       /* JSON of an object; len 0: none */
    ngx_str_t                  id;         /* a UUID; NULL: a fresh one */
    uint64_t                   expires;    /* ms since the epoch; 0: never */
    uint64_t                   deliver;    /* likewise; 0: now */
    unsigned                   transient:1;  /* no row */
    unsigned                   all:1;      /* everybody; no users */
} ngx_realtime_chat_note_t;


/*
 * Checks and copies the note, stores and tells it.  Status 202, the result is
 * {id, online, offline}: of the receivers, those that have a socket now; or,
 * of what became a job, {id, job}.
 */
void ngx_realtime_chat_notify(ngx_realtime_call_t *call,
    ngx_realtime_chat_note_t *note);


/* of the caller: before is an id, or NULL */
void ngx_realtime_chat_notify_list(ngx_realtime_call_t *call,
    ngx_int_t limit, ngx_str_t *before);
void ngx_realtime_chat_notify_count(ngx_realtime_call_t *call);

/* acknowledged: by the event, which says more than read */
void ngx_realtime_chat_notify_see(ngx_realtime_call_t *call, ngx_str_t *id,
    ngx_uint_t acknowledged);
void ngx_realtime_chat_notify_see_all(ngx_realtime_call_t *call);
void ngx_realtime_chat_notify_dismiss(ngx_realtime_call_t *call,
    ngx_str_t *id);

/*
 * The newest that are unread, oldest first: call->ctx is the first of n
 * arguments of "notification", each an object that begins with its id.
 */

typedef struct {
    ngx_str_t                  events[NGX_REALTIME_NOTE_NEW];
    ngx_uint_t                 n;
    u_char                     caller[NGX_REALTIME_UUID_LEN + 1];
} ngx_realtime_chat_news_t;

void ngx_realtime_chat_notify_news(ngx_realtime_call_t *call);


/* ngx_realtime_chat_notify_event.c: {id, type, title, message, data?,
   timestamp}, the arguments of "notification" */

typedef struct {
    ngx_str_t                  id;
    ngx_str_t                  type;
    ngx_str_t                  title;
    ngx_str_t                  message;
    ngx_str_t                  data;       /* len 0: none */
    ngx_str_t                  timestamp;
} ngx_realtime_chat_told_note_t;

/* exactly what is printed */
size_t ngx_realtime_chat_notify_size(ngx_realtime_chat_told_note_t *note);
u_char *ngx_realtime_chat_notify_print(u_char *p,
    ngx_realtime_chat_told_note_t *note);

/* an event begins with {"id":" */
#define NGX_REALTIME_NOTE_ID_AT  (sizeof("{\"id\":\"") - 1)


#endif /* _NGX_REALTIME_CHAT_NOTIFY_H_INCLUDED_ */
