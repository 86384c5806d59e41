
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * How a session moves from worker A to worker B without losing, doubling or
 * reordering what rooms send to it meanwhile.
 *
 * Every record of every ring is read by A and by B in the same order, and a
 * position in a ring means the same to both.  So the border between "A got it
 * for the session" and "B gets it for the session" is a position per ring:
 *
 *   A  TAKE comes: STATE has all that A ever got for the session, and how far
 *      A has read each ring ("had").  From now on A is a ghost: it keeps its
 *      seats and notes what they get.
 *   B  restores the session, sits down in the rooms, and notes how far it has
 *      read each ring (cursors) and how far each has got (heads): JOINED.
 *      What its seats get is held back, but what A had already (position <
 *      had) is dropped: B may be behind A.
 *   A  forwards of what it noted, and of what still comes, exactly that which
 *      B will not get by itself: a record that B had read before it sat down
 *      (position < cursor), or one that was not addressed to B at all,
 *      because the publisher had looked at the directory before.  Then END,
 *      but not before A has read up to the heads: until there, records may
 *      come that were not addressed to B, and they are older than what B
 *      holds back.
 *   B  passes on what it held back, and from now on all at once.  It goes on
 *      dropping what A had until it has read that far itself.
 *
 * Of A's own publications B gets those that were addressed to it, for STATE
 * stands before them in A's ring.  B's own ones go to A's seat by B's ring,
 * where the cursor of B is the place it had written to.
 *
 * Whoever looks for the sockets of a user finds the ghost until END: B may have
 * read the question before it had the session, and A reads it before END.
 *
 * What is sent to the ghost itself (acks of calls that Postgres still works
 * on) is always forwarded.  The ghost answers polls of the old sid with "Bad
 * request", as the reference server does after an upgrade, and goes after 10
 * seconds; its sid is then in ngx_realtime_moved.h, until B says GONE.
 */


#include "ngx_realtime_acks.h"
#include "ngx_realtime_counter.h"
#include "ngx_realtime_detour.h"
#include "ngx_realtime_moved.h"
#include "ngx_realtime_people.h"
#include "ngx_realtime_recovery.h"
#include "ngx_realtime_slot.h"
#include "ngx_realtime_state.h"
#include "rt_eio.h"
#include "rt_ws.h"


#define NGX_REALTIME_DETOUR_GHOST  10000   /* ms */
#define NGX_REALTIME_DETOUR_WAIT   2000    /* ms, for END: after it A is dead */


typedef struct {
    ngx_queue_t                queue;
    ngx_realtime_bus_origin_t  origin;
    ngx_realtime_msg_t        *message;
} ngx_realtime_noted_t;


/* JOINED: where B stands */

typedef struct {
    uint64_t                   cursors[NGX_REALTIME_SLOTS];
    uint64_t                   heads[NGX_REALTIME_SLOTS];
} ngx_realtime_joined_t;


struct ngx_realtime_detour_s {
    unsigned                   ghost:1;    /* this is A; else B */
    unsigned                   joined:1;   /* A: JOINED has come */

    /* A */
    ngx_realtime_waiter_t      to;         /* before JOINED the probe, then
                                              the session */
    ngx_realtime_joined_t      b;          /* of JOINED */
    ngx_queue_t                noted;      /* before JOINED */
    ngx_queue_t                queue;      /* of ghosts that owe an END; prev
                                              == NULL: not on the list */

    /* B */
    unsigned                   ended:1;    /* END has come */
    uint64_t                   had[NGX_REALTIME_SLOTS];
    ngx_realtime_out_t         held;
    ngx_realtime_age_t         age;
    ngx_realtime_session_t    *session;
};


static void ngx_realtime_detour_ghost_request(ngx_realtime_session_t *s,
    ngx_realtime_poll_op_e op, const ngx_realtime_waiter_t *waiter,
    u_char *body, size_t len);
static void ngx_realtime_detour_probe(ngx_realtime_session_t *s,
    u_char *sid, const ngx_realtime_waiter_t *waiter);
static void ngx_realtime_detour_tell(const ngx_realtime_waiter_t *waiter,
    ngx_realtime_detour_e kind, ngx_uint_t code);
static void ngx_realtime_detour_give(ngx_realtime_session_t *s,
    const ngx_realtime_waiter_t *waiter);
