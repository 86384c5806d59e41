
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Coming back.
 *
 * What a client missed: in the list of its record, behind the offset that it
 * names, is what it was sent and did not get.  On the chain of its room, and
 * not in the list, is what it was never sent.
 *
 * A full list has forgotten what it had before its oldest entry.  What was
 * published some seconds after that one is not among it.  For those who get
 * so much that this is not enough:
 *
 *   - what one worker publishes is sent in this order: so what is older, on
 *     the chain, than an entry of the same worker was sent;
 *   - of a worker without an entry, what is older than half of the entries was
 *     sent, or the old owner would have been that far behind with one ring
 *     alone; and what is newer never was, for it would have been sent before
 *     all of them.
 *
 * Coming back sits down first and looks at the chain then; publishers do it
 * the other way round, so nothing falls in between, but some of what is on
 * the chain may arrive by the bus as well.  How far each ring has got is noted
 * in between: what comes from before that place was on the chain, however far
 * this worker is behind.  What was published at that very moment comes from
 * behind it: for some seconds the list is asked whether the client has it.
 *
 * The chain is followed back to its place at the start, or to a time when the
 * old owner must have had everything.  If something that may have been missed
 * is overwritten, or too much was missed, the socket starts anew, and the
 * client sees that, by its new id, and refetches.
 */


#include "ngx_realtime_bus.h"
#include "ngx_realtime_history.h"
#include "ngx_realtime_record.h"
#include "ngx_realtime_recovery.h"
#include "rt_ws.h"

#include <openssl/crypto.h>


/* s: how far clocks of workers that are called alive may be apart, and how
   long events may come twice */
#define NGX_REALTIME_RECOVERY_LAG     5

#define NGX_REALTIME_RECOVERY_MISSED  4096    /* events; bytes: send_limit */


typedef struct {
    uint64_t                   place;
    ngx_uint_t                 older;      /* than so many entries */
    unsigned                   forgotten:1;    /* perhaps: not certainly never
                                                  sent */
} ngx_realtime_never_t;


typedef struct {
    ngx_realtime_record_t     *record;
    u_char                     secret[NGX_REALTIME_RECORD_SECRET];
    uint64_t                   old;        /* state before it was taken */
    uint32_t                   sent[NGX_REALTIME_RECORD_LIST];
    ngx_uint_t                 nsent;      /* oldest first */
    ngx_uint_t                 had;        /* how many of these it got */
    ngx_realtime_never_t      *never;      /* newest first */
    ngx_uint_t                 nnever;

    time_t                     forgot;     /* zone time: until then it may
                                              have been sent what the list has
                                              not any more; 0: nothing */
    ngx_realtime_mask_t        entries;    /* workers with one on the way back
                                              along the chain */
    ngx_uint_t                 nentries;   /* all of them on it */

    const char                *why;
} ngx_realtime_resume_t;


static ngx_realtime_socket_t *ngx_realtime_resume_take(
    ngx_realtime_resume_t *resume, ngx_realtime_session_t *s, ngx_str_t *nsp,
    ngx_realtime_identity_t *id, ngx_str_t *pid);
static ngx_int_t ngx_realtime_resume_state(ngx_realtime_resume_t *resume,
    ngx_realtime_session_t *s, ngx_str_t *nsp, ngx_realtime_identity_t *id);
static ngx_int_t ngx_realtime_resume_sent(ngx_realtime_resume_t *resume,
    ngx_str_t *offset);
static ngx_int_t ngx_realtime_resume_never(ngx_realtime_resume_t *resume,
    ngx_str_t *room, ngx_pool_t *pool);
static ngx_uint_t ngx_realtime_resume_is_for(ngx_realtime_resume_t *resume,
    ngx_realtime_entry_t *e, ngx_str_t *room);
static ngx_uint_t ngx_realtime_resume_is_among(ngx_str_t *rooms,
    uint32_t hash);
