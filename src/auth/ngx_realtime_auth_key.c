
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * realtime_jwt_key and realtime_api_key.  Files are read and keys are parsed
 * here, once, by the master: a worker does neither.
 *
 * A message never shows the argument that holds a key: it may be a secret.
 */

#include "ngx_realtime_auth.h"


#define NGX_REALTIME_AUTH_FILE_MAX  65536   /* bytes of a key file */
#define NGX_REALTIME_AUTH_KEYS_MAX  16      /* at one level: a token may cost
                                               that many verifications */


static char *ngx_realtime_auth_key_parse(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_array_t **keys);
static char *ngx_realtime_auth_key_add(ngx_conf_t *cf, ngx_array_t **keys,
    ngx_realtime_auth_key_t *key);
static char *ngx_realtime_auth_key_secret(ngx_conf_t *cf,
    ngx_realtime_auth_key_t *key, ngx_str_t *source);
static char *ngx_realtime_auth_key_public(ngx_conf_t *cf,
    ngx_realtime_auth_key_t *key, ngx_str_t *source);
static void ngx_realtime_auth_key_cleanup(void *data);
static ngx_int_t ngx_realtime_auth_key_file(ngx_conf_t *cf, ngx_str_t *path,
    ngx_str_t *text);
static ngx_int_t ngx_realtime_auth_key_read(ngx_conf_t *cf, ngx_file_t *file,
    ngx_str_t *text);


/* realtime_jwt_key ALG file:PATH|secret:TEXT [kid=ID] */

char *
ngx_realtime_auth_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_realtime_loc_conf_t *rlcf = conf;

    return ngx_realtime_auth_key_parse(cf, cmd, &rlcf->auth->keys);
}


/* realtime_api_key ALG file:PATH|secret:TEXT [kid=ID] */

char *
ngx_realtime_auth_api_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_realtime_loc_conf_t *rlcf = conf;

    return ngx_realtime_auth_key_parse(cf, cmd, &rlcf->auth->api_keys);
}


static char *
ngx_realtime_auth_key_parse(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_array_t **keys)
{
    char                     *rv;
    ngx_str_t                *value;
    ngx_realtime_auth_key_t   key;

    value = cf->args->elts;

    ngx_memzero(&key, sizeof(ngx_realtime_auth_key_t));

    key.alg = ngx_realtime_jwt_alg(&value[1]);

    if (key.alg == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" does not know the algorithm \"%V\": give "
                           "HS256, HS384, HS512, RS256, RS384, RS512, PS256, "
                           "PS384, PS512, ES256, ES384, ES512 or EdDSA",
                           &cmd->name, &value[1]);
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 4
        && (!ngx_realtime_auth_after(&value[3], "kid=", &key.kid)
            || key.kid.len == 0))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the third argument of \"%V\" must be kid=ID",
                           &cmd->name);
        return NGX_CONF_ERROR;
    }

    if (key.alg->kind == NGX_REALTIME_JWT_HS) {
        rv = ngx_realtime_auth_key_secret(cf, &key, &value[2]);

    } else {
        rv = ngx_realtime_auth_key_public(cf, &key, &value[2]);
    }

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return ngx_realtime_auth_key_add(cf, keys, &key);
}


static char *
ngx_realtime_auth_key_add(ngx_conf_t *cf, ngx_array_t **keys,
    ngx_realtime_auth_key_t *key)
{
    ngx_uint_t                i;
    ngx_realtime_auth_key_t  *k;

    if (*keys == NULL) {
        *keys = ngx_array_create(cf->pool, 2,
                                 sizeof(ngx_realtime_auth_key_t));
        if (*keys == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if ((*keys)->nelts == NGX_REALTIME_AUTH_KEYS_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "there are more than %d keys at one level",
                           NGX_REALTIME_AUTH_KEYS_MAX);
        return NGX_CONF_ERROR;
    }

    k = (*keys)->elts;

    for (i = 0; i < (*keys)->nelts; i++) {
        if (key->kid.len && k[i].alg == key->alg
            && k[i].kid.len == key->kid.len
            && ngx_memcmp(k[i].kid.data, key->kid.data, key->kid.len) == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "there is another %V key with the kid \"%V\"",
                               &key->alg->name, &key->kid);
            return NGX_CONF_ERROR;
        }
    }

    k = ngx_array_push(*keys);
    if (k == NULL) {
        return NGX_CONF_ERROR;
    }

    *k = *key;

    return NGX_CONF_OK;
}


