
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * What a location serves: its content handler, what may share it, and what it
 * needs.
 */


#include "ngx_realtime_location.h"
#include "ngx_realtime_auth.h"
#include "ngx_realtime_handshake.h"
#include "ngx_realtime_rest.h"
#include "ngx_realtime_status.h"


static char *ngx_realtime_location_rest(ngx_conf_t *cf,
    ngx_realtime_loc_conf_t *rlcf, ngx_uint_t serves);
static char *ngx_realtime_location_check_database(ngx_conf_t *cf,
    ngx_realtime_loc_conf_t *conf, ngx_realtime_main_conf_t *rmcf);
static char *ngx_realtime_location_check_api(ngx_conf_t *cf,
    ngx_realtime_loc_conf_t *conf);


char *
ngx_realtime_location_socket(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_realtime_loc_conf_t  *rlcf = conf;

    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    if (rlcf->serves & NGX_REALTIME_SERVES_SOCKET) {
        return "is duplicate";
    }

    if (rlcf->serves & NGX_REALTIME_SERVES_STATUS) {
        return "cannot share a location with \"realtime_status\"";
    }

    if (rlcf->serves & NGX_REALTIME_SERVES_API) {
        return "cannot share a location with \"realtime_api\"";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2) {

        if (ngx_realtime_string_eq(&value[1], "echo=engine")) {
            rlcf->echo = NGX_REALTIME_ECHO_ENGINE;

        } else if (ngx_realtime_string_eq(&value[1], "echo=socketio")) {
            rlcf->echo = NGX_REALTIME_ECHO_SOCKETIO;

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "realtime_socket: \"%V\" is unknown, there "
                               "are \"echo=engine\" and \"echo=socketio\"",
                               &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    /* before or after realtime_chat: the socket is what is served */

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_realtime_handshake_handler;

    rlcf->serves |= NGX_REALTIME_SERVES_SOCKET;

    return NGX_CONF_OK;
}


char *
ngx_realtime_location_chat(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_realtime_location_rest(cf, conf, NGX_REALTIME_SERVES_CHAT);
}


char *
ngx_realtime_location_notifications(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    return ngx_realtime_location_rest(cf, conf,
                                      NGX_REALTIME_SERVES_NOTIFICATIONS);
}


static char *
ngx_realtime_location_rest(ngx_conf_t *cf, ngx_realtime_loc_conf_t *rlcf,
    ngx_uint_t serves)
{
    ngx_http_core_loc_conf_t  *clcf;

    if (rlcf->serves & serves) {
        return "is duplicate";
    }

    if (rlcf->serves & NGX_REALTIME_SERVES_STATUS) {
        return "cannot share a location with \"realtime_status\"";
    }

    if (rlcf->serves & NGX_REALTIME_SERVES_API) {
        return "cannot share a location with \"realtime_api\"";
    }

    if (!(rlcf->serves & NGX_REALTIME_SERVES_SOCKET)) {
        clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
        clcf->handler = ngx_realtime_rest_handler;
    }

    rlcf->serves |= serves;

    return NGX_CONF_OK;
}


char *
ngx_realtime_location_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_realtime_loc_conf_t  *rlcf = conf;

    ngx_http_core_loc_conf_t  *clcf;

    if (rlcf->serves) {
        return "must be alone in its location";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_realtime_rest_handler;

    rlcf->serves |= NGX_REALTIME_SERVES_API;

    return NGX_CONF_OK;
}


char *
ngx_realtime_location_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_realtime_loc_conf_t  *rlcf = conf;

    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    if (rlcf->serves) {
        return "must be alone in its location";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    value = cf->args->elts;

    if (cf->args->nelts == 1 || ngx_realtime_string_eq(&value[1], "json")) {
        clcf->handler = ngx_realtime_status_json_handler;

    } else if (ngx_realtime_string_eq(&value[1], "prometheus")) {
        clcf->handler = ngx_realtime_status_prometheus_handler;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "realtime_status: \"%V\" is no format, write "
                           "\"json\" or \"prometheus\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    rlcf->serves |= NGX_REALTIME_SERVES_STATUS;

    return NGX_CONF_OK;
}


/* "if" and "limit_except" are locations to nginx, and the same to people */

void
ngx_realtime_location_merge(ngx_conf_t *cf, ngx_realtime_loc_conf_t *prev,
    ngx_realtime_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (!clcf->noname || prev->serves == NGX_REALTIME_SERVES_STATUS) {
        return;
    }

    conf->serves = prev->serves;

    if (clcf->lmt_excpt && clcf->handler == NULL) {

        if (conf->serves & NGX_REALTIME_SERVES_SOCKET) {
            clcf->handler = ngx_realtime_handshake_handler;

        } else if (conf->serves & (NGX_REALTIME_SERVES_REST
                                   |NGX_REALTIME_SERVES_API))
        {
            clcf->handler = ngx_realtime_rest_handler;
        }
    }
}


/* what a location serves needs: said here, when everything is read */

char *
ngx_realtime_location_check(ngx_conf_t *cf, ngx_realtime_loc_conf_t *conf)
{
    ngx_realtime_main_conf_t  *rmcf;

    if (conf->serves == 0) {
        return NGX_CONF_OK;
    }

    rmcf = ngx_http_conf_get_module_main_conf(cf, ngx_realtime_module);

    if (rmcf->zone == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a realtime location needs a zone, write "
                           "\"realtime_zone main 64m;\" in the http block");
        return NGX_CONF_ERROR;
    }

    if (conf->serves == NGX_REALTIME_SERVES_STATUS) {
        return NGX_CONF_OK;
    }

    if (conf->serves == NGX_REALTIME_SERVES_API) {
        return ngx_realtime_location_check_api(cf, conf);
    }

    if (conf->echo) {

        /* the suites compare whole packets */
        conf->recovery = 0;

        if (conf->serves & NGX_REALTIME_SERVES_REST) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"realtime_socket echo=...\" is a test aid "
                               "and cannot share a location with "
                               "\"realtime_chat\" or "
                               "\"realtime_notifications\"");
            return NGX_CONF_ERROR;
        }

        /* its clients hear what they said, and could not refresh */
        conf->auth_expiring = 0;

        return NGX_CONF_OK;
    }

    if ((conf->serves & NGX_REALTIME_SERVES_SOCKET) && conf->recovery) {
        rmcf->recovers = 1;
    }

    if (conf->auth->keys == NULL || conf->auth->keys->nelts == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"realtime_socket\" and \"realtime_chat\" need a "
                           "key to check tokens with, write for example "
                           "\"realtime_jwt_key HS256 file:jwt.key;\"");
        return NGX_CONF_ERROR;
    }

    return ngx_realtime_location_check_database(cf, conf, rmcf);
}


