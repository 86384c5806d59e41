
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * A notification that is for later, or for everybody, becomes a job.  Its id
 * is the job's: a call that is repeated changes nothing.
 */


#include "ngx_realtime_chat_jobs.h"
#include "ngx_realtime_chat_stmt.h"
#include "ngx_realtime_chat_text.h"
#include "rt_json.h"
#include "rt_uuid7.h"


#define NGX_REALTIME_JOB_NUMBER  (NGX_INT64_LEN + 1)


typedef struct {
    u_char                    *id;
    u_char                     expires[NGX_REALTIME_JOB_NUMBER];
    u_char                     deliver[NGX_REALTIME_JOB_NUMBER];
    u_char                     total[NGX_REALTIME_JOB_NUMBER];
} ngx_realtime_chat_adding_t;


static char *ngx_realtime_chat_job_users(ngx_realtime_call_t *call,
    ngx_realtime_chat_note_t *note);
static char *ngx_realtime_chat_job_payload(ngx_realtime_call_t *call,
    ngx_realtime_chat_note_t *note);
static void ngx_realtime_chat_job_added(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);


void
ngx_realtime_chat_job_add(ngx_realtime_call_t *call,
    ngx_realtime_chat_note_t *note, u_char *id)
{
    const char                 **values;
    ngx_realtime_chat_adding_t  *ctx;

    if (!ngx_realtime_pg_configured()) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_UNAVAILABLE);
        return;
    }

    values = call->query.values;

    ctx = ngx_palloc(call->pool, sizeof(ngx_realtime_chat_adding_t));
    if (ctx == NULL) {
        goto failed;
    }

    ctx->id = id;

    values[0] = "*";
    values[1] = (char *) id;
    values[2] = note->all ? "broadcast" : "notify";

    values[4] = ngx_realtime_chat_job_payload(call, note);
    if (values[4] == NULL) {
        goto failed;
    }

    if (!note->all) {
        values[3] = ngx_realtime_chat_job_users(call, note);
        if (values[3] == NULL) {
            goto failed;
        }

        *ngx_sprintf(ctx->total, "%ui", note->nusers) = '\0';
        values[8] = (char *) ctx->total;
    }

    if (note->data.len) {
        values[5] = ngx_realtime_chat_text_copy(call->pool, &note->data);
        if (values[5] == NULL) {
            goto failed;
        }
    }

    if (note->expires) {
        *ngx_sprintf(ctx->expires, "%uL", note->expires) = '\0';
        values[6] = (char *) ctx->expires;
    }

    if (note->deliver) {
        *ngx_sprintf(ctx->deliver, "%uL", note->deliver) = '\0';
        values[7] = (char *) ctx->deliver;
    }

    call->ctx = ctx;
    call->query.data = call;

    ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_JOB_ADD,
                               ngx_realtime_chat_job_added);

    return;

failed:

    ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
}


static char *
ngx_realtime_chat_job_users(ngx_realtime_call_t *call,
    ngx_realtime_chat_note_t *note)
{
    u_char      *p, *array;
    ngx_uint_t   i;

    array = ngx_pnalloc(call->pool, note->nusers * (RT_UUID_LEN + 1) + 2);
    if (array == NULL) {
        return NULL;
    }

    p = array;

    for (i = 0; i < note->nusers; i++) {
        *p++ = i ? ',' : '{';
        p = ngx_cpymem(p, note->users[i].data, RT_UUID_LEN);
    }

    *p++ = '}';
    *p = '\0';

    return (char *) array;
}


/* a type needs no escaping */

static char *
ngx_realtime_chat_job_payload(ngx_realtime_call_t *call,
    ngx_realtime_chat_note_t *note)
{
    u_char  *p, *json;

    json = ngx_pnalloc(call->pool,
                       sizeof("{\"type\":\"\",\"title\":\"\",\"message\":\"\","
                              "\"volatile\":false}")
                       + note->type.len
                       + rt_json_escaped(note->title.data, note->title.len)
                       + rt_json_escaped(note->message.data,
                                         note->message.len));
    if (json == NULL) {
        return NULL;
    }

    p = ngx_sprintf(json, "{\"type\":\"%V\",\"title\":\"", &note->type);
    p = rt_json_escape(p, note->title.data, note->title.len);
    p = ngx_sprintf(p, "\",\"message\":\"");
    p = rt_json_escape(p, note->message.data, note->message.len);
    p = ngx_sprintf(p, "\",\"volatile\":%s}",
                    note->transient ? "true" : "false");
    *p = '\0';

    return (char *) json;
}


static void
ngx_realtime_chat_job_added(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    u_char                      *p;
    ngx_realtime_call_t         *call;
    ngx_realtime_chat_adding_t  *ctx;

    call = q->data;
    ctx = call->ctx;

    if (ngx_realtime_chat_stmt_answer(call, status, res) != NGX_OK) {
        return;
    }

    p = ngx_pnalloc(call->pool, sizeof("{\"id\":\"\",\"job\":\"\"}")
                                + 2 * RT_UUID_LEN);
    if (p == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    call->status = NGX_HTTP_ACCEPTED;
    call->result.data = p;

    p = ngx_sprintf(p, "{\"id\":\"%s\",\"job\":\"%s\"}", ctx->id, ctx->id);

    call->result.len = p - call->result.data;

    ngx_realtime_call_done(call);
}
