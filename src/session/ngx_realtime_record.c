
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Who may come back, and what each has been sent.
 *
 * The zone has an array of records.  A record belongs to one socket:
 *
 *   state   kind 2 | slot 6 | hold 24 | count 32, changed by compare and swap
 *           only; hold goes up with each new owner
 *
 *     FREE --> FILLING --> LIVE --> AWAY --> FREE
 *                          ^  |      |
 *                          +--+------+  by the worker that it comes back to
 *
 *   list    the last events that the client was sent, as places in the
 *           history, number i in list[i % LIST]; count is how many there were
 *   start   the newest event of the room's chain when the socket sat down
 *
 * Only the owner (slot and hold in state) adds to the list: one socket of one
 * worker, which has noted its hold.  A client that comes back from a network
 * that died finds its old socket alive, often on another worker: the new
 * worker makes itself the owner, and the old one, which may be about to add,
 * fails, for it changes first a cell of the list and then the count by compare
 * and swap against what it read before it looked at the owner.  At worst it
 * changes the cell of the oldest event, which is therefore not believed.
 *
 * Who looks at a record that is not his own looks at its state before and
 * after: the state of no two sockets is ever the same.
 *
 * A session that moves (ngx_realtime_detour.c) leaves the record AWAY, and the
 * worker that it comes to makes it LIVE again, unless the client has come back
 * somewhere else meanwhile.
 *
 * Nothing here is locked.  A record that is AWAY is free once its time is
 * over; nobody has to sweep.  What a socket missed is found out in
 * ngx_realtime_recovery.c.
 */


#include "ngx_realtime_bus.h"
#include "ngx_realtime_counter.h"
#include "ngx_realtime_history.h"
#include "ngx_realtime_people.h"
#include "ngx_realtime_random.h"
#include "ngx_realtime_record.h"
#include "ngx_realtime_recovery.h"
#include "rt_ws.h"


#define NGX_REALTIME_RECORD_PROBES   256


struct ngx_realtime_records_sh_s {
    ngx_uint_t                 n;
    ngx_realtime_record_t     *records;
};


static ngx_realtime_record_t *ngx_realtime_record_take_free(
    uint64_t *state);
static uint64_t ngx_realtime_record_next(uint64_t state,
    ngx_realtime_record_e kind);
static void ngx_realtime_record_away(ngx_realtime_record_t *rec,
    uint64_t state, time_t seen);
static uint64_t ngx_realtime_record_counted(uint64_t state);
static ngx_uint_t ngx_realtime_record_is_ours(ngx_realtime_socket_t *sk,
    uint64_t state);
static void ngx_realtime_record_forget(ngx_realtime_socket_t *sk);
static void ngx_realtime_record_told(ngx_uint_t from, u_char *data,
    size_t len);


ngx_realtime_records_t  ngx_realtime_records;


ngx_int_t
ngx_realtime_recovery_create(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log)
{
    ngx_realtime_records_sh_t  *r;

    r = ngx_slab_calloc(shpool, sizeof(ngx_realtime_records_sh_t));
    if (r == NULL) {
        return NGX_ERROR;
    }

    r->n = sh->zone_size / 64 * 9 / sizeof(ngx_realtime_record_t);

    r->records = ngx_slab_calloc(shpool, r->n * sizeof(ngx_realtime_record_t));
    if (r->records == NULL) {
        return NGX_ERROR;
    }

    sh->recovery = r;

    return NGX_OK;
}


ngx_int_t
ngx_realtime_recovery_init(ngx_cycle_t *cycle, ngx_uint_t offsets)
{
    ngx_realtime_records_t  *r;

    r = &ngx_realtime_records;

    r->sh = ngx_realtime_zone_sh->recovery;
    r->first = r->sh->records;

    r->sockets = ngx_pcalloc(cycle->pool, r->sh->n
                                          * sizeof(ngx_realtime_socket_t *));
    if (r->sockets == NULL) {
        return NGX_ERROR;
    }

    ngx_realtime_msg_offsets = offsets;

    ngx_realtime_bus_handle(NGX_REALTIME_BUS_RESUMED,
                            ngx_realtime_record_told);

    return NGX_OK;
}