static ngx_int_t ngx_realtime_detour_become_ghost(ngx_realtime_session_t *s,
    const ngx_realtime_waiter_t *waiter);
static void ngx_realtime_detour_ghost_age(ngx_realtime_age_t *age);
static void ngx_realtime_detour_joined(ngx_realtime_session_t *s,
    const ngx_realtime_waiter_t *waiter, u_char *body, size_t len);
static void ngx_realtime_detour_settle_up(ngx_event_t *ev);
static ngx_uint_t ngx_realtime_detour_missed(ngx_realtime_detour_t *d,
    ngx_realtime_bus_origin_t *origin);
static void ngx_realtime_detour_note(ngx_realtime_session_t *s,
    ngx_realtime_msg_t *m);
static void ngx_realtime_detour_forward(ngx_realtime_session_t *s,
    ngx_realtime_msg_t *m);
static ngx_int_t ngx_realtime_detour_wait(ngx_realtime_session_t *s,
    uint64_t *had, u_char *sid);
static void ngx_realtime_detour_pass(ngx_realtime_session_t *s,
    ngx_realtime_msg_t *m);
static void ngx_realtime_detour_end(ngx_realtime_session_t *s);
static void ngx_realtime_detour_late(ngx_realtime_age_t *age);


static ngx_queue_t       ngx_realtime_detour_owing;   /* ghosts without END */
static ngx_event_t       ngx_realtime_detour_event;
static ngx_connection_t  ngx_realtime_detour_dummy;


void
ngx_realtime_detour_init(ngx_cycle_t *cycle)
{
    ngx_queue_init(&ngx_realtime_detour_owing);

    ngx_realtime_detour_dummy.fd = (ngx_socket_t) -1;

    ngx_realtime_detour_event.data = &ngx_realtime_detour_dummy;
    ngx_realtime_detour_event.handler = ngx_realtime_detour_settle_up;
    ngx_realtime_detour_event.log = cycle->log;
}


/* worker A */


void
ngx_realtime_upgrade_request(ngx_realtime_session_t *s, u_char *sid,
    ngx_realtime_poll_op_e op, const ngx_realtime_waiter_t *waiter,
    u_char *body, size_t len)
{
    if (op == NGX_REALTIME_POLL_PROBE) {
        ngx_realtime_detour_probe(s, sid, waiter);
        return;
    }

    if (s && ngx_realtime_detour_is_ghost(s)) {
        ngx_realtime_detour_ghost_request(s, op, waiter, body, len);
        return;
    }

    if (op == NGX_REALTIME_POLL_GONE) {
        ngx_realtime_moved_remove(sid);
        return;
    }

    /* the rest is for the probe that was allowed */

    if (s == NULL || s->detour || s->kicked
        || !ngx_realtime_waiter_is(&s->probing, waiter)
        || !ngx_realtime_polling_is(s->transport))
    {
        if (op == NGX_REALTIME_POLL_TAKE) {
            ngx_realtime_detour_tell(waiter, NGX_REALTIME_DETOUR_REFUSED,
                                     RT_EIO_SID_UNKNOWN);
        }

        return;
    }

    switch (op) {

    case NGX_REALTIME_POLL_HOLD:
        ngx_realtime_polling_hold(s->transport, 1);
        return;

    case NGX_REALTIME_POLL_RELEASE:
        s->probing.generation = 0;
        ngx_realtime_polling_hold(s->transport, 0);
        return;

    default: /* NGX_REALTIME_POLL_TAKE */
        ngx_realtime_detour_give(s, waiter);
    }
}


static void
ngx_realtime_detour_ghost_request(ngx_realtime_session_t *s,
    ngx_realtime_poll_op_e op, const ngx_realtime_waiter_t *waiter,
    u_char *body, size_t len)
{
    ngx_realtime_detour_t  *d;

    d = s->detour;

    switch (op) {

    case NGX_REALTIME_POLL_JOINED:
        ngx_realtime_detour_joined(s, waiter, body, len);
        return;

    case NGX_REALTIME_POLL_RELEASE:

        /* the WebSocket was closed before STATE came to it */

        if (!d->joined && ngx_realtime_waiter_is(&d->to, waiter)) {
            ngx_realtime_session_free(s, "transport close");
        }

        return;

    case NGX_REALTIME_POLL_GONE:
        ngx_realtime_session_free(s, NULL);
        return;

    default:
        return;
    }
}


