
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_log.h"


#define NGX_REALTIME_LOG_MAX  256      /* bytes of one escaped string */


static u_char *
ngx_realtime_log_escape(u_char *buf, u_char *last, ngx_str_t *s)
{
    u_char  *p, *end;

    static const u_char  hex[] = "0123456789ABCDEF";

    if (s == NULL) {
        return buf;
    }

    end = s->data + s->len;

    for (p = s->data; p < end && last - buf > 4; p++) {

        if (*p >= 0x20 && *p < 0x7f && *p != '"' && *p != '\\') {
            *buf++ = *p;
            continue;
        }

        *buf++ = '\\';
        *buf++ = 'x';
        *buf++ = hex[*p >> 4];
        *buf++ = hex[*p & 0xf];
    }

    return buf;
}


void
ngx_realtime_log_client(ngx_uint_t level, ngx_log_t *log, const char *what,
    const char *why, ngx_str_t *user, ngx_str_t *socket)
{
    u_char     ubuf[NGX_REALTIME_LOG_MAX], sbuf[NGX_REALTIME_LOG_MAX];
    ngx_str_t  u, s;

    if (log->log_level < level) {
        return;
    }

    u.data = ubuf;
    u.len = ngx_realtime_log_escape(ubuf, ubuf + sizeof(ubuf), user) - ubuf;

    s.data = sbuf;
    s.len = ngx_realtime_log_escape(sbuf, sbuf + sizeof(sbuf), socket) - sbuf;

    ngx_log_error(level, log, 0,
                  "realtime: %s: %s, user: \"%V\", socket: \"%V\"",
                  what, why, &u, &s);
}
