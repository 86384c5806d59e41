
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * WebSocket frames.  The first byte of the input chooses how the rest is cut,
 * the limit of a message, and whether messages may be compressed; the rest is
 * parsed in one piece and again in many, and must tell the same story:
 * messages, control frames, the error.
 */

#include "fuzz.h"
#include "rt_ws.h"


#define FUZZ_MAX_SMALL  64
#define FUZZ_MAX_LARGE  (1 << 20)

#define FUZZ_SMALL      0x01     /* in the first byte */
#define FUZZ_RSV1       0x80


/*
 * One story: a record for each finished message and control frame and for the
 * error; the pieces of a message not yet finished stand at text + len.
 */

typedef struct {
    uint8_t   *text;
    size_t     len;
    size_t     size;
    size_t     piece;        /* bytes of the message that is coming */
    uint8_t    opcode;       /* of it; 0: none */
    unsigned   compressed:1; /* it is */
    unsigned   allow_rsv1:1;
    int        rc;
} fuzz_story_t;


static void
fuzz_append(fuzz_story_t *s, const uint8_t *p, size_t len)
{
    fuzz_assert(len <= s->size - s->len - s->piece);

    if (len) {
        memcpy(s->text + s->len + s->piece, p, len);
    }

    s->piece += len;
}


/* what was appended becomes a record that ends in its own length */

static void
fuzz_record(fuzz_story_t *s, uint8_t type, uint16_t code)
{
    uint32_t  tail[2];

    tail[0] = (uint32_t) s->piece;
    tail[1] = (uint32_t) type << 16 | code;

    fuzz_append(s, (const uint8_t *) tail, sizeof(tail));

    s->len += s->piece;
    s->piece = 0;
}


static void
fuzz_event(fuzz_story_t *s, const rt_ws_event_t *ev, uint64_t max)
{
    uint8_t   control[125];
    size_t    held;
    uint8_t  *p;

    switch (ev->opcode) {

    case RT_WS_TEXT:
    case RT_WS_BINARY:
        fuzz_assert(ev->first == (s->opcode == 0));
        fuzz_assert(ev->first || s->opcode == ev->opcode);
        fuzz_assert(ev->first || s->compressed == ev->compressed);
        fuzz_assert(ev->data.len || ev->first || ev->last);
        fuzz_assert(s->allow_rsv1 || !ev->compressed);

        s->opcode = ev->opcode;
        s->compressed = ev->compressed;
        fuzz_append(s, ev->data.data, ev->data.len);

        fuzz_assert(s->piece <= max);

        if (ev->last) {
            fuzz_assert(ev->opcode == RT_WS_BINARY || ev->compressed
                        || rt_utf8_check(s->text + s->len, s->piece) == RT_OK);

            fuzz_record(s, ev->opcode, ev->compressed);
            s->opcode = 0;
        }

        break;

    case RT_WS_CLOSE:
    case RT_WS_PING:
    case RT_WS_PONG:
        fuzz_assert(ev->data.len <= sizeof(control) && !ev->compressed);

        /* goes in front of the pieces of the message around it */

        memcpy(control, ev->data.data, ev->data.len);
        held = s->piece;
        p = malloc(held + 1);
        fuzz_assert(p);
        memcpy(p, s->text + s->len, held);

        s->piece = 0;
        fuzz_append(s, control, ev->data.len);
        fuzz_record(s, ev->opcode, ev->code);
        fuzz_append(s, p, held);

        free(p);

        break;

    default:
        fuzz_assert(!"opcode");
    }
}


static uint32_t
fuzz_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;

    return *state >> 16;
}


/* seed 0: in one piece */

static void
fuzz_parse(fuzz_story_t *s, const uint8_t *p, size_t len, uint64_t max,
    uint32_t seed)
{
    size_t         n, kept;
    uint8_t       *buf, *pos, keep[RT_WS_KEEP];
    rt_ws_t        ws;
    rt_ws_event_t  ev;

    rt_ws_init(&ws, max);
    ws.allow_rsv1 = s->allow_rsv1;

    kept = 0;

    do {
        n = len;

        if (seed) {
            n = fuzz_random(&seed);
            n %= (n & 0x100) ? 4 : 40;
            n = n < len ? n : len;
        }

        /* exactly as long as the data, so that a byte too far is seen */

        buf = malloc(kept + n + !(kept + n));
        fuzz_assert(buf);

        memcpy(buf, keep, kept);

        if (n) {
            memcpy(buf + kept, p, n);
        }

        p += n;
        len -= n;
        n += kept;
        pos = buf;

        while ((s->rc = rt_ws_next(&ws, &pos, buf + n, &ev)) == RT_OK) {
            fuzz_event(s, &ev, max);
        }

        fuzz_assert(pos >= buf && pos <= buf + n);

        if (s->rc == RT_AGAIN) {
            kept = (size_t) (buf + n - pos);
            fuzz_assert(kept <= RT_WS_KEEP);
            memcpy(keep, pos, kept);
        }

        free(buf);

    } while (len && s->rc == RT_AGAIN);

    if (s->rc == RT_ERROR) {
        fuzz_assert(ev.text != NULL);
        fuzz_assert(ev.code == RT_WS_PROTOCOL || ev.code == RT_WS_BAD_DATA
                    || ev.code == RT_WS_TOO_BIG);

        /* the pieces so far depend on the cuts: only their frames count */

        s->piece = 0;
        fuzz_record(s, 0xff, ev.code);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t      max;
    fuzz_story_t  whole, cut;

    if (size == 0) {
        return 0;
    }

    max = data[0] & FUZZ_SMALL ? FUZZ_MAX_SMALL : FUZZ_MAX_LARGE;

    memset(&whole, 0, sizeof(fuzz_story_t));
    whole.size = 4 * size + 64;
    whole.text = malloc(whole.size);
    whole.allow_rsv1 = (data[0] & FUZZ_RSV1) != 0;

    cut = whole;
    cut.text = malloc(cut.size);

    fuzz_assert(whole.text && cut.text);

    fuzz_parse(&whole, data + 1, size - 1, max, 0);
    fuzz_parse(&cut, data + 1, size - 1, max, 1 + data[0]);

    fuzz_assert(whole.rc == cut.rc);
    fuzz_assert(whole.len == cut.len);
    fuzz_assert(memcmp(whole.text, cut.text, whole.len) == 0);

    /* and, if it goes on, what was handed out of the next message */

    fuzz_assert(whole.piece == cut.piece);
    fuzz_assert(memcmp(whole.text + whole.len, cut.text + cut.len,
                       whole.piece) == 0);

    free(whole.text);
    free(cut.text);

    return 0;
}
