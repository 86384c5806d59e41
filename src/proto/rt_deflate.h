
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * permessage-deflate (RFC 7692) without context takeover in either
 * direction: every message stands alone, so one pair of streams serves all
 * connections of a worker and a compressed frame serves all receivers.
 */

#ifndef _RT_DEFLATE_H_INCLUDED_
#define _RT_DEFLATE_H_INCLUDED_


#include "rt.h"


typedef struct rt_deflate_s  rt_deflate_t;

/* both streams; NULL: no memory.  level 1 to 9, window_bits 9 to 15 */
rt_deflate_t *rt_deflate_create(int level, int window_bits);
void rt_deflate_destroy(rt_deflate_t *d);

/*
 * The offers of a Sec-WebSocket-Extensions header (its values joined by
 * commas).  RT_OK: an offer is acceptable, and what to answer with stands in
 * out (at least 128 bytes), *out_len long; RT_AGAIN: none is, answer without
 * the extension; RT_ERROR: the header is malformed.  An offer that wants a
 * smaller window than window_bits is none: there is one stream for all.
 */
int rt_deflate_accept(const rt_deflate_t *d, const uint8_t *p, size_t len,
    uint8_t *out, size_t *out_len);

/* the most that rt_deflate_compress() writes for len bytes */
size_t rt_deflate_bound(rt_deflate_t *d, size_t len);

/* one message, without the tail 00 00 ff ff; returns its length, 0: failed */
size_t rt_deflate_compress(rt_deflate_t *d, uint8_t *out, size_t size,
    const uint8_t *p, size_t len);

/*
 * One whole message.  *out is malloc'ed, the caller's.  RT_OK; RT_ERROR: not
 * deflate, or cut off; RT_AGAIN: over max bytes when inflated, or no memory.
 * At worst, with a message made for it, 60 ns for each of its bytes, whatever
 * max is: so len needs a limit of its own.
 */
int rt_deflate_inflate(rt_deflate_t *d, const uint8_t *p, size_t len,
    size_t max, uint8_t **out, size_t *out_len);


#endif /* _RT_DEFLATE_H_INCLUDED_ */
