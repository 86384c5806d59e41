
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * From polling to WebSocket: the worker with the WebSocket.
 *
 *      client          worker B: probe             worker A: session
 *   1  handshake       asks PROBE        ------>   polling, not yet upgrading
 *                      101               <------   ALLOWED
 *   2  2probe          3probe, HOLD      ------>   releases the parked GET
 *   3  5               TAKE              ------>   STATE: sockets and queue
 *                      becomes the session,
 *                      sits in the rooms <------
 *                      JOINED            ------>   what B missed, then END
 *
 * (With one worker the same steps are calls.)  Until 3 the session goes on
 * polling whatever happens to the probe.  What A does in and after 3 is in
 * ngx_realtime_detour.c.
 *
 * A probe owns its transport until it hands it to the session.  Packets that
 * come behind the "5" before the session is here wait in the probe.
 *
 * A session that upgrades already, or has, refuses the probe.  As engine.io
 * does, 1 is then a 101 all the same, and a Close: a client sees a WebSocket
 * end, not a server that fails.
 */


#include "ngx_realtime_counter.h"
#include "ngx_realtime_detour.h"
#include "ngx_realtime_handshake.h"
#include "ngx_realtime_log.h"
#include "ngx_realtime_moved.h"
#include "ngx_realtime_people.h"
#include "ngx_realtime_poll.h"
#include "ngx_realtime_slot.h"
#include "ngx_realtime_upgrade.h"
#include "ngx_realtime_ws.h"
#include "rt_eio.h"
#include "rt_ws.h"


#define NGX_REALTIME_UPGRADE_ASK    5000   /* ms, for the other worker */


typedef enum {
    NGX_REALTIME_PROBE_ASKED = 0,          /* PROBE: a request waits */
    NGX_REALTIME_PROBE_ALLOWED,            /* accepted: "2probe" is awaited */
    NGX_REALTIME_PROBE_PROBED,             /* HOLD: "5" is awaited */
    NGX_REALTIME_PROBE_TAKING              /* TAKE: the session is awaited */
} ngx_realtime_probe_state_e;


typedef struct {
    ngx_queue_t                queue;
    ngx_uint_t                 binary;
    size_t                     len;
    u_char                     data[];
} ngx_realtime_probe_packet_t;


typedef struct {
    ngx_realtime_ref_t         ref;
    ngx_realtime_probe_state_e state;
    ngx_http_request_t        *request;    /* ASKED only */
    ngx_realtime_transport_t  *transport;  /* NULL before ALLOWED */
    ngx_realtime_loc_conf_t   *conf;
    ngx_realtime_age_t         age;
    ngx_queue_t                early;      /* packets behind "5" */
    size_t                     early_bytes;
    ngx_int_t                  rc;         /* for the handler on the stack */
    unsigned                   suspended:1;  /* the handler has returned */
    unsigned                   refused:1;  /* closed as soon as it is open */
    u_char                     sid[NGX_REALTIME_SID_LEN];
} ngx_realtime_probe_t;


static ngx_realtime_probe_t *ngx_realtime_upgrade_probe(
    ngx_http_request_t *r, ngx_str_t *sid);
static void ngx_realtime_upgrade_cleanup(void *data);
static ngx_int_t ngx_realtime_upgrade_ask(ngx_realtime_probe_t *probe,
    ngx_realtime_poll_op_e op);
static void ngx_realtime_upgrade_answer(ngx_uint_t from, u_char *data,
    size_t len);
static void ngx_realtime_upgrade_answered(ngx_realtime_probe_t *probe,
    ngx_int_t rc);
static void ngx_realtime_upgrade_refused(ngx_realtime_probe_t *probe,
    ngx_uint_t code);
static ngx_int_t ngx_realtime_upgrade_accept(ngx_realtime_probe_t *probe);
static ngx_int_t ngx_realtime_upgrade_ready(ngx_realtime_transport_t *t,
    ngx_http_request_t *r, void *data);
static void ngx_realtime_upgrade_packet(void *session, u_char *data,
    size_t len, ngx_uint_t binary);
static void ngx_realtime_upgrade_take(ngx_realtime_probe_t *probe);
static void ngx_realtime_upgrade_early(ngx_realtime_probe_t *probe,
    u_char *data, size_t len, ngx_uint_t binary);
