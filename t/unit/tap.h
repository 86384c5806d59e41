
/*
 * Copyright (C) ngx_realtime contributors
 */

/* TAP for the unit tests: one .c is one program, so all of it is static. */

#ifndef _TAP_H_INCLUDED_
#define _TAP_H_INCLUDED_


#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static unsigned  tap_tests;
static unsigned  tap_failed;


/* tap_ok(condition, format, ...): the rest names the claim */

#define tap_ok(cond, ...)                                                     \
    tap_report((cond) ? 1 : 0, __FILE__, __LINE__, __VA_ARGS__)

#define tap_bytes(got, got_len, want, want_len, ...)                          \
    tap_compare(got, got_len, want, want_len, __FILE__, __LINE__, __VA_ARGS__)

/* of C strings */
#define tap_is(got, want, ...)                                                \
    tap_compare(got, strlen(got), want, strlen(want), __FILE__, __LINE__,     \
                __VA_ARGS__)


static inline void
tap_print(int ok, const char *file, int line, const char *fmt, va_list args)
{
    tap_tests++;

    printf("%sok %u - ", ok ? "" : "not ", tap_tests);
    vprintf(fmt, args);
    printf("\n");

    if (!ok) {
        tap_failed++;
        printf("#   at %s line %d\n", file, line);
    }
}


__attribute__((format(printf, 4, 5)))
static inline void
tap_report(int ok, const char *file, int line, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    tap_print(ok, file, line, fmt, args);
    va_end(args);
}


static inline void
tap_dump(const char *name, const void *data, size_t len)
{
    size_t          i;
    const uint8_t  *p;

    p = data;

    printf("#   %s: %zu bytes \"", name, len);

    for (i = 0; i < len && i < 200; i++) {
        printf(p[i] >= 0x20 && p[i] < 0x7f ? "%c" : "\\x%02x", p[i]);
    }

    printf("\"\n");
}


__attribute__((format(printf, 7, 8)))
static inline void
tap_compare(const void *got, size_t got_len, const void *want,
    size_t want_len, const char *file, int line, const char *fmt, ...)
{
    int      same;
    va_list  args;

    same = got_len == want_len
           && (got_len == 0 || memcmp(got, want, got_len) == 0);

    va_start(args, fmt);
    tap_print(same, file, line, fmt, args);
    va_end(args);

    if (!same) {
        tap_dump("got", got, got_len);
        tap_dump("want", want, want_len);
    }
}


/*
 * An exact copy on the heap, without NUL, so that AddressSanitizer sees a
 * byte read past the end.  The caller frees it.
 */

static inline uint8_t *
tap_exact(const void *data, size_t len)
{
    uint8_t  *p;

    p = malloc(len ? len : 1);
    if (p == NULL) {
        abort();
    }

    if (len) {
        memcpy(p, data, len);
    }

    return p;
}


/* to be returned from main() */

static inline int
tap_done(void)
{
    printf("1..%u\n", tap_tests);

    return tap_failed ? 1 : 0;
}


#endif /* _TAP_H_INCLUDED_ */
