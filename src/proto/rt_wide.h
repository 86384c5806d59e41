
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * As many bytes of a text at a time as the processor compares with one
 * instruction: 16 with SSE2, which every x86-64 has, else the 8 of a word.
 *
 * Each test marks bytes; of the marks only the first counts, and whether
 * there is one: see rt_swar.h.
 */

#ifndef _RT_WIDE_H_INCLUDED_
#define _RT_WIDE_H_INCLUDED_


#include "rt_swar.h"


#if defined(__SSE2__)

#include <emmintrin.h>


#define RT_WIDE_SIZE  16

typedef unsigned  rt_wide_marks_t;


#define rt_wide_first(marks)  ((size_t) __builtin_ctz(marks))


static inline __m128i
rt_wide_equal(__m128i v, int c)
{
    return _mm_cmpeq_epi8(v, _mm_set1_epi8((char) c));
}


/* under 0x20 */

static inline __m128i
rt_wide_control(__m128i v)
{
    return _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
}


/* what ends the plain part of a JSON string that is read */

static inline rt_wide_marks_t
rt_wide_string(const uint8_t *p)
{
    __m128i  v, marks;

    v = _mm_loadu_si128((const __m128i *) (const void *) p);

    marks = _mm_or_si128(rt_wide_equal(v, '"'), rt_wide_equal(v, '\\'));
    marks = _mm_or_si128(marks, rt_wide_control(v));

    return (rt_wide_marks_t) _mm_movemask_epi8(marks);
}


/* what ends the plain part of one that is written; " and &, < and > are a bit
   apart */

static inline rt_wide_marks_t
rt_wide_escape(const uint8_t *p)
{
    __m128i  v, marks;

    v = _mm_loadu_si128((const __m128i *) (const void *) p);

    marks = rt_wide_equal(_mm_or_si128(v, _mm_set1_epi8('"' ^ '&')), '&');
    marks = _mm_or_si128(marks,
                rt_wide_equal(_mm_or_si128(v, _mm_set1_epi8('<' ^ '>')),
                              '>'));
    marks = _mm_or_si128(marks, rt_wide_equal(v, '\\'));
    marks = _mm_or_si128(marks, rt_wide_equal(v, 0xe2));
    marks = _mm_or_si128(marks, rt_wide_control(v));

    return (rt_wide_marks_t) _mm_movemask_epi8(marks);
}


#else


#define RT_WIDE_SIZE  RT_SWAR_SIZE

typedef uint64_t  rt_wide_marks_t;


#define rt_wide_first(marks)  rt_swar_first(marks)


static inline rt_wide_marks_t
rt_wide_string(const uint8_t *p)
{
    uint64_t  word;

    word = rt_swar_load(p);

    return rt_swar_equal(word, '"') | rt_swar_equal(word, '\\')
           | rt_swar_below(word, 0x20);
}


static inline rt_wide_marks_t
rt_wide_escape(const uint8_t *p)
{
    uint64_t  word;

    word = rt_swar_load(p);

    return rt_swar_below(word, 0x20)
           | rt_swar_equal(word | RT_SWAR_ONES * ('"' ^ '&'), '&')
           | rt_swar_equal(word | RT_SWAR_ONES * ('<' ^ '>'), '>')
           | rt_swar_equal(word, '\\')
           | rt_swar_equal(word, 0xe2);
}


#endif


#endif /* _RT_WIDE_H_INCLUDED_ */