static void
ngx_realtime_detour_probe(ngx_realtime_session_t *s, u_char *sid,
    const ngx_realtime_waiter_t *waiter)
{
    if (s == NULL) {
        ngx_realtime_detour_tell(waiter, NGX_REALTIME_DETOUR_REFUSED,
                                 ngx_realtime_moved_is(sid)
                                 ? RT_EIO_BAD_REQUEST : RT_EIO_SID_UNKNOWN);
        return;
    }

    ngx_realtime_detour_check_probing(s);

    if (s->detour || s->kicked || s->probing.generation
        || !ngx_realtime_polling_is(s->transport))
    {
        ngx_realtime_detour_tell(waiter, NGX_REALTIME_DETOUR_REFUSED,
                                 RT_EIO_BAD_REQUEST);
        return;
    }

    s->probing = *waiter;

    ngx_realtime_detour_tell(waiter, NGX_REALTIME_DETOUR_ALLOWED, 0);
}


void
ngx_realtime_detour_check_probing(ngx_realtime_session_t *s)
{
    if (s->probing.generation == 0 || s->detour
        || ngx_realtime_slot_is(s->probing.slot, s->probing.owner))
    {
        return;
    }

    s->probing.generation = 0;
    ngx_realtime_polling_hold(s->transport, 0);
}


static void
ngx_realtime_detour_tell(const ngx_realtime_waiter_t *waiter,
    ngx_realtime_detour_e kind, ngx_uint_t code)
{
    ngx_realtime_detour_head_t  head;

    ngx_memzero(&head, sizeof(head));
    head.kind = kind;
    head.code = code;

    ngx_realtime_upgrade_tell(waiter, &head, NULL, 0);
}


static void
ngx_realtime_detour_give(ngx_realtime_session_t *s,
    const ngx_realtime_waiter_t *waiter)
{
    u_char                      *body;
    size_t                       len;
    ngx_realtime_out_t           out;
    ngx_realtime_detour_head_t   head;

    ngx_realtime_out_init(&out);
    ngx_realtime_polling_hand_over(s->transport, &out, s->log);
    s->transport = NULL;

    len = ngx_realtime_state_size(s, &out);
    body = ngx_alloc(len, s->log);

    if (body == NULL || ngx_realtime_detour_become_ghost(s, waiter) != NGX_OK)
    {
        ngx_realtime_out_drop(&out);

        if (body) {
            ngx_free(body);
        }

        ngx_realtime_session_free(s, "no memory");
        return;
    }

    ngx_realtime_state_print(s, &out, body);

    ngx_memzero(&head, sizeof(head));
    head.kind = NGX_REALTIME_DETOUR_STATE;

    ngx_realtime_upgrade_tell(waiter, &head, body, len);

    ngx_realtime_out_drop(&out);
    ngx_free(body);
}


static ngx_int_t
ngx_realtime_detour_become_ghost(ngx_realtime_session_t *s,
    const ngx_realtime_waiter_t *waiter)
{
    ngx_queue_t            *q;
    ngx_realtime_detour_t  *d;

    d = ngx_calloc(sizeof(ngx_realtime_detour_t), s->log);
    if (d == NULL) {
        return NGX_ERROR;
    }

    d->ghost = 1;
    d->to = *waiter;
    d->session = s;
    ngx_queue_init(&d->noted);
    ngx_realtime_out_init(&d->held);

    s->detour = d;
    s->probing.generation = 0;

    /* it is B's now for who counts; ngx_realtime_detour_free() gives back */

    ngx_realtime_gauge_dec(connections);

    for (q = ngx_queue_head(&s->sockets);
         q != ngx_queue_sentinel(&s->sockets);
         q = ngx_queue_next(q))
    {
        ngx_realtime_gauge_dec(sockets);

        /* not here any more, and perhaps never there */
        ngx_realtime_recovery_leave(ngx_queue_data(q, ngx_realtime_socket_t,
                                                   queue));
    }

    s->age.handler = ngx_realtime_detour_ghost_age;
    ngx_realtime_age_set(&s->age,
                         ngx_realtime_session_within(
                             NGX_REALTIME_DETOUR_GHOST));

    return NGX_OK;
}