static void ngx_realtime_upgrade_closed(void *session, const char *reason);
static void ngx_realtime_upgrade_age(ngx_realtime_age_t *age);
static void ngx_realtime_upgrade_fail(ngx_realtime_probe_t *probe,
    const char *why);
static void ngx_realtime_upgrade_free(ngx_realtime_probe_t *probe);
static void ngx_realtime_upgrade_state(ngx_realtime_probe_t *probe,
    u_char *data, size_t len);
static void ngx_realtime_upgrade_replay(ngx_realtime_probe_t *probe,
    ngx_realtime_session_t *s);


static const ngx_realtime_transport_up_t  ngx_realtime_upgrade_up = {
    ngx_realtime_upgrade_packet,
    ngx_realtime_upgrade_closed
};


static ngx_realtime_table_t  ngx_realtime_probes;


ngx_int_t
ngx_realtime_upgrade_init(ngx_cycle_t *cycle)
{
    ngx_realtime_moved_init();
    ngx_realtime_detour_init(cycle);

    ngx_realtime_bus_handle(NGX_REALTIME_BUS_UPGRADE,
                            ngx_realtime_upgrade_answer);

    return NGX_OK;
}


ngx_int_t
ngx_realtime_upgrade_handler(ngx_http_request_t *r, ngx_str_t *sid)
{
    ngx_int_t              rc;
    const char            *why;
    ngx_realtime_probe_t  *probe;

    rc = ngx_realtime_ws_check(r, &why);
    if (rc != NGX_OK) {
        return ngx_realtime_handshake_error(r, RT_EIO_BAD_REQUEST, why);
    }

    probe = ngx_realtime_upgrade_probe(r, sid);
    if (probe == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_realtime_upgrade_ask(probe, NGX_REALTIME_POLL_PROBE) != NGX_OK) {
        ngx_realtime_upgrade_free(probe);
        ngx_free(probe);
        return ngx_realtime_handshake_error(r, RT_EIO_SID_UNKNOWN,
                                            "the worker of the sid is gone");
    }

    if (probe->request == NULL) {
        /* answered already: the probe is a WebSocket, or freed */
        rc = probe->rc;

        if (probe->ref.generation == 0) {
            ngx_free(probe);
        }

        return rc;
    }

    probe->suspended = 1;
    r->read_event_handler = ngx_http_test_reading;
    r->main->count++;

    return NGX_DONE;
}


static ngx_realtime_probe_t *
ngx_realtime_upgrade_probe(ngx_http_request_t *r, ngx_str_t *sid)
{
    ngx_http_cleanup_t    *cln;
    ngx_realtime_probe_t  *probe;

    cln = ngx_http_cleanup_add(r, sizeof(ngx_realtime_ref_t));
    if (cln == NULL) {
        return NULL;
    }

    probe = ngx_calloc(sizeof(ngx_realtime_probe_t), r->connection->log);
    if (probe == NULL) {
        return NULL;
    }

    if (ngx_realtime_table_add(&ngx_realtime_probes, probe, &probe->ref)
        != NGX_OK)
    {
        ngx_free(probe);
        return NULL;
    }

    probe->request = r;
    probe->conf = ngx_http_get_module_loc_conf(r, ngx_realtime_module);
    probe->age.handler = ngx_realtime_upgrade_age;
    ngx_queue_init(&probe->early);
    ngx_memcpy(probe->sid, sid->data, NGX_REALTIME_SID_LEN);

    ngx_realtime_age_hold();
    ngx_realtime_age_set(&probe->age, NGX_REALTIME_UPGRADE_ASK);

    *(ngx_realtime_ref_t *) cln->data = probe->ref;
    cln->handler = ngx_realtime_upgrade_cleanup;

    return probe;
}


/* the request ends: if its probe still waits for the answer, it goes too */

static void
ngx_realtime_upgrade_cleanup(void *data)
{
    ngx_realtime_ref_t  *ref = data;

    ngx_realtime_probe_t  *probe;

    probe = ngx_realtime_table_find(&ngx_realtime_probes, *ref);

    /* without a request it is answered, and somebody else's to free */

    if (probe && probe->request) {
        probe->request = NULL;
        (void) ngx_realtime_upgrade_ask(probe, NGX_REALTIME_POLL_RELEASE);
        probe->suspended = 1;
        ngx_realtime_upgrade_free(probe);
    }
}


