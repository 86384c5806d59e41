
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "rt_uuid7.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif


#define RT_UUID7_COUNTER_MAX   0xfff
#define RT_UUID7_COUNTER_SEED  0x7ff   /* leaves half of it to count up */


static void rt_uuid_hex(const uint8_t *id, uint8_t *hex);
static int rt_uuid_is_dash(size_t i);

#if defined(__SSE2__)
static int rt_uuid_block(__m128i *v, unsigned dashes);
static __m128i rt_uuid_digits(__m128i v);
#endif


void
rt_uuid7(rt_uuid7_t *state, uint64_t unix_ms, const uint8_t *random,
    uint8_t *out)
{
    size_t    i;
    uint8_t   id[RT_UUID_BYTES];
    uint32_t  seed;

    seed = ((uint32_t) random[8] << 8 | random[9]) & RT_UUID7_COUNTER_SEED;

    if (unix_ms > state->ms) {
        state->ms = unix_ms;
        state->counter = seed;

    } else if (state->counter < RT_UUID7_COUNTER_MAX) {
        state->counter++;

    } else {

        /* RFC 9562, 6.2: on overflow the time may run ahead of the clock */

        state->ms++;
        state->counter = seed;
    }

    for (i = 0; i < 6; i++) {
        id[i] = (uint8_t) (state->ms >> (40 - 8 * i));
    }

    id[6] = (uint8_t) (0x70 | state->counter >> 8);
    id[7] = (uint8_t) (state->counter & 0xff);

    memcpy(id + 8, random, 8);
    id[8] = 0x80 | (id[8] & 0x3f);

    rt_uuid_print(id, out);
}


#if defined(__SSE2__)


#define RT_UUID_BLOCK  16

int
rt_uuid_parse(const uint8_t *p, size_t len, uint8_t *out)
{
    __m128i  a, b, c;

    if (len != RT_UUID_LEN) {
        return RT_ERROR;
    }

    a = _mm_loadu_si128((const __m128i *) (const void *) p);
    b = _mm_loadu_si128((const __m128i *) (const void *)
                        (p + RT_UUID_BLOCK));
    c = _mm_loadu_si128((const __m128i *) (const void *)
                        (p + RT_UUID_LEN - RT_UUID_BLOCK));

    /* dashes at 8, 13, 18, 23 */

    if (!rt_uuid_block(&a, 1u << 8 | 1u << 13)
        || !rt_uuid_block(&b, 1u << 2 | 1u << 7)
        || !rt_uuid_block(&c, 1u << 3))
    {
        return RT_ERROR;
    }

    _mm_storeu_si128((__m128i *) (void *) out, a);
    _mm_storeu_si128((__m128i *) (void *) (out + RT_UUID_BLOCK), b);
    _mm_storeu_si128((__m128i *) (void *)
                     (out + RT_UUID_LEN - RT_UUID_BLOCK), c);

    return RT_OK;
}


/* 16 bytes, with dashes where the bits are: hex digits, made lower case? */

static int
rt_uuid_block(__m128i *v, unsigned dashes)
{
    __m128i  dash, digit, letter, lower;

    dash = _mm_cmpeq_epi8(*v, _mm_set1_epi8('-'));

    digit = _mm_and_si128(_mm_cmpgt_epi8(*v, _mm_set1_epi8('0' - 1)),
                          _mm_cmplt_epi8(*v, _mm_set1_epi8('9' + 1)));

    lower = _mm_or_si128(*v, _mm_set1_epi8(0x20));
    letter = _mm_and_si128(_mm_cmpgt_epi8(lower, _mm_set1_epi8('a' - 1)),
                           _mm_cmplt_epi8(lower, _mm_set1_epi8('f' + 1)));

    *v = _mm_or_si128(*v, _mm_and_si128(letter, _mm_set1_epi8(0x20)));

    return (unsigned) _mm_movemask_epi8(dash) == dashes
           && (unsigned) _mm_movemask_epi8(_mm_or_si128(digit, letter))
              == (~dashes & 0xffff);
}


#else


int
rt_uuid_parse(const uint8_t *p, size_t len, uint8_t *out)
{
    size_t   i;
    uint8_t  c, text[RT_UUID_LEN];

    if (len != RT_UUID_LEN) {
        return RT_ERROR;
    }

    for (i = 0; i < RT_UUID_LEN; i++) {
        c = p[i];

        if (rt_uuid_is_dash(i)) {
            if (c != '-') {
                return RT_ERROR;
            }

        } else if (c < '0' || c > '9') {
            c |= 0x20;

            if (c < 'a' || c > 'f') {
                return RT_ERROR;
            }
        }

        text[i] = c;
    }

    memcpy(out, text, RT_UUID_LEN);

    return RT_OK;
}


#endif


void
rt_uuid_pack(const uint8_t *text, uint8_t *id)
{
    size_t   i, n;
    uint8_t  c;

    for (i = 0, n = 0; i < RT_UUID_LEN; i++) {

        if (rt_uuid_is_dash(i)) {
            continue;
        }

        c = text[i];
        c = c > '9' ? c - 'a' + 10 : c - '0';

        id[n / 2] = (uint8_t) (n % 2 ? id[n / 2] | c : c << 4);
        n++;
    }
}


void
rt_uuid_print(const uint8_t *id, uint8_t *text)
{
    uint8_t  hex[2 * RT_UUID_BYTES];

    rt_uuid_hex(id, hex);

    memcpy(text, hex, 8);
    text[8] = '-';
    memcpy(text + 9, hex + 8, 4);
    text[13] = '-';
    memcpy(text + 14, hex + 12, 4);
    text[18] = '-';
    memcpy(text + 19, hex + 16, 4);
    text[23] = '-';
    memcpy(text + 24, hex + 20, 12);
}


#if defined(__SSE2__)


static void
rt_uuid_hex(const uint8_t *id, uint8_t *hex)
{
    __m128i  v, high, low, mask;

    mask = _mm_set1_epi8(0xf);
    v = _mm_loadu_si128((const __m128i *) (const void *) id);

    high = rt_uuid_digits(_mm_and_si128(_mm_srli_epi16(v, 4), mask));
    low = rt_uuid_digits(_mm_and_si128(v, mask));

    _mm_storeu_si128((__m128i *) (void *) hex, _mm_unpacklo_epi8(high, low));
    _mm_storeu_si128((__m128i *) (void *) (hex + RT_UUID_BLOCK),
                     _mm_unpackhi_epi8(high, low));
}


/* 16 numbers under 16 */

static __m128i
rt_uuid_digits(__m128i v)
{
    __m128i  letter;

    letter = _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8(9)),
                           _mm_set1_epi8('a' - 10 - '0'));

    return _mm_add_epi8(_mm_add_epi8(v, _mm_set1_epi8('0')), letter);
}


#else


static void
rt_uuid_hex(const uint8_t *id, uint8_t *hex)
{
    size_t  i;

    static const char  digits[] = "0123456789abcdef";

    for (i = 0; i < RT_UUID_BYTES; i++) {
        *hex++ = (uint8_t) digits[id[i] >> 4];
        *hex++ = (uint8_t) digits[id[i] & 0xf];
    }
}


#endif


static int
rt_uuid_is_dash(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}
