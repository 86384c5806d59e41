
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * A question to all workers about a user, and their answers.
 *
 *   this worker                        the others
 *   its own sockets
 *   PEOPLE  ref, what, user  ------->  look, or disconnect
 *   complete?  done          <-------  PERSON  ref, n, list
 *
 * Who has not answered is remembered by slot and generation, and looked for
 * four times a second: a worker that is gone, and whose sockets are gone with
 * it, has nothing to say.  One that is there and does not answer within a
 * second makes the question fail.  A late answer finds no ref.
 *
 * How many questions wait is bounded, and so is the list; a socket on its
 * way from one worker to another is in two answers and in the list once.
 */


#include "ngx_realtime_age.h"
#include "ngx_realtime_bus.h"
#include "ngx_realtime_counter.h"
#include "ngx_realtime_people.h"
#include "ngx_realtime_slot.h"


#define NGX_REALTIME_ASK_MAX      4096
#define NGX_REALTIME_ASK_LOOK_AT  250      /* ms */
#define NGX_REALTIME_ASK_PATIENCE 4        /* looks */
#define NGX_REALTIME_ASK_REASON   200      /* bytes */


/* PEOPLE: this, the user, the reason */

typedef struct {
    ngx_realtime_ref_t         ref;
    uint32_t                   what;
    uint16_t                   user;       /* lengths */
    uint16_t                   reason;
} ngx_realtime_ask_head_t;


/* PERSON: this, and what people_print() writes */

typedef struct {
    ngx_realtime_ref_t         ref;
    uint64_t                   n;
} ngx_realtime_answer_t;


typedef struct {
    ngx_realtime_ref_t         ref;
    ngx_realtime_age_t         age;
    ngx_uint_t                 looks;
    ngx_realtime_mask_t        open;       /* who has not answered */
    uint64_t                   generations[NGX_REALTIME_SLOTS];
    ngx_realtime_asked_t       asked;
    size_t                     size;       /* of asked.list.data */
    u_char                    *sids;       /* those in the list */
    ngx_uint_t                 nsids;
    ngx_realtime_ask_pt        done;
    void                      *data;
} ngx_realtime_ask_t;


static ngx_int_t ngx_realtime_ask_here(ngx_realtime_ask_t *ask,
    ngx_realtime_ask_e what, ngx_str_t *user, const char *reason);
static void ngx_realtime_ask_others(ngx_realtime_ask_t *ask,
    ngx_realtime_ask_e what, ngx_str_t *user, ngx_str_t *reason);
static void ngx_realtime_ask_kick_again(ngx_str_t *user, const char *reason);
static void ngx_realtime_ask_asked(ngx_uint_t from, u_char *data, size_t len);
static void ngx_realtime_ask_answered(ngx_uint_t from, u_char *data,
    size_t len);
static ngx_int_t ngx_realtime_ask_add(ngx_realtime_ask_t *ask, u_char *data,
    size_t len);
static ngx_int_t ngx_realtime_ask_add_one(ngx_realtime_ask_t *ask,
    u_char *sid, u_char *text, size_t len);
static void ngx_realtime_ask_age(ngx_realtime_age_t *age);
static void ngx_realtime_ask_finish(ngx_realtime_ask_t *ask);
static void ngx_realtime_ask_free(ngx_realtime_ask_t *ask);


static ngx_realtime_table_t  ngx_realtime_asks;


void
ngx_realtime_ask_init(void)
{
    ngx_realtime_asks.max = NGX_REALTIME_ASK_MAX;

    ngx_realtime_bus_handle(NGX_REALTIME_BUS_PEOPLE, ngx_realtime_ask_asked);
    ngx_realtime_bus_handle(NGX_REALTIME_BUS_PERSON,
                            ngx_realtime_ask_answered);
}


ngx_int_t
ngx_realtime_ask(ngx_realtime_ask_e what, ngx_str_t *user, ngx_str_t *reason,
    ngx_realtime_ask_pt done, void *data)
{
    char                 why[NGX_REALTIME_ASK_REASON + 1];
    size_t               len;
    ngx_realtime_ask_t  *ask;

    ask = ngx_calloc(sizeof(ngx_realtime_ask_t), ngx_cycle->log);
    if (ask == NULL) {
        return NGX_ERROR;
    }

    if (ngx_realtime_table_add(&ngx_realtime_asks, ask, &ask->ref) != NGX_OK) {
        ngx_free(ask);
        return NGX_BUSY;
    }

    ask->age.handler = ngx_realtime_ask_age;
    ask->done = done;
    ask->data = data;

    ngx_realtime_age_hold();

    len = ngx_min(reason->len, NGX_REALTIME_ASK_REASON);
    ngx_memcpy(why, reason->data, len);
    why[len] = '\0';

    /* the others first: a session that moves here meanwhile is found here */

    ngx_realtime_ask_others(ask, what, user, reason);

    if (ngx_realtime_ask_here(ask, what, user, why) != NGX_OK) {
        ngx_realtime_ask_free(ask);
        return NGX_ERROR;
    }

    if (ask->open) {
        ngx_realtime_age_set(&ask->age, NGX_REALTIME_ASK_LOOK_AT);
        return NGX_OK;
    }

    ngx_realtime_ask_finish(ask);

    return NGX_OK;
}


