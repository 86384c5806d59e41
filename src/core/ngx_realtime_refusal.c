
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_refusal.h"


#define NGX_REALTIME_REFUSAL_RECORD(name, code, http, retry, text, socket)    \
    { ngx_string(code), ngx_string(text),                                     \
      { (socket) ? sizeof(socket "") - 1 : 0, (u_char *) (socket) },          \
      http, retry },


static const ngx_realtime_refusal_t  ngx_realtime_refusals[] = {
    { ngx_null_string, ngx_null_string, ngx_null_string, 200, 0 },
};
