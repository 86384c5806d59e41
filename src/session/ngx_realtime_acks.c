
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The origin: calls that wait for acks, and what each has got so far.
 *
 *   open       workers that have not said yet who got the event
 *   waiting    sockets that got it and have not answered
 *
 *   both empty                          over
 *   until is past                       over: who has not answered is missing
 *   until is past, a worker is open     waited for up to a second, as in
 *                                       ngx_realtime_ask.c: what it has sent
 *                                       is not known, and the call fails
 *
 * A worker that dies is looked for four times a second while it is open.  Its
 * sockets that had got the event are missing when the time is over.
 *
 * What is over goes to a list that an event works off: an ack may come from
 * the middle of a packet, or of the end of a session, and done() may do
 * anything.
 *
 * Bounds: how many calls wait, the sockets of a call, the bytes of an ack, of
 * all acks of a call and of all calls.  What is over the bytes is missing.
 */


#include "ngx_realtime_bus.h"
#include "ngx_realtime_counter.h"
#include "ngx_realtime_emission.h"
#include "ngx_realtime_log.h"
#include "ngx_realtime_slot.h"


#define NGX_REALTIME_ACKS_CALLS     1024
#define NGX_REALTIME_ACKS_LOOK_AT   250    /* ms */
#define NGX_REALTIME_ACKS_PATIENCE  1000   /* ms */
#define NGX_REALTIME_ACKS_MARGIN    500    /* ms before nginx ends the worker */

/* ACK: this, and the array */

typedef struct {
    ngx_realtime_ref_t         call;
    uint32_t                   kind;
    u_char                     sid[NGX_REALTIME_SID_LEN];
} ngx_realtime_acks_ack_t;


/* a socket that got the event */

typedef struct {
    u_char                     sid[NGX_REALTIME_SID_LEN];
    uint8_t                    state;
} ngx_realtime_acks_socket_t;

#define NGX_REALTIME_ACKS_WAITING   0
#define NGX_REALTIME_ACKS_ANSWERED  1
#define NGX_REALTIME_ACKS_MISSING   2


typedef struct {
    ngx_realtime_ref_t         ref;
    ngx_queue_t                over;       /* prev NULL: it is not */
    ngx_queue_t                queue;      /* of all calls */
    ngx_realtime_age_t         age;
    ngx_msec_t                 until;
    ngx_msec_t                 patience;   /* until when workers are open */

    ngx_realtime_mask_t        open;
    uint64_t                   generations[NGX_REALTIME_SLOTS];

    ngx_realtime_acks_socket_t *sockets;
    ngx_uint_t                 n;          /* of them */
    ngx_uint_t                 size;       /* of the array */
    ngx_uint_t                 waiting;
    ngx_uint_t                 answered;
    ngx_uint_t                 more;       /* that are in no list */

    ngx_str_t                  list;
    size_t                     list_size;
    unsigned                   failed:1;

    ngx_realtime_acks_pt       done;
    void                      *data;
} ngx_realtime_acks_t;


static ngx_realtime_acks_t *ngx_realtime_acks_create(ngx_msec_t timeout);
static void ngx_realtime_acks_hurry(ngx_realtime_acks_t *acks);
static void ngx_realtime_acks_emitted_comes(ngx_uint_t from, u_char *data,
    size_t len);
static void ngx_realtime_acks_emitted(ngx_realtime_acks_t *acks,
    ngx_realtime_emitted_t *emitted, u_char *sids);
static ngx_realtime_acks_socket_t *ngx_realtime_acks_socket(
    ngx_realtime_acks_t *acks, u_char *sid);
static void ngx_realtime_acks_ack_comes(ngx_uint_t from, u_char *data,
    size_t len);
static void ngx_realtime_acks_ack(ngx_realtime_acks_ack_t *ack,
    rt_str_t text);
static ngx_int_t ngx_realtime_acks_keep(ngx_realtime_acks_t *acks,
    u_char *sid, rt_str_t text);
