
/*
 * Copyright (C) ngx_realtime contributors
 */

/* JSON in, through jansson, with bounds; JSON out, escaped for HTML. */

#ifndef _RT_JSON_H_INCLUDED_
#define _RT_JSON_H_INCLUDED_


#include <jansson.h>

#include "rt.h"


#define RT_JSON_DEPTH     64

/*
 * Parses a whole text (any value); depth over RT_JSON_DEPTH is refused before
 * jansson recurses.  A duplicate key: the last one wins, as in JavaScript.
 * NUL in strings is accepted: whoever uses a string looks at its length.
 * Numbers are read as reals, so that a long integer is no error.  What jansson
 * has no value for is refused, unlike in JavaScript: half a surrogate pair, NUL
 * in a key, 1e999.
 * RT_OK: *value is the caller's; RT_ERROR.
 */
int rt_json_parse(const uint8_t *p, size_t len, json_t **value);

/*
 * A string's contents for between two quotes: escapes what JSON must, and
 * < > & U+2028 U+2029 as \u00XX, so that a reply can be neither read as HTML
 * nor break out of a script.  Input is valid UTF-8.
 */
size_t rt_json_escaped(const uint8_t *p, size_t len);
uint8_t *rt_json_escape(uint8_t *out, const uint8_t *p, size_t len);


#endif /* _RT_JSON_H_INCLUDED_ */
