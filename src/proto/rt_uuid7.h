
/*
 * Copyright (C) ngx_realtime contributors
 */

#ifndef _RT_UUID7_H_INCLUDED_
#define _RT_UUID7_H_INCLUDED_


#include "rt.h"


/*
 * UUID version 7 (RFC 9562, 5.7) with the counter of 6.2, method 1: ids made
 * by one state sort in the order in which they were made, also within a
 * millisecond and when the clock steps back.
 */

typedef struct {
    uint64_t         ms;       /* of the last id */
    uint32_t         counter;  /* 12 bits of rand_a */
} rt_uuid7_t;

#define RT_UUID_LEN  36

/* random: 10 fresh random bytes; out: 36 bytes of lower-case text, no NUL */
void rt_uuid7(rt_uuid7_t *state, uint64_t unix_ms, const uint8_t *random,
    uint8_t *out);

/* any version; text of exactly 36 bytes, any case; writes lower case to out
   (may be p itself); RT_OK or RT_ERROR */
int rt_uuid_parse(const uint8_t *p, size_t len, uint8_t *out);

/* the 16 bytes of a text that rt_uuid_parse() wrote, and the text of them */
#define RT_UUID_BYTES  16

void rt_uuid_pack(const uint8_t *text, uint8_t *id);
void rt_uuid_print(const uint8_t *id, uint8_t *text);


#endif /* _RT_UUID7_H_INCLUDED_ */
