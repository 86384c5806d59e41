
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_slot.h"
#include "ngx_realtime_table.h"


#define NGX_REALTIME_TABLE_FIRST  64


static ngx_int_t ngx_realtime_table_grow(ngx_realtime_table_t *table);


ngx_int_t
ngx_realtime_table_add(ngx_realtime_table_t *table, void *object,
    ngx_realtime_ref_t *ref)
{
    ngx_realtime_table_entry_t  *e;

    if (table->free == 0 && ngx_realtime_table_grow(table) != NGX_OK) {
        return NGX_ERROR;
    }

    ref->index = table->free - 1;

    e = &table->entries[ref->index];

    table->free = e->next;

    e->object = object;
    e->generation++;
    ref->generation = e->generation;

    return NGX_OK;
}


static ngx_int_t
ngx_realtime_table_grow(ngx_realtime_table_t *table)
{
    uint32_t                     i, size;
    uint64_t                     first;
    ngx_realtime_table_entry_t  *e;

    size = table->size ? table->size * 2 : NGX_REALTIME_TABLE_FIRST;

    if (table->max && size > table->max) {
        return NGX_ERROR;
    }

    e = realloc(table->entries, size * sizeof(ngx_realtime_table_entry_t));
    if (e == NULL) {
        return NGX_ERROR;
    }

    first = ngx_realtime_zone_sh->slots[ngx_realtime_slot].generation << 32;

    for (i = table->size; i < size; i++) {
        e[i].object = NULL;
        e[i].generation = first;
        e[i].next = (i + 1 < size) ? i + 2 : 0;
    }

    table->free = table->size + 1;
    table->entries = e;
    table->size = size;

    return NGX_OK;
}


void
ngx_realtime_table_remove(ngx_realtime_table_t *table, ngx_realtime_ref_t ref)
{
    ngx_realtime_table_entry_t  *e;

    e = &table->entries[ref.index];

    e->object = NULL;
    e->generation++;
    e->next = table->free;
    table->free = ref.index + 1;
}


void *
ngx_realtime_table_find(ngx_realtime_table_t *table, ngx_realtime_ref_t ref)
{
    ngx_realtime_table_entry_t  *e;

    if (ref.index >= table->size) {
        return NULL;
    }

    e = &table->entries[ref.index];

    return (e->generation == ref.generation) ? e->object : NULL;
}


void *
ngx_realtime_table_at(ngx_realtime_table_t *table, uint32_t index)
{
    return (index < table->size) ? table->entries[index].object : NULL;
}
