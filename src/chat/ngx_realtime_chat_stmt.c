
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_chat_jobs_stmt.h"
#include "ngx_realtime_chat_notify_stmt.h"
#include "ngx_realtime_chat_presence_stmt.h"
#include "ngx_realtime_chat_stmt.h"
#include "ngx_realtime_chat_receipt.h"
#include "rt_uuid7.h"


/*
 * Messages of a conversation in the order of their ids, or against it.  Both
 * columns are compared and sorted as one, so that only the index that begins
 * with the conversation will do: with an equality Postgres may decide to go
 * through the ids of everybody until it has met enough that fit.
 */

#define NGX_REALTIME_STMT_FIRST_UUID                                          \
    "'00000000-0000-0000-0000-000000000000'::uuid"

#define NGX_REALTIME_STMT_BETWEEN(alias, from, to)                            \
    "(" alias ".conversation_id, " alias ".id) >= (c.id, " from ") "          \
    "and (" alias ".conversation_id, " alias ".id) " to " "

#define NGX_REALTIME_STMT_LAST                                                \
    "<= (c.id, '" NGX_REALTIME_STMT_LAST_UUID "'::uuid)"

#define NGX_REALTIME_STMT_UP(alias)                                           \
    "order by " alias ".conversation_id, " alias ".id "

#define NGX_REALTIME_STMT_DOWN(alias)                                         \
    "order by " alias ".conversation_id desc, " alias ".id desc "


/*
 * Columns in the order of ngx_realtime_chat_row.h.
 *
 * The count of unread messages stops at 1000: it is work done for every
 * conversation of every list, and the other side decides how many there are.
 */

#define NGX_REALTIME_STMT_CONVERSATION                                        \
    "select c.id, c.created_by, c.participant_id, c.title, "                  \
    NGX_REALTIME_STMT_TIME("c.created_at") ", "                               \
    NGX_REALTIME_STMT_TIME("greatest(c.updated_at, l.created_at)") ", "       \
    "l.content, " NGX_REALTIME_STMT_TIME("l.created_at") ", u.n, o.id, "      \
    "(extract(epoch from c.updated_at) * 1000000)::bigint "

#define NGX_REALTIME_STMT_CONVERSATION_JOINS                                  \
    "cross join lateral (select case c.created_by when $1::uuid "             \
        "then c.participant_id else c.created_by end as id) o "               \
    "left join lateral (select m.content, m.created_at "                      \
        "from realtime.messages m where "                                     \
        NGX_REALTIME_STMT_BETWEEN("m", NGX_REALTIME_STMT_FIRST_UUID,          \
                                  NGX_REALTIME_STMT_LAST)                     \
        NGX_REALTIME_STMT_DOWN("m") "limit 1) l on true "                     \
    "cross join lateral (select count(*) as n from (select "                  \
        "from realtime.messages m where m.conversation_id = c.id "            \
        "and m.sender_id = o.id and m.read_at is null limit 1000) m) u "

#define NGX_REALTIME_STMT_MESSAGE                                             \
    "m.id, m.conversation_id, m.sender_id, m.content, m.client_id, "          \
    NGX_REALTIME_STMT_TIME("m.read_at") ", "                                  \
    NGX_REALTIME_STMT_TIME("m.delivered_at") ", "                             \
    NGX_REALTIME_STMT_TIME("m.created_at") " "

#define NGX_REALTIME_STMT_IS_PAIR                                             \
    "least(c.created_by, c.participant_id) = least($1::uuid, $2::uuid) "      \
    "and greatest(c.created_by, c.participant_id) "                           \
        "= greatest($1::uuid, $2::uuid) "


/*
 * No row: there is no such user.  A row without an id: the pair was made
 * while this statement ran, and only the next one can see it.
 *
 * %V: column and table of the users.
 */

static const char  ngx_realtime_chat_stmt_create[] =
    "with peer as ("
        "select u.%V as id from %V u where u.%V = $2::uuid limit 1"
    "), made as ("
        "insert into realtime.conversations "
            "(id, created_by, participant_id, title) "
        "select $3::uuid, $1::uuid, peer.id, $4::text from peer "
        "on conflict do nothing returning *"
    "), pair as ("
        "select * from made union all "
        "select * from realtime.conversations c "
        "where " NGX_REALTIME_STMT_IS_PAIR
            "and not exists (select from made)"
    ") " NGX_REALTIME_STMT_CONVERSATION
    "from peer left join pair c on true "
    NGX_REALTIME_STMT_CONVERSATION_JOINS;


