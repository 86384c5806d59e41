
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * How the settings of auth/ come together, and the directives for claims and
 * token sources.
 */

#include "ngx_realtime_auth.h"


#define NGX_REALTIME_AUTH_LEEWAY      5     /* seconds */
#define NGX_REALTIME_AUTH_LEEWAY_MAX  3600


static char *ngx_realtime_auth_require_text(ngx_conf_t *cf, ngx_str_t *dst,
    const char *name, ngx_str_t *value);
static char *ngx_realtime_auth_require_leeway(ngx_conf_t *cf,
    ngx_realtime_auth_conf_t *conf, ngx_str_t *value);
static ngx_uint_t ngx_realtime_auth_source_parse(ngx_conf_t *cf,
    ngx_realtime_auth_conf_t *conf, ngx_str_t *word);
static ngx_uint_t ngx_realtime_auth_is_name(ngx_str_t *name);


ngx_realtime_auth_conf_t *
ngx_realtime_auth_create_conf(ngx_conf_t *cf)
{
    ngx_realtime_auth_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_realtime_auth_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->leeway = NGX_CONF_UNSET;
    conf->exp_required = NGX_CONF_UNSET;

    return conf;
}


char *
ngx_realtime_auth_merge_conf(ngx_conf_t *cf, ngx_realtime_auth_conf_t *prev,
    ngx_realtime_auth_conf_t *conf)
{
    ngx_str_t                 *claim;
    ngx_realtime_auth_conf_t   none;

    if (prev == NULL) {
        ngx_memzero(&none, sizeof(ngx_realtime_auth_conf_t));
        none.leeway = NGX_CONF_UNSET;
        none.exp_required = NGX_CONF_UNSET;
        prev = &none;
    }

    if (conf->keys == NULL) {
        conf->keys = prev->keys;
    }

    if (conf->api_keys == NULL) {
        conf->api_keys = prev->api_keys;
    }

    if (conf->notify_roles == NULL) {
        conf->notify_roles = prev->notify_roles;
        conf->notify_claim = prev->notify_claim;
    }

    ngx_conf_merge_str_value(conf->api_role, prev->api_role, "");
    ngx_conf_merge_str_value(conf->api_claim, prev->api_claim, "");

    if (conf->api_access == 0) {
        conf->api_access = prev->api_access;
    }

    if (conf->claims == NULL) {
        conf->claims = prev->claims;
    }

    if (conf->claims == NULL) {
        conf->claims = ngx_array_create(cf->pool, 2, sizeof(ngx_str_t));
        if (conf->claims == NULL) {
            return NGX_CONF_ERROR;
        }

        claim = ngx_array_push_n(conf->claims, 2);
        if (claim == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_str_set(&claim[0], "id");
        ngx_str_set(&claim[1], "sub");
    }

    if (conf->nsources == 0) {
        ngx_memcpy(conf->sources, prev->sources, sizeof(conf->sources));
        conf->nsources = prev->nsources;
    }

    if (conf->nsources == 0) {
        conf->sources[0] = NGX_REALTIME_TOKEN_AUTH;
        conf->sources[1] = NGX_REALTIME_TOKEN_COOKIE;
        conf->sources[2] = NGX_REALTIME_TOKEN_BEARER;
        conf->nsources = 3;
    }

    if (conf->origins == NULL) {
        conf->origins = prev->origins;
    }

    ngx_conf_merge_str_value(conf->issuer, prev->issuer, "");
    ngx_conf_merge_str_value(conf->audience, prev->audience, "");
    ngx_conf_merge_str_value(conf->cookie, prev->cookie, "accessToken");
    ngx_conf_merge_str_value(conf->query, prev->query, "token");
    ngx_conf_merge_sec_value(conf->leeway, prev->leeway,
                             NGX_REALTIME_AUTH_LEEWAY);
    ngx_conf_merge_value(conf->exp_required, prev->exp_required, 0);

    return NGX_CONF_OK;
}


/* realtime_jwt_user_claim NAME ... */

char *
ngx_realtime_auth_claim(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_realtime_loc_conf_t *rlcf = conf;

    ngx_str_t   *value, *claim;
    ngx_uint_t   i;

    if (rlcf->auth->claims) {
        return "is duplicate";
    }

    value = cf->args->elts;

    rlcf->auth->claims = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                          sizeof(ngx_str_t));
    if (rlcf->auth->claims == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (value[i].len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" has an empty claim name", &cmd->name);
            return NGX_CONF_ERROR;
        }

        claim = ngx_array_push(rlcf->auth->claims);
        if (claim == NULL) {
            return NGX_CONF_ERROR;
        }

        *claim = value[i];
    }

    return NGX_CONF_OK;
}


/* realtime_jwt_require [iss=TEXT] [aud=TEXT] [exp=required] [leeway=TIME] */

