
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_moved.h"
#include "ngx_realtime_slot.h"


typedef struct {
    ngx_str_node_t             node;       /* its string is sid */
    ngx_queue_t                queue;      /* of the slot that has it now */
    ngx_uint_t                 slot;
    uint64_t                   owner;      /* generation of that slot */
    u_char                     sid[NGX_REALTIME_SID_LEN];
} ngx_realtime_moved_t;


static ngx_realtime_moved_t *ngx_realtime_moved_find(u_char *sid);
static void ngx_realtime_moved_free(ngx_realtime_moved_t *moved);


static ngx_rbtree_t       ngx_realtime_moved_tree;
static ngx_rbtree_node_t  ngx_realtime_moved_sentinel;
static ngx_queue_t        ngx_realtime_moved_slots[NGX_REALTIME_SLOTS];


void
ngx_realtime_moved_init(void)
{
    ngx_uint_t  i;

    ngx_rbtree_init(&ngx_realtime_moved_tree, &ngx_realtime_moved_sentinel,
                    ngx_str_rbtree_insert_value);

    for (i = 0; i < NGX_REALTIME_SLOTS; i++) {
        ngx_queue_init(&ngx_realtime_moved_slots[i]);
    }
}


void
ngx_realtime_moved_add(u_char *sid, const ngx_realtime_waiter_t *to,
    ngx_log_t *log)
{
    ngx_queue_t           *q, *queue;
    ngx_realtime_moved_t  *moved;

    queue = &ngx_realtime_moved_slots[to->slot];

    while (!ngx_queue_empty(queue)) {
        q = ngx_queue_head(queue);
        moved = ngx_queue_data(q, ngx_realtime_moved_t, queue);

        if (moved->owner == to->owner) {
            break;
        }

        ngx_realtime_moved_free(moved);
    }

    moved = ngx_alloc(sizeof(ngx_realtime_moved_t), log);
    if (moved == NULL) {
        return;
    }

    moved->slot = to->slot;
    moved->owner = to->owner;
    ngx_memcpy(moved->sid, sid, NGX_REALTIME_SID_LEN);

    moved->node.str.data = moved->sid;
    moved->node.str.len = NGX_REALTIME_SID_LEN;
    moved->node.node.key = ngx_crc32_short(sid, NGX_REALTIME_SID_LEN);

    ngx_rbtree_insert(&ngx_realtime_moved_tree, &moved->node.node);
    ngx_queue_insert_tail(queue, &moved->queue);
}


ngx_uint_t
ngx_realtime_moved_is(u_char *sid)
{
    ngx_realtime_moved_t  *moved;

    moved = ngx_realtime_moved_find(sid);

    return moved && ngx_realtime_slot_is(moved->slot, moved->owner);
}


void
ngx_realtime_moved_remove(u_char *sid)
{
    ngx_realtime_moved_t  *moved;

    moved = ngx_realtime_moved_find(sid);

    if (moved) {
        ngx_realtime_moved_free(moved);
    }
}


void
ngx_realtime_moved_remove_all(void)
{
    ngx_uint_t    i;
    ngx_queue_t  *q, *queue;

    for (i = 0; i < NGX_REALTIME_SLOTS; i++) {

        queue = &ngx_realtime_moved_slots[i];

        while (!ngx_queue_empty(queue)) {
            q = ngx_queue_head(queue);
            ngx_realtime_moved_free(ngx_queue_data(q, ngx_realtime_moved_t,
                                                   queue));
        }
    }
}


static ngx_realtime_moved_t *
ngx_realtime_moved_find(u_char *sid)
{
    ngx_str_t  name;

    name.data = sid;
    name.len = NGX_REALTIME_SID_LEN;

    /* the node is the first member of an entry */

    return (ngx_realtime_moved_t *)
           ngx_str_rbtree_lookup(&ngx_realtime_moved_tree, &name,
                                 ngx_crc32_short(sid, NGX_REALTIME_SID_LEN));
}


static void
ngx_realtime_moved_free(ngx_realtime_moved_t *moved)
{
    ngx_rbtree_delete(&ngx_realtime_moved_tree, &moved->node.node);
    ngx_queue_remove(&moved->queue);
    ngx_free(moved);
}
