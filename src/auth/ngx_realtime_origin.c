
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_origin.h"
#include "ngx_realtime_header.h"


#define NGX_REALTIME_ORIGIN_HOST_MAX     255    /* bytes, RFC 1035 */
#define NGX_REALTIME_ORIGIN_HEADERS_MAX  1024   /* bytes that are echoed */


typedef struct {
    ngx_str_t                  scheme;
    ngx_str_t                  host;
    ngx_uint_t                 port;      /* 0: not given, and no default */
} ngx_realtime_origin_t;


typedef struct {
    ngx_realtime_origin_t      origin;    /* without the "*." */
    unsigned                   below:1;   /* only names below the host */
} ngx_realtime_origin_rule_t;


struct ngx_realtime_origins_s {
    ngx_array_t                rules;     /* ngx_realtime_origin_rule_t */
    unsigned                   any:1;     /* "*", and no rules */
    unsigned                   null:1;
};


static ngx_uint_t ngx_realtime_origin_own(ngx_http_request_t *r,
    ngx_realtime_origin_t *origin);
static ngx_uint_t ngx_realtime_origin_listed(ngx_realtime_origins_t *origins,
    ngx_realtime_origin_t *origin);
static ngx_uint_t ngx_realtime_origin_below(ngx_str_t *host,
    ngx_str_t *parent);
static ngx_uint_t ngx_realtime_origin_equal(ngx_realtime_origin_t *one,
    ngx_realtime_origin_t *two);
static ngx_uint_t ngx_realtime_origin_same(ngx_str_t *one, ngx_str_t *two);

static ngx_int_t ngx_realtime_origin_parse(ngx_str_t *text,
    ngx_realtime_origin_t *origin);
static ngx_int_t ngx_realtime_origin_authority(u_char *p, u_char *last,
    ngx_realtime_origin_t *origin);
static u_char *ngx_realtime_origin_name(u_char *p, u_char *last);
static u_char *ngx_realtime_origin_ipv6(u_char *p, u_char *last);
static ngx_uint_t ngx_realtime_origin_port(ngx_str_t *scheme);

static ngx_int_t ngx_realtime_origin_send(ngx_http_request_t *r,
    ngx_realtime_auth_conf_t *conf, ngx_str_t *vary);
static ngx_str_t *ngx_realtime_origin_asked(ngx_http_request_t *r);

static char *ngx_realtime_origin_add(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_realtime_origins_t *origins, ngx_str_t *text);
static char *ngx_realtime_origin_rule(ngx_conf_t *cf,
    ngx_realtime_origin_rule_t *rule, ngx_str_t *text);


static ngx_str_t  ngx_realtime_origin_star = ngx_string("*");
static ngx_str_t  ngx_realtime_origin_true = ngx_string("true");
static ngx_str_t  ngx_realtime_origin_age = ngx_string("600");
static ngx_str_t  ngx_realtime_origin_vary = ngx_string("Origin");
static ngx_str_t  ngx_realtime_origin_vary_preflight =
    ngx_string("Origin, Access-Control-Request-Headers");
static ngx_str_t  ngx_realtime_origin_methods =
    ngx_string("GET,HEAD,PUT,PATCH,POST,DELETE");
static ngx_str_t  ngx_realtime_origin_allowed_headers =
    ngx_string("content-type, authorization, idempotency-key");


ngx_realtime_origin_e
ngx_realtime_origin_check(ngx_http_request_t *r,
    ngx_realtime_auth_conf_t *conf)
{
    ngx_str_t               *text;
    ngx_uint_t               n;
    ngx_realtime_origin_t    origin;
    ngx_realtime_origins_t  *origins;

    text = ngx_realtime_header_in(r, "origin", &n);

    if (text == NULL) {
        return NGX_REALTIME_ORIGIN_NONE;
    }

    /* no browser sends two, and whoever added one need not be believed */

    if (n > 1) {
        return NGX_REALTIME_ORIGIN_FOREIGN;
    }

    origins = conf->origins;

    if (ngx_realtime_origin_parse(text, &origin) == NGX_OK) {

        if (ngx_realtime_origin_own(r, &origin)
            || (origins && ngx_realtime_origin_listed(origins, &origin)))
        {
            return NGX_REALTIME_ORIGIN_TRUSTED;
        }

    } else if (origins && origins->null
               && ngx_realtime_string_eq(text, "null"))
    {
        return NGX_REALTIME_ORIGIN_ANY;
    }

    return (origins && origins->any) ? NGX_REALTIME_ORIGIN_ANY
                                     : NGX_REALTIME_ORIGIN_FOREIGN;
}


