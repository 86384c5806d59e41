
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_time.h"


u_char *
ngx_realtime_time_print(u_char *p, time_t sec, ngx_uint_t msec)
{
    ngx_tm_t  tm;

    ngx_gmtime(sec, &tm);

    return ngx_sprintf(p, "%4d-%02d-%02dT%02d:%02d:%02d.%03uiZ",
                       tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                       tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec, msec);
}


ngx_int_t
ngx_realtime_time_parse(ngx_str_t *text, time_t *sec, ngx_uint_t *msec)
{
    u_char      c, form[NGX_REALTIME_TIME_LEN];
    ngx_tm_t    tm;
    ngx_int_t   n[7], year, days;
    ngx_uint_t  i;

    /* a digit says which number it is one of */

    ngx_memcpy(form, "0000-11-22T33:44:55.666Z", NGX_REALTIME_TIME_LEN);

    if (text->len == NGX_REALTIME_TIME_LEN - 4) {
        form[text->len - 1] = 'Z';

    } else if (text->len != NGX_REALTIME_TIME_LEN) {
        return NGX_ERROR;
    }

    ngx_memzero(n, sizeof(n));

    for (i = 0; i < text->len; i++) {
        c = text->data[i];

        if (form[i] < '0' || form[i] > '6') {

            if (c != form[i]) {
                return NGX_ERROR;
            }

        } else if (c < '0' || c > '9') {
            return NGX_ERROR;

        } else {
            n[form[i] - '0'] = n[form[i] - '0'] * 10 + (c - '0');
        }
    }

    if (n[0] < 1970 || n[1] < 1 || n[1] > 12 || n[2] < 1 || n[2] > 31
        || n[3] > 23 || n[4] > 59 || n[5] > 59)
    {
        return NGX_ERROR;
    }

    /* the year begins in March, so that the leap day is its last */

    year = n[0] - (n[1] < 3);
    days = 365 * year + year / 4 - year / 100 + year / 400
           + (153 * ((n[1] + 9) % 12) + 2) / 5 + n[2] - 1 - 719468;

    *sec = ((days * 24 + n[3]) * 60 + n[4]) * 60 + n[5];
    *msec = n[6];

    /* of a day that the month has not, it is one of the next month */

    ngx_gmtime(*sec, &tm);

    return tm.ngx_tm_mday == n[2] ? NGX_OK : NGX_ERROR;
}
