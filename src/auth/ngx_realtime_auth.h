
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Tokens: where they are found, which key verifies them, whom they name.
 *
 * A key is configured together with its algorithm, and a token must name
 * exactly that algorithm before any of its bytes reach a verifier: "none",
 * and an HMAC made with a public key, are refused by comparison, not by luck
 * (RFC 8725, 3.1).  exp, nbf, iss and aud are checked here; libjwt 1.10
 * checks none of them.
 */

#ifndef _NGX_REALTIME_AUTH_H_INCLUDED_
#define _NGX_REALTIME_AUTH_H_INCLUDED_


#include "ngx_realtime.h"
#include "ngx_realtime_refusal.h"
#include "ngx_realtime_jwt.h"


typedef struct {
    const ngx_realtime_jwt_alg_t  *alg;
    ngx_str_t                      kid;      /* len 0: any or no kid */
    ngx_str_t                      secret;   /* HS: raw bytes */
    void                          *pkey;     /* RS, PS, ES, EdDSA: EVP_PKEY */
} ngx_realtime_auth_key_t;


typedef struct ngx_realtime_origins_s  ngx_realtime_origins_t;


#define NGX_REALTIME_TOKEN_AUTH    1       /* CONNECT payload auth.token */
#define NGX_REALTIME_TOKEN_COOKIE  2
#define NGX_REALTIME_TOKEN_BEARER  3
#define NGX_REALTIME_TOKEN_QUERY   4       /* only if a directive says so */


/* who may use "realtime_api" */

#define NGX_REALTIME_ACCESS_TOKEN  1       /* a service, by its token */
#define NGX_REALTIME_ACCESS_NGINX  2       /* whom nginx lets in */


struct ngx_realtime_auth_conf_s {
    ngx_array_t               *keys;       /* ngx_realtime_auth_key_t */
    ngx_array_t               *api_keys;   /* the same, of services */
    ngx_str_t                  api_role;   /* len 0: no role makes one */
    ngx_str_t                  api_claim;  /* that has the role */
    ngx_array_t               *notify_roles;  /* ngx_str_t; who may send
                                              notifications; NULL: nobody */
    ngx_str_t                  notify_claim;  /* that has them */
    ngx_uint_t                 api_access; /* NGX_REALTIME_ACCESS_* */
    ngx_array_t               *claims;     /* ngx_str_t; default id, sub */
    ngx_str_t                  issuer;     /* len 0: not checked */
    ngx_str_t                  audience;   /* len 0: not checked */
    time_t                     leeway;     /* seconds, default 5 */
    ngx_flag_t                 exp_required;

    ngx_uint_t                 sources[4]; /* NGX_REALTIME_TOKEN_*, in order,
                                              0-terminated if shorter */
    ngx_uint_t                 nsources;
    ngx_str_t                  cookie;     /* default accessToken */
    ngx_str_t                  query;      /* default token */

    ngx_realtime_origins_t    *origins;    /* NULL: the own origin only */
};


/*
 * Verifies token.  NGX_OK: *id is filled, id->user is allocated from pool.
 * NGX_DECLINED: *why is set (TOKEN_INVALID or TOKEN_PAYLOAD) and *detail is
 * a static string for the log.  NGX_ERROR: no memory.
 */

ngx_int_t ngx_realtime_auth_verify(ngx_realtime_auth_conf_t *conf,
    ngx_str_t *token, ngx_pool_t *pool, ngx_log_t *log,
    ngx_realtime_identity_t *id, ngx_realtime_refusal_e *why,
    const char **detail);

/*
 * The same for a service: its token is made with a key of realtime_api_key,
 * or is an ordinary one with the role of realtime_api_role.
 */

ngx_int_t ngx_realtime_auth_verify_service(ngx_realtime_auth_conf_t *conf,
    ngx_str_t *token, ngx_pool_t *pool, ngx_log_t *log,
    ngx_realtime_identity_t *id, const char **detail);

/* NGX_OK: the request has an "Authorization: Bearer" */
ngx_int_t ngx_realtime_auth_token_bearer(ngx_http_request_t *r,
    ngx_str_t *token);

/*
 * The token of a request, by the configured order of sources without "auth",
 * and without the cookie if everybody can have the request's origin.
 * Returns NGX_REALTIME_TOKEN_* of the source, or 0 when there is none.
 * "Authorization: Bearer" is matched without regard to case (RFC 6750).
 */

ngx_uint_t ngx_realtime_auth_token(ngx_realtime_auth_conf_t *conf,
    ngx_http_request_t *r, ngx_str_t *token);

/* configuration: create, merge (prev may be NULL), directives */

ngx_realtime_auth_conf_t *ngx_realtime_auth_create_conf(ngx_conf_t *cf);
char *ngx_realtime_auth_merge_conf(ngx_conf_t *cf,
    ngx_realtime_auth_conf_t *prev, ngx_realtime_auth_conf_t *conf);

/* realtime_jwt_key ALG file:PATH|secret:TEXT [kid=ID] */
char *ngx_realtime_auth_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* realtime_jwt_user_claim NAME ... */
char *ngx_realtime_auth_claim(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* realtime_jwt_require [iss=TEXT] [aud=TEXT] [exp=required] [leeway=TIME] */
char *ngx_realtime_auth_require(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* realtime_token_source auth | cookie[=NAME] | bearer | query[=NAME] ... */
char *ngx_realtime_auth_source(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* realtime_api_key ALG file:PATH|secret:TEXT [kid=ID] */
char *ngx_realtime_auth_api_key(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* realtime_api_role NAME [claim=NAME] */
char *ngx_realtime_auth_api_role(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* realtime_notify_roles ROLE ... [claim=NAME] */
char *ngx_realtime_auth_notify_roles(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* realtime_api_access token | nginx */
char *ngx_realtime_auth_api_access(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* private to auth/: whether word begins with prefix, and what follows it */
ngx_uint_t ngx_realtime_auth_after(ngx_str_t *word, const char *prefix,
    ngx_str_t *rest);


#endif /* _NGX_REALTIME_AUTH_H_INCLUDED_ */
