
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * What every layer above proto/ may rely on: nginx itself, the configuration
 * of the module and the handful of types that travel between layers.
 *
 * The layers and who may include whom are drawn in README.md, "How it is
 * built"; tools/layers checks them.
 */

#ifndef _NGX_REALTIME_H_INCLUDED_
#define _NGX_REALTIME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


#define NGX_REALTIME_VERSION       "0.1.0"

#define NGX_REALTIME_SID_LEN       20     /* base64url of 15 random bytes */
#define NGX_REALTIME_USER_MAX      128    /* bytes of a user id */
#define NGX_REALTIME_UUID_LEN      36
#define NGX_REALTIME_JTI_LEN       16     /* bytes of a digest of the claim */


typedef struct ngx_realtime_auth_conf_s  ngx_realtime_auth_conf_t;
typedef struct ngx_realtime_pg_conf_s    ngx_realtime_pg_conf_t;
typedef struct ngx_realtime_rates_s      ngx_realtime_rates_t;


/* http level: one per cycle */

typedef struct {
    ngx_shm_zone_t            *zone;        /* NULL: no realtime_zone */
    ngx_realtime_pg_conf_t    *database;    /* NULL: no realtime_database */

    ngx_str_t                  users_table;   /* as written: schema.table */
    ngx_str_t                  users_column;  /* its uuid column */
    const char                *create_sql;    /* chat's, made of these two */
    const char                *people_sql;    /* likewise */

    ngx_msec_t                 drain_timeout;
    time_t                     presence_grace;    /* s */
    ngx_uint_t                 recovers;      /* some location does */
} ngx_realtime_main_conf_t;


/* location level */

typedef struct {
    ngx_realtime_auth_conf_t  *auth;        /* keys, claims, token sources */

    ngx_msec_t                 ping_interval;
    ngx_msec_t                 ping_timeout;
    ngx_msec_t                 connect_timeout;  /* to the first CONNECT */
    size_t                     max_payload;      /* bytes of one packet */
    size_t                     send_limit;       /* bytes queued to a client */

    ngx_flag_t                 compression;      /* permessage-deflate */
    size_t                     compression_threshold;  /* bytes of a packet */

    ngx_msec_t                 upgrade_timeout;  /* of a probing WebSocket */
    ngx_msec_t                 recovery;         /* how long a socket may come
                                                    back; 0: never */
    ngx_msec_t                 auth_expiring;    /* before exp; 0: no word */

    ngx_int_t                  max_connections;  /* of a user; 0: any */
    ngx_realtime_rates_t      *rates;            /* NULL: none */

    ngx_array_t               *namespaces;  /* of ngx_str_t; "/" is always
                                               there; NULL: no other */
    ngx_uint_t                 echo;        /* NGX_REALTIME_ECHO_* */
    ngx_flag_t                 relay;       /* realtime_message_relay */

    time_t                     revocation_time;  /* s a revocation is kept
                                                    that has no expiresAt */

    ngx_uint_t                 serves;      /* NGX_REALTIME_SERVES_* */
} ngx_realtime_loc_conf_t;


/*
 * A location serves the socket, the chat routes, the routes for back ends or
 * the status page.  Within a location that serves the socket, "realtime_chat"
 * adds the chat events, and "realtime_notifications" those of notifications.
 */

#define NGX_REALTIME_SERVES_SOCKET  0x01
#define NGX_REALTIME_SERVES_CHAT    0x02
#define NGX_REALTIME_SERVES_STATUS  0x04
#define NGX_REALTIME_SERVES_API     0x08
#define NGX_REALTIME_SERVES_NOTIFICATIONS  0x10

/* routes of users */
#define NGX_REALTIME_SERVES_REST                                              \
    (NGX_REALTIME_SERVES_CHAT|NGX_REALTIME_SERVES_NOTIFICATIONS)


/* "realtime_socket echo=...": the test aid of the public conformance suites */

#define NGX_REALTIME_ECHO_ENGINE    1      /* Engine.IO messages come back */
#define NGX_REALTIME_ECHO_SOCKETIO  2      /* message, message-with-ack */


/*
 * Who is calling: the outcome of a verified token.  The strings belong to
 * the pool or the socket that the identity was made for.
 */

typedef struct {
    ngx_str_t                  user;        /* 1 to NGX_REALTIME_USER_MAX */
    time_t                     expires;     /* exp, seconds; 0: no exp */
    time_t                     issued;      /* iat, seconds; 0: no iat */
    unsigned                   notifies:1;  /* by a role of the token: may
                                               send notifications */
    u_char                     jti[NGX_REALTIME_JTI_LEN];  /* zeros: none */
} ngx_realtime_identity_t;


extern ngx_module_t  ngx_realtime_module;
extern ngx_module_t  ngx_realtime_envelope_module;


#define ngx_realtime_string_eq(s, lit)                                        \
    ((s)->len == sizeof(lit) - 1                                              \
     && ngx_memcmp((s)->data, lit, sizeof(lit) - 1) == 0)


#endif /* _NGX_REALTIME_H_INCLUDED_ */
