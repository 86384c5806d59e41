
/*
 * Copyright (C) ngx_realtime contributors
 */

/* UTF-8: valid and invalid strings, at every offset and split point. */

#include "rt_utf8.h"
#include "tap.h"


#define UTF8_PAD  19    /* more than two words of the fast path */

#define utf8_str(s)  s, sizeof(s) - 1


typedef struct {
    const char  *data;
    size_t       len;
    int          points;   /* code points; -1: invalid */
    const char  *name;
} utf8_case_t;


static const utf8_case_t  utf8_cases[] = {
    { utf8_str(""), 0, "empty" },
    { utf8_str("a"), 1, "one letter" },
    { utf8_str("\0"), 1, "NUL" },
    { utf8_str("\x7f"), 1, "U+007F" },
    { utf8_str("\xc2\x80"), 1, "U+0080" },
    { utf8_str("\xdf\xbf"), 1, "U+07FF" },
    { utf8_str("\xe0\xa0\x80"), 1, "U+0800" },
    { utf8_str("\xed\x9f\xbf"), 1, "U+D7FF" },
    { utf8_str("\xee\x80\x80"), 1, "U+E000" },
    { utf8_str("\xef\xbf\xbf"), 1, "U+FFFF" },
    { utf8_str("\xf0\x90\x80\x80"), 1, "U+10000" },
    { utf8_str("\xf4\x8f\xbf\xbf"), 1, "U+10FFFF" },
    { utf8_str("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"), 5, "kosme" },
    { utf8_str("12345678\xc3\xa9" "12345678"), 17, "words around a char" },
    { utf8_str("\xf0\x9f\x98\x80\xf0\x9f\x98\x80"), 2, "two emoji" },

    { utf8_str("\x80"), -1, "lone continuation" },
    { utf8_str("\xbf"), -1, "last lone continuation" },
    { utf8_str("a\x80"), -1, "continuation after a letter" },
    { utf8_str("\xc3\xa9\xa9"), -1, "one continuation too many" },
    { utf8_str("\xc0\xaf"), -1, "overlong slash, 2 bytes" },
    { utf8_str("\xc1\xbf"), -1, "overlong U+007F" },
    { utf8_str("\xe0\x80\xaf"), -1, "overlong slash, 3 bytes" },
    { utf8_str("\xe0\x9f\xbf"), -1, "overlong U+07FF" },
    { utf8_str("\xf0\x80\x80\xaf"), -1, "overlong slash, 4 bytes" },
    { utf8_str("\xf0\x8f\xbf\xbf"), -1, "overlong U+FFFF" },
    { utf8_str("\xed\xa0\x80"), -1, "U+D800" },
    { utf8_str("\xed\xbf\xbf"), -1, "U+DFFF" },
    { utf8_str("\xed\xa1\x8c\xed\xbe\xb4"), -1, "CESU-8 pair" },
    { utf8_str("\xf4\x90\x80\x80"), -1, "U+110000" },
    { utf8_str("\xf5\x80\x80\x80"), -1, "lead F5" },
    { utf8_str("\xf8\x88\x80\x80\x80"), -1, "5 byte form" },
    { utf8_str("\xfe"), -1, "FE" },
    { utf8_str("\xff"), -1, "FF" },
    { utf8_str("\xc3"), -1, "cut after 1 of 2" },
    { utf8_str("\xe2\x82"), -1, "cut after 2 of 3" },
    { utf8_str("\xf0\x9f\x98"), -1, "cut after 3 of 4" },
    { utf8_str("\xc3(" ), -1, "letter for the second byte" },
    { utf8_str("\xe2\x82("), -1, "letter for the third byte" },
    { utf8_str("\xf0\x9f\x98("), -1, "letter for the fourth byte" },
    { utf8_str("\xe2\xc3\xa9"), -1, "lead inside a character" },
};


static int
utf8_pieces(const uint8_t *p, size_t len, size_t cut)
{
    rt_utf8_t  u;

    memset(&u, 0, sizeof(rt_utf8_t));

    if (rt_utf8_feed(&u, p, cut) != RT_OK
        || rt_utf8_feed(&u, p + cut, len - cut) != RT_OK)
    {
        return RT_ERROR;
    }

    return rt_utf8_done(&u) ? RT_OK : RT_ERROR;
}


/* the case after 0 to UTF8_PAD letters and before as many, cut everywhere */

static void
utf8_test(const utf8_case_t *c)
{
    int       want, bad;
    size_t    pad, after, len, cut;
    uint8_t  *p, text[64 + 2 * UTF8_PAD];

    bad = 0;
    want = c->points < 0 ? RT_ERROR : RT_OK;

    for (pad = 0; pad <= UTF8_PAD; pad++) {

        for (after = 0; after <= UTF8_PAD; after += UTF8_PAD) {
            len = pad + c->len + after;

            memset(text, 'x', len);
            memcpy(text + pad, c->data, c->len);

            p = tap_exact(text, len);

            bad += rt_utf8_check(p, len) != want;

            for (cut = 0; cut <= len; cut++) {
                bad += utf8_pieces(p, len, cut) != want;
            }

            if (want == RT_OK) {
                bad += rt_utf8_length(p, len)
                       != pad + (size_t) c->points + after;
            }

            free(p);
        }
    }

    tap_ok(bad == 0, "%s is %s", c->name, want == RT_OK ? "valid" : "invalid");
}


/* against the definition: every code point, encoded here, and its neighbours */

static void
utf8_all_code_points(void)
{
    int       bad;
    size_t    n;
    uint8_t   s[4];
    uint32_t  c;

    bad = 0;

    for (c = 0; c < 0x120000; c++) {

        if (c < 0x80) {
            n = 1;
            s[0] = (uint8_t) c;

        } else if (c < 0x800) {
            n = 2;
            s[0] = (uint8_t) (0xc0 | c >> 6);

        } else if (c < 0x10000) {
            n = 3;
            s[0] = (uint8_t) (0xe0 | c >> 12);
            s[1] = 0x80 | (c >> 6 & 0x3f);

        } else {
            n = 4;
            s[0] = (uint8_t) (0xf0 | c >> 18);
            s[1] = 0x80 | (c >> 12 & 0x3f);
            s[2] = 0x80 | (c >> 6 & 0x3f);
        }

        if (n > 1) {
            s[n - 1] = 0x80 | (c & 0x3f);
        }

        bad += (rt_utf8_check(s, n) == RT_OK)
               != (c < 0xd800 || (c > 0xdfff && c < 0x110000));
    }

    tap_ok(bad == 0, "every code point but surrogates up to U+10FFFF");
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(utf8_cases) / sizeof(utf8_case_t); i++) {
        utf8_test(&utf8_cases[i]);
    }

    utf8_all_code_points();

    return tap_done();
}
