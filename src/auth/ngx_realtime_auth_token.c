
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Where a request carries its token.  The first source that has something
 * decides, also when what it has turns out to be worthless: a bad cookie is
 * not excused by a good header.
 */

#include "ngx_realtime_auth.h"
#include "ngx_realtime_origin.h"


static ngx_int_t ngx_realtime_auth_token_cookie(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *token);
static ngx_int_t ngx_realtime_auth_token_pair(ngx_str_t *header,
    ngx_str_t *name, ngx_str_t *token);
static ngx_int_t ngx_realtime_auth_token_query(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *token);


ngx_uint_t
ngx_realtime_auth_token(ngx_realtime_auth_conf_t *conf,
    ngx_http_request_t *r, ngx_str_t *token)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    for (i = 0; i < conf->nsources; i++) {

        switch (conf->sources[i]) {

        case NGX_REALTIME_TOKEN_COOKIE:
            rc = ngx_realtime_auth_token_cookie(r, &conf->cookie, token);

            if (rc == NGX_OK
                && ngx_realtime_origin_check(r, conf)
                   == NGX_REALTIME_ORIGIN_ANY)
            {
                rc = NGX_DECLINED;
            }

            break;

        case NGX_REALTIME_TOKEN_BEARER:
            rc = ngx_realtime_auth_token_bearer(r, token);
            break;

        case NGX_REALTIME_TOKEN_QUERY:
            rc = ngx_realtime_auth_token_query(r, &conf->query, token);
            break;

        default: /* NGX_REALTIME_TOKEN_AUTH: not in the request */
            rc = NGX_DECLINED;
            break;
        }

        if (rc == NGX_OK) {
            return conf->sources[i];
        }
    }

    return 0;
}


/*
 * Not ngx_http_parse_multi_header_lines(): it takes a name in any case, and
 * to a browser "accesstoken" is another cookie.
 */

static ngx_int_t
ngx_realtime_auth_token_cookie(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *token)
{
#if (nginx_version >= 1023000)

    ngx_table_elt_t  *h;

    for (h = r->headers_in.cookie; h; h = h->next) {
        if (ngx_realtime_auth_token_pair(&h->value, name, token) == NGX_OK) {
            return NGX_OK;
        }
    }

#else

    ngx_uint_t         i;
    ngx_table_elt_t  **h;

    h = r->headers_in.cookies.elts;

    for (i = 0; i < r->headers_in.cookies.nelts; i++) {
        if (ngx_realtime_auth_token_pair(&h[i]->value, name, token)
            == NGX_OK)
        {
            return NGX_OK;
        }
    }

#endif

    return NGX_DECLINED;
}


static ngx_int_t
ngx_realtime_auth_token_pair(ngx_str_t *header, ngx_str_t *name,
    ngx_str_t *token)
{
    u_char  *p, *end, *last, *value;

    last = header->data + header->len;

    for (p = header->data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, ';');

        if (end == NULL) {
            end = last;
        }

        while (p < end && *p == ' ') {
            p++;
        }

        value = p + name->len;

        if ((size_t) (end - p) <= name->len || *value != '='
            || ngx_memcmp(p, name->data, name->len) != 0)
        {
            continue;
        }

        token->data = ++value;
        token->len = end - value;

        while (token->len && token->data[token->len - 1] == ' ') {
            token->len--;
        }

        if (token->len >= 2 && token->data[0] == '"'
            && token->data[token->len - 1] == '"')
        {
            token->data++;
            token->len -= 2;
        }

        /* a page that logs out often leaves an empty cookie behind */

        if (token->len) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/*
 * nginx refuses a request with two Authorization headers.  Whatever follows
 * the scheme is the token: two words, or none, are for the verifier to refuse.
 */

ngx_int_t
ngx_realtime_auth_token_bearer(ngx_http_request_t *r, ngx_str_t *token)
{
    u_char           *p, *last;
    ngx_table_elt_t  *h;

    h = r->headers_in.authorization;

    if (h == NULL || h->value.len < sizeof("Bearer") - 1
        || ngx_strncasecmp(h->value.data, (u_char *) "Bearer",
                           sizeof("Bearer") - 1)
           != 0)
    {
        return NGX_DECLINED;
    }

    p = h->value.data + sizeof("Bearer") - 1;
    last = h->value.data + h->value.len;

    if (p < last && *p != ' ') {
        return NGX_DECLINED;
    }

    while (p < last && *p == ' ') {
        p++;
    }

    token->data = p;
    token->len = last - p;

    return NGX_OK;
}


static ngx_int_t
ngx_realtime_auth_token_query(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *token)
{
    if (ngx_http_arg(r, name->data, name->len, token) != NGX_OK
        || token->len == 0)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}