static char *
ngx_realtime_auth_key_secret(ngx_conf_t *cf, ngx_realtime_auth_key_t *key,
    ngx_str_t *source)
{
    ngx_str_t  path, *secret;

    secret = &key->secret;

    if (ngx_realtime_auth_after(source, "file:", &path)) {

        if (ngx_realtime_auth_key_file(cf, &path, secret) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        /* the newline that an editor or echo puts there */

        if (secret->len && secret->data[secret->len - 1] == LF) {
            secret->len--;

            if (secret->len && secret->data[secret->len - 1] == CR) {
                secret->len--;
            }
        }

    } else if (!ngx_realtime_auth_after(source, "secret:", secret)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the key of %V must be file:PATH or secret:TEXT",
                           &key->alg->name);
        return NGX_CONF_ERROR;
    }

    if (secret->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the secret of the %V key is empty",
                           &key->alg->name);
        return NGX_CONF_ERROR;
    }

    /* a public key as the secret would let anybody sign */

    if (ngx_strnstr(secret->data, "-----BEGIN ", secret->len)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the secret of the %V key is a PEM key or "
                           "certificate: it needs a shared secret",
                           &key->alg->name);
        return NGX_CONF_ERROR;
    }

    if (secret->len < key->alg->size) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "the secret of the %V key has %uz bytes, which "
                           "may be guessed from one token: use at least %uz "
                           "random bytes", &key->alg->name, secret->len,
                           key->alg->size);
    }

    return NGX_CONF_OK;
}


static char *
ngx_realtime_auth_key_public(ngx_conf_t *cf, ngx_realtime_auth_key_t *key,
    ngx_str_t *source)
{
    ngx_str_t            path, pem;
    const char          *why;
    ngx_pool_cleanup_t  *cln;

    if (!ngx_realtime_auth_after(source, "file:", &path)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the key of %V must be file:PATH of a PEM public "
                           "key or certificate", &key->alg->name);
        return NGX_CONF_ERROR;
    }

    if (ngx_realtime_auth_key_file(cf, &path, &pem) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    key->pkey = ngx_realtime_jwt_pkey(key->alg, &pem, &why);

    if (key->pkey == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%V key file \"%V\" %s",
                           &key->alg->name, &path, why);
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_realtime_auth_key_cleanup;
    cln->data = key->pkey;

    return NGX_CONF_OK;
}


static void
ngx_realtime_auth_key_cleanup(void *data)
{
    ngx_realtime_jwt_pkey_free(data);
}


/* path is made absolute, relative to the directory of nginx.conf */

static ngx_int_t
ngx_realtime_auth_key_file(ngx_conf_t *cf, ngx_str_t *path, ngx_str_t *text)
{
    ngx_int_t   rc;
    ngx_file_t  file;

    if (path->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"file:\" needs the path of a key file");
        return NGX_ERROR;
    }

    if (ngx_conf_full_name(cf->cycle, path, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memzero(&file, sizeof(ngx_file_t));
    file.name = *path;
    file.log = cf->log;

    /* a FIFO must not hold up the start */

    file.fd = ngx_open_file(path->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                            NGX_FILE_OPEN, 0);

    if (file.fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "cannot open the key file \"%V\"", path);
        return NGX_ERROR;
    }

    rc = ngx_realtime_auth_key_read(cf, &file, text);

    ngx_close_file(file.fd);

    return rc;
}


static ngx_int_t
ngx_realtime_auth_key_read(ngx_conf_t *cf, ngx_file_t *file, ngx_str_t *text)
{
    off_t    size;
    ssize_t  n;

    if (ngx_fd_info(file->fd, &file->info) == NGX_FILE_ERROR
        || !ngx_is_file(&file->info))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the key file \"%V\" is not a regular file",
                           &file->name);
        return NGX_ERROR;
    }

    size = ngx_file_size(&file->info);

    if (size > NGX_REALTIME_AUTH_FILE_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the key file \"%V\" is larger than %d bytes",
                           &file->name, NGX_REALTIME_AUTH_FILE_MAX);
        return NGX_ERROR;
    }

    text->data = ngx_pnalloc(cf->pool, (size_t) size + 1);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    n = ngx_read_file(file, text->data, (size_t) size, 0);

    if (n == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "cannot read the key file \"%V\"", &file->name);
        return NGX_ERROR;
    }

    text->len = (size_t) n;

    return NGX_OK;
}
