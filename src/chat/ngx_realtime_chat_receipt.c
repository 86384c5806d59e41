
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 *   add -> waiting (a queue, oldest first, and a hash) -> under way
 *             ^                                              |
 *             +---- merged with what has come meanwhile -----+  no database
 *
 * A range and not a single id, because what was given before the first of it
 * may have been sent while nobody was there.
 *
 * Few are under way at a time: many become due in the same tick, nobody waits
 * for them, and a message that is sent meanwhile would find every connection
 * to Postgres in the middle of a commit.
 */


#include "ngx_realtime_chat_receipt.h"
#include "ngx_realtime_age.h"
#include "ngx_realtime_chat_event.h"
#include "ngx_realtime_chat_row.h"
#include "ngx_realtime_chat_stmt.h"
#include "ngx_realtime_counter.h"


#define NGX_REALTIME_RECEIPT_DELAY    1000   /* ms */
#define NGX_REALTIME_RECEIPT_WAITING  4096   /* at most */
#define NGX_REALTIME_RECEIPT_CALLS    4      /* under way, at most; */
#define NGX_REALTIME_RECEIPT_MORE     128    /* one more for so many waiting */
#define NGX_REALTIME_RECEIPT_BUCKETS  1024   /* a power of two */


typedef struct ngx_realtime_receipt_s  ngx_realtime_receipt_t;

struct ngx_realtime_receipt_s {
    ngx_queue_t                queue;         /* waiting */
    ngx_realtime_receipt_t    *next;          /* in its bucket */
    ngx_msec_t                 at;            /* ngx_current_msec, due then */
    uint32_t                   bucket;
    u_char                     user[NGX_REALTIME_UUID_LEN];
    u_char                     conversation[NGX_REALTIME_UUID_LEN];
    u_char                     from[NGX_REALTIME_UUID_LEN];
    u_char                     to[NGX_REALTIME_UUID_LEN];
};


typedef struct {
    uint64_t                   ms;
    u_char                     caller[NGX_REALTIME_UUID_LEN + 1];
    u_char                     conversation[NGX_REALTIME_UUID_LEN + 1];
    u_char                     from[NGX_REALTIME_UUID_LEN + 1];
    u_char                     to[NGX_REALTIME_UUID_LEN + 1];
    u_char                     time[NGX_INT64_LEN + 1];
} ngx_realtime_receipt_call_t;


typedef struct {
    ngx_queue_t                waiting;
    ngx_uint_t                 nwaiting;
    ngx_uint_t                 ncalls;
    ngx_realtime_age_t         age;
    ngx_realtime_receipt_t    *buckets[NGX_REALTIME_RECEIPT_BUCKETS];
} ngx_realtime_receipts_t;


static ngx_realtime_receipt_t *ngx_realtime_chat_receipt_find(
    uint32_t bucket, u_char *user, u_char *conversation);
static ngx_realtime_receipt_t *ngx_realtime_chat_receipt_create(
    uint32_t bucket, u_char *user, u_char *conversation);
static void ngx_realtime_chat_receipt_remove(ngx_realtime_receipt_t *r);
static void ngx_realtime_chat_receipt_expire(ngx_realtime_age_t *age);
static void ngx_realtime_chat_receipt_flush(void);
static ngx_int_t ngx_realtime_chat_receipt_ask(ngx_realtime_receipt_t *r);
static void ngx_realtime_chat_receipt_marked(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res);
static void ngx_realtime_chat_receipt_tell(ngx_realtime_call_t *call,
    PGresult *res);
static void ngx_realtime_chat_receipt_done(ngx_realtime_call_t *call);


static ngx_realtime_receipts_t  ngx_realtime_receipts;


#define ngx_realtime_chat_receipt_copy(dst, src)                              \
    ngx_memcpy(dst, src, NGX_REALTIME_UUID_LEN)

#define ngx_realtime_chat_receipt_compare(a, b)                               \
    ngx_memcmp(a, b, NGX_REALTIME_UUID_LEN)


void
ngx_realtime_chat_receipt_init(void)
{
    ngx_queue_init(&ngx_realtime_receipts.waiting);
    ngx_realtime_receipts.age.handler = ngx_realtime_chat_receipt_expire;
}


