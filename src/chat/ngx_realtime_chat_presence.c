
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The rules of presence.
 *
 *   here      while some worker has a socket of the user: exact at once
 *   state     what he said last on any of his sockets, "online" at first; it
 *             lasts until he has been away for longer than the grace period,
 *             so that a tab which is opened, or comes back, changes nothing
 *   invisible looks to others like offline since he said so
 *   offline   is told when the grace period is over: a reload, a reconnect
 *             and a recovery are seen by nobody
 *
 * Who is told: the people who share a conversation with him and are here
 * themselves, by the event "presence", which is volatile: whoever was away
 * gets "presence_state" when he comes, also after a recovery.
 *
 *   a socket came -> settle -> ask Postgres -> "presence_state" to it,
 *                                              "presence" if it changed
 *   he says       -> settle -> who? -> "presence"
 *   he left       ......... grace ......... sweep -> who? -> "presence"
 *                                                 -> last seen, to Postgres
 *
 * "Who?" is a copy in the zone or a query.  What is told is read from the
 * table after that, not before: news that was overtaken is not spread.
 * ngx_realtime_chat_presence_tell.c has the second half.
 */


#include "ngx_realtime_chat_presence.h"
#include "ngx_realtime_chat_presence_tell.h"
#include "ngx_realtime_chat_stmt.h"
#include "ngx_realtime_slot.h"


/* of a call, in its pool */

typedef struct {
    u_char                     caller[RT_UUID_LEN + 1];
    u_char                     array[RT_UUID_LEN + sizeof("{}")];
    u_char                     user[RT_UUID_BYTES];
    uint32_t                   version;
    ngx_uint_t                 changed;
} ngx_realtime_chat_coming_t;


typedef struct {
    ngx_str_t                  name;
    ngx_str_t                  result;
    ngx_realtime_presence_e    state;
} ngx_realtime_chat_state_t;


static void ngx_realtime_chat_presence_partners(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static ngx_int_t ngx_realtime_chat_presence_result(ngx_realtime_call_t *call,
    ngx_realtime_chat_partner_t *partners, ngx_uint_t n);


#define NGX_REALTIME_CHAT_STATE(name, state)                                  \
    { ngx_string(name), ngx_string("{\"state\":\"" name "\"}"), state }

static ngx_realtime_chat_state_t  ngx_realtime_chat_states[] = {
    NGX_REALTIME_CHAT_STATE("online", NGX_REALTIME_PRESENCE_ONLINE),
    NGX_REALTIME_CHAT_STATE("away", NGX_REALTIME_PRESENCE_AWAY),
    NGX_REALTIME_CHAT_STATE("busy", NGX_REALTIME_PRESENCE_BUSY),
    NGX_REALTIME_CHAT_STATE("invisible", NGX_REALTIME_PRESENCE_INVISIBLE),
};

#define NGX_REALTIME_CHAT_STATES                                              \
    (sizeof(ngx_realtime_chat_states) / sizeof(ngx_realtime_chat_state_t))


void
ngx_realtime_chat_presence_init(void)
{
    ngx_realtime_slot_on_sweep(ngx_realtime_chat_presence_sweep);
}


void
ngx_realtime_chat_presence_connected(ngx_realtime_call_t *call,
    uint32_t place)
{
    ngx_realtime_chat_coming_t  *ctx;

    ctx = ngx_pcalloc(call->pool, sizeof(ngx_realtime_chat_coming_t));
    if (ctx == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    call->ctx = ctx;

    if (rt_uuid_parse(call->caller.user.data, call->caller.user.len,
                      ctx->caller)
        != RT_OK)
    {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_USER_NOT_UUID);
        return;
    }

    if (place) {
        ctx->changed = ngx_realtime_presence_settle(place);
    }

    if (ngx_realtime_chat_stmt_begin(call, ctx->caller) != NGX_OK) {
        return;
    }

    rt_uuid_pack(ctx->caller, ctx->user);
    ctx->version = ngx_realtime_version(ctx->user);

    *ngx_sprintf(ctx->array, "{%*s}", (size_t) RT_UUID_LEN, ctx->caller)
        = '\0';

    call->query.values[0] = (char *) ctx->array;

    ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_PARTNERS,
                               ngx_realtime_chat_presence_partners);
}