void
ngx_realtime_recovery_forget_slot(ngx_uint_t slot)
{
    uint64_t                     state;
    ngx_uint_t                   i;
    ngx_realtime_record_t       *rec;
    ngx_realtime_records_sh_t  *sh;

    sh = ngx_realtime_zone_sh->recovery;

    for (i = 0; i < sh->n; i++) {

        rec = &sh->records[i];
        state = ngx_realtime_record_load(rec);

        if (ngx_realtime_record_slot(state) != slot) {
            continue;
        }

        switch (ngx_realtime_record_kind(state)) {

        case NGX_REALTIME_RECORD_FILLING:
            (void) ngx_realtime_record_change(rec, state,
                       ngx_realtime_record_state(NGX_REALTIME_RECORD_FREE,
                                       ngx_realtime_record_owner(state), 0));
            break;

        case NGX_REALTIME_RECORD_LIVE:
            ngx_realtime_record_away(rec, state,
                                     ngx_realtime_zone_sh->slots[slot].seen);
            break;
        }
    }
}


/* the times first: who sees AWAY reads them.  Whoever was faster than us has
   made it his, and writes his own when he leaves */

static void
ngx_realtime_record_away(ngx_realtime_record_t *rec, uint64_t state,
    time_t seen)
{
    rec->seen = seen;
    rec->until = ngx_realtime_zone_time() + rec->window;

    (void) ngx_realtime_record_change(rec, state,
               ngx_realtime_record_state(NGX_REALTIME_RECORD_AWAY,
                                         ngx_realtime_record_owner(state),
                                         ngx_realtime_record_count(state)));
}


