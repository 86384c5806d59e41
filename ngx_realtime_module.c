
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The table of contents: directives, the module, its life in a worker.
 *
 *   configuration   directives below, each belongs to the layer it names
 *   master          zone init: core/ zone, bus/ eventfds, room/ directory
 *                   and history, session/ records
 *   worker starts   slot -> bus -> rooms and sessions -> Postgres -> live
 *   worker exits    drain (session/), then the same backwards
 *
 * No logic here: every handler is a layer's.
 */


#include "ngx_realtime.h"
#include "ngx_realtime_age.h"
#include "ngx_realtime_auth.h"
#include "ngx_realtime_bus.h"
#include "ngx_realtime_chat.h"
#include "ngx_realtime_chat_flight.h"
#include "ngx_realtime_chat_jobs.h"
#include "ngx_realtime_chat_presence.h"
#include "ngx_realtime_chat_typing.h"
#include "ngx_realtime_envelope.h"
#include "ngx_realtime_event.h"
#include "ngx_realtime_history.h"
#include "ngx_realtime_location.h"
#include "ngx_realtime_origin.h"
#include "ngx_realtime_partner.h"
#include "ngx_realtime_pg.h"
#include "ngx_realtime_poll.h"
#include "ngx_realtime_presence.h"
#include "ngx_realtime_rate.h"
#include "ngx_realtime_recovery.h"
#include "ngx_realtime_revoke.h"
#include "ngx_realtime_room_zone.h"
#include "ngx_realtime_session.h"
#include "ngx_realtime_slot.h"
#include "ngx_realtime_upgrade.h"
#include "ngx_realtime_version.h"
#include "ngx_realtime_ws.h"


static char *ngx_realtime_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_realtime_time_or_off(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_realtime_not_zero(ngx_conf_t *cf, void *post, void *data);
static char *ngx_realtime_a_second(ngx_conf_t *cf, void *post, void *data);

static ngx_int_t ngx_realtime_add_variables(ngx_conf_t *cf);
static ngx_int_t ngx_realtime_slot_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);

static void *ngx_realtime_create_main_conf(ngx_conf_t *cf);
static char *ngx_realtime_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_realtime_create_loc_conf(ngx_conf_t *cf);
static char *ngx_realtime_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);

static ngx_int_t ngx_realtime_init_process(ngx_cycle_t *cycle);
static void ngx_realtime_forget_slot(ngx_uint_t slot);
static void ngx_realtime_exit_process(ngx_cycle_t *cycle);


static ngx_conf_post_t  ngx_realtime_not_zero_post = {
    ngx_realtime_not_zero
};


static ngx_conf_post_t  ngx_realtime_a_second_post = {
    ngx_realtime_a_second
};


#define NGX_REALTIME_ANY_CONF                                                 \
    NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF


