
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * What a socket owes: acks that it was asked for and has not given.
 *
 *   note     the event goes out                     on the list
 *   ack      the client has answered                off, the origin is told
 *   free     the socket ends                        off, the origin is told
 *   until    the origin has given up                off with the next note
 *
 * The list is an array without an order, made with the first due and gone with
 * the last.  One that is full means a client that answers nothing: it gets no
 * more such events until some are past their time.
 */


#include "ngx_realtime_acks.h"
#include "ngx_realtime_counter.h"
#include "ngx_realtime_log.h"
#include "rt_json.h"


#define NGX_REALTIME_OWED_FIRST  4         /* dues; doubled when it is full */
#define NGX_REALTIME_OWED_MAX    64


struct ngx_realtime_owed_s {
    ngx_uint_t                 n;
    ngx_uint_t                 size;
    ngx_realtime_due_t         due[];
};


static void ngx_realtime_owed_purge(ngx_realtime_socket_t *sk, uint32_t id);
static ngx_int_t ngx_realtime_owed_add(ngx_realtime_socket_t *sk,
    const ngx_realtime_due_t *due);
static ngx_int_t ngx_realtime_owed_take(ngx_realtime_socket_t *sk,
    uint64_t id, ngx_realtime_due_t *due);
static void ngx_realtime_owed_drop(ngx_realtime_socket_t *sk, ngx_uint_t i);


static const rt_str_t  ngx_realtime_owed_nothing;


#define ngx_realtime_owed_is_late(due)                                        \
    ((ngx_msec_int_t) ((due)->until - ngx_current_msec) <= 0)


ngx_int_t
ngx_realtime_owed_note(ngx_realtime_socket_t *sk, ngx_realtime_msg_t *m)
{
    if (m->due == NULL) {
        return NGX_OK;
    }

    /* of the same id there can only be one whose origin has died */

    ngx_realtime_owed_purge(sk, m->due->id);

    if (ngx_realtime_owed_add(sk, m->due) == NGX_OK) {
        return NGX_OK;
    }

    ngx_realtime_acks_tell(m->due, sk->sid, NGX_REALTIME_ACKS_NONE,
                           ngx_realtime_owed_nothing);

    return NGX_DECLINED;
}


ngx_int_t
ngx_realtime_owed_note_any(ngx_realtime_session_t *s, ngx_realtime_msg_t *m)
{
    ngx_realtime_socket_t  *sk;

    if (m->due == NULL) {
        return NGX_OK;
    }

    sk = ngx_realtime_socket_of(s, (u_char *) "/", 1);

    return sk ? ngx_realtime_owed_note(sk, m) : NGX_DECLINED;
}


static void
ngx_realtime_owed_purge(ngx_realtime_socket_t *sk, uint32_t id)
{
    ngx_uint_t           i;
    ngx_realtime_due_t  *due;

    /* from the end: what is dropped is replaced by the last one */

    for (i = ngx_realtime_owed_count(sk); i > 0; i--) {

        due = &sk->owed->due[i - 1];

        if (due->id == id || ngx_realtime_owed_is_late(due)) {
            ngx_realtime_owed_drop(sk, i - 1);
        }
    }
}


static ngx_int_t
ngx_realtime_owed_add(ngx_realtime_socket_t *sk, const ngx_realtime_due_t *due)
{
    ngx_uint_t            n, size;
    ngx_realtime_owed_t  *owed;

    n = ngx_realtime_owed_count(sk);
    owed = sk->owed;

    if (owed == NULL || n == owed->size) {

        if (n == NGX_REALTIME_OWED_MAX) {
            return NGX_ERROR;
        }

        size = owed ? owed->size * 2 : NGX_REALTIME_OWED_FIRST;

        owed = ngx_alloc(sizeof(ngx_realtime_owed_t)
                         + size * sizeof(ngx_realtime_due_t),
                         sk->session->log);
        if (owed == NULL) {
            return NGX_ERROR;
        }

        owed->n = n;
        owed->size = size;

        if (sk->owed) {
            ngx_memcpy(owed->due, sk->owed->due,
                       n * sizeof(ngx_realtime_due_t));
            ngx_free(sk->owed);
        }

        sk->owed = owed;
    }

    owed->due[owed->n++] = *due;

    return NGX_OK;
}


