
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The bytes of a JWT (RFC 7515, compact form) and the proof of its signature.
 *
 *   base64url(header) "." base64url(payload) "." base64url(signature)
 *   |<------------- signed ---------------->|
 *
 * Nothing here reads JSON or looks at a clock: which key to try, and what the
 * claims mean, is decided in ngx_realtime_auth.c.
 *
 * HMACs are verified by libjwt.  Everything else goes to OpenSSL with a key
 * that was parsed at configuration time: libjwt 1.x parses the PEM again at
 * every call, ten times the price of the verification, and knows neither
 * RSASSA-PSS nor EdDSA.
 */

#ifndef _NGX_REALTIME_JWT_H_INCLUDED_
#define _NGX_REALTIME_JWT_H_INCLUDED_


#include "ngx_realtime.h"


#define NGX_REALTIME_JWT_MAX       8192    /* bytes of a token */


typedef enum {
    NGX_REALTIME_JWT_HS,
    NGX_REALTIME_JWT_RS,
    NGX_REALTIME_JWT_PS,
    NGX_REALTIME_JWT_ES,
    NGX_REALTIME_JWT_ED
} ngx_realtime_jwt_kind_e;


typedef struct {
    ngx_str_t                  name;       /* as "alg" spells it */
    ngx_realtime_jwt_kind_e    kind;
    int                        libjwt;     /* HS: its jwt_alg_t */
    const char                *digest;     /* OpenSSL's name; Ed25519: NULL */
    const char                *curve;      /* ES: OpenSSL's name */
    size_t                     size;       /* HS: bytes of the hash,
                                              ES: bytes of r, and of s */
} ngx_realtime_jwt_alg_t;


/* a token in parts; the strings point into buf */

typedef struct {
    ngx_str_t                  text;       /* NUL-terminated */
    size_t                     signed_len;

    ngx_str_t                  header;     /* decoded */
    ngx_str_t                  payload;
    ngx_str_t                  signature;

    u_char                     buf[NGX_REALTIME_JWT_MAX + 1
                                   + NGX_REALTIME_JWT_MAX * 3 / 4];
} ngx_realtime_jwt_t;


/* NULL: not an algorithm of ours; the name is compared exactly */
const ngx_realtime_jwt_alg_t *ngx_realtime_jwt_alg(ngx_str_t *name);

/* NGX_OK, or NGX_DECLINED and a static string for the log */
ngx_int_t ngx_realtime_jwt_split(ngx_realtime_jwt_t *jwt, ngx_str_t *token,
    const char **detail);

/*
 * The caller has compared the token's alg with the key's.  NGX_OK,
 * NGX_DECLINED: the signature is not made with this key, NGX_ERROR: no
 * memory, logged.
 */
ngx_int_t ngx_realtime_jwt_verify_secret(const ngx_realtime_jwt_alg_t *alg,
    ngx_str_t *secret, ngx_realtime_jwt_t *jwt, ngx_log_t *log);
ngx_int_t ngx_realtime_jwt_verify_pkey(const ngx_realtime_jwt_alg_t *alg,
    void *pkey, ngx_realtime_jwt_t *jwt, ngx_log_t *log);

/*
 * The public key of a PEM text, as an EVP_PKEY that fits alg.  NULL: *why
 * completes a sentence that begins with the name of the file.
 */
void *ngx_realtime_jwt_pkey(const ngx_realtime_jwt_alg_t *alg,
    ngx_str_t *pem, const char **why);
void ngx_realtime_jwt_pkey_free(void *pkey);


#endif /* _NGX_REALTIME_JWT_H_INCLUDED_ */
