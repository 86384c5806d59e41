
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "rt_json.h"
#include "rt_wide.h"


#define RT_JSON_FLAGS                                                         \
    (JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL)

#define RT_JSON_PLAIN    0      /* stands for itself */
#define RT_JSON_HEX      1      /* as \u00XX; else the letter after the "\" */
#define RT_JSON_LEAD     2      /* lead byte of U+2028 and U+2029, among more */

#define RT_JSON_HEX_LEN  6

#define RT_JSON_LEAD_BYTE  0xe2


static int rt_json_check_depth(const uint8_t *p, size_t len);
static const uint8_t *rt_json_skip_string(const uint8_t *p,
    const uint8_t *last);
static uint8_t *rt_json_escape_char(uint8_t *out, const uint8_t **pos,
    const uint8_t *last);
static const uint8_t *rt_json_plain_end(const uint8_t *p,
    const uint8_t *last);
static uint8_t rt_json_class(const uint8_t *p, const uint8_t *last);


static const uint8_t  rt_json_escapes[256] = {
    1, 1, 1, 1, 1, 1, 1, 1, 'b', 't', 'n', 1, 'f', 'r', 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    ['"'] = '"',
    ['\\'] = '\\',
    ['&'] = RT_JSON_HEX,
    ['<'] = RT_JSON_HEX,
    ['>'] = RT_JSON_HEX,
    [RT_JSON_LEAD_BYTE] = RT_JSON_LEAD
};


int
rt_json_parse(const uint8_t *p, size_t len, json_t **value)
{
    /* no text has a NUL byte, but jansson overlooks one after a number */

    if (len && memchr(p, '\0', len)) {
        return RT_ERROR;
    }

    /* a text that short cannot be too deep */

    if (len > RT_JSON_DEPTH && rt_json_check_depth(p, len) != RT_OK) {
        return RT_ERROR;
    }

    *value = json_loadb((const char *) p, len, RT_JSON_FLAGS, NULL);

    return *value ? RT_OK : RT_ERROR;
}


/*
 * Sees the same strings and brackets as jansson up to the first byte that is
 * not JSON, where jansson stops: so jansson never recurses deeper than this.
 */

static int
rt_json_check_depth(const uint8_t *p, size_t len)
{
    size_t          depth;
    const uint8_t  *last;

    depth = 0;
    last = p + len;

    while (p < last) {

        switch (*p++) {

        case '"':
            p = rt_json_skip_string(p, last);
            break;

        case '[':
        case '{':
            if (++depth > RT_JSON_DEPTH) {
                return RT_ERROR;
            }
            break;

        case ']':
        case '}':
            if (depth-- == 0) {
                return RT_ERROR;
            }
            break;
        }
    }

    return RT_OK;
}


/* p: after the opening quote; returns what follows the closing one, or last */

static const uint8_t *
rt_json_skip_string(const uint8_t *p, const uint8_t *last)
{
    while (p < last) {

        if (*p == '"') {
            return p + 1;
        }

        p += (*p == '\\' && last - p > 1) ? 2 : 1;
    }

    return last;
}


size_t
rt_json_escaped(const uint8_t *p, size_t len)
{
    size_t          size;
    const uint8_t  *last;

    size = len;
    last = p + len;

    while ((p = rt_json_plain_end(p, last)) < last) {

        switch (rt_json_class(p, last)) {

        case RT_JSON_PLAIN:
            p++;
            break;

        case RT_JSON_HEX:
            size += RT_JSON_HEX_LEN - 1;
            p++;
            break;

        case RT_JSON_LEAD:
            size += RT_JSON_HEX_LEN - 3;
            p += 3;
            break;

        default:
            size++;
            p++;
        }
    }

    return size;
}


/*
 * What is written of the rest is never shorter than the rest itself: as long as
 * so much of it is there, so much can be written, whatever is to be kept of it.
 */

uint8_t *
rt_json_escape(uint8_t *out, const uint8_t *p, size_t len)
{
    size_t            size;
    const uint8_t    *last;
    rt_wide_marks_t   marks;

    last = p + len;

    while (p < last) {

        if (last - p >= RT_WIDE_SIZE) {
            marks = rt_wide_escape(p);
            size = marks ? rt_wide_first(marks) : RT_WIDE_SIZE;

            memcpy(out, p, RT_WIDE_SIZE);
            out += size;
            p += size;

            if (marks == 0) {
                continue;
            }

        } else if (rt_json_escapes[*p] == RT_JSON_PLAIN) {
            *out++ = *p++;
            continue;
        }

        out = rt_json_escape_char(out, &p, last);
    }

    return out;
}


static uint8_t *
rt_json_escape_char(uint8_t *out, const uint8_t **pos, const uint8_t *last)
{
    uint8_t         class;
    const uint8_t  *p;

    static const char  hex[] = "0123456789abcdef";

    p = *pos;
    *pos = p + 1;
    class = rt_json_class(p, last);

    switch (class) {

    case RT_JSON_PLAIN:
        *out = *p;
        return out + 1;

    case RT_JSON_HEX:
        memcpy(out, "\\u00", 4);
        out[4] = (uint8_t) hex[*p >> 4];
        out[5] = (uint8_t) hex[*p & 0xf];
        return out + RT_JSON_HEX_LEN;

    case RT_JSON_LEAD:
        memcpy(out, p[2] == 0xa8 ? "\\u2028" : "\\u2029", RT_JSON_HEX_LEN);
        *pos = p + 3;
        return out + RT_JSON_HEX_LEN;

    default:
        out[0] = '\\';
        out[1] = class;
        return out + 2;
    }
}


/* where the bytes end of which the table says that they are plain */

static const uint8_t *
rt_json_plain_end(const uint8_t *p, const uint8_t *last)
{
    rt_wide_marks_t  marks;

    while (last - p >= RT_WIDE_SIZE) {
        marks = rt_wide_escape(p);

        if (marks) {
            return p + rt_wide_first(marks);
        }

        p += RT_WIDE_SIZE;
    }

    while (p < last && rt_json_escapes[*p] == RT_JSON_PLAIN) {
        p++;
    }

    return p;
}


/* how the character at p is written; RT_JSON_LEAD only if it is one of two */

static uint8_t
rt_json_class(const uint8_t *p, const uint8_t *last)
{
    uint8_t  class;

    class = rt_json_escapes[*p];

    if (class == RT_JSON_LEAD
        && (last - p < 3 || p[1] != 0x80 || (p[2] & 0xfe) != 0xa8))
    {
        return RT_JSON_PLAIN;
    }

    return class;
}
