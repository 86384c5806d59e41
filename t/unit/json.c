
/*
 * Copyright (C) ngx_realtime contributors
 */

/* JSON in: what is accepted, and how deep.  JSON out: what is escaped. */

#include "rt_json.h"
#include "tap.h"


#define json_str(s)  s, sizeof(s) - 1


static const struct {
    const char  *in;
    size_t       len;
    const char  *out;     /* as jansson prints it; NULL: refused */
    const char  *name;
} json_cases[] = {
    { json_str("{\"a\":1}"), "{\"a\":1.0}", "object" },
    { json_str("[\"a\",null,true,false]"), "[\"a\",null,true,false]",
      "array" },
    { json_str("\"a\""), "\"a\"", "string alone" },
    { json_str("1"), "1.0", "number alone" },
    { json_str("null"), "null", "null alone" },
    { json_str(" \t\r\n[ ] \n"), "[]", "white space" },
    { json_str("123456789012345678901234567890"),
      "1.2345678901234568e29", "long integer" },
    { json_str("-0"), "-0.0", "minus 0" },
    { json_str("1e-999"), "0.0", "underflow" },
    { json_str("\"a\\u0000b\""), "\"a\\u0000b\"", "NUL in a string" },
    { json_str("{\"a\":1,\"a\":2}"), "{\"a\":2.0}", "last of two keys" },
    { json_str("\"\\ud83d\\ude00\""), "\"\xf0\x9f\x98\x80\"",
      "surrogate pair" },
    { json_str("\"\xc3\xa9\""), "\"\xc3\xa9\"", "UTF-8" },

    { json_str(""), NULL, "nothing" },
    { json_str("   "), NULL, "white space only" },
    { json_str("[1,]"), NULL, "trailing comma" },
    { json_str("[1"), NULL, "no end" },
    { json_str("[1]]"), NULL, "two ends" },
    { json_str("]"), NULL, "only an end" },
    { json_str("[1] x"), NULL, "rest after the value" },
    { json_str("[1][2]"), NULL, "two values" },
    { json_str("[1]\0"), NULL, "NUL after the value" },
    { json_str("1\0"), NULL, "NUL after a number" },
    { json_str("[1\0,true\0]"), NULL, "NUL after words" },
    { json_str("[1}"), NULL, "wrong bracket" },
    { json_str("{a:1}"), NULL, "key without quotes" },
    { json_str("'a'"), NULL, "single quotes" },
    { json_str("\"a"), NULL, "no closing quote" },
    { json_str("\"a\\"), NULL, "backslash at the end" },
    { json_str("\"\\x\""), NULL, "unknown escape" },
    { json_str("\"a\nb\""), NULL, "line break in a string" },
    { json_str("\"a\0b\""), NULL, "NUL byte in a string" },
    { json_str("\"\xc3(\""), NULL, "not UTF-8" },
    { json_str("\"\xed\xa0\x80\""), NULL, "surrogate in UTF-8" },
    { json_str("\"\\ud800\""), NULL, "half a pair" },
    { json_str("\xef\xbb\xbf[]"), NULL, "byte order mark" },
    { json_str("01"), NULL, "leading 0" },
    { json_str("+1"), NULL, "plus" },
    { json_str("NaN"), NULL, "NaN" },
    { json_str("1e999"), NULL, "overflow" },
    { json_str("/* */ 1"), NULL, "comment" },
    { json_str("tru"), NULL, "half a word" },
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
    { "[", "", 100000, RT_ERROR, "100000 without an end" },
    { "[\"[[[{{{\",", "]", RT_JSON_DEPTH, RT_OK, "brackets in strings" },
    { "[\"]]]}}}\",", "]", RT_JSON_DEPTH + 1, RT_ERROR, "ends in strings" },
    { "[\"\\\"]]]\",", "]", RT_JSON_DEPTH + 1, RT_ERROR, "escaped quotes" },
    { "[\"\\\\\",", "]", RT_JSON_DEPTH + 1, RT_ERROR, "escaped backslash" },
    { "[\"\\\"[[[\",", "]", RT_JSON_DEPTH, RT_OK, "brackets after those" },
    { "[[],", "]", RT_JSON_DEPTH - 1, RT_OK, "siblings do not add up" },
};


