
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Handles: who must remember an object across a wait (Postgres, the bus)
 * remembers its ngx_realtime_ref_t and looks it up again; an object that is
 * gone is a normal outcome.
 *
 * A reference is a place in the table and the generation of that place, which
 * is odd while it is taken and even while it is free: a stale reference never
 * matches, and generation 0 matches nothing.
 *
 * References go to other workers, and what they answer comes to whoever has
 * the slot by then: the upper half of a generation is that of the slot, so
 * that a worker does not take the answers of its predecessor for its own.
 */

#ifndef _NGX_REALTIME_TABLE_H_INCLUDED_
#define _NGX_REALTIME_TABLE_H_INCLUDED_


#include "ngx_realtime.h"


typedef struct {
    uint64_t                   generation;
    uint32_t                   index;
} ngx_realtime_ref_t;


typedef struct {
    void                      *object;     /* NULL: free */
    uint64_t                   generation;
    uint32_t                   next;       /* of the free ones, plus one */
} ngx_realtime_table_entry_t;


/* zeroed is empty; it grows and never shrinks */

typedef struct {
    ngx_realtime_table_entry_t  *entries;
    uint32_t                     size;
    uint32_t                     free;     /* the first free one, plus one */
    uint32_t                     max;      /* entries, at most; 0: any */
} ngx_realtime_table_t;


/* NGX_ERROR: no memory, or max is reached */
ngx_int_t ngx_realtime_table_add(ngx_realtime_table_t *table, void *object,
    ngx_realtime_ref_t *ref);
void ngx_realtime_table_remove(ngx_realtime_table_t *table,
    ngx_realtime_ref_t ref);

/* NULL: gone */
void *ngx_realtime_table_find(ngx_realtime_table_t *table,
    ngx_realtime_ref_t ref);

/* whoever is in the place now, or NULL */
void *ngx_realtime_table_at(ngx_realtime_table_t *table, uint32_t index);


#endif /* _NGX_REALTIME_TABLE_H_INCLUDED_ */
