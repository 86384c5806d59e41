
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Telling the partners of a user; and the sweep, which one worker does for
 * all, so that the users of a worker that died go offline like others.
 *
 * A statement takes many users; or one, where Postgres is told who asks, for
 * the array of one user, {id}, is an id to Postgres as well.  One of the
 * sweep's is under way at a time, and when it is back the sweep looks for more
 * at once; besides there are up to NGX_REALTIME_CHAT_TELLINGS of single users.
 * Whom that is too many for, and who is met by an error of Postgres, stays
 * untold in the table, and is the sweep's some seconds later.
 *
 * The sweep has the last times written as well, when somebody is told to be
 * offline and not when he comes and goes: ngx_realtime_chat_presence_save.c.
 */


#include "ngx_realtime_chat_event.h"
#include "ngx_realtime_chat_presence_tell.h"
#include "ngx_realtime_chat_stmt.h"
#include "ngx_realtime_room.h"


#define NGX_REALTIME_CHAT_TELLINGS    64
#define NGX_REALTIME_CHAT_SWEEP       64   /* users of a statement */
#define NGX_REALTIME_CHAT_SWEEPS      16   /* in a turn, without a query */


typedef struct {
    u_char                     id[RT_UUID_BYTES];
    uint32_t                   version;
} ngx_realtime_chat_told_t;

typedef struct {
    ngx_realtime_pg_query_t    query;
    ngx_uint_t                 sweep;      /* or of a single user */
    ngx_uint_t                 n;
    ngx_realtime_chat_told_t   users[NGX_REALTIME_CHAT_SWEEP];
    u_char                     array[NGX_REALTIME_CHAT_SWEEP
                                     * (RT_UUID_LEN + 1) + sizeof("{}")];
} ngx_realtime_chat_telling_t;


static ngx_realtime_msg_t *ngx_realtime_chat_presence_msg(const u_char *user,
    ngx_realtime_presence_view_t *view);
static void ngx_realtime_chat_presence_ask(const u_char *ids, ngx_uint_t n,
    ngx_uint_t sweep);
