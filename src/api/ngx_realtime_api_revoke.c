
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * POST /tokens/revoke: the tokens of a user, or of everybody, that were issued
 * before a moment, or one token by its "jti".  First the table of the zone,
 * which refuses them from then on; then the sockets that have one.
 *
 * "iat" is in whole seconds.  So without "before" the tokens of this second
 * are void too: nobody can tell those of its first half.
 */


#include "ngx_realtime_api.h"
#include "ngx_realtime_counter.h"
#include "ngx_realtime_people.h"
#include "rt_json.h"


#define NGX_REALTIME_API_JTI_MAX   1024     /* bytes */
#define NGX_REALTIME_API_AHEAD     60       /* s, a clock of a back end */
#define NGX_REALTIME_API_KEEP_MAX  (10 * 365 * 86400)   /* s */


static ngx_realtime_refusal_e ngx_realtime_api_revoke_parse(
    ngx_realtime_rest_t *rest, ngx_realtime_revoke_t *revoke);
static ngx_realtime_refusal_e ngx_realtime_api_revoke_whom(
    ngx_realtime_revoke_t *revoke, rt_str_t user, rt_str_t jti,
    ngx_uint_t before);
static ngx_int_t ngx_realtime_api_revoke_time(rt_str_t value, int64_t *at);


void
ngx_realtime_api_revoke(ngx_realtime_rest_t *rest, ngx_realtime_call_t *call)
{
    ngx_realtime_revoke_t    revoke;
    ngx_realtime_refusal_e   why;

    why = ngx_realtime_api_revoke_parse(rest, &revoke);

    if (why != NGX_REALTIME_R_NONE) {
        ngx_realtime_call_refuse(call, why);
        return;
    }

    if (ngx_realtime_revoke_add(&revoke) != NGX_OK) {
        ngx_realtime_count(revocations_full);
        ngx_log_error(NGX_LOG_ERR, call->log, 0,
                      "realtime: a revocation was refused: the zone has no "
                      "room for it");
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_REVOCATIONS_FULL);
        return;
    }

    ngx_realtime_count(revocations);
    ngx_realtime_people_revoke(&revoke);

    ngx_str_set(&call->message, "Revoked");
    ngx_realtime_call_done(call);
}


static ngx_realtime_refusal_e
ngx_realtime_api_revoke_parse(ngx_realtime_rest_t *rest,
    ngx_realtime_revoke_t *revoke)
{
    time_t                    now;
    rt_str_t                  values[4];
    ngx_int_t                 before, expires;
    ngx_realtime_loc_conf_t  *rlcf;

    static const char  *const names[] = {
        "userId", "jti", "before", "expiresAt"
    };

    rlcf = ngx_http_get_module_loc_conf(rest->request, ngx_realtime_module);
    now = ngx_time();

    ngx_memzero(revoke, sizeof(ngx_realtime_revoke_t));

    ngx_realtime_api_members(rest, names, values, 4);

    revoke->before = now + 1;
    revoke->until = now + rlcf->revocation_time;

    before = ngx_realtime_api_revoke_time(values[2], &revoke->before);

    if (before == NGX_ERROR
        || revoke->before > now + NGX_REALTIME_API_AHEAD)
    {
        return NGX_REALTIME_R_BEFORE_INVALID;
    }

    expires = ngx_realtime_api_revoke_time(values[3], &revoke->until);

    if (expires == NGX_ERROR || revoke->until <= now
        || revoke->until > now + NGX_REALTIME_API_KEEP_MAX)
    {
        return NGX_REALTIME_R_EXPIRES_INVALID;
    }

    return ngx_realtime_api_revoke_whom(revoke, values[0], values[1],
                                        before == NGX_OK);
}


static ngx_realtime_refusal_e
ngx_realtime_api_revoke_whom(ngx_realtime_revoke_t *revoke, rt_str_t user,
    rt_str_t jti, ngx_uint_t before)
{
    ngx_str_t  name, id;

    ngx_str_null(&name);
    ngx_str_null(&id);

    if (!ngx_realtime_api_string(user, &name)
        || (name.data && !ngx_realtime_api_is_user(&name)))
    {
        return NGX_REALTIME_R_USER_INVALID;
    }

    if (!ngx_realtime_api_string(jti, &id)
        || (id.data && (id.len == 0 || id.len > NGX_REALTIME_API_JTI_MAX))
        || (id.data && name.data))
    {
        return NGX_REALTIME_R_REVOKE_INVALID;
    }

    if (name.data) {
        revoke->kind = NGX_REALTIME_REVOKE_USER;
        ngx_realtime_revoke_key(revoke->kind, &name, revoke->key);
        return NGX_REALTIME_R_NONE;
    }

    if (id.data) {
        revoke->kind = NGX_REALTIME_REVOKE_JTI;
        ngx_realtime_revoke_key(revoke->kind, &id, revoke->key);
        return NGX_REALTIME_R_NONE;
    }

    /* an empty body must not log everybody out */

    revoke->kind = NGX_REALTIME_REVOKE_ALL;

    return before ? NGX_REALTIME_R_NONE : NGX_REALTIME_R_REVOKE_INVALID;
}


/* NGX_DECLINED: not given, *at stays; NGX_ERROR: no time */

static ngx_int_t
ngx_realtime_api_revoke_time(rt_str_t value, int64_t *at)
{
    int64_t    ms;
    ngx_int_t  rc;

    rc = ngx_realtime_api_time(value, &ms);

    if (rc == NGX_OK) {
        *at = (ms + 999) / 1000;
    }

    return rc;
}
