
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Sec-WebSocket-Extensions: an answer names nothing that was not asked for,
 * and what stands beside the offers changes nothing.
 */

#include "fuzz.h"
#include "rt_deflate.h"


#define FUZZ_OUT  128

#define FUZZ_ANSWER                                                           \
    "permessage-deflate; server_no_context_takeover; "                        \
    "client_no_context_takeover"


static int
fuzz_accept(const char *before, const uint8_t *data, size_t size,
    const char *after, int bits, uint8_t *out, size_t *out_len)
{
    int       rc;
    size_t    n;
    uint8_t  *p, *answer;

    static rt_deflate_t  *streams[16];

    if (streams[bits] == NULL) {
        streams[bits] = rt_deflate_create(1, bits);
        fuzz_assert(streams[bits]);
    }

    n = strlen(before);
    p = malloc(n + size + strlen(after) + 1);
    answer = malloc(FUZZ_OUT);
    fuzz_assert(p && answer);

    memcpy(p, before, n);

    if (size) {
        memcpy(p + n, data, size);
    }

    memcpy(p + n + size, after, strlen(after));
    n += size + strlen(after);

    /* exactly as long as the header */

    p = realloc(p, n + !n);
    fuzz_assert(p);

    *out_len = 0;
    rc = rt_deflate_accept(streams[bits], p, n, answer, out_len);

    memcpy(out, answer, *out_len);

    free(answer);
    free(p);

    return rc;
}


static void
fuzz_same(const char *before, const uint8_t *data, size_t size,
    const char *after, int bits, int rc, const uint8_t *out, size_t len)
{
    size_t   again_len;
    uint8_t  again[FUZZ_OUT];

    fuzz_assert(fuzz_accept(before, data, size, after, bits, again,
                            &again_len) == rc);
    fuzz_assert(again_len == len && memcmp(again, out, len) == 0);
}


static int
fuzz_has(const uint8_t *data, size_t size, const char *word)
{
    size_t  n;

    for (n = strlen(word); size >= n; size--, data++) {
        if (memcmp(data, word, n) == 0) {
            return 1;
        }
    }

    return 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int      rc, bits, named;
    char     bits_text[40];
    size_t   len, fixed;
    uint8_t  out[FUZZ_OUT];

    if (size == 0) {
        return 0;
    }

    bits = 9 + data[0] % 7;
    data++;
    size--;

    rc = fuzz_accept("", data, size, "", bits, out, &len);

    if (rc == RT_OK) {
        fixed = sizeof(FUZZ_ANSWER) - 1;
        named = sprintf(bits_text, "; server_max_window_bits=%d", bits);

        fuzz_assert(fuzz_has(data, size, "permessage-deflate"));
        fuzz_assert(len >= fixed && memcmp(out, FUZZ_ANSWER, fixed) == 0);

        if (len > fixed) {
            fuzz_assert(fuzz_has(data, size, "server_max_window_bits"));
            fuzz_assert(len == fixed + (size_t) named);
            fuzz_assert(memcmp(out + fixed, bits_text, (size_t) named) == 0);
        }

    } else {
        fuzz_assert(rc == RT_AGAIN || rc == RT_ERROR);
        fuzz_assert(len == 0);
    }

    fuzz_same(" ,\t", data, size, "", bits, rc, out, len);
    fuzz_same("", data, size, ",", bits, rc, out, len);
    fuzz_same("foo;a=\"b\";c, ", data, size, " , permessage-deflate; x", bits,
              rc, out, len);
    fuzz_same("", data, size, ", permessage-deflate; server_max_window_bits=8",
              bits, rc, out, len);
    fuzz_same("", data, size, ", (", bits, RT_ERROR, out, 0);

    if (rc == RT_AGAIN) {
        fuzz_same("", data, size, ", permessage-deflate", bits, RT_OK,
                  (const uint8_t *) FUZZ_ANSWER, sizeof(FUZZ_ANSWER) - 1);
    }

    return 0;
}
