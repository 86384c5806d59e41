
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * WebSocket frames (RFC 6455), server side.
 *
 * The parser works in the caller's buffer: it unmasks in place and hands out
 * pieces of data frames as they come, so it never holds a byte of its own.
 * What it has not consumed (a header or a control frame that is cut off) it
 * leaves in the buffer: the caller keeps these at most RT_WS_KEEP bytes and
 * presents them again in front of what comes next.
 *
 *   while ((rc = rt_ws_next(&ws, &p, last, &ev)) == RT_OK) { ... ev ... }
 *   rc == RT_AGAIN: keep [p, last)    rc == RT_ERROR: ev.code, ev.text
 */

#ifndef _RT_WS_H_INCLUDED_
#define _RT_WS_H_INCLUDED_


#include "rt.h"
#include "rt_utf8.h"


#define RT_WS_CONT          0x0
#define RT_WS_TEXT          0x1
#define RT_WS_BINARY        0x2
#define RT_WS_CLOSE         0x8
#define RT_WS_PING          0x9
#define RT_WS_PONG          0xa

#define RT_WS_RSV1          0x40    /* of a message: it is compressed */

#define RT_WS_KEEP          (14 + 125)
#define RT_WS_HEADER_MAX    10      /* of a server's frame */

/* close codes, RFC 6455, 7.4.1 */
#define RT_WS_NORMAL        1000
#define RT_WS_GOING_AWAY    1001
#define RT_WS_PROTOCOL      1002
#define RT_WS_NO_STATUS     1005    /* never on the wire */
#define RT_WS_BAD_DATA      1007
#define RT_WS_POLICY        1008
#define RT_WS_TOO_BIG       1009
#define RT_WS_INTERNAL      1011


typedef struct {
    uint64_t         left;     /* payload bytes of the frame to come */
    uint64_t         total;    /* of the message so far, all frames */
    uint64_t         max;      /* of a message */
    uint8_t          mask[4];
    rt_utf8_t        utf8;
    uint8_t          opcode;   /* of the message: TEXT, BINARY; 0: none */
    unsigned         fin:1;    /* of the frame */
    unsigned         in_frame:1;
    unsigned         began:1;  /* a piece of the message was handed out */
    unsigned         shift:2;  /* into mask */
    unsigned         closed:1; /* a CLOSE was seen: nothing may follow */
    unsigned         allow_rsv1:1;  /* the caller's, set after rt_ws_init() */
    unsigned         compressed:1;  /* the message that is coming */
} rt_ws_t;


typedef struct {
    uint8_t          opcode;   /* TEXT, BINARY: a piece; CLOSE, PING, PONG */
    unsigned         first:1;  /* piece begins the message */
    unsigned         last:1;   /* piece ends the message */
    unsigned         compressed:1;  /* piece of a message with RSV1 */
    rt_str_t         data;     /* unmasked, in the caller's buffer; for CLOSE
                                  the reason */
    uint16_t         code;     /* CLOSE: status, RT_WS_NO_STATUS if none;
                                  error: status to close with */
    const char      *text;     /* error: what was wrong */
} rt_ws_event_t;


void rt_ws_init(rt_ws_t *ws, uint64_t max);

/*
 * RT_OK with one event, RT_AGAIN, RT_ERROR.  A data piece is never empty
 * unless it is first or last.  Text is valid UTF-8 piece by piece, and whole
 * at "last".  A message over max is refused when the header that exceeds it
 * is read.
 *
 * With allow_rsv1, RSV1 is taken in the first frame of a message, and only
 * there: the pieces are then as they came.  Text among them is not checked,
 * and max is the size on the wire: whoever inflates it, looks at both.
 */
int rt_ws_next(rt_ws_t *ws, uint8_t **pos, uint8_t *last, rt_ws_event_t *ev);

/* header of an unfragmented, unmasked frame; returns its length, 2 to 10;
   RT_WS_RSV1 may be added to the opcode */
size_t rt_ws_header(uint8_t *out, uint8_t opcode, uint64_t len);


#endif /* _RT_WS_H_INCLUDED_ */
