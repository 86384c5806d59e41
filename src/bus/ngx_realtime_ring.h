
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The log of one producer, in shared memory: one writer, up to 64 readers.
 *
 *             cursor[2]      cursor[5]            head
 *                |              |                   |
 *   [ ... | rec | rec | rec | rec | rec | rec | rec | free ... ]
 *                |<------------ in use ------------>|
 *
 * Positions are byte counts that only grow; position modulo size is the
 * place.  A record is 16-byte aligned, never wraps (a PAD record fills the
 * end) and exists for a reader when head, stored with release, has passed
 * it: a writer that dies half-way has written nothing.
 *
 * A reader's cursor is its own; what lies behind the last live cursor is
 * free.  A reader that starts sets its cursor to head before it becomes
 * live; the writer's idea of the last cursor may then be too small, never
 * too big, so nothing unread is overwritten.
 *
 * A full ring answers NGX_AGAIN; the writer never waits.  If it decides to
 * give a reader up, it sets the reader's bit in "lost" and then ignores its
 * cursor.  Such a reader may be copying a record while it is overwritten:
 * therefore readers copy first and look at "lost" before they believe the
 * copy.
 *
 * No lock anywhere.  All of it is plain C with gcc's atomics, for
 * t/unit/bus_ring.c to test without nginx.
 */

#ifndef _NGX_REALTIME_RING_H_INCLUDED_
#define _NGX_REALTIME_RING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_REALTIME_RING_READERS   64
#define NGX_REALTIME_RING_ALIGN     16
#define NGX_REALTIME_RING_PAD       0xffff  /* type of a filler */


typedef struct {
    uint64_t                   position;
} __attribute__((aligned(64))) ngx_realtime_ring_cursor_t;


typedef struct {
    u_char                    *data;
    uint64_t                   size;       /* of data: a power of two */

    uint64_t                   head __attribute__((aligned(64)));
    uint64_t                   last;       /* the writer's: no live cursor is
                                              behind it */
    uint64_t                   waiting     /* the writer wants a wake-up when
                                              there is room */
        __attribute__((aligned(64)));
    uint64_t                   lost;       /* mask of readers given up */

    ngx_realtime_ring_cursor_t cursors[NGX_REALTIME_RING_READERS];
} ngx_realtime_ring_t;


typedef struct {
    uint32_t                   len;        /* of the payload */
    uint16_t                   type;
    uint16_t                   flags;
    uint64_t                   readers;    /* mask: for whom */
} ngx_realtime_ring_record_t;

/* where the record that was read last began */
#define ngx_realtime_ring_began(ring, reader, rec)                            \
    ((ring)->cursors[reader].position                                         \
     - ngx_align(sizeof(ngx_realtime_ring_record_t) + (uint64_t) (rec)->len,  \
                 (uint64_t) NGX_REALTIME_RING_ALIGN))


void ngx_realtime_ring_init(ngx_realtime_ring_t *ring, u_char *data,
    size_t size);

/* the largest payload of one record */
#define ngx_realtime_ring_max(ring)                                           \
    ((ring)->size / 4 - sizeof(ngx_realtime_ring_record_t))

/*
 * Appends one record whose payload is the parts one after the other.
 * "live" is the mask of readers whose cursors count.  NGX_OK; NGX_AGAIN:
 * full; *behind, in both cases, is the mask of live readers that are over
 * half of the ring behind and should be woken.
 */
ngx_int_t ngx_realtime_ring_append(ngx_realtime_ring_t *ring, uint64_t live,
    ngx_realtime_ring_record_t *rec, const ngx_str_t *parts, ngx_uint_t n,
    uint64_t *behind);

/* live readers that keep the ring from taking len more bytes of payload */
uint64_t ngx_realtime_ring_blockers(ngx_realtime_ring_t *ring, uint64_t live,
    size_t len);

/* the writer gives readers up */
void ngx_realtime_ring_give_up(ngx_realtime_ring_t *ring, uint64_t readers);

/* the reader begins at what comes next; clears its bit in lost */
void ngx_realtime_ring_start(ngx_realtime_ring_t *ring, ngx_uint_t reader);

/*
 * The next record for reader: NGX_OK with *rec and up to size bytes of
 * payload in buf; NGX_DONE: nothing more; NGX_ABORT: the writer gave this
 * reader up, what lay between is lost, and the reader has been started anew.
 * Records for others are skipped.  The cursor moves on before return.
 */
ngx_int_t ngx_realtime_ring_read(ngx_realtime_ring_t *ring,
    ngx_uint_t reader, ngx_realtime_ring_record_t *rec, u_char *buf,
    size_t size);


#endif /* _NGX_REALTIME_RING_H_INCLUDED_ */