/*
 * The newest of both sides, merged: each side is read from its own index and
 * no further than the page needs.
 */

#define NGX_REALTIME_STMT_SIDE(column)                                        \
    "(select * from realtime.conversations s "                                \
    "where s." column " = $1::uuid and (s.updated_at, s.id) < "               \
        "(timestamptz 'epoch' + $2::bigint * interval '1 microsecond', "      \
        "$3::uuid) "                                                          \
    "order by s.updated_at desc, s.id desc limit $4::int)"


/* of the caller, and the other one in it */

#define NGX_REALTIME_STMT_OWN                                                 \
    "with conversation as ("                                                  \
        "select c.id, case c.created_by when $1::uuid "                       \
            "then c.participant_id else c.created_by end as other "           \
        "from realtime.conversations c "                                      \
        "where c.id = $2::uuid "                                              \
            "and $1::uuid in (c.created_by, c.participant_id)"                \
    "), "


/*
 * Returns no row to a stranger; a row whose message is NULL when it was not
 * inserted, because the recipient is another one or because a transaction
 * that this statement cannot see has just stored the same client id.
 *
 * The stored message has the id of this call, unless it is the repeat of an
 * older one.  That makes the statement safe to send again when a connection
 * was lost: then it finds its own row.
 *
 * "skip locked": a batch holds its row locks until its Sync, and a batch of
 * another worker would wait for that commit.  Whoever holds the lock is
 * writing the same news: a time that differs by some milliseconds.
 */

#define NGX_REALTIME_STMT_FOR_RECIPIENT                                       \
    "($7::uuid is null or $7::uuid = c.other) "

#define NGX_REALTIME_STMT_TOUCHED                                             \
    "touched as ("                                                            \
        "update realtime.conversations c "                                    \
        "set updated_at = greatest(c.updated_at, made.created_at) "           \
        "from made where c.id = ("                                            \
            "select l.id from realtime.conversations l "                      \
            "where l.id = $2::uuid for no key update skip locked)"            \
    "), "

#define NGX_REALTIME_STMT_SEND_SQL                                            \
    NGX_REALTIME_STMT_OWN                                                     \
    "made as ("                                                               \
        "insert into realtime.messages "                                      \
            "(id, conversation_id, sender_id, content, client_id, "           \
            "created_at) "                                                    \
        "select $3::uuid, c.id, $1::uuid, $4::text, $5::text, "               \
            NGX_REALTIME_STMT_MS("$6")                                        \
        "from conversation c "                                                \
        "where " NGX_REALTIME_STMT_FOR_RECIPIENT                              \
        "on conflict do nothing returning *"                                  \
    "), "                                                                     \
    NGX_REALTIME_STMT_TOUCHED                                                 \
    "stored as ("                                                             \
        "select * from made union all "                                       \
        "select * from realtime.messages m "                                  \
        "where (m.id = $3::uuid "                                             \
            "or m.sender_id = $1::uuid and m.client_id = $5::text) "          \
            "and not exists (select from made)"                               \
    ") select " NGX_REALTIME_STMT_MESSAGE ", c.other "                        \
    "from conversation c left join stored m on true"


/*
 * Without a client id, by one of the doors that the published widget uses
 * both of: see realtime.twin().
 */

#define NGX_REALTIME_STMT_TWIN_SQL                                            \
    NGX_REALTIME_STMT_OWN                                                     \
    "twin as ("                                                               \
        "select t.* from conversation c "                                     \
        "cross join lateral realtime.twin(c.id, $1::uuid, $3::uuid, "         \
            "$4::text, $8::smallint, $9::uuid) t "                            \
        "where " NGX_REALTIME_STMT_FOR_RECIPIENT                              \
    "), made as ("                                                            \
        "insert into realtime.messages "                                      \
            "(id, conversation_id, sender_id, content, client_id, "           \
            "created_at, door) "                                              \
        "select $3::uuid, c.id, $1::uuid, $4::text, $5::text, "               \
            NGX_REALTIME_STMT_MS("$6") ", $8::smallint "                      \
        "from conversation c "                                                \
        "where " NGX_REALTIME_STMT_FOR_RECIPIENT                              \
            "and not exists (select from twin) "                              \
        "returning *"                                                         \
    "), "                                                                     \
    NGX_REALTIME_STMT_TOUCHED                                                 \
    "stored as (select * from made union all select * from twin) "            \
    "select " NGX_REALTIME_STMT_MESSAGE ", c.other "                          \
    "from conversation c left join stored m on true"


