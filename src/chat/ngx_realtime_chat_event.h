
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * What becomes of a message that counts: it is given to the other one as
 * "message" and to the sender's other sockets as "message_sent".
 */

#ifndef _NGX_REALTIME_CHAT_EVENT_H_INCLUDED_
#define _NGX_REALTIME_CHAT_EVENT_H_INCLUDED_


#include "ngx_realtime.h"
#include "ngx_realtime_msg.h"


#define NGX_REALTIME_CHAT_TIME_LEN                                            \
    (sizeof("1970-09-28T12:00:00.000Z") - 1)


typedef struct {
    ngx_str_t                  sender;
    ngx_str_t                  conversation;
    ngx_str_t                  content;
    ngx_str_t                  client_id;     /* NULL: none */
    u_char                     id[NGX_REALTIME_UUID_LEN];
    uint64_t                   ms;            /* inside the id */
} ngx_realtime_chat_event_t;


/* a fresh UUIDv7 of this worker, NUL-terminated; its time goes to *ms;
   NGX_ERROR: no randomness, logged */

ngx_int_t ngx_realtime_chat_event_id(u_char *id, uint64_t *ms,
    ngx_log_t *log);

/* what sorts before every id of that millisecond and later */
void ngx_realtime_chat_event_floor(u_char *id, uint64_t ms);

/* the milliseconds inside an id */
uint64_t ngx_realtime_chat_event_ms(u_char *id);

/* the event "message"; NULL: no memory, logged */

ngx_realtime_msg_t *ngx_realtime_chat_event_encode(
    ngx_realtime_chat_event_t *event, ngx_log_t *log);

/* takes the message; user is the sender, socket the one that gets an ack */

void ngx_realtime_chat_event_publish(ngx_realtime_msg_t *message,
    ngx_str_t *recipient, ngx_str_t *user, ngx_str_t *socket,
    ngx_log_t *log);

u_char *ngx_realtime_chat_event_time(u_char *p, uint64_t ms);


/*
 * What happened to messages of a conversation, for the sockets of the user to,
 * but not for the socket except:
 *
 *   {conversationId, userId, upTo, timestamp}
 *
 * userId is who did it; up_to NULL: the conversation as a whole.
 */

void ngx_realtime_chat_event_tell(const char *name, ngx_str_t *to,
    ngx_str_t *except, u_char *conversation, u_char *user, u_char *up_to,
    uint64_t ms, ngx_log_t *log);

/* milliseconds since the epoch */
uint64_t ngx_realtime_chat_event_now(void);


#endif /* _NGX_REALTIME_CHAT_EVENT_H_INCLUDED_ */