void
ngx_realtime_chat_receipt_add(u_char *user, u_char *conversation,
    u_char *from, u_char *to)
{
    uint32_t                 bucket;
    ngx_realtime_receipt_t  *r;

    if (!ngx_realtime_pg_configured()) {
        return;
    }

    bucket = (ngx_murmur_hash2(conversation, NGX_REALTIME_UUID_LEN)
              ^ ngx_murmur_hash2(user, NGX_REALTIME_UUID_LEN))
             & (NGX_REALTIME_RECEIPT_BUCKETS - 1);

    r = ngx_realtime_chat_receipt_find(bucket, user, conversation);

    if (r == NULL) {
        r = ngx_realtime_chat_receipt_create(bucket, user, conversation);

        if (r == NULL) {
            ngx_realtime_count(receipts_dropped);
            return;
        }

        ngx_realtime_chat_receipt_copy(r->from, from);
        ngx_realtime_chat_receipt_copy(r->to, to);

        ngx_realtime_chat_receipt_flush();
        return;
    }

    if (ngx_realtime_chat_receipt_compare(from, r->from) < 0) {
        ngx_realtime_chat_receipt_copy(r->from, from);
    }

    if (ngx_realtime_chat_receipt_compare(to, r->to) > 0) {
        ngx_realtime_chat_receipt_copy(r->to, to);
    }
}


static ngx_realtime_receipt_t *
ngx_realtime_chat_receipt_find(uint32_t bucket, u_char *user,
    u_char *conversation)
{
    ngx_realtime_receipt_t  *r;

    for (r = ngx_realtime_receipts.buckets[bucket]; r; r = r->next) {
        if (ngx_realtime_chat_receipt_compare(r->conversation, conversation)
            == 0
            && ngx_realtime_chat_receipt_compare(r->user, user) == 0)
        {
            return r;
        }
    }

    return NULL;
}


static ngx_realtime_receipt_t *
ngx_realtime_chat_receipt_create(uint32_t bucket, u_char *user,
    u_char *conversation)
{
    ngx_realtime_receipt_t   *r;
    ngx_realtime_receipts_t  *rs;

    rs = &ngx_realtime_receipts;

    if (rs->nwaiting >= NGX_REALTIME_RECEIPT_WAITING) {
        return NULL;
    }

    r = ngx_alloc(sizeof(ngx_realtime_receipt_t), ngx_cycle->log);
    if (r == NULL) {
        return NULL;
    }

    r->bucket = bucket;
    r->at = ngx_current_msec + NGX_REALTIME_RECEIPT_DELAY;

    ngx_realtime_chat_receipt_copy(r->user, user);
    ngx_realtime_chat_receipt_copy(r->conversation, conversation);

    r->next = rs->buckets[bucket];
    rs->buckets[bucket] = r;

    ngx_queue_insert_tail(&rs->waiting, &r->queue);
    rs->nwaiting++;

    /* an exiting worker marks what it has given */
    ngx_realtime_age_hold();

    return r;
}


static void
ngx_realtime_chat_receipt_remove(ngx_realtime_receipt_t *r)
{
    ngx_realtime_receipt_t   **p;
    ngx_realtime_receipts_t   *rs;

    rs = &ngx_realtime_receipts;

    for (p = &rs->buckets[r->bucket]; *p != r; p = &(*p)->next) { /* void */ }

    *p = r->next;

    ngx_queue_remove(&r->queue);
    rs->nwaiting--;

    ngx_free(r);
    ngx_realtime_age_release();
}


static void
ngx_realtime_chat_receipt_expire(ngx_realtime_age_t *age)
{
    ngx_realtime_chat_receipt_flush();
}


static void
ngx_realtime_chat_receipt_flush(void)
{
    ngx_msec_int_t            left;
    ngx_realtime_receipt_t   *r;
    ngx_realtime_receipts_t  *rs;

    rs = &ngx_realtime_receipts;

    while (rs->ncalls < NGX_REALTIME_RECEIPT_CALLS
                        + rs->nwaiting / NGX_REALTIME_RECEIPT_MORE
           && !ngx_queue_empty(&rs->waiting))
    {
        r = ngx_queue_data(ngx_queue_head(&rs->waiting),
                           ngx_realtime_receipt_t, queue);

        left = r->at - ngx_current_msec;

        if (left > 0) {
            ngx_realtime_age_set(&rs->age, left);
            return;
        }

        if (ngx_realtime_chat_receipt_ask(r) != NGX_OK) {
            ngx_realtime_count(receipts_dropped);
        }

        ngx_realtime_chat_receipt_remove(r);
    }
}


