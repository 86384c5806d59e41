
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_api.h"
#include "ngx_realtime_header.h"
#include "ngx_realtime_route.h"
#include "rt_json.h"
#include "rt_utf8.h"


/* more digits than that make no difference */
#define NGX_REALTIME_ROUTE_LIMIT_MAX  100000000


static ngx_uint_t ngx_realtime_route_look(ngx_realtime_rest_t *rest,
    const ngx_realtime_route_t *routes);
static size_t ngx_realtime_route_location(ngx_str_t *name,
    const ngx_realtime_route_t *routes);
static void ngx_realtime_route_path(ngx_http_request_t *r,
    const ngx_realtime_route_t *routes, ngx_str_t *path);
#if (NGX_PCRE)
static size_t ngx_realtime_route_prefix(ngx_http_request_t *r,
    const ngx_realtime_route_t *routes);
#endif
static ngx_uint_t ngx_realtime_route_match(const ngx_str_t *pattern,
    ngx_str_t *path, ngx_str_t *id);

static void ngx_realtime_route_create(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call);
static void ngx_realtime_route_list(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call);
static void ngx_realtime_route_get(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call);
static void ngx_realtime_route_send(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call);
static void ngx_realtime_route_fetch(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call);
static void ngx_realtime_route_read(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call);
static void ngx_realtime_route_delete(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call);


static const ngx_realtime_route_t  ngx_realtime_routes[] = {

    { NGX_HTTP_GET, ngx_string("/conversations"),
      ngx_realtime_route_list, NGX_REALTIME_RATE_NONE },

    { NGX_HTTP_POST, ngx_string("/conversations"),
      ngx_realtime_route_create, NGX_REALTIME_RATE_CONVERSATION },

    { NGX_HTTP_GET, ngx_string("/conversations/:"),
      ngx_realtime_route_get, NGX_REALTIME_RATE_NONE },

    { NGX_HTTP_DELETE, ngx_string("/conversations/:"),
      ngx_realtime_route_delete, NGX_REALTIME_RATE_NONE },

    { NGX_HTTP_GET, ngx_string("/conversations/:/messages"),
      ngx_realtime_route_fetch, NGX_REALTIME_RATE_NONE },

    { NGX_HTTP_POST, ngx_string("/conversations/:/messages"),
      ngx_realtime_route_send, NGX_REALTIME_RATE_MESSAGE },

    { NGX_HTTP_POST, ngx_string("/conversations/:/mark-as-read"),
      ngx_realtime_route_read, NGX_REALTIME_RATE_READ },

    { 0, ngx_null_string, NULL, NGX_REALTIME_RATE_NONE }
};


ngx_uint_t
ngx_realtime_route_find(ngx_realtime_rest_t *rest)
{
    ngx_uint_t                methods;
    ngx_realtime_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(rest->request, ngx_realtime_module);

    methods = 0;

    if (rlcf->serves & NGX_REALTIME_SERVES_CHAT) {
        methods |= ngx_realtime_route_look(rest, ngx_realtime_routes);
    }

    if (rlcf->serves & NGX_REALTIME_SERVES_NOTIFICATIONS) {
        methods |= ngx_realtime_route_look(rest, ngx_realtime_notify_routes);
    }

    if (rlcf->serves & NGX_REALTIME_SERVES_API) {
        methods |= ngx_realtime_route_look(rest, ngx_realtime_api_routes);
    }

    return methods;
}


static ngx_uint_t
ngx_realtime_route_look(ngx_realtime_rest_t *rest,
    const ngx_realtime_route_t *routes)
{
    ngx_str_t                    path, id;
    ngx_uint_t                   method, methods;
    const ngx_realtime_route_t  *route;

    method = rest->request->method;

    if (method == NGX_HTTP_HEAD) {
        method = NGX_HTTP_GET;
    }

    ngx_realtime_route_path(rest->request, routes, &path);

    methods = 0;

    for (route = routes; route->method; route++) {

        if (!ngx_realtime_route_match(&route->path, &path, &id)) {
            continue;
        }

        methods |= route->method;

        if (route->method == method) {
            rest->route = route;
            rest->id = id;
        }
    }

    return methods;
}


