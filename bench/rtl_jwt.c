
/*
 * Copyright (C) ngx_realtime contributors
 */

#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "rtload.h"


static size_t rtl_jwt_base64url(char *out, const unsigned char *p, size_t len);


int
rtl_jwt(const rtl_conf_t *conf, unsigned user, char *out, size_t size)
{
    int            n;
    char          *p;
    time_t         now;
    unsigned       len;
    char           claims[160];
    unsigned char  mac[EVP_MAX_MD_SIZE];

    static const char  header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";

    if (size < 512) {
        return -1;
    }

    now = time(NULL);

    n = snprintf(claims, sizeof(claims),
                 "{\"id\":\"" RTL_USER "\",\"iat\":%lld,\"exp\":%lld}",
                 user, (long long) now, (long long) now + 86400);

    p = out;
    p += rtl_jwt_base64url(p, (const unsigned char *) header,
                           sizeof(header) - 1);
    *p++ = '.';
    p += rtl_jwt_base64url(p, (unsigned char *) claims, (size_t) n);

    if (HMAC(EVP_sha256(), conf->key, (int) conf->key_len,
             (unsigned char *) out, (size_t) (p - out), mac, &len)
        == NULL)
    {
        return -1;
    }

    *p++ = '.';
    p += rtl_jwt_base64url(p, mac, len);
    *p = '\0';

    return 0;
}


static size_t
rtl_jwt_base64url(char *out, const unsigned char *p, size_t len)
{
    int  i, n;

    n = EVP_EncodeBlock((unsigned char *) out, p, (int) len);

    while (n > 0 && out[n - 1] == '=') {
        n--;
    }

    for (i = 0; i < n; i++) {
        if (out[i] == '+') {
            out[i] = '-';

        } else if (out[i] == '/') {
            out[i] = '_';
        }
    }

    return (size_t) n;
}
