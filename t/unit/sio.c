
/*
 * Copyright (C) ngx_realtime contributors
 */

/* Socket.IO packets: header, payload rules, and what is written. */

#include "rt_json.h"
#include "rt_sio.h"
#include "tap.h"


#define SIO_TEXT  512


/* out: "<type> <attachments> <namespace> <id or -> <JSON>", or "!<why>" */

static const struct {
    const char  *in;
    const char  *out;
} sio_cases[] = {
    { "0", "0 0 / - " },
    { "0{\"token\":\"t\"}", "0 0 / - {\"token\":\"t\"}" },
    { "0/admin", "0 0 /admin - " },
    { "0/admin,", "0 0 /admin - " },
    { "0/admin,{\"token\":\"t\"}", "0 0 /admin - {\"token\":\"t\"}" },
    { "0/a?b=c,{}", "0 0 /a?b=c - {}" },
    { "1", "1 0 / - " },
    { "1/admin,", "1 0 /admin - " },
    { "2[\"hello\",1]", "2 0 / - [\"hello\",1]" },
    { "2/admin,[\"x\"]", "2 0 /admin - [\"x\"]" },
    { "2/admin,12[\"x\"]", "2 0 /admin 12 [\"x\"]" },
    { "2/,[\"x\"]", "2 0 / - [\"x\"]" },
    { "212[\"foo\"]", "2 0 / 12 [\"foo\"]" },
    { "20[\"foo\"]", "2 0 / 0 [\"foo\"]" },
    { "2007[\"foo\"]", "2 0 / 7 [\"foo\"]" },
    { "2[\"a,b/c\",12]", "2 0 / - [\"a,b/c\",12]" },
    { "312[\"bar\"]", "3 0 / 12 [\"bar\"]" },
    { "31[]", "3 0 / 1 []" },
    { "3/admin,13[\"bar\"]", "3 0 /admin 13 [\"bar\"]" },
    { "4\"no\"", "4 0 / - \"no\"" },
    { "4{\"message\":\"no\"}", "4 0 / - {\"message\":\"no\"}" },
    { "51-[\"baz\",1]", "5 1 / - [\"baz\",1]" },
    { "52-/admin,[\"baz\"]", "5 2 /admin - [\"baz\"]" },
    { "51-2[\"b\"]", "5 1 / 2 [\"b\"]" },
    { "510-[\"b\"]", "5 10 / - [\"b\"]" },
    { "501-[\"b\"]", "5 1 / - [\"b\"]" },
    { "61-17[1]", "6 1 / 17 [1]" },
    { "61-/a,17[1]", "6 1 /a 17 [1]" },
    { "29007199254740991[\"max\"]", "2 0 / 9007199254740991 [\"max\"]" },

    /* bytes that only the JSON parser will mind */

    { "2abc", "2 0 / - abc" },
    { "2-1[\"a\"]", "2 0 / - -1[\"a\"]" },
    { "21.5[\"a\"]", "2 0 / 1 .5[\"a\"]" },
    { "2,[\"a\"]", "2 0 / - ,[\"a\"]" },
    { "21/a,[\"a\"]", "2 0 / 1 /a,[\"a\"]" },
    { "21-[\"a\"]", "2 0 / 1 -[\"a\"]" },
    { "2[\"a\"] ", "2 0 / - [\"a\"] " },

    { "", "!unknown packet type" },
    { "7[\"a\"]", "!unknown packet type" },
    { "9", "!unknown packet type" },
    { "/", "!unknown packet type" },
    { " 2[\"a\"]", "!unknown packet type" },
    { "a", "!unknown packet type" },
    { "[\"a\"]", "!unknown packet type" },
    { "5", "!illegal attachments" },
    { "5-", "!illegal attachments" },
    { "5-[\"a\"]", "!illegal attachments" },
    { "5[\"a\"]", "!illegal attachments" },
    { "50-[\"a\"]", "!illegal attachments" },
    { "51", "!illegal attachments" },
    { "51[\"a\"]", "!illegal attachments" },
    { "51.0-[\"a\"]", "!illegal attachments" },
    { "51e0-[\"a\"]", "!illegal attachments" },
    { "50x1-[\"a\"]", "!illegal attachments" },
    { "5 1-[\"a\"]", "!illegal attachments" },
    { "51 -[\"a\"]", "!illegal attachments" },
    { "5+1-[\"a\"]", "!illegal attachments" },
    { "5--1-[\"a\"]", "!illegal attachments" },
    { "5/a,1-[\"a\"]", "!illegal attachments" },
    { "6-", "!illegal attachments" },
    { "511-[\"a\"]", "!too many attachments" },
    { "5256-[\"a\"]", "!too many attachments" },
    { "5257-[\"a\"]", "!too many attachments" },
    { "518446744073709551617-[\"a\"]", "!too many attachments" },
    { "29007199254740992[\"a\"]", "!ack id too large" },
    { "218446744073709551616[\"a\"]", "!ack id too large" },
    { "2184467440737095516161[\"a\"]", "!ack id too large" },
    { "2 [\"a\"]", "!white space before the payload" },
    { "2\n[\"a\"]", "!white space before the payload" },
    { "2\v[\"a\"]", "!white space before the payload" },
    { "212 [\"a\"]", "!white space before the payload" },
    { "2/a, 1[\"a\"]", "!white space before the payload" },
    { "1 ", "!white space before the payload" },
};


