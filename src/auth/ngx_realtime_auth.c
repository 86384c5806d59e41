
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * A token becomes an identity, or a refusal, in this order:
 *
 *   split       three strict base64url parts, 8 kB        ngx_realtime_jwt.c
 *   key         alg equals the alg of a configured key, kid if both have one
 *   signature   of that key, with that alg                ngx_realtime_jwt.c
 *   times       exp, nbf, iat
 *   claims      iss, aud
 *   user        the first non-empty string among the configured claims
 *   revoked     not by now                             ngx_realtime_revoke.c
 *
 * No claim is read before a signature has been verified.  A token that is
 * known has been through all of it, and is asked again for its times and
 * whether it is revoked: ngx_realtime_auth_known.c
 */

#include "ngx_realtime_auth.h"
#include "ngx_realtime_auth_known.h"
#include "ngx_realtime_revoke.h"

#include "rt_json.h"

#include <math.h>


/* 9999-12-31T23:59:59Z: what a far "exp" is cut to, so that it can be printed
   and added to */

#define NGX_REALTIME_AUTH_TIME_MAX  253402300799.0


static json_t *ngx_realtime_auth_object(ngx_str_t *text);
static ngx_int_t ngx_realtime_auth_read(ngx_realtime_auth_conf_t *conf,
    ngx_str_t *token, ngx_log_t *log, ngx_realtime_auth_said_t *said,
    ngx_realtime_refusal_e *why, const char **detail);
static ngx_int_t ngx_realtime_auth_service(ngx_realtime_auth_conf_t *conf,
    json_t *payload, ngx_pool_t *pool, ngx_realtime_identity_t *id,
    const char **detail);
static ngx_int_t ngx_realtime_auth_identity(ngx_realtime_auth_said_t *said,
    ngx_pool_t *pool, ngx_realtime_identity_t *id);
static ngx_int_t ngx_realtime_auth_signature(ngx_array_t *keys,
    ngx_realtime_jwt_t *jwt, ngx_log_t *log, const char **detail);
static ngx_int_t ngx_realtime_auth_try_keys(ngx_array_t *keys,
    json_t *alg, json_t *kid, ngx_realtime_jwt_t *jwt, ngx_log_t *log,
    const char **detail);
static ngx_uint_t ngx_realtime_auth_equal(json_t *value, ngx_str_t *text);
static ngx_int_t ngx_realtime_auth_claims(ngx_realtime_auth_conf_t *conf,
    json_t *payload, ngx_realtime_auth_said_t *said, const char **detail);
static ngx_int_t ngx_realtime_auth_times(json_t *payload,
    ngx_realtime_auth_said_t *said, const char **detail);
static ngx_int_t ngx_realtime_auth_time(json_t *payload, const char *name,
    double *time);
static ngx_int_t ngx_realtime_auth_due(ngx_realtime_auth_conf_t *conf,
    ngx_realtime_auth_times_t *times, const char **detail);
static void ngx_realtime_auth_jti(json_t *payload,
    ngx_realtime_identity_t *id);
static ngx_uint_t ngx_realtime_auth_audience(json_t *aud, ngx_str_t *text);
static ngx_uint_t ngx_realtime_auth_may_notify(
    ngx_realtime_auth_conf_t *conf, json_t *payload);
static ngx_int_t ngx_realtime_auth_role(ngx_realtime_auth_conf_t *conf,
    json_t *payload, const char **detail);
static ngx_int_t ngx_realtime_auth_user(ngx_realtime_auth_conf_t *conf,
    json_t *payload, ngx_realtime_auth_said_t *said, const char **detail);


