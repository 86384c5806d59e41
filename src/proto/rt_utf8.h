
/*
 * Copyright (C) ngx_realtime contributors
 */

#ifndef _RT_UTF8_H_INCLUDED_
#define _RT_UTF8_H_INCLUDED_


#include "rt.h"


/*
 * Validates UTF-8 (RFC 3629: no surrogates, no overlong forms, at most
 * U+10FFFF) in pieces of any size.  A zeroed state is a fresh one.
 */

typedef struct {
    uint8_t          need;    /* continuation bytes still to come */
    uint8_t          low;     /* bounds of the next one */
    uint8_t          high;
} rt_utf8_t;


/* RT_OK: valid so far; RT_ERROR */
int rt_utf8_feed(rt_utf8_t *u, const uint8_t *p, size_t len);

/* between characters: the text may end here */
#define rt_utf8_done(u)  ((u)->need == 0)

/* of a whole string: RT_OK or RT_ERROR */
int rt_utf8_check(const uint8_t *p, size_t len);

/* code points of a valid string */
size_t rt_utf8_length(const uint8_t *p, size_t len);


#endif /* _RT_UTF8_H_INCLUDED_ */