static void ngx_realtime_acks_check(ngx_realtime_acks_t *acks);
static void ngx_realtime_acks_age(ngx_realtime_age_t *age);
static void ngx_realtime_acks_rearm(ngx_realtime_acks_t *acks);
static void ngx_realtime_acks_end(ngx_realtime_acks_t *acks);
static void ngx_realtime_acks_finish(ngx_event_t *ev);
static void ngx_realtime_acks_free(ngx_realtime_acks_t *acks);


static ngx_realtime_table_t  ngx_realtime_acks_table;
static ngx_queue_t           ngx_realtime_acks_calls;
static ngx_queue_t           ngx_realtime_acks_over;
static ngx_event_t           ngx_realtime_acks_event;
static ngx_connection_t      ngx_realtime_acks_dummy;
static size_t                ngx_realtime_acks_bytes;  /* of all lists */
static uint32_t              ngx_realtime_acks_id;

#define ngx_realtime_acks_past(at)                                            \
    ((ngx_msec_int_t) ((at) - ngx_current_msec) <= 0)


void
ngx_realtime_acks_init(ngx_cycle_t *cycle)
{
    ngx_realtime_acks_table.max = NGX_REALTIME_ACKS_CALLS;
    ngx_queue_init(&ngx_realtime_acks_calls);
    ngx_queue_init(&ngx_realtime_acks_over);

    ngx_realtime_acks_dummy.fd = (ngx_socket_t) -1;

    ngx_realtime_acks_event.data = &ngx_realtime_acks_dummy;
    ngx_realtime_acks_event.handler = ngx_realtime_acks_finish;
    ngx_realtime_acks_event.log = cycle->log;

    /* whoever had the slot before may have left ids with clients */

    ngx_realtime_acks_id = ngx_random();

    ngx_realtime_emission_init();

    ngx_realtime_bus_handle(NGX_REALTIME_BUS_EMITTED,
                            ngx_realtime_acks_emitted_comes);
    ngx_realtime_bus_handle(NGX_REALTIME_BUS_ACK,
                            ngx_realtime_acks_ack_comes);
}


ngx_int_t
ngx_realtime_acks_emit(ngx_realtime_acks_emit_t *emit,
    ngx_realtime_acks_pt done, void *data, ngx_realtime_ref_t *ref)
{
    u_char                  *sids;
    ngx_realtime_due_t       due;
    ngx_realtime_msg_t      *m;
    ngx_realtime_acks_t     *acks;
    ngx_realtime_emitted_t   emitted;

    acks = ngx_realtime_acks_create(emit->timeout);
    if (acks == NULL) {
        return NGX_ERROR;
    }

    if (ngx_realtime_table_add(&ngx_realtime_acks_table, acks, &acks->ref)
        != NGX_OK)
    {
        ngx_free(acks);
        return NGX_BUSY;
    }

    acks->done = done;
    acks->data = data;

    ngx_queue_insert_tail(&ngx_realtime_acks_calls, &acks->queue);
    ngx_realtime_age_hold();
    ngx_realtime_gauge_inc(acks_waiting);

    /* of a worker, and in 31 bits: that fits into every client's integers */

    ngx_memzero(&due, sizeof(due));
    due.call = acks->ref;
    due.slot = ngx_realtime_slot;
    due.id = (ngx_realtime_acks_id++ * NGX_REALTIME_SLOTS + due.slot)
             & 0x7fffffff;
    due.until = acks->until;

    m = ngx_realtime_emission_message(emit, &due);
    if (m == NULL) {
        ngx_realtime_acks_free(acks);
        return NGX_ERROR;
    }

    /* the others first: a session that moves here meanwhile is found here */

    acks->open = ngx_realtime_emission_tell(emit, m);

    sids = ngx_realtime_emission_list(&emit->user, &emit->except, &emitted);
    ngx_realtime_acks_emitted(acks, &emitted, sids);

    ngx_realtime_emission_deliver(emit, m);
    ngx_realtime_msg_unref(m);

    *ref = acks->ref;

    ngx_realtime_acks_rearm(acks);
    ngx_realtime_acks_check(acks);

    return NGX_OK;
}


