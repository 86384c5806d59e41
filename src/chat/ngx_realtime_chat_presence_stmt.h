
/*
 * Copyright (C) ngx_realtime contributors
 */

/* The statements of typing and presence: rows for the catalogue of chat. */

#ifndef _NGX_REALTIME_CHAT_PRESENCE_STMT_H_INCLUDED_
#define _NGX_REALTIME_CHAT_PRESENCE_STMT_H_INCLUDED_


/* newest conversations first, each side from its own index */

#define NGX_REALTIME_STMT_PARTNER(own, other)                                 \
    "(select c." other " as id, c.updated_at from realtime.conversations c "  \
    "where c." own " = u.id "                                                 \
    "order by c.updated_at desc, c.id desc limit 1000)"


#define NGX_REALTIME_STMT_PRESENCE                                            \
    [NGX_REALTIME_STMT_OTHER] = { "realtime_other",                           \
      "select case c.created_by when $1::uuid "                               \
          "then c.participant_id else c.created_by end "                      \
      "from realtime.conversations c "                                        \
      "where c.id = $2::uuid "                                                \
          "and $1::uuid in (c.created_by, c.participant_id)",                 \
      2, 1 },                                                                 \
                                                                              \
    [NGX_REALTIME_STMT_PARTNERS] = { "realtime_partners",                     \
      "select u.id, p.id, (select extract(epoch from s.last_seen_at)::bigint "\
          "from realtime.presence s where s.user_id = p.id) "                 \
      "from unnest($1::uuid[]) with ordinality u (id, n) "                    \
      "cross join lateral (select * from ("                                   \
          NGX_REALTIME_STMT_PARTNER("created_by", "participant_id")           \
          " union all "                                                       \
          NGX_REALTIME_STMT_PARTNER("participant_id", "created_by")           \
      ") c order by c.updated_at desc limit 1000) p "                         \
      "order by u.n, p.updated_at desc",                                      \
      1, 1 },                                                                 \
                                                                              \
    [NGX_REALTIME_STMT_SEEN] = { "realtime_seen",                             \
      "insert into realtime.presence (user_id, last_seen_at) "                \
      "select u.id, to_timestamp(u.s) "                                       \
      "from unnest($1::uuid[], $2::bigint[]) u (id, s) order by u.id "        \
      "on conflict (user_id) do update set last_seen_at = "                   \
          "greatest(presence.last_seen_at, excluded.last_seen_at)",           \
      2, 1 }


#endif /* _NGX_REALTIME_CHAT_PRESENCE_STMT_H_INCLUDED_ */