static ngx_int_t
ngx_realtime_upgrade_ask(ngx_realtime_probe_t *probe,
    ngx_realtime_poll_op_e op)
{
    ngx_str_t  sid;

    sid.data = probe->sid;
    sid.len = NGX_REALTIME_SID_LEN;

    return ngx_realtime_poll_ask(&sid, op, probe->ref, NULL, 0);
}


/* from the worker that has the session, over the bus or by a call */

static void
ngx_realtime_upgrade_answer(ngx_uint_t from, u_char *data, size_t len)
{
    ngx_http_request_t          *r;
    ngx_realtime_probe_t        *probe;
    ngx_realtime_detour_head_t   head;

    if (len < sizeof(head)) {
        return;
    }

    ngx_memcpy(&head, data, sizeof(head));
    data += sizeof(head);
    len -= sizeof(head);

    if (head.kind >= NGX_REALTIME_DETOUR_FORWARD) {
        ngx_realtime_detour_receive(from, &head, data, len);
        return;
    }

    probe = ngx_realtime_table_find(&ngx_realtime_probes, head.to);

    if (probe == NULL) {
        return;
    }

    r = probe->request;

    switch (head.kind) {

    case NGX_REALTIME_DETOUR_ALLOWED:

        if (probe->state == NGX_REALTIME_PROBE_ASKED && r) {
            ngx_realtime_upgrade_answered(probe,
                                          ngx_realtime_upgrade_accept(probe));
        }

        return;

    case NGX_REALTIME_DETOUR_REFUSED:

        if (probe->state == NGX_REALTIME_PROBE_ASKED && r) {
            ngx_realtime_upgrade_refused(probe, head.code);

        } else if (probe->state == NGX_REALTIME_PROBE_TAKING) {
            ngx_realtime_upgrade_fail(probe, "its session is gone");
        }

        return;

    case NGX_REALTIME_DETOUR_STATE:

        if (probe->state == NGX_REALTIME_PROBE_TAKING) {
            ngx_realtime_upgrade_state(probe, data, len);
        }

        return;

    default: /* NGX_REALTIME_DETOUR_ENDED */

        if (probe->transport) {
            ngx_realtime_upgrade_fail(probe, "its session has ended");

        } else {
            /* between its 101 and the moment when it is a WebSocket */
            probe->refused = 1;
        }
    }
}


void
ngx_realtime_upgrade_tell(const ngx_realtime_waiter_t *waiter,
    ngx_realtime_detour_head_t *head, u_char *body, size_t len)
{
    ngx_str_t  parts[2];

    head->to.index = waiter->index;
    head->to.generation = waiter->generation;

    if (waiter->slot == (uint32_t) ngx_realtime_slot) {
        ngx_realtime_upgrade_answer(ngx_realtime_slot, (u_char *) head,
                                    sizeof(ngx_realtime_detour_head_t));
        return;
    }

    parts[0].data = (u_char *) head;
    parts[0].len = sizeof(ngx_realtime_detour_head_t);
    parts[1].data = body;
    parts[1].len = len;

    ngx_realtime_bus_send(ngx_realtime_slot_bit(waiter->slot),
                          NGX_REALTIME_BUS_UPGRADE, parts, len ? 2 : 1);
}


/* the request that has waited gets its answer */

static void
ngx_realtime_upgrade_answered(ngx_realtime_probe_t *probe, ngx_int_t rc)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = probe->request;

    probe->request = NULL;
    probe->rc = rc;

    if (probe->suspended) {
        c = r->connection;
        ngx_http_finalize_request(r, rc);
        ngx_http_run_posted_requests(c);
    }
}


static void
ngx_realtime_upgrade_refused(ngx_realtime_probe_t *probe, ngx_uint_t code)
{
    static const char    why[] = "a sid that cannot upgrade";

    ngx_http_request_t  *r;

    r = probe->request;

    if (code != RT_EIO_BAD_REQUEST) {
        ngx_realtime_upgrade_answered(probe,
                                 ngx_realtime_handshake_error(r, code, why));
        ngx_realtime_upgrade_free(probe);
        return;
    }

    ngx_realtime_count(handshakes_refused);
    ngx_realtime_log_client(NGX_LOG_INFO, r->connection->log,
                            "handshake refused", why, NULL, NULL);

    probe->refused = 1;

    ngx_realtime_upgrade_answered(probe, ngx_realtime_upgrade_accept(probe));
}