static ngx_uint_t
ngx_realtime_origin_own(ngx_http_request_t *r, ngx_realtime_origin_t *origin)
{
    ngx_str_t              host;
    ngx_realtime_origin_t  own;

    /* HTTP/3 may have the name in ":authority" alone */

    if (r->headers_in.host) {
        host = r->headers_in.host->value;

    } else if (r->host_start && r->host_end) {
        host.data = r->host_start;
        host.len = r->host_end - r->host_start;

    } else {
        return 0;
    }

    ngx_str_set(&own.scheme, "http");

#if (NGX_HTTP_SSL)
    if (r->connection->ssl) {
        ngx_str_set(&own.scheme, "https");
    }
#endif

    return ngx_realtime_origin_authority(host.data, host.data + host.len,
                                         &own)
           == NGX_OK
           && ngx_realtime_origin_equal(&own, origin);
}


static ngx_uint_t
ngx_realtime_origin_listed(ngx_realtime_origins_t *origins,
    ngx_realtime_origin_t *origin)
{
    ngx_uint_t                   i;
    ngx_realtime_origin_rule_t  *rule;

    rule = origins->rules.elts;

    for (i = 0; i < origins->rules.nelts; i++) {

        if (!rule[i].below) {
            if (ngx_realtime_origin_equal(&rule[i].origin, origin)) {
                return 1;
            }

            continue;
        }

        if (rule[i].origin.port == origin->port
            && ngx_realtime_origin_same(&rule[i].origin.scheme,
                                        &origin->scheme)
            && ngx_realtime_origin_below(&origin->host,
                                         &rule[i].origin.host))
        {
            return 1;
        }
    }

    return 0;
}


/* both are names without empty labels, so that what is in front has some */

static ngx_uint_t
ngx_realtime_origin_below(ngx_str_t *host, ngx_str_t *parent)
{
    u_char  *p;

    if (host->len < parent->len + 2) {
        return 0;
    }

    p = host->data + host->len - parent->len;

    return p[-1] == '.'
           && ngx_strncasecmp(p, parent->data, parent->len) == 0;
}


static ngx_uint_t
ngx_realtime_origin_equal(ngx_realtime_origin_t *one,
    ngx_realtime_origin_t *two)
{
    return one->port == two->port
           && ngx_realtime_origin_same(&one->scheme, &two->scheme)
           && ngx_realtime_origin_same(&one->host, &two->host);
}


static ngx_uint_t
ngx_realtime_origin_same(ngx_str_t *one, ngx_str_t *two)
{
    return one->len == two->len
           && ngx_strncasecmp(one->data, two->data, one->len) == 0;
}


static ngx_int_t
ngx_realtime_origin_parse(ngx_str_t *text, ngx_realtime_origin_t *origin)
{
    u_char  c, *p, *last;

    last = text->data + text->len;

    for (p = text->data; p < last && *p != ':'; p++) {
        c = *p | 0x20;

        if (!((c >= 'a' && c <= 'z')
              || (p > text->data
                  && ((*p >= '0' && *p <= '9') || *p == '+' || *p == '-'
                      || *p == '.'))))
        {
            return NGX_DECLINED;
        }
    }

    if (p == text->data || last - p < 3 || p[1] != '/' || p[2] != '/') {
        return NGX_DECLINED;
    }

    origin->scheme.data = text->data;
    origin->scheme.len = p - text->data;

    return ngx_realtime_origin_authority(p + 3, last, origin);
}


/* host[:port], to the end; origin->scheme is known */

static ngx_int_t
ngx_realtime_origin_authority(u_char *p, u_char *last,
    ngx_realtime_origin_t *origin)
{
    u_char     *end;
    ngx_int_t   port;

    end = (p < last && *p == '[') ? ngx_realtime_origin_ipv6(p, last)
                                  : ngx_realtime_origin_name(p, last);

    if (end == NULL) {
        return NGX_DECLINED;
    }

    origin->host.data = p;
    origin->host.len = end - p;

    if (end == last) {
        origin->port = ngx_realtime_origin_port(&origin->scheme);
        return NGX_OK;
    }

    if (*end++ != ':' || last - end > 5 || end == last || *end == '0') {
        return NGX_DECLINED;
    }

    port = ngx_atoi(end, last - end);

    if (port < 1 || port > 65535) {
        return NGX_DECLINED;
    }

    origin->port = port;

    return NGX_OK;
}


