
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * For the unit tests of the history: events that say of themselves what they
 * have to be.
 */

#ifndef _HISTORY_H_INCLUDED_
#define _HISTORY_H_INCLUDED_


#include "zone.h"


#define ZONE    (16 * 1024 * 1024)
#define BLOCK   (32 * 1024)            /* of a zone of this size */
#define BLOCKS  128


/*
 * An event says of itself what it has to be: who made it and its number there,
 * and bytes that follow from these; its place is in the offset at its end.
 */

typedef struct {
    uint32_t    writer;
    uint32_t    n;
    uint32_t    len;
} stamp_t;

#define HEAD  (sizeof("42[\"e\",\"") - 1)
#define TAIL  (sizeof("\",\"01234567890\"]") - 1)


static inline void
worker(ngx_uint_t slot)
{
    ngx_realtime_slot = slot;
    ngx_realtime_msg_offsets = 1;

    (void) ngx_realtime_history_init(&zone_cycle);
}


static inline void
new_zone(size_t size)
{
    zone_new(size);

    if (ngx_realtime_history_create(ngx_realtime_zone_sh, NULL, &zone_log)
        != NGX_OK)
    {
        abort();
    }

    worker(0);
}


static inline ngx_str_t *
room_name(ngx_uint_t n)
{
    static u_char     buf[64];
    static ngx_str_t  name;

    name.len = sprintf((char *) buf, "user:%0*u", 4 + (int) n % 30,
                       (unsigned) n);
    name.data = buf;

    return &name;
}


static inline ngx_realtime_msg_t *
stamped(uint32_t writer, uint32_t n, size_t len)
{
    u_char              *p;
    size_t               i;
    stamp_t              stamp;
    ngx_realtime_msg_t  *m;

    stamp.writer = writer;
    stamp.n = n;
    stamp.len = len;

    m = ngx_realtime_msg_event_alloc(HEAD + 2 + sizeof(stamp) + len, NULL);

    p = ngx_realtime_msg_payload(m);
    p = ngx_cpymem(p, "42[\"e\",\"", HEAD);
    p = ngx_cpymem(p, &stamp, sizeof(stamp));

    for (i = 0; i < len; i++) {
        *p++ = writer * 131 + n * 31 + i;
    }

    *p = '"';

    return m;
}


static inline uint64_t
add(ngx_uint_t room, uint32_t writer, uint32_t n, size_t len)
{
    uint64_t             place;
    ngx_str_t           *name;
    ngx_realtime_msg_t  *m;

    name = room_name(room);
    m = stamped(writer, n, len);

    ngx_realtime_history_add(name, ngx_realtime_history_hash(name), NULL, m);

    place = m->place;
    ngx_realtime_msg_unref(m);

    return place;
}


static inline uint64_t
newest(ngx_uint_t room)
{
    ngx_str_t  *name;

    name = room_name(room);

    return ngx_realtime_history_newest(ngx_realtime_history_hash(name));
}


/* whether it is the event of this place, as it was written; and whose */

static inline ngx_uint_t
is_whole(ngx_realtime_entry_t *e, uint64_t place, stamp_t *stamp)
{
    u_char    *p;
    size_t     i;
    uint64_t   tail;

    if (e->payload.len < HEAD + sizeof(stamp_t) + TAIL) {
        return 0;
    }

    memcpy(stamp, e->payload.data + HEAD, sizeof(stamp_t));

    if (e->payload.len != HEAD + sizeof(stamp_t) + stamp->len + TAIL
        || ngx_realtime_msg_place(e->payload.data + e->payload.len - 13, 11,
                                  &tail)
           != NGX_OK
        || tail != place || e->place != place)
    {
        return 0;
    }

    p = e->payload.data + HEAD + sizeof(stamp_t);

    for (i = 0; i < stamp->len; i++) {
        if (p[i] != (u_char) (stamp->writer * 131 + stamp->n * 31 + i)) {
            return 0;
        }
    }

    return 1;
}


#endif /* _HISTORY_H_INCLUDED_ */