static char *
ngx_realtime_location_check_database(ngx_conf_t *cf,
    ngx_realtime_loc_conf_t *conf, ngx_realtime_main_conf_t *rmcf)
{
    if (rmcf->database) {
        return NGX_CONF_OK;
    }

    if (conf->serves & NGX_REALTIME_SERVES_NOTIFICATIONS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"realtime_notifications\" needs a database, "
                           "write for example \"realtime_database "
                           "'host=/run/postgresql dbname=chat';\" in the "
                           "http block");
        return NGX_CONF_ERROR;
    }

    if ((conf->serves & NGX_REALTIME_SERVES_CHAT)
        && !(conf->relay && (conf->serves & NGX_REALTIME_SERVES_SOCKET)))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"realtime_chat\" needs a database, write for "
                           "example \"realtime_database "
                           "'host=/run/postgresql dbname=chat';\" in the "
                           "http block");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* who may come has to be said */

static char *
ngx_realtime_location_check_api(ngx_conf_t *cf, ngx_realtime_loc_conf_t *conf)
{
    ngx_realtime_auth_conf_t  *auth;

    auth = conf->auth;

    if (auth->api_access == NGX_REALTIME_ACCESS_NGINX) {
        return NGX_CONF_OK;
    }

    if (auth->api_role.len && auth->keys == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"realtime_api_role\" needs a key to check "
                           "tokens with, write for example "
                           "\"realtime_jwt_key HS256 file:jwt.key;\"");
        return NGX_CONF_ERROR;
    }

    if (auth->api_keys == NULL && auth->api_role.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"realtime_api\" needs to know its services, "
                           "write \"realtime_api_key\", "
                           "\"realtime_api_role\", or "
                           "\"realtime_api_access nginx\"");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
