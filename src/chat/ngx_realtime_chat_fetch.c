
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * A page of a conversation, around a pivot:
 *
 *   older ... | pivot | ... newer          by id, which is by time
 *
 *   newest page, offset    pivot past all ids     limit older
 *   before=ID              ID                     limit older
 *   after=ID               what follows ID        limit newer
 *   around=ID              ID                     half of it each, ID is newer
 *
 * On each side one more is asked for, which tells whether there is more.
 */


#include "ngx_realtime_chat.h"
#include "ngx_realtime_chat_page.h"
#include "ngx_realtime_chat_receipt.h"
#include "ngx_realtime_chat_row.h"
#include "ngx_realtime_chat_stmt.h"
#include "rt_uuid7.h"


#define NGX_REALTIME_CHAT_FETCH_LIMIT   100
#define NGX_REALTIME_CHAT_FETCH_MAX     200

/* what is skipped is read all the same */
#define NGX_REALTIME_CHAT_FETCH_OFFSET  10000


typedef struct {
    u_char                     caller[RT_UUID_LEN + 1];
    u_char                     conversation[RT_UUID_LEN + 1];
    u_char                     pivot[RT_UUID_LEN + 1];
    u_char                     nolder[NGX_INT_T_LEN + 1];
    u_char                     nnewer[NGX_INT_T_LEN + 1];
    u_char                     noffset[NGX_INT_T_LEN + 1];
    int                        older;         /* rows wanted on this side */
    int                        newer;
    int                        offset;
} ngx_realtime_chat_fetching_t;


static ngx_realtime_refusal_e ngx_realtime_chat_fetch_check(
    ngx_realtime_chat_fetching_t *f, ngx_realtime_chat_fetch_t *args);
static ngx_realtime_refusal_e ngx_realtime_chat_fetch_pivot(
    ngx_realtime_chat_fetching_t *f, ngx_realtime_chat_fetch_t *args,
    int limit);
static void ngx_realtime_chat_fetch_next(u_char *id);
static void ngx_realtime_chat_fetched(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static ngx_int_t ngx_realtime_chat_fetch_page(ngx_realtime_call_t *call,
    PGresult *res, int first, int n, ngx_uint_t older, ngx_uint_t newer);
static void ngx_realtime_chat_fetch_given(ngx_realtime_chat_fetching_t *f,
    PGresult *res, int first, int n);


#define ngx_realtime_chat_fetch_id(res, row)                                  \
    PQgetvalue(res, row, NGX_REALTIME_MESSAGE_ID)


void
ngx_realtime_chat_fetch(ngx_realtime_call_t *call,
    ngx_realtime_chat_fetch_t *args)
{
    ngx_realtime_refusal_e         why;
    ngx_realtime_chat_fetching_t  *f;

    f = ngx_pcalloc(call->pool, sizeof(ngx_realtime_chat_fetching_t));
    if (f == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    call->ctx = f;

    if (ngx_realtime_chat_stmt_begin(call, f->caller) != NGX_OK) {
        return;
    }

    why = ngx_realtime_chat_fetch_check(f, args);

    if (why != NGX_REALTIME_R_NONE) {
        ngx_realtime_call_refuse(call, why);
        return;
    }

    *ngx_sprintf(f->nolder, "%d", f->older + 1) = '\0';
    *ngx_sprintf(f->nnewer, "%d", f->newer + 1) = '\0';
    *ngx_sprintf(f->noffset, "%d", f->offset) = '\0';

    call->query.values[1] = (char *) f->conversation;
    call->query.values[2] = (char *) f->pivot;
    call->query.values[3] = (char *) f->nolder;
    call->query.values[4] = (char *) f->nnewer;
    call->query.values[5] = (char *) f->noffset;

    ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_FETCH,
                               ngx_realtime_chat_fetched);
}


static ngx_realtime_refusal_e
ngx_realtime_chat_fetch_check(ngx_realtime_chat_fetching_t *f,
    ngx_realtime_chat_fetch_t *args)
{
    int  limit;

    if (rt_uuid_parse(args->conversation.data, args->conversation.len,
                      f->conversation)
        != RT_OK)
    {
        return NGX_REALTIME_R_CONVERSATION_NOT_FOUND;
    }

    limit = ngx_realtime_chat_page_limit(args->limit,
                                         NGX_REALTIME_CHAT_FETCH_LIMIT,
                                         NGX_REALTIME_CHAT_FETCH_MAX);

    if (args->before.len || args->after.len || args->around.len) {
        return ngx_realtime_chat_fetch_pivot(f, args, limit);
    }

    ngx_memcpy(f->pivot, NGX_REALTIME_STMT_LAST_UUID, RT_UUID_LEN);

    f->older = limit;

    if (args->offset > 0) {
        f->offset = (int) ngx_min(args->offset,
                                  NGX_REALTIME_CHAT_FETCH_OFFSET);
    }

    return NGX_REALTIME_R_NONE;
}


static ngx_realtime_refusal_e
ngx_realtime_chat_fetch_pivot(ngx_realtime_chat_fetching_t *f,
    ngx_realtime_chat_fetch_t *args, int limit)
{
    ngx_str_t  *id;

    if (args->before.len) {
        id = &args->before;
        f->older = limit;

    } else if (args->after.len) {
        id = &args->after;
        f->newer = limit;

    } else {
        id = &args->around;
        f->older = limit / 2;
        f->newer = limit - f->older;
    }

    if (rt_uuid_parse(id->data, id->len, f->pivot) != RT_OK) {
        return NGX_REALTIME_R_CURSOR_INVALID;
    }

    if (id == &args->after) {
        ngx_realtime_chat_fetch_next(f->pivot);
    }

    return NGX_REALTIME_R_NONE;
}


/* the id that follows; that of the last one is itself */

static void
ngx_realtime_chat_fetch_next(u_char *id)
{
    ngx_uint_t  i;

    static const u_char  digits[] = "0123456789abcdef";

    if (ngx_strncmp(id, NGX_REALTIME_STMT_LAST_UUID, RT_UUID_LEN) == 0) {
        return;
    }

    for (i = RT_UUID_LEN; i; i--) {

        if (id[i - 1] == '-') {
            continue;
        }

        if (id[i - 1] != 'f') {
            id[i - 1] = id[i - 1] == '9'
                        ? 'a' : digits[ngx_hextoi(&id[i - 1], 1) + 1];
            return;
        }

        id[i - 1] = '0';
    }
}


static void
ngx_realtime_chat_fetched(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    int                            first, n, newer, older;
    ngx_realtime_call_t           *call;
    ngx_realtime_chat_fetching_t  *f;

    call = q->data;
    f = call->ctx;

    if (ngx_realtime_chat_stmt_answer(call, status, res) != NGX_OK) {
        return;
    }

    n = PQntuples(res);

    if (n == 0) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_CONVERSATION_NOT_FOUND);
        return;
    }

    if (PQgetisnull(res, 0, NGX_REALTIME_MESSAGE_ID)) {
        n = 0;
    }

    /* rows come newest first; one too many on a side is at its far end */

    for (newer = 0; newer < n; newer++) {
        if (ngx_strcmp(ngx_realtime_chat_fetch_id(res, newer), f->pivot) < 0) {
            break;
        }
    }

    older = n - newer;

    first = (newer > f->newer) ? newer - f->newer : 0;
    n = ngx_min(newer, f->newer) + ngx_min(older, f->older);

    ngx_realtime_chat_fetch_given(f, res, first, n);

    /* and the newest last to the reader */

    if (ngx_realtime_chat_row_array(call, &ngx_realtime_chat_message, res,
                                    first + n - 1, n, -1)
        != NGX_OK
        || ngx_realtime_chat_fetch_page(call, res, first, n,
                                        older > f->older,
                                        newer > f->newer || f->offset)
           != NGX_OK)
    {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    ngx_realtime_call_done(call);
}


