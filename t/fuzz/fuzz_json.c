
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * JSON without a tree beside jansson: the same texts are good, but for what
 * jansson has no value for, and the values cut out are those of its tree.
 */

#include <math.h>

#include "fuzz.h"
#include "rt_json.h"
#include "rt_utf8.h"


#define FUZZ_NAMES  32      /* that rt_json_members() takes at once */


static void fuzz_value(rt_str_t value, json_t *node);


/* exact, so that AddressSanitizer sees what is read beyond */

static uint8_t *
fuzz_copy(const uint8_t *p, size_t len)
{
    uint8_t  *copy;

    copy = malloc(len ? len : 1);
    fuzz_assert(copy);

    if (len) {
        memcpy(copy, p, len);
    }

    return copy;
}


static double
fuzz_number(const uint8_t *p, size_t len)
{
    char    *text, *end;
    double   number;

    text = malloc(len + 1);
    fuzz_assert(text);

    memcpy(text, p, len);
    text[len] = '\0';

    number = strtod(text, &end);
    fuzz_assert(end == text + len);

    free(text);

    return number;
}


/* a string of a good text that is not in a tree */

static int
fuzz_strange_string(const uint8_t *p, size_t len, int name)
{
    int       strange;
    uint8_t  *copy;
    rt_str_t  s;

    copy = fuzz_copy(p, len);

    strange = rt_json_string(copy, len, &s) != RT_OK
              || (name && memchr(s.data, '\0', s.len));

    free(copy);

    return strange;
}


/* half a surrogate pair, NUL in a name, a number that is too large */

static int
fuzz_strange(const uint8_t *p, size_t len)
{
    int             name;
    const uint8_t  *first, *last;

    last = p + len;

    while (p < last) {
        first = p;

        if (*p == '"') {
            for (p++; *p != '"'; p++) {
                p += *p == '\\';
            }

            p++;
            name = (rt_json_trim(p, (size_t) (last - p)).len
                    && *rt_json_trim(p, (size_t) (last - p)).data == ':');

            if (fuzz_strange_string(first, (size_t) (p - first), name)) {
                return 1;
            }

        } else if (*p == '-' || (*p >= '0' && *p <= '9')) {
            while (p < last && memchr("+-.0123456789Ee", *p, 15)) {
                p++;
            }

            if (isinf(fuzz_number(first, (size_t) (p - first)))) {
                return 1;
            }

        } else {
            p++;
        }
    }

    return 0;
}


static void
fuzz_string(rt_str_t value, json_t *node)
{
    size_t    size;
    uint8_t  *copy, *out;
    rt_str_t  s;

    copy = fuzz_copy(value.data, value.len);

    fuzz_assert(rt_json_string(copy, value.len, &s) == RT_OK);
    fuzz_assert(s.data >= copy && s.data + s.len < copy + value.len);
    fuzz_assert(s.len == json_string_length(node));
    fuzz_assert(memcmp(s.data, json_string_value(node), s.len) == 0);

    /* escaped, it is the same string again */

    size = rt_json_escaped(s.data, s.len);
    out = malloc(size + 2);
    fuzz_assert(out);

    out[0] = '"';
    fuzz_assert(rt_json_escape(out + 1, s.data, s.len) == out + 1 + size);
    out[size + 1] = '"';

    free(copy);

    fuzz_assert(rt_json_check(out, size + 2) == RT_OK);
    fuzz_assert(rt_json_string(out, size + 2, &s) == RT_OK);
    fuzz_assert(s.len == json_string_length(node));
    fuzz_assert(memcmp(s.data, json_string_value(node), s.len) == 0);

    free(out);
}


static void
fuzz_array(rt_str_t value, json_t *node)
{
    size_t     i, n;
    rt_str_t  *items, rest;

    n = json_array_size(node);
    items = malloc((n + 1) * sizeof(rt_str_t));
    fuzz_assert(items);

    fuzz_assert(rt_json_items(value, items, n) == n);

    for (i = 0; i < n; i++) {
        fuzz_assert(items[i].data > value.data);
        fuzz_assert(items[i].data + items[i].len < value.data + value.len);
        fuzz_value(items[i], json_array_get(node, i));
    }

    rest = rt_json_rest(value);

    if (n > 1) {
        fuzz_assert(rest.data == items[1].data);
        fuzz_assert(rest.data + rest.len
                    == items[n - 1].data + items[n - 1].len);

    } else {
        fuzz_assert(rest.len == 0);
    }

    free(items);
}