/*
 * What follows the location's name, so that any prefix may carry the routes,
 * also one that has their first segment itself.
 * The name of a regex location is no prefix: there the first segments of the
 * routes are looked for.
 */

static void
ngx_realtime_route_path(ngx_http_request_t *r,
    const ngx_realtime_route_t *routes, ngx_str_t *path)
{
    size_t                     skip;
    u_char                    *p;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    skip = ngx_realtime_route_location(&clcf->name, routes);

#if (NGX_PCRE)
    if (clcf->regex) {
        skip = ngx_realtime_route_prefix(r, routes);
    }
#endif

    if (skip > r->uri.len) {
        skip = r->uri.len;
    }

    p = r->uri.data + skip;

    if (skip && p[-1] == '/') {
        p--;
    }

    path->data = p;
    path->len = r->uri.data + r->uri.len - p;

    /* as the routers do that the published clients talk to */

    if (path->len > 1 && path->data[path->len - 1] == '/') {
        path->len--;
    }
}


static size_t
ngx_realtime_route_location(ngx_str_t *name,
    const ngx_realtime_route_t *routes)
{
    u_char  *end;
    size_t   len, skip;

    end = ngx_strlchr(routes->path.data + 1,
                      routes->path.data + routes->path.len, '/');
    len = end ? (size_t) (end - routes->path.data) : routes->path.len;

    skip = name->len;

    if (skip && name->data[skip - 1] == '/') {
        skip--;
    }

    if (skip >= len
        && ngx_memcmp(name->data + skip - len, routes->path.data, len) == 0)
    {
        return skip - len;
    }

    return name->len;
}


#if (NGX_PCRE)

/* what is before the first segment of any route */

static size_t
ngx_realtime_route_prefix(ngx_http_request_t *r,
    const ngx_realtime_route_t *routes)
{
    u_char                      *p, *end;
    size_t                       len, prefix;
    const ngx_realtime_route_t  *route;

    prefix = r->uri.len;

    for (route = routes; route->method; route++) {

        end = ngx_strlchr(route->path.data + 1,
                          route->path.data + route->path.len, '/');
        len = end ? (size_t) (end - route->path.data) : route->path.len;

        p = ngx_strlcasestrn(r->uri.data, r->uri.data + r->uri.len,
                             route->path.data, len - 1);

        if (p && (size_t) (p - r->uri.data) < prefix) {
            prefix = p - r->uri.data;
        }
    }

    return prefix;
}

#endif


/* from the end, where most patterns differ, and then up to the id */

static ngx_uint_t
ngx_realtime_route_match(const ngx_str_t *pattern, ngx_str_t *path,
    ngx_str_t *id)
{
    u_char  *p, *s, *first, *last;

    ngx_str_null(id);

    first = pattern->data;
    p = first + pattern->len;
    s = path->data + path->len;

    while (p > first && p[-1] != ':') {
        if (s == path->data || *--s != *--p) {
            return 0;
        }
    }

    if (p == first) {
        return s == path->data;
    }

    last = s;
    s = path->data + (p - 1 - first);

    if (s >= last
        || ngx_memcmp(path->data, first, s - path->data) != 0
        || memchr(s, '/', last - s))
    {
        return 0;
    }

    id->data = s;
    id->len = last - s;

    return 1;
}


static void
ngx_realtime_route_create(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call)
{
    rt_str_t   values[2];
    ngx_str_t  participant, title;

    static const char  *const names[] = { "participantId", "title" };

    ngx_realtime_api_members(rest, names, values, 2);

    ngx_str_null(&participant);
    ngx_str_null(&title);

    (void) ngx_realtime_api_string(values[0], &participant);

    if (!ngx_realtime_api_string(values[1], &title)) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_TITLE_INVALID);
        return;
    }

    ngx_realtime_chat_create(call, &participant, &title);
}


