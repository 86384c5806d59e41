
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Delivery marks: a message is delivered when a socket of the other one was
 * given it, or when he fetched it.
 *
 *   given ---> waiting: {user, conversation, from, to} ---> one statement
 *                       a second, or while others are        each: the mark,
 *                       under way                            and the event
 *                                                            to the sender
 *
 * A mark never holds up a message: it is made afterwards, one statement for
 * all that a user got in a conversation meanwhile.  Marks that wait are this
 * worker's, and bounded; those that find no room, and those that a dead worker
 * had, are made when the message is fetched or read.
 */

#ifndef _NGX_REALTIME_CHAT_RECEIPT_H_INCLUDED_
#define _NGX_REALTIME_CHAT_RECEIPT_H_INCLUDED_


#include "ngx_realtime_chat.h"


/* the messages from..to of the other one, ids included; all are UUIDs of
   NGX_REALTIME_UUID_LEN lower-case characters */

void ngx_realtime_chat_receipt_add(u_char *user, u_char *conversation,
    u_char *from, u_char *to);

/* per worker, when there is a database */
void ngx_realtime_chat_receipt_init(void);


#endif /* _NGX_REALTIME_CHAT_RECEIPT_H_INCLUDED_ */