/* older, newer: whether there is more on that side */

static ngx_int_t
ngx_realtime_chat_fetch_page(ngx_realtime_call_t *call, PGresult *res,
    int first, int n, ngx_uint_t older, ngx_uint_t newer)
{
    u_char  *p;

    p = ngx_pnalloc(call->pool, sizeof("\"pagination\":{\"hasMore\":false,"
                                       "\"nextBefore\":\"\",\"hasNewer\":false,"
                                       "\"nextAfter\":\"\"}")
                                + 2 * RT_UUID_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    call->extra.data = p;

    p = ngx_sprintf(p, "\"pagination\":{\"hasMore\":%s,\"nextBefore\":",
                    older ? "true" : "false");

    p = (older && n) ? ngx_sprintf(p, "\"%s\"",
                              ngx_realtime_chat_fetch_id(res, first + n - 1))
                     : ngx_cpymem(p, "null", 4);

    p = ngx_sprintf(p, ",\"hasNewer\":%s,\"nextAfter\":",
                    newer ? "true" : "false");

    p = (newer && n) ? ngx_sprintf(p, "\"%s\"",
                                   ngx_realtime_chat_fetch_id(res, first))
                     : ngx_cpymem(p, "null", 4);

    *p++ = '}';

    call->extra.len = p - call->extra.data;

    return NGX_OK;
}


/* who fetches what the other one sent has it then */

static void
ngx_realtime_chat_fetch_given(ngx_realtime_chat_fetching_t *f, PGresult *res,
    int first, int n)
{
    int    i;
    char  *from, *to;

    from = NULL;
    to = NULL;

    for (i = first; i < first + n; i++) {

        if (PQgetisnull(res, i, NGX_REALTIME_MESSAGE_DELIVERED_AT)
            && ngx_strcmp(PQgetvalue(res, i, NGX_REALTIME_MESSAGE_SENDER_ID),
                          f->caller)
               != 0)
        {
            from = ngx_realtime_chat_fetch_id(res, i);
            to = to ? to : from;
        }
    }

    if (to) {
        ngx_realtime_chat_receipt_add(f->caller, f->conversation,
                                      (u_char *) from, (u_char *) to);
    }
}
