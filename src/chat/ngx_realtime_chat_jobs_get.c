
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_chat_jobs.h"
#include "ngx_realtime_chat_row.h"
#include "ngx_realtime_chat_stmt.h"
#include "rt_uuid7.h"


static void ngx_realtime_chat_job_got(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);


static const ngx_realtime_chat_row_field_t  ngx_realtime_chat_job_fields[] = {
    { ngx_realtime_chat_row_key("id"), NGX_REALTIME_CHAT_ROW_PLAIN, 0 },
    { ngx_realtime_chat_row_key("kind"), NGX_REALTIME_CHAT_ROW_PLAIN, 1 },
    { ngx_realtime_chat_row_key("state"), NGX_REALTIME_CHAT_ROW_PLAIN, 2 },
    { ngx_realtime_chat_row_key("done"), NGX_REALTIME_CHAT_ROW_JSON, 3 },
    { ngx_realtime_chat_row_key("total"), NGX_REALTIME_CHAT_ROW_JSON, 4 },
    { ngx_realtime_chat_row_key("runAt"), NGX_REALTIME_CHAT_ROW_PLAIN, 5 },
    { ngx_realtime_chat_row_key("createdAt"), NGX_REALTIME_CHAT_ROW_PLAIN,
      6 },
    { ngx_realtime_chat_row_key("finishedAt"), NGX_REALTIME_CHAT_ROW_PLAIN,
      7 },
    { ngx_realtime_chat_row_key("error"), NGX_REALTIME_CHAT_ROW_PLAIN, 8 }
};


static const ngx_realtime_chat_row_shape_t  ngx_realtime_chat_job = {
    ngx_realtime_chat_job_fields,
    sizeof(ngx_realtime_chat_job_fields)
        / sizeof(ngx_realtime_chat_row_field_t)
};


/* a malformed id is one that is not there */

void
ngx_realtime_chat_job_get(ngx_realtime_call_t *call, ngx_str_t *id)
{
    u_char  *uuid;

    uuid = ngx_pcalloc(call->pool, RT_UUID_LEN + 1);
    if (uuid == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    if (rt_uuid_parse(id->data, id->len, uuid) != RT_OK) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_JOB_NOT_FOUND);
        return;
    }

    if (!ngx_realtime_pg_configured()) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_UNAVAILABLE);
        return;
    }

    call->query.values[0] = "*";
    call->query.values[1] = (char *) uuid;
    call->query.data = call;

    ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_JOB_GET,
                               ngx_realtime_chat_job_got);
}


static void
ngx_realtime_chat_job_got(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    ngx_realtime_call_t  *call;

    call = q->data;

    if (ngx_realtime_chat_stmt_found(call, status, res,
                                     NGX_REALTIME_R_JOB_NOT_FOUND)
        != NGX_OK)
    {
        return;
    }

    if (ngx_realtime_chat_row_object(call, &ngx_realtime_chat_job, res, 0)
        != NGX_OK)
    {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    ngx_realtime_call_done(call);
}