/* JSON NULL: the packet had none */

static const struct {
    char         type;
    const char  *json;
    int          rc;
} sio_payloads[] = {
    { '0', NULL, RT_OK },
    { '0', "{}", RT_OK },
    { '0', "{\"token\":\"t\"}", RT_OK },
    { '0', "[]", RT_ERROR },
    { '0', "\"a\"", RT_ERROR },
    { '0', "null", RT_ERROR },
    { '0', "false", RT_ERROR },
    { '0', "1", RT_ERROR },

    { '1', NULL, RT_OK },
    { '1', "{}", RT_ERROR },
    { '1', "null", RT_ERROR },
    { '1', "false", RT_ERROR },
    { '1', "\"a\"", RT_ERROR },

    { '2', "[\"a\"]", RT_OK },
    { '2', "[\"\"]", RT_OK },
    { '2', "[1]", RT_OK },
    { '2', "[1.5,null]", RT_OK },
    { '2', "[\"a\",{\"b\":[]}]", RT_OK },
    { '2', NULL, RT_ERROR },
    { '2', "[]", RT_ERROR },
    { '2', "[null]", RT_ERROR },
    { '2', "[true]", RT_ERROR },
    { '2', "[[\"a\"]]", RT_ERROR },
    { '2', "[{\"a\":1}]", RT_ERROR },
    { '2', "{}", RT_ERROR },
    { '2', "{\"0\":\"a\"}", RT_ERROR },
    { '2', "\"a\"", RT_ERROR },
    { '2', "1", RT_ERROR },
    { '2', "null", RT_ERROR },
    { '2', "[\"connect\"]", RT_ERROR },
    { '2', "[\"connect_error\"]", RT_ERROR },
    { '2', "[\"disconnect\"]", RT_ERROR },
    { '2', "[\"disconnecting\"]", RT_ERROR },
    { '2', "[\"newListener\"]", RT_ERROR },
    { '2', "[\"removeListener\"]", RT_ERROR },
    { '2', "[\"c\\u006fnnect\"]", RT_ERROR },
    { '2', "[\"Connect\"]", RT_OK },
    { '2', "[\"connect\\u0000\"]", RT_OK },
    { '2', "[\"connected\"]", RT_OK },
    { '2', "[\"connec\"]", RT_OK },
    { '2', "[\"disconnectin\"]", RT_OK },
    { '2', "[\"a\",\"connect\"]", RT_OK },
    { '2', " [ \"a\" ] ", RT_OK },
    { '2', " [ ] ", RT_ERROR },
    { '2', "[\"\\ud800\"]", RT_OK },
    { '2', "[\"connect\\ud800\"]", RT_OK },
    { '2', "[1e999]", RT_OK },

    { '3', "[]", RT_OK },
    { '3', "[null]", RT_OK },
    { '3', " [ ] ", RT_OK },
    { '3', "[\"connect\"]", RT_OK },
    { '3', NULL, RT_ERROR },
    { '3', "{}", RT_ERROR },
    { '3', "\"a\"", RT_ERROR },
    { '3', "null", RT_ERROR },

    { '4', "\"no\"", RT_OK },
    { '4', "{\"message\":\"no\"}", RT_OK },
    { '4', NULL, RT_ERROR },
    { '4', "[]", RT_ERROR },
    { '4', "1", RT_ERROR },
    { '4', "null", RT_ERROR },

    { '5', "[\"a\",{\"_placeholder\":true,\"num\":0}]", RT_OK },
    { '5', "[\"connect\"]", RT_ERROR },
    { '5', "[]", RT_ERROR },
    { '5', NULL, RT_ERROR },
    { '6', "[{\"_placeholder\":true,\"num\":0}]", RT_OK },
    { '6', "{}", RT_ERROR },
    { '6', NULL, RT_ERROR },
};


