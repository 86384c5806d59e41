
/*
 * Copyright (C) ngx_realtime contributors
 */

#include "ngx_realtime_jwt.h"

#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>


#define NGX_REALTIME_JWT_RSA_BITS  2048    /* least; RFC 7518, 3.3 and 3.5 */
#define NGX_REALTIME_JWT_DER_MAX   160     /* of a P-521 signature: 141 */


static u_char *ngx_realtime_jwt_part(ngx_str_t *out, u_char *dst,
    const u_char *p, const u_char *end);
static ngx_int_t ngx_realtime_jwt_init(EVP_MD_CTX *ctx,
    const ngx_realtime_jwt_alg_t *alg, EVP_PKEY *pkey);
static size_t ngx_realtime_jwt_der(u_char *der, ngx_str_t *signature,
    size_t size);
static EVP_PKEY *ngx_realtime_jwt_read(ngx_str_t *pem, const char **why);
static const char *ngx_realtime_jwt_misfit(const ngx_realtime_jwt_alg_t *alg,
    EVP_PKEY *pkey);
static ngx_uint_t ngx_realtime_jwt_is_curve(EVP_PKEY *pkey,
    const char *curve);


static const ngx_realtime_jwt_alg_t  ngx_realtime_jwt_algs[] = {

    { ngx_string("HS256"), NGX_REALTIME_JWT_HS, JWT_ALG_HS256,
      "SHA256", NULL, 32 },
    { ngx_string("HS384"), NGX_REALTIME_JWT_HS, JWT_ALG_HS384,
      "SHA384", NULL, 48 },
    { ngx_string("HS512"), NGX_REALTIME_JWT_HS, JWT_ALG_HS512,
      "SHA512", NULL, 64 },

    { ngx_string("RS256"), NGX_REALTIME_JWT_RS, 0, "SHA256", NULL, 0 },
    { ngx_string("RS384"), NGX_REALTIME_JWT_RS, 0, "SHA384", NULL, 0 },
    { ngx_string("RS512"), NGX_REALTIME_JWT_RS, 0, "SHA512", NULL, 0 },

    { ngx_string("PS256"), NGX_REALTIME_JWT_PS, 0, "SHA256", NULL, 0 },
    { ngx_string("PS384"), NGX_REALTIME_JWT_PS, 0, "SHA384", NULL, 0 },
    { ngx_string("PS512"), NGX_REALTIME_JWT_PS, 0, "SHA512", NULL, 0 },

    { ngx_string("ES256"), NGX_REALTIME_JWT_ES, 0,
      "SHA256", "prime256v1", 32 },
    { ngx_string("ES384"), NGX_REALTIME_JWT_ES, 0,
      "SHA384", "secp384r1", 48 },
    { ngx_string("ES512"), NGX_REALTIME_JWT_ES, 0,
      "SHA512", "secp521r1", 66 },

    { ngx_string("EdDSA"), NGX_REALTIME_JWT_ED, 0, NULL, NULL, 0 },

    { ngx_null_string, NGX_REALTIME_JWT_HS, 0, NULL, NULL, 0 }
};


const ngx_realtime_jwt_alg_t *
ngx_realtime_jwt_alg(ngx_str_t *name)
{
    const ngx_realtime_jwt_alg_t  *alg;

    for (alg = ngx_realtime_jwt_algs; alg->name.len; alg++) {
        if (alg->name.len == name->len
            && ngx_memcmp(alg->name.data, name->data, name->len) == 0)
        {
            return alg;
        }
    }

    return NULL;
}