static void
ngx_realtime_route_list(ngx_realtime_rest_t *rest, ngx_realtime_call_t *call)
{
    ngx_realtime_chat_list_t  args;

    args.limit = ngx_realtime_route_number(rest, "limit");
    ngx_realtime_route_arg(rest, "cursor", &args.cursor);

    ngx_realtime_chat_list(call, &args);
}


static void
ngx_realtime_route_get(ngx_realtime_rest_t *rest, ngx_realtime_call_t *call)
{
    ngx_realtime_chat_get(call, &rest->id);
}


static void
ngx_realtime_route_send(ngx_realtime_rest_t *rest, ngx_realtime_call_t *call)
{
    rt_str_t                   values[2];
    ngx_str_t                 *key;
    ngx_realtime_chat_send_t   args;

    static const char  *const names[] = { "content", "clientId" };

    ngx_realtime_api_members(rest, names, values, 2);

    ngx_memzero(&args, sizeof(ngx_realtime_chat_send_t));

    args.conversation = rest->id;
    args.door = NGX_REALTIME_CHAT_DOOR_REST;

    if (!ngx_realtime_api_string(values[0], &args.content)
        && rt_json_type(values[0]) == '"')
    {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_CONTENT_INVALID);
        return;
    }

    if (!ngx_realtime_api_string(values[1], &args.client_id)) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_CLIENT_ID_INVALID);
        return;
    }

    if (args.client_id.data == NULL) {
        key = ngx_realtime_header_in(rest->request, "idempotency-key", NULL);

        if (key) {

            /* unlike a string of JSON, a header may be anything */

            if (rt_utf8_check(key->data, key->len) != RT_OK) {
                ngx_realtime_call_refuse(call,
                                         NGX_REALTIME_R_CLIENT_ID_INVALID);
                return;
            }

            args.client_id = *key;
        }
    }

    ngx_realtime_chat_send(call, &args);
}


static void
ngx_realtime_route_fetch(ngx_realtime_rest_t *rest, ngx_realtime_call_t *call)
{
    ngx_realtime_chat_fetch_t  args;

    args.conversation = rest->id;
    args.limit = ngx_realtime_route_number(rest, "limit");
    args.offset = ngx_realtime_route_number(rest, "offset");
    ngx_realtime_route_arg(rest, "before", &args.before);
    ngx_realtime_route_arg(rest, "after", &args.after);
    ngx_realtime_route_arg(rest, "around", &args.around);

    ngx_realtime_chat_fetch(call, &args);
}


static void
ngx_realtime_route_read(ngx_realtime_rest_t *rest, ngx_realtime_call_t *call)
{
    rt_str_t   value;
    ngx_str_t  up_to;

    static const char  *const names[] = { "upTo" };

    ngx_realtime_api_members(rest, names, &value, 1);

    ngx_str_null(&up_to);

    if (!ngx_realtime_api_string(value, &up_to)) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_UP_TO_INVALID);
        return;
    }

    ngx_realtime_chat_read(call, &rest->id, &up_to);
}


static void
ngx_realtime_route_delete(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call)
{
    ngx_realtime_chat_delete(call, &rest->id);
}


ngx_int_t
ngx_realtime_route_number(ngx_realtime_rest_t *rest, const char *name)
{
    ngx_int_t  n, sign;
    ngx_str_t  value;

    ngx_realtime_route_arg(rest, name, &value);

    sign = 1;

    if (value.len > 1 && value.data[0] == '-') {
        sign = -1;
        value.data++;
        value.len--;
    }

    n = 0;

    while (value.len && value.data[0] >= '0' && value.data[0] <= '9') {
        if (n < NGX_REALTIME_ROUTE_LIMIT_MAX) {
            n = n * 10 + (value.data[0] - '0');
        }

        value.data++;
        value.len--;
    }

    return value.len ? 0 : n * sign;
}


void
ngx_realtime_route_arg(ngx_realtime_rest_t *rest, const char *name,
    ngx_str_t *value)
{
    if (ngx_http_arg(rest->request, (u_char *) name, ngx_strlen(name), value)
        != NGX_OK)
    {
        ngx_str_null(value);
    }
}