/* name NULL: none; json: the text afterwards */

static const struct {
    char         type;
    const char  *in;
    const char  *name;
    const char  *json;
} sio_names[] = {
    { '2', "[\"a\",1]", "a", "[\"a\",1]" },
    { '2', "[\"\"]", "", "[\"\"]" },
    { '2', " [ \"a b\" , \"\\u0061\" ] ", "a b",
      " [ \"a b\" , \"\\u0061\" ] " },
    { '2', "[\"\xc3\xa9\"]", "\xc3\xa9", "[\"\xc3\xa9\"]" },
    { '2', "[\"m\\u0065ssage\",\"\\u0065\"]", "message",
      "[\"message\"     ,\"\\u0065\"]" },
    { '2', "[\"\\u00e9\\/\"]", "\xc3\xa9/", "[\"\xc3\xa9/\"     ]" },
    { '2', "[\"\\ud83d\\ude00\"]", "\xf0\x9f\x98\x80",
      "[\"\xf0\x9f\x98\x80\"        ]" },
    { '5', "[\"\\u0061\"]", "a", "[\"a\"     ]" },

    /* no text can hold these unescaped */

    { '2', "[\"\\\",\\\"\",2]", "\\\",\\\"", "[\"\\\",\\\"\",2]" },
    { '2', "[\"\\u0022,\\u0022\"]", "\\u0022,\\u0022",
      "[\"\\u0022,\\u0022\"]" },
    { '2', "[\"\\u0061\\\\\"]", "\\u0061\\\\", "[\"\\u0061\\\\\"]" },
    { '2', "[\"a\\n\"]", "a\\n", "[\"a\\n\"]" },
    { '2', "[\"\\u0000\"]", "\\u0000", "[\"\\u0000\"]" },
    { '2', "[\"\\u0061\\ud800\"]", "\\u0061\\ud800",
      "[\"\\u0061\\ud800\"]" },
    { '2', "[\"\\udc00\\ud800\",[]]", "\\udc00\\ud800",
      "[\"\\udc00\\ud800\",[]]" },

    { '2', "[12,\"a\"]", NULL, "[12,\"a\"]" },
    { '3', "[\"\\u0061\"]", NULL, "[\"\\u0061\"]" },
    { '6', "[\"\\u0061\"]", NULL, "[\"\\u0061\"]" },
    { '0', "{\"a\":1}", NULL, "{\"a\":1}" },
    { '4', "\"\\u0061\"", NULL, "\"\\u0061\"" },
};