static void
ngx_realtime_detour_ghost_age(ngx_realtime_age_t *age)
{
    ngx_realtime_session_t  *s;

    s = ngx_queue_data(age, ngx_realtime_session_t, age);

    if (s->detour->joined) {
        ngx_realtime_moved_add(s->sid, &s->detour->to, s->log);
    }

    ngx_realtime_session_free(s, NULL);
}


static void
ngx_realtime_detour_joined(ngx_realtime_session_t *s,
    const ngx_realtime_waiter_t *waiter, u_char *body, size_t len)
{
    ngx_queue_t            *q;
    ngx_realtime_noted_t   *noted;
    ngx_realtime_detour_t  *d;

    d = s->detour;

    if (d->joined || waiter->slot != d->to.slot || len != sizeof(d->b)) {
        return;
    }

    ngx_memcpy(&d->b, body, len);
    d->to = *waiter;
    d->joined = 1;

    ngx_realtime_socket_leave(s);

    while (!ngx_queue_empty(&d->noted)) {
        q = ngx_queue_head(&d->noted);
        ngx_queue_remove(q);

        noted = ngx_queue_data(q, ngx_realtime_noted_t, queue);

        if (ngx_realtime_detour_missed(d, &noted->origin)) {
            ngx_realtime_detour_forward(s, noted->message);
        }

        ngx_realtime_msg_unref(noted->message);
        ngx_free(noted);
    }

    ngx_queue_insert_tail(&ngx_realtime_detour_owing, &d->queue);
    ngx_realtime_detour_settle_up(&ngx_realtime_detour_event);
}


/* END for the ghosts that have read far enough; the rings for the others */

static void
ngx_realtime_detour_settle_up(ngx_event_t *ev)
{
    uint64_t                cursors[NGX_REALTIME_SLOTS];
    ngx_uint_t              i;
    ngx_queue_t            *q, *next;
    ngx_realtime_detour_t  *d;

    ngx_realtime_bus_cursors(cursors);

    for (q = ngx_queue_head(&ngx_realtime_detour_owing);
         q != ngx_queue_sentinel(&ngx_realtime_detour_owing);
         q = next)
    {
        next = ngx_queue_next(q);
        d = ngx_queue_data(q, ngx_realtime_detour_t, queue);

        for (i = 0; i < NGX_REALTIME_SLOTS; i++) {
            if (cursors[i] < d->b.heads[i]) {
                break;
            }
        }

        if (i == NGX_REALTIME_SLOTS) {
            ngx_queue_remove(q);
            q->prev = NULL;
            ngx_realtime_people_remove_all(d->session);
            ngx_realtime_detour_tell(&d->to, NGX_REALTIME_DETOUR_END, 0);
        }
    }

    if (!ngx_queue_empty(&ngx_realtime_detour_owing) && !ev->posted) {

        /* the rings in this turn of the event loop, this again in the next */

        ngx_realtime_bus_poke();
        ngx_post_event(ev, &ngx_posted_next_events);
    }
}


/* does B not get it by itself?  See the top of this file */

static ngx_uint_t
ngx_realtime_detour_missed(ngx_realtime_detour_t *d,
    ngx_realtime_bus_origin_t *origin)
{
    if (origin->from == d->to.slot) {
        return origin->position < d->b.cursors[origin->from];
    }

    if (!(origin->readers & ngx_realtime_slot_bit(d->to.slot))) {
        return 1;
    }

    return origin->from != (ngx_uint_t) ngx_realtime_slot
           && origin->position < d->b.cursors[origin->from];
}


static void
ngx_realtime_detour_note(ngx_realtime_session_t *s, ngx_realtime_msg_t *m)
{
    ngx_realtime_noted_t  *noted;

    noted = ngx_alloc(sizeof(ngx_realtime_noted_t), s->log);
    if (noted == NULL) {
        return;
    }

    ngx_realtime_msg_ref(m);

    noted->message = m;
    noted->origin = ngx_realtime_bus_origin;
    ngx_queue_insert_tail(&s->detour->noted, &noted->queue);
}


static void
ngx_realtime_detour_forward(ngx_realtime_session_t *s, ngx_realtime_msg_t *m)
{
    ngx_realtime_detour_head_t  head;

    ngx_memzero(&head, sizeof(head));
    head.kind = NGX_REALTIME_DETOUR_FORWARD;
    head.code = m->binary;
    head.place = m->place;

    if (m->due) {
        head.due = *m->due;
    }

    ngx_realtime_upgrade_tell(&s->detour->to, &head,
                              ngx_realtime_msg_payload(m),
                              ngx_realtime_msg_payload_len(m));
}


