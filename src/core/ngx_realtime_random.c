
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * OpenSSL's generator costs nearly the same for 16 bytes as for 512: some
 * 6,000 instructions and a getpid() to find out whether the process has
 * forked.  A connection asks three times; so a worker takes a stock.
 *
 * What is handed out is wiped from the stock.  A forked process must not
 * hand out the same bytes: the stock is of the pid that took it.
 */


#include "ngx_realtime_random.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>


#define NGX_REALTIME_RANDOM_STOCK  512


typedef struct {
    ngx_pid_t  pid;
    size_t     left;
    u_char     bytes[NGX_REALTIME_RANDOM_STOCK];
} ngx_realtime_random_t;


static ngx_realtime_random_t  ngx_realtime_random_stock;


ngx_int_t
ngx_realtime_random(u_char *p, size_t n, ngx_log_t *log)
{
    u_char                 *from;
    ngx_realtime_random_t  *stock;

    stock = &ngx_realtime_random_stock;

    if (stock->left < n || stock->pid != ngx_pid) {

        stock->left = 0;

        if (n > sizeof(stock->bytes)
            || RAND_bytes(stock->bytes, sizeof(stock->bytes)) != 1)
        {
            ngx_log_error(NGX_LOG_ERR, log, 0,
                          "realtime: no random bytes to be had");
            return NGX_ERROR;
        }

        stock->left = sizeof(stock->bytes);
        stock->pid = ngx_pid;
    }

    stock->left -= n;
    from = stock->bytes + stock->left;

    ngx_memcpy(p, from, n);
    OPENSSL_cleanse(from, n);

    return NGX_OK;
}