static ngx_int_t
ngx_realtime_upgrade_accept(ngx_realtime_probe_t *probe)
{
    ngx_int_t                rc;
    ngx_realtime_ws_conf_t   conf;

    conf.loc = probe->conf;
    conf.ready = ngx_realtime_upgrade_ready;
    conf.data = probe;

    rc = ngx_realtime_ws_accept(probe->request, &conf);

    if (rc == NGX_DONE) {
        probe->state = NGX_REALTIME_PROBE_ALLOWED;
        ngx_realtime_age_set(&probe->age, probe->conf->upgrade_timeout);
    }

    return rc;
}


static ngx_int_t
ngx_realtime_upgrade_ready(ngx_realtime_transport_t *t, ngx_http_request_t *r,
    void *data)
{
    ngx_realtime_probe_t  *probe = data;

    if (probe->refused) {
        t->ops->close(t, RT_WS_NO_STATUS);
        ngx_realtime_upgrade_free(probe);
        return NGX_OK;
    }

    probe->transport = t;

    t->up = &ngx_realtime_upgrade_up;
    t->session = probe;

    return NGX_OK;
}


static void
ngx_realtime_upgrade_packet(void *session, u_char *data, size_t len,
    ngx_uint_t binary)
{
    ngx_realtime_probe_t  *probe = session;

    ngx_realtime_msg_t  *m;

    if (probe->state == NGX_REALTIME_PROBE_TAKING) {
        ngx_realtime_upgrade_early(probe, data, len, binary);
        return;
    }

    /* a probe may be repeated: "5" is what counts */

    if (!binary && len == 6 && ngx_memcmp(data, "2probe", 6) == 0) {
        m = ngx_realtime_msg_alloc(6, probe->transport->log);

        if (m) {
            ngx_memcpy(ngx_realtime_msg_payload(m), "3probe", 6);
            probe->transport->ops->send(probe->transport, m);
            ngx_realtime_msg_unref(m);
        }

        probe->state = NGX_REALTIME_PROBE_PROBED;
        (void) ngx_realtime_upgrade_ask(probe, NGX_REALTIME_POLL_HOLD);
        return;
    }

    if (!binary && probe->state == NGX_REALTIME_PROBE_PROBED
        && len == 1 && data[0] == RT_EIO_UPGRADE)
    {
        ngx_realtime_upgrade_take(probe);
        return;
    }

    ngx_realtime_upgrade_fail(probe, "not what a probing WebSocket sends");
}


/* the state is there at once when the session is this worker's */

static void
ngx_realtime_upgrade_take(ngx_realtime_probe_t *probe)
{
    ngx_str_t                sid;
    ngx_uint_t               slot;
    ngx_realtime_out_t       out;
    ngx_realtime_session_t  *s;

    probe->state = NGX_REALTIME_PROBE_TAKING;
    ngx_realtime_age_set(&probe->age, NGX_REALTIME_UPGRADE_ASK);

    sid.data = probe->sid;
    sid.len = NGX_REALTIME_SID_LEN;

    if (ngx_realtime_session_slot(&sid, &slot) != NGX_OK
        || slot != (ngx_uint_t) ngx_realtime_slot)
    {
        if (ngx_realtime_upgrade_ask(probe, NGX_REALTIME_POLL_TAKE) != NGX_OK)
        {
            ngx_realtime_upgrade_fail(probe, "its worker is gone");
        }

        return;
    }

    s = ngx_realtime_session_by_sid(probe->sid);

    if (s == NULL || s->detour || !ngx_realtime_polling_is(s->transport)) {
        ngx_realtime_upgrade_fail(probe, "its session is gone");
        return;
    }

    ngx_realtime_out_init(&out);
    ngx_realtime_polling_hand_over(s->transport, &out, s->log);

    ngx_realtime_session_attach(s, probe->transport);
    ngx_realtime_detour_send_out(s, &out);
    ngx_realtime_detour_settle(s);

    probe->transport = NULL;
    ngx_realtime_upgrade_free(probe);
}