/* both workers */


void
ngx_realtime_detour_deliver(ngx_realtime_session_t *s, ngx_realtime_msg_t *m,
    ngx_uint_t from_room)
{
    ngx_realtime_detour_t  *d;

    d = s->detour;

    if (!d->ghost) {

        if (from_room
            && ngx_realtime_bus_origin.from != (ngx_uint_t) ngx_realtime_slot
            && ngx_realtime_bus_origin.position
               < d->had[ngx_realtime_bus_origin.from])
        {
            return;
        }

        if (from_room && !d->ended) {
            (void) ngx_realtime_out_push(&d->held, m, s->log);

        } else {
            ngx_realtime_detour_pass(s, m);
        }

        return;
    }

    if (!from_room) {

        /* an ack: not addressed to B, so always missed */

        ngx_realtime_bus_origin.from = ngx_realtime_slot;
        ngx_realtime_bus_origin.position = 0;
        ngx_realtime_bus_origin.readers = 0;
    }

    if (!d->joined) {
        ngx_realtime_detour_note(s, m);

    } else if (ngx_realtime_detour_missed(d, &ngx_realtime_bus_origin)) {
        ngx_realtime_detour_forward(s, m);
    }
}


ngx_uint_t
ngx_realtime_detour_is_ghost(ngx_realtime_session_t *s)
{
    return s->detour && s->detour->ghost;
}


void
ngx_realtime_detour_free(ngx_realtime_session_t *s)
{
    ngx_queue_t            *q;
    ngx_realtime_noted_t   *noted;
    ngx_realtime_detour_t  *d;

    d = s->detour;

    if (d == NULL) {
        return;
    }

    if (d->ghost) {

        ngx_realtime_gauge_inc(connections);

        if (d->queue.prev) {
            ngx_queue_remove(&d->queue);
        }

        while (!ngx_queue_empty(&d->noted)) {
            q = ngx_queue_head(&d->noted);
            ngx_queue_remove(q);

            noted = ngx_queue_data(q, ngx_realtime_noted_t, queue);
            ngx_realtime_msg_unref(noted->message);
            ngx_free(noted);
        }
    }

    ngx_realtime_out_drop(&d->held);
    ngx_realtime_age_unset(&d->age);

    s->detour = NULL;
    ngx_free(d);
}


/* a probe in this worker asks back before it returns */

void
ngx_realtime_detour_tell_end(ngx_realtime_session_t *s)
{
    ngx_str_t  sid;

    if (s->probing.generation) {
        ngx_realtime_detour_tell(&s->probing, NGX_REALTIME_DETOUR_ENDED, 0);
    }

    if (s->moved) {
        sid.data = s->old_sid;
        sid.len = NGX_REALTIME_SID_LEN;

        (void) ngx_realtime_poll_ask(&sid, NGX_REALTIME_POLL_GONE, s->ref,
                                     NULL, 0);
    }
}


/* worker B */


ngx_realtime_session_t *
ngx_realtime_detour_restore(ngx_realtime_transport_t *t,
    ngx_realtime_loc_conf_t *conf, u_char *sid, u_char *data, size_t len)
{
    uint64_t                 had[NGX_REALTIME_SLOTS];
    ngx_realtime_session_t  *s;

    s = ngx_realtime_state_restore(t, conf, data, len, had);
    if (s == NULL) {
        return NULL;
    }

    if (ngx_realtime_detour_wait(s, had, sid) != NGX_OK) {
        s->transport = NULL;
        ngx_realtime_session_free(s, "no memory");
        return NULL;
    }

    ngx_realtime_session_rearm(s);

    return s;
}


/* the seats are taken: from the cursors on, records come here by themselves */

