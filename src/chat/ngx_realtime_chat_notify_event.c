
/*
 * Copyright (C) ngx_realtime contributors
 */

#include "ngx_realtime_chat_notify.h"
#include "rt_json.h"


#define ngx_realtime_chat_notify_put(p, lit)                                  \
    ngx_cpymem(p, lit, sizeof(lit) - 1)


static u_char *ngx_realtime_chat_notify_string(u_char *p, ngx_str_t *s);


size_t
ngx_realtime_chat_notify_size(ngx_realtime_chat_told_note_t *note)
{
    size_t  len;

    len = note->data.len == 0 ? 0
          : sizeof(",\"data\":") - 1
            + rt_json_inert_len(note->data.data, note->data.len);

    return sizeof("{\"id\":\"\",\"type\":\"\",\"title\":\"\",\"message\":\"\","
                  "\"timestamp\":\"\"}") - 1
           + len + note->id.len + note->type.len + note->timestamp.len
           + rt_json_escaped(note->title.data, note->title.len)
           + rt_json_escaped(note->message.data, note->message.len);
}


u_char *
ngx_realtime_chat_notify_print(u_char *p, ngx_realtime_chat_told_note_t *note)
{
    p = ngx_realtime_chat_notify_put(p, "{\"id\":\"");
    p = ngx_cpymem(p, note->id.data, note->id.len);
    p = ngx_realtime_chat_notify_put(p, "\",\"type\":\"");
    p = ngx_cpymem(p, note->type.data, note->type.len);
    p = ngx_realtime_chat_notify_put(p, "\",\"title\":\"");
    p = ngx_realtime_chat_notify_string(p, &note->title);
    p = ngx_realtime_chat_notify_put(p, "\",\"message\":\"");
    p = ngx_realtime_chat_notify_string(p, &note->message);

    if (note->data.len) {
        p = ngx_realtime_chat_notify_put(p, "\",\"data\":");
        p = rt_json_inert(p, note->data.data, note->data.len);
        p = ngx_realtime_chat_notify_put(p, ",\"timestamp\":\"");

    } else {
        p = ngx_realtime_chat_notify_put(p, "\",\"timestamp\":\"");
    }

    p = ngx_cpymem(p, note->timestamp.data, note->timestamp.len);

    return ngx_realtime_chat_notify_put(p, "\"}");
}


static u_char *
ngx_realtime_chat_notify_string(u_char *p, ngx_str_t *s)
{
    return rt_json_escape(p, s->data, s->len);
}
