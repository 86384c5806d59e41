
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "rt_json_scan.h"


/* U+2028 or U+2029 */

#define RT_JSON_SEPARATOR  3

#define rt_json_is_separator(p, last)                                         \
    ((p)[0] == 0xe2 && (last) - (p) >= RT_JSON_SEPARATOR && (p)[1] == 0x80    \
     && ((p)[2] == 0xa8 || (p)[2] == 0xa9))


static size_t rt_json_utf8(uint8_t *out, uint32_t c);


int
rt_json_string(uint8_t *p, size_t len, rt_str_t *out)
{
    size_t          size;
    uint8_t        *to;
    const uint8_t  *from, *run, *last;

    if (len < 2 || *p != '"') {
        return RT_ERROR;
    }

    from = p + 1;
    to = p + 1;
    last = p + len - 1;

    for ( ;; ) {
        run = from;
        from = memchr(run, '\\', (size_t) (last - run));

        if (from == NULL) {
            from = last;
        }

        size = (size_t) (from - run);

        /* up to the first escape everything is in its place */

        if (to != run) {
            memmove(to, run, size);
        }

        to += size;

        if (from == last) {
            break;
        }

        /* what is read is longer than what is written */

        do {
            size = rt_json_unescape(&from, last, to);

            if (size == 0) {
                return RT_ERROR;
            }

            to += size;

        } while (from < last && *from == '\\');
    }

    out->data = p + 1;
    out->len = (size_t) (to - out->data);

    return RT_OK;
}


size_t
rt_json_unescape(const uint8_t **pos, const uint8_t *last, uint8_t *out)
{
    int32_t         c, low;
    const uint8_t  *p;

    p = *pos;

    if (last - p < 2) {
        return 0;
    }

    *pos = p + 2;

    switch (p[1]) {

    case 'b':
        *out = '\b';
        return 1;

    case 'f':
        *out = '\f';
        return 1;

    case 'n':
        *out = '\n';
        return 1;

    case 'r':
        *out = '\r';
        return 1;

    case 't':
        *out = '\t';
        return 1;

    case 'u':
        break;

    default:
        *out = p[1];
        return 1;
    }

    c = rt_json_hex4(p + 2, last);

    if (c < 0 || (c >= 0xdc00 && c <= 0xdfff)) {
        return 0;
    }

    *pos = p + 6;

    if (c < 0xd800 || c > 0xdbff) {
        return rt_json_utf8(out, (uint32_t) c);
    }

    if (last - p < 12 || p[6] != '\\' || p[7] != 'u') {
        return 0;
    }

    low = rt_json_hex4(p + 8, last);

    if (low < 0xdc00 || low > 0xdfff) {
        return 0;
    }

    *pos = p + 12;

    return rt_json_utf8(out, 0x10000 + (((uint32_t) c - 0xd800) << 10)
                             + ((uint32_t) low - 0xdc00));
}


int32_t
rt_json_hex4(const uint8_t *p, const uint8_t *last)
{
    int       i;
    int32_t   value;
    uint8_t   c;

    if (last - p < 4) {
        return -1;
    }

    value = 0;

    for (i = 0; i < 4; i++) {
        c = p[i];

        if (c >= '0' && c <= '9') {
            c = (uint8_t) (c - '0');

        } else {
            c |= 0x20;

            if (c < 'a' || c > 'f') {
                return -1;
            }

            c = (uint8_t) (c - 'a' + 10);
        }

        value = value << 4 | c;
    }

    return value;
}


static size_t
rt_json_utf8(uint8_t *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (uint8_t) c;
        return 1;
    }

    if (c < 0x800) {
        out[0] = (uint8_t) (0xc0 | c >> 6);
        out[1] = (uint8_t) (0x80 | (c & 0x3f));
        return 2;
    }

    if (c < 0x10000) {
        out[0] = (uint8_t) (0xe0 | c >> 12);
        out[1] = (uint8_t) (0x80 | (c >> 6 & 0x3f));
        out[2] = (uint8_t) (0x80 | (c & 0x3f));
        return 3;
    }

    out[0] = (uint8_t) (0xf0 | c >> 18);
    out[1] = (uint8_t) (0x80 | (c >> 12 & 0x3f));
    out[2] = (uint8_t) (0x80 | (c >> 6 & 0x3f));
    out[3] = (uint8_t) (0x80 | (c & 0x3f));

    return 4;
}


size_t
rt_json_inert_len(const uint8_t *p, size_t len)
{
    size_t          n;
    const uint8_t  *last;

    n = len;
    last = p + len;

    for ( /* void */ ; p < last; p++) {

        if (*p == '<' || *p == '>' || *p == '&') {
            n += sizeof("\\u0000") - 2;

        } else if (rt_json_is_separator(p, last)) {
            n += sizeof("\\u0000") - 1 - RT_JSON_SEPARATOR;
        }
    }

    return n;
}


uint8_t *
rt_json_inert(uint8_t *out, const uint8_t *p, size_t len)
{
    const uint8_t  *last;

    static const char  digits[] = "0123456789abcdef";

    last = p + len;

    while (p < last) {

        if (*p == '<' || *p == '>' || *p == '&') {
            memcpy(out, "\\u00", 4);
            out[4] = (uint8_t) digits[*p >> 4];
            out[5] = (uint8_t) digits[*p & 0xf];
            out += 6;
            p++;

        } else if (rt_json_is_separator(p, last)) {
            memcpy(out, p[2] == 0xa8 ? "\\u2028" : "\\u2029", 6);
            out += 6;
            p += RT_JSON_SEPARATOR;

        } else {
            *out++ = *p++;
        }
    }

    return out;
}
