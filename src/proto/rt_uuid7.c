
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "rt_uuid7.h"


#define RT_UUID7_COUNTER_MAX   0xfff
#define RT_UUID7_COUNTER_SEED  0x7ff   /* leaves half of it to count up */


static int rt_uuid_is_dash(size_t i);


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
    size_t  i;

    static const char  hex[] = "0123456789abcdef";

    for (i = 0; i < RT_UUID_BYTES; i++) {
        *text++ = (uint8_t) hex[id[i] >> 4];
        *text++ = (uint8_t) hex[id[i] & 0xf];

        if (i == 3 || i == 5 || i == 7 || i == 9) {
            *text++ = '-';
        }
    }
}


static int
rt_uuid_is_dash(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}