static ngx_realtime_acks_t *
ngx_realtime_acks_create(ngx_msec_t timeout)
{
    ngx_uint_t            i;
    ngx_realtime_acks_t  *acks;

    acks = ngx_calloc(sizeof(ngx_realtime_acks_t), ngx_cycle->log);
    if (acks == NULL) {
        return NULL;
    }

    for (i = 0; i < NGX_REALTIME_SLOTS; i++) {
        acks->generations[i] = ngx_realtime_slot_generation(i);
    }

    acks->age.handler = ngx_realtime_acks_age;
    acks->until = ngx_current_msec + timeout;
    acks->patience = ngx_current_msec
                     + ngx_max(timeout, NGX_REALTIME_ACKS_PATIENCE);

    ngx_realtime_acks_hurry(acks);

    return acks;
}


/* what is not over before nginx ends an exiting worker is over a bit earlier */

static void
ngx_realtime_acks_hurry(ngx_realtime_acks_t *acks)
{
    ngx_msec_t  end;

    end = ngx_current_msec + ngx_realtime_session_within(NGX_MAX_INT32_VALUE)
          - NGX_REALTIME_ACKS_MARGIN;

    if ((ngx_msec_int_t) (acks->until - end) > 0) {
        acks->until = end;
    }

    if ((ngx_msec_int_t) (acks->patience - end) > 0) {
        acks->patience = end;
    }
}


static void
ngx_realtime_acks_emitted_comes(ngx_uint_t from, u_char *data, size_t len)
{
    ngx_realtime_acks_t     *acks;
    ngx_realtime_emitted_t   emitted;

    if (len < sizeof(emitted)) {
        return;
    }

    ngx_memcpy(&emitted, data, sizeof(emitted));

    if (len - sizeof(emitted) != (size_t) emitted.n * NGX_REALTIME_SID_LEN) {
        return;
    }

    acks = ngx_realtime_table_find(&ngx_realtime_acks_table, emitted.call);

    if (acks == NULL || !(acks->open & ngx_realtime_slot_bit(from))) {
        return;
    }

    acks->open &= ~ngx_realtime_slot_bit(from);

    ngx_realtime_acks_emitted(acks, &emitted, data + sizeof(emitted));
    ngx_realtime_acks_check(acks);
}


static void
ngx_realtime_acks_emitted(ngx_realtime_acks_t *acks,
    ngx_realtime_emitted_t *emitted, u_char *sids)
{
    ngx_uint_t  i;

    acks->more += emitted->more;

    for (i = 0; i < emitted->n; i++) {

        if (ngx_realtime_acks_socket(acks, sids + i * NGX_REALTIME_SID_LEN)
            == NULL)
        {
            acks->more++;
        }
    }
}


/* that of a sid, a new one if it was not there; NULL: there is no room */

static ngx_realtime_acks_socket_t *
ngx_realtime_acks_socket(ngx_realtime_acks_t *acks, u_char *sid)
{
    ngx_uint_t                   i, size;
    ngx_realtime_acks_socket_t  *socket;

    for (i = 0; i < acks->n; i++) {
        if (ngx_memcmp(acks->sockets[i].sid, sid, NGX_REALTIME_SID_LEN) == 0) {
            return &acks->sockets[i];
        }
    }

    if (acks->n == NGX_REALTIME_ACKS_SOCKETS) {
        return NULL;
    }

    if (acks->n == acks->size) {
        size = acks->size ? acks->size * 2 : 8;

        socket = realloc(acks->sockets,
                         size * sizeof(ngx_realtime_acks_socket_t));
        if (socket == NULL) {
            return NULL;
        }

        acks->sockets = socket;
        acks->size = size;
    }

    socket = &acks->sockets[acks->n++];

    ngx_memcpy(socket->sid, sid, NGX_REALTIME_SID_LEN);
    socket->state = NGX_REALTIME_ACKS_WAITING;
    acks->waiting++;

    return socket;
}