static void ngx_realtime_resume_forgot(ngx_realtime_resume_t *resume);
static ngx_int_t ngx_realtime_resume_doubts(ngx_realtime_resume_t *resume);
static time_t ngx_realtime_resume_horizon(ngx_realtime_resume_t *resume);
static ngx_uint_t ngx_realtime_recovery_is_behind(uint64_t *heads);
static ngx_int_t ngx_realtime_resume_messages(ngx_realtime_resume_t *resume,
    ngx_realtime_socket_t *sk, ngx_str_t *room, ngx_realtime_out_t *missed);
static ngx_int_t ngx_realtime_resume_message(ngx_realtime_resume_t *resume,
    ngx_realtime_socket_t *sk, ngx_str_t *room, uint64_t place,
    ngx_realtime_out_t *missed);
static void ngx_realtime_resume_tell(ngx_realtime_resume_t *resume);


ngx_realtime_socket_t *
ngx_realtime_recovery_resume(ngx_realtime_session_t *s, ngx_str_t *nsp,
    ngx_realtime_identity_t *id, ngx_str_t *pid, ngx_str_t *offset,
    ngx_realtime_out_t *missed, const char **why)
{
    u_char                  name[NGX_REALTIME_SOCKET_ROOM_MAX];
    uint64_t                heads[NGX_REALTIME_SLOTS];
    ngx_str_t               room;
    ngx_pool_t             *pool;
    ngx_realtime_socket_t  *sk;
    ngx_realtime_resume_t   resume;

    ngx_memzero(&resume, sizeof(resume));

    sk = ngx_realtime_resume_take(&resume, s, nsp, id, pid);

    if (sk == NULL) {
        *why = resume.why;
        return NULL;
    }

    resume.why = "no memory";

    pool = ngx_create_pool(1024, s->log);
    if (pool == NULL) {
        goto failed;
    }

    ngx_realtime_socket_room(sk, &room, name);
    ngx_realtime_bus_heads(heads);

    if (ngx_realtime_recovery_rings(sk, heads) != NGX_OK
        || ngx_realtime_resume_sent(&resume, offset) != NGX_OK
        || ngx_realtime_resume_never(&resume, &room, pool) != NGX_OK
        || ngx_realtime_resume_messages(&resume, sk, &room, missed) != NGX_OK)
    {
        ngx_destroy_pool(pool);
        goto failed;
    }

    ngx_destroy_pool(pool);

    sk->recheck = ngx_realtime_zone_time() + NGX_REALTIME_RECOVERY_LAG;

    return sk;

failed:

    *why = resume.why;

    ngx_realtime_out_drop(missed);
    ngx_realtime_recovery_end(sk);
    ngx_realtime_socket_destroy(sk);

    return NULL;
}


/* seated first, then the record becomes this worker's, whoever had it */

static ngx_realtime_socket_t *
ngx_realtime_resume_take(ngx_realtime_resume_t *resume,
    ngx_realtime_session_t *s, ngx_str_t *nsp, ngx_realtime_identity_t *id,
    ngx_str_t *pid)
{
    ngx_realtime_socket_t  *sk, *old;

    resume->why = "unknown pid";
    resume->record = ngx_realtime_record_of_pid(pid, resume->secret);

    if (resume->record == NULL
        || ngx_realtime_resume_state(resume, s, nsp, id) != NGX_OK)
    {
        return NULL;
    }

    sk = ngx_realtime_socket_create(s, nsp, id, resume->record->sid);

    if (sk == NULL) {
        resume->why = "no memory";
        return NULL;
    }

    old = ngx_realtime_records.sockets[
              ngx_realtime_record_number(resume->record)];

    while (ngx_realtime_record_take(resume->record, resume->old, sk)
           != NGX_OK)
    {
        /* it was just sent something, or is somebody else's */

        if (ngx_realtime_resume_state(resume, s, nsp, id) != NGX_OK) {
            ngx_realtime_socket_destroy(sk);
            return NULL;
        }
    }

    if (old) {
        /* here, and the server has not noticed yet that it is gone */

        ngx_realtime_session_close(old->session, RT_WS_GOING_AWAY,
                                   "the client came back");
    }

    ngx_realtime_resume_tell(resume);

    return sk;
}


/* what is read here holds if the record is taken in this very state */

