
/*
 * Copyright (C) ngx_realtime contributors
 */

/* UUIDv7: the layout, the order, the text form. */

#include "rt_uuid7.h"
#include "tap.h"


static const struct {
    const char  *in;
    const char  *out;     /* NULL: refused */
    const char  *name;
} uuid_cases[] = {
    { "017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
      "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "version 7" },
    { "017F22E2-79B0-7CC3-98C4-DC0C0C07398F",
      "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "upper case" },
    { "F81D4FAE-7DEC-11D0-a765-00a0c91e6bf6",
      "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "version 1, mixed case" },
    { "00000000-0000-0000-0000-000000000000",
      "00000000-0000-0000-0000-000000000000", "nil" },
    { "ffffffff-ffff-ffff-ffff-ffffffffffff",
      "ffffffff-ffff-ffff-ffff-ffffffffffff", "max" },

    { "", NULL, "empty" },
    { "017f22e2-79b0-7cc3-98c4-dc0c0c07398", NULL, "35 bytes" },
    { "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0", NULL, "37 bytes" },
    { "017f22e279b07cc398c4dc0c0c07398f", NULL, "no dashes" },
    { "{17f22e2-79b0-7cc3-98c4-dc0c0c07398}", NULL, "braces" },
    { "017f22e2-79b0-7cc3-98c4-dc0c0c07398g", NULL, "g" },
    { "017f22e2-79b0-7cc3-98c4-dc0c0c07398G", NULL, "G" },
    { "/17f22e2-79b0-7cc3-98c4-dc0c0c07398f", NULL, "slash: before 0" },
    { ":17f22e2-79b0-7cc3-98c4-dc0c0c07398f", NULL, "colon: after 9" },
    { "`17f22e2-79b0-7cc3-98c4-dc0c0c07398f", NULL, "backquote: before a" },
    { "@17f22e2-79b0-7cc3-98c4-dc0c0c07398f", NULL, "at: before A" },
    { "\xc1" "17f22e2-79b0-7cc3-98c4-dc0c0c07398f", NULL, "A with high bit" },
    { "\x01" "17f22e2-79b0-7cc3-98c4-dc0c0c07398f", NULL, "control byte" },
    { "017f22e-279b0-7cc3-98c4-dc0c0c07398f", NULL, "first dash early" },
    { "017f22e2-79b0-7cc3-98c4d-c0c0c07398f", NULL, "last dash late" },
    { "017f22e2-79b0-7cc3-98c4-dc0c0c0-398f", NULL, "dash for a digit" },
    { "017f22e2 79b0-7cc3-98c4-dc0c0c07398f", NULL, "space for a dash" },
};


static void
uuid_test_parse(size_t n)
{
    int          rc;
    size_t       len;
    uint8_t     *p, out[RT_UUID_LEN];
    const char  *in, *want;

    in = uuid_cases[n].in;
    want = uuid_cases[n].out;
    len = strlen(in);
    p = tap_exact(in, len);

    memset(out, '?', sizeof(out));
    rc = rt_uuid_parse(p, len, out);

    if (want == NULL) {
        tap_ok(rc == RT_ERROR && out[0] == '?', "%s is refused",
               uuid_cases[n].name);

    } else {
        tap_ok(rc == RT_OK, "%s is accepted", uuid_cases[n].name);
        tap_bytes(out, sizeof(out), want, strlen(want), "in lower case");

        rt_uuid_parse(p, len, p);
        tap_bytes(p, len, want, strlen(want), "in place too");
    }

    free(p);
}


/* any byte at any place, beside what the letters of the rule say */

static void
uuid_test_every(void)
{
    size_t       i, c, bad;
    uint8_t      text[RT_UUID_LEN], out[RT_UUID_LEN], id[RT_UUID_BYTES];
    const char  *good;
    unsigned     hex, dash;

    good = "a17f22e2-79b0-7cc3-98c4-dc0c0c07398f";
    bad = 0;

    for (i = 0; i < RT_UUID_LEN; i++) {
        for (c = 0; c < 256; c++) {
            memcpy(text, good, RT_UUID_LEN);
            text[i] = (uint8_t) c;

            hex = c < 128 && strchr("0123456789abcdefABCDEF", (int) c)
                  && c != 0;
            dash = c == '-';

            if (rt_uuid_parse(text, RT_UUID_LEN, out)
                != ((good[i] == '-' ? dash : hex) ? RT_OK : RT_ERROR))
            {
                bad++;
                continue;
            }

            if ((good[i] == '-' ? dash : hex)
                && (out[i] != (c >= 'A' && c <= 'F' ? c + 0x20 : c)
                    || memcmp(out, good, i) != 0
                    || memcmp(out + i + 1, good + i + 1,
                              RT_UUID_LEN - i - 1)
                       != 0))
            {
                bad++;
            }
        }
    }

    tap_ok(bad == 0, "every byte at every place");

    for (c = 0, bad = 0; c < 256; c++) {
        for (i = 0; i < RT_UUID_BYTES; i++) {
            id[i] = (uint8_t) (c * 7 + i * 31);
        }

        rt_uuid_print(id, text);
        sprintf((char *) out, "%02x%02x%02x%02x-%02x%02x", id[0], id[1],
                id[2], id[3], id[4], id[5]);
        bad += memcmp(out, text, 13) != 0
               || rt_uuid_parse(text, RT_UUID_LEN, out) != RT_OK;

        rt_uuid_pack(text, out);
        bad += memcmp(out, id, RT_UUID_BYTES) != 0;
    }

    tap_ok(bad == 0, "printed and packed");
}


/* the example of RFC 9562, A.6 */

static void
uuid_test_layout(void)
{
    uint8_t     out[RT_UUID_LEN + 1];
    rt_uuid7_t  state;

    static const uint8_t  random[10] = {
        0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f, 0xfc, 0xc3
    };

    memset(&state, 0, sizeof(rt_uuid7_t));
    out[RT_UUID_LEN] = '?';

    rt_uuid7(&state, 0x017f22e279b0, random, out);

    tap_bytes(out, RT_UUID_LEN, "017f22e2-79b0-74c3-98c4-dc0c0c07398f",
              RT_UUID_LEN, "time, counter with its top bit clear, random");
    tap_ok(out[RT_UUID_LEN] == '?', "36 bytes are written");

    rt_uuid7(&state, 0x017f22e279b0, random, out);

    tap_bytes(out, RT_UUID_LEN, "017f22e2-79b0-74c4-98c4-dc0c0c07398f",
              RT_UUID_LEN, "same ms: the counter goes up");

    rt_uuid7(&state, 0x017f22e279af, random, out);

    tap_bytes(out, RT_UUID_LEN, "017f22e2-79b0-74c5-98c4-dc0c0c07398f",
              RT_UUID_LEN, "the clock stepped back: so it does");

    state.counter = 0xfff;
    rt_uuid7(&state, 0x017f22e279b0, random, out);

    tap_bytes(out, RT_UUID_LEN, "017f22e2-79b1-74c3-98c4-dc0c0c07398f",
              RT_UUID_LEN, "counter is full: into the next ms");

    rt_uuid7(&state, 0x017f22e279b1, random, out);

    tap_bytes(out, RT_UUID_LEN, "017f22e2-79b1-74c4-98c4-dc0c0c07398f",
              RT_UUID_LEN, "when the clock comes there, no ms is lost");

    memset(&state, 0, sizeof(rt_uuid7_t));
    rt_uuid7(&state, 0xabc1017f22e279b0, random, out);

    tap_bytes(out, RT_UUID_LEN, "017f22e2-79b0-74c3-98c4-dc0c0c07398f",
              RT_UUID_LEN, "the time has 48 bits");
}


/* random bits of all kinds, a clock that jumps about: still in order */

static void
uuid_test_order(void)
{
    int         disorder, wrong;
    size_t      i, n;
    uint8_t     random[10], out[RT_UUID_LEN], prev[RT_UUID_LEN];
    uint64_t    ms, x;
    rt_uuid7_t  state;

    ms = 1700000000000;
    x = 88172645463325252;
    disorder = 0;
    wrong = 0;

    memset(&state, 0, sizeof(rt_uuid7_t));
    memset(prev, '0', sizeof(prev));

    for (n = 0; n < 50000; n++) {

        for (i = 0; i < sizeof(random); i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            random[i] = (uint8_t) (n % 3 ? x : n % 2 ? 0xff : 0);
        }

        if (x % 4096 == 0) {
            ms -= x >> 32 & 0xff;

        } else if (x % 1024 == 0) {
            ms++;
        }

        rt_uuid7(&state, ms, random, out);

        disorder += memcmp(prev, out, RT_UUID_LEN) >= 0;
        wrong += out[14] != '7' || strchr("89ab", out[19]) == NULL
                 || rt_uuid_parse(out, RT_UUID_LEN, prev) != RT_OK;

        memcpy(prev, out, RT_UUID_LEN);
    }

    tap_ok(disorder == 0, "50000 ids sort as they were made");
    tap_ok(wrong == 0, "each has version 7 and variant 10");
}


static void
uuid_test_bytes(void)
{
    uint8_t  id[RT_UUID_BYTES], text[RT_UUID_LEN];

    static const uint8_t  in[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
    static const uint8_t  bytes[] = {
        0x01, 0x7f, 0x22, 0xe2, 0x79, 0xb0, 0x7c, 0xc3,
        0x98, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f
    };

    rt_uuid_pack(in, id);
    rt_uuid_print(id, text);

    tap_ok(memcmp(id, bytes, sizeof(bytes)) == 0, "the bytes of a text");
    tap_ok(memcmp(text, in, RT_UUID_LEN) == 0, "and the text of them");
}


int
main(void)
{
    size_t  i;

    uuid_test_layout();
    uuid_test_order();
    uuid_test_bytes();
    uuid_test_every();

    for (i = 0; i < sizeof(uuid_cases) / sizeof(uuid_cases[0]); i++) {
        uuid_test_parse(i);
    }

    return tap_done();
}