static void
ngx_realtime_ask_others(ngx_realtime_ask_t *ask, ngx_realtime_ask_e what,
    ngx_str_t *user, ngx_str_t *reason)
{
    ngx_str_t                parts[3];
    ngx_uint_t               i;
    ngx_realtime_ask_head_t  head;

    ask->open = ngx_realtime_slot_live_mask()
                & ~ngx_realtime_slot_bit(ngx_realtime_slot);

    for (i = 0; i < NGX_REALTIME_SLOTS; i++) {
        ask->generations[i] = ngx_realtime_slot_generation(i);
    }

    ngx_memzero(&head, sizeof(head));
    head.ref = ask->ref;
    head.what = what;
    head.user = user->len;
    head.reason = reason->len;

    parts[0].data = (u_char *) &head;
    parts[0].len = sizeof(head);
    parts[1] = *user;
    parts[2] = *reason;

    ngx_realtime_bus_send(ask->open, NGX_REALTIME_BUS_PEOPLE, parts, 3);
}


static ngx_int_t
ngx_realtime_ask_here(ngx_realtime_ask_t *ask, ngx_realtime_ask_e what,
    ngx_str_t *user, const char *reason)
{
    u_char      *buf;
    size_t       len;
    ngx_int_t    rc;
    ngx_uint_t   again;

    if (what == NGX_REALTIME_ASK_KICK) {
        ask->asked.n += ngx_realtime_people_kick(user, reason, &again);

        if (again) {
            ngx_realtime_ask_kick_again(user, reason);
        }

        return NGX_OK;
    }

    len = ngx_realtime_people_print(user, NULL);

    if (len == 0) {
        return NGX_OK;
    }

    buf = ngx_alloc(len, ngx_cycle->log);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    len = ngx_realtime_people_print(user, buf);
    rc = ngx_realtime_ask_add(ask, buf, len);

    ngx_free(buf);

    return rc;
}


/* in this worker's ring, behind the session that it has sent off */

static void
ngx_realtime_ask_kick_again(ngx_str_t *user, const char *reason)
{
    ngx_str_t                parts[3];
    ngx_realtime_ask_head_t  head;

    ngx_memzero(&head, sizeof(head));
    head.what = NGX_REALTIME_ASK_KICK_MOVED;
    head.user = user->len;
    head.reason = ngx_strlen(reason);

    parts[0].data = (u_char *) &head;
    parts[0].len = sizeof(head);
    parts[1] = *user;
    parts[2].data = (u_char *) reason;
    parts[2].len = head.reason;

    ngx_realtime_bus_send(ngx_realtime_slot_live_mask(),
                          NGX_REALTIME_BUS_PEOPLE, parts, 3);
}


/* a question of another worker */

static void
ngx_realtime_ask_asked(ngx_uint_t from, u_char *data, size_t len)
{
    char                      why[NGX_REALTIME_ASK_REASON + 1];
    u_char                   *buf;
    size_t                    size;
    ngx_str_t                 user, parts[2];
    ngx_uint_t                again;
    ngx_realtime_answer_t     answer;
    ngx_realtime_ask_head_t   head;

    if (len < sizeof(head)) {
        return;
    }

    ngx_memcpy(&head, data, sizeof(head));

    if (len != sizeof(head) + head.user + head.reason
        || head.user > NGX_REALTIME_USER_MAX
        || head.reason > NGX_REALTIME_ASK_REASON)
    {
        return;
    }

    user.data = data + sizeof(head);
    user.len = head.user;
    ngx_memcpy(why, user.data + user.len, head.reason);
    why[head.reason] = '\0';

    ngx_memzero(&answer, sizeof(answer));
    answer.ref = head.ref;

    buf = NULL;
    size = 0;

    if (head.what == NGX_REALTIME_ASK_LOOK) {
        size = ngx_realtime_people_print(&user, NULL);

        if (size) {
            buf = ngx_alloc(size, ngx_cycle->log);
            if (buf == NULL) {
                /* who asked will see that no answer comes */
                return;
            }

            size = ngx_realtime_people_print(&user, buf);
        }

    } else {
        answer.n = ngx_realtime_people_kick(&user, why, &again);

        if (again) {
            ngx_realtime_ask_kick_again(&user, why);
        }
    }

    if (head.what != NGX_REALTIME_ASK_KICK_MOVED) {
        parts[0].data = (u_char *) &answer;
        parts[0].len = sizeof(answer);
        parts[1].data = buf;
        parts[1].len = size;

        ngx_realtime_bus_send(ngx_realtime_slot_bit(from),
                              NGX_REALTIME_BUS_PERSON, parts, size ? 2 : 1);
    }

    if (buf) {
        ngx_free(buf);
    }
}