static const struct {
    const char  *in;
    size_t       len;
    const char  *out;
} json_escapes[] = {
    { json_str(""), "" },
    { json_str("plain text"), "plain text" },
    { json_str("\"\\/"), "\\\"\\\\/" },
    { json_str("\b\f\n\r\t"), "\\b\\f\\n\\r\\t" },
    { json_str("\0\x01\x1f\x7f"), "\\u0000\\u0001\\u001f\x7f" },
    { json_str("</script>&amp;'"),
      "\\u003c/script\\u003e\\u0026amp;'" },
    { json_str("\xe2\x80\xa8\xe2\x80\xa9"), "\\u2028\\u2029" },
    { json_str("a\xe2\x80\xa8z"), "a\\u2028z" },
    { json_str("\xe2\x80\xa7\xe2\x80\xaa"), "\xe2\x80\xa7\xe2\x80\xaa" },
    { json_str("\xe2\x81\xa8\xe2\x82\xac"), "\xe2\x81\xa8\xe2\x82\xac" },
    { json_str("\xe1\x80\xa8"), "\xe1\x80\xa8" },
    { json_str("\xc3\xa9\xf0\x9f\x98\x80"), "\xc3\xa9\xf0\x9f\x98\x80" },

    /* not valid, but must not be read beyond */

    { json_str("\xe2"), "\xe2" },
    { json_str("\xe2\x80"), "\xe2\x80" },
};


/* whole texts, in which nothing but these characters may change */

static const struct {
    const char  *in;
    size_t       len;
    const char  *out;
} json_inerts[] = {
    { json_str("{}"), "{}" },
    { json_str("[1,\"a b\",null]"), "[1,\"a b\",null]" },
    { json_str("\"</script>\""), "\"\\u003c/script\\u003e\"" },
    { json_str("{\"&\":\"&amp;\"}"), "{\"\\u0026\":\"\\u0026amp;\"}" },
    { json_str("\"\xe2\x80\xa8\xe2\x80\xa9\""), "\"\\u2028\\u2029\"" },
    { json_str("\"\xe2\x80\xa7\xe2\x80\xaa\xe2\x82\xac\""),
      "\"\xe2\x80\xa7\xe2\x80\xaa\xe2\x82\xac\"" },
    { json_str("\"\\u003c\\\"\\\\<\""), "\"\\u003c\\\"\\\\\\u003c\"" },
    { json_str("\"a\xe2\x80"), "\"a\xe2\x80" },   /* cut: as it is */
};


static void
json_test_parse(size_t n)
{
    int       rc;
    char     *out;
    json_t   *value;
    uint8_t  *p;

    p = tap_exact(json_cases[n].in, json_cases[n].len);

    rc = rt_json_parse(p, json_cases[n].len, &value);

    if (json_cases[n].out == NULL) {
        tap_ok(rc == RT_ERROR, "%s is refused", json_cases[n].name);

    } else {
        tap_ok(rc == RT_OK, "%s is accepted", json_cases[n].name);
    }

    if (rc == RT_OK) {
        out = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        tap_is(out, json_cases[n].out ? json_cases[n].out : "",
               "%s is read", json_cases[n].name);
        free(out);
        json_decref(value);
    }

    free(p);
}


static void
json_test_depth(size_t n)
{
    int          rc;
    char        *text, *p;
    size_t       open, close;
    json_t      *value;
    unsigned     i, times;

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

    /* arrays and objects of something: the innermost value */

    *p++ = '1';

    for (i = 0; i < times; i++, p += close) {
        memcpy(p, json_depths[n].close, close);
    }

    rc = rt_json_parse((uint8_t *) text, (size_t) (p - text), &value);

    tap_ok(rc == json_depths[n].rc, "%s", json_depths[n].name);

    if (rc == RT_OK) {
        json_decref(value);
    }

    free(text);
}


static void
json_test_escape(size_t n)
{
    size_t       len, size;
    uint8_t     *p, *end, *out;
    const char  *want;

    len = json_escapes[n].len;
    want = json_escapes[n].out;

    p = tap_exact(json_escapes[n].in, len);

    size = rt_json_escaped(p, len);
    tap_ok(size == strlen(want), "\"%s\" has its length", want);

    out = malloc(size ? size : 1);
    if (out == NULL) {
        abort();
    }

    end = rt_json_escape(out, p, len);
    tap_bytes(out, (size_t) (end - out), want, strlen(want), "\"%s\"", want);

    free(out);
    free(p);
}


