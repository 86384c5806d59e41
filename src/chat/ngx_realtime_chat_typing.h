
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Who is typing: the event "user_typing" to the other one of a conversation.
 * See ngx_realtime_chat_typing.c for when.
 */

#ifndef _NGX_REALTIME_CHAT_TYPING_H_INCLUDED_
#define _NGX_REALTIME_CHAT_TYPING_H_INCLUDED_


#include "ngx_realtime_chat.h"


/* in a starting worker */
void ngx_realtime_chat_typing_init(void);

/* call->socket types, or has stopped */
void ngx_realtime_chat_typing(ngx_realtime_call_t *call,
    ngx_str_t *conversation, ngx_uint_t typing);

/* the socket of this id is not here any more */
void ngx_realtime_chat_typing_left(ngx_str_t *socket);


#endif /* _NGX_REALTIME_CHAT_TYPING_H_INCLUDED_ */
