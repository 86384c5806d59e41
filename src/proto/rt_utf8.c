
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "rt_utf8.h"


#define RT_UTF8_HIGH_BITS  0x8080808080808080ULL


static int rt_utf8_lead(rt_utf8_t *u, uint8_t c);


int
rt_utf8_feed(rt_utf8_t *u, const uint8_t *p, size_t len)
{
    uint64_t        word;
    rt_utf8_t       s;
    const uint8_t  *last;

    s = *u;
    last = p + len;

    while (p < last) {

        if (s.need) {
            if (*p < s.low || *p > s.high) {
                return RT_ERROR;
            }

            p++;
            s.need--;
            s.low = 0x80;
            s.high = 0xbf;

            continue;
        }

        while (last - p >= 8) {
            memcpy(&word, p, 8);

            if (word & RT_UTF8_HIGH_BITS) {
                break;
            }

            p += 8;
        }

        while (p < last && *p < 0x80) {
            p++;
        }

        if (p < last && rt_utf8_lead(&s, *p++) != RT_OK) {
            return RT_ERROR;
        }
    }

    *u = s;

    return RT_OK;
}


/*
 * Only the byte after the lead has bounds of its own (Unicode, table 3-7):
 * they keep out overlong forms, surrogates and what is over U+10FFFF.
 */

static int
rt_utf8_lead(rt_utf8_t *u, uint8_t c)
{
    u->low = 0x80;
    u->high = 0xbf;

    if (c >= 0xc2 && c <= 0xdf) {
        u->need = 1;
        return RT_OK;
    }

    if (c >= 0xe0 && c <= 0xef) {
        u->need = 2;

        if (c == 0xe0) {
            u->low = 0xa0;

        } else if (c == 0xed) {
            u->high = 0x9f;
        }

        return RT_OK;
    }

    if (c >= 0xf0 && c <= 0xf4) {
        u->need = 3;

        if (c == 0xf0) {
            u->low = 0x90;

        } else if (c == 0xf4) {
            u->high = 0x8f;
        }

        return RT_OK;
    }

    return RT_ERROR;
}


int
rt_utf8_check(const uint8_t *p, size_t len)
{
    rt_utf8_t  u;

    memset(&u, 0, sizeof(rt_utf8_t));

    if (rt_utf8_feed(&u, p, len) != RT_OK || !rt_utf8_done(&u)) {
        return RT_ERROR;
    }

    return RT_OK;
}


size_t
rt_utf8_length(const uint8_t *p, size_t len)
{
    size_t          n;
    const uint8_t  *last;

    n = 0;

    for (last = p + len; p < last; p++) {
        n += (*p & 0xc0) != 0x80;
    }

    return n;
}
