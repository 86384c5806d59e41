
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Random bytes that nobody can guess: ids and secrets.
 */

#ifndef _NGX_REALTIME_RANDOM_H_INCLUDED_
#define _NGX_REALTIME_RANDOM_H_INCLUDED_


#include "ngx_realtime.h"


/* NGX_ERROR: the generator has none, logged */
ngx_int_t ngx_realtime_random(u_char *p, size_t n, ngx_log_t *log);


#endif /* _NGX_REALTIME_RANDOM_H_INCLUDED_ */
