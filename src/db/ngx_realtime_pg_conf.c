
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The directive
 *
 *   realtime_database conninfo [connections=4] [queue=1024] [timeout=5s]
 *                     [identify=off];
 *
 * conninfo is libpq's, as keywords or as a URI.  libpq resolves host names
 * with a blocking call when a worker connects, so only hosts that need no
 * resolver are taken: directories of Unix sockets, IP addresses, "localhost",
 * and any name whose address is given as hostaddr.  The same goes for what
 * libpq would read from a service file or from PGHOST: the host must be
 * written here.
 *
 * What libpq gets in the end is built once, here, and kept in conninfo.
 */

#include "ngx_realtime_pg_conn.h"


typedef struct {
    const char                *name;
    const char                *value;
} ngx_realtime_pg_conf_default_t;


static char *ngx_realtime_pg_conf_param(ngx_conf_t *cf,
    ngx_realtime_pg_conf_t *conf, ngx_str_t *param);
static char *ngx_realtime_pg_conf_conninfo(ngx_conf_t *cf,
    ngx_realtime_pg_conf_t *conf, u_char *text);
static char *ngx_realtime_pg_conf_hosts(ngx_conf_t *cf,
    PQconninfoOption *options, ngx_str_t *addrs);
static void ngx_realtime_pg_conf_entry(const char **list, ngx_str_t *entry);
static ngx_int_t ngx_realtime_pg_conf_addr(ngx_str_t *host, ngx_str_t *addr);
static char *ngx_realtime_pg_conf_join(ngx_conf_t *cf,
    ngx_realtime_pg_conf_t *conf, PQconninfoOption *options,
    ngx_str_t *addrs);
static u_char *ngx_realtime_pg_conf_pair(u_char *p, const char *name,
    const char *value);
static const char *ngx_realtime_pg_conf_option(PQconninfoOption *options,
    const char *name);


/* where the conninfo does not say otherwise */

static const ngx_realtime_pg_conf_default_t  ngx_realtime_pg_conf_defaults[] = {

    { "application_name", "ngx_realtime" },

    /* looking for Kerberos tickets may ask the network, and waits for it */
    { "gssencmode", "disable" },

    /* a peer that vanished is noticed although nothing is sent to it */
    { "keepalives_idle", "30" },
    { "keepalives_interval", "5" },
    { "keepalives_count", "3" },
    { "tcp_user_timeout", "15000" },

    { NULL, NULL }
};


char *
ngx_realtime_pg_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_realtime_main_conf_t *rmcf = conf;

    char                    *rv;
    ngx_str_t               *value;
    ngx_uint_t               i;
    ngx_realtime_pg_conf_t  *pcf;

    if (rmcf->database) {
        return "is duplicate";
    }

    pcf = ngx_pcalloc(cf->pool, sizeof(ngx_realtime_pg_conf_t));
    if (pcf == NULL) {
        return NGX_CONF_ERROR;
    }

    pcf->connections = 4;
    pcf->queue = 1024;
    pcf->timeout = 5000;

    value = cf->args->elts;

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_realtime_pg_conf_param(cf, pcf, &value[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    /* nginx's tokens are NUL-terminated */

    rv = ngx_realtime_pg_conf_conninfo(cf, pcf, value[1].data);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rmcf->database = pcf;

    return NGX_CONF_OK;
}


static char *
ngx_realtime_pg_conf_param(ngx_conf_t *cf, ngx_realtime_pg_conf_t *conf,
    ngx_str_t *param)
{
    ngx_int_t  n;
    ngx_str_t  s;

    if (ngx_strncmp(param->data, "connections=", 12) == 0) {

        n = ngx_atoi(param->data + 12, param->len - 12);

        if (n < 1 || n > 100) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\": each worker can have 1 to 100 "
                               "connections", param);
            return NGX_CONF_ERROR;
        }

        conf->connections = n;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(param->data, "queue=", 6) == 0) {

        n = ngx_atoi(param->data + 6, param->len - 6);

        if (n < 1 || n > 1000000) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\": 1 to 1000000 statements can wait for "
                               "a connection", param);
            return NGX_CONF_ERROR;
        }

        conf->queue = n;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(param->data, "timeout=", 8) == 0) {

        s.data = param->data + 8;
        s.len = param->len - 8;

        n = ngx_parse_time(&s, 0);

        if (n < 100 || n > 600000) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\": the timeout of a statement is a time "
                               "from 100ms to 10m", param);
            return NGX_CONF_ERROR;
        }

        conf->timeout = n;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(param->data, "identify=on") == 0) {
        conf->identify = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(param->data, "identify=off") == 0) {
        conf->identify = 0;
        return NGX_CONF_OK;
    }

    /* without its value: this may be a password outside of the quotes */

    for (s.len = 0; s.len < param->len; s.len++) {
        if (param->data[s.len] == '=') {
            break;
        }
    }

    s.data = param->data;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown parameter \"%V\": after the conninfo come "
                       "connections=, queue=, timeout= or identify=on; a "
                       "conninfo with blanks needs quotes around it", &s);

    return NGX_CONF_ERROR;
}


