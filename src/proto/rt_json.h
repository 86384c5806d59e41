
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
 * Reading without a tree: the text is checked once and then cut up in place.
 * It costs a tenth of a parse into jansson's objects, and keeps numbers, and
 * whatever else is only passed on, exactly as they were written.
 *
 * rt_json_check() takes a whole text (RFC 8259, any value, white space around
 * it): RT_OK, or RT_ERROR, also for depth over RT_JSON_DEPTH.  It allocates
 * nothing and does not recurse.  Bytes of strings are not checked for UTF-8.
 * \u escapes of lone surrogates pass, as they do in JavaScript.
 *
 * The others take values: slices without white space around them of a text
 * that has passed, the whole text included.
 */
int rt_json_check(const uint8_t *p, size_t len);

/* the text without white space around it: a value */
rt_str_t rt_json_trim(const uint8_t *p, size_t len);

/* what a value is: its first byte, '{' '[' '"' 't' 'f' 'n', or '0' for any
   number; 0 for one that is not there */
uint8_t rt_json_type(rt_str_t value);

/* the first n items of an array into items; returns how many it has, 0 for
   what is no array */
size_t rt_json_items(rt_str_t array, rt_str_t *items, size_t n);

/* the same, and returns how many of these it has: looks at nothing behind */
size_t rt_json_first(rt_str_t array, rt_str_t *items, size_t n);

/*
 * What is between the first item of an array and its closing bracket, without
 * the comma and white space around it: ["a",1,[2]] has 1,[2].  Empty if there
 * is at most one item.  White space may follow the array.
 */
rt_str_t rt_json_rest(rt_str_t array);

/*
 * Members of an object by name: values[i] is that of names[i], or has the
 * data NULL when there is none, as in what is no object.  Of a repeated name
 * the last one counts.  Names are compared unescaped.  n is at most 32.
 */
void rt_json_members(rt_str_t object, const char *const *names,
    rt_str_t *values, size_t n);

/*
 * The contents of a string, unescaped in place: p is the value, quotes
 * included, which is changed.  RT_OK with *out; RT_ERROR: a lone surrogate,
 * or p is no string.  What the value was cut out of is no longer a text that
 * has passed, with RT_ERROR too: cut up first.
 */
int rt_json_string(uint8_t *p, size_t len, rt_str_t *out);

/*
 * A string's contents for between two quotes: escapes what JSON must, and
 * < > & U+2028 U+2029 as \u00XX, so that a reply can be neither read as HTML
 * nor break out of a script.  Input is valid UTF-8.
 */
size_t rt_json_escaped(const uint8_t *p, size_t len);
uint8_t *rt_json_escape(uint8_t *out, const uint8_t *p, size_t len);

/*
 * The same for a whole text that has passed: < > & U+2028 U+2029, which only
 * strings can have, become \u escapes, and nothing else changes.
 */
size_t rt_json_inert_len(const uint8_t *p, size_t len);
uint8_t *rt_json_inert(uint8_t *out, const uint8_t *p, size_t len);


#endif /* _RT_JSON_H_INCLUDED_ */
