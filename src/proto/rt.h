
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * proto/: wire formats.  C11, libc and jansson only: no nginx type, no clock,
 * no I/O, no allocation except where a name says so.
 */

#ifndef _RT_H_INCLUDED_
#define _RT_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <string.h>


#define RT_OK        0
#define RT_ERROR    -1      /* malformed; the out argument says how */
#define RT_AGAIN    -2      /* more bytes are needed */


typedef struct {
    size_t           len;
    const uint8_t   *data;   /* not NUL-terminated */
} rt_str_t;


#endif /* _RT_H_INCLUDED_ */