static void
ngx_realtime_owed_drop(ngx_realtime_socket_t *sk, ngx_uint_t i)
{
    ngx_realtime_owed_t  *owed;

    owed = sk->owed;

    owed->due[i] = owed->due[--owed->n];

    if (owed->n == 0) {
        ngx_free(owed);
        sk->owed = NULL;
    }
}


/*
 * As in Node, an ack that nobody waits for is ignored.  It is no news for the
 * log: an answer that comes too late is common, and a client could fill the
 * log with them.  One that was asked for and cannot be passed on is.
 */

void
ngx_realtime_owed_ack(ngx_realtime_socket_t *sk, rt_sio_packet_t *pkt,
    ngx_uint_t attachments)
{
    rt_str_t            text;
    const char         *why;
    ngx_realtime_due_t  due;

    if (!pkt->has_id || ngx_realtime_owed_take(sk, pkt->id, &due) != NGX_OK) {
        ngx_realtime_count(acks_unknown);
        return;
    }

    text = rt_json_trim(pkt->json.data, pkt->json.len);

    if (attachments) {
        why = "it has attachments";

    } else if (text.len > NGX_REALTIME_ACKS_ONE) {
        why = "it is longer than 65536 bytes";

    } else {
        ngx_realtime_acks_tell(&due, sk->sid, NGX_REALTIME_ACKS_ACK, text);
        return;
    }

    ngx_realtime_count(acks_refused);
    ngx_realtime_log_client(NGX_LOG_INFO, ngx_realtime_session_log(sk->session),
                            "ack refused", why, &sk->identity.user, &sk->id);

    ngx_realtime_acks_tell(&due, sk->sid, NGX_REALTIME_ACKS_NONE,
                           ngx_realtime_owed_nothing);
}


/* NGX_DECLINED: it does not owe that, or not any more */

static ngx_int_t
ngx_realtime_owed_take(ngx_realtime_socket_t *sk, uint64_t id,
    ngx_realtime_due_t *due)
{
    ngx_uint_t  i, n;

    n = ngx_realtime_owed_count(sk);

    for (i = 0; i < n; i++) {

        if (sk->owed->due[i].id == id) {
            *due = sk->owed->due[i];
            ngx_realtime_owed_drop(sk, i);

            return ngx_realtime_owed_is_late(due) ? NGX_DECLINED : NGX_OK;
        }
    }

    return NGX_DECLINED;
}


void
ngx_realtime_owed_free(ngx_realtime_socket_t *sk, ngx_uint_t gone)
{
    ngx_uint_t            i;
    ngx_realtime_owed_t  *owed;

    owed = sk->owed;

    if (owed == NULL) {
        return;
    }

    sk->owed = NULL;

    for (i = 0; gone && i < owed->n; i++) {
        if (!ngx_realtime_owed_is_late(&owed->due[i])) {
            ngx_realtime_acks_tell(&owed->due[i], sk->sid,
                                   NGX_REALTIME_ACKS_NONE,
                                   ngx_realtime_owed_nothing);
        }
    }

    ngx_free(owed);
}


ngx_uint_t
ngx_realtime_owed_count(ngx_realtime_socket_t *sk)
{
    return sk->owed ? sk->owed->n : 0;
}


u_char *
ngx_realtime_owed_print(ngx_realtime_socket_t *sk, u_char *p)
{
    if (sk->owed == NULL) {
        return p;
    }

    return ngx_cpymem(p, sk->owed->due,
                      sk->owed->n * sizeof(ngx_realtime_due_t));
}


ngx_int_t
ngx_realtime_owed_restore(ngx_realtime_socket_t *sk, u_char *p, ngx_uint_t n)
{
    ngx_realtime_due_t  due;

    if (n > NGX_REALTIME_OWED_MAX) {
        return NGX_ERROR;
    }

    for ( /* void */ ; n; n--) {

        ngx_memcpy(&due, p, sizeof(due));
        p += sizeof(due);

        if (ngx_realtime_owed_add(sk, &due) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