static const struct {
    char         type;
    const char  *nsp;
    unsigned     has_id;
    uint64_t     id;
    const char  *out;
} sio_headers[] = {
    { '0', "/", 0, 0, "0" },
    { '2', "/", 0, 12, "2" },
    { '2', "/", 1, 0, "20" },
    { '3', "/", 1, 12, "312" },
    { '3', "/", 1, 9007199254740991, "39007199254740991" },
    { '3', "/", 1, UINT64_MAX, "318446744073709551615" },
    { '0', "/admin", 0, 0, "0/admin," },
    { '1', "/a", 0, 0, "1/a," },
    { '3', "/admin", 1, 13, "3/admin,13" },
    { '2', "/10", 1, 10, "2/10,10" },
};


static const struct {
    char         type;
    unsigned     attachments;
    const char  *nsp;
    unsigned     has_id;
    uint64_t     id;
    const char  *out;
} sio_binary_headers[] = {
    { '5', 1, "/", 0, 0, "51-" },
    { '5', 2, "/admin", 0, 0, "52-/admin," },
    { '6', 1, "/", 1, 17, "61-17" },
    { '6', 10, "/a", 1, 0, "610-/a,0" },
    { '5', 9999, "/", 1, UINT64_MAX, "59999-18446744073709551615" },
    { '2', 0, "/", 0, 0, "2" },
    { '3', 0, "/a", 1, 7, "3/a,7" },
};


#define SIO_PLACEHOLDER(num)  "{\"_placeholder\":true,\"num\":" num "}"