static ngx_int_t
ngx_realtime_detour_wait(ngx_realtime_session_t *s, uint64_t *had,
    u_char *sid)
{
    ngx_str_t               name;
    ngx_realtime_joined_t   joined;
    ngx_realtime_detour_t  *d;

    d = ngx_calloc(sizeof(ngx_realtime_detour_t), s->log);
    if (d == NULL) {
        return NGX_ERROR;
    }

    d->session = s;
    d->age.handler = ngx_realtime_detour_late;
    ngx_memcpy(d->had, had, sizeof(d->had));
    ngx_realtime_out_init(&d->held);

    s->detour = d;
    s->moved = 1;
    ngx_memcpy(s->old_sid, sid, NGX_REALTIME_SID_LEN);

    ngx_realtime_socket_arrive(s);
    ngx_realtime_age_set(&d->age, NGX_REALTIME_DETOUR_WAIT);

    ngx_realtime_bus_cursors(joined.cursors);
    ngx_realtime_bus_heads(joined.heads);

    name.data = sid;
    name.len = NGX_REALTIME_SID_LEN;

    (void) ngx_realtime_poll_ask(&name, NGX_REALTIME_POLL_JOINED, s->ref,
                                 (u_char *) &joined, sizeof(joined));

    return NGX_OK;
}


void
ngx_realtime_detour_receive(ngx_uint_t from, ngx_realtime_detour_head_t *head,
    u_char *data, size_t len)
{
    ngx_realtime_msg_t      *m;
    ngx_realtime_session_t  *s;

    s = ngx_realtime_session_find(head->to);

    if (s == NULL || s->transport == NULL) {
        return;
    }

    if (head->kind == NGX_REALTIME_DETOUR_END) {
        ngx_realtime_detour_end(s);
        return;
    }

    m = ngx_realtime_msg_copy(data, len, head->code, s->log);
    if (m == NULL) {
        return;
    }

    m->place = head->place;
    m->offset = (head->place != 0);

    if (head->due.call.generation == 0
        || ngx_realtime_msg_set_due(m, &head->due, s->log) == NGX_OK)
    {
        ngx_realtime_detour_pass(s, m);
    }

    ngx_realtime_msg_unref(m);
}


/* B gives it to the client, and so B notes that it did */

static void
ngx_realtime_detour_pass(ngx_realtime_session_t *s, ngx_realtime_msg_t *m)
{
    if (ngx_realtime_recovery_note_any(s, m) == NGX_OK
        && ngx_realtime_owed_note_any(s, m) == NGX_OK)
    {
        s->transport->ops->send(s->transport, m);
    }
}


static void
ngx_realtime_detour_end(ngx_realtime_session_t *s)
{
    ngx_realtime_msg_t     *m;
    ngx_realtime_detour_t  *d;

    d = s->detour;

    if (d == NULL || d->ghost || d->ended) {
        return;
    }

    d->ended = 1;

    for ( ;; ) {
        m = ngx_realtime_out_shift(&d->held);
        if (m == NULL) {
            return;
        }

        ngx_realtime_detour_pass(s, m);
        ngx_realtime_msg_unref(m);
    }
}


/* over, once this worker has read all that A had */

static void
ngx_realtime_detour_late(ngx_realtime_age_t *age)
{
    uint64_t                cursors[NGX_REALTIME_SLOTS];
    ngx_uint_t              i;
    ngx_realtime_detour_t  *d;

    d = ngx_queue_data(age, ngx_realtime_detour_t, age);

    if (!d->ended) {

        /* A died, and what it had not forwarded with it; the client comes
           back and gets it from the history */

        ngx_log_error(NGX_LOG_WARN, d->session->log, 0,
                      "realtime: the worker that a session came from is gone");

        ngx_realtime_session_close(d->session, RT_WS_GOING_AWAY,
                                   "its old worker died");
        return;
    }

    ngx_realtime_bus_cursors(cursors);

    for (i = 0; i < NGX_REALTIME_SLOTS; i++) {
        if (cursors[i] < d->had[i]) {
            ngx_realtime_age_set(age, NGX_REALTIME_DETOUR_WAIT);
            return;
        }
    }

    ngx_realtime_detour_free(d->session);
}


void
ngx_realtime_detour_send_out(ngx_realtime_session_t *s,
    ngx_realtime_out_t *out)
{
    ngx_realtime_msg_t  *m;

    for ( ;; ) {
        m = ngx_realtime_out_shift(out);
        if (m == NULL) {
            return;
        }

        s->transport->ops->send(s->transport, m);
        ngx_realtime_msg_unref(m);
    }
}


void
ngx_realtime_detour_settle(ngx_realtime_session_t *s)
{
    s->probing.generation = 0;
    s->pinged = 0;

    ngx_realtime_session_rearm(s);
}
