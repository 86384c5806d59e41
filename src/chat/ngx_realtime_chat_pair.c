
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Sets of eight entries; the id of the conversation leads to a set.  In it
 * the entry that was used longest ago makes room, but one that says no never
 * takes the place of one that says yes: whoever asks for conversations that
 * are not his cannot push out those of others.
 */


#include "ngx_realtime_chat_pair.h"


#define NGX_REALTIME_CHAT_PAIR_SETS  512
#define NGX_REALTIME_CHAT_PAIR_WAYS  8

#define NGX_REALTIME_CHAT_PAIR_NO    5     /* s that a "no" is believed */


typedef struct {
    u_char                     conversation[RT_UUID_BYTES];
    u_char                     one[RT_UUID_BYTES];
    u_char                     other[RT_UUID_BYTES];
    uint32_t                   version;
    uint32_t                   used;       /* s, of the cycle's clock; a "no":
                                              when it was said */
    unsigned                   set:1;
    unsigned                   no:1;       /* one takes no part in it */
} ngx_realtime_chat_pair_t;


static ngx_realtime_chat_pair_t *ngx_realtime_chat_pair_set(
    const u_char *conversation);
static ngx_uint_t ngx_realtime_chat_pair_is_good(
    ngx_realtime_chat_pair_t *pair);
static ngx_realtime_chat_pair_t *ngx_realtime_chat_pair_place(
    const u_char *conversation, const u_char *user, ngx_uint_t no);


/* of a worker, made when it is first needed */
static ngx_realtime_chat_pair_t  *ngx_realtime_chat_pairs;


#define ngx_realtime_chat_pair_eq(a, b)                                       \
    (ngx_memcmp(a, b, RT_UUID_BYTES) == 0)


ngx_int_t
ngx_realtime_chat_pair_find(const u_char *conversation, const u_char *user,
    u_char *other)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i;
    ngx_realtime_chat_pair_t  *pair;

    pair = ngx_realtime_chat_pair_set(conversation);

    if (pair == NULL) {
        return NGX_AGAIN;
    }

    rc = NGX_AGAIN;

    for (i = 0; i < NGX_REALTIME_CHAT_PAIR_WAYS; i++, pair++) {

        if (!ngx_realtime_chat_pair_is_good(pair)
            || !ngx_realtime_chat_pair_eq(pair->conversation, conversation))
        {
            continue;
        }

        if (pair->no) {

            if (ngx_realtime_chat_pair_eq(pair->one, user)) {
                rc = NGX_DECLINED;
            }

            continue;
        }

        pair->used = ngx_time();

        if (ngx_realtime_chat_pair_eq(pair->one, user)) {
            ngx_memcpy(other, pair->other, RT_UUID_BYTES);
            return NGX_OK;
        }

        if (ngx_realtime_chat_pair_eq(pair->other, user)) {
            ngx_memcpy(other, pair->one, RT_UUID_BYTES);
            return NGX_OK;
        }

        return NGX_DECLINED;
    }

    return rc;
}


void
ngx_realtime_chat_pair_keep(const u_char *conversation, uint32_t version,
    const u_char *user, const u_char *other)
{
    ngx_realtime_chat_pair_t  *pair;

    pair = ngx_realtime_chat_pair_place(conversation, user, other == NULL);

    if (pair == NULL) {
        return;
    }

    ngx_memcpy(pair->conversation, conversation, RT_UUID_BYTES);
    ngx_memcpy(pair->one, user, RT_UUID_BYTES);

    pair->version = version;
    pair->used = ngx_time();
    pair->set = 1;
    pair->no = 1;

    if (other) {
        ngx_memcpy(pair->other, other, RT_UUID_BYTES);
        pair->no = 0;
    }
}


void
ngx_realtime_chat_pair_gone(const u_char *conversation, const u_char *one,
    const u_char *other)
{
    u_char  id[RT_UUID_BYTES];

    rt_uuid_pack(conversation, id);
    ngx_realtime_version_bump(id);

    rt_uuid_pack(one, id);
    ngx_realtime_version_bump(id);

    rt_uuid_pack(other, id);
    ngx_realtime_version_bump(id);
}


/* NULL: no memory, which is as good as unknown */

static ngx_realtime_chat_pair_t *
ngx_realtime_chat_pair_set(const u_char *conversation)
{
    ngx_uint_t  n;

    if (ngx_realtime_chat_pairs == NULL) {

        ngx_realtime_chat_pairs = ngx_calloc(NGX_REALTIME_CHAT_PAIR_SETS
                                       * NGX_REALTIME_CHAT_PAIR_WAYS
                                       * sizeof(ngx_realtime_chat_pair_t),
                                       ngx_cycle->log);
        if (ngx_realtime_chat_pairs == NULL) {
            return NULL;
        }
    }

    n = ngx_murmur_hash2((u_char *) conversation, RT_UUID_BYTES)
        % NGX_REALTIME_CHAT_PAIR_SETS;

    return &ngx_realtime_chat_pairs[n * NGX_REALTIME_CHAT_PAIR_WAYS];
}


static ngx_uint_t
ngx_realtime_chat_pair_is_good(ngx_realtime_chat_pair_t *pair)
{
    return pair->set
           && pair->version == ngx_realtime_version(pair->conversation)
           && (!pair->no || (uint32_t) ngx_time() - pair->used
                            < NGX_REALTIME_CHAT_PAIR_NO);
}


/* where an answer goes; NULL: nowhere */

static ngx_realtime_chat_pair_t *
ngx_realtime_chat_pair_place(const u_char *conversation, const u_char *user,
    ngx_uint_t no)
{
    ngx_uint_t                 i;
    ngx_realtime_chat_pair_t  *pair, *oldest;

    pair = ngx_realtime_chat_pair_set(conversation);

    if (pair == NULL) {
        return NULL;
    }

    oldest = NULL;

    for (i = 0; i < NGX_REALTIME_CHAT_PAIR_WAYS; i++, pair++) {

        if (!ngx_realtime_chat_pair_is_good(pair)
            || (pair->no == no
                && ngx_realtime_chat_pair_eq(pair->conversation, conversation)
                && ngx_realtime_chat_pair_eq(pair->one, user)))
        {
            return pair;
        }

        if (no && !pair->no) {
            continue;
        }

        if (oldest == NULL || pair->used < oldest->used) {
            oldest = pair;
        }
    }

    return oldest;
}