static ngx_int_t
ngx_realtime_chat_receipt_ask(ngx_realtime_receipt_t *r)
{
    ngx_realtime_call_t          *call;
    ngx_realtime_identity_t       user;
    ngx_realtime_receipt_call_t  *rc;

    user.user.data = r->user;
    user.user.len = NGX_REALTIME_UUID_LEN;
    user.expires = 0;

    call = ngx_realtime_call_create(ngx_cycle->log, &user, NULL);
    if (call == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_pcalloc(call->pool, sizeof(ngx_realtime_receipt_call_t));
    if (rc == NULL) {
        ngx_destroy_pool(call->pool);
        return NGX_ERROR;
    }

    ngx_realtime_receipts.ncalls++;

    call->ctx = rc;
    call->done = ngx_realtime_chat_receipt_done;
    call->mute = 1;

    ngx_realtime_chat_receipt_copy(rc->conversation, r->conversation);
    ngx_realtime_chat_receipt_copy(rc->from, r->from);
    ngx_realtime_chat_receipt_copy(rc->to, r->to);

    rc->ms = ngx_realtime_chat_event_now();
    *ngx_sprintf(rc->time, "%uL", rc->ms) = '\0';

    if (ngx_realtime_chat_stmt_begin(call, rc->caller) != NGX_OK) {
        return NGX_OK;
    }

    call->query.values[1] = (char *) rc->conversation;
    call->query.values[2] = (char *) rc->from;
    call->query.values[3] = (char *) rc->to;
    call->query.values[4] = (char *) rc->time;
    call->query.key = ngx_realtime_chat_stmt_key(rc->conversation);

    ngx_realtime_chat_stmt_ask(call, NGX_REALTIME_STMT_DELIVERED,
                               ngx_realtime_chat_receipt_marked);

    return NGX_OK;
}


static void
ngx_realtime_chat_receipt_marked(ngx_realtime_pg_query_t *q,
    ngx_realtime_pg_status_e status, PGresult *res)
{
    ngx_realtime_call_t          *call;
    ngx_realtime_receipt_call_t  *rc;

    call = q->data;
    rc = call->ctx;

    if (status != NGX_REALTIME_PG_OK) {

        /* what Postgres refused it will refuse again */

        if (status == NGX_REALTIME_PG_REFUSED || ngx_exiting) {
            ngx_realtime_count(receipts_dropped);

        } else {
            ngx_realtime_chat_receipt_add(rc->caller, rc->conversation,
                                          rc->from, rc->to);
        }

        (void) ngx_realtime_chat_stmt_answer(call, status, res);
        return;
    }

    if (PQntuples(res) && !PQgetisnull(res, 0, NGX_REALTIME_MARKED_NEWEST)) {
        ngx_realtime_chat_receipt_tell(call, res);
    }

    ngx_realtime_call_done(call);
}


static void
ngx_realtime_chat_receipt_tell(ngx_realtime_call_t *call, PGresult *res)
{
    ngx_str_t                     sender;
    ngx_realtime_receipt_call_t  *rc;

    rc = call->ctx;

    sender.data = (u_char *) PQgetvalue(res, 0, NGX_REALTIME_MARKED_OTHER);
    sender.len = NGX_REALTIME_UUID_LEN;

    ngx_realtime_chat_event_tell("message_delivered", &sender, NULL,
                                 rc->conversation, rc->caller,
                                 (u_char *) PQgetvalue(res, 0,
                                                  NGX_REALTIME_MARKED_NEWEST),
                                 rc->ms, call->log);
}


static void
ngx_realtime_chat_receipt_done(ngx_realtime_call_t *call)
{
    ngx_realtime_receipts.ncalls--;

    /* while the pool's handlers run: the next ones join the same dispatch */

    ngx_realtime_chat_receipt_flush();
}
