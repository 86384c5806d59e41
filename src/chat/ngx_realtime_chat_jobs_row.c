
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * What a claimed row says.  Most rows were written by functions that had
 * checked everything, but the table is the host application's: whatever is in
 * it, Postgres must be able to give it out, for an error there would be one of
 * the claim, and of all jobs behind this one.  So the claim looks at sizes
 * only, and leaves away what is too large; what the JSON says is looked at
 * here.
 */


#include "ngx_realtime_chat_jobs_run.h"
#include "ngx_realtime_chat_text.h"
#include "rt_json.h"


enum {
    NGX_REALTIME_JOBS_ROW_TYPE = 0,
    NGX_REALTIME_JOBS_ROW_TITLE,
    NGX_REALTIME_JOBS_ROW_MESSAGE,
    NGX_REALTIME_JOBS_ROW_VOLATILE,
    NGX_REALTIME_JOBS_ROW_USER,
    NGX_REALTIME_JOBS_ROW_EVENT,
    NGX_REALTIME_JOBS_ROW_PAYLOAD,
    NGX_REALTIME_JOBS_ROW_MAX
};


static ngx_uint_t ngx_realtime_jobs_row_kind(ngx_realtime_job_t *job,
    PGresult *res, int row);
static void ngx_realtime_jobs_row_column(ngx_str_t *s, PGresult *res, int row,
    int column);
static const char *ngx_realtime_jobs_row_payload(ngx_realtime_job_t *job,
    ngx_str_t *text);
static ngx_realtime_refusal_e ngx_realtime_jobs_row_note(
    ngx_realtime_job_t *job, rt_str_t *values);
static ngx_realtime_refusal_e ngx_realtime_jobs_row_event(
    ngx_realtime_job_t *job, rt_str_t *values);
static ngx_uint_t ngx_realtime_jobs_row_string(rt_str_t value, ngx_str_t *s);


const char *
ngx_realtime_jobs_row(ngx_realtime_job_t *job, PGresult *res, int row)
{
    ngx_str_t  s;

    ngx_memzero(job, sizeof(ngx_realtime_job_t));

    ngx_realtime_jobs_row_column(&s, res, row, NGX_REALTIME_JOB_ID);
    *ngx_cpymem(job->id, s.data, ngx_min(s.len, RT_UUID_LEN)) = '\0';

    ngx_realtime_jobs_row_column(&s, res, row, NGX_REALTIME_JOB_LAST);
    *ngx_cpymem(job->last, s.data, ngx_min(s.len, RT_UUID_LEN)) = '\0';

    job->again = PQgetvalue(res, row, NGX_REALTIME_JOB_AGAIN)[0] == 't';

    if (PQgetvalue(res, row, NGX_REALTIME_JOB_HOPELESS)[0] == 't') {
        return "too_many_attempts";
    }

    if (PQgetvalue(res, row, NGX_REALTIME_JOB_EXPIRED)[0] == 't') {
        return "expired";
    }

    if (!ngx_realtime_jobs_row_kind(job, res, row)) {
        return "kind_unknown";
    }

    if (!PQgetisnull(res, row, NGX_REALTIME_JOB_WRONG)) {
        return PQgetvalue(res, row, NGX_REALTIME_JOB_WRONG);
    }

    ngx_realtime_jobs_row_column(&job->users, res, row,
                                 NGX_REALTIME_JOB_USERS);
    ngx_realtime_jobs_row_column(&job->note.data, res, row,
                                 NGX_REALTIME_JOB_DATA);

    ngx_realtime_jobs_row_column(&s, res, row, NGX_REALTIME_JOB_EXPIRES);

    if (s.len) {
        job->note.expires = ngx_max(ngx_atoi(s.data, s.len), 0);
    }

    ngx_realtime_jobs_row_column(&s, res, row, NGX_REALTIME_JOB_PAYLOAD);

    return ngx_realtime_jobs_row_payload(job, &s);
}


static ngx_uint_t
ngx_realtime_jobs_row_kind(ngx_realtime_job_t *job, PGresult *res, int row)
{
    ngx_uint_t   i;
    const char  *kind;

    static const char *const  kinds[] = {
        [NGX_REALTIME_JOB_NOTIFY] = "notify",
        [NGX_REALTIME_JOB_BROADCAST] = "broadcast",
        [NGX_REALTIME_JOB_EMIT] = "emit"
    };

    kind = PQgetvalue(res, row, NGX_REALTIME_JOB_KIND);

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (ngx_strcmp(kind, kinds[i]) == 0) {
            job->kind = i;
            return 1;
        }
    }

    return 0;
}


/* of length 0: NULL */

static void
ngx_realtime_jobs_row_column(ngx_str_t *s, PGresult *res, int row, int column)
{
    s->data = (u_char *) PQgetvalue(res, row, column);
    s->len = PQgetlength(res, row, column);
}


/* unescaped in place: the result is ours, and read once */

