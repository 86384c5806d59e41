
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Directives that say who may use "realtime_api".  Its keys are parsed with
 * the others, in ngx_realtime_auth_key.c.
 */


#include "ngx_realtime_auth.h"


/* realtime_api_role NAME [claim=NAME] */

char *
ngx_realtime_auth_api_role(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_realtime_loc_conf_t *rlcf = conf;

    ngx_str_t                 *value;
    ngx_realtime_auth_conf_t  *auth;

    auth = rlcf->auth;

    if (auth->api_role.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    ngx_str_set(&auth->api_claim, "role");

    /* an unset variable of a template must not let everybody in */

    if (value[1].len == 0
        || (cf->args->nelts == 3
            && (!ngx_realtime_auth_after(&value[2], "claim=",
                                         &auth->api_claim)
                || auth->api_claim.len == 0)))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" takes the name of a role and claim=NAME",
                           &cmd->name);
        return NGX_CONF_ERROR;
    }

    auth->api_role = value[1];

    return NGX_CONF_OK;
}


/* realtime_api_access token | nginx */

char *
ngx_realtime_auth_api_access(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_realtime_loc_conf_t *rlcf = conf;

    ngx_str_t  *value;

    if (rlcf->auth->api_access) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_realtime_string_eq(&value[1], "token")) {
        rlcf->auth->api_access = NGX_REALTIME_ACCESS_TOKEN;

    } else if (ngx_realtime_string_eq(&value[1], "nginx")) {
        rlcf->auth->api_access = NGX_REALTIME_ACCESS_NGINX;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is \"token\", or \"nginx\" if its allow, "
                           "deny, auth_basic or client certificates guard "
                           "the location", &cmd->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* realtime_notify_roles ROLE ... [claim=NAME] */

char *
ngx_realtime_auth_notify_roles(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_realtime_loc_conf_t *rlcf = conf;

    ngx_str_t                 *value, *role, claim;
    ngx_uint_t                 i;
    ngx_realtime_auth_conf_t  *auth;

    auth = rlcf->auth;

    if (auth->notify_roles) {
        return "is duplicate";
    }

    auth->notify_roles = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                          sizeof(ngx_str_t));
    if (auth->notify_roles == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    ngx_str_set(&auth->notify_claim, "role");

    for (i = 1; i < cf->args->nelts; i++) {

        claim = value[i];

        if (ngx_realtime_auth_after(&value[i], "claim=", &claim)) {
            auth->notify_claim = claim;

        } else {
            role = ngx_array_push(auth->notify_roles);
            if (role == NULL) {
                return NGX_CONF_ERROR;
            }

            *role = value[i];
        }

        /* an unset variable of a template must not let anybody in */

        if (claim.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" has an empty name", &cmd->name);
            return NGX_CONF_ERROR;
        }
    }

    if (auth->notify_roles->nelts == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" names no role", &cmd->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