ngx_int_t
ngx_realtime_jwt_split(ngx_realtime_jwt_t *jwt, ngx_str_t *token,
    const char **detail)
{
    u_char  *p, *end, *dot[2], *dst;

    if (token->len == 0) {
        *detail = "the token is empty";
        return NGX_DECLINED;
    }

    if (token->len > NGX_REALTIME_JWT_MAX) {
        *detail = "the token is longer than 8192 bytes";
        return NGX_DECLINED;
    }

    p = jwt->buf;
    end = ngx_cpymem(p, token->data, token->len);
    *end = '\0';

    jwt->text.data = p;
    jwt->text.len = token->len;

    dot[0] = ngx_strlchr(p, end, '.');
    dot[1] = dot[0] ? ngx_strlchr(dot[0] + 1, end, '.') : NULL;

    if (dot[1] == NULL || ngx_strlchr(dot[1] + 1, end, '.') != NULL) {
        *detail = "the token is not three parts with dots between";
        return NGX_DECLINED;
    }

    jwt->signed_len = dot[1] - p;

    dst = end + 1;
    dst = ngx_realtime_jwt_part(&jwt->header, dst, p, dot[0]);

    if (dst) {
        dst = ngx_realtime_jwt_part(&jwt->payload, dst, dot[0] + 1, dot[1]);
    }

    if (dst) {
        dst = ngx_realtime_jwt_part(&jwt->signature, dst, dot[1] + 1, end);
    }

    if (dst == NULL) {
        *detail = "a part of the token is empty or not base64url";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/*
 * Strict, unlike ngx_decode_base64url(): no padding, and the unused bits of
 * the last character are zero, so that a signature has one spelling.
 */

static u_char *
ngx_realtime_jwt_part(ngx_str_t *out, u_char *dst, const u_char *p,
    const u_char *end)
{
    u_char      c;
    uint32_t    bits;
    ngx_uint_t  n;

    if (p == end || (end - p) % 4 == 1) {
        return NULL;
    }

    out->data = dst;
    bits = 0;
    n = 0;

    for ( /* void */ ; p < end; p++) {
        c = *p;

        if (c >= 'A' && c <= 'Z') {
            c -= 'A';

        } else if (c >= 'a' && c <= 'z') {
            c -= 'a' - 26;

        } else if (c >= '0' && c <= '9') {
            c += 52 - '0';

        } else if (c == '-') {
            c = 62;

        } else if (c == '_') {
            c = 63;

        } else {
            return NULL;
        }

        bits = (bits << 6) | c;
        n += 6;

        if (n >= 8) {
            n -= 8;
            *dst++ = (u_char) (bits >> n);
            bits &= (1u << n) - 1;
        }
    }

    if (bits != 0) {
        return NULL;
    }

    out->len = dst - out->data;

    return dst;
}


ngx_int_t
ngx_realtime_jwt_verify_secret(const ngx_realtime_jwt_alg_t *alg,
    ngx_str_t *secret, ngx_realtime_jwt_t *jwt, ngx_log_t *log)
{
    int         rc;
    jwt_t      *decoded;
    jwt_alg_t   used;

    /* without a key libjwt accepts any token */

    if (secret->len == 0) {
        return NGX_DECLINED;
    }

    decoded = NULL;

    rc = jwt_decode(&decoded, (char *) jwt->text.data, secret->data,
                    (int) secret->len);

    if (rc == ENOMEM) {
        ngx_log_error(NGX_LOG_ALERT, log, rc, "jwt_decode() failed");
        return NGX_ERROR;
    }

    if (rc != 0) {
        return NGX_DECLINED;
    }

    /* libjwt has read the header with a parser of its own */

    used = jwt_get_alg(decoded);
    jwt_free(decoded);

    return (used == (jwt_alg_t) alg->libjwt) ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_realtime_jwt_verify_pkey(const ngx_realtime_jwt_alg_t *alg, void *pkey,
    ngx_realtime_jwt_t *jwt, ngx_log_t *log)
{
    int          rc;
    u_char       der[NGX_REALTIME_JWT_DER_MAX];
    ngx_str_t    signature;
    EVP_MD_CTX  *ctx;

    signature = jwt->signature;

    if (alg->kind == NGX_REALTIME_JWT_ES) {
        signature.len = ngx_realtime_jwt_der(der, &jwt->signature,
                                             alg->size);
        signature.data = der;

        if (signature.len == 0) {
            return NGX_DECLINED;
        }
    }

    ctx = EVP_MD_CTX_new();

    if (ctx == NULL || ngx_realtime_jwt_init(ctx, alg, pkey) != NGX_OK) {
        EVP_MD_CTX_free(ctx);
        ERR_clear_error();
        ngx_log_error(NGX_LOG_ALERT, log, 0,
                      "realtime: OpenSSL cannot verify %V", &alg->name);
        return NGX_ERROR;
    }

    rc = EVP_DigestVerify(ctx, signature.data, signature.len,
                          jwt->text.data, jwt->signed_len);

    EVP_MD_CTX_free(ctx);

    /* a left-over error would be taken for one of a TLS connection */

    ERR_clear_error();

    return (rc == 1) ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_realtime_jwt_init(EVP_MD_CTX *ctx, const ngx_realtime_jwt_alg_t *alg,
    EVP_PKEY *pkey)
{
    EVP_PKEY_CTX  *pctx;

    if (EVP_DigestVerifyInit_ex(ctx, &pctx, alg->digest, NULL, NULL, pkey,
                                NULL)
        != 1)
    {
        return NGX_ERROR;
    }

    if (alg->kind != NGX_REALTIME_JWT_PS) {
        return NGX_OK;
    }

    /* RFC 7518, 3.5: the salt is as long as the hash */

    if (EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) != 1
        || EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST)
           != 1)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* r and s of fixed length, as JWS has them, to DER; 0: not a signature */

static size_t
ngx_realtime_jwt_der(u_char *der, ngx_str_t *signature, size_t size)
{
    int         n;
    u_char     *p;
    BIGNUM     *r, *s;
    ECDSA_SIG  *sig;

    if (signature->len != size * 2) {
        return 0;
    }

    sig = ECDSA_SIG_new();
    r = BN_bin2bn(signature->data, (int) size, NULL);
    s = BN_bin2bn(signature->data + size, (int) size, NULL);

    if (sig == NULL || r == NULL || s == NULL
        || ECDSA_SIG_set0(sig, r, s) != 1)
    {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(sig);
        return 0;
    }

    /* r and s are sig's now */

    p = der;
    n = i2d_ECDSA_SIG(sig, &p);

    ECDSA_SIG_free(sig);

    return (n > 0) ? (size_t) n : 0;
}


void *
ngx_realtime_jwt_pkey(const ngx_realtime_jwt_alg_t *alg, ngx_str_t *pem,
    const char **why)
{
    EVP_PKEY    *pkey;
    EVP_MD_CTX  *ctx;

    pkey = ngx_realtime_jwt_read(pem, why);

    if (pkey == NULL) {
        ERR_clear_error();
        return NULL;
    }

    *why = ngx_realtime_jwt_misfit(alg, pkey);

    if (*why == NULL) {

        /* an RSA-PSS key may be bound to another hash: ask now */

        ctx = EVP_MD_CTX_new();

        if (ctx == NULL || ngx_realtime_jwt_init(ctx, alg, pkey) != NGX_OK) {
            *why = "holds a key that OpenSSL cannot use with this algorithm";
        }

        EVP_MD_CTX_free(ctx);
    }

    ERR_clear_error();

    if (*why) {
        EVP_PKEY_free(pkey);
        return NULL;
    }

    return pkey;
}


static int
ngx_realtime_jwt_no_password(char *buf, int size, int rwflag, void *data)
{
    /* never ask at the terminal */
    return -1;
}


static EVP_PKEY *
ngx_realtime_jwt_read(ngx_str_t *pem, const char **why)
{
    BIO       *bio;
    X509      *cert;
    EVP_PKEY  *pkey;

    if (ngx_strnstr(pem->data, "PRIVATE KEY-----", pem->len)) {
        *why = "holds a private key: give the public key only"
               " (openssl pkey -pubout), this server has no use for the"
               " other";
        return NULL;
    }

    bio = BIO_new_mem_buf(pem->data, (int) pem->len);

    if (bio == NULL) {
        *why = "cannot be read: no memory";
        return NULL;
    }

    if (ngx_strnstr(pem->data, "-----BEGIN CERTIFICATE-----", pem->len)) {
        cert = PEM_read_bio_X509(bio, NULL, ngx_realtime_jwt_no_password,
                                 NULL);
        pkey = cert ? X509_get_pubkey(cert) : NULL;
        X509_free(cert);

    } else {
        pkey = PEM_read_bio_PUBKEY(bio, NULL, ngx_realtime_jwt_no_password,
                                   NULL);
    }

    BIO_free(bio);

    if (pkey == NULL) {
        *why = "holds neither a PEM public key (-----BEGIN PUBLIC KEY-----)"
               " nor a PEM certificate";
    }

    return pkey;
}


static const char *
ngx_realtime_jwt_misfit(const ngx_realtime_jwt_alg_t *alg, EVP_PKEY *pkey)
{
    switch (alg->kind) {

    case NGX_REALTIME_JWT_RS:
    case NGX_REALTIME_JWT_PS:

        if (!EVP_PKEY_is_a(pkey, "RSA")
            && !(alg->kind == NGX_REALTIME_JWT_PS
                 && EVP_PKEY_is_a(pkey, "RSA-PSS")))
        {
            return "does not hold an RSA key, which this algorithm needs";
        }

        if (EVP_PKEY_get_bits(pkey) < NGX_REALTIME_JWT_RSA_BITS) {
            return "holds an RSA key of less than 2048 bits, which is too"
                   " weak";
        }

        return NULL;

    case NGX_REALTIME_JWT_ES:

        if (!EVP_PKEY_is_a(pkey, "EC")) {
            return "does not hold an EC key, which this algorithm needs";
        }

        if (!ngx_realtime_jwt_is_curve(pkey, alg->curve)) {
            return "holds an EC key on the wrong curve: ES256 needs P-256,"
                   " ES384 P-384, ES512 P-521";
        }

        return NULL;

    case NGX_REALTIME_JWT_ED:

        if (!EVP_PKEY_is_a(pkey, "ED25519")) {
            return "does not hold an Ed25519 key, which EdDSA needs here";
        }

        return NULL;

    default:
        return "is not for an HMAC";
    }
}


static ngx_uint_t
ngx_realtime_jwt_is_curve(EVP_PKEY *pkey, const char *curve)
{
    char    name[32];
    size_t  len;

    if (EVP_PKEY_get_group_name(pkey, name, sizeof(name), &len) != 1) {
        return 0;
    }

    return ngx_strcmp(name, curve) == 0;
}


void
ngx_realtime_jwt_pkey_free(void *pkey)
{
    EVP_PKEY_free(pkey);
}
