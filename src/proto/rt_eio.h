
/*
 * Copyright (C) ngx_realtime contributors
 */

/* Engine.IO 4 packets and the errors of its handshake. */

#ifndef _RT_EIO_H_INCLUDED_
#define _RT_EIO_H_INCLUDED_


#include "rt.h"


#define RT_EIO_OPEN      '0'
#define RT_EIO_CLOSE     '1'
#define RT_EIO_PING      '2'
#define RT_EIO_PONG      '3'
#define RT_EIO_MESSAGE   '4'
#define RT_EIO_UPGRADE   '5'
#define RT_EIO_NOOP      '6'


/* codes of a refused handshake: index into rt_eio_errors[] */
typedef enum {
    RT_EIO_TRANSPORT_UNKNOWN = 0,
    RT_EIO_SID_UNKNOWN,
    RT_EIO_BAD_METHOD,
    RT_EIO_BAD_REQUEST,
    RT_EIO_FORBIDDEN,
    RT_EIO_VERSION
} rt_eio_error_e;

extern const char *const rt_eio_errors[];    /* messages */


typedef struct {
    uint8_t          type;     /* RT_EIO_* */
    rt_str_t         data;     /* what follows the type */
} rt_eio_packet_t;


/* of one text message: RT_OK; RT_ERROR: empty, or an unknown type */
int rt_eio_parse(rt_eio_packet_t *pkt, const uint8_t *p, size_t len);


typedef struct {
    rt_str_t         sid;          /* base64url: needs no escaping */
    unsigned         upgrades:1;   /* ["websocket"] or [] */
    uint64_t         ping_interval;   /* ms */
    uint64_t         ping_timeout;    /* ms */
    uint64_t         max_payload;     /* bytes */
} rt_eio_open_t;

#define RT_EIO_OPEN_MAX  256

/* writes the OPEN packet, type included; returns its length; size is at least
   RT_EIO_OPEN_MAX, sid at most 32 bytes */
size_t rt_eio_open(uint8_t *out, size_t size, const rt_eio_open_t *open);


#endif /* _RT_EIO_H_INCLUDED_ */
