
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * For t/ws_deflate_diff.t.  A line of the input is a letter and hex; a line of
 * the output is what became of it:
 *
 *   o  a header with offers    the answer, "declined" or "malformed"
 *   c  a message               compressed, in hex
 *   i  a compressed message    inflated, in hex; "refused"
 */

#include <stdio.h>
#include <stdlib.h>

#include "rt_deflate.h"


#define DIFF_LINE    65536
#define DIFF_BITS    12
#define DIFF_ANSWER  128


static size_t
diff_bytes(uint8_t *out, const char *hex)
{
    size_t  n;
    char    digits[3];

    digits[2] = '\0';

    for (n = 0; hex[2 * n] != '\n'; n++) {
        memcpy(digits, hex + 2 * n, 2);
        out[n] = (uint8_t) strtoul(digits, NULL, 16);
    }

    return n;
}


static void
diff_print(const uint8_t *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        printf("%02x", p[i]);
    }

    putchar('\n');
}


static void
diff_offer(rt_deflate_t *d, const uint8_t *p, size_t len)
{
    size_t   n;
    uint8_t  answer[DIFF_ANSWER];

    switch (rt_deflate_accept(d, p, len, answer, &n)) {

    case RT_OK:
        printf("%.*s\n", (int) n, (const char *) answer);
        break;

    case RT_AGAIN:
        puts("declined");
        break;

    default:
        puts("malformed");
    }
}


static void
diff_compress(rt_deflate_t *d, const uint8_t *p, size_t len)
{
    size_t   n;
    uint8_t  out[2 * DIFF_LINE];

    n = rt_deflate_compress(d, out, sizeof(out), p, len);

    diff_print(out, n);
}


static void
diff_inflate(rt_deflate_t *d, const uint8_t *p, size_t len)
{
    size_t    n;
    uint8_t  *out;

    if (rt_deflate_inflate(d, p, len, DIFF_LINE, &out, &n) != RT_OK) {
        puts("refused");
        return;
    }

    diff_print(out, n);
    free(out);
}


int
main(void)
{
    size_t         len;
    rt_deflate_t  *d;

    static char     line[2 * DIFF_LINE + 3];
    static uint8_t  bytes[DIFF_LINE];

    d = rt_deflate_create(6, DIFF_BITS);
    if (d == NULL) {
        return 1;
    }

    while (fgets(line, sizeof(line), stdin)) {
        len = diff_bytes(bytes, line + 1);

        switch (line[0]) {

        case 'o':
            diff_offer(d, bytes, len);
            break;

        case 'c':
            diff_compress(d, bytes, len);
            break;

        default:
            diff_inflate(d, bytes, len);
        }
    }

    rt_deflate_destroy(d);

    return 0;
}
