
/*
 * Copyright (C) ngx_realtime contributors
 */

/* JSON without a tree: what is accepted, where values are cut, strings. */

#include "rt_json.h"
#include "tap.h"


#define json_str(s)    s, sizeof(s) - 1
#define json_count(a)  (sizeof(a) / sizeof(a[0]))


typedef struct {
    const char  *in;
    size_t       len;
} json_text_t;


/* also inside an array, and there without any last part of it */

static const json_text_t  json_good[] = {
    { json_str("[]") },
    { json_str("{}") },
    { json_str("[ ]") },
    { json_str("{\t}") },
    { json_str(" \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2 \t\r\n] \t\r\n") },
    { json_str(" { \"a\" : 1 , \"b\" : [ ] } ") },
    { json_str("[[],[[]],{}]") },
    { json_str("{\"a\":{\"b\":{\"c\":[]}},\"d\":{}}") },
    { json_str("{\"\":0}") },
    { json_str("{\"a\":1,\"a\":2}") },
    { json_str("{\"\\u0000\":1}") },
    { json_str("{\"a\\\"}\":\"{\"}") },

    { json_str("true") },
    { json_str("false") },
    { json_str("null") },
    { json_str("[true,false,null]") },

    { json_str("0") },
    { json_str("-0") },
    { json_str("7") },
    { json_str("-10") },
    { json_str("0.0") },
    { json_str("-0.5") },
    { json_str("10.05") },
    { json_str("0e0") },
    { json_str("1E5") },
    { json_str("1e+5") },
    { json_str("1E-05") },
    { json_str("1.5e10") },
    { json_str("0e+00") },
    { json_str("123456789012345678901234567890") },
    { json_str("1e999") },
    { json_str("-1e-999") },

    { json_str("\"\"") },
    { json_str("\"a\"") },
    { json_str("\"1234567\"") },
    { json_str("\"12345678\"") },
    { json_str("\"123456789\"") },
    { json_str("\"1234567\\n90123456\\\\\"") },
    { json_str("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"") },
    { json_str("\"\\u0000\\u12aF\\uabcD\\uFFFF\"") },
    { json_str("\"\\ud83d\\ude00\"") },
    { json_str("\"\\ud800\"") },
    { json_str("\"\\udc00\\ud800x\"") },
    { json_str("\"\\\\u00zz\"") },
    { json_str("\" \x7f'/[]{}:,\"") },
    { json_str("\"\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80\"") },
    { json_str("\"\xff\xc0\x80\xed\xa0\x80\"") },

    { json_str("[\"message:send\",{\"conversation\":\"018f2c6e-7d3a-7b1e\","
               "\"client_id\":\"c-1\",\"content\":\"Hello \\\"you\\\"\"}]") }
};


static const json_text_t  json_bad[] = {
    { json_str("") },
    { json_str(" ") },
    { json_str("[1] x") },
    { json_str("[1][2]") },
    { json_str("1 2") },
    { json_str("[1],") },
    { json_str("[]]") },
    { json_str("{}}") },
    { json_str("]") },
    { json_str("}") },
    { json_str(",") },
    { json_str(":") },
    { json_str("[}") },
    { json_str("{]") },
    { json_str("[1}") },
    { json_str("{\"a\":1]") },
    { json_str("[{]}") },
    { json_str("[,]") },
    { json_str("[,1]") },
    { json_str("[1,]") },
    { json_str("[1,,2]") },
    { json_str("[1 2]") },
    { json_str("[\"a\" \"b\"]") },
    { json_str("[\"a\"\"b\"]") },
    { json_str("[[] []]") },
    { json_str("[\"a\":1]") },
    { json_str("[1:2]") },

    { json_str("{,}") },
    { json_str("{\"a\"}") },
    { json_str("{\"a\":}") },
    { json_str("{\"a\":]") },
    { json_str("{\"a\":,}") },
    { json_str("{\"a\",1}") },
    { json_str("{\"a\" 1}") },
    { json_str("{\"a\"::1}") },
    { json_str("{:1}") },
    { json_str("{\"a\":1,}") },
    { json_str("{\"a\":1,,\"b\":2}") },
    { json_str("{,\"a\":1}") },
    { json_str("{\"a\":1 \"b\":2}") },
    { json_str("{\"a\":1,2}") },
    { json_str("{\"a\":1:2}") },
    { json_str("{\"a\":1,\"b\"}") },
    { json_str("{\"a\":1,\"b\":}") },
    { json_str("{a:1}") },
    { json_str("{1:1}") },
    { json_str("{null:1}") },
    { json_str("{[]:1}") },
    { json_str("{'a':1}") },
    { json_str("{{}}") },

    { json_str("t") },
    { json_str("tru") },
    { json_str("truE") },
    { json_str("True") },
    { json_str("truex") },
    { json_str("true1") },
    { json_str("fals") },
    { json_str("nul") },
    { json_str("nullnull") },
    { json_str("undefined") },
    { json_str("NaN") },
    { json_str("-NaN") },
    { json_str("Infinity") },
    { json_str("-Infinity") },

    { json_str("-") },
    { json_str("--1") },
    { json_str("+1") },
    { json_str("- 1") },
    { json_str("-a") },
    { json_str("00") },
    { json_str("01") },
    { json_str("-01") },
    { json_str("-00") },
    { json_str(".5") },
    { json_str("-.5") },
    { json_str("1.") },
    { json_str("1.e5") },
    { json_str("1.+5") },
    { json_str("0.e1") },
    { json_str("1.5.5") },
    { json_str("1e") },
    { json_str("1E+") },
    { json_str("1e-") },
    { json_str("1e+-5") },
    { json_str("1e5.5") },
    { json_str("1ee5") },
    { json_str("1eE5") },
    { json_str("e5") },
    { json_str("1_000") },
    { json_str("1 000") },
    { json_str("0x10") },
    { json_str("1f") },
    { json_str("12a") },
    { json_str("1\0") },
    { json_str("\xef\xbc\x91") },

    { json_str("\"") },
    { json_str("\"a") },
    { json_str("a\"") },
    { json_str("'a'") },
    { json_str("\"\\\"") },
    { json_str("\"\\") },
    { json_str("\"\\x41\"") },
    { json_str("\"\\a\"") },
    { json_str("\"\\v\"") },
    { json_str("\"\\0\"") },
    { json_str("\"\\'\"") },
    { json_str("\"\\N\"") },
    { json_str("\"\\ n\"") },
    { json_str("\"\\\n\"") },
    { json_str("\"\\\xc3\xa9\"") },
    { json_str("\"\\U0041\"") },
    { json_str("\"\\u\"") },
    { json_str("\"\\u0\"") },
    { json_str("\"\\u00\"") },
    { json_str("\"\\u004\"") },
    { json_str("\"\\u004g\"") },
    { json_str("\"\\ug041\"") },
    { json_str("\"\\u 041\"") },
    { json_str("\"\\u+041\"") },
    { json_str("\"\\u-041\"") },
    { json_str("\"\\u004@\"") },
    { json_str("\"\\u004`\"") },
    { json_str("\"\\u004/\"") },
    { json_str("\"\\u004:\"") },
    { json_str("\"\\ud83d\\u\"") },
    { json_str("\"\\ud83d\\\"") },
    { json_str("\"\\ud83d\\ude0\"") },
    { json_str("\"\\u{41}\"") },
    { json_str("\"\t\"") },
    { json_str("\"a\nb\"") },
    { json_str("\"a\rb\"") },
    { json_str("\"\0\"") },
    { json_str("\"1234567\x1f\"") },
    { json_str("\"12345678\x1f""23456789\"") },
    { json_str("{\"a\nb\":1}") },
    { json_str("{\"a\\x\":1}") },

    { json_str("\xef\xbb\xbf{}") },
    { json_str("\xff\xfe[\0]\0") },
    { json_str("\0") },
    { json_str("[\0]") },
    { json_str("[1]\0") },
    { json_str("[\f]") },
    { json_str("[\v1]") },
    { json_str("[\xc2\xa0]") },
    { json_str("[\xe2\x81\xa0]") },
    { json_str("[1]//") },
    { json_str("/**/[1]") },
    { json_str("[1/**/]") },
    { json_str("#\n[1]") },
    { json_str("*") },
    { json_str("\\u005b\\u005d") },
    { json_str("<null>") }
};


/* n times "open", 1, n times "close" */

static const struct {
    const char  *open;
    const char  *close;
    unsigned     n;
    int          rc;
    const char  *name;
} json_depths[] = {
    { "[", "]", RT_JSON_DEPTH, RT_OK, "deepest arrays" },
    { "[", "]", RT_JSON_DEPTH + 1, RT_ERROR, "arrays too deep" },
    { "{\"a\":", "}", RT_JSON_DEPTH, RT_OK, "deepest objects" },
    { "{\"a\":", "}", RT_JSON_DEPTH + 1, RT_ERROR, "objects too deep" },
    { "[{\"a\":", "}]", RT_JSON_DEPTH / 2, RT_OK, "deepest of both" },
    { "[{\"a\":", "}]", RT_JSON_DEPTH / 2 + 1, RT_ERROR, "both too deep" },
    { "[[],{},", "]", RT_JSON_DEPTH - 1, RT_OK, "siblings do not add up" },
    { "[\"[[{{\",", "]", RT_JSON_DEPTH, RT_OK, "brackets in strings" },
    { "[", "", 100000, RT_ERROR, "100000 arrays without an end" },
    { "{\"a\":", "", 100000, RT_ERROR, "100000 objects without an end" }
};


/* the items that are there, "|" after each */

static const struct {
    const char  *in;
    size_t       count;
    const char  *items;
} json_arrays[] = {
    { "[]", 0, "" },
    { "[ \n ]", 0, "" },
    { "[1]", 1, "1|" },
    { "[-1.5e+3]", 1, "-1.5e+3|" },
    { "[ 1 , \"a\" ]", 2, "1|\"a\"|" },
    { "[true,\tfalse\n,null\r]", 3, "true|false|null|" },
    { "[[1,[2]],{\"a\":[3]},4]", 3, "[1,[2]]|{\"a\":[3]}|4|" },
    { "[{ } ,[ ] ]", 2, "{ }|[ ]|" },
    { "[\"a,]b\",\"\\\"]\",\"\\\\\"]", 3, "\"a,]b\"|\"\\\"]\"|\"\\\\\"|" },
    { "[{\"a\":\"}]\",\"]\":[\"}\"]},1]", 2, "{\"a\":\"}]\",\"]\":[\"}\"]}|1|" },
    { "[\"a\",\"b\",\"c\",\"d\"]", 4, "\"a\"|\"b\"|\"c\"|\"d\"|" },
    { "[1,2,3,4,5,6]", 6, "1|2|3|4|" },
    { "{\"a\":1}", 0, "" },
    { "\"[1]\"", 0, "" }
};


static const struct {
    const char  *in;
    const char  *rest;
} json_rests[] = {
    { "[\"message\",1,\"2\",{\"a\":[true]}]", "1,\"2\",{\"a\":[true]}" },
    { "[1,2]", "2" },
    { "[1]", "" },
    { "[]", "" },
    { "[ \n ]", "" },
    { "[ 1 ]", "" },
    { "[ 1 , 2 , 3 ]", "2 , 3" },
    { "[1,\t[ 2 ] \n]\r\n", "[ 2 ]" },
    { "[1] ", "" },
    { "[[1,2],3]", "3" },
    { "[{\"a\":[1,2]} ,3]", "3" },
    { "[\"a,b\",1.50e+1]", "1.50e+1" },
    { "[\"\\\",]\",\"\\u0061\"]", "\"\\u0061\"" },
    { "[true,false,null]", "false,null" },
    { "{\"a\":1,\"b\":2}", "" },
    { "\"[1,2]\"", "" },
    { "12", "" },
    { "", "" }
};


/* NULL: no such member */

static const struct {
    const char  *in;
    const char  *name;
    const char  *value;
} json_objects[] = {
    { "{}", "a", NULL },
    { "{ }", "a", NULL },
    { "{}", "", NULL },
    { "{\"\":1}", "", "1" },
    { "{\"\":1}", "a", NULL },
    { "{\"a\":1}", "a", "1" },
    { "{\"a\":1}", "", NULL },
    { "{\"a\":1}", "A", NULL },
    { "{\"a\":1}", "ab", NULL },
    { "{\"ab\":1}", "a", NULL },
    { "{\"a\":1,\"b\":2}", "b", "2" },
    { "{ \"a\" : 1 , \"b\" : 2 }", "a", "1" },
    { "{\n\"a\"\t:\r\n2\n}", "a", "2" },
    { "{\"a\":\"b\",\"b\":\"c\"}", "b", "\"c\"" },
    { "{\"x\":\"\\\"a\\\":1\",\"a\":2}", "a", "2" },
    { "{\"x\":{\"a\":1},\"y\":[{\"a\":2}]}", "a", NULL },
    { "{\"x\":{\"a\":1},\"a\":[ {\"a\":2} ] }", "a", "[ {\"a\":2} ]" },
    { "{\"a\":null,\"b\":true}", "a", "null" },

    /* the last one counts, as in JavaScript */

    { "{\"a\":1,\"a\":2}", "a", "2" },
    { "{\"a\":1,\"b\":3,\"\\u0061\":{}}", "a", "{}" },
    { "{\"\\u0061\":1,\"a\":2}", "a", "2" },

    { "{\"\\u0061b\":1}", "ab", "1" },
    { "{\"a\\u0062\":1}", "ab", "1" },
    { "{\"a\\u0062\":1}", "a", NULL },
    { "{\"a\\u0062\":1}", "abc", NULL },
    { "{\"a\\/b\":1}", "a/b", "1" },
    { "{\"a\\n\":1}", "a\n", "1" },
    { "{\"a\\n\":1}", "an", NULL },
    { "{\"\\\"\\\\\":1}", "\"\\", "1" },
    { "{\"\\\\u0061\":1}", "a", NULL },
    { "{\"\\\\u0061\":1}", "\\u0061", "1" },
    { "{\"\\u00e9\":1}", "\xc3\xa9", "1" },
    { "{\"\xc3\xa9\":1}", "\xc3\xa9", "1" },
    { "{\"\\ud83d\\ude00\":1}", "\xf0\x9f\x98\x80", "1" },
    { "{\"\\ud83d\":1}", "\xed\xa0\xbd", NULL },
    { "{\"a\\u0000\":1}", "a", NULL },
    { "{\"\\u0000\":1}", "", NULL },
    { "{\"\\u0000a\":1}", "a", NULL },

    { "[\"a\",1]", "a", NULL },
    { "\"a\"", "a", NULL },
    { "1", "a", NULL }
};


/* out NULL: refused */

static const struct {
    const char  *in;
    const char  *out;
    size_t       len;
} json_strings[] = {
    { "\"\"", json_str("") },
    { "\"a\"", json_str("a") },
    { "\"0123456789abcdef\"", json_str("0123456789abcdef") },
    { "\"\xc3\xa9\"", json_str("\xc3\xa9") },
    { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", json_str("\"\\/\b\f\n\r\t") },
    { "\"a\\nb\"", json_str("a\nb") },
    { "\"\\nab\\n\"", json_str("\nab\n") },
    { "\"abcdefgh\\u0041ijklmnop\\\\qrst\"",
      json_str("abcdefghAijklmnop\\qrst") },
    { "\"\\\\\"", json_str("\\") },
    { "\"\\\\\\\\n\"", json_str("\\\\n") },
    { "\"\\\\u0041\"", json_str("\\u0041") },
    { "\"\\u0000\"", json_str("\0") },
    { "\"a\\u0000b\"", json_str("a\0b") },
    { "\"\\u007f\\u0080\"", json_str("\x7f\xc2\x80") },
    { "\"\\u07ff\\u0800\"", json_str("\xdf\xbf\xe0\xa0\x80") },
    { "\"\\ud7ff\\ue000\"", json_str("\xed\x9f\xbf\xee\x80\x80") },
    { "\"\\uFFFF\\uabCD\"", json_str("\xef\xbf\xbf\xea\xaf\x8d") },
    { "\"\\ud800\\udc00\"", json_str("\xf0\x90\x80\x80") },
    { "\"\\uDBFF\\uDFFF\"", json_str("\xf4\x8f\xbf\xbf") },
    { "\"x\\ud83d\\ude00y\\ud83d\\ude01\"",
      json_str("x\xf0\x9f\x98\x80y\xf0\x9f\x98\x81") },

    { "\"\\ud800\"", NULL, 0 },
    { "\"\\udbff\"", NULL, 0 },
    { "\"\\udc00\"", NULL, 0 },
    { "\"\\udfff\"", NULL, 0 },
    { "\"a\\ud800b\"", NULL, 0 },
    { "\"\\ud800\\n\"", NULL, 0 },
    { "\"\\ud800 \\udc00\"", NULL, 0 },
    { "\"\\ud800abcdefgh\"", NULL, 0 },
    { "\"\\ud800\\\\udc00\"", NULL, 0 },
    { "\"\\ud800\\ud800\"", NULL, 0 },
    { "\"\\ud800\\ud800\\udc00\"", NULL, 0 },
    { "\"\\ud800\\u0041\"", NULL, 0 },
    { "\"\\ud800\\ue000\"", NULL, 0 },
    { "\"\\udc00\\ud800\"", NULL, 0 },
    { "\"\\ud83d\\ude00\\ud83d\"", NULL, 0 },

    { "", NULL, 0 },
    { "1", NULL, 0 },
    { "12", NULL, 0 },
    { "null", NULL, 0 },
    { "[\"a\"]", NULL, 0 }
};


static int
json_check(const void *text, size_t len)
{
    int       rc;
    uint8_t  *p;

    p = tap_exact(text, len);
    rc = rt_json_check(p, len);
    free(p);

    return rc;
}


static rt_str_t
json_slice(const uint8_t *p, size_t len)
{
    rt_str_t  value;

    value.data = p;
    value.len = len;

    return value;
}


/* no first part of an array is a text of its own */

static void
json_test_good(const json_text_t *text, size_t n)
{
    int     rc;
    char    array[256];
    size_t  len, passed;

    tap_ok(json_check(text->in, text->len) == RT_OK, "good text %zu", n);

    array[0] = '[';
    memcpy(array + 1, text->in, text->len);
    array[text->len + 1] = ']';

    rc = json_check(array, text->len + 2);

    for (passed = 0, len = 0; len < text->len + 2; len++) {
        passed += json_check(array, len) == RT_OK;
    }

    tap_ok(rc == RT_OK && passed == 0, "good text %zu as a whole only",
           n);
}


/* nor does an array around it, or a member, make it any better */

static void
json_test_bad(const json_text_t *text, size_t n)
{
    char    in[256];
    size_t  len;

    tap_ok(json_check(text->in, text->len) == RT_ERROR, "bad text %zu", n);

    len = rt_json_trim((const uint8_t *) text->in, text->len).len;

    if (len == 0) {
        return;
    }

    memcpy(in, "{\"a\":[0,", 8);
    memcpy(in + 8, text->in, text->len);
    memcpy(in + 8 + text->len, ",0]}", 4);

    /* two values, and brackets, may fit in there */

    if (memchr("1[],:{}", text->in[0], 7) == NULL) {
        tap_ok(json_check(in, text->len + 12) == RT_ERROR,
               "bad text %zu inside", n);
    }
}


static void
json_test_depth(size_t n)
{
    char      *text, *p;
    size_t     open, close;
    unsigned   i, times;

    times = json_depths[n].n;
    open = strlen(json_depths[n].open);
    close = strlen(json_depths[n].close);

    text = malloc(times * (open + close) + 1);
    if (text == NULL) {
        abort();
    }

    p = text;

    for (i = 0; i < times; i++, p += open) {
        memcpy(p, json_depths[n].open, open);
    }

    *p++ = '1';

    for (i = 0; i < times; i++, p += close) {
        memcpy(p, json_depths[n].close, close);
    }

    tap_ok(json_check(text, (size_t) (p - text)) == json_depths[n].rc, "%s",
           json_depths[n].name);

    free(text);
}


static void
json_test_array(size_t n)
{
    char        got[256], *p;
    size_t      i, len, count;
    uint8_t    *text;
    rt_str_t    items[4], array;

    len = strlen(json_arrays[n].in);
    text = tap_exact(json_arrays[n].in, len);
    array = json_slice(text, len);

    count = rt_json_items(array, items, json_count(items));

    tap_ok(count == json_arrays[n].count, "items of array %zu", n);
    tap_ok(rt_json_items(array, NULL, 0) == count, "only counted");

    p = got;

    for (i = 0; i < count && i < json_count(items); i++) {
        memcpy(p, items[i].data, items[i].len);
        p += items[i].len;
        *p++ = '|';
    }

    *p = '\0';

    tap_is(got, json_arrays[n].items, "array %zu cut up", n);

    free(text);
}


static void
json_test_rest(size_t n)
{
    size_t       len;
    uint8_t     *text;
    rt_str_t     rest;
    const char  *want;

    want = json_rests[n].rest;
    len = strlen(json_rests[n].in);
    text = tap_exact(json_rests[n].in, len);

    rest = rt_json_rest(json_slice(text, len));

    tap_bytes(rest.data, rest.len, want, strlen(want), "rest %zu", n);

    free(text);
}


static void
json_test_object(size_t n)
{
    size_t       len;
    uint8_t     *text;
    rt_str_t     value;
    const char  *want;

    len = strlen(json_objects[n].in);
    text = tap_exact(json_objects[n].in, len);
    want = json_objects[n].value;

    rt_json_members(json_slice(text, len), &json_objects[n].name, &value, 1);

    if (want == NULL) {
        tap_ok(value.data == NULL && value.len == 0, "object %zu has no such", n);

    } else {
        tap_bytes(value.data, value.len, want, strlen(want), "object %zu", n);
    }

    free(text);
}


static void
json_test_string(size_t n)
{
    int       rc;
    size_t    len;
    uint8_t  *text;
    rt_str_t  out;

    len = strlen(json_strings[n].in);
    text = tap_exact(json_strings[n].in, len);

    rc = rt_json_string(text, len, &out);

    if (json_strings[n].out == NULL) {
        tap_ok(rc == RT_ERROR, "no string %zu", n);

    } else if (rc != RT_OK) {
        tap_ok(0, "string %zu", n);

    } else {
        tap_bytes(out.data, out.len, json_strings[n].out, json_strings[n].len,
                  "string %zu", n);
    }

    free(text);
}


static void
json_test_type(void)
{
    size_t    i;
    rt_str_t  value;

    static const struct {
        const char  *in;
        char         type;
    } types[] = {
        { "{}", '{' }, { "[]", '[' }, { "\"\"", '"' }, { "true", 't' },
        { "false", 'f' }, { "null", 'n' }, { "0", '0' }, { "9.5", '0' },
        { "-1", '0' }, { "", '\0' }
    };

    for (i = 0; i < json_count(types); i++) {
        value = json_slice((const uint8_t *) types[i].in,
                           strlen(types[i].in));

        tap_ok(rt_json_type(value) == types[i].type, "type of \"%s\"",
               types[i].in);
    }
}


static void
json_test_trim(void)
{
    rt_str_t  value;

    value = rt_json_trim((const uint8_t *) " \t[ 1 ]\r\n", 9);
    tap_bytes(value.data, value.len, "[ 1 ]", 5, "trimmed on both sides");

    value = rt_json_trim((const uint8_t *) "1", 1);
    tap_bytes(value.data, value.len, "1", 1, "nothing to trim");

    value = rt_json_trim((const uint8_t *) " \n", 2);
    tap_ok(value.len == 0, "nothing left");
}


/* as an event is read: text, arguments, members, strings */

static void
json_test_event(void)
{
    size_t    i, len;
    uint8_t  *text;
    rt_str_t  args[2], values[4], s;

    static const char  event[] =
        " [\"message:send\", {\"content\":\"\\u00e9\\n\", \"more\":"
        "{\"content\":2},\"client_id\":\"c\\\"1\",\"n\":1}] ";
    static const char *const  names[] = {
        "client_id", "content", "absent", "n"
    };
    static const char *const  want[] = { "c\"1", "\xc3\xa9\n" };

    len = sizeof(event) - 1;
    text = tap_exact(event, len);

    tap_ok(rt_json_check(text, len) == RT_OK, "an event");
    tap_ok(rt_json_items(rt_json_trim(text, len), args, 2) == 2,
           "its name and an argument");

    rt_json_members(args[1], names, values, 4);

    tap_ok(values[2].data == NULL, "no such member");
    tap_bytes(values[3].data, values[3].len, "1", 1, "a number");

    for (i = 0; i < 2; i++) {
        if (rt_json_string(text + (values[i].data - text), values[i].len, &s)
            != RT_OK)
        {
            s.len = 0;
        }

        tap_bytes(s.data, s.len, want[i], strlen(want[i]), "%s", names[i]);
    }

    free(text);
}


/* what has not passed, or was changed, is not read beyond */

static void
json_test_unchecked(const json_text_t *text)
{
    size_t       len;
    uint8_t     *p;
    rt_str_t     value, items[2];
    const char  *name;

    name = "a";

    for (len = 0; len <= text->len; len++) {
        p = tap_exact(text->in, len);

        (void) rt_json_items(json_slice(p, len), items, 2);
        (void) rt_json_rest(json_slice(p, len));
        rt_json_members(json_slice(p, len), &name, &value, 1);
        (void) rt_json_string(p, len, &value);

        free(p);
    }
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < json_count(json_good); i++) {
        json_test_good(&json_good[i], i);
        json_test_unchecked(&json_good[i]);
    }

    for (i = 0; i < json_count(json_bad); i++) {
        json_test_bad(&json_bad[i], i);
        json_test_unchecked(&json_bad[i]);
    }

    for (i = 0; i < json_count(json_depths); i++) {
        json_test_depth(i);
    }

    for (i = 0; i < json_count(json_arrays); i++) {
        json_test_array(i);
    }

    for (i = 0; i < json_count(json_rests); i++) {
        json_test_rest(i);
    }

    for (i = 0; i < json_count(json_objects); i++) {
        json_test_object(i);
    }

    for (i = 0; i < json_count(json_strings); i++) {
        json_test_string(i);
    }

    json_test_type();
    json_test_trim();
    json_test_event();

    return tap_done();
}
