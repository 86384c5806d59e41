
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Who is online, away, busy, and since when not: told to the people who
 * share a conversation with him.  See ngx_realtime_chat_presence.c.
 */

#ifndef _NGX_REALTIME_CHAT_PRESENCE_H_INCLUDED_
#define _NGX_REALTIME_CHAT_PRESENCE_H_INCLUDED_


#include "ngx_realtime_chat.h"


/* in a starting worker */
void ngx_realtime_chat_presence_init(void);

/*
 * A socket of call->caller has come, place is his in the table of presence or
 * 0.  The result is what the socket is to know: an array of his partners.
 */
void ngx_realtime_chat_presence_connected(ngx_realtime_call_t *call,
    uint32_t place);

/* a socket is going: in a worker that exits, this may be the end of all */
void ngx_realtime_chat_presence_left(void);

/* he says: "online", "away", "busy" or "invisible" */
void ngx_realtime_chat_presence_say(ngx_realtime_call_t *call,
    uint32_t place, ngx_str_t *state);

/*
 * These two have a new conversation, which is committed: each is told about
 * the other.  Ids are texts of rt_uuid_parse().
 */
void ngx_realtime_chat_presence_paired(const u_char *one,
    const u_char *other);


#endif /* _NGX_REALTIME_CHAT_PRESENCE_H_INCLUDED_ */
