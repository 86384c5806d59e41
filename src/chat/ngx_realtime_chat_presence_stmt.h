
/*
 * Copyright (C) ngx_realtime contributors
 */

/* The statements of typing and presence: rows for the catalogue of chat. */

#ifndef _NGX_REALTIME_CHAT_PRESENCE_STMT_H_INCLUDED_
#define _NGX_REALTIME_CHAT_PRESENCE_STMT_H_INCLUDED_


#define NGX_REALTIME_STMT_PRESENCE                                            \
    [NGX_REALTIME_STMT_OTHER] = { "realtime_other",                           \
      "select case c.created_by when $1::uuid "                               \
          "then c.participant_id else c.created_by end "                      \
      "from realtime.conversations c "                                        \
      "where c.id = $2::uuid "                                                \
          "and $1::uuid in (c.created_by, c.participant_id)",                 \
      2, 1 }


#endif /* _NGX_REALTIME_CHAT_PRESENCE_STMT_H_INCLUDED_ */