ngx_int_t
ngx_realtime_auth_verify(ngx_realtime_auth_conf_t *conf, ngx_str_t *token,
    ngx_pool_t *pool, ngx_log_t *log, ngx_realtime_identity_t *id,
    ngx_realtime_refusal_e *why, const char **detail)
{
    u_char                      digest[NGX_REALTIME_AUTH_KNOWN_LEN];
    ngx_int_t                   rc, known;
    ngx_realtime_auth_said_t   *said, fresh;

    *why = NGX_REALTIME_R_TOKEN_INVALID;
    said = NULL;

    known = (token->len <= NGX_REALTIME_JWT_MAX)
            ? ngx_realtime_auth_known(conf, token, digest, &said)
            : NGX_ERROR;

    if (known == NGX_OK) {
        rc = ngx_realtime_auth_due(conf, &said->times, detail);

    } else {
        said = &fresh;
        rc = ngx_realtime_auth_read(conf, token, log, said, why, detail);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (known == NGX_DECLINED) {
        *ngx_realtime_auth_remember(digest) = *said;
    }

    if (ngx_realtime_auth_identity(said, pool, id) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_realtime_revoke_is(id)) {
        *detail = "the token is revoked";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_realtime_auth_read(ngx_realtime_auth_conf_t *conf, ngx_str_t *token,
    ngx_log_t *log, ngx_realtime_auth_said_t *said,
    ngx_realtime_refusal_e *why, const char **detail)
{
    json_t              *payload;
    ngx_int_t            rc;
    ngx_realtime_jwt_t   jwt;

    rc = ngx_realtime_jwt_split(&jwt, token, detail);

    if (rc == NGX_OK) {
        rc = ngx_realtime_auth_signature(conf->keys, &jwt, log, detail);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    payload = ngx_realtime_auth_object(&jwt.payload);

    if (payload == NULL) {
        *detail = "the payload is not a JSON object";
        return NGX_DECLINED;
    }

    rc = ngx_realtime_auth_claims(conf, payload, said, detail);

    if (rc == NGX_OK) {
        rc = ngx_realtime_auth_user(conf, payload, said, detail);
        said->id.notifies = ngx_realtime_auth_may_notify(conf, payload);

        if (rc != NGX_OK) {
            *why = NGX_REALTIME_R_TOKEN_PAYLOAD;
        }
    }

    json_decref(payload);

    return rc;
}


/*
 * A service needs no user, and its own key none of our revocations: a back end
 * that voids the tokens of everybody must not lock itself out.
 */

ngx_int_t
ngx_realtime_auth_verify_service(ngx_realtime_auth_conf_t *conf,
    ngx_str_t *token, ngx_pool_t *pool, ngx_log_t *log,
    ngx_realtime_identity_t *id, const char **detail)
{
    u_char                     digest[NGX_REALTIME_AUTH_KNOWN_LEN];
    json_t                    *payload;
    ngx_int_t                  rc, known;
    ngx_uint_t                 own;
    ngx_realtime_jwt_t         jwt;
    ngx_realtime_refusal_e     why;
    ngx_realtime_auth_said_t  *said;

    rc = ngx_realtime_jwt_split(&jwt, token, detail);

    if (rc != NGX_OK) {
        return rc;
    }

    known = ngx_realtime_auth_known(conf->api_keys, token, digest, &said);

    if (known != NGX_OK) {
        rc = ngx_realtime_auth_signature(conf->api_keys, &jwt, log, detail);
    }

    own = (rc == NGX_OK);

    if (own && known == NGX_DECLINED) {
        /* the signature only: a service is asked what it says each time */
        (void) ngx_realtime_auth_remember(digest);
    }

    if (rc == NGX_DECLINED && conf->api_role.len) {
        rc = ngx_realtime_auth_verify(conf, token, pool, log, id, &why,
                                      detail);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    payload = ngx_realtime_auth_object(&jwt.payload);

    if (payload == NULL) {
        *detail = "the payload is not a JSON object";
        return NGX_DECLINED;
    }

    rc = own ? ngx_realtime_auth_service(conf, payload, pool, id, detail)
             : ngx_realtime_auth_role(conf, payload, detail);

    json_decref(payload);

    return rc;
}


static ngx_int_t
ngx_realtime_auth_service(ngx_realtime_auth_conf_t *conf, json_t *payload,
    ngx_pool_t *pool, ngx_realtime_identity_t *id, const char **detail)
{
    const char                *nobody;
    ngx_realtime_auth_said_t   said;

    if (ngx_realtime_auth_claims(conf, payload, &said, detail) != NGX_OK) {
        return NGX_DECLINED;
    }

    (void) ngx_realtime_auth_user(conf, payload, &said, &nobody);

    return ngx_realtime_auth_identity(&said, pool, id);
}


/* user.len is 0 for a service that is nobody */

static ngx_int_t
ngx_realtime_auth_identity(ngx_realtime_auth_said_t *said, ngx_pool_t *pool,
    ngx_realtime_identity_t *id)
{
    *id = said->id;

    id->user.data = ngx_pnalloc(pool, id->user.len);
    if (id->user.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(id->user.data, said->user, id->user.len);

    return NGX_OK;
}


static json_t *
ngx_realtime_auth_object(ngx_str_t *text)
{
    json_t  *value;

    if (rt_json_parse(text->data, text->len, &value) != RT_OK) {
        return NULL;
    }

    if (!json_is_object(value)) {
        json_decref(value);
        return NULL;
    }

    return value;
}


static ngx_int_t
ngx_realtime_auth_signature(ngx_array_t *keys, ngx_realtime_jwt_t *jwt,
    ngx_log_t *log, const char **detail)
{
    json_t     *header, *alg, *kid;
    ngx_int_t   rc;

    header = ngx_realtime_auth_object(&jwt->header);

    if (header == NULL) {
        *detail = "the header is not a JSON object";
        return NGX_DECLINED;
    }

    alg = json_object_get(header, "alg");
    kid = json_object_get(header, "kid");

    if (!json_is_string(alg)) {
        *detail = "alg is not a string";
        rc = NGX_DECLINED;

    } else if (kid && !json_is_string(kid)) {
        *detail = "kid is not a string";
        rc = NGX_DECLINED;

    } else if (json_object_get(header, "crit")) {

        /* RFC 7515, 4.1.11: what one does not understand is to be refused */

        *detail = "the header names critical extensions";
        rc = NGX_DECLINED;

    } else {
        rc = ngx_realtime_auth_try_keys(keys, alg, kid, jwt, log, detail);
    }

    json_decref(header);

    return rc;
}


static ngx_int_t
ngx_realtime_auth_try_keys(ngx_array_t *keys, json_t *alg, json_t *kid,
    ngx_realtime_jwt_t *jwt, ngx_log_t *log, const char **detail)
{
    ngx_int_t                 rc;
    ngx_str_t                 name;
    ngx_uint_t                i;
    ngx_realtime_auth_key_t  *key;

    *detail = "no configured key has the alg and kid of the token";

    if (keys == NULL) {
        return NGX_DECLINED;
    }

    key = keys->elts;

    for (i = 0; i < keys->nelts; i++) {
        name = key[i].alg->name;

        if (!ngx_realtime_auth_equal(alg, &name)) {
            continue;
        }

        if (kid && key[i].kid.len
            && !ngx_realtime_auth_equal(kid, &key[i].kid))
        {
            continue;
        }

        if (key[i].pkey) {
            rc = ngx_realtime_jwt_verify_pkey(key[i].alg, key[i].pkey, jwt,
                                              log);

        } else {
            rc = ngx_realtime_jwt_verify_secret(key[i].alg, &key[i].secret,
                                                jwt, log);
        }

        if (rc != NGX_DECLINED) {
            return rc;
        }

        *detail = "the signature does not match";
    }

    return NGX_DECLINED;
}


/* a string may hold a NUL: compare what it holds, not how it begins */

static ngx_uint_t
ngx_realtime_auth_equal(json_t *value, ngx_str_t *text)
{
    return json_is_string(value)
           && json_string_length(value) == text->len
           && ngx_memcmp(json_string_value(value), text->data, text->len)
              == 0;
}


static ngx_int_t
ngx_realtime_auth_claims(ngx_realtime_auth_conf_t *conf, json_t *payload,
    ngx_realtime_auth_said_t *said, const char **detail)
{
    ngx_memzero(&said->id, sizeof(ngx_realtime_identity_t));

    if (ngx_realtime_auth_times(payload, said, detail) != NGX_OK
        || ngx_realtime_auth_due(conf, &said->times, detail) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    ngx_realtime_auth_jti(payload, &said->id);

    if (conf->issuer.len
        && !ngx_realtime_auth_equal(json_object_get(payload, "iss"),
                                    &conf->issuer))
    {
        *detail = "iss is not the required issuer";
        return NGX_DECLINED;
    }

    if (conf->audience.len
        && !ngx_realtime_auth_audience(json_object_get(payload, "aud"),
                                       &conf->audience))
    {
        *detail = "aud does not name the required audience";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/*
 * Everything is compared as a double: the claims are any JSON numbers, and
 * only a value that has been bounded is converted.
 */

static ngx_int_t
ngx_realtime_auth_times(json_t *payload, ngx_realtime_auth_said_t *said,
    const char **detail)
{
    double                      at;
    ngx_realtime_auth_times_t  *t;

    t = &said->times;

    t->exp = HUGE_VAL;
    t->nbf = -HUGE_VAL;
    t->iat = -HUGE_VAL;

    if (ngx_realtime_auth_time(payload, "exp", &t->exp) != NGX_OK
        || ngx_realtime_auth_time(payload, "nbf", &t->nbf) != NGX_OK
        || ngx_realtime_auth_time(payload, "iat", &t->iat) != NGX_OK)
    {
        *detail = "exp, nbf or iat is not a number";
        return NGX_DECLINED;
    }

    if (t->exp != HUGE_VAL) {
        said->id.expires = (time_t) ngx_min(t->exp,
                                            NGX_REALTIME_AUTH_TIME_MAX);
    }

    if (t->iat != -HUGE_VAL) {
        at = ngx_max(t->iat, 0);
        said->id.issued = (time_t) ngx_min(at, NGX_REALTIME_AUTH_TIME_MAX);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_realtime_auth_time(json_t *payload, const char *name, double *time)
{
    json_t  *value;

    value = json_object_get(payload, name);

    if (value == NULL) {
        return NGX_OK;
    }

    if (!json_is_number(value)) {
        return NGX_DECLINED;
    }

    *time = json_number_value(value);

    return NGX_OK;
}


static ngx_int_t
ngx_realtime_auth_due(ngx_realtime_auth_conf_t *conf,
    ngx_realtime_auth_times_t *times, const char **detail)
{
    double  now, leeway;

    now = (double) ngx_time();
    leeway = (double) conf->leeway;

    if (!(now < times->exp + leeway)) {
        *detail = "the token has expired";
        return NGX_DECLINED;
    }

    if (times->exp == HUGE_VAL && conf->exp_required) {
        *detail = "the token has no exp";
        return NGX_DECLINED;
    }

    if (!(times->nbf <= now + leeway)) {
        *detail = "the token is not valid yet";
        return NGX_DECLINED;
    }

    if (!(times->iat <= now + leeway)) {
        *detail = "the token was issued in the future";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* a jti that is no string cannot be revoked by it */

static void
ngx_realtime_auth_jti(json_t *payload, ngx_realtime_identity_t *id)
{
    json_t     *jti;
    ngx_str_t   text;

    ngx_memzero(id->jti, NGX_REALTIME_JTI_LEN);

    jti = json_object_get(payload, "jti");

    if (json_is_string(jti) && json_string_length(jti)) {
        text.data = (u_char *) json_string_value(jti);
        text.len = json_string_length(jti);

        ngx_realtime_revoke_key(NGX_REALTIME_REVOKE_JTI, &text, id->jti);
    }
}


static ngx_uint_t
ngx_realtime_auth_audience(json_t *aud, ngx_str_t *text)
{
    size_t  i;

    if (!json_is_array(aud)) {
        return ngx_realtime_auth_equal(aud, text);
    }

    for (i = 0; i < json_array_size(aud); i++) {
        if (ngx_realtime_auth_equal(json_array_get(aud, i), text)) {
            return 1;
        }
    }

    return 0;
}


/* a string, or an array of strings */

static ngx_int_t
ngx_realtime_auth_role(ngx_realtime_auth_conf_t *conf, json_t *payload,
    const char **detail)
{
    json_t  *roles;

    roles = json_object_get(payload, (char *) conf->api_claim.data);

    if (ngx_realtime_auth_audience(roles, &conf->api_role)) {
        return NGX_OK;
    }

    *detail = "the token has not the role of a service";

    return NGX_DECLINED;
}


static ngx_int_t
ngx_realtime_auth_user(ngx_realtime_auth_conf_t *conf, json_t *payload,
    ngx_realtime_auth_said_t *said, const char **detail)
{
    size_t       n;
    json_t      *value;
    ngx_str_t    user, *claim;
    ngx_uint_t   i;

    user.len = 0;
    user.data = NULL;

    claim = conf->claims->elts;

    for (i = 0; i < conf->claims->nelts && user.len == 0; i++) {
        value = json_object_get(payload, (char *) claim[i].data);

        if (json_is_string(value)) {
            user.data = (u_char *) json_string_value(value);
            user.len = json_string_length(value);
        }
    }

    if (user.len == 0) {
        *detail = "no claim names a user";
        return NGX_DECLINED;
    }

    if (user.len > NGX_REALTIME_USER_MAX) {
        *detail = "the user id is longer than 128 bytes";
        return NGX_DECLINED;
    }

    /* the rest is UTF-8: jansson lets nothing else into a string */

    for (n = 0; n < user.len; n++) {
        if (user.data[n] < 0x20 || user.data[n] == 0x7f) {
            *detail = "the user id has control characters";
            return NGX_DECLINED;
        }
    }

    said->id.user.len = user.len;
    ngx_memcpy(said->user, user.data, user.len);

    return NGX_OK;
}


/* by one of the configured roles; the claim is a string, or some of them */

static ngx_uint_t
ngx_realtime_auth_may_notify(ngx_realtime_auth_conf_t *conf, json_t *payload)
{
    json_t      *roles;
    ngx_str_t   *role;
    ngx_uint_t   i;

    if (conf->notify_roles == NULL) {
        return 0;
    }

    role = conf->notify_roles->elts;
    roles = json_object_get(payload, (char *) conf->notify_claim.data);

    for (i = 0; i < conf->notify_roles->nelts; i++) {
        if (ngx_realtime_auth_audience(roles, &role[i])) {
            return 1;
        }
    }

    return 0;
}
