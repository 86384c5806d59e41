
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The statements of notifications.  Rows in the order of the columns of
 * ngx_realtime_chat_notify.h.
 *
 * What has expired is not there any more, also before somebody deletes it.
 */

#ifndef _NGX_REALTIME_CHAT_NOTIFY_STMT_H_INCLUDED_
#define _NGX_REALTIME_CHAT_NOTIFY_STMT_H_INCLUDED_


#define NGX_REALTIME_STMT_ROW                                                 \
    "n.id, n.user_id, n.type, n.title, n.message, n.data, "                   \
    NGX_REALTIME_STMT_TIME("n.read_at") ", "                                  \
    NGX_REALTIME_STMT_TIME("n.created_at") " "

#define NGX_REALTIME_STMT_VALID                                               \
    "(n.expires_at is null or n.expires_at > now()) "

#define NGX_REALTIME_STMT_NEWEST                                              \
    "order by n.user_id desc, n.created_at desc, n.id desc "

/* the caller's, this one, locked */

#define NGX_REALTIME_STMT_THIS                                                \
    "with was as ("                                                           \
        "select n.user_id, n.id, n.read_at from realtime.notifications n "    \
        "where n.user_id = $1::uuid and n.id = $2::uuid and "                 \
        NGX_REALTIME_STMT_VALID                                               \
        "for update"                                                          \
    ") "


#define NGX_REALTIME_STMT_NOTIFY                                              \
                                                                              \
    /* a row without an id: an empty page; none: no such "before" */          \
                                                                              \
    [NGX_REALTIME_STMT_NOTES] = { "realtime_notes",                           \
      "select " NGX_REALTIME_STMT_ROW                                         \
      "from (select timestamptz 'infinity' as at where $2::uuid is null "     \
          "union all select p.created_at from realtime.notifications p "      \
          "where p.user_id = $1::uuid and p.id = $2::uuid) b "                \
      "left join lateral (select * from realtime.notifications n "            \
          "where n.user_id = $1::uuid and (n.created_at, n.id) "              \
              "< (b.at, coalesce($2::uuid, '" NGX_REALTIME_STMT_LAST_UUID     \
              "'::uuid)) and " NGX_REALTIME_STMT_VALID                        \
          NGX_REALTIME_STMT_NEWEST                                            \
          "limit $3::int) n on true "                                         \
      NGX_REALTIME_STMT_NEWEST,                                               \
      3, 1 },                                                                 \
                                                                              \
    [NGX_REALTIME_STMT_NEW] = { "realtime_new",                               \
      "select " NGX_REALTIME_STMT_ROW                                         \
      "from realtime.notifications n "                                        \
      "where n.user_id = $1::uuid and n.read_at is null and "                 \
      NGX_REALTIME_STMT_VALID                                                 \
      NGX_REALTIME_STMT_NEWEST                                                \
      "limit $2::int",                                                        \
      2, 1 },                                                                 \
                                                                              \
    [NGX_REALTIME_STMT_UNREAD] = { "realtime_unread",                         \
      "select count(*) from realtime.notifications n "                        \
      "where n.user_id = $1::uuid and n.read_at is null and "                 \
      NGX_REALTIME_STMT_VALID,                                                \
      1, 1 },                                                                 \
                                                                              \
    [NGX_REALTIME_STMT_SEE] = { "realtime_see",                               \
      NGX_REALTIME_STMT_THIS                                                  \
      "update realtime.notifications n "                                      \
      "set read_at = coalesce(n.read_at, t.now), acknowledged_at = case "     \
          "when $4::boolean then coalesce(n.acknowledged_at, t.now) "         \
          "else n.acknowledged_at end "                                       \
      "from was, (select " NGX_REALTIME_STMT_MS("$3") "as now) t "            \
      "where n.user_id = was.user_id and n.id = was.id "                      \
      "returning " NGX_REALTIME_STMT_ROW ", was.read_at is null",             \
      4, 1 },                                                                 \
                                                                              \
    [NGX_REALTIME_STMT_SEE_ALL] = { "realtime_see_all",                       \
      "with due as ("                                                         \
          "select n.user_id, n.id from realtime.notifications n "             \
          "where n.user_id = $1::uuid and n.read_at is null and "             \
          NGX_REALTIME_STMT_VALID                                             \
          "order by n.user_id, n.created_at, n.id "                           \
          "limit " NGX_REALTIME_STMT_ROWS_TEXT " for update"                  \
      "), seen as ("                                                          \
          "update realtime.notifications n "                                  \
          "set read_at = " NGX_REALTIME_STMT_MS("$2")                         \
          "from due where n.user_id = due.user_id and n.id = due.id "         \
          "returning n.id"                                                    \
      ") select count(*) from seen",                                          \
      2, 1 },                                                                 \
                                                                              \
    [NGX_REALTIME_STMT_DISMISS] = { "realtime_dismiss",                       \
      NGX_REALTIME_STMT_THIS                                                  \
      "delete from realtime.notifications n using was "                       \
      "where n.user_id = was.user_id and n.id = was.id "                      \
      "returning was.read_at is null",                                        \
      2, 0 },                                                                 \
                                                                              \
    /* those who did not have it yet; "*" is for the policies */              \
                                                                              \
    [NGX_REALTIME_STMT_NOTE] = { "realtime_note",                             \
      "insert into realtime.notifications (user_id, id, type, title, "        \
          "message, data, created_at, expires_at) "                           \
      "select u, $3::uuid, $4::text, $5::text, $6::text, $7::json, "          \
          NGX_REALTIME_STMT_MS("$8") ", " NGX_REALTIME_STMT_MS("$9")          \
      "from unnest($2::uuid[]) u where $1::text is not null "                 \
      "order by u on conflict do nothing returning user_id",                  \
      9, 1 }


#endif /* _NGX_REALTIME_CHAT_NOTIFY_STMT_H_INCLUDED_ */