static const struct {
    const char  *json;
    unsigned     attachments;
    int          rc;
} sio_placeholders[] = {
    { "[\"a\"," SIO_PLACEHOLDER("0") "]", 1, RT_OK },
    { "[\"a\"," SIO_PLACEHOLDER("1") "," SIO_PLACEHOLDER("0") "]", 2, RT_OK },
    { "[\"a\"," SIO_PLACEHOLDER("0") "," SIO_PLACEHOLDER("0") "]", 1, RT_OK },
    { "[\"a\",{\"b\":[{\"c\":" SIO_PLACEHOLDER("9") "}]}]", 10, RT_OK },
    { "[\"a\"]", 1, RT_OK },
    { "[\"a\",null,true,1,\"_placeholder\",{},[]]", 1, RT_OK },
    { "[\"a\",{\"_placeholder\":false,\"num\":5}]", 1, RT_OK },
    { "[\"a\",{\"_placeholder\":1,\"num\":5}]", 1, RT_OK },
    { "[\"a\",{\"_placeholder\":\"true\",\"num\":5}]", 1, RT_OK },
    { "[\"a\",{\"num\":5}]", 1, RT_OK },
    { "[\"a\",{\"_placeholder\":true,\"num\":0,\"x\":"
      SIO_PLACEHOLDER("7") "}]", 1, RT_OK },
    { "[\"a\",{\"x\":" SIO_PLACEHOLDER("7") ",\"num\":0,"
      "\"_placeholder\":true}]", 1, RT_OK },
    { "[\"a\",{\"x\":[{\"y\":[" SIO_PLACEHOLDER("7") "]}],"
      "\"_placeholder\":true,\"num\":0}]", 1, RT_OK },
    { " [ { \"num\" : 0 , \"_placeholder\" : true } ] ", 1, RT_OK },
    { "[{\"num\":0\n,\"_placeholder\":true\n}]", 1, RT_OK },
    { "[{\"_\\u0070laceholder\":true,\"n\\u0075m\":0}]", 1, RT_OK },
    { "[{\"_placeholder\":true,\"_placeholder\":false,\"num\":5}]", 1,
      RT_OK },
    { "[{\"_placeholder\":true,\"num\":5,\"num\":0}]", 1, RT_OK },
    { "[{\"_placeholder\":{\"a\":true},\"num\":5}]", 1, RT_OK },
    { "[{\"_placeholder\":[true],\"num\":5}]", 1, RT_OK },
    { "[{\"_placeholder\":\"num\",\"a\":true}]", 1, RT_OK },
    { "[\"\\\"_placeholder\\\":true\",{\"a\":\"{\\\"num\\\":5\"}]", 1,
      RT_OK },

    { "[\"a\"," SIO_PLACEHOLDER("1") "]", 1, RT_ERROR },
    { "[\"a\"," SIO_PLACEHOLDER("10") "]", 10, RT_ERROR },
    { "[\"a\"," SIO_PLACEHOLDER("0") "]", 0, RT_ERROR },
    { "[\"a\"," SIO_PLACEHOLDER("0") "," SIO_PLACEHOLDER("1") "]", 1,
      RT_ERROR },
    { "[\"a\"," SIO_PLACEHOLDER("-1") "]", 1, RT_ERROR },
    { "[\"a\"," SIO_PLACEHOLDER("0.5") "]", 1, RT_ERROR },
    { "[\"a\"," SIO_PLACEHOLDER("4294967296") "]", 1, RT_ERROR },
    { "[\"a\"," SIO_PLACEHOLDER("1e300") "]", 1, RT_ERROR },
    { "[\"a\"," SIO_PLACEHOLDER("-1e300") "]", 1, RT_ERROR },
    { "[\"a\"," SIO_PLACEHOLDER("\"0\"") "]", 1, RT_ERROR },
    { "[\"a\"," SIO_PLACEHOLDER("null") "]", 1, RT_ERROR },
    { "[\"a\"," SIO_PLACEHOLDER("true") "]", 1, RT_ERROR },
    { "[\"a\"," SIO_PLACEHOLDER("[0]") "]", 1, RT_ERROR },
    { "[\"a\",{\"_placeholder\":true}]", 1, RT_ERROR },
    { "[\"a\",{\"b\":[{\"c\":" SIO_PLACEHOLDER("3") "}]}]", 3, RT_ERROR },
    { "[" SIO_PLACEHOLDER("1") "]", 1, RT_ERROR },
    { "[\"a\"," SIO_PLACEHOLDER("0.0") "]", 1, RT_ERROR },
    { "[\"a\"," SIO_PLACEHOLDER("-0") "]", 1, RT_ERROR },
    { "[\"a\"," SIO_PLACEHOLDER("1e0") "]", 2, RT_ERROR },
    { "[\"a\"," SIO_PLACEHOLDER("1E0") "]", 2, RT_ERROR },
    { "[" SIO_PLACEHOLDER("18446744073709551616") "]", 1, RT_ERROR },
    { "[" SIO_PLACEHOLDER("\"a\\\":0\"") "]", 1, RT_ERROR },
    { "[{\"_\\u0070laceholder\":true,\"num\":1}]", 1, RT_ERROR },
    { "[{\"_placeholder\":false,\"_placeholder\":true,\"num\":1}]", 1,
      RT_ERROR },
    { "[{\"_placeholder\":true,\"num\":0,\"num\":1}]", 1, RT_ERROR },
    { "[{\"_placeholder\":true,\"num\":{\"num\":0}}]", 1, RT_ERROR },
    { "[{\"_placeholder\":true,\"a\":{\"num\":0}}]", 1, RT_ERROR },
    { "[{\"_placeholder\":true},{\"num\":0}]", 1, RT_ERROR },
    { "[[" SIO_PLACEHOLDER("1") "],[]," SIO_PLACEHOLDER("0") "]", 1,
      RT_ERROR },
    { "{\"_placeholder\":true,\"num\":1}", 1, RT_ERROR },
};