void
ngx_realtime_acks_tell(const ngx_realtime_due_t *due, u_char *sid,
    ngx_realtime_acks_kind_e kind, rt_str_t text)
{
    ngx_str_t                parts[2];
    ngx_realtime_acks_ack_t  ack;

    ngx_memzero(&ack, sizeof(ack));
    ack.call = due->call;
    ack.kind = kind;
    ngx_memcpy(ack.sid, sid, NGX_REALTIME_SID_LEN);

    if (due->slot == (uint32_t) ngx_realtime_slot) {
        ngx_realtime_acks_ack(&ack, text);
        return;
    }

    parts[0].data = (u_char *) &ack;
    parts[0].len = sizeof(ack);
    parts[1].data = (u_char *) text.data;
    parts[1].len = text.len;

    ngx_realtime_bus_send(ngx_realtime_slot_bit(due->slot),
                          NGX_REALTIME_BUS_ACK, parts, text.len ? 2 : 1);
}


static void
ngx_realtime_acks_ack_comes(ngx_uint_t from, u_char *data, size_t len)
{
    rt_str_t                 text;
    ngx_realtime_acks_ack_t  ack;

    if (len < sizeof(ack)) {
        return;
    }

    ngx_memcpy(&ack, data, sizeof(ack));

    text.data = data + sizeof(ack);
    text.len = len - sizeof(ack);

    ngx_realtime_acks_ack(&ack, text);
}


/*
 * A socket that moved may answer before the worker that it came from is heard,
 * and is counted from then on.
 */

static void
ngx_realtime_acks_ack(ngx_realtime_acks_ack_t *ack, rt_str_t text)
{
    ngx_realtime_acks_t         *acks;
    ngx_realtime_acks_socket_t  *socket;

    acks = ngx_realtime_table_find(&ngx_realtime_acks_table, ack->call);

    socket = (acks && acks->over.prev == NULL)
             ? ngx_realtime_acks_socket(acks, ack->sid) : NULL;

    if (socket == NULL || socket->state == NGX_REALTIME_ACKS_ANSWERED) {

        if (ack->kind == NGX_REALTIME_ACKS_ACK) {
            ngx_realtime_count(acks_unknown);
        }

        return;
    }

    if (socket->state == NGX_REALTIME_ACKS_WAITING) {
        acks->waiting--;
    }

    socket->state = NGX_REALTIME_ACKS_MISSING;

    if (ack->kind == NGX_REALTIME_ACKS_ACK
        && ngx_realtime_acks_keep(acks, ack->sid, text) == NGX_OK)
    {
        socket->state = NGX_REALTIME_ACKS_ANSWERED;
        acks->answered++;
        ngx_realtime_count(acks);
    }

    ngx_realtime_acks_check(acks);
}


/* NGX_DECLINED: there is no room for it */

static ngx_int_t
ngx_realtime_acks_keep(ngx_realtime_acks_t *acks, u_char *sid, rt_str_t text)
{
    u_char     *p;
    size_t      len, size;
    ngx_str_t   socket;

    len = acks->list.len + (acks->answered ? 1 : 0) + text.len;

    if (len > NGX_REALTIME_ACKS_CALL
        || ngx_realtime_acks_bytes + text.len > NGX_REALTIME_ACKS_ALL)
    {
        goto refused;
    }

    if (len > acks->list_size) {
        size = ngx_max(len, acks->list_size * 2);

        p = realloc(acks->list.data, size);
        if (p == NULL) {
            goto refused;
        }

        acks->list.data = p;
        acks->list_size = size;
    }

    p = acks->list.data + acks->list.len;

    if (acks->answered) {
        *p++ = ',';
    }

    ngx_memcpy(p, text.data, text.len);

    ngx_realtime_acks_bytes += len - acks->list.len;
    acks->list.len = len;

    return NGX_OK;

refused:

    socket.data = sid;
    socket.len = NGX_REALTIME_SID_LEN;

    ngx_realtime_count(acks_refused);
    ngx_realtime_log_client(NGX_LOG_INFO, ngx_cycle->log, "ack refused",
                            "its call, or the worker, has no room for it",
                            NULL, &socket);

    return NGX_DECLINED;
}


static void
ngx_realtime_acks_check(ngx_realtime_acks_t *acks)
{
    if (acks->open == 0 && acks->waiting == 0) {
        ngx_realtime_acks_end(acks);
    }
}