ngx_int_t
ngx_realtime_record_change(ngx_realtime_record_t *rec, uint64_t old,
    uint64_t new)
{
    return __atomic_compare_exchange_n(&rec->state, &old, new, 0,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
               ? NGX_OK : NGX_DECLINED;
}


void
ngx_realtime_recovery_begin(ngx_realtime_socket_t *sk)
{
    u_char                   name[NGX_REALTIME_SOCKET_ROOM_MAX];
    uint64_t                 state;
    ngx_str_t                room;
    ngx_realtime_record_t   *rec;
    ngx_realtime_session_t  *s;

    s = sk->session;

    if (s->conf->recovery < 1000 || !ngx_realtime_msg_offsets) {
        return;
    }

    rec = ngx_realtime_record_take_free(&state);

    if (rec == NULL) {
        ngx_realtime_count(recovery_full);
        return;
    }

    if (ngx_realtime_random(rec->secret, sizeof(rec->secret), s->log)
        != NGX_OK)
    {
        (void) ngx_realtime_record_change(rec, state,
                   ngx_realtime_record_state(NGX_REALTIME_RECORD_FREE,
                                       ngx_realtime_record_owner(state), 0));
        return;
    }

    ngx_realtime_socket_room(sk, &room, name);

    rec->window = s->conf->recovery / 1000;
    rec->hash = ngx_realtime_history_hash(&room);
    rec->nsp = ngx_murmur_hash2(sk->nsp.data, sk->nsp.len);
    rec->place = s->place;
    rec->user_len = sk->identity.user.len;
    ngx_memcpy(rec->user, sk->identity.user.data, rec->user_len);
    ngx_memcpy(rec->sid, sk->sid, NGX_REALTIME_SID_LEN);
    rec->start = ngx_realtime_history_newest(rec->hash);

    /* expected first: who dies in between leaves one too many, never one too
       few */

    ngx_realtime_room_expect(rec->hash, 1);

    (void) ngx_realtime_record_take(rec, state, sk);
}


/*
 * FILLING, and ours; NULL: none was found.  Any place is as good as another,
 * and one after the other would be the worst: a worker would come to a part
 * that another one has filled without a gap.
 */

static ngx_realtime_record_t *
ngx_realtime_record_take_free(uint64_t *state)
{
    uint64_t                 had;
    ngx_uint_t               i;
    ngx_realtime_record_t   *rec;
    ngx_realtime_records_t  *r;

    r = &ngx_realtime_records;

    for (i = 0; i < NGX_REALTIME_RECORD_PROBES; i++) {

        rec = &r->first[ngx_random() % r->sh->n];
        had = ngx_realtime_record_load(rec);

        if (!ngx_realtime_record_is_free(rec, had)) {
            continue;
        }

        *state = ngx_realtime_record_next(had, NGX_REALTIME_RECORD_FILLING);

        if (ngx_realtime_record_change(rec, had, *state) != NGX_OK) {
            continue;
        }

        if (ngx_realtime_record_kind(had) == NGX_REALTIME_RECORD_AWAY) {
            ngx_realtime_room_expect(rec->hash, -1);
        }

        return rec;
    }

    return NULL;
}


ngx_uint_t
ngx_realtime_record_is_free(ngx_realtime_record_t *rec, uint64_t state)
{
    switch (ngx_realtime_record_kind(state)) {

    case NGX_REALTIME_RECORD_FREE:
        return 1;

    case NGX_REALTIME_RECORD_AWAY:
        return (time_t) rec->until < ngx_realtime_zone_time();

    default:
        return 0;
    }
}


/* what it is for its next owner, which is this worker */

static uint64_t
ngx_realtime_record_next(uint64_t state, ngx_realtime_record_e kind)
{
    return ngx_realtime_record_state(kind,
               (uint64_t) ngx_realtime_slot << 56
               | ((state + NGX_REALTIME_RECORD_HOLD_ONE)
                  & NGX_REALTIME_RECORD_HOLD),
               kind == NGX_REALTIME_RECORD_LIVE
                   ? ngx_realtime_record_count(state) : 0);
}


ngx_int_t
ngx_realtime_record_take(ngx_realtime_record_t *rec, uint64_t state,
    ngx_realtime_socket_t *sk)
{
    uint64_t  new;

    new = ngx_realtime_record_next(state, NGX_REALTIME_RECORD_LIVE);

    if (ngx_realtime_record_change(rec, state, new) != NGX_OK) {
        return NGX_DECLINED;
    }

    sk->record = rec;
    sk->owner = ngx_realtime_record_owner(new);

    ngx_realtime_records.sockets[ngx_realtime_record_number(rec)] = sk;

    return NGX_OK;
}


u_char *
ngx_realtime_recovery_pid(ngx_realtime_socket_t *sk, u_char *p)
{
    u_char      bytes[3 + NGX_REALTIME_RECORD_SECRET];
    ngx_str_t   src, dst;
    ngx_uint_t  n;

    n = ngx_realtime_record_number(sk->record);

    bytes[0] = n >> 16;
    bytes[1] = n >> 8;
    bytes[2] = n;
    ngx_memcpy(&bytes[3], sk->record->secret, NGX_REALTIME_RECORD_SECRET);

    src.data = bytes;
    src.len = sizeof(bytes);
    dst.data = p;

    ngx_encode_base64url(&dst, &src);

    return p + dst.len;
}


ngx_realtime_record_t *
ngx_realtime_record_of_pid(ngx_str_t *pid, u_char *secret)
{
    u_char      bytes[NGX_REALTIME_PID_LEN];
    ngx_str_t   dst;
    ngx_uint_t  n;

    dst.data = bytes;

    if (pid->len != NGX_REALTIME_PID_LEN
        || ngx_decode_base64url(&dst, pid) != NGX_OK
        || dst.len != 3 + NGX_REALTIME_RECORD_SECRET)
    {
        return NULL;
    }

    n = (ngx_uint_t) bytes[0] << 16 | bytes[1] << 8 | bytes[2];

    if (n >= ngx_realtime_records.sh->n) {
        return NULL;
    }

    ngx_memcpy(secret, &bytes[3], NGX_REALTIME_RECORD_SECRET);

    return &ngx_realtime_records.first[n];
}


ngx_int_t
ngx_realtime_recovery_note(ngx_realtime_socket_t *sk, ngx_realtime_msg_t *m)
{
    uint32_t               *cell, had, place;
    uint64_t                state;
    ngx_realtime_record_t  *rec;

    rec = sk->record;

    if (rec == NULL || m->place == 0) {
        return NGX_OK;
    }

    place = ngx_realtime_history_shorten(m->place);

    if (sk->recheck) {

        if (ngx_realtime_record_has(rec, place)) {
            return NGX_DECLINED;
        }

        if (ngx_realtime_zone_time() > sk->recheck) {
            sk->recheck = 0;
        }
    }

    /* an owner from before may still change the cell, once: then again */

    do {
        state = ngx_realtime_record_load(rec);

        cell = &rec->list[ngx_realtime_record_count(state)
                          % NGX_REALTIME_RECORD_LIST];

        had = __atomic_load_n(cell, __ATOMIC_SEQ_CST);

        if (!ngx_realtime_record_is_ours(sk, ngx_realtime_record_load(rec))) {
            return NGX_DECLINED;
        }

    } while (!__atomic_compare_exchange_n(cell, &had, place, 0,
                                          __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));

    return ngx_realtime_record_change(rec, state,
                                      ngx_realtime_record_counted(state));
}


/* after the last of 32 bits it is full, and the next cell is the same */

static uint64_t
ngx_realtime_record_counted(uint64_t state)
{
    if (ngx_realtime_record_count(state) == NGX_REALTIME_RECORD_COUNT) {
        return state - NGX_REALTIME_RECORD_COUNT + NGX_REALTIME_RECORD_LIST;
    }

    return state + 1;
}


/* to be looked at again after what it was good for: see note() */

static ngx_uint_t
ngx_realtime_record_is_ours(ngx_realtime_socket_t *sk, uint64_t state)
{
    return ngx_realtime_record_kind(state) == NGX_REALTIME_RECORD_LIVE
           && ngx_realtime_record_owner(state) == sk->owner;
}


/* which socket of the session an event is for, its namespace tells */

ngx_int_t
ngx_realtime_recovery_note_any(ngx_realtime_session_t *s,
    ngx_realtime_msg_t *m)
{
    u_char                 *p, *last, *comma;
    ngx_realtime_socket_t  *sk;

    if (m->place == 0) {
        return NGX_OK;
    }

    p = ngx_realtime_msg_payload(m) + 2;
    last = m->data + m->len;

    if (*p == '/') {
        comma = ngx_strlchr(p, last, ',');
        sk = comma ? ngx_realtime_socket_of(s, p, comma - p) : NULL;

    } else {
        sk = ngx_realtime_socket_of(s, (u_char *) "/", 1);
    }

    return sk ? ngx_realtime_recovery_note(sk, m) : NGX_OK;
}


uint64_t
ngx_realtime_record_oldest(uint64_t state)
{
    uint64_t  count;

    count = ngx_realtime_record_count(state);

    /* a full list: its first cell may have been changed too late */

    return (count < NGX_REALTIME_RECORD_LIST)
           ? 0 : count - NGX_REALTIME_RECORD_LIST + 1;
}


ngx_uint_t
ngx_realtime_record_has(ngx_realtime_record_t *rec, uint32_t place)
{
    uint64_t  i, state;

    state = ngx_realtime_record_load(rec);

    for (i = ngx_realtime_record_oldest(state);
         i < ngx_realtime_record_count(state);
         i++)
    {
        if (rec->list[i % NGX_REALTIME_RECORD_LIST] == place) {
            return 1;
        }
    }

    return 0;
}


void
ngx_realtime_recovery_detach(ngx_realtime_socket_t *sk)
{
    if (sk->record) {
        ngx_realtime_recovery_leave(sk);
        ngx_realtime_record_forget(sk);
    }
}


void
ngx_realtime_recovery_leave(ngx_realtime_socket_t *sk)
{
    uint64_t  state;

    if (sk->record == NULL) {
        return;
    }

    state = ngx_realtime_record_load(sk->record);

    /* else it came back somewhere else */

    if (ngx_realtime_record_is_ours(sk, state)) {
        ngx_realtime_record_away(sk->record, state, ngx_realtime_bus_seen());
    }
}


void
ngx_realtime_recovery_end(ngx_realtime_socket_t *sk)
{
    uint64_t                state;
    ngx_realtime_record_t  *rec;

    rec = sk->record;

    if (rec == NULL) {
        return;
    }

    ngx_realtime_record_forget(sk);

    state = ngx_realtime_record_load(rec);

    if (ngx_realtime_record_is_ours(sk, state)
        && ngx_realtime_record_change(rec, state,
               ngx_realtime_record_state(NGX_REALTIME_RECORD_FREE,
                                         sk->owner, 0))
           == NGX_OK)
    {
        ngx_realtime_room_expect(rec->hash, -1);
    }
}


/* looks at all records: it is done for few users */

void
ngx_realtime_recovery_forget_user(ngx_str_t *user)
{
    uint64_t                    state;
    ngx_str_t                   his;
    ngx_uint_t                  i;
    ngx_realtime_record_t      *rec;
    ngx_realtime_records_sh_t  *sh;

    sh = ngx_realtime_records.sh;

    for (i = 0; i < sh->n; i++) {

        rec = &sh->records[i];
        state = ngx_realtime_record_load(rec);

        his.data = rec->user;
        his.len = rec->user_len;

        if (ngx_realtime_record_kind(state) == NGX_REALTIME_RECORD_AWAY
            && ngx_realtime_people_same(&his, user)
            && ngx_realtime_record_change(rec, state,
                   ngx_realtime_record_state(NGX_REALTIME_RECORD_FREE,
                                       ngx_realtime_record_owner(state), 0))
               == NGX_OK)
        {
            ngx_realtime_room_expect(rec->hash, -1);
        }
    }
}


/* another socket of this worker may have got the record meanwhile */

static void
ngx_realtime_record_forget(ngx_realtime_socket_t *sk)
{
    ngx_realtime_socket_t  **p;

    p = &ngx_realtime_records.sockets[ngx_realtime_record_number(sk->record)];

    if (*p == sk) {
        *p = NULL;
    }

    sk->record = NULL;
}


uint32_t
ngx_realtime_recovery_number(ngx_realtime_socket_t *sk)
{
    return sk->record ? ngx_realtime_record_number(sk->record) + 1 : 0;
}


ngx_int_t
ngx_realtime_recovery_adopt(ngx_realtime_socket_t *sk, uint32_t number,
    uint64_t owner)
{
    uint64_t                state;
    ngx_realtime_record_t  *rec;

    if (number == 0) {
        return NGX_OK;
    }

    if (number > ngx_realtime_records.sh->n) {
        return NGX_DECLINED;
    }

    rec = &ngx_realtime_records.first[number - 1];
    state = ngx_realtime_record_load(rec);

    if (ngx_realtime_record_kind(state) != NGX_REALTIME_RECORD_AWAY
        || ngx_realtime_record_owner(state) != owner)
    {
        return NGX_DECLINED;
    }

    return ngx_realtime_record_take(rec, state, sk);
}


static void
ngx_realtime_record_told(ngx_uint_t from, u_char *data, size_t len)
{
    uint32_t                number;
    ngx_realtime_socket_t  *sk;

    if (len != sizeof(number)) {
        return;
    }

    ngx_memcpy(&number, data, sizeof(number));

    if (number >= ngx_realtime_records.sh->n) {
        return;
    }

    sk = ngx_realtime_records.sockets[number];

    if (sk && !ngx_realtime_record_is_ours(sk,
                                        ngx_realtime_record_load(sk->record)))
    {
        ngx_realtime_session_close(sk->session, RT_WS_GOING_AWAY,
                                   "the client came back");
    }
}