/*
 * Marks: the other one, how many there are now, the newest of them.
 *
 * Rows are locked in the order of their ids, so that two of these never wait
 * for each other in a circle.  What somebody else has locked is being read
 * now, which is more than delivered: "skip locked".
 */

#define NGX_REALTIME_STMT_MARKED                                              \
    "select c.other, (select count(*) from marked), "                         \
    "(select m.id from marked m order by m.id desc limit 1) "                 \
    "from conversation c"

#define NGX_REALTIME_STMT_READ_SQL                                            \
    NGX_REALTIME_STMT_OWN                                                     \
    "due as ("                                                                \
        "select m.id from conversation c "                                    \
        "join realtime.messages m on m.conversation_id = c.id "               \
            "and m.sender_id = c.other and m.read_at is null "                \
            "and m.id <= $3::uuid "                                           \
        "order by m.id limit " NGX_REALTIME_STMT_ROWS_TEXT " "                \
        "for no key update of m"                                              \
    "), marked as ("                                                          \
        "update realtime.messages m "                                         \
        "set read_at = t.now, "                                               \
            "delivered_at = coalesce(m.delivered_at, t.now) "                 \
        "from due, (select " NGX_REALTIME_STMT_MS("$4") "as now) t "          \
        "where m.id = due.id returning m.id"                                  \
    ") " NGX_REALTIME_STMT_MARKED

/*
 * What READ of the same parameters marked, when the answer to it was lost:
 * among the newest, so that a long conversation is not gone through.
 */

#define NGX_REALTIME_STMT_WAS_READ_SQL                                        \
    NGX_REALTIME_STMT_OWN                                                     \
    "newest as ("                                                             \
        "select m.id, m.sender_id, m.read_at from conversation c "            \
        "join realtime.messages m on "                                        \
            NGX_REALTIME_STMT_BETWEEN("m", NGX_REALTIME_STMT_FIRST_UUID,      \
                                      "<= (c.id, $3::uuid)")                  \
        NGX_REALTIME_STMT_DOWN("m")                                           \
        "limit 2 * " NGX_REALTIME_STMT_ROWS_TEXT                              \
    "), marked as ("                                                          \
        "select m.id from conversation c "                                    \
        "join newest m on m.sender_id = c.other "                             \
            "and m.read_at = " NGX_REALTIME_STMT_MS("$4")                     \
    ") " NGX_REALTIME_STMT_MARKED

#define NGX_REALTIME_STMT_DELIVERED_SQL                                       \
    NGX_REALTIME_STMT_OWN                                                     \
    "due as ("                                                                \
        "select m.id from conversation c "                                    \
        "join realtime.messages m on "                                        \
            NGX_REALTIME_STMT_BETWEEN("m", "$3::uuid", "<= (c.id, $4::uuid)") \
            "and m.sender_id = c.other and m.delivered_at is null "           \
        NGX_REALTIME_STMT_UP("m")                                             \
        "limit " NGX_REALTIME_STMT_ROWS_TEXT " "                              \
        "for no key update of m skip locked"                                  \
    "), marked as ("                                                          \
        "update realtime.messages m "                                         \
        "set delivered_at = " NGX_REALTIME_STMT_MS("$5")                      \
        "from due where m.id = due.id returning m.id"                         \
    ") " NGX_REALTIME_STMT_MARKED


/*
 * 1 when the conversation is gone.  A long one goes in several steps, the
 * oldest messages first.
 */

