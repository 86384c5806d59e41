
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Eight bytes of a text at a time, in one word.
 *
 * The tests mark bytes with their high bit.  A borrow runs on from a byte that
 * passes, so what is marked after the first may be marked wrongly: only the
 * first counts, and whether there is one.  Marks may be or-ed.
 */

#ifndef _RT_SWAR_H_INCLUDED_
#define _RT_SWAR_H_INCLUDED_


#include "rt.h"


#define RT_SWAR_SIZE   8

#define RT_SWAR_ONES   0x0101010101010101ULL
#define RT_SWAR_HIGHS  0x8080808080808080ULL


/* the first byte becomes the lowest */

static inline uint64_t
rt_swar_load(const uint8_t *p)
{
    uint64_t  word;

    memcpy(&word, p, RT_SWAR_SIZE);

#if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
    word = __builtin_bswap64(word);
#endif

    return word;
}


/* bytes that are c */

static inline uint64_t
rt_swar_equal(uint64_t word, uint8_t c)
{
    word ^= RT_SWAR_ONES * c;

    return (word - RT_SWAR_ONES) & ~word & RT_SWAR_HIGHS;
}


/* bytes under c, which is at most 0x80 */

static inline uint64_t
rt_swar_below(uint64_t word, uint8_t c)
{
    return (word - RT_SWAR_ONES * c) & ~word & RT_SWAR_HIGHS;
}


/* where the first marked byte is; there is one */

static inline size_t
rt_swar_first(uint64_t marks)
{
    return (size_t) __builtin_ctzll(marks) / 8;
}


#endif /* _RT_SWAR_H_INCLUDED_ */