static void ngx_realtime_chat_presence_answer(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static void ngx_realtime_chat_presence_due(ngx_uint_t first);


static ngx_uint_t  ngx_realtime_chat_tellings;   /* under way */
static ngx_uint_t  ngx_realtime_chat_sweeping;   /* one of the sweep's is */

/* what a statement or the zone has said; used up before the next one */
static ngx_realtime_chat_partner_t
    ngx_realtime_chat_partners[NGX_REALTIME_CHAT_PARTNERS];


ngx_uint_t
ngx_realtime_chat_presence_rows(PGresult *res, int *row, const u_char *user,
    ngx_realtime_chat_partner_t *partners)
{
    u_char      text[RT_UUID_LEN], id[RT_UUID_BYTES];
    ngx_uint_t  n;

    for (n = 0;
         *row < PQntuples(res) && n < NGX_REALTIME_CHAT_PARTNERS;
         (*row)++)
    {
        if (rt_uuid_parse((u_char *) PQgetvalue(res, *row, 0),
                          PQgetlength(res, *row, 0), text)
            != RT_OK)
        {
            continue;
        }

        rt_uuid_pack(text, id);

        if (ngx_memcmp(id, user, RT_UUID_BYTES) != 0) {
            break;
        }

        if (rt_uuid_parse((u_char *) PQgetvalue(res, *row, 1),
                          PQgetlength(res, *row, 1), text)
            != RT_OK)
        {
            continue;
        }

        rt_uuid_pack(text, partners[n].id);

        partners[n++].seen = PQgetisnull(res, *row, 2)
                             ? 0 : ngx_atotm((u_char *)
                                             PQgetvalue(res, *row, 2),
                                             PQgetlength(res, *row, 2));
    }

    return n;
}


void
ngx_realtime_chat_presence_keep(const u_char *user, uint32_t version,
    ngx_realtime_chat_partner_t *partners, ngx_uint_t n)
{
    u_char      ids[NGX_REALTIME_PARTNER_MAX][RT_UUID_BYTES];
    ngx_uint_t  i;

    for (i = 0; i < ngx_min(n, NGX_REALTIME_PARTNER_MAX); i++) {
        ngx_memcpy(ids[i], partners[i].id, RT_UUID_BYTES);
    }

    ngx_realtime_partner_keep(user, version, ids[0], n);
}


ngx_int_t
ngx_realtime_chat_presence_kept(const u_char *user,
    ngx_realtime_chat_partner_t *partners, ngx_uint_t *n)
{
    u_char      ids[NGX_REALTIME_PARTNER_MAX][RT_UUID_BYTES];
    ngx_uint_t  i;

    if (ngx_realtime_partner_find(user, ids[0], n) != NGX_OK) {
        return NGX_DECLINED;
    }

    for (i = 0; i < *n; i++) {
        ngx_memcpy(partners[i].id, ids[i], RT_UUID_BYTES);
        partners[i].seen = 0;
    }

    return NGX_OK;
}


void
ngx_realtime_chat_presence_tell(const u_char *user,
    ngx_realtime_chat_partner_t *partners, ngx_uint_t n)
{
    u_char                         text[RT_UUID_LEN];
    ngx_str_t                      to;
    ngx_uint_t                     i;
    ngx_realtime_msg_t            *m;
    ngx_realtime_presence_view_t   view, other;

    ngx_realtime_presence_look(user, &view);

    m = ngx_realtime_chat_presence_msg(user, &view);

    if (m == NULL) {
        return;
    }

    to.data = text;
    to.len = RT_UUID_LEN;

    for (i = 0; i < n; i++) {

        ngx_realtime_presence_look(partners[i].id, &other);

        if (other.sockets) {
            rt_uuid_print(partners[i].id, text);
            ngx_realtime_room_publish_user(&to, NULL, m);
            ngx_realtime_count(presence_told);
        }
    }

    ngx_realtime_msg_unref(m);
}


void
ngx_realtime_chat_presence_settled(const u_char *user,
    ngx_realtime_chat_partner_t *partners, ngx_uint_t n)
{
    ngx_realtime_chat_presence_tell(user, partners, n);
    ngx_realtime_presence_is_told(user);
}


/* without an offset, so that one message serves all rooms */

static ngx_realtime_msg_t *
ngx_realtime_chat_presence_msg(const u_char *user,
    ngx_realtime_presence_view_t *view)
{
    u_char              *p, buf[NGX_REALTIME_CHAT_PRESENCE_LEN + 32];
    ngx_realtime_msg_t  *m;

    p = ngx_sprintf(buf, "42[\"presence\",");
    p = ngx_realtime_chat_presence_print(p, user, view);
    *p++ = ']';

    m = ngx_realtime_msg_copy(buf, p - buf, 0, ngx_cycle->log);

    if (m) {
        m->dispensable = 1;
    }

    return m;
}


u_char *
ngx_realtime_chat_presence_print(u_char *p, const u_char *user,
    ngx_realtime_presence_view_t *view)
{
    static const char  *const names[] = {
        "offline", "online", "away", "busy"
    };

    p = ngx_sprintf(p, "{\"userId\":\"");
    rt_uuid_print(user, p);
    p = ngx_sprintf(p + RT_UUID_LEN, "\",\"state\":\"%s\"",
                    names[view->told % 4]);

    if (view->told == NGX_REALTIME_PRESENCE_OFFLINE && view->seen) {
        p = ngx_sprintf(p, ",\"lastSeen\":\"");
        p = ngx_realtime_chat_event_time(p, (uint64_t) view->seen * 1000);
        *p++ = '"';
    }

    *p++ = '}';

    return p;
}


void
ngx_realtime_chat_presence_tell_all(const u_char *user)
{
    ngx_uint_t  n;

    if (!ngx_realtime_pg_configured()) {
        /* nobody has conversations: there is nobody to tell */
        ngx_realtime_presence_is_told(user);
        return;
    }

    if (ngx_realtime_chat_presence_kept(user, ngx_realtime_chat_partners, &n)
        == NGX_OK)
    {
        ngx_realtime_chat_presence_settled(user, ngx_realtime_chat_partners,
                                           n);
        return;
    }

    if (ngx_realtime_chat_tellings == NGX_REALTIME_CHAT_TELLINGS) {
        ngx_realtime_presence_is_untold(user);
        return;
    }

    ngx_realtime_chat_presence_ask(user, 1, 0);
}


static void
ngx_realtime_chat_presence_ask(const u_char *ids, ngx_uint_t n,
    ngx_uint_t sweep)
{
    u_char                       *p;
    ngx_uint_t                    i;
    ngx_realtime_chat_telling_t  *telling;

    telling = ngx_calloc(sizeof(ngx_realtime_chat_telling_t), ngx_cycle->log);

    if (telling == NULL) {
        for (i = 0; i < n; i++) {
            ngx_realtime_presence_is_untold(&ids[i * RT_UUID_BYTES]);
        }

        return;
    }

    telling->n = n;
    telling->sweep = sweep;

    p = telling->array;
    *p++ = '{';

    for (i = 0; i < n; i++) {
        ngx_memcpy(telling->users[i].id, &ids[i * RT_UUID_BYTES],
                   RT_UUID_BYTES);
        telling->users[i].version =
            ngx_realtime_version(telling->users[i].id);

        if (i) {
            *p++ = ',';
        }

        rt_uuid_print(telling->users[i].id, p);
        p += RT_UUID_LEN;
    }

    *p++ = '}';
    *p = '\0';

    if (sweep) {
        ngx_realtime_chat_sweeping = 1;

    } else {
        ngx_realtime_chat_tellings++;
    }

    telling->query.stmt = NGX_REALTIME_STMT_PARTNERS;
    telling->query.values[0] = (char *) telling->array;
    telling->query.handler = ngx_realtime_chat_presence_answer;
    telling->query.data = telling;

    ngx_realtime_pg_query(&telling->query);
}


static void
ngx_realtime_chat_presence_answer(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    int                           row;
    ngx_uint_t                    i, n, sweep;
    ngx_realtime_chat_told_t     *user;
    ngx_realtime_chat_telling_t  *telling;

    telling = q->data;
    row = 0;

    for (i = 0; i < telling->n; i++) {
        user = &telling->users[i];

        if (status != NGX_REALTIME_PG_OK) {
            ngx_realtime_presence_is_untold(user->id);
            continue;
        }

        n = ngx_realtime_chat_presence_rows(res, &row, user->id,
                                            ngx_realtime_chat_partners);

        ngx_realtime_chat_presence_keep(user->id, user->version,
                                        ngx_realtime_chat_partners, n);
        ngx_realtime_chat_presence_settled(user->id,
                                           ngx_realtime_chat_partners, n);
    }

    sweep = telling->sweep;

    ngx_free(telling);

    if (!sweep) {
        ngx_realtime_chat_tellings--;
        return;
    }

    ngx_realtime_chat_sweeping = 0;

    if (status == NGX_REALTIME_PG_OK) {
        ngx_realtime_chat_presence_due(0);
    }
}


void
ngx_realtime_chat_presence_sweep(void)
{
    if (!ngx_realtime_presence_sweeps()) {
        return;
    }

    ngx_realtime_chat_presence_due(1);
    ngx_realtime_chat_presence_save();
}


static void
ngx_realtime_chat_presence_due(ngx_uint_t first)
{
    u_char      *id;
    u_char       ids[NGX_REALTIME_CHAT_SWEEP * RT_UUID_BYTES];
    u_char       unknown[NGX_REALTIME_CHAT_SWEEP * RT_UUID_BYTES];
    ngx_uint_t   i, n, max, partners, rest, turn;

    if (ngx_realtime_chat_sweeping) {
        return;
    }

    max = ngx_realtime_pg_identifies() ? 1 : NGX_REALTIME_CHAT_SWEEP;

    for (turn = 0; turn < NGX_REALTIME_CHAT_SWEEPS; turn++) {

        n = ngx_realtime_presence_due(ids, max, first && turn == 0);
        if (n == 0) {
            return;
        }

        rest = 0;

        for (i = 0; i < n; i++) {
            id = &ids[i * RT_UUID_BYTES];

            if (!ngx_realtime_pg_configured()) {
                ngx_realtime_presence_is_told(id);

            } else if (ngx_realtime_chat_presence_kept(id,
                                     ngx_realtime_chat_partners, &partners)
                       == NGX_OK)
            {
                ngx_realtime_chat_presence_settled(id,
                                     ngx_realtime_chat_partners, partners);

            } else {
                ngx_memcpy(&unknown[rest++ * RT_UUID_BYTES], id,
                           RT_UUID_BYTES);
            }
        }

        if (rest) {
            ngx_realtime_chat_presence_ask(unknown, rest, 1);
            return;
        }
    }
}