#define NGX_REALTIME_STMT_DELETE_SQL                                          \
    NGX_REALTIME_STMT_OWN                                                     \
    "gone as ("                                                               \
        "delete from realtime.messages m "                                    \
        "using (select d.id from conversation c "                             \
            "join realtime.messages d on "                                    \
            NGX_REALTIME_STMT_BETWEEN("d", NGX_REALTIME_STMT_FIRST_UUID,      \
                                      NGX_REALTIME_STMT_LAST)                 \
            NGX_REALTIME_STMT_UP("d")                                         \
            "limit " NGX_REALTIME_STMT_ROWS_TEXT ") d "                       \
        "where m.id = d.id returning m.id"                                    \
    "), last as ("                                                            \
        "delete from realtime.conversations d using conversation c "          \
        "where d.id = c.id and (select count(*) from gone) "                  \
            "< " NGX_REALTIME_STMT_ROWS_TEXT " returning d.id"                \
    ") select (select count(*) from last) from conversation c"


static ngx_realtime_pg_stmt_t  ngx_realtime_chat_stmts[] = {

    /* the text of the first is made by ngx_realtime_chat_init() */

    { "realtime_create", NULL, 4, 1 },

    { "realtime_pair",
      NGX_REALTIME_STMT_CONVERSATION
      "from realtime.conversations c "
      NGX_REALTIME_STMT_CONVERSATION_JOINS
      "where " NGX_REALTIME_STMT_IS_PAIR,
      2, 1 },

    { "realtime_list",
      NGX_REALTIME_STMT_CONVERSATION
      "from (select * from ("
          NGX_REALTIME_STMT_SIDE("created_by")
          " union all "
          NGX_REALTIME_STMT_SIDE("participant_id")
      ") s order by s.updated_at desc, s.id desc limit $4::int) c "
      NGX_REALTIME_STMT_CONVERSATION_JOINS
      "order by c.updated_at desc, c.id desc",
      4, 1 },

    { "realtime_get",
      NGX_REALTIME_STMT_CONVERSATION
      "from realtime.conversations c "
      NGX_REALTIME_STMT_CONVERSATION_JOINS
      "where c.id = $2::uuid "
          "and $1::uuid in (c.created_by, c.participant_id)",
      2, 1 },

    { "realtime_send", NGX_REALTIME_STMT_SEND_SQL, 7, 1 },

    { "realtime_twin", NGX_REALTIME_STMT_TWIN_SQL, 9, 1 },

    { "realtime_repeat",
      "select " NGX_REALTIME_STMT_MESSAGE ", case c.created_by "
          "when $1::uuid then c.participant_id else c.created_by end "
      "from realtime.messages m "
      "join realtime.conversations c on c.id = m.conversation_id "
      "where m.id = $3::uuid "
          "or m.sender_id = $1::uuid and m.client_id = $2::text",
      3, 1 },

    /* a row whose message is NULL: an empty conversation, not a stranger */

    { "realtime_fetch",
      "select " NGX_REALTIME_STMT_MESSAGE
      "from realtime.conversations c left join lateral ("
          "(select * from realtime.messages m "
          "where "
          NGX_REALTIME_STMT_BETWEEN("m", NGX_REALTIME_STMT_FIRST_UUID,
                                    "< (c.id, $3::uuid)")
          NGX_REALTIME_STMT_DOWN("m")
          "limit $4::int offset $6::int) union all "
          "(select * from realtime.messages m where "
          NGX_REALTIME_STMT_BETWEEN("m", "$3::uuid", NGX_REALTIME_STMT_LAST)
          NGX_REALTIME_STMT_UP("m") "limit $5::int)) m on true "
      "where c.id = $2::uuid "
          "and $1::uuid in (c.created_by, c.participant_id) "
      "order by m.id desc",
      6, 1 },

    { "realtime_read", NGX_REALTIME_STMT_READ_SQL, 4, 1 },

    { "realtime_was_read", NGX_REALTIME_STMT_WAS_READ_SQL, 4, 1 },

    { "realtime_delivered", NGX_REALTIME_STMT_DELIVERED_SQL, 5, 1 },

    { "realtime_delete", NGX_REALTIME_STMT_DELETE_SQL, 2, 1 },

    NGX_REALTIME_STMT_PRESENCE,

    NGX_REALTIME_STMT_NOTIFY,

    NGX_REALTIME_STMT_JOBS
};


