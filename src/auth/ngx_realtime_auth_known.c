
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * A client sends one token with every request.  To verify and to read it costs
 * more than the rest of a small request; so a worker remembers which it has
 * verified, and what they say.
 *
 * What depends on the moment is not remembered: the clock, and what has been
 * revoked, are asked each time.  A token is known by the hash of its text and
 * of what it was verified with, the keys and the rules of a location, so two
 * tokens cannot be taken for each other, and a token cannot be read from here.
 *
 * The table has two places for each value of the first bits of the hash; the
 * one that was not used last is given to a newcomer.  Nothing else is ever
 * removed, but the keys of another cycle are other keys.
 */


#include "ngx_realtime_auth_known.h"

#include <openssl/evp.h>


#define NGX_REALTIME_AUTH_KNOWN_SETS  512


typedef struct {
    u_char                    digest[2][NGX_REALTIME_AUTH_KNOWN_LEN];
    ngx_realtime_auth_said_t  said[2];
    ngx_uint_t                oldest;  /* 0 or 1 */
} ngx_realtime_auth_set_t;


typedef struct {
    EVP_MD                   *sha256;
    EVP_MD_CTX               *ctx;
    volatile ngx_cycle_t     *cycle;   /* whose keys these are */
    ngx_realtime_auth_set_t  *sets;
} ngx_realtime_auth_known_t;


static ngx_int_t ngx_realtime_auth_known_init(void);
static ngx_realtime_auth_set_t *ngx_realtime_auth_known_set(u_char *digest);


static ngx_realtime_auth_known_t  ngx_realtime_auth_table;


ngx_int_t
ngx_realtime_auth_known(void *scope, ngx_str_t *token, u_char *digest,
    ngx_realtime_auth_said_t **said)
{
    ngx_uint_t                  i;
    ngx_realtime_auth_set_t    *set;
    ngx_realtime_auth_known_t  *t;

    t = &ngx_realtime_auth_table;

    if (t->cycle != ngx_cycle && ngx_realtime_auth_known_init() != NGX_OK) {
        return NGX_ERROR;
    }

    if (EVP_DigestInit_ex(t->ctx, t->sha256, NULL) != 1
        || EVP_DigestUpdate(t->ctx, &scope, sizeof(scope)) != 1
        || EVP_DigestUpdate(t->ctx, token->data, token->len) != 1
        || EVP_DigestFinal_ex(t->ctx, digest, NULL) != 1)
    {
        return NGX_ERROR;
    }

    set = ngx_realtime_auth_known_set(digest);

    for (i = 0; i < 2; i++) {
        if (ngx_memcmp(set->digest[i], digest, NGX_REALTIME_AUTH_KNOWN_LEN)
            == 0)
        {
            set->oldest = !i;
            *said = &set->said[i];
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_realtime_auth_said_t *
ngx_realtime_auth_remember(u_char *digest)
{
    ngx_uint_t                i;
    ngx_realtime_auth_set_t  *set;

    set = ngx_realtime_auth_known_set(digest);
    i = set->oldest;

    ngx_memcpy(set->digest[i], digest, NGX_REALTIME_AUTH_KNOWN_LEN);
    set->oldest = !i;

    return &set->said[i];
}


/* once in a worker; a single process comes here again after a reload */

static ngx_int_t
ngx_realtime_auth_known_init(void)
{
    ngx_realtime_auth_known_t  *t;

    t = &ngx_realtime_auth_table;

    if (t->sets == NULL) {
        t->sets = ngx_alloc(NGX_REALTIME_AUTH_KNOWN_SETS
                            * sizeof(ngx_realtime_auth_set_t),
                            ngx_cycle->log);
    }

    if (t->sha256 == NULL) {
        t->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    }

    if (t->ctx == NULL) {
        t->ctx = EVP_MD_CTX_new();
    }

    if (t->sets == NULL || t->sha256 == NULL || t->ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(t->sets, NGX_REALTIME_AUTH_KNOWN_SETS
                         * sizeof(ngx_realtime_auth_set_t));
    t->cycle = ngx_cycle;

    return NGX_OK;
}


static ngx_realtime_auth_set_t *
ngx_realtime_auth_known_set(u_char *digest)
{
    return &ngx_realtime_auth_table.sets[(digest[0] << 8 | digest[1])
                                         % NGX_REALTIME_AUTH_KNOWN_SETS];
}