static void
sio_test_parse(size_t n)
{
    int               rc;
    char              text[SIO_TEXT], id[24];
    size_t            len;
    uint8_t          *p;
    const char       *why;
    rt_sio_packet_t   pkt;

    len = strlen(sio_cases[n].in);
    p = tap_exact(sio_cases[n].in, len);
    why = "";

    rc = rt_sio_parse(&pkt, p, len, &why);

    if (rc == RT_OK) {
        strcpy(id, "-");

        if (pkt.has_id) {
            snprintf(id, sizeof(id), "%llu", (unsigned long long) pkt.id);
        }

        snprintf(text, sizeof(text), "%c %u %.*s %s %.*s", pkt.type,
                 pkt.attachments, (int) pkt.nsp.len,
                 (const char *) pkt.nsp.data, id, (int) pkt.json.len,
                 (const char *) pkt.json.data);

    } else {
        snprintf(text, sizeof(text), "!%s", why);
    }

    tap_is(text, sio_cases[n].out, "packet %zu", n);

    free(p);
}


/* the packet has a copy of the JSON, which is the caller's */

static uint8_t *
sio_packet(rt_sio_packet_t *pkt, char type, const char *json)
{
    uint8_t  *text;

    memset(pkt, 0, sizeof(rt_sio_packet_t));
    pkt->type = (uint8_t) type;

    if (json == NULL) {
        return NULL;
    }

    pkt->json.len = strlen(json);
    text = tap_exact(json, pkt->json.len);
    pkt->json.data = text;

    if (rt_json_check(text, pkt->json.len) != RT_OK) {
        tap_ok(0, "%s is JSON", json);
    }

    return text;
}


static void
sio_test_check(size_t n)
{
    int               rc;
    uint8_t          *text;
    rt_str_t          name;
    const char       *json, *why;
    rt_sio_packet_t   pkt;

    json = sio_payloads[n].json;
    why = NULL;

    text = sio_packet(&pkt, sio_payloads[n].type, json);

    rc = rt_sio_check(&pkt, &name, &why);

    tap_ok(rc == sio_payloads[n].rc && (rc == RT_OK || why != NULL),
           "type %c with %s is %s", pkt.type, json ? json : "nothing",
           sio_payloads[n].rc == RT_OK ? "valid" : "refused");

    free(text);
}


/* the text afterwards, and the name in it */

static void
sio_test_name(size_t n)
{
    uint8_t          *text;
    rt_str_t          name;
    const char       *in, *want, *why;
    rt_sio_packet_t   pkt;

    in = sio_names[n].in;
    want = sio_names[n].name;

    text = sio_packet(&pkt, sio_names[n].type, in);

    tap_ok(rt_sio_check(&pkt, &name, &why) == RT_OK, "name in %s", in);

    if (want) {
        tap_bytes(name.data, name.len, want, strlen(want), "it is %s", want);

    } else {
        tap_ok(name.data == NULL && name.len == 0, "there is none");
    }

    tap_bytes(text, pkt.json.len, sio_names[n].json,
              strlen(sio_names[n].json), "what it leaves of %s", in);
    tap_ok(rt_json_check(text, pkt.json.len) == RT_OK, "it is JSON");

    free(text);
}


static void
sio_test_header(size_t n)
{
    size_t      len;
    uint8_t     out[64];
    rt_str_t    nsp;

    nsp.data = (const uint8_t *) sio_headers[n].nsp;
    nsp.len = strlen(sio_headers[n].nsp);

    len = rt_sio_header(out, (uint8_t) sio_headers[n].type, nsp,
                        sio_headers[n].has_id, sio_headers[n].id);

    tap_bytes(out, len, sio_headers[n].out, strlen(sio_headers[n].out),
              "header %s", sio_headers[n].out);
}


static void
sio_test_binary_header(size_t n)
{
    size_t     len, size;
    uint8_t   *out;
    rt_str_t   nsp;

    nsp.data = (const uint8_t *) sio_binary_headers[n].nsp;
    nsp.len = strlen(sio_binary_headers[n].nsp);

    size = nsp.len + 24 + 5;
    out = malloc(size);

    if (out == NULL) {
        abort();
    }

    len = rt_sio_binary_header(out, (uint8_t) sio_binary_headers[n].type,
                               sio_binary_headers[n].attachments, nsp,
                               sio_binary_headers[n].has_id,
                               sio_binary_headers[n].id);

    tap_bytes(out, len, sio_binary_headers[n].out,
              strlen(sio_binary_headers[n].out), "binary header %s",
              sio_binary_headers[n].out);

    free(out);
}