static const char *const  ngx_realtime_chat_migrations[] = {
    "sql/001_chat.sql",
    "sql/002_receipts.sql",
    NULL,
    NULL,
    "sql/005_presence.sql",
    "sql/006_notifications.sql",
    "sql/007_jobs.sql"
};


static const ngx_realtime_pg_schema_t  ngx_realtime_chat_schema = {
    "select min(v) from unnest($1::int[]) v where not exists "
        "(select from realtime.schema_migrations m where m.version = v)",
    ngx_realtime_chat_migrations,
    sizeof(ngx_realtime_chat_migrations) / sizeof(char *)
};


static ngx_int_t ngx_realtime_chat_stmt_users(ngx_conf_t *cf,
    ngx_str_t *name, const char *what, ngx_str_t *quoted);
static ngx_uint_t ngx_realtime_chat_stmt_is_name(ngx_str_t *name);
static ngx_realtime_refusal_e ngx_realtime_chat_stmt_refusal(
    ngx_realtime_call_t *call, PGresult *res);


ngx_int_t
ngx_realtime_chat_stmt_begin(ngx_realtime_call_t *call, u_char *caller)
{
    if (!ngx_realtime_pg_configured()) {
        /* a location that only relays */
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_UNAVAILABLE);
        return NGX_ERROR;
    }

    if (rt_uuid_parse(call->caller.user.data, call->caller.user.len, caller)
        != RT_OK)
    {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_USER_NOT_UUID);
        return NGX_ERROR;
    }

    caller[RT_UUID_LEN] = '\0';

    call->query.values[0] = (char *) caller;
    call->query.data = call;

    return NGX_OK;
}


uint32_t
ngx_realtime_chat_stmt_key(u_char *id)
{
    uint32_t  key;

    key = ngx_crc32_short(id, RT_UUID_LEN);

    return key ? key : 1;
}


void
ngx_realtime_chat_stmt_ask(ngx_realtime_call_t *call,
    ngx_realtime_chat_stmt_e stmt, ngx_realtime_pg_pt handler)
{
    call->query.stmt = stmt;
    call->query.handler = handler;

    ngx_realtime_pg_query(&call->query);
}


ngx_int_t
ngx_realtime_chat_stmt_answer(ngx_realtime_call_t *call,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    ngx_realtime_refusal_e  why;

    switch (status) {

    case NGX_REALTIME_PG_OK:
        return NGX_OK;

    case NGX_REALTIME_PG_REFUSED:
        why = ngx_realtime_chat_stmt_refusal(call, res);
        break;

    case NGX_REALTIME_PG_BUSY:
        why = NGX_REALTIME_R_BUSY;
        break;

    default: /* UNAVAILABLE, TIMEOUT */
        why = NGX_REALTIME_R_UNAVAILABLE;
        break;
    }

    ngx_realtime_call_refuse(call, why);

    return NGX_ERROR;
}


