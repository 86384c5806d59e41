
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Socket.IO 5 packets, as they stand inside an Engine.IO message:
 *
 *   <type>[<attachments>-][<namespace>,][<ack id>][JSON]
 */

#ifndef _RT_SIO_H_INCLUDED_
#define _RT_SIO_H_INCLUDED_


#include "rt.h"


#define RT_SIO_CONNECT         '0'
#define RT_SIO_DISCONNECT      '1'
#define RT_SIO_EVENT           '2'
#define RT_SIO_ACK             '3'
#define RT_SIO_CONNECT_ERROR   '4'
#define RT_SIO_BINARY_EVENT    '5'
#define RT_SIO_BINARY_ACK      '6'

#define RT_SIO_ATTACHMENTS     10      /* at most, as in the stock parser */
#define RT_SIO_NSP_MAX         255


typedef struct {
    uint8_t          type;
    uint8_t          attachments;
    unsigned         has_id:1;
    uint64_t         id;          /* ack id, at most 2^53 - 1 */
    rt_str_t         nsp;         /* "/" when none is given */
    rt_str_t         json;        /* len 0: none */
} rt_sio_packet_t;


/* RT_OK; RT_ERROR with *why a static text */
int rt_sio_parse(rt_sio_packet_t *pkt, const uint8_t *p, size_t len,
    const char **why);

/*
 * What the stock parser's isPayloadValid() checks; pkt->json is empty or has
 * passed rt_json_check().  RT_OK; RT_ERROR with *why.
 *
 * *name is the name of an event, unescaped in place; its data is NULL when that
 * is a number, and with every other type.  The text stays one that has passed
 * and means the same, with white space where the name has become shorter; so a
 * name that no text can hold unescaped, for a quote, a backslash, a control
 * character or a lone surrogate in it, is left as it was written: it has a
 * backslash then, as no other name has.
 */
int rt_sio_check(const rt_sio_packet_t *pkt, rt_str_t *name,
    const char **why);

/* "<type><nsp>,<id>" without JSON; nsp "/" is left out; returns the length.
   out has room for nsp.len + 24 bytes. */
size_t rt_sio_header(uint8_t *out, uint8_t type, rt_str_t nsp,
    unsigned has_id, uint64_t id);

/* the same with "<attachments>-" behind the type when there are any, at most
   9999; 5 more bytes of room */
size_t rt_sio_binary_header(uint8_t *out, uint8_t type, unsigned attachments,
    rt_str_t nsp, unsigned has_id, uint64_t id);

/*
 * The placeholders {"_placeholder":true,"num":N} of a binary packet: RT_OK if
 * every N is an integer in [0, attachments), whether all are used or one is
 * used twice; RT_ERROR with *why.  json has passed rt_json_check().
 */
int rt_sio_placeholders(rt_str_t json, unsigned attachments,
    const char **why);


#endif /* _RT_SIO_H_INCLUDED_ */
