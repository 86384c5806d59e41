
/*
 * Copyright (C) ngx_realtime contributors
 */

/* What people type: its white space, its length, its limits. */

#ifndef _NGX_REALTIME_CHAT_TEXT_H_INCLUDED_
#define _NGX_REALTIME_CHAT_TEXT_H_INCLUDED_


#include "ngx_realtime.h"
#include "ngx_realtime_refusal.h"


#define NGX_REALTIME_CHAT_CONTENT_MAX    10000     /* characters */
#define NGX_REALTIME_CHAT_TITLE_MAX      200
#define NGX_REALTIME_CHAT_CLIENT_ID_MAX  128
#define NGX_REALTIME_CHAT_EVENT_MAX      128       /* bytes */


/*
 * All take valid UTF-8.  Content and title are trimmed in place: of the white
 * space that String.prototype.trim() removes, so that the server and a
 * browser agree on what is empty.
 */

ngx_realtime_refusal_e ngx_realtime_chat_text_content(ngx_str_t *content);
ngx_realtime_refusal_e ngx_realtime_chat_text_title(ngx_str_t *title);
ngx_realtime_refusal_e ngx_realtime_chat_text_client_id(ngx_str_t *id);

/* 1 to 128 printable bytes */
ngx_uint_t ngx_realtime_chat_text_is_user(ngx_str_t *user);

/* 1 to 128 bytes, and not a name that Socket.IO keeps for itself */
ngx_uint_t ngx_realtime_chat_text_is_event(ngx_str_t *name);

/* 1 to max characters without NUL */
ngx_uint_t ngx_realtime_chat_text_is_within(ngx_str_t *s, size_t max);

/* a NUL-terminated copy; NULL: no memory */
char *ngx_realtime_chat_text_copy(ngx_pool_t *pool, ngx_str_t *s);


#endif /* _NGX_REALTIME_CHAT_TEXT_H_INCLUDED_ */
