
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Who takes part in a conversation, remembered, so that a key that is
 * pressed costs no query: a table of this worker.  The two of a conversation
 * never change, they only go with it.
 *
 * Whoever commits a change of the conversations says so here.
 */

#ifndef _NGX_REALTIME_CHAT_PAIR_H_INCLUDED_
#define _NGX_REALTIME_CHAT_PAIR_H_INCLUDED_


#include "ngx_realtime_version.h"
#include "rt_uuid7.h"


/*
 * All ids are RT_UUID_BYTES.  NGX_OK: user takes part, and so does *other;
 * NGX_DECLINED: he does not, or did not some seconds ago; NGX_AGAIN: unknown.
 */
ngx_int_t ngx_realtime_chat_pair_find(const u_char *conversation,
    const u_char *user, u_char *other);

/*
 * What Postgres said; version: ngx_realtime_version() of the conversation
 * when it was asked; other NULL: user takes no part.
 */
void ngx_realtime_chat_pair_keep(const u_char *conversation,
    uint32_t version, const u_char *user, const u_char *other);

/*
 * A conversation of these two is deleted, and that is committed.  Ids are
 * texts of rt_uuid_parse().
 */
void ngx_realtime_chat_pair_gone(const u_char *conversation,
    const u_char *one, const u_char *other);


#endif /* _NGX_REALTIME_CHAT_PAIR_H_INCLUDED_ */
