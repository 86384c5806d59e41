
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_counter.h"
#include "ngx_realtime_event.h"
#include "ngx_realtime_expiry.h"
#include "ngx_realtime_slot.h"
#include "rt_json.h"


static ngx_realtime_refusal_e ngx_realtime_event_auth_verify(
    ngx_realtime_socket_t *sk, rt_str_t value, ngx_realtime_call_t *call,
    ngx_realtime_identity_t *id);


/* {token}: as that of CONNECT, of the user that the socket has already */

ngx_realtime_refusal_e
ngx_realtime_event_auth_refresh(ngx_realtime_socket_t *sk, rt_str_t arg,
    ngx_realtime_call_t *call)
{
    u_char                   *p;
    rt_str_t                  value;
    ngx_realtime_refusal_e    why;
    ngx_realtime_identity_t   id;

    static const char        *const names[] = { "token" };

    rt_json_members(arg, names, &value, 1);

    why = ngx_realtime_event_auth_verify(sk, value, call, &id);

    if (why == NGX_REALTIME_R_INTERNAL) {
        return why;
    }

    if (why != NGX_REALTIME_R_NONE) {
        ngx_realtime_count(auth_refused);
        return why;
    }

    p = ngx_pnalloc(call->pool, NGX_REALTIME_EXPIRY_JSON_LEN);
    if (p == NULL) {
        return NGX_REALTIME_R_INTERNAL;
    }

    call->result.data = p;
    call->result.len = ngx_realtime_expiry_json(p, id.expires) - p;

    ngx_realtime_count(auth_refreshes);
    ngx_log_error(NGX_LOG_INFO, ngx_realtime_session_log(sk->session), 0,
                  "realtime: token renewed, user: \"%V\", socket: \"%V\", "
                  "slot: %i", &sk->identity.user, &sk->id, ngx_realtime_slot);

    ngx_realtime_expiry_renew(sk, &id);
    ngx_realtime_call_done(call);

    return NGX_REALTIME_R_NONE;
}


static ngx_realtime_refusal_e
ngx_realtime_event_auth_verify(ngx_realtime_socket_t *sk, rt_str_t value,
    ngx_realtime_call_t *call, ngx_realtime_identity_t *id)
{
    rt_str_t                 text;
    ngx_int_t                rc;
    ngx_str_t                token;
    ngx_realtime_refusal_e   why;

    if (value.data == NULL || rt_json_type(value) == 'n') {
        return NGX_REALTIME_R_TOKEN_MISSING;
    }

    if (rt_json_string((uint8_t *) value.data, value.len, &text) != RT_OK) {
        call->detail = "the token is no string";
        return NGX_REALTIME_R_TOKEN_INVALID;
    }

    if (text.len == 0) {
        return NGX_REALTIME_R_TOKEN_MISSING;
    }

    token.data = (u_char *) text.data;
    token.len = text.len;

    rc = ngx_realtime_auth_verify(sk->session->conf->auth, &token, call->pool,
                                  ngx_realtime_session_log(sk->session), id,
                                  &why, &call->detail);
    if (rc == NGX_ERROR) {
        return NGX_REALTIME_R_INTERNAL;
    }

    if (rc == NGX_DECLINED) {
        return why;
    }

    if (id->user.len != sk->identity.user.len
        || ngx_memcmp(id->user.data, sk->identity.user.data, id->user.len)
           != 0)
    {
        call->detail = "the token names another user";
        return NGX_REALTIME_R_TOKEN_PAYLOAD;
    }

    return NGX_REALTIME_R_NONE;
}