static ngx_int_t
ngx_realtime_resume_state(ngx_realtime_resume_t *resume,
    ngx_realtime_session_t *s, ngx_str_t *nsp, ngx_realtime_identity_t *id)
{
    ngx_realtime_record_e    kind;
    ngx_realtime_record_t   *rec;
    ngx_realtime_socket_t   *old;

    rec = resume->record;

    resume->old = ngx_realtime_record_load(rec);
    kind = ngx_realtime_record_kind(resume->old);

    if ((kind != NGX_REALTIME_RECORD_LIVE && kind != NGX_REALTIME_RECORD_AWAY)
        || CRYPTO_memcmp(rec->secret, resume->secret,
                         NGX_REALTIME_RECORD_SECRET)
           != 0)
    {
        return NGX_DECLINED;
    }

    if (ngx_realtime_record_is_free(rec, resume->old)) {
        resume->why = "it was away for too long";
        return NGX_DECLINED;
    }

    old = ngx_realtime_records.sockets[ngx_realtime_record_number(rec)];

    if (rec->place != s->place
        || rec->nsp != ngx_murmur_hash2(nsp->data, nsp->len)
        || rec->user_len != id->user.len
        || ngx_memcmp(rec->user, id->user.data, id->user.len) != 0
        || (old && old->session == s))
    {
        resume->why = "the pid of somebody else";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* another worker may still have the old socket */

static void
ngx_realtime_resume_tell(ngx_realtime_resume_t *resume)
{
    uint32_t    number;
    ngx_str_t   part;
    ngx_uint_t  slot;

    slot = ngx_realtime_record_slot(resume->old);

    if (ngx_realtime_record_kind(resume->old) != NGX_REALTIME_RECORD_LIVE
        || slot == (ngx_uint_t) ngx_realtime_slot)
    {
        return;
    }

    number = ngx_realtime_record_number(resume->record);

    part.data = (u_char *) &number;
    part.len = sizeof(number);

    ngx_realtime_bus_send(ngx_realtime_slot_bit(slot),
                          NGX_REALTIME_BUS_RESUMED, &part, 1);
}


/* a copy of the list; and up to where it got there */

static ngx_int_t
ngx_realtime_resume_sent(ngx_realtime_resume_t *resume, ngx_str_t *offset)
{
    uint64_t                first, i, place;
    ngx_realtime_record_t  *rec;

    rec = resume->record;
    first = ngx_realtime_record_oldest(resume->old);

    for (i = first; i < ngx_realtime_record_count(resume->old); i++) {
        resume->sent[resume->nsent++] =
            __atomic_load_n(&rec->list[i % NGX_REALTIME_RECORD_LIST],
                            __ATOMIC_SEQ_CST);
    }

    if (offset->len == 0) {

        if (first) {
            resume->why = "no offset, and many events were sent";
            return NGX_DECLINED;
        }

        return NGX_OK;
    }

    if (ngx_realtime_msg_place(offset->data, offset->len, &place) == NGX_OK) {

        for (i = resume->nsent; i > 0; i--) {
            if (resume->sent[i - 1] == ngx_realtime_history_shorten(place)) {
                resume->had = i;
                return NGX_OK;
            }
        }
    }

    resume->why = "an offset too old, or none of this socket";

    return NGX_DECLINED;
}


/* what is on the chain and was never sent */

static ngx_int_t
ngx_realtime_resume_never(ngx_realtime_resume_t *resume, ngx_str_t *room,
    ngx_pool_t *pool)
{
    time_t                  horizon;
    uint64_t                place;
    ngx_array_t             never;
    ngx_realtime_entry_t    e;
    ngx_realtime_never_t   *p;
    ngx_realtime_record_t  *rec;

    rec = resume->record;
    horizon = ngx_realtime_resume_horizon(resume);

    ngx_realtime_resume_forgot(resume);

    if (ngx_array_init(&never, pool, 16, sizeof(ngx_realtime_never_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (place = ngx_realtime_history_newest(rec->hash);
         place && place != rec->start;
         place = e.previous)
    {
        if (ngx_realtime_history_read(place, &e) != NGX_OK) {

            if (ngx_realtime_history_lost() >= horizon) {
                resume->why = "the history does not go back so far";
                return NGX_DECLINED;
            }

            break;
        }

        if (e.time < horizon) {
            break;
        }

        if (ngx_realtime_record_has(rec,
                                    ngx_realtime_history_shorten(e.place)))
        {
            resume->entries |= ngx_realtime_slot_bit(e.slot);
            resume->nentries++;
            continue;
        }

        if (!ngx_realtime_resume_is_for(resume, &e, room)
            || (e.time <= resume->forgot
                && (resume->entries & ngx_realtime_slot_bit(e.slot))))
        {
            continue;
        }

        if (never.nelts == NGX_REALTIME_RECOVERY_MISSED) {
            resume->why = "too many events";
            return NGX_DECLINED;
        }

        p = ngx_array_push(&never);
        if (p == NULL) {
            return NGX_ERROR;
        }

        p->place = e.place;
        p->older = resume->nentries;
        p->forgotten = (e.time <= resume->forgot);
    }

    resume->never = never.elts;
    resume->nnever = never.nelts;

    return ngx_realtime_resume_doubts(resume);
}


/* what a full list may have forgotten: see the top of this file */

static void
ngx_realtime_resume_forgot(ngx_realtime_resume_t *resume)
{
    time_t                time;
    ngx_realtime_entry_t  e;

    if (ngx_realtime_record_oldest(resume->old) == 0) {
        return;
    }

    time = (ngx_realtime_history_read(
                ngx_realtime_history_expand(resume->sent[0]), &e) == NGX_OK)
           ? e.time : ngx_realtime_history_lost();

    resume->forgot = time + NGX_REALTIME_RECOVERY_LAG;
}


/* leaves those that were never sent, if that can be told */

static ngx_int_t
ngx_realtime_resume_doubts(ngx_realtime_resume_t *resume)
{
    ngx_uint_t             i, n;
    ngx_realtime_never_t  *never;

    n = 0;

    for (i = 0; i < resume->nnever; i++) {

        never = &resume->never[i];

        if (never->forgotten) {

            if (resume->nentries < NGX_REALTIME_RECORD_LIST / 8) {
                resume->why = "too many events at once";
                return NGX_DECLINED;
            }

            if (never->older * 2 >= resume->nentries) {
                continue;
            }
        }

        resume->never[n++] = *never;
    }

    resume->nnever = n;

    return NGX_OK;
}


/* a chain is that of all rooms of a hash bucket; and a place whose event is
   for somebody else is not what it was when it came into the list */

static ngx_uint_t
ngx_realtime_resume_is_for(ngx_realtime_resume_t *resume,
    ngx_realtime_entry_t *e, ngx_str_t *room)
{
    if (e->room.len == 0) {
        return e->except.len == NGX_REALTIME_SID_LEN
               && ngx_memcmp(e->except.data, resume->record->sid,
                             NGX_REALTIME_SID_LEN)
                  == 0;
    }

    if (ngx_realtime_history_is_shared(&e->room)) {
        return ngx_realtime_resume_is_among(&e->room, resume->record->hash);
    }

    if (e->room.len != room->len
        || ngx_memcmp(e->room.data, room->data, room->len) != 0)
    {
        return 0;
    }

    return e->except.len != NGX_REALTIME_SID_LEN
           || ngx_memcmp(e->except.data, resume->record->sid,
                         NGX_REALTIME_SID_LEN)
              != 0;
}


/* an event of many rooms */

static ngx_uint_t
ngx_realtime_resume_is_among(ngx_str_t *rooms, uint32_t hash)
{
    size_t    i;
    uint32_t  other;

    for (i = 1; i + sizeof(other) <= rooms->len; i += sizeof(other)) {

        ngx_memcpy(&other, rooms->data + i, sizeof(other));

        if (other == hash) {
            return 1;
        }
    }

    return 0;
}


/* before it, the old owner had everything */

static time_t
ngx_realtime_resume_horizon(ngx_realtime_resume_t *resume)
{
    time_t  seen;

    if (ngx_realtime_record_kind(resume->old) == NGX_REALTIME_RECORD_AWAY) {
        seen = resume->record->seen;

    } else {
        seen = ngx_realtime_zone_sh->slots[
                   ngx_realtime_record_slot(resume->old)].seen;
        seen = ngx_min(seen, ngx_realtime_zone_time());
    }

    return seen - NGX_REALTIME_RECOVERY_LAG;
}


/* all of them, or it starts anew */

static ngx_int_t
ngx_realtime_resume_messages(ngx_realtime_resume_t *resume,
    ngx_realtime_socket_t *sk, ngx_str_t *room, ngx_realtime_out_t *missed)
{
    ngx_int_t                 rc;
    ngx_uint_t                i;
    ngx_realtime_out_node_t  *node, *first;

    for (i = resume->had; i < resume->nsent; i++) {

        rc = ngx_realtime_resume_message(resume, sk, room,
                 ngx_realtime_history_expand(resume->sent[i]), missed);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    /* the last one that is in the list already */

    for (first = missed->first; first && first->next; first = first->next) {
        /* void */
    }

    for (i = resume->nnever; i > 0; i--) {

        rc = ngx_realtime_resume_message(resume, sk, room,
                                         resume->never[i - 1].place, missed);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    /* now nothing fails any more, and the list has to say what was sent */

    for (node = first ? first->next : missed->first; node; node = node->next) {
        (void) ngx_realtime_recovery_note(sk, node->message);
        (void) ngx_realtime_socket_delivered(sk, node->message);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_realtime_resume_message(ngx_realtime_resume_t *resume,
    ngx_realtime_socket_t *sk, ngx_str_t *room, uint64_t place,
    ngx_realtime_out_t *missed)
{
    ngx_int_t              rc;
    ngx_realtime_msg_t    *m;
    ngx_realtime_entry_t   e;

    rc = ngx_realtime_history_read(place, &e);

    if (rc == NGX_OK && e.dispensable) {
        return NGX_OK;
    }

    if (rc != NGX_OK || e.lost
        || !ngx_realtime_resume_is_for(resume, &e, room))
    {
        resume->why = "an event is not in the history any more";
        return NGX_DECLINED;
    }

    m = ngx_realtime_msg_copy(e.payload.data, e.payload.len, 0,
                              sk->session->log);
    if (m == NULL) {
        return NGX_ERROR;
    }

    m->place = place;
    m->offset = 1;

    rc = ngx_realtime_out_push(missed, m, sk->session->log);
    ngx_realtime_msg_unref(m);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (missed->bytes > sk->session->conf->send_limit / 2) {
        resume->why = "too much for realtime_send_limit";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_realtime_recovery_rings(ngx_realtime_socket_t *sk, uint64_t *heads)
{
    if (!ngx_realtime_recovery_is_behind(heads)) {
        return NGX_OK;
    }

    sk->heads = ngx_alloc(NGX_REALTIME_SLOTS * sizeof(uint64_t),
                          sk->session->log);
    if (sk->heads == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(sk->heads, heads, NGX_REALTIME_SLOTS * sizeof(uint64_t));

    return NGX_OK;
}


static ngx_uint_t
ngx_realtime_recovery_is_behind(uint64_t *heads)
{
    uint64_t    cursors[NGX_REALTIME_SLOTS];
    ngx_uint_t  i;

    ngx_realtime_bus_cursors(cursors);

    for (i = 0; i < NGX_REALTIME_SLOTS; i++) {
        if (cursors[i] < heads[i]) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_realtime_recovery_is_early(ngx_realtime_socket_t *sk)
{
    ngx_realtime_bus_origin_t  *origin;

    origin = &ngx_realtime_bus_origin;

    if (sk->heads == NULL) {
        return 0;
    }

    if (origin->from != (ngx_uint_t) ngx_realtime_slot
        && origin->position < sk->heads[origin->from])
    {
        return 1;
    }

    if (!ngx_realtime_recovery_is_behind(sk->heads)) {
        ngx_free(sk->heads);
        sk->heads = NULL;
    }

    return 0;
}