static char *
ngx_realtime_pg_conf_conninfo(ngx_conf_t *cf, ngx_realtime_pg_conf_t *conf,
    u_char *text)
{
    char              *err, *rv;
    char               why[NGX_REALTIME_PG_WHY];
    ngx_str_t          addrs;
    PQconninfoOption  *options;

    err = NULL;

    options = PQconninfoParse((char *) text, &err);

    if (options == NULL) {
        ngx_realtime_pg_conn_text(why, NGX_REALTIME_PG_WHY, err);
        PQfreemem(err);

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the conninfo of \"realtime_database\" is not "
                           "one for libpq: %s", why);
        return NGX_CONF_ERROR;
    }

    rv = ngx_realtime_pg_conf_hosts(cf, options, &addrs);

    if (rv == NGX_CONF_OK) {
        rv = ngx_realtime_pg_conf_join(cf, conf, options, &addrs);
    }

    PQconninfoFree(options);

    return rv;
}


/*
 * addrs: the hostaddr to give to libpq, data is NULL if there is none.  An
 * entry of hostaddr that is empty leaves libpq with the name of its host.
 */

static char *
ngx_realtime_pg_conf_hosts(ngx_conf_t *cf, PQconninfoOption *options,
    ngx_str_t *addrs)
{
    u_char      *p;
    ngx_str_t    host, addr;
    const char  *hosts, *given;

    ngx_str_null(addrs);

    if (ngx_realtime_pg_conf_option(options, "service")) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"service\" in \"realtime_database\" is not "
                           "supported: write out what the service file says");
        return NGX_CONF_ERROR;
    }

    given = ngx_realtime_pg_conf_option(options, "hostaddr");
    hosts = ngx_realtime_pg_conf_option(options, "host");

    if (hosts == NULL) {

        /* libpq takes nothing but addresses as hostaddr: no resolver */

        if (given) {
            return NGX_CONF_OK;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"realtime_database\" names no host: add "
                           "host=/run/postgresql (the directory of the Unix "
                           "socket) or host= and an IP address");
        return NGX_CONF_ERROR;
    }

    /* no address is longer than its host, that of "localhost" included */

    p = ngx_pnalloc(cf->pool, ngx_strlen(hosts)
                              + (given ? ngx_strlen(given) : 0) + 1);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    addrs->data = p;

    for ( ;; ) {
        ngx_realtime_pg_conf_entry(&hosts, &host);
        ngx_realtime_pg_conf_entry(&given, &addr);

        if (addr.len == 0
            && ngx_realtime_pg_conf_addr(&host, &addr) != NGX_OK)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "host \"%V\" in \"realtime_database\" would "
                               "have to be resolved, which blocks a worker: "
                               "add hostaddr= with its IP address, or use an "
                               "IP address, \"localhost\" or the directory "
                               "of a Unix socket", &host);
            return NGX_CONF_ERROR;
        }

        if (addr.len) {
            p = ngx_cpymem(p, addr.data, addr.len);
        }

        if (hosts == NULL) {
            break;
        }

        *p++ = ',';
    }

    if (given) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"realtime_database\" has more entries in "
                           "hostaddr= than in host=");
        return NGX_CONF_ERROR;
    }

    *p = '\0';
    addrs->len = p - addrs->data;

    return NGX_CONF_OK;
}