/*
 * The end of a DNS name or an IPv4 address.  It may have the dot of the root
 * behind it, which makes it another origin.
 */

static u_char *
ngx_realtime_origin_name(u_char *p, u_char *last)
{
    u_char  c, *start;

    start = p;

    for ( /* void */ ; p < last && *p != ':'; p++) {
        c = *p | 0x20;

        if ((c >= 'a' && c <= 'z') || (*p >= '0' && *p <= '9') || *p == '-'
            || *p == '_')
        {
            continue;
        }

        if (*p != '.' || p == start || p[-1] == '.') {
            return NULL;
        }
    }

    if (p == start || p - start > NGX_REALTIME_ORIGIN_HOST_MAX) {
        return NULL;
    }

    return p;
}


static u_char *
ngx_realtime_origin_ipv6(u_char *p, u_char *last)
{
#if (NGX_HAVE_INET6)

    u_char  *end, address[16];

    end = ngx_strlchr(p, last, ']');

    if (end == NULL
        || ngx_inet6_addr(p + 1, end - (p + 1), address) != NGX_OK)
    {
        return NULL;
    }

    return end + 1;

#else

    return NULL;

#endif
}


static ngx_uint_t
ngx_realtime_origin_port(ngx_str_t *scheme)
{
    ngx_str_t  http = ngx_string("http");
    ngx_str_t  https = ngx_string("https");

    if (ngx_realtime_origin_same(scheme, &https)) {
        return 443;
    }

    return ngx_realtime_origin_same(scheme, &http) ? 80 : 0;
}


ngx_int_t
ngx_realtime_origin_headers(ngx_http_request_t *r,
    ngx_realtime_auth_conf_t *conf)
{
    return ngx_realtime_origin_send(r, conf, &ngx_realtime_origin_vary);
}


