
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "rt_json_scan.h"


static size_t rt_json_walk(rt_str_t array, rt_str_t *items, size_t n,
    size_t max);
static const uint8_t *rt_json_value_end(const uint8_t *p, const uint8_t *last);
static const uint8_t *rt_json_nested_end(const uint8_t *p,
    const uint8_t *last);


rt_str_t
rt_json_trim(const uint8_t *p, size_t len)
{
    rt_str_t        value;
    const uint8_t  *last;

    last = p + len;
    p = rt_json_skip_space(p, last);

    while (last > p && (last[-1] == ' ' || last[-1] == '\t'
                        || last[-1] == '\n' || last[-1] == '\r'))
    {
        last--;
    }

    value.data = p;
    value.len = (size_t) (last - p);

    return value;
}


uint8_t
rt_json_type(rt_str_t value)
{
    if (value.len == 0) {
        return 0;
    }

    if (*value.data == '-' || (*value.data >= '0' && *value.data <= '9')) {
        return '0';
    }

    return *value.data;
}


size_t
rt_json_items(rt_str_t array, rt_str_t *items, size_t n)
{
    return rt_json_walk(array, items, n, SIZE_MAX);
}


size_t
rt_json_first(rt_str_t array, rt_str_t *items, size_t n)
{
    return rt_json_walk(array, items, n, n);
}


static size_t
rt_json_walk(rt_str_t array, rt_str_t *items, size_t n, size_t max)
{
    size_t          count;
    const uint8_t  *p, *end, *last;

    if (rt_json_type(array) != '[') {
        return 0;
    }

    last = array.data + array.len;
    p = rt_json_skip_space(array.data + 1, last);

    if (p < last && *p == ']') {
        return 0;
    }

    for (count = 0; p < last && count < max; count++) {

        end = rt_json_value_end(p, last);

        if (end == NULL) {
            break;
        }

        if (count < n) {
            items[count].data = p;
            items[count].len = (size_t) (end - p);
        }

        p = rt_json_skip_space(end, last);

        if (p == last || *p != ',') {
            return count + 1;
        }

        p = rt_json_skip_space(p + 1, last);
    }

    return count;
}


rt_str_t
rt_json_rest(rt_str_t array)
{
    rt_str_t        rest;
    const uint8_t  *p, *last;

    rest.data = array.data;
    rest.len = 0;

    if (rt_json_type(array) != '[') {
        return rest;
    }

    array = rt_json_trim(array.data, array.len);
    last = array.data + array.len - 1;

    if (*last != ']') {
        return rest;
    }

    p = rt_json_skip_space(array.data + 1, last);
    p = rt_json_value_end(p, last);

    if (p == NULL) {
        return rest;
    }

    p = rt_json_skip_space(p, last);

    if (p == last || *p != ',') {
        return rest;
    }

    p++;

    return rt_json_trim(p, (size_t) (last - p));
}


void
rt_json_members(rt_str_t object, const char *const *names, rt_str_t *values,
    size_t n)
{
    size_t          i;
    const uint8_t  *p, *end, *last, *name, *name_end;

    for (i = 0; i < n; i++) {
        values[i].len = 0;
        values[i].data = NULL;
    }

    if (rt_json_type(object) != '{') {
        return;
    }

    last = object.data + object.len;
    p = rt_json_skip_space(object.data + 1, last);

    while (p < last && *p == '"') {

        name = p + 1;
        name_end = rt_json_string_end(p, last);

        if (name_end == NULL) {
            return;
        }

        p = rt_json_skip_space(name_end, last);

        if (p == last || *p != ':') {
            return;
        }

        p = rt_json_skip_space(p + 1, last);
        end = rt_json_value_end(p, last);

        if (end == NULL) {
            return;
        }

        for (i = 0; i < n; i++) {
            /* most differ in the first letter */

            if ((*name == (uint8_t) *names[i] || *name == '\\'
                 || *names[i] == '\0')
                && rt_json_same_name(name, name_end - 1, names[i]))
            {
                values[i].data = p;
                values[i].len = (size_t) (end - p);
            }
        }

        p = rt_json_skip_space(end, last);

        if (p == last || *p != ',') {
            return;
        }

        p = rt_json_skip_space(p + 1, last);
    }
}


int
rt_json_same_name(const uint8_t *p, const uint8_t *last, const char *name)
{
    size_t   i, len;
    uint8_t  utf8[RT_JSON_UTF8_MAX];

    while (p < last) {

        if (*p != '\\') {
            if (*p++ != (uint8_t) *name++) {
                return 0;
            }

            continue;
        }

        len = rt_json_unescape(&p, last, utf8);

        if (len == 0) {
            return 0;
        }

        for (i = 0; i < len; i++) {

            /* \u0000 is not the end of the name */

            if (utf8[i] == '\0' || utf8[i] != (uint8_t) *name++) {
                return 0;
            }
        }
    }

    return *name == '\0';
}


static const uint8_t *
rt_json_value_end(const uint8_t *p, const uint8_t *last)
{
    if (p == last) {
        return NULL;
    }

    switch (*p) {

    case '"':
        return rt_json_string_end(p, last);

    case '{':
    case '[':
        return rt_json_nested_end(p, last);

    default:
        while (p < last && *p > ' ' && *p != ',' && *p != '}' && *p != ']') {
            p++;
        }

        return p;
    }
}


/* in a good text every bracket is closed by its own kind: counting will do */

static const uint8_t *
rt_json_nested_end(const uint8_t *p, const uint8_t *last)
{
    unsigned  depth;

    depth = 0;

    while (p < last) {

        switch (*p) {

        case '"':
            p = rt_json_string_end(p, last);

            if (p == NULL) {
                return NULL;
            }

            continue;

        case '{':
        case '[':
            depth++;
            break;

        case '}':
        case ']':
            if (--depth == 0) {
                return p + 1;
            }
            break;
        }

        p++;
    }

    return NULL;
}
