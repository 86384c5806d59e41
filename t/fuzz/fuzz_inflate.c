
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * permessage-deflate.  The first byte of the input chooses the streams, the
 * second the limit; the rest is inflated as it is, which must give what zlib
 * gives that is asked for one byte after the other, and it is compressed and
 * inflated again.  The streams live on from input to input, as in a worker.
 */

#include <zlib.h>

#include "fuzz.h"
#include "rt_deflate.h"


#define FUZZ_WINDOWS    7        /* 9 to 15 bits */
#define FUZZ_MODEL_MAX  65536


static rt_deflate_t *
fuzz_streams(uint8_t choice)
{
    static rt_deflate_t  *streams[9][FUZZ_WINDOWS];

    rt_deflate_t  **d;

    d = &streams[choice / FUZZ_WINDOWS % 9][choice % FUZZ_WINDOWS];

    if (*d == NULL) {
        *d = rt_deflate_create(1 + choice / FUZZ_WINDOWS % 9,
                               9 + choice % FUZZ_WINDOWS);
        fuzz_assert(*d);
    }

    return *d;
}


/* RT_OK, RT_ERROR, or RT_AGAIN: over max */

static int
fuzz_model(uint8_t *out, size_t *len, size_t max, const uint8_t *p,
    size_t size)
{
    int        rc, between;
    size_t     at;
    uint8_t   *in;
    z_stream   z;

    if (size == 0) {
        *len = 0;
        return RT_OK;
    }

    in = malloc(size + 4);
    fuzz_assert(in);

    memcpy(in, p, size);
    memcpy(in + size, "\x00\x00\xff\xff", 4);

    memset(&z, 0, sizeof(z_stream));
    fuzz_assert(inflateInit2(&z, -15) == Z_OK);

    at = 0;
    between = 0;
    *len = 0;

    for ( ;; ) {
        z.next_in = in + at;
        z.avail_in = (uInt) (size + 4 - at);
        z.next_out = out + *len;
        z.avail_out = 1;

        rc = inflate(&z, Z_SYNC_FLUSH);

        at = size + 4 - z.avail_in;
        *len += 1 - z.avail_out;

        if (*len > max) {
            rc = RT_AGAIN;
            break;
        }

        if (rc == Z_STREAM_END) {

            if (at == size || at == size + 4) {
                rc = RT_OK;
                break;
            }

            fuzz_assert(inflateReset(&z) == Z_OK);

        } else if (rc == Z_OK) {
            between = z.data_type & 128;

        } else {
            rc = (rc == Z_BUF_ERROR && between) ? RT_OK : RT_ERROR;
            break;
        }
    }

    inflateEnd(&z);
    free(in);

    return rc;
}


static void
fuzz_inflate(rt_deflate_t *d, const uint8_t *p, size_t size, size_t max)
{
    int       rc, model_rc;
    size_t    len, model_len;
    uint8_t  *out, *model;

    model = malloc(FUZZ_MODEL_MAX + 1);
    fuzz_assert(model);

    model_rc = fuzz_model(model, &model_len, max, p, size);

    out = NULL;
    rc = rt_deflate_inflate(d, p, size, max, &out, &len);

    fuzz_assert(rc == model_rc);
    fuzz_assert((rc == RT_OK) == (out != NULL));

    if (rc == RT_OK) {
        fuzz_assert(len <= max && len == model_len);
        fuzz_assert(memcmp(out, model, len) == 0);
    }

    free(out);
    free(model);
}


static void
fuzz_round_trip(rt_deflate_t *d, const uint8_t *p, size_t size)
{
    size_t    bound, n, len;
    uint8_t  *packed, *out;

    bound = rt_deflate_bound(d, size);
    packed = malloc(bound);
    fuzz_assert(packed);

    n = rt_deflate_compress(d, packed, bound, p, size);
    fuzz_assert(n && n <= bound);

    fuzz_assert(rt_deflate_inflate(d, packed, n, size, &out, &len) == RT_OK);
    fuzz_assert(len == size);
    fuzz_assert(size == 0 || memcmp(out, p, size) == 0);

    free(out);

    if (size) {
        fuzz_assert(rt_deflate_inflate(d, packed, n, size - 1, &out, &len)
                    == RT_AGAIN);
    }

    /* where it does not fit, it is not cut off */

    fuzz_assert(rt_deflate_compress(d, packed, n, p, size) == 0);

    free(packed);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t         max;
    rt_deflate_t  *d;

    if (size < 2) {
        return 0;
    }

    d = fuzz_streams(data[0]);
    max = data[1] ? (size_t) data[1] * 257 : FUZZ_MODEL_MAX;
    max = (data[1] == 1) ? 0 : max;

    fuzz_inflate(d, data + 2, size - 2, max);
    fuzz_round_trip(d, data + 2, size - 2);

    return 0;
}
