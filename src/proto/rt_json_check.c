
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "rt_json_scan.h"
#include "rt_wide.h"


/* a bit for each object or array that is open, the innermost the lowest */

typedef struct {
    uint64_t   objects;
    unsigned   depth;
} rt_json_open_t;

_Static_assert(RT_JSON_DEPTH <= 64, "rt_json_open_t has a bit for each depth");


static const uint8_t *rt_json_check_open(rt_json_open_t *open,
    const uint8_t *p, const uint8_t *last);
static const uint8_t *rt_json_check_next(rt_json_open_t *open,
    const uint8_t *p, const uint8_t *last);
static const uint8_t *rt_json_check_scalar(const uint8_t *p,
    const uint8_t *last);
static const uint8_t *rt_json_check_name(const uint8_t *p,
    const uint8_t *last);
static const uint8_t *rt_json_check_word(const uint8_t *p,
    const uint8_t *last, const char *word, size_t len);
static const uint8_t *rt_json_check_number(const uint8_t *p,
    const uint8_t *last);
static const uint8_t *rt_json_digits(const uint8_t *p, const uint8_t *last);
static const uint8_t *rt_json_check_escape(const uint8_t *p,
    const uint8_t *last);


int
rt_json_check(const uint8_t *p, size_t len)
{
    const uint8_t   *last;
    rt_json_open_t   open;

    last = p + len;
    open.objects = 0;
    open.depth = 0;

    p = rt_json_skip_space(p, last);

    /* at the beginning of a value each time */

    while (p < last) {

        if (*p == '{' || *p == '[') {
            p = rt_json_check_open(&open, p, last);

            if (p == NULL) {
                return RT_ERROR;
            }

            if (*p != ']' && *p != '}') {
                continue;
            }

        } else {
            p = rt_json_check_scalar(p, last);

            if (p == NULL) {
                return RT_ERROR;
            }
        }

        p = rt_json_check_next(&open, p, last);

        if (p == NULL) {
            return RT_ERROR;
        }

        if (open.depth == 0) {
            return p == last ? RT_OK : RT_ERROR;
        }
    }

    return RT_ERROR;
}


/*
 * The beginning of an array or object, up to its first value, or to a closing
 * bracket, which is left to rt_json_check_next().  Never returns last.
 */

static const uint8_t *
rt_json_check_open(rt_json_open_t *open, const uint8_t *p,
    const uint8_t *last)
{
    unsigned  object;

    if (open->depth == RT_JSON_DEPTH) {
        return NULL;
    }

    object = *p == '{';

    open->depth++;
    open->objects = open->objects << 1 | object;

    p = rt_json_skip_space(p + 1, last);

    if (object && p < last && *p != '}') {
        p = rt_json_check_name(p, last);

        /* the bracket would not be taken for the value that is missing */

        if (p == NULL || p == last || *p == '}' || *p == ']') {
            return NULL;
        }
    }

    return p < last ? p : NULL;
}


/* after a value: whatever it closes, then up to the next one, or the end */

static const uint8_t *
rt_json_check_next(rt_json_open_t *open, const uint8_t *p,
    const uint8_t *last)
{
    unsigned  object;

    for ( ;; ) {
        p = rt_json_skip_space(p, last);

        if (open->depth == 0) {
            return p;
        }

        if (p == last) {
            return NULL;
        }

        object = open->objects & 1;

        if (*p == ',') {
            p = rt_json_skip_space(p + 1, last);
            return object ? rt_json_check_name(p, last) : p;
        }

        if (*p != (object ? '}' : ']')) {
            return NULL;
        }

        p++;
        open->depth--;
        open->objects >>= 1;
    }
}


static const uint8_t *
rt_json_check_scalar(const uint8_t *p, const uint8_t *last)
{
    switch (*p) {

    case '"':
        return rt_json_string_end(p, last);

    case 't':
        return rt_json_check_word(p, last, "true", 4);

    case 'f':
        return rt_json_check_word(p, last, "false", 5);

    case 'n':
        return rt_json_check_word(p, last, "null", 4);

    default:
        return rt_json_check_number(p, last);
    }
}


/* a member up to its value */

static const uint8_t *
rt_json_check_name(const uint8_t *p, const uint8_t *last)
{
    if (p == last || *p != '"') {
        return NULL;
    }

    p = rt_json_string_end(p, last);

    if (p == NULL) {
        return NULL;
    }

    p = rt_json_skip_space(p, last);

    if (p == last || *p != ':') {
        return NULL;
    }

    return rt_json_skip_space(p + 1, last);
}


static const uint8_t *
rt_json_check_word(const uint8_t *p, const uint8_t *last, const char *word,
    size_t len)
{
    if ((size_t) (last - p) < len || memcmp(p, word, len) != 0) {
        return NULL;
    }

    return p + len;
}


static const uint8_t *
rt_json_check_number(const uint8_t *p, const uint8_t *last)
{
    if (*p == '-') {
        p++;
    }

    if (p < last && *p == '0') {
        p++;

    } else {
        p = rt_json_digits(p, last);
    }

    if (p && p < last && *p == '.') {
        p = rt_json_digits(p + 1, last);
    }

    if (p && p < last && (*p == 'e' || *p == 'E')) {
        p++;

        if (p < last && (*p == '+' || *p == '-')) {
            p++;
        }

        p = rt_json_digits(p, last);
    }

    return p;
}


/* at least one */

static const uint8_t *
rt_json_digits(const uint8_t *p, const uint8_t *last)
{
    const uint8_t  *first;

    first = p;

    while (p < last && *p >= '0' && *p <= '9') {
        p++;
    }

    return p > first ? p : NULL;
}


/* p: the opening quote */

const uint8_t *
rt_json_string_end(const uint8_t *p, const uint8_t *last)
{
    rt_wide_marks_t  marks;

    p++;

    for ( ;; ) {

        while (last - p >= RT_WIDE_SIZE) {
            marks = rt_wide_string(p);

            if (marks) {
                p += rt_wide_first(marks);
                break;
            }

            p += RT_WIDE_SIZE;
        }

        while (p < last && *p != '"' && *p != '\\' && *p >= 0x20) {
            p++;
        }

        if (p == last || *p < 0x20) {
            return NULL;
        }

        if (*p == '"') {
            return p + 1;
        }

        p = rt_json_check_escape(p, last);

        if (p == NULL) {
            return NULL;
        }
    }
}


/* p: the backslash */

static const uint8_t *
rt_json_check_escape(const uint8_t *p, const uint8_t *last)
{
    if (last - p < 2) {
        return NULL;
    }

    switch (p[1]) {

    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return p + 2;

    case 'u':
        return rt_json_hex4(p + 2, last) < 0 ? NULL : p + 6;

    default:
        return NULL;
    }
}
