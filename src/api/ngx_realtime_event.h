
/*
 * Copyright (C) ngx_realtime contributors
 */

#ifndef _NGX_REALTIME_EVENT_H_INCLUDED_
#define _NGX_REALTIME_EVENT_H_INCLUDED_


#include "ngx_realtime_chat.h"
#include "ngx_realtime_session.h"


/*
 * What a row of the table has: takes the arguments out of the event's first
 * one, an object, and starts a use case; NONE, or why it was not started.
 */

typedef ngx_realtime_refusal_e (*ngx_realtime_event_pt)(
    ngx_realtime_socket_t *sk, rt_str_t arg, ngx_realtime_call_t *call);

/* in place; NGX_DECLINED: no string, or one with half of a character in it */
ngx_int_t ngx_realtime_event_string(rt_str_t value, ngx_str_t *text);


/* ngx_realtime_event_chat.c */

ngx_realtime_refusal_e ngx_realtime_event_mark_as_read(
    ngx_realtime_socket_t *sk, rt_str_t arg, ngx_realtime_call_t *call);
ngx_uint_t ngx_realtime_event_delivered(ngx_realtime_socket_t *sk,
    ngx_realtime_msg_t *m);


/* ngx_realtime_event_presence.c */

ngx_realtime_refusal_e ngx_realtime_event_typing(ngx_realtime_socket_t *sk,
    rt_str_t arg, ngx_realtime_call_t *call);
ngx_realtime_refusal_e ngx_realtime_event_presence(ngx_realtime_socket_t *sk,
    rt_str_t arg, ngx_realtime_call_t *call);

/* the socket is told who of its user's partners is there */
void ngx_realtime_event_presence_state(ngx_realtime_socket_t *sk);


/* ngx_realtime_event_notify.c */

/* per worker */
void ngx_realtime_event_notify_init(void);

ngx_realtime_refusal_e ngx_realtime_event_notification_ack(
    ngx_realtime_socket_t *sk, rt_str_t arg, ngx_realtime_call_t *call);

ngx_realtime_refusal_e ngx_realtime_event_send_notification(
    ngx_realtime_socket_t *sk, rt_str_t arg, ngx_realtime_call_t *call);

/* the socket is given what its user has not read */
void ngx_realtime_event_news(ngx_realtime_socket_t *sk);

/* 1: a note that it was given then */
ngx_uint_t ngx_realtime_event_is_old_news(ngx_realtime_socket_t *sk,
    ngx_realtime_msg_t *m);


/* the socket's door to chat/: for ngx_realtime_session_init() */
extern const ngx_realtime_session_ops_t  ngx_realtime_event_ops;


/* rows of the event table that have a file of their own; as all of them:
   NONE, and the call is finished or will be, or why it was not begun */
ngx_realtime_refusal_e ngx_realtime_event_auth_refresh(
    ngx_realtime_socket_t *sk, rt_str_t arg, ngx_realtime_call_t *call);


#endif /* _NGX_REALTIME_EVENT_H_INCLUDED_ */