static void
sio_test_placeholders(size_t n)
{
    int               rc;
    uint8_t          *text;
    const char       *json, *why;
    rt_sio_packet_t   pkt;

    json = sio_placeholders[n].json;
    why = NULL;

    text = sio_packet(&pkt, RT_SIO_BINARY_EVENT, json);

    rc = rt_sio_placeholders(pkt.json, sio_placeholders[n].attachments, &why);

    tap_ok(rc == sio_placeholders[n].rc && (rc == RT_OK || why != NULL),
           "%s with %u attachments is %s", json,
           sio_placeholders[n].attachments,
           sio_placeholders[n].rc == RT_OK ? "valid" : "refused");

    free(text);
}


/* what has not passed is not read beyond either */

static void
sio_test_unchecked(const char *json)
{
    size_t       len;
    uint8_t     *text;
    rt_str_t     part;
    const char  *why;

    for (len = 0; len < strlen(json); len++) {
        text = tap_exact(json, len);
        part.data = text;
        part.len = len;

        (void) rt_sio_placeholders(part, 1, &why);

        free(text);
    }
}


/* a placeholder as deep as JSON may be, and then one too deep */

static void
sio_test_placeholder_depth(void)
{
    size_t       n;
    char         json[2 * RT_JSON_DEPTH + 64];
    rt_str_t     text;
    const char  *why;

    for (n = RT_JSON_DEPTH - 1; n <= RT_JSON_DEPTH; n++) {
        memset(json, '[', n);
        strcpy(json + n, SIO_PLACEHOLDER("1"));
        text.data = (const uint8_t *) json;
        text.len = strlen(json) + n;
        memset(json + text.len - n, ']', n);

        tap_ok(rt_sio_placeholders(text, 1, &why) == RT_ERROR,
               "the placeholder in %zu arrays is found", n);
        tap_ok(rt_sio_placeholders(text, 2, &why)
               == (n < RT_JSON_DEPTH ? RT_OK : RT_ERROR),
               "and looked at if that is not too deep");
    }
}


static void
sio_test_namespace_length(void)
{
    uint8_t          in[2 + RT_SIO_NSP_MAX];
    const char      *why;
    rt_sio_packet_t  pkt;

    memset(in, 'a', sizeof(in));
    in[0] = RT_SIO_CONNECT;
    in[1] = '/';

    why = "";

    tap_ok(rt_sio_parse(&pkt, in, sizeof(in) - 1, &why) == RT_OK
           && pkt.nsp.len == RT_SIO_NSP_MAX, "the longest namespace");

    tap_ok(rt_sio_parse(&pkt, in, sizeof(in), &why) == RT_ERROR,
           "a byte more is refused");
    tap_is(why, "namespace too long", "for its length");
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(sio_cases) / sizeof(sio_cases[0]); i++) {
        sio_test_parse(i);
    }

    for (i = 0; i < sizeof(sio_payloads) / sizeof(sio_payloads[0]); i++) {
        sio_test_check(i);
    }

    for (i = 0; i < sizeof(sio_names) / sizeof(sio_names[0]); i++) {
        sio_test_name(i);
    }

    for (i = 0; i < sizeof(sio_headers) / sizeof(sio_headers[0]); i++) {
        sio_test_header(i);
    }

    for (i = 0; i < sizeof(sio_binary_headers) / sizeof(sio_binary_headers[0]);
         i++)
    {
        sio_test_binary_header(i);
    }

    for (i = 0; i < sizeof(sio_placeholders) / sizeof(sio_placeholders[0]);
         i++)
    {
        sio_test_placeholders(i);
        sio_test_unchecked(sio_placeholders[i].json);
    }

    sio_test_placeholder_depth();
    sio_test_namespace_length();

    return tap_done();
}