/* without Postgres, what the zone has is better than nothing */

static void
ngx_realtime_chat_presence_partners(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    int                           row;
    ngx_uint_t                    n;
    ngx_realtime_call_t          *call;
    ngx_realtime_chat_coming_t   *ctx;
    ngx_realtime_chat_partner_t  *partners;

    call = q->data;
    ctx = call->ctx;
    n = 0;

    partners = ngx_palloc(call->pool, NGX_REALTIME_CHAT_PARTNERS
                                      * sizeof(ngx_realtime_chat_partner_t));

    if (partners == NULL
        || (status != NGX_REALTIME_PG_OK
            && ngx_realtime_chat_presence_kept(ctx->user, partners, &n)
               != NGX_OK))
    {
        if (ctx->changed) {
            ngx_realtime_presence_is_untold(ctx->user);
        }

        if (ngx_realtime_chat_stmt_answer(call, status, res) == NGX_OK) {
            ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        }

        return;
    }

    if (status == NGX_REALTIME_PG_OK) {
        row = 0;
        n = ngx_realtime_chat_presence_rows(res, &row, ctx->user, partners);
        ngx_realtime_chat_presence_keep(ctx->user, ctx->version, partners, n);
    }

    if (ctx->changed) {
        ngx_realtime_chat_presence_settled(ctx->user, partners, n);
    }

    if (ngx_realtime_chat_presence_result(call, partners, n) != NGX_OK) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    ngx_realtime_call_done(call);
}


static ngx_int_t
ngx_realtime_chat_presence_result(ngx_realtime_call_t *call,
    ngx_realtime_chat_partner_t *partners, ngx_uint_t n)
{
    u_char                        *p;
    ngx_uint_t                     i;
    ngx_realtime_presence_view_t   view;

    p = ngx_pnalloc(call->pool, n * (NGX_REALTIME_CHAT_PRESENCE_LEN + 1) + 2);
    if (p == NULL) {
        return NGX_ERROR;
    }

    call->result.data = p;
    *p++ = '[';

    for (i = 0; i < n; i++) {

        if (i) {
            *p++ = ',';
        }

        ngx_realtime_presence_look(partners[i].id, &view);
        view.seen = ngx_max(view.seen, partners[i].seen);

        p = ngx_realtime_chat_presence_print(p, partners[i].id, &view);
    }

    *p++ = ']';
    call->result.len = p - call->result.data;

    return NGX_OK;
}


void
ngx_realtime_chat_presence_say(ngx_realtime_call_t *call, uint32_t place,
    ngx_str_t *state)
{
    u_char                      user[RT_UUID_BYTES], text[RT_UUID_LEN];
    ngx_uint_t                  i;
    ngx_realtime_chat_state_t  *said;

    said = NULL;

    for (i = 0; i < NGX_REALTIME_CHAT_STATES; i++) {
        said = &ngx_realtime_chat_states[i];

        if (said->name.len == state->len
            && ngx_memcmp(said->name.data, state->data, state->len) == 0)
        {
            break;
        }
    }

    if (i == NGX_REALTIME_CHAT_STATES) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_STATE_INVALID);
        return;
    }

    if (rt_uuid_parse(call->caller.user.data, call->caller.user.len, text)
        != RT_OK)
    {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_USER_NOT_UUID);
        return;
    }

    if (place == 0) {
        /* the table was full when he came */
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_BUSY);
        return;
    }

    ngx_realtime_presence_say(place, said->state);

    if (ngx_realtime_presence_settle(place)) {
        rt_uuid_pack(text, user);
        ngx_realtime_chat_presence_tell_all(user);
    }

    call->result = said->result;

    ngx_realtime_call_done(call);
}


void
ngx_realtime_chat_presence_paired(const u_char *one, const u_char *other)
{
    ngx_realtime_chat_partner_t  a, b;

    rt_uuid_pack(one, a.id);
    rt_uuid_pack(other, b.id);

    ngx_realtime_version_bump(a.id);
    ngx_realtime_version_bump(b.id);

    ngx_realtime_chat_presence_tell(a.id, &b, 1);
    ngx_realtime_chat_presence_tell(b.id, &a, 1);
}
