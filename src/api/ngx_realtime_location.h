
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Directives that say what a location serves.
 */

#ifndef _NGX_REALTIME_LOCATION_H_INCLUDED_
#define _NGX_REALTIME_LOCATION_H_INCLUDED_


#include "ngx_realtime.h"


/* realtime_socket [echo=engine | echo=socketio] */
char *ngx_realtime_location_socket(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* realtime_chat */
char *ngx_realtime_location_chat(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* realtime_notifications */
char *ngx_realtime_location_notifications(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
/* realtime_api */
char *ngx_realtime_location_api(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* realtime_status [json | prometheus] */
char *ngx_realtime_location_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* when the configuration is merged: first what is inherited, then whether
   what is served has what it needs */
void ngx_realtime_location_merge(ngx_conf_t *cf,
    ngx_realtime_loc_conf_t *prev, ngx_realtime_loc_conf_t *conf);
char *ngx_realtime_location_check(ngx_conf_t *cf,
    ngx_realtime_loc_conf_t *conf);


#endif /* _NGX_REALTIME_LOCATION_H_INCLUDED_ */