/* the next of a list with commas; the list is NULL behind its last one */

static void
ngx_realtime_pg_conf_entry(const char **list, ngx_str_t *entry)
{
    const char  *end;

    if (*list == NULL) {
        ngx_str_null(entry);
        return;
    }

    end = ngx_strchr(*list, ',');

    entry->data = (u_char *) *list;
    entry->len = end ? (size_t) (end - *list) : ngx_strlen(*list);

    *list = end ? end + 1 : NULL;
}


/* of one host; empty for a Unix socket */

static ngx_int_t
ngx_realtime_pg_conf_addr(ngx_str_t *host, ngx_str_t *addr)
{
#if (NGX_HAVE_INET6)
    u_char  in6[16];
#endif

    ngx_str_null(addr);

    if (host->len == 0) {
        return NGX_DECLINED;
    }

    if (host->data[0] == '/' || host->data[0] == '@') {
        return NGX_OK;
    }

    if (ngx_realtime_string_eq(host, "localhost")) {
        ngx_str_set(addr, "127.0.0.1");
        return NGX_OK;
    }

    if (ngx_inet_addr(host->data, host->len) != INADDR_NONE) {
        *addr = *host;
        return NGX_OK;
    }

#if (NGX_HAVE_INET6)

    if (ngx_inet6_addr(host->data, host->len, in6) == NGX_OK) {
        *addr = *host;
        return NGX_OK;
    }

#endif

    return NGX_DECLINED;
}


static char *
ngx_realtime_pg_conf_join(ngx_conf_t *cf, ngx_realtime_pg_conf_t *conf,
    PQconninfoOption *options, ngx_str_t *addrs)
{
    u_char                                *p;
    size_t                                 len;
    PQconninfoOption                      *o;
    const ngx_realtime_pg_conf_default_t  *d;

    /* name='value' and a blank, every byte of the value escaped at worst */

    len = sizeof("hostaddr='' ") - 1 + 2 * addrs->len + 1;

    for (o = options; o->keyword; o++) {
        if (o->val) {
            len += ngx_strlen(o->keyword) + 2 * ngx_strlen(o->val) + 4;
        }
    }

    for (d = ngx_realtime_pg_conf_defaults; d->name; d++) {
        len += ngx_strlen(d->name) + 2 * ngx_strlen(d->value) + 4;
    }

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    conf->conninfo.data = p;

    for (o = options; o->keyword; o++) {
        if (o->val) {
            p = ngx_realtime_pg_conf_pair(p, o->keyword, o->val);
        }
    }

    if (addrs->data) {
        p = ngx_realtime_pg_conf_pair(p, "hostaddr", (char *) addrs->data);
    }

    for (d = ngx_realtime_pg_conf_defaults; d->name; d++) {
        if (ngx_realtime_pg_conf_option(options, d->name) == NULL) {
            p = ngx_realtime_pg_conf_pair(p, d->name, d->value);
        }
    }

    conf->conninfo.len = p - conf->conninfo.data;
    *p = '\0';

    return NGX_CONF_OK;
}


static u_char *
ngx_realtime_pg_conf_pair(u_char *p, const char *name, const char *value)
{
    p = ngx_cpymem(p, name, ngx_strlen(name));
    *p++ = '=';
    *p++ = '\'';

    for ( /* void */ ; *value; value++) {
        if (*value == '\'' || *value == '\\') {
            *p++ = '\\';
        }

        *p++ = (u_char) *value;
    }

    *p++ = '\'';
    *p++ = ' ';

    return p;
}


/* NULL: not given, or empty, which is the same to libpq */

static const char *
ngx_realtime_pg_conf_option(PQconninfoOption *options, const char *name)
{
    PQconninfoOption  *o;

    for (o = options; o->keyword; o++) {
        if (ngx_strcmp(o->keyword, name) == 0) {
            return (o->val && o->val[0]) ? o->val : NULL;
        }
    }

    return NULL;
}
