
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


#define RT_EIO_SEPARATOR 0x1e    /* between the packets of a payload */
#define RT_EIO_BASE64    'b'     /* instead of a type */


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


/*
 * Polling payloads: packets joined by RT_EIO_SEPARATOR; "b" and base64 stand
 * for the bytes of an attachment, without a type in front.
 *
 * rt_eio_next() takes the packets out of [*pos, last) one by one, in place:
 * base64 is decoded over itself.  RT_OK: *data is a text packet, type
 * included, or the bytes of an attachment (*binary = 1); RT_AGAIN: no more;
 * RT_ERROR: an empty packet, also one behind a separator at the end, or base64
 * that is none; then the rest is worth nothing.  The caller has checked the
 * payload's UTF-8, and has refused a payload without a byte, which the stock
 * parser takes for one empty packet.
 */
int rt_eio_next(uint8_t **pos, uint8_t *last, rt_str_t *data,
    unsigned *binary);

/* one attachment as it stands in a payload: "b" and padded base64 */
#define rt_eio_binary_size(len)  (1 + ((size_t) (len) + 2) / 3 * 4)
uint8_t *rt_eio_binary(uint8_t *out, const uint8_t *p, size_t len);


#endif /* _RT_EIO_H_INCLUDED_ */