static ngx_command_t  ngx_realtime_commands[] = {

    /* http */

    { ngx_string("realtime_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE2,
      ngx_realtime_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("realtime_database"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_realtime_pg_directive,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("realtime_users"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_realtime_chat_users,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("realtime_presence_grace"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_realtime_main_conf_t, presence_grace),
      NULL },

    { ngx_string("realtime_drain_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_realtime_main_conf_t, drain_timeout),
      NULL },

    /* who may come: auth/ */

    { ngx_string("realtime_jwt_key"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_TAKE23,
      ngx_realtime_auth_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("realtime_jwt_user_claim"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_1MORE,
      ngx_realtime_auth_claim,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("realtime_jwt_require"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_1MORE,
      ngx_realtime_auth_require,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("realtime_token_source"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_1MORE,
      ngx_realtime_auth_source,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("realtime_allowed_origins"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_1MORE,
      ngx_realtime_origin_allow,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("realtime_auth_expiring"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_TAKE1,
      ngx_realtime_time_or_off,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_realtime_loc_conf_t, auth_expiring),
      NULL },

    { ngx_string("realtime_api_key"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_TAKE23,
      ngx_realtime_auth_api_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("realtime_notify_roles"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_1MORE,
      ngx_realtime_auth_notify_roles,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("realtime_api_role"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_TAKE12,
      ngx_realtime_auth_api_role,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("realtime_api_access"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_TAKE1,
      ngx_realtime_auth_api_access,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("realtime_revocation_time"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_realtime_loc_conf_t, revocation_time),
      &ngx_realtime_not_zero_post },

    /* what a location serves */

    { ngx_string("realtime_socket"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_realtime_location_socket,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("realtime_chat"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_realtime_location_chat,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("realtime_api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_realtime_location_api,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("realtime_notifications"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_realtime_location_notifications,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("realtime_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_realtime_location_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    /* how it serves it */

    { ngx_string("realtime_namespaces"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_1MORE,
      ngx_realtime_socket_namespaces,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("realtime_upgrade_timeout"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_realtime_loc_conf_t, upgrade_timeout),
      &ngx_realtime_not_zero_post },

    { ngx_string("realtime_recovery"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_TAKE1,
      ngx_realtime_time_or_off,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_realtime_loc_conf_t, recovery),
      &ngx_realtime_a_second_post },

    { ngx_string("realtime_ping_interval"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_realtime_loc_conf_t, ping_interval),
      &ngx_realtime_not_zero_post },

    { ngx_string("realtime_ping_timeout"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_realtime_loc_conf_t, ping_timeout),
      &ngx_realtime_not_zero_post },

    { ngx_string("realtime_connect_timeout"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_realtime_loc_conf_t, connect_timeout),
      &ngx_realtime_not_zero_post },

    { ngx_string("realtime_max_payload"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_realtime_loc_conf_t, max_payload),
      &ngx_realtime_not_zero_post },

    { ngx_string("realtime_send_limit"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_realtime_loc_conf_t, send_limit),
      &ngx_realtime_not_zero_post },

    { ngx_string("realtime_compression"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_realtime_loc_conf_t, compression),
      NULL },

    { ngx_string("realtime_compression_threshold"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_realtime_loc_conf_t, compression_threshold),
      NULL },

    { ngx_string("realtime_max_connections_per_user"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_realtime_loc_conf_t, max_connections),
      NULL },

    { ngx_string("realtime_event_rate"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_1MORE,
      ngx_realtime_rate_directive,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("realtime_message_relay"),
      NGX_REALTIME_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_realtime_loc_conf_t, relay),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_realtime_module_ctx = {
    ngx_realtime_add_variables,            /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_realtime_create_main_conf,         /* create main configuration */
    ngx_realtime_init_main_conf,           /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_realtime_create_loc_conf,          /* create location configuration */
    ngx_realtime_merge_loc_conf            /* merge location configuration */
};


ngx_module_t  ngx_realtime_module = {
    NGX_MODULE_V1,
    &ngx_realtime_module_ctx,              /* module context */
    ngx_realtime_commands,                 /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_realtime_init_process,             /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_realtime_exit_process,             /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/*
 * Filters have to come behind those of nginx, or they are forgotten: where
 * the module is built in, a module of the type HTTP comes before them.
 */

static ngx_http_module_t  ngx_realtime_envelope_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_realtime_envelope_init,            /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_realtime_envelope_module = {
    NGX_MODULE_V1,
    &ngx_realtime_envelope_module_ctx,     /* module context */
    NULL,                                  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_realtime_zone_part_pt  ngx_realtime_zone_parts[] = {
    ngx_realtime_bus_create,
    ngx_realtime_room_create_zone,
    ngx_realtime_history_create,
    ngx_realtime_recovery_create,
    ngx_realtime_chat_flight_create,
    ngx_realtime_chat_jobs_create,
    ngx_realtime_version_create,
    ngx_realtime_presence_create,
    ngx_realtime_partner_create,
    ngx_realtime_rate_create,
    ngx_realtime_revoke_create,
    NULL
};


static ngx_http_variable_t  ngx_realtime_variables[] = {

    { ngx_string("realtime_slot"), NULL, ngx_realtime_slot_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


static char *
ngx_realtime_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_realtime_zone_directive(cf, conf, ngx_realtime_zone_parts,
                                       &ngx_realtime_bus_keeper);
}


static char *
ngx_realtime_time_or_off(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t   *value;
    ngx_msec_t  *time;

    value = cf->args->elts;
    time = (ngx_msec_t *) ((char *) conf + cmd->offset);

    if (!ngx_realtime_string_eq(&value[1], "off")) {
        return ngx_conf_set_msec_slot(cf, cmd, conf);
    }

    if (*time != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    *time = 0;

    return NGX_CONF_OK;
}


static char *
ngx_realtime_not_zero(ngx_conf_t *cf, void *post, void *data)
{
    size_t  *value = data;

    return *value ? NGX_CONF_OK : "must be more than 0";
}


static char *
ngx_realtime_a_second(ngx_conf_t *cf, void *post, void *data)
{
    ngx_msec_t  *time = data;

    return *time < 1000 ? "must be a second at least, or \"off\""
                        : NGX_CONF_OK;
}


static ngx_int_t
ngx_realtime_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_realtime_variables; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_realtime_slot_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    if (ngx_realtime_slot == -1) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    v->len = ngx_sprintf(v->data, "%i", ngx_realtime_slot) - v->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static void *
ngx_realtime_create_main_conf(ngx_conf_t *cf)
{
    ngx_realtime_main_conf_t  *rmcf;

    rmcf = ngx_pcalloc(cf->pool, sizeof(ngx_realtime_main_conf_t));
    if (rmcf == NULL) {
        return NULL;
    }

    rmcf->drain_timeout = NGX_CONF_UNSET_MSEC;
    rmcf->presence_grace = NGX_CONF_UNSET;

    return rmcf;
}


static char *
ngx_realtime_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_realtime_main_conf_t  *rmcf = conf;

    ngx_conf_init_msec_value(rmcf->drain_timeout, 30000);
    ngx_conf_init_value(rmcf->presence_grace, 10);

    if (rmcf->users_table.data == NULL) {
        ngx_str_set(&rmcf->users_table, "users");
    }

    if (rmcf->users_column.data == NULL) {
        ngx_str_set(&rmcf->users_column, "id");
    }

    if (rmcf->database && ngx_realtime_chat_init(cf, rmcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static void *
ngx_realtime_create_loc_conf(ngx_conf_t *cf)
{
    ngx_realtime_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_realtime_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->auth = ngx_realtime_auth_create_conf(cf);
    if (conf->auth == NULL) {
        return NULL;
    }

    conf->ping_interval = NGX_CONF_UNSET_MSEC;
    conf->ping_timeout = NGX_CONF_UNSET_MSEC;
    conf->connect_timeout = NGX_CONF_UNSET_MSEC;
    conf->upgrade_timeout = NGX_CONF_UNSET_MSEC;
    conf->recovery = NGX_CONF_UNSET_MSEC;
    conf->auth_expiring = NGX_CONF_UNSET_MSEC;
    conf->max_payload = NGX_CONF_UNSET_SIZE;
    conf->send_limit = NGX_CONF_UNSET_SIZE;
    conf->compression = NGX_CONF_UNSET;
    conf->compression_threshold = NGX_CONF_UNSET_SIZE;
    conf->relay = NGX_CONF_UNSET;
    conf->revocation_time = NGX_CONF_UNSET;
    conf->max_connections = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_realtime_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_realtime_loc_conf_t  *prev = parent;
    ngx_realtime_loc_conf_t  *conf = child;

    char  *rv;

    rv = ngx_realtime_auth_merge_conf(cf, prev->auth, conf->auth);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    ngx_conf_merge_msec_value(conf->ping_interval, prev->ping_interval, 25000);
    ngx_conf_merge_msec_value(conf->ping_timeout, prev->ping_timeout, 20000);
    ngx_conf_merge_msec_value(conf->connect_timeout, prev->connect_timeout,
                              45000);
    ngx_conf_merge_msec_value(conf->upgrade_timeout, prev->upgrade_timeout,
                              10000);
    ngx_conf_merge_msec_value(conf->recovery, prev->recovery, 120000);
    ngx_conf_merge_msec_value(conf->auth_expiring, prev->auth_expiring,
                              60000);

    if (conf->namespaces == NULL) {
        conf->namespaces = prev->namespaces;
    }

    ngx_conf_merge_size_value(conf->max_payload, prev->max_payload, 1000000);
    ngx_conf_merge_size_value(conf->send_limit, prev->send_limit, 1048576);
    ngx_conf_merge_value(conf->compression, prev->compression, 0);
    ngx_conf_merge_size_value(conf->compression_threshold,
                              prev->compression_threshold, 1024);
    ngx_conf_merge_value(conf->relay, prev->relay, 0);
    ngx_conf_merge_sec_value(conf->revocation_time, prev->revocation_time,
                             30 * 24 * 3600);
    ngx_conf_merge_value(conf->max_connections, prev->max_connections, 20);

    if (conf->rates == NULL) {
        conf->rates = prev->rates;
    }

    ngx_realtime_location_merge(cf, prev, conf);

    return ngx_realtime_location_check(cf, conf);
}


static ngx_int_t
ngx_realtime_init_process(ngx_cycle_t *cycle)
{
    ngx_realtime_main_conf_t  *rmcf;

    /* cache managers call this too */

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    rmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_realtime_module);

    if (rmcf == NULL || rmcf->zone == NULL) {
        return NGX_OK;
    }

    /* hash tables of JSON objects: an unguessable seed per worker */
    json_object_seed(0);

    ngx_realtime_zone_attach(rmcf->zone);

    if (ngx_realtime_slot_attach(cycle, ngx_realtime_forget_slot) != NGX_OK) {
        return NGX_OK;
    }

    ngx_realtime_ws_init(cycle);

    if (ngx_realtime_age_init(cycle) != NGX_OK
        || ngx_realtime_bus_init(cycle) != NGX_OK
        || ngx_realtime_history_init(cycle) != NGX_OK
        || ngx_realtime_recovery_init(cycle, rmcf->recovers) != NGX_OK
        || ngx_realtime_presence_init(cycle, rmcf->presence_grace) != NGX_OK
        || ngx_realtime_session_init(cycle, &ngx_realtime_event_ops)
           != NGX_OK
        || ngx_realtime_poll_init(cycle) != NGX_OK
        || ngx_realtime_upgrade_init(cycle) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_realtime_bus_on_gap(ngx_realtime_session_close_all);
    ngx_realtime_chat_typing_init();
    ngx_realtime_chat_presence_init();
    ngx_realtime_event_notify_init();

    if (rmcf->database) {
        ngx_realtime_chat_start(rmcf);
        ngx_realtime_chat_jobs_init(cycle);

        if (ngx_realtime_pg_init(cycle, rmcf->database) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    ngx_realtime_slot_live();

    return NGX_OK;
}


/* its worker is gone: called with the slab mutex held */

static void
ngx_realtime_forget_slot(ngx_uint_t slot)
{
    ngx_realtime_room_forget_slot(slot);
    ngx_realtime_history_forget_slot(slot);
    ngx_realtime_recovery_forget_slot(slot);
    ngx_realtime_presence_forget_slot(slot);
}


static void
ngx_realtime_exit_process(ngx_cycle_t *cycle)
{
    if (ngx_realtime_slot == -1) {
        return;
    }

    ngx_realtime_chat_jobs_exit();
    ngx_realtime_pg_exit(cycle);
    ngx_realtime_bus_exit(cycle);
    ngx_realtime_slot_detach();
}