static void
ngx_realtime_ask_answered(ngx_uint_t from, u_char *data, size_t len)
{
    ngx_realtime_ask_t     *ask;
    ngx_realtime_answer_t   answer;

    if (len < sizeof(answer)) {
        return;
    }

    ngx_memcpy(&answer, data, sizeof(answer));

    ask = ngx_realtime_table_find(&ngx_realtime_asks, answer.ref);

    if (ask == NULL || !(ask->open & ngx_realtime_slot_bit(from))) {
        return;
    }

    ask->open &= ~ngx_realtime_slot_bit(from);
    ask->asked.n += answer.n;

    if (ngx_realtime_ask_add(ask, data + sizeof(answer),
                             len - sizeof(answer))
        != NGX_OK)
    {
        ask->asked.failed = 1;
        ask->open = 0;
    }

    if (ask->open == 0) {
        ngx_realtime_ask_finish(ask);
    }
}


static ngx_int_t
ngx_realtime_ask_add(ngx_realtime_ask_t *ask, u_char *data, size_t len)
{
    u_char    *sid, *last;
    uint16_t   n;

    last = data + len;

    while ((size_t) (last - data) >= NGX_REALTIME_SID_LEN + sizeof(n)) {

        sid = data;
        ngx_memcpy(&n, data + NGX_REALTIME_SID_LEN, sizeof(n));
        data += NGX_REALTIME_SID_LEN + sizeof(n);

        if ((size_t) (last - data) < n) {
            return NGX_ERROR;
        }

        if (ask->nsids < NGX_REALTIME_PEOPLE_LIST
            && ngx_realtime_ask_add_one(ask, sid, data, n) != NGX_OK)
        {
            return NGX_ERROR;
        }

        data += n;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_realtime_ask_add_one(ngx_realtime_ask_t *ask, u_char *sid, u_char *text,
    size_t len)
{
    u_char      *p;
    size_t       size;
    ngx_str_t   *list;
    ngx_uint_t   i;

    list = &ask->asked.list;

    for (i = 0; i < ask->nsids; i++) {
        if (ngx_memcmp(ask->sids + i * NGX_REALTIME_SID_LEN, sid,
                       NGX_REALTIME_SID_LEN)
            == 0)
        {
            return NGX_OK;
        }
    }

    if (list->len + 1 + len > ask->size) {
        size = ngx_max(ask->size * 2, list->len + 1 + len);

        p = realloc(list->data, size);
        if (p == NULL) {
            return NGX_ERROR;
        }

        list->data = p;
        ask->size = size;
    }

    if (ask->nsids % 16 == 0) {
        p = realloc(ask->sids, (ask->nsids + 16) * NGX_REALTIME_SID_LEN);
        if (p == NULL) {
            return NGX_ERROR;
        }

        ask->sids = p;
    }

    ngx_memcpy(ask->sids + ask->nsids++ * NGX_REALTIME_SID_LEN, sid,
               NGX_REALTIME_SID_LEN);

    p = list->data + list->len;

    if (list->len) {
        *p++ = ',';
    }

    p = ngx_cpymem(p, text, len);
    list->len = p - list->data;
    ask->asked.n++;

    return NGX_OK;
}


static void
ngx_realtime_ask_age(ngx_realtime_age_t *age)
{
    ngx_uint_t           i;
    ngx_realtime_ask_t  *ask;

    ask = ngx_queue_data(age, ngx_realtime_ask_t, age);

    for (i = 0; i < NGX_REALTIME_SLOTS; i++) {
        if (!ngx_realtime_slot_is(i, ask->generations[i])) {
            ask->open &= ~ngx_realtime_slot_bit(i);
        }
    }

    if (ask->open && ++ask->looks < NGX_REALTIME_ASK_PATIENCE) {
        ngx_realtime_age_set(&ask->age, NGX_REALTIME_ASK_LOOK_AT);
        return;
    }

    if (ask->open) {
        ngx_realtime_count(api_unanswered);
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "realtime: workers of the slots %xL do not answer",
                      ask->open);
        ask->asked.failed = 1;
    }

    ngx_realtime_ask_finish(ask);
}


static void
ngx_realtime_ask_finish(ngx_realtime_ask_t *ask)
{
    ask->done(ask->data, &ask->asked);

    ngx_realtime_ask_free(ask);
}


static void
ngx_realtime_ask_free(ngx_realtime_ask_t *ask)
{
    ngx_realtime_age_unset(&ask->age);
    ngx_realtime_age_release();
    ngx_realtime_table_remove(&ngx_realtime_asks, ask->ref);

    free(ask->asked.list.data);
    free(ask->sids);
    ngx_free(ask);
}