static void
ngx_realtime_upgrade_early(ngx_realtime_probe_t *probe, u_char *data,
    size_t len, ngx_uint_t binary)
{
    ngx_realtime_probe_packet_t  *pkt;

    probe->early_bytes += len + sizeof(ngx_realtime_probe_packet_t);

    if (probe->early_bytes > probe->conf->max_payload * 2) {
        ngx_realtime_upgrade_fail(probe, "too much behind its upgrade");
        return;
    }

    pkt = ngx_alloc(sizeof(ngx_realtime_probe_packet_t) + len,
                    probe->transport->log);
    if (pkt == NULL) {
        ngx_realtime_upgrade_fail(probe, "no memory");
        return;
    }

    pkt->binary = binary;
    pkt->len = len;
    ngx_memcpy(pkt->data, data, len);
    ngx_queue_insert_tail(&probe->early, &pkt->queue);
}


static void
ngx_realtime_upgrade_closed(void *session, const char *reason)
{
    ngx_realtime_probe_t  *probe = session;

    probe->transport = NULL;
    ngx_realtime_upgrade_fail(probe, reason);
}


static void
ngx_realtime_upgrade_age(ngx_realtime_age_t *age)
{
    ngx_realtime_probe_t  *probe;

    probe = ngx_queue_data(age, ngx_realtime_probe_t, age);

    if (probe->request) {
        ngx_realtime_upgrade_answered(probe, NGX_HTTP_SERVICE_UNAVAILABLE);
    }

    ngx_realtime_upgrade_fail(probe, "not done in time");
}


/* the WebSocket ends, the session goes on polling */

static void
ngx_realtime_upgrade_fail(ngx_realtime_probe_t *probe, const char *why)
{
    ngx_realtime_transport_t  *t;

    t = probe->transport;

    ngx_realtime_log_client(NGX_LOG_INFO, t ? t->log : ngx_cycle->log,
                            "upgrade failed", why, NULL, NULL);

    if (t) {
        t->ops->close(t, RT_WS_NO_STATUS);
    }

    (void) ngx_realtime_upgrade_ask(probe, NGX_REALTIME_POLL_RELEASE);

    probe->suspended = 1;
    ngx_realtime_upgrade_free(probe);
}


/* freed by the handler that is still on the stack, if it is */

static void
ngx_realtime_upgrade_free(ngx_realtime_probe_t *probe)
{
    ngx_queue_t                  *q;
    ngx_realtime_probe_packet_t  *pkt;

    while (!ngx_queue_empty(&probe->early)) {
        q = ngx_queue_head(&probe->early);
        ngx_queue_remove(q);

        pkt = ngx_queue_data(q, ngx_realtime_probe_packet_t, queue);
        ngx_free(pkt);
    }

    ngx_realtime_age_unset(&probe->age);
    ngx_realtime_age_release();

    ngx_realtime_table_remove(&ngx_realtime_probes, probe->ref);
    probe->ref.generation = 0;

    if (probe->suspended || probe->state != NGX_REALTIME_PROBE_ASKED) {
        ngx_free(probe);
    }
}


/* the session comes from another worker */

static void
ngx_realtime_upgrade_state(ngx_realtime_probe_t *probe, u_char *data,
    size_t len)
{
    ngx_realtime_ref_t         ref;
    ngx_realtime_session_t    *s;
    ngx_realtime_transport_t  *t;

    t = probe->transport;

    s = ngx_realtime_detour_restore(t, probe->conf, probe->sid, data, len);

    if (s == NULL) {
        ngx_realtime_upgrade_fail(probe, "its session cannot be restored");
        return;
    }

    probe->transport = NULL;
    ref = s->ref;

    ngx_realtime_upgrade_replay(probe, s);
    ngx_realtime_upgrade_free(probe);

    s = ngx_realtime_session_find(ref);

    if (s) {
        ngx_realtime_people_recheck(s);
    }
}


static void
ngx_realtime_upgrade_replay(ngx_realtime_probe_t *probe,
    ngx_realtime_session_t *s)
{
    ngx_queue_t                  *q;
    ngx_realtime_ref_t            ref;
    ngx_realtime_transport_t     *t;
    ngx_realtime_probe_packet_t  *pkt;

    ref = s->ref;
    t = s->transport;

    for (q = ngx_queue_head(&probe->early);
         q != ngx_queue_sentinel(&probe->early);
         q = ngx_queue_next(q))
    {
        pkt = ngx_queue_data(q, ngx_realtime_probe_packet_t, queue);

        t->up->packet(s, pkt->data, pkt->len, pkt->binary);

        if (ngx_realtime_session_find(ref) == NULL) {
            return;
        }
    }
}