static void
json_test_inert(size_t n)
{
    size_t       len, size;
    uint8_t     *p, *end, *out;
    const char  *want;

    len = json_inerts[n].len;
    want = json_inerts[n].out;

    p = tap_exact(json_inerts[n].in, len);

    size = rt_json_inert_len(p, len);
    tap_ok(size == strlen(want), "inert %s has its length", want);

    out = malloc(size);
    if (out == NULL) {
        abort();
    }

    end = rt_json_inert(out, p, len);
    tap_bytes(out, (size_t) (end - out), want, strlen(want), "inert %s",
              want);

    free(out);
    free(p);
}


/* every ASCII character and the corners of UTF-8 come back through a parser */

static void
json_test_round_trip(void)
{
    size_t    n;
    json_t   *value;
    uint8_t   in[160], out[2 + 6 * sizeof(in)], *p;

    static const char  more[] =
        "\xc2\x80\xdf\xbf\xe0\xa0\x80\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9"
        "\xe2\x80\xaa\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf";

    for (n = 0; n < 128; n++) {
        in[n] = (uint8_t) n;
    }

    memcpy(in + n, more, sizeof(more) - 1);
    n += sizeof(more) - 1;

    out[0] = '"';
    p = rt_json_escape(out + 1, in, n);
    *p++ = '"';

    if (rt_json_parse(out, (size_t) (p - out), &value) != RT_OK) {
        tap_ok(0, "an escaped string is JSON");
        return;
    }

    tap_bytes(json_string_value(value), json_string_length(value), in, n,
              "an escaped string is read as it was");

    json_decref(value);
}


/* len bytes, at most 3, are escaped alike wherever they are in a text */

static int
json_same_escape(const uint8_t *special, size_t len)
{
    size_t    at, size;
    uint8_t   in[24], alone[3 * 6], *out, *end, *p;

    size = (size_t) (rt_json_escape(alone, special, len) - alone);

    for (at = 0; at + len <= sizeof(in); at++) {
        memset(in, 'a', sizeof(in));
        memcpy(in + at, special, len);

        if (rt_json_escaped(in, sizeof(in)) != sizeof(in) - len + size) {
            return 0;
        }

        out = malloc(sizeof(in) - len + size);
        if (out == NULL) {
            abort();
        }

        p = tap_exact(in, sizeof(in));
        end = rt_json_escape(out, p, sizeof(in));

        if (end != out + sizeof(in) - len + size
            || memcmp(out, in, at) != 0
            || memcmp(out + at, alone, size) != 0
            || memcmp(out + at + size, in + at + len, sizeof(in) - len - at))
        {
            return 0;
        }

        free(out);
        free(p);
    }

    return 1;
}


static void
json_test_places(void)
{
    uint8_t   c;
    unsigned  i, same;

    for (i = 0, same = 0; i < 256; i++) {
        c = (uint8_t) i;
        same += json_same_escape(&c, 1);
    }

    tap_ok(same == 256, "every byte in every place");

    tap_ok(json_same_escape((const uint8_t *) "\xe2\x80\xa8", 3)
           && json_same_escape((const uint8_t *) "\xe2\x80\xa9", 3)
           && json_same_escape((const uint8_t *) "\xe2\x80\x99", 3),
           "line separators, and another of their lead, in every place");

    tap_ok(json_same_escape((const uint8_t *) "\"<&", 3),
           "one after the other in every place");
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(json_cases) / sizeof(json_cases[0]); i++) {
        json_test_parse(i);
    }

    for (i = 0; i < sizeof(json_depths) / sizeof(json_depths[0]); i++) {
        json_test_depth(i);
    }

    for (i = 0; i < sizeof(json_escapes) / sizeof(json_escapes[0]); i++) {
        json_test_escape(i);
    }

    for (i = 0; i < sizeof(json_inerts) / sizeof(json_inerts[0]); i++) {
        json_test_inert(i);
    }

    json_test_round_trip();
    json_test_places();

    return tap_done();
}