static ngx_int_t
ngx_realtime_origin_send(ngx_http_request_t *r,
    ngx_realtime_auth_conf_t *conf, ngx_str_t *vary)
{
    ngx_str_t              *value;
    ngx_realtime_origin_e   from;

    from = ngx_realtime_origin_check(r, conf);

    if (from == NGX_REALTIME_ORIGIN_NONE
        || from == NGX_REALTIME_ORIGIN_FOREIGN
        || ngx_realtime_header_is_out(r, "Access-Control-Allow-Origin"))
    {
        return NGX_OK;
    }

    /* "*" is not for requests with credentials: browsers see to that too */

    value = (from == NGX_REALTIME_ORIGIN_ANY && conf->origins->any)
            ? &ngx_realtime_origin_star
            : ngx_realtime_header_in(r, "origin", NULL);

    if (ngx_realtime_header_add(r, "Access-Control-Allow-Origin", value)
        != NGX_OK
        || ngx_realtime_header_add(r, "Vary", vary) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (from == NGX_REALTIME_ORIGIN_ANY) {
        return NGX_OK;
    }

    return ngx_realtime_header_add(r, "Access-Control-Allow-Credentials",
                                   &ngx_realtime_origin_true);
}


ngx_int_t
ngx_realtime_origin_preflight(ngx_http_request_t *r,
    ngx_realtime_auth_conf_t *conf)
{
    ngx_int_t              rc;
    ngx_realtime_origin_e  from;

    if (r->method != NGX_HTTP_OPTIONS
        || ngx_realtime_header_in(r, "access-control-request-method", NULL)
           == NULL)
    {
        return NGX_DECLINED;
    }

    from = ngx_realtime_origin_check(r, conf);

    if (from == NGX_REALTIME_ORIGIN_NONE
        || from == NGX_REALTIME_ORIGIN_FOREIGN)
    {
        return NGX_DECLINED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_realtime_origin_send(r, conf,
                                 &ngx_realtime_origin_vary_preflight)
        != NGX_OK
        || ngx_realtime_header_add(r, "Access-Control-Allow-Methods",
                                   &ngx_realtime_origin_methods)
           != NGX_OK
        || ngx_realtime_header_add(r, "Access-Control-Allow-Headers",
                                   ngx_realtime_origin_asked(r))
           != NGX_OK
        || ngx_realtime_header_add(r, "Access-Control-Max-Age",
                                   &ngx_realtime_origin_age)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    return ngx_http_send_header(r);
}


/* the headers that the page wants to send, if they are a list of names */

static ngx_str_t *
ngx_realtime_origin_asked(ngx_http_request_t *r)
{
    u_char     *p, *last;
    ngx_str_t  *asked;

    asked = ngx_realtime_header_in(r, "access-control-request-headers", NULL);

    if (asked == NULL || asked->len == 0
        || asked->len > NGX_REALTIME_ORIGIN_HEADERS_MAX)
    {
        return &ngx_realtime_origin_allowed_headers;
    }

    last = asked->data + asked->len;

    for (p = asked->data; p < last; p++) {

        if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')
            || (*p >= '0' && *p <= '9')
            || (*p && ngx_strchr("!#$%&'*+-.^_`|~, \t", *p)))
        {
            continue;
        }

        return &ngx_realtime_origin_allowed_headers;
    }

    return asked;
}


char *
ngx_realtime_origin_allow(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_realtime_loc_conf_t *rlcf = conf;

    char                    *rv;
    ngx_str_t               *value;
    ngx_uint_t               i;
    ngx_realtime_origins_t  *origins;

    if (rlcf->auth->origins) {
        return "is duplicate";
    }

    origins = ngx_pcalloc(cf->pool, sizeof(ngx_realtime_origins_t));
    if (origins == NULL
        || ngx_array_init(&origins->rules, cf->pool, cf->args->nelts,
                          sizeof(ngx_realtime_origin_rule_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_realtime_string_eq(&value[1], "*")) {
        origins->any = 1;

    } else {
        for (i = 1; i < cf->args->nelts; i++) {
            rv = ngx_realtime_origin_add(cf, cmd, origins, &value[i]);

            if (rv != NGX_CONF_OK) {
                return rv;
            }
        }
    }

    rlcf->auth->origins = origins;

    return NGX_CONF_OK;
}


static char *
ngx_realtime_origin_add(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_realtime_origins_t *origins, ngx_str_t *text)
{
    ngx_uint_t                   i, twice;
    ngx_realtime_origin_rule_t   new, *rule;

    if (ngx_realtime_string_eq(text, "*")) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"*\" in \"%V\" must stand alone: it lets every "
                           "origin in, and none with its cookies",
                           &cmd->name);
        return NGX_CONF_ERROR;
    }

    if (ngx_realtime_string_eq(text, "null")) {
        twice = origins->null;
        origins->null = 1;

    } else {

        if (ngx_realtime_origin_rule(cf, &new, text) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }

        twice = 0;
        rule = origins->rules.elts;

        for (i = 0; i < origins->rules.nelts; i++) {
            if (rule[i].below == new.below
                && ngx_realtime_origin_equal(&rule[i].origin, &new.origin))
            {
                twice = 1;
            }
        }

        rule = ngx_array_push(&origins->rules);
        if (rule == NULL) {
            return NGX_CONF_ERROR;
        }

        *rule = new;
    }

    if (twice) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" has the origin \"%V\" twice", &cmd->name,
                           text);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_realtime_origin_rule(ngx_conf_t *cf, ngx_realtime_origin_rule_t *rule,
    ngx_str_t *text)
{
    u_char                 *p;
    ngx_str_t               ws = ngx_string("ws");
    ngx_str_t               wss = ngx_string("wss");
    ngx_str_t               plain;
    ngx_realtime_origin_t  *origin;

    plain = *text;
    rule->below = 0;

    p = ngx_strnstr(text->data, "://*.", text->len);

    if (p) {
        rule->below = 1;
        p += sizeof("://") - 1;

        plain.len = text->len - (sizeof("*.") - 1);
        plain.data = ngx_pnalloc(cf->pool, plain.len);
        if (plain.data == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memcpy(ngx_cpymem(plain.data, text->data, p - text->data),
                   p + 2, text->data + text->len - (p + 2));
    }

    origin = &rule->origin;

    if (ngx_realtime_origin_parse(&plain, origin) != NGX_OK
        || origin->host.data[origin->host.len - 1] == '.'
        || (rule->below && origin->host.data[0] == '['))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not an origin: write scheme://host or "
                           "scheme://host:port and nothing behind it, for "
                           "example https://app.example.com or "
                           "https://*.example.com", text);
        return NGX_CONF_ERROR;
    }

    if (ngx_realtime_origin_same(&origin->scheme, &ws)
        || ngx_realtime_origin_same(&origin->scheme, &wss))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is the address of a socket: write the "
                           "origin of the pages that open it, with http:// "
                           "or https://", text);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