static void
fuzz_members(rt_str_t value, const char **names, json_t **nodes, size_t n)
{
    size_t    i;
    rt_str_t  members[FUZZ_NAMES];

    rt_json_members(value, names, members, n);

    for (i = 0; i < n; i++) {
        fuzz_assert(members[i].data > value.data);
        fuzz_assert(members[i].data + members[i].len
                    < value.data + value.len);
        fuzz_value(members[i], nodes[i]);
    }
}


static void
fuzz_object(rt_str_t value, json_t *node)
{
    size_t       n;
    json_t      *item, *nodes[FUZZ_NAMES];
    rt_str_t     absent;
    const char  *key, *names[FUZZ_NAMES];

    n = 0;

    json_object_foreach(node, key, item) {
        names[n] = key;
        nodes[n++] = item;

        if (n == FUZZ_NAMES) {
            fuzz_members(value, names, nodes, n);
            n = 0;
        }
    }

    fuzz_members(value, names, nodes, n);

    /* of many names of the seeds, these may be there or not */

    for (n = 0; n < 2; n++) {
        names[0] = n ? "" : "a";
        item = json_object_get(node, names[0]);

        rt_json_members(value, names, &absent, 1);
        fuzz_assert((item != NULL) == (absent.data != NULL));
    }
}


/* a slice is exactly one value, and that of the tree */

static void
fuzz_value(rt_str_t value, json_t *node)
{
    rt_str_t     s;
    const char  *word;

    s = rt_json_trim(value.data, value.len);

    fuzz_assert(s.data == value.data && s.len == value.len);
    fuzz_assert(rt_json_check(value.data, value.len) == RT_OK);

    word = NULL;

    switch (rt_json_type(value)) {

    case '{':
        fuzz_assert(json_is_object(node));
        fuzz_object(value, node);
        return;

    case '[':
        fuzz_assert(json_is_array(node));
        fuzz_array(value, node);
        return;

    case '"':
        fuzz_assert(json_is_string(node));
        fuzz_string(value, node);
        return;

    case '0':
        fuzz_assert(json_is_real(node));
        fuzz_assert(fuzz_number(value.data, value.len)
                    == json_real_value(node));
        return;

    case 't':
        fuzz_assert(json_is_true(node));
        word = "true";
        break;

    case 'f':
        fuzz_assert(json_is_false(node));
        word = "false";
        break;

    case 'n':
        fuzz_assert(json_is_null(node));
        word = "null";
        break;
    }

    fuzz_assert(word && value.len == strlen(word));
    fuzz_assert(memcmp(value.data, word, value.len) == 0);
}


/* what has not passed must not lead a reader out of its slice */

static void
fuzz_unchecked(const uint8_t *data, size_t size)
{
    uint8_t     *copy;
    rt_str_t     value, out, items[4];

    static const char *const  names[] = { "a", "content", "" };

    copy = fuzz_copy(data, size);
    value = rt_json_trim(copy, size);

    (void) rt_json_items(value, items, 4);
    (void) rt_json_rest(value);
    rt_json_members(value, names, items, 3);
    (void) rt_json_string(copy, size, &out);

    free(copy);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int        rc;
    json_t    *root;
    uint8_t   *text;

    json_object_seed(1);       /* a run can be repeated */

    fuzz_unchecked(data, size);

    text = fuzz_copy(data, size);
    rc = rt_json_check(text, size);

    if (rt_json_parse(text, size, &root) == RT_OK) {
        fuzz_assert(rc == RT_OK);
        fuzz_value(rt_json_trim(text, size), root);
        json_decref(root);

    } else if (rc == RT_OK) {
        fuzz_assert(fuzz_strange(text, size)
                    || rt_utf8_check(text, size) != RT_OK);
    }

    free(text);

    return 0;
}