static void
ngx_realtime_acks_age(ngx_realtime_age_t *age)
{
    ngx_uint_t            i;
    ngx_realtime_acks_t  *acks;

    acks = ngx_queue_data(age, ngx_realtime_acks_t, age);

    for (i = 0; acks->open && i < NGX_REALTIME_SLOTS; i++) {
        if (!ngx_realtime_slot_is(i, acks->generations[i])) {
            acks->open &= ~ngx_realtime_slot_bit(i);
        }
    }

    if (acks->open == 0
        && (acks->waiting == 0 || ngx_realtime_acks_past(acks->until)))
    {
        ngx_realtime_acks_end(acks);
        return;
    }

    if (ngx_realtime_acks_past(acks->patience)) {
        ngx_realtime_count(api_unanswered);
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "realtime: workers of the slots %xL do not answer",
                      acks->open);
        acks->failed = 1;
        ngx_realtime_acks_end(acks);
        return;
    }

    ngx_realtime_acks_rearm(acks);
}


static void
ngx_realtime_acks_rearm(ngx_realtime_acks_t *acks)
{
    ngx_msec_int_t  left;

    left = (acks->open ? acks->patience : acks->until) - ngx_current_msec;

    if (acks->open) {
        left = ngx_min(left, NGX_REALTIME_ACKS_LOOK_AT);
    }

    ngx_realtime_age_set(&acks->age, ngx_max(left, 0));
}


/* over, and out of reach of whatever still comes for it */

static void
ngx_realtime_acks_end(ngx_realtime_acks_t *acks)
{
    if (acks->over.prev) {
        return;
    }

    ngx_realtime_age_unset(&acks->age);

    ngx_queue_insert_tail(&ngx_realtime_acks_over, &acks->over);

    if (!ngx_realtime_acks_event.posted) {
        ngx_post_event(&ngx_realtime_acks_event, &ngx_posted_events);
    }
}


static void
ngx_realtime_acks_finish(ngx_event_t *ev)
{
    ngx_queue_t           *q;
    ngx_realtime_acks_t   *acks;
    ngx_realtime_acked_t   acked;

    while (!ngx_queue_empty(&ngx_realtime_acks_over)) {

        q = ngx_queue_head(&ngx_realtime_acks_over);
        acks = ngx_queue_data(q, ngx_realtime_acks_t, over);

        ngx_queue_remove(&acks->over);

        acked.list = acks->list;
        acked.missing = acks->n - acks->answered + acks->more;
        acked.failed = acks->failed;

        acks->over.prev = NULL;
        acks->done(acks->data, &acked);

        ngx_realtime_acks_free(acks);
    }
}


void
ngx_realtime_acks_cancel(ngx_realtime_ref_t ref)
{
    ngx_realtime_acks_t  *acks;

    acks = ngx_realtime_table_find(&ngx_realtime_acks_table, ref);

    if (acks) {
        ngx_realtime_acks_free(acks);
    }
}


static void
ngx_realtime_acks_free(ngx_realtime_acks_t *acks)
{
    if (acks->over.prev) {
        ngx_queue_remove(&acks->over);
    }

    ngx_queue_remove(&acks->queue);

    ngx_realtime_age_unset(&acks->age);
    ngx_realtime_age_release();
    ngx_realtime_gauge_dec(acks_waiting);
    ngx_realtime_table_remove(&ngx_realtime_acks_table, acks->ref);

    ngx_realtime_acks_bytes -= acks->list.len;

    free(acks->list.data);
    free(acks->sockets);
    ngx_free(acks);
}


void
ngx_realtime_acks_drain(void)
{
    ngx_queue_t          *q;
    ngx_realtime_acks_t  *acks;

    for (q = ngx_queue_head(&ngx_realtime_acks_calls);
         q != ngx_queue_sentinel(&ngx_realtime_acks_calls);
         q = ngx_queue_next(q))
    {
        acks = ngx_queue_data(q, ngx_realtime_acks_t, queue);

        if (acks->over.prev == NULL) {
            ngx_realtime_acks_hurry(acks);
            ngx_realtime_acks_rearm(acks);
        }
    }
}
