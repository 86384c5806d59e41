
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * What the readers of JSON without a tree share.  rt_json_check.c is the only
 * one that judges a text.  The others know that it is good and only look for
 * where a value ends, but stay within their slice all the same: a caller that
 * changed the text, as rt_json_string() does, gets wrong values from them, and
 * no byte from outside.
 *
 * A scanner takes a position and the end of the slice, and returns the position
 * after what it is for, or NULL.
 */

#ifndef _RT_JSON_SCAN_H_INCLUDED_
#define _RT_JSON_SCAN_H_INCLUDED_


#include "rt_json.h"


#define RT_JSON_UTF8_MAX  4         /* bytes of a character */


static inline const uint8_t *
rt_json_skip_space(const uint8_t *p, const uint8_t *last)
{
    while (p < last
           && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
    {
        p++;
    }

    return p;
}


/* p: the opening quote; also NULL for what a string may not have in it */
const uint8_t *rt_json_string_end(const uint8_t *p, const uint8_t *last);

/* p to last: a name of a text, between its quotes; name: without NUL */
int rt_json_same_name(const uint8_t *p, const uint8_t *last,
    const char *name);

/*
 * The character that the escape at *pos stands for, as UTF-8; *pos moves on.
 * Returns its size, or 0 if there is none: half a surrogate pair.  All is read
 * before anything is written: out may be *pos.
 */
size_t rt_json_unescape(const uint8_t **pos, const uint8_t *last,
    uint8_t *out);

/* the value of four hexadecimal digits, or -1 */
int32_t rt_json_hex4(const uint8_t *p, const uint8_t *last);


#endif /* _RT_JSON_SCAN_H_INCLUDED_ */