ngx_int_t
ngx_realtime_chat_stmt_found(ngx_realtime_call_t *call,
    ngx_realtime_pg_status_e status, PGresult *res,
    ngx_realtime_refusal_e none)
{
    if (ngx_realtime_chat_stmt_answer(call, status, res) != NGX_OK) {
        return NGX_ERROR;
    }

    if (PQntuples(res) == 0) {
        ngx_realtime_call_refuse(call, none);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_realtime_refusal_e
ngx_realtime_chat_stmt_refusal(ngx_realtime_call_t *call, PGresult *res)
{
    ngx_uint_t   i;
    const char  *state;

    /*
     * What passes by itself: connection lost, serialization or deadlock,
     * resources (disk full, too many connections), lock not available,
     * operator intervention and cancelled statements, a server that is
     * read-only because it is no longer the primary; and a schema that is
     * not there yet.
     */

    static const char *const  passing[] = {
        "08", "40", "53", "55P03", "57", "25006"
    };

    state = ngx_realtime_pg_sqlstate(res);

    /* whose it was; what is wrong, db has said */

    ngx_log_error(NGX_LOG_INFO, call->log, 0,
                  "realtime: postgres refused statement \"%s\": sqlstate %s, "
                  "user: \"%V\"",
                  ngx_realtime_chat_stmts[call->query.stmt].name, state,
                  &call->caller.user);

    if (ngx_realtime_pg_missing(state)) {
        return NGX_REALTIME_R_UNAVAILABLE;
    }

    for (i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
        if (ngx_strncmp(state, passing[i], ngx_strlen(passing[i])) == 0) {
            return NGX_REALTIME_R_UNAVAILABLE;
        }
    }

    return NGX_REALTIME_R_INTERNAL;
}


ngx_int_t
ngx_realtime_chat_init(ngx_conf_t *cf, ngx_realtime_main_conf_t *rmcf)
{
    u_char     *p;
    size_t      size;
    ngx_str_t   table, column;

    if (rmcf->users_table.len == 0) {
        ngx_str_set(&rmcf->users_table, "users");
    }

    if (rmcf->users_column.len == 0) {
        ngx_str_set(&rmcf->users_column, "id");
    }

    if (ngx_realtime_chat_stmt_users(cf, &rmcf->users_table, "table", &table)
        != NGX_OK
        || ngx_realtime_chat_stmt_users(cf, &rmcf->users_column, "column",
                                        &column)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    size = sizeof(ngx_realtime_chat_stmt_create)
           + table.len + 2 * column.len;

    p = ngx_pnalloc(cf->pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *ngx_snprintf(p, size - 1, ngx_realtime_chat_stmt_create,
                  &column, &table, &column) = '\0';

    rmcf->create_sql = (char *) p;

    size = sizeof(NGX_REALTIME_STMT_PEOPLE_SQL)
           + 2 * table.len + 3 * column.len;

    p = ngx_pnalloc(cf->pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *ngx_snprintf(p, size - 1, NGX_REALTIME_STMT_PEOPLE_SQL,
                  &column, &table, &table, &column, &column) = '\0';

    rmcf->people_sql = (char *) p;

    return NGX_OK;
}


void
ngx_realtime_chat_start(ngx_realtime_main_conf_t *rmcf)
{
    ngx_realtime_chat_stmts[NGX_REALTIME_STMT_CREATE].sql = rmcf->create_sql;
    ngx_realtime_chat_stmts[NGX_REALTIME_STMT_PEOPLE].sql = rmcf->people_sql;

    ngx_realtime_chat_receipt_init();

    ngx_realtime_pg_catalogue(ngx_realtime_chat_stmts,
                              sizeof(ngx_realtime_chat_stmts)
                                  / sizeof(ngx_realtime_pg_stmt_t),
                              &ngx_realtime_chat_schema);
}


/*
 * A name from the configuration goes into SQL: each part is quoted, and
 * nothing that would need escaping within the quotes is let in.
 */

static ngx_int_t
ngx_realtime_chat_stmt_users(ngx_conf_t *cf, ngx_str_t *name,
    const char *what, ngx_str_t *quoted)
{
    u_char     *p, *dot;
    ngx_str_t   part, schema;

    schema.len = 0;
    part = *name;

    dot = ngx_strlchr(name->data, name->data + name->len, '.');

    if (dot) {
        schema.data = name->data;
        schema.len = dot - name->data;

        part.data = dot + 1;
        part.len = name->len - schema.len - 1;
    }

    if (!ngx_realtime_chat_stmt_is_name(&part)
        || (dot && (what[0] != 't'
                    || !ngx_realtime_chat_stmt_is_name(&schema))))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" cannot be the name of the users' %s: it "
                           "is made of letters, digits, \"_\" and \"$\", "
                           "and does not begin with a digit; only a table "
                           "may have a schema and one dot before it",
                           name, what);
        return NGX_ERROR;
    }

    p = ngx_pnalloc(cf->pool, name->len + sizeof("\"\".\"\"") - 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    quoted->data = p;

    p = dot ? ngx_sprintf(p, "\"%V\".\"%V\"", &schema, &part)
            : ngx_sprintf(p, "\"%V\"", &part);

    quoted->len = p - quoted->data;

    return NGX_OK;
}


static ngx_uint_t
ngx_realtime_chat_stmt_is_name(ngx_str_t *name)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < name->len; i++) {
        c = name->data[i] | 0x20;

        if ((c >= 'a' && c <= 'z') || name->data[i] == '_') {
            continue;
        }

        c = name->data[i];

        if (i == 0 || !((c >= '0' && c <= '9') || c == '$')) {
            return 0;
        }
    }

    return name->len != 0;
}