static const char *
ngx_realtime_jobs_row_payload(ngx_realtime_job_t *job, ngx_str_t *text)
{
    uint8_t                 type;
    rt_str_t                values[NGX_REALTIME_JOBS_ROW_MAX];
    ngx_realtime_refusal_e  why;

    static const char *const  names[] = {
        "type", "title", "message", "volatile", "user", "event", "payload"
    };

    if (rt_json_check(text->data, text->len) != RT_OK
        || rt_json_type(rt_json_trim(text->data, text->len)) != '{')
    {
        why = NGX_REALTIME_R_PAYLOAD_INVALID;
        goto wrong;
    }

    rt_json_members(rt_json_trim(text->data, text->len), names, values,
                    NGX_REALTIME_JOBS_ROW_MAX);

    type = rt_json_type(values[NGX_REALTIME_JOBS_ROW_VOLATILE]);

    if (type != 't' && type != 'f' && type != 'n' && type != 0) {
        why = NGX_REALTIME_R_VOLATILE_INVALID;
        goto wrong;
    }

    job->note.transient = (type == 't');

    why = (job->kind == NGX_REALTIME_JOB_EMIT)
          ? ngx_realtime_jobs_row_event(job, values)
          : ngx_realtime_jobs_row_note(job, values);

    if (why == NGX_REALTIME_R_NONE) {
        return NULL;
    }

wrong:

    return (char *) ngx_realtime_refusal(why)->code.data;
}


/* lengths, and whom it is for, are ngx_realtime_chat_notify()'s to check */

static ngx_realtime_refusal_e
ngx_realtime_jobs_row_note(ngx_realtime_job_t *job, rt_str_t *values)
{
    ngx_str_t                 *data;
    ngx_realtime_chat_note_t  *note;

    note = &job->note;
    data = &note->data;

    if (data->len
        && (rt_json_check(data->data, data->len) != RT_OK
            || rt_json_type(rt_json_trim(data->data, data->len)) != '{'))
    {
        return NGX_REALTIME_R_NOTE_DATA_INVALID;
    }

    if (!ngx_realtime_jobs_row_string(values[NGX_REALTIME_JOBS_ROW_TYPE],
                                      &note->type))
    {
        return NGX_REALTIME_R_NOTE_TYPE_INVALID;
    }

    if (!ngx_realtime_jobs_row_string(values[NGX_REALTIME_JOBS_ROW_TITLE],
                                      &note->title))
    {
        return NGX_REALTIME_R_TITLE_INVALID;
    }

    if (!ngx_realtime_jobs_row_string(values[NGX_REALTIME_JOBS_ROW_MESSAGE],
                                      &note->message))
    {
        return NGX_REALTIME_R_NOTE_MESSAGE_INVALID;
    }

    return NGX_REALTIME_R_NONE;
}


/* the event's name goes out as it was written, and is looked at in a copy */

static ngx_realtime_refusal_e
ngx_realtime_jobs_row_event(ngx_realtime_job_t *job, rt_str_t *values)
{
    u_char     *p, *last, name[NGX_REALTIME_CHAT_EVENT_MAX * 6 + 2];
    rt_str_t    value;
    ngx_str_t   s;

    if (!ngx_realtime_jobs_row_string(values[NGX_REALTIME_JOBS_ROW_USER],
                                      &job->user)
        || !ngx_realtime_chat_text_is_user(&job->user))
    {
        return NGX_REALTIME_R_ROOM_INVALID;
    }

    /* what follows a comma would be a namespace */

    last = job->user.data + job->user.len;

    for (p = job->user.data; p + 1 < last; p++) {
        if (p[0] == ',' && p[1] == '/') {
            return NGX_REALTIME_R_ROOM_INVALID;
        }
    }

    value = values[NGX_REALTIME_JOBS_ROW_EVENT];

    if (value.len > sizeof(name)) {
        return NGX_REALTIME_R_EVENT_INVALID;
    }

    job->event.data = (u_char *) value.data;
    job->event.len = value.len;

    if (value.len) {
        ngx_memcpy(name, value.data, value.len);
        value.data = name;
    }

    ngx_str_null(&s);

    if (!ngx_realtime_jobs_row_string(value, &s)
        || !ngx_realtime_chat_text_is_event(&s))
    {
        return NGX_REALTIME_R_EVENT_INVALID;
    }

    value = values[NGX_REALTIME_JOBS_ROW_PAYLOAD];

    if (value.data && rt_json_type(value) != 'n') {
        job->payload.data = (u_char *) value.data;
        job->payload.len = value.len;
    }

    return NGX_REALTIME_R_NONE;
}


/* what is not there is empty, which nothing may be */

static ngx_uint_t
ngx_realtime_jobs_row_string(rt_str_t value, ngx_str_t *s)
{
    rt_str_t  out;

    if (value.data == NULL) {
        return 1;
    }

    if (rt_json_type(value) != '"'
        || rt_json_string((uint8_t *) value.data, value.len, &out) != RT_OK)
    {
        return 0;
    }

    s->data = (u_char *) out.data;
    s->len = out.len;

    return 1;
}
