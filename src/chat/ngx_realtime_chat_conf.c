
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_chat.h"


/* realtime_users TABLE [COLUMN] */

char *
ngx_realtime_chat_users(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_realtime_main_conf_t  *rmcf = conf;

    ngx_str_t  *value;

    if (rmcf->users_table.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    /* an unset variable of a template must not become the default */

    if (value[1].len == 0 || (cf->args->nelts == 3 && value[2].len == 0)) {
        return "has an empty name";
    }

    rmcf->users_table = value[1];

    if (cf->args->nelts == 3) {
        rmcf->users_column = value[2];
    }

    return NGX_CONF_OK;
}
