
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * WebSocket frames.  Each case is run whole, cut in two at every point, in
 * three for the short ones, and byte by byte: what comes out must be the same.
 *
 * How a case is written
 *
 *   in:   81 85    bytes of a header      K         the mask key
 *         'Hello'  masked text            'a'*200   the same, repeated
 *         <c3 28>  masked bytes
 *   out:  T(Hello) a text message, B() a binary one, (#200) a long one,
 *         P() ping, O() pong, C1000(bye) close, !1002 refused,
 *         z in front of a message that is compressed
 */

#include "rt_ws.h"
#include "tap.h"


#define WS_MAX      (1 << 20)     /* of a message, unless the case says */
#define WS_LOG      1024
#define WS_WIRE     (1 << 18)
#define WS_SHORT    24            /* bytes up to which three pieces are tried */


typedef struct {
    const char  *in;
    const char  *out;
    const char  *name;
    uint64_t     max;             /* 0: WS_MAX */
} ws_case_t;


typedef struct {
    char         text[WS_LOG];
    size_t       len;
    unsigned     broken;          /* promises of rt_ws.h that did not hold */

    uint8_t     *message;         /* pieces so far */
    size_t       message_len;
    unsigned     in_message:1;
    unsigned     compressed:1;

    unsigned     allow_rsv1:1;
} ws_log_t;


static const ws_case_t  ws_cases[] = {

    /* messages */

    { "81 85 K 'Hello'", "T(Hello)", "text", 0 },
    { "82 83 K <00 ff 41>", "B(\\x00\\xffA)", "binary", 0 },
    { "81 80 K", "T()", "empty text", 0 },
    { "82 80 K", "B()", "empty binary", 0 },
    { "81 fd K 'a'*125", "T(#125)", "125 bytes", 0 },
    { "81 fe 007e K 'a'*126", "T(#126)", "126 bytes", 0 },
    { "82 fe ffff K 'a'*65535", "B(#65535)", "65535 bytes", 0 },
    { "82 ff 0000000000010000 K 'a'*65536", "B(#65536)", "65536 bytes", 0 },
    { "81 81 K 'a' 81 81 K 'b' 82 81 K 'c'", "T(a)T(b)B(c)",
      "three messages", 0 },

    { "01 82 K 'He' 80 83 K 'llo'", "T(Hello)", "two fragments", 0 },
    { "01 81 K 'a' 00 81 K 'b' 00 81 K 'c' 80 81 K 'd'", "T(abcd)",
      "four fragments", 0 },
    { "01 80 K 80 80 K", "T()", "empty fragments", 0 },
    { "01 80 K 00 80 K 80 81 K 'a'", "T(a)", "empty ones first", 0 },
    { "01 81 K 'a' 00 80 K 80 80 K", "T(a)", "empty ones last", 0 },
    { "02 81 K <ff> 80 81 K <fe>", "B(\\xff\\xfe)", "binary fragments", 0 },
    { "01 81 K 'a' 89 81 K 'p' 80 81 K 'b'", "P(p)T(ab)",
      "ping between fragments", 0 },
    { "01 81 K 'a' 8a 80 K 80 81 K 'b' 81 81 K 'c'", "O()T(ab)T(c)",
      "pong between fragments", 0 },
    { "01 81 K 'a' 88 82 K <03 e8>", "C1000()", "close between fragments", 0 },

    /* control frames */

    { "89 80 K", "P()", "ping", 0 },
    { "89 84 K 'ping'", "P(ping)", "ping with data", 0 },
    { "89 83 K <ff 00 80>", "P(\\xff\\x00\\x80)", "ping of any bytes", 0 },
    { "89 fd K 'a'*125", "P(#125)", "the longest ping", 0 },
    { "8a 84 K 'pong'", "O(pong)", "pong", 0 },
    { "89 80 K 89 80 K 89 80 K", "P()P()P()", "three pings", 0 },
    { "89 fd K 'a'*125", "P(#125)", "control frames do not count", 1 },

    /* cut off: nothing is told too early */

    { "", "", "nothing", 0 },
    { "81", "", "half a header", 0 },
    { "81 85", "", "no mask key", 0 },
    { "81 85 K 'Hell'", "", "a byte short", 0 },
    { "89 84 K 'pin'", "", "ping, a byte short", 0 },
    { "01 85 K 'Hello'", "", "no final fragment", 0 },
    { "81 fe 00", "", "half a 16 bit length", 0 },
    { "81 ff 00000000000100", "", "most of a 64 bit length", 0 },

    /* protocol errors: 1002 */

    { "81 05 'Hello'", "!1002", "unmasked text", 0 },
    { "81 00", "!1002", "unmasked and empty", 0 },
    { "89 00", "!1002", "unmasked ping", 0 },
    { "88 00", "!1002", "unmasked close", 0 },
    { "81 7e 0400", "!1002", "unmasked, 16 bit length", 0 },
    { "c1 85 K 'Hello'", "!1002", "RSV1", 0 },
    { "a1 85 K 'Hello'", "!1002", "RSV2", 0 },
    { "91 85 K 'Hello'", "!1002", "RSV3", 0 },
    { "f1", "!1002", "all of them, first byte only", 0 },
    { "c9 80 K", "!1002", "RSV1 on ping", 0 },
    { "01 81 K 'a' c0 81 K 'b'", "!1002", "RSV1 on continuation", 0 },
    { "83 80 K", "!1002", "opcode 3", 0 },
    { "84 80 K", "!1002", "opcode 4", 0 },
    { "85 80 K", "!1002", "opcode 5", 0 },
    { "86 80 K", "!1002", "opcode 6", 0 },
    { "87 80 K", "!1002", "opcode 7", 0 },
    { "8b 80 K", "!1002", "opcode 11", 0 },
    { "8c 80 K", "!1002", "opcode 12", 0 },
    { "8d 80 K", "!1002", "opcode 13", 0 },
    { "8e 80 K", "!1002", "opcode 14", 0 },
    { "8f 80 K", "!1002", "opcode 15", 0 },
    { "01 81 K 'a' 83 80 K", "!1002", "opcode 3 inside a message", 0 },
    { "09 80 K", "!1002", "fragmented ping", 0 },
    { "0a 80 K", "!1002", "fragmented pong", 0 },
    { "08 82 K <03 e8>", "!1002", "fragmented close", 0 },
    { "89 fe", "!1002", "ping with 16 bit length", 0 },
    { "8a fe 007e K 'a'*126", "!1002", "pong of 126 bytes", 0 },
    { "89 ff", "!1002", "ping with 64 bit length", 0 },
    { "88 fe", "!1002", "close with 16 bit length", 0 },
    { "80 81 K 'a'", "!1002", "continuation of nothing", 0 },
    { "00 81 K 'a'", "!1002", "fragment of nothing", 0 },
    { "81 81 K 'a' 80 81 K 'b'", "T(a)!1002", "continuation after FIN", 0 },
    { "01 81 K 'a' 80 81 K 'b' 80 80 K", "T(ab)!1002",
      "continuation after the last", 0 },
    { "01 81 K 'a' 81 81 K 'b'", "!1002", "text inside a message", 0 },
    { "01 81 K 'a' 02 81 K 'b'", "!1002", "binary inside a message", 0 },
    { "01 80 K 81 81 K 'b'", "!1002", "text after an empty fragment", 0 },
    { "81 fe 0000", "!1002", "0 in 16 bits", 0 },
    { "81 fe 007d K 'a'*125", "!1002", "125 in 16 bits", 0 },
    { "81 ff 0000000000000005", "!1002", "5 in 64 bits", 0 },
    { "81 ff 000000000000ffff", "!1002", "65535 in 64 bits", 0 },
    { "81 ff 8000000000000000", "!1002", "top bit of the length", 0 },
    { "81 ff ffffffffffffffff", "!1002", "all bits of the length", 0 },
    { "82 ff 8000000000000001", "!1002", "top bit, any limit", UINT64_MAX },

    /* too big: 1009, before any payload, and even before the mask key */

    { "81 84 K 'abcd'", "T(abcd)", "just the limit", 4 },
    { "81 85", "!1009", "limit + 1", 4 },
    { "82 fe 0400 K 'a'*1024", "B(#1024)", "16 bits, the limit", 1024 },
    { "82 fe 0401", "!1009", "16 bits, limit + 1", 1024 },
    { "82 ff 0000000000010001", "!1009", "64 bits, limit + 1", 65536 },
    { "82 ff 7fffffffffffffff", "!1009", "2^63 - 1", 0 },
    { "01 82 K 'ab' 80 82 K 'cd'", "T(abcd)", "two make the limit", 4 },
    { "01 82 K 'ab' 80 83", "!1009", "two exceed it", 4 },
    { "01 84 K 'abcd' 00 80 K 80 81", "!1009", "three exceed it", 4 },
    { "01 84 K 'abcd' 80 80 K", "T(abcd)", "an empty end does not", 4 },
    { "02 81 K 'a' 80 ff 7fffffffffffffff", "!1009", "the sum is large", 0 },
    { "02 82 K 'ab' 00 ff 7fffffffffffffff K", "", "is no overflow",
      UINT64_MAX },
    { "81 84 K 'abcd' 81 84 K 'efgh'", "T(abcd)T(efgh)",
      "it counts from 0 for each message", 4 },
    { "81 84 K 'abcd' 01 82 K 'ab' 80 84 K 'cdef'", "T(abcd)T(abcdef)",
      "and for a fragmented one", 8 },
    { "01 84 K 'abcd' 89 84 K 'ping' 80 80 K", "P(ping)T(abcd)",
      "ping does not count", 4 },

    /* text that is not UTF-8: 1007 */

    { "81 85 K <ce ba e1 bd b9>", "T(\\xce\\xba\\xe1\\xbd\\xb9)", "UTF-8", 0 },
    { "81 82 K <c3 28>", "!1007", "not UTF-8", 0 },
    { "81 89 K 'abcdefg' <c3 28>", "!1007", "at the end of a word", 0 },
    { "81 83 K <ed a0 80>", "!1007", "surrogate", 0 },
    { "81 82 K <c0 af>", "!1007", "overlong", 0 },
    { "81 84 K <f4 90 80 80>", "!1007", "over U+10FFFF", 0 },
    { "81 81 K <c3>", "!1007", "cut by the end", 0 },
    { "81 85 K 'abc' <e2 82>", "!1007", "cut by the end, longer", 0 },
    { "81 85 K <c3 28>", "!1007", "before the frame is whole", 0 },
    { "01 82 K <c3 28>", "!1007", "before the message is whole", 0 },
    { "01 81 K <c3> 80 81 K <a9>", "T(\\xc3\\xa9)", "cut by a fragment", 0 },
    { "01 81 K <f0> 00 80 K 89 80 K 80 83 K <9f 98 80>",
      "P()T(\\xf0\\x9f\\x98\\x80)", "cut by more", 0 },
    { "01 81 K <c3> 80 81 K 'a'", "!1007", "wrong after a fragment", 0 },
    { "01 81 K <c3> 80 80 K", "!1007", "cut by an empty end", 0 },
    { "81 82 K <c3 a9> 81 81 K <a9>", "T(\\xc3\\xa9)!1007",
      "each message begins anew", 0 },
    { "02 81 K <c3> 80 80 K 82 82 K <c3 28>", "B(\\xc3)B(\\xc3()",
      "binary may be anything", 0 },

    /* close */

    { "88 80 K", "C1005()", "close without a status", 0 },
    { "88 82 K <03 e8>", "C1000()", "close 1000", 0 },
    { "88 85 K <03 e8> 'bye'", "C1000(bye)", "with a reason", 0 },
    { "88 fd K <03 e9> 'a'*123", "C1001(#123)", "longest reason", 0 },
    { "88 84 K <03 e8 c3 a9>", "C1000(\\xc3\\xa9)", "reason in UTF-8", 0 },
    { "88 84 K <03 e8 c3 28>", "!1007", "reason not UTF-8", 0 },
    { "88 83 K <03 e8 c3>", "!1007", "reason cut", 0 },
    { "88 84 K <03 ed c3 28>", "!1002", "bad code and bad reason", 0 },
    { "88 81 K <03>", "!1002", "half a code", 0 },
    { "88 80 K 81 81 K 'a'", "C1005()!1002", "text after close", 0 },
    { "88 80 K 88 80 K", "C1005()!1002", "close after close", 0 },
    { "88 80 K 89", "C1005()!1002", "a byte after close", 0 },
    { "81 81 K 'a' 88 80 K", "T(a)C1005()", "close after a message", 0 },
};


/* with allow_rsv1 */

static const ws_case_t  ws_rsv1_cases[] = {
    { "c1 85 K 'Hello'", "zT(Hello)", "RSV1 on text", 0 },
    { "c2 85 K 'Hello'", "zB(Hello)", "RSV1 on binary", 0 },
    { "c1 80 K", "zT()", "RSV1 on an empty message", 0 },
    { "81 85 K 'Hello'", "T(Hello)", "no RSV1", 0 },
    { "c1 81 K 'a' 81 81 K 'b' c1 81 K 'c'", "zT(a)T(b)zT(c)",
      "each message by itself", 0 },
    { "41 81 K 'a' 80 81 K 'b'", "zT(ab)", "RSV1 on the first fragment", 0 },
    { "41 80 K 89 80 K 00 81 K 'a' 80 81 K 'b' 81 81 K 'c'", "P()zT(ab)T(c)",
      "with a ping among them", 0 },
    { "c1 83 K <c3 28 ff>", "zT(\\xc3(\\xff)", "compressed text is no text",
      0 },
    { "41 81 K <ff> 80 81 K <c3> 81 82 K <c3 a9>",
      "zT(\\xff\\xc3)T(\\xc3\\xa9)", "the next one is", 0 },
    { "c1 81 K <c3> 81 81 K <a9>", "zT(\\xc3)!1007", "and begins anew", 0 },
    { "c1 84 K 'abcd'", "zT(abcd)", "the limit counts on the wire", 4 },
    { "c1 85", "!1009", "and is exceeded there", 4 },

    { "01 81 K 'a' c0 81 K 'b'", "!1002", "RSV1 on continuation", 0 },
    { "41 81 K 'a' c0 81 K 'b'", "!1002", "also of a compressed message", 0 },
    { "41 81 K 'a' 40", "!1002", "also not the last", 0 },
    { "41 81 K 'a' c1", "!1002", "a new one inside a message", 0 },
    { "c0 81 K 'a'", "!1002", "RSV1 on continuation of nothing", 0 },
    { "c8 80 K", "!1002", "RSV1 on close", 0 },
    { "c9 80 K", "!1002", "RSV1 on ping", 0 },
    { "ca 80 K", "!1002", "RSV1 on pong", 0 },
    { "c3 80 K", "!1002", "RSV1 on opcode 3", 0 },
    { "a1 85", "!1002", "RSV2", 0 },
    { "91 85", "!1002", "RSV3", 0 },
    { "e1 85", "!1002", "RSV1 and RSV2", 0 },
    { "d2 85", "!1002", "RSV1 and RSV3", 0 },
    { "f1", "!1002", "all of them, allowed is one", 0 },
};


static const struct {
    unsigned  from;
    unsigned  to;
    int       allowed;
} ws_codes[] = {
    { 0, 999, 0 },
    { 1000, 1003, 1 },
    { 1004, 1006, 0 },
    { 1007, 1014, 1 },
    { 1015, 2999, 0 },
    { 3000, 4999, 1 },
    { 5000, 65535, 0 },
};


static const uint8_t  ws_key[4] = { 0x37, 0xfa, 0x21, 0x3d };


static uint8_t
ws_hex(const char *s)
{
    char  digits[3] = { s[0], s[1], '\0' };

    return (uint8_t) strtoul(digits, NULL, 16);
}


/* from the way a case is written to what comes from the wire */

static size_t
ws_wire(uint8_t *out, const char *in)
{
    char      end;
    size_t    i, n, masked;
    uint8_t  *p;

    p = out;
    end = 0;
    masked = 0;

    while (*in) {

        if (*in == ' ') {
            in++;

        } else if (*in == 'K') {
            in++;
            memcpy(p, ws_key, 4);
            p += 4;
            masked = 0;

        } else if (*in == '\'' || *in == '<') {
            end = *in++ == '<' ? '>' : '\'';

            for (n = 0; *in != end; /* void */) {

                if (end == '\'') {
                    p[n++] = (uint8_t) *in++;

                } else if (*in == ' ') {
                    in++;

                } else {
                    p[n++] = ws_hex(in);
                    in += 2;
                }
            }

            if (*++in == '*') {
                n = strtoul(in + 1, (char **) &in, 10);
                memset(p, p[0], n);
            }

            for (i = 0; i < n; i++) {
                *p++ ^= ws_key[masked++ & 3];
            }

        } else {
            *p++ = ws_hex(in);
            in += 2;
        }
    }

    return (size_t) (p - out);
}


static void
ws_log(ws_log_t *log, const char *what, unsigned code, const uint8_t *p,
    size_t len)
{
    size_t  i;

    if (log->len > WS_LOG / 2) {
        return;             /* no case has that much to tell */
    }

    log->len += (size_t) snprintf(log->text + log->len, WS_LOG - log->len,
                                  code ? "%s%u" : "%s", what, code);

    if (what[0] == '!') {
        return;
    }

    if (len > 40) {
        log->len += (size_t) snprintf(log->text + log->len, WS_LOG - log->len,
                                      "(#%zu)", len);

        for (i = 0; i < len; i++) {
            log->broken += p[i] != 'a';
        }

        return;
    }

    log->text[log->len++] = '(';

    for (i = 0; i < len; i++) {
        log->len += (size_t) snprintf(log->text + log->len, WS_LOG - log->len,
                                      p[i] >= 0x20 && p[i] < 0x7f
                                      ? "%c" : "\\x%02x", p[i]);
    }

    log->text[log->len++] = ')';
    log->text[log->len] = '\0';
}


static void
ws_piece(ws_log_t *log, const rt_ws_event_t *ev)
{
    const char  *what;

    log->broken += ev->first == log->in_message;
    log->broken += ev->data.len == 0 && !ev->first && !ev->last;

    memcpy(log->message + log->message_len, ev->data.data, ev->data.len);
    log->message_len += ev->data.len;

    log->broken += log->in_message && ev->compressed != log->compressed;
    log->compressed = ev->compressed;
    log->in_message = 1;

    if (ev->last) {
        what = (ev->opcode == RT_WS_TEXT) ? "zT" : "zB";

        ws_log(log, ev->compressed ? what : what + 1, 0, log->message,
               log->message_len);

        log->message_len = 0;
        log->in_message = 0;
    }
}


/* one read of a connection: RT_AGAIN, with *left bytes of it to keep */

static int
ws_feed(rt_ws_t *ws, ws_log_t *log, uint8_t *p, uint8_t *last, size_t *left)
{
    int            rc;
    rt_ws_event_t  ev;

    while ((rc = rt_ws_next(ws, &p, last, &ev)) == RT_OK) {

        switch (ev.opcode) {

        case RT_WS_TEXT:
        case RT_WS_BINARY:
            ws_piece(log, &ev);
            break;

        case RT_WS_PING:
            ws_log(log, "P", 0, ev.data.data, ev.data.len);
            break;

        case RT_WS_PONG:
            ws_log(log, "O", 0, ev.data.data, ev.data.len);
            break;

        default:
            ws_log(log, "C", ev.code, ev.data.data, ev.data.len);
        }
    }

    if (rc == RT_ERROR) {
        log->broken += ev.text == NULL;
        ws_log(log, "!", ev.code, NULL, 0);
        return rc;
    }

    *left = (size_t) (last - p);
    log->broken += *left > RT_WS_KEEP;

    return rc;
}


/* cuts: ascending offsets of the pieces' ends, the last one is the length */

static void
ws_run(ws_log_t *log, uint64_t max, const uint8_t *in, const size_t *cuts,
    size_t n)
{
    int       rc;
    size_t    i, len, left, from, kept;
    rt_ws_t   ws;
    uint8_t  *buf, keep[RT_WS_KEEP];

    log->text[0] = '\0';
    log->len = 0;
    log->message_len = 0;
    log->in_message = 0;

    rt_ws_init(&ws, max);
    ws.allow_rsv1 = log->allow_rsv1;

    rc = RT_AGAIN;
    kept = 0;
    from = 0;

    for (i = 0; i < n && rc == RT_AGAIN; from = cuts[i++]) {
        len = kept + cuts[i] - from;

        buf = malloc(len ? len : 1);
        if (buf == NULL) {
            abort();
        }

        memcpy(buf, keep, kept);
        memcpy(buf + kept, in + from, cuts[i] - from);

        rc = ws_feed(&ws, log, buf, buf + len, &left);

        if (rc == RT_AGAIN) {
            kept = left > RT_WS_KEEP ? RT_WS_KEEP : left;
            memcpy(keep, buf + len - kept, kept);
        }

        free(buf);
    }
}


static size_t
ws_step(size_t i, size_t len)
{
    return (i < 300 || i + 300 > len) ? 1 : 4099;
}


static void
ws_test(const ws_case_t *c, uint8_t *wire, ws_log_t *log)
{
    size_t    i, j, len, *cuts, differs;
    uint64_t  max;

    max = c->max ? c->max : WS_MAX;
    len = ws_wire(wire, c->in);

    cuts = malloc((len + 3) * sizeof(size_t));
    if (cuts == NULL) {
        abort();
    }

    log->broken = 0;
    differs = 0;

    ws_run(log, max, wire, &len, 1);
    tap_is(log->text, c->out, "%s", c->name);

    for (i = 0; i <= len; i += ws_step(i, len)) {
        cuts[0] = i;
        cuts[1] = len;
        ws_run(log, max, wire, cuts, 2);
        differs += strcmp(log->text, c->out) != 0;

        for (j = i; len <= WS_SHORT && j <= len; j++) {
            cuts[1] = j;
            cuts[2] = len;
            ws_run(log, max, wire, cuts, 3);
            differs += strcmp(log->text, c->out) != 0;
        }
    }

    for (i = 0; i < len; i++) {
        cuts[i] = i + 1;
    }

    ws_run(log, max, wire, cuts, len);
    differs += strcmp(log->text, c->out) != 0;

    tap_ok(differs == 0 && log->broken == 0, "%s, in pieces", c->name);

    free(cuts);
}


static void
ws_test_codes(ws_log_t *log)
{
    size_t     i, len, wrong;
    unsigned   code;
    uint8_t    wire[64];
    char       in[64], out[64];

    for (i = 0; i < sizeof(ws_codes) / sizeof(ws_codes[0]); i++) {
        wrong = 0;

        for (code = ws_codes[i].from; code <= ws_codes[i].to; code++) {
            snprintf(in, sizeof(in), "88 82 K <%04x>", code);
            snprintf(out, sizeof(out), ws_codes[i].allowed ? "C%u()" : "!1002",
                     code);

            len = ws_wire(wire, in);
            ws_run(log, WS_MAX, wire, &len, 1);
            wrong += strcmp(log->text, out) != 0;
        }

        tap_ok(wrong == 0, "close codes %u to %u are %s", ws_codes[i].from,
               ws_codes[i].to, ws_codes[i].allowed ? "allowed" : "refused");
    }
}


/* unmasking by words: every length and alignment around them, cut anywhere */

static void
ws_test_unmask(ws_log_t *log)
{
    size_t   i, len, total, cuts[2], wrong;
    uint8_t  wire[2 + 4 + 40];
    char     out[64];

    wrong = 0;

    for (len = 0; len <= 40; len++) {
        total = 6 + len;

        wire[0] = 0x80 | RT_WS_TEXT;
        wire[1] = (uint8_t) (0x80 | len);
        memcpy(wire + 2, ws_key, 4);
        strcpy(out, "T(");

        for (i = 0; i < len; i++) {
            out[2 + i] = (char) ('0' + i % 43);
            wire[6 + i] = (uint8_t) out[2 + i] ^ ws_key[i & 3];
        }

        strcpy(out + 2 + len, ")");

        for (i = 0; i <= total; i++) {
            cuts[0] = i;
            cuts[1] = total;
            ws_run(log, WS_MAX, wire, cuts, 2);
            wrong += strcmp(log->text, out) != 0;
        }
    }

    tap_ok(wrong == 0, "unmasking 0 to 40 bytes, cut at each");
}


static int
ws_next(rt_ws_t *ws, const char *in, rt_ws_event_t *ev)
{
    static uint8_t  wire[64];

    uint8_t  *p;

    p = wire;

    return rt_ws_next(ws, &p, wire + ws_wire(wire, in), ev);
}


static void
ws_test_after_error(void)
{
    rt_ws_t        ws;
    rt_ws_event_t  ev;

    rt_ws_init(&ws, WS_MAX);

    ws_next(&ws, "83 80 K", &ev);
    tap_is(ev.text, "reserved opcode", "an error has a text");

    tap_ok(ws_next(&ws, "89 80 K", &ev) == RT_ERROR,
           "nothing is accepted after an error");

    rt_ws_init(&ws, WS_MAX);

    ws_next(&ws, "81 85 K <c3 28>", &ev);
    tap_ok(ev.code == RT_WS_BAD_DATA, "an error inside a frame");

    tap_ok(ws_next(&ws, "40 5f 54", &ev) == RT_ERROR,
           "nor is the rest of its frame");
}


/* no test can send 2^64 bytes: the parser is put where it would have been */

static void
ws_test_overflow(void)
{
    rt_ws_t        ws;
    rt_ws_event_t  ev;

    rt_ws_init(&ws, UINT64_MAX);

    ws.opcode = RT_WS_BINARY;
    ws.total = UINT64_MAX - 4;

    tap_ok(ws_next(&ws, "80 84", &ev) == RT_AGAIN, "a sum of 2^64 - 1");
    tap_ok(ws_next(&ws, "80 85", &ev) == RT_ERROR
           && ev.code == RT_WS_TOO_BIG, "a sum of 2^64 does not wrap around");
}


/* what a server sends */

static void
ws_test_out(void)
{
    char     hex[2 * RT_WS_HEADER_MAX + 1];
    size_t   i, k, n;
    uint8_t  out[RT_WS_HEADER_MAX];

    static const struct {
        uint64_t     len;
        const char  *hex;
    } headers[] = {
        { 0, "8100" },
        { 5, "8105" },
        { 125, "817d" },
        { 126, "817e007e" },
        { 256, "817e0100" },
        { 65535, "817effff" },
        { 65536, "817f0000000000010000" },
        { 0x0123456789abcdef, "817f0123456789abcdef" },
    };

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        n = rt_ws_header(out, RT_WS_TEXT, headers[i].len);

        for (k = 0; k < n; k++) {
            sprintf(hex + 2 * k, "%02x", out[k]);
        }

        tap_is(hex, headers[i].hex, "header of %llu bytes",
               (unsigned long long) headers[i].len);
    }

    n = rt_ws_header(out, RT_WS_BINARY, 1);
    tap_bytes(out, n, "\x82\x01", 2, "header of a binary frame");

    n = rt_ws_header(out, RT_WS_TEXT | RT_WS_RSV1, 1);
    tap_bytes(out, n, "\xc1\x01", 2, "header of a compressed frame");
}


int
main(void)
{
    size_t     i;
    uint8_t   *wire;
    ws_log_t   log;

    wire = malloc(WS_WIRE);
    log.message = malloc(WS_WIRE);

    if (wire == NULL || log.message == NULL) {
        return 1;
    }

    log.allow_rsv1 = 0;

    for (i = 0; i < sizeof(ws_cases) / sizeof(ws_case_t); i++) {
        ws_test(&ws_cases[i], wire, &log);
    }

    log.allow_rsv1 = 1;

    for (i = 0; i < sizeof(ws_rsv1_cases) / sizeof(ws_case_t); i++) {
        ws_test(&ws_rsv1_cases[i], wire, &log);
    }

    log.allow_rsv1 = 0;

    ws_test_codes(&log);
    ws_test_unmask(&log);
    ws_test_after_error();
    ws_test_overflow();
    ws_test_out();

    free(log.message);
    free(wire);

    return tap_done();
}
