
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * A header is judged byte by byte as far as it has come, but changes the state
 * only when it is complete; so a header that is cut off can be presented again
 * from its first byte, and how the input is cut never changes the answer.
 *
 *   between frames --- data header ---> in_frame --- left == 0 ---.
 *     ^    |   ^                                                  |
 *     |    |   `--------------------------------------------------'
 *     |    `-- whole control frame: event --.
 *     `-------------------------------------'   CLOSE or an error: closed
 */


#include "rt_ws.h"


#define RT_WS_FIN           0x80
#define RT_WS_RSV           0x70    /* all three */
#define RT_WS_OPCODE        0x0f
#define RT_WS_MASKED        0x80
#define RT_WS_LEN           0x7f

#define RT_WS_LEN16         126
#define RT_WS_LEN64         127
#define RT_WS_CONTROL_MAX   125

#define RT_WS_NO_EVENT      1       /* internal: went on, nothing to tell */

#define rt_ws_is_control(opcode)  ((opcode) & 0x8)


static int rt_ws_frame(rt_ws_t *ws, uint8_t **pos, uint8_t *last,
    rt_ws_event_t *ev);
static size_t rt_ws_length(rt_ws_t *ws, const uint8_t *p, size_t size,
    uint64_t *len, const char **text);
static const char *rt_ws_check(rt_ws_t *ws, uint8_t first);
static void rt_ws_begin(rt_ws_t *ws, uint8_t first, uint64_t len,
    const uint8_t *mask);
static int rt_ws_data(rt_ws_t *ws, uint8_t **pos, uint8_t *last,
    rt_ws_event_t *ev);
static int rt_ws_control(rt_ws_t *ws, uint8_t opcode, uint8_t *p, size_t len,
    rt_ws_event_t *ev);
static int rt_ws_peer_close(rt_ws_t *ws, rt_ws_event_t *ev);
static void rt_ws_unmask(uint8_t *p, size_t len, const uint8_t *mask,
    unsigned shift);
static int rt_ws_refuse(rt_ws_t *ws, rt_ws_event_t *ev, uint16_t code,
    const char *text);


void
rt_ws_init(rt_ws_t *ws, uint64_t max)
{
    memset(ws, 0, sizeof(rt_ws_t));

    ws->max = max;
}


int
rt_ws_next(rt_ws_t *ws, uint8_t **pos, uint8_t *last, rt_ws_event_t *ev)
{
    int  rc;

    memset(ev, 0, sizeof(rt_ws_event_t));

    do {
        if (ws->in_frame) {
            rc = rt_ws_data(ws, pos, last, ev);

        } else {
            rc = rt_ws_frame(ws, pos, last, ev);
        }

    } while (rc == RT_WS_NO_EVENT);

    return rc;
}


/* a frame begins at *pos: a whole control frame, or the header of a data one */

static int
rt_ws_frame(rt_ws_t *ws, uint8_t **pos, uint8_t *last, rt_ws_event_t *ev)
{
    size_t       n, size;
    uint8_t     *p, opcode;
    uint64_t     len;
    const char  *text;

    p = *pos;
    size = (size_t) (last - p);

    if (size == 0) {
        return RT_AGAIN;
    }

    n = rt_ws_length(ws, p, size, &len, &text);

    if (text) {
        return rt_ws_refuse(ws, ev, RT_WS_PROTOCOL, text);
    }

    if (n == 0) {
        return RT_AGAIN;
    }

    opcode = p[0] & RT_WS_OPCODE;

    if (rt_ws_is_control(opcode)) {
        if (size < n + 4 + len) {
            return RT_AGAIN;
        }

        *pos = p + n + 4 + len;

        return rt_ws_control(ws, opcode, p + n, (size_t) len, ev);
    }

    /* total never exceeds max: the difference cannot wrap around */

    if (len > ws->max - (opcode == RT_WS_CONT ? ws->total : 0)) {
        return rt_ws_refuse(ws, ev, RT_WS_TOO_BIG, "message too big");
    }

    if (size < n + 4) {
        return RT_AGAIN;
    }

    *pos = p + n + 4;

    rt_ws_begin(ws, p[0], len, p + n);

    return RT_WS_NO_EVENT;
}


/*
 * The header up to where the mask key begins: returns that offset, or 0 if it
 * has not come yet or *text says what is wrong.
 */

static size_t
rt_ws_length(rt_ws_t *ws, const uint8_t *p, size_t size, uint64_t *len,
    const char **text)
{
    size_t  i, n;

    *len = 0;
    *text = rt_ws_check(ws, p[0]);

    if (*text || size < 2) {
        return 0;
    }

    if (!(p[1] & RT_WS_MASKED)) {
        *text = "frame is not masked";
        return 0;
    }

    *len = p[1] & RT_WS_LEN;

    if (*len <= RT_WS_CONTROL_MAX) {
        return 2;
    }

    if (rt_ws_is_control(p[0] & RT_WS_OPCODE)) {
        *text = "control frame too long";
        return 0;
    }

    n = (*len == RT_WS_LEN16) ? 4 : 10;

    if (size < n) {
        return 0;
    }

    for (*len = 0, i = 2; i < n; i++) {
        *len = *len << 8 | p[i];
    }

    if (*len >> 63) {
        *text = "length has its top bit set";
        return 0;
    }

    if (*len <= (n == 4 ? RT_WS_CONTROL_MAX : 0xffff)) {
        *text = "length is not minimal";
        return 0;
    }

    return n;
}


/* whether a frame may begin with this byte now: NULL, or what is wrong */

static const char *
rt_ws_check(rt_ws_t *ws, uint8_t first)
{
    uint8_t  opcode, rsv;

    if (ws->closed) {
        return "data after close";
    }

    opcode = first & RT_WS_OPCODE;
    rsv = first & RT_WS_RSV;

    if (rsv
        && (rsv != RT_WS_RSV1 || !ws->allow_rsv1 || opcode == RT_WS_CONT
            || rt_ws_is_control(opcode)))
    {
        return "reserved bit set";
    }

    switch (opcode) {

    case RT_WS_CONT:
        return ws->opcode ? NULL : "continuation without a message";

    case RT_WS_TEXT:
    case RT_WS_BINARY:
        return ws->opcode ? "new message inside a message" : NULL;

    case RT_WS_CLOSE:
    case RT_WS_PING:
    case RT_WS_PONG:
        return (first & RT_WS_FIN) ? NULL : "fragmented control frame";

    default:
        return "reserved opcode";
    }
}


static void
rt_ws_begin(rt_ws_t *ws, uint8_t first, uint64_t len, const uint8_t *mask)
{
    if ((first & RT_WS_OPCODE) != RT_WS_CONT) {
        ws->opcode = first & RT_WS_OPCODE;
        ws->compressed = (first & RT_WS_RSV1) != 0;
        ws->began = 0;
        ws->total = 0;
    }

    ws->fin = (first & RT_WS_FIN) != 0;
    ws->left = len;
    ws->total += len;
    ws->shift = 0;
    memcpy(ws->mask, mask, 4);

    ws->in_frame = 1;
}


static int
rt_ws_data(rt_ws_t *ws, uint8_t **pos, uint8_t *last, rt_ws_event_t *ev)
{
    size_t    n;
    uint8_t  *p;

    p = *pos;
    n = (size_t) (last - p);

    if (n >= ws->left) {
        n = (size_t) ws->left;
        ws->in_frame = 0;

    } else if (n == 0) {
        return RT_AGAIN;
    }

    *pos = p + n;
    ws->left -= n;

    rt_ws_unmask(p, n, ws->mask, ws->shift);
    ws->shift = (ws->shift + n) & 3;

    ev->last = ws->fin && !ws->in_frame;

    if (ws->opcode == RT_WS_TEXT && !ws->compressed) {

        if (rt_utf8_feed(&ws->utf8, p, n) != RT_OK) {
            return rt_ws_refuse(ws, ev, RT_WS_BAD_DATA, "text is not UTF-8");
        }

        if (ev->last && !rt_utf8_done(&ws->utf8)) {
            return rt_ws_refuse(ws, ev, RT_WS_BAD_DATA,
                                "text ends inside a character");
        }
    }

    if (n == 0 && !ev->last) {
        return RT_WS_NO_EVENT;
    }

    ev->opcode = ws->opcode;
    ev->first = !ws->began;
    ev->compressed = ws->compressed;
    ev->data.data = p;
    ev->data.len = n;

    ws->began = 1;

    if (ev->last) {
        ws->opcode = 0;
    }

    return RT_OK;
}


/* p: the mask key, with the whole payload after it */

static int
rt_ws_control(rt_ws_t *ws, uint8_t opcode, uint8_t *p, size_t len,
    rt_ws_event_t *ev)
{
    rt_ws_unmask(p + 4, len, p, 0);

    ev->opcode = opcode;
    ev->data.data = p + 4;
    ev->data.len = len;

    if (opcode == RT_WS_CLOSE) {
        return rt_ws_peer_close(ws, ev);
    }

    return RT_OK;
}


static int
rt_ws_peer_close(rt_ws_t *ws, rt_ws_event_t *ev)
{
    uint16_t  code;

    ws->closed = 1;

    if (ev->data.len == 0) {
        ev->code = RT_WS_NO_STATUS;
        return RT_OK;
    }

    if (ev->data.len == 1) {
        return rt_ws_refuse(ws, ev, RT_WS_PROTOCOL, "close payload of 1 byte");
    }

    code = (uint16_t) (ev->data.data[0] << 8 | ev->data.data[1]);

    if (!(code >= 1000 && code <= 1003)
        && !(code >= 1007 && code <= 1014)
        && !(code >= 3000 && code <= 4999))
    {
        return rt_ws_refuse(ws, ev, RT_WS_PROTOCOL, "invalid close code");
    }

    ev->code = code;
    ev->data.data += 2;
    ev->data.len -= 2;

    if (rt_utf8_check(ev->data.data, ev->data.len) != RT_OK) {
        return rt_ws_refuse(ws, ev, RT_WS_BAD_DATA,
                            "close reason is not UTF-8");
    }

    return RT_OK;
}


static void
rt_ws_unmask(uint8_t *p, size_t len, const uint8_t *mask, unsigned shift)
{
    size_t    i;
    uint8_t   key[8];
    uint64_t  word, key64;

    for (i = 0; i < 8; i++) {
        key[i] = mask[(shift + i) & 3];
    }

    memcpy(&key64, key, 8);

    /* memcpy: the payload has any alignment; it compiles to a plain load */

    for ( /* void */ ; len >= 8; len -= 8, p += 8) {
        memcpy(&word, p, 8);
        word ^= key64;
        memcpy(p, &word, 8);
    }

    for (i = 0; i < len; i++) {
        p[i] ^= key[i];
    }
}


/* an error is as final as a CLOSE: whatever comes after it is refused too */

static int
rt_ws_refuse(rt_ws_t *ws, rt_ws_event_t *ev, uint16_t code, const char *text)
{
    memset(ev, 0, sizeof(rt_ws_event_t));

    ev->code = code;
    ev->text = text;

    ws->closed = 1;
    ws->in_frame = 0;

    return RT_ERROR;
}


size_t
rt_ws_header(uint8_t *out, uint8_t opcode, uint64_t len)
{
    size_t  i, n;

    out[0] = RT_WS_FIN | opcode;

    if (len < RT_WS_LEN16) {
        out[1] = (uint8_t) len;
        return 2;
    }

    if (len <= 0xffff) {
        out[1] = RT_WS_LEN16;
        n = 4;

    } else {
        out[1] = RT_WS_LEN64;
        n = 10;
    }

    for (i = n; i > 2; len >>= 8) {
        out[--i] = (uint8_t) (len & 0xff);
    }

    return n;
}