char *
ngx_realtime_auth_require(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_realtime_loc_conf_t *rlcf = conf;

    char                      *rv;
    ngx_str_t                 *value, rest;
    ngx_uint_t                 i;
    ngx_realtime_auth_conf_t  *auth;

    auth = rlcf->auth;
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_realtime_auth_after(&value[i], "iss=", &rest)) {
            rv = ngx_realtime_auth_require_text(cf, &auth->issuer, "iss",
                                                &rest);

        } else if (ngx_realtime_auth_after(&value[i], "aud=", &rest)) {
            rv = ngx_realtime_auth_require_text(cf, &auth->audience, "aud",
                                                &rest);

        } else if (ngx_realtime_auth_after(&value[i], "leeway=", &rest)) {
            rv = ngx_realtime_auth_require_leeway(cf, auth, &rest);

        } else if (ngx_realtime_string_eq(&value[i], "exp=required")) {
            auth->exp_required = 1;
            rv = NGX_CONF_OK;

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" does not know \"%V\": give iss=TEXT, "
                               "aud=TEXT, exp=required or leeway=TIME",
                               &cmd->name, &value[i]);
            return NGX_CONF_ERROR;
        }

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_realtime_auth_require_text(ngx_conf_t *cf, ngx_str_t *dst,
    const char *name, ngx_str_t *value)
{
    if (dst->data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s= is given twice", name);
        return NGX_CONF_ERROR;
    }

    /* an unset variable of a template must not switch the check off */

    if (value->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s= is empty: leave it out if every %s will do",
                           name, name);
        return NGX_CONF_ERROR;
    }

    *dst = *value;

    return NGX_CONF_OK;
}


static char *
ngx_realtime_auth_require_leeway(ngx_conf_t *cf,
    ngx_realtime_auth_conf_t *conf, ngx_str_t *value)
{
    if (conf->leeway != NGX_CONF_UNSET) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "leeway= is given twice");
        return NGX_CONF_ERROR;
    }

    conf->leeway = ngx_parse_time(value, 1);

    if (conf->leeway == (time_t) NGX_ERROR
        || conf->leeway > NGX_REALTIME_AUTH_LEEWAY_MAX)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "leeway=%V must be a time of at most 1h", value);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* realtime_token_source auth | cookie[=NAME] | bearer | query[=NAME] ... */

char *
ngx_realtime_auth_source(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_realtime_loc_conf_t *rlcf = conf;

    ngx_str_t                 *value;
    ngx_uint_t                 i, n, source;
    ngx_realtime_auth_conf_t  *auth;

    auth = rlcf->auth;

    if (auth->nsources) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        source = ngx_realtime_auth_source_parse(cf, auth, &value[i]);

        if (source == 0) {
            return NGX_CONF_ERROR;
        }

        for (n = 0; n < auth->nsources; n++) {
            if (auth->sources[n] == source) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "\"%V\" has the source of \"%V\" twice",
                                   &cmd->name, &value[i]);
                return NGX_CONF_ERROR;
            }
        }

        auth->sources[auth->nsources++] = source;
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_realtime_auth_source_parse(ngx_conf_t *cf,
    ngx_realtime_auth_conf_t *conf, ngx_str_t *word)
{
    ngx_str_t   name, *dst;
    ngx_uint_t  source;

    if (ngx_realtime_string_eq(word, "auth")) {
        return NGX_REALTIME_TOKEN_AUTH;
    }

    if (ngx_realtime_string_eq(word, "bearer")) {
        return NGX_REALTIME_TOKEN_BEARER;
    }

    if (ngx_realtime_string_eq(word, "cookie")) {
        return NGX_REALTIME_TOKEN_COOKIE;
    }

    if (ngx_realtime_string_eq(word, "query")) {
        return NGX_REALTIME_TOKEN_QUERY;
    }

    if (ngx_realtime_auth_after(word, "cookie=", &name)) {
        source = NGX_REALTIME_TOKEN_COOKIE;
        dst = &conf->cookie;

    } else if (ngx_realtime_auth_after(word, "query=", &name)) {
        source = NGX_REALTIME_TOKEN_QUERY;
        dst = &conf->query;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not a token source: give auth, "
                           "cookie[=NAME], bearer or query[=NAME]", word);
        return 0;
    }

    if (!ngx_realtime_auth_is_name(&name)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the name in \"%V\" must be letters, digits, "
                           "\".\", \"_\" or \"-\"", word);
        return 0;
    }

    *dst = name;

    return source;
}


/* what is safe in a cookie and in a query alike */

static ngx_uint_t
ngx_realtime_auth_is_name(ngx_str_t *name)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '.' || c == '_'
              || c == '-'))
        {
            return 0;
        }
    }

    return name->len != 0;
}


ngx_uint_t
ngx_realtime_auth_after(ngx_str_t *word, const char *prefix, ngx_str_t *rest)
{
    size_t  len;

    len = ngx_strlen(prefix);

    if (word->len < len || ngx_memcmp(word->data, prefix, len) != 0) {
        return 0;
    }

    rest->data = word->data + len;
    rest->len = word->len - len;

    return 1;
}
