
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_chat_text.h"
#include "rt_utf8.h"


#define NGX_REALTIME_CHAT_CHAR_MAX  4      /* bytes of a character */


static void ngx_realtime_chat_text_trim(ngx_str_t *s);
static size_t ngx_realtime_chat_text_space(u_char *p, u_char *last);
static ngx_uint_t ngx_realtime_chat_text_is_longer(ngx_str_t *s, size_t max);


ngx_realtime_refusal_e
ngx_realtime_chat_text_content(ngx_str_t *content)
{
    if (content->data == NULL) {
        return NGX_REALTIME_R_CONTENT_REQUIRED;
    }

    ngx_realtime_chat_text_trim(content);

    if (content->len == 0) {
        return NGX_REALTIME_R_CONTENT_REQUIRED;
    }

    if (ngx_realtime_chat_text_is_longer(content,
                                         NGX_REALTIME_CHAT_CONTENT_MAX))
    {
        return NGX_REALTIME_R_CONTENT_TOO_LONG;
    }

    if (ngx_strlchr(content->data, content->data + content->len, '\0')) {
        return NGX_REALTIME_R_CONTENT_INVALID;
    }

    return NGX_REALTIME_R_NONE;
}


ngx_realtime_refusal_e
ngx_realtime_chat_text_title(ngx_str_t *title)
{
    ngx_realtime_chat_text_trim(title);

    return ngx_realtime_chat_text_is_within(title,
                                            NGX_REALTIME_CHAT_TITLE_MAX)
           ? NGX_REALTIME_R_NONE : NGX_REALTIME_R_TITLE_INVALID;
}


ngx_realtime_refusal_e
ngx_realtime_chat_text_client_id(ngx_str_t *id)
{
    return ngx_realtime_chat_text_is_within(id,
                                            NGX_REALTIME_CHAT_CLIENT_ID_MAX)
           ? NGX_REALTIME_R_NONE : NGX_REALTIME_R_CLIENT_ID_INVALID;
}


ngx_uint_t
ngx_realtime_chat_text_is_user(ngx_str_t *user)
{
    size_t  i;

    if (user->len == 0 || user->len > NGX_REALTIME_USER_MAX) {
        return 0;
    }

    for (i = 0; i < user->len; i++) {
        if (user->data[i] < 0x20 || user->data[i] == 0x7f) {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
ngx_realtime_chat_text_is_event(ngx_str_t *name)
{
    const ngx_str_t  *reserved;

    /* what its clients say of themselves */

    static const ngx_str_t  names[] = {
        ngx_string("connect"),
        ngx_string("connect_error"),
        ngx_string("disconnect"),
        ngx_string("disconnecting"),
        ngx_string("newListener"),
        ngx_string("removeListener"),
        ngx_null_string
    };

    if (name->len == 0 || name->len > NGX_REALTIME_CHAT_EVENT_MAX) {
        return 0;
    }

    for (reserved = names; reserved->len; reserved++) {
        if (reserved->len == name->len
            && ngx_memcmp(reserved->data, name->data, name->len) == 0)
        {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
ngx_realtime_chat_text_is_within(ngx_str_t *s, size_t max)
{
    return s->len != 0
           && !ngx_realtime_chat_text_is_longer(s, max)
           && ngx_strlchr(s->data, s->data + s->len, '\0') == NULL;
}


char *
ngx_realtime_chat_text_copy(ngx_pool_t *pool, ngx_str_t *s)
{
    u_char  *p;

    p = ngx_pnalloc(pool, s->len + 1);
    if (p == NULL) {
        return NULL;
    }

    *ngx_cpymem(p, s->data, s->len) = '\0';

    return (char *) p;
}


static void
ngx_realtime_chat_text_trim(ngx_str_t *s)
{
    size_t   n;
    u_char  *p, *q, *last;

    p = s->data;
    last = p + s->len;

    while (p < last && (n = ngx_realtime_chat_text_space(p, last)) != 0) {
        p += n;
    }

    while (p < last) {

        /* to the first byte of the last character */

        for (q = last - 1; q > p && (*q & 0xc0) == 0x80; q--) { /* void */ }

        if (ngx_realtime_chat_text_space(q, last) == 0) {
            break;
        }

        last = q;
    }

    s->data = p;
    s->len = last - p;
}


/* bytes of the white space character at p; 0: it is none (ECMA-262, 12.2) */

static size_t
ngx_realtime_chat_text_space(u_char *p, u_char *last)
{
    uint32_t  c;

    if (*p < 0x80) {
        return *p == ' ' || (*p >= 0x09 && *p <= 0x0d);
    }

    if (last - p >= 2 && p[0] == 0xc2) {
        return p[1] == 0xa0 ? 2 : 0;
    }

    if (last - p < 3 || (*p & 0xf0) != 0xe0) {
        return 0;
    }

    c = (p[0] & 0x0f) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f);

    if (c >= 0x2000 && c <= 0x200a) {
        return 3;
    }

    switch (c) {
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202f:
    case 0x205f:
    case 0x3000:
    case 0xfeff:
        return 3;
    default:
        return 0;
    }
}


static ngx_uint_t
ngx_realtime_chat_text_is_longer(ngx_str_t *s, size_t max)
{
    if (s->len <= max) {
        return 0;
    }

    return s->len > max * NGX_REALTIME_CHAT_CHAR_MAX
           || rt_utf8_length(s->data, s->len) > max;
}
